// What the actions on lists do, for all ways in (shell).
import { colleague, isAnswer, no, refused, yes, type Act, type Answer, type Call } from '../answers.ts'
import type { ListHandler } from '../commands-lists.ts'
import type { CommandEntry } from '../commands.ts'
import { Refused } from '../facts.ts'
import { COLUMNS, isPast, LISTS, rows, type ListName, type Wanted } from '../lists.ts'
import { pastPage } from '../past-lists.ts'
import type { Office } from '../office.ts'
import { duration } from '../sentences.ts'
import { relatedText } from '../threads.ts'
import { asCommand, parse } from '../words.ts'

const MOST = 50 // rows in one message
const BULK = 200

/** Reads `dept:sales agent:ben sort:-idle mine`. */
function wanted(o: Office, c: Call): Wanted | Answer {
  const list = LISTS.find(l => l === (c.args['list'] ?? '').toLowerCase()) ?? 'mine'
  let w: Wanted = { list }
  for (const word of (c.args['filter'] ?? '').split(/\s+/).filter(Boolean)) {
    const m = /^(dept|department|queue|group|agent|sort):(.+)$/i.exec(word)
    const value = m?.[2] ?? ''
    switch (m?.[1]?.toLowerCase() ?? word.toLowerCase()) {
      case 'dept': case 'department': w = { ...w, department: value.toLowerCase() }; break
      case 'queue': case 'group': w = { ...w, queue: value.toLowerCase() }; break
      case 'agent': { const who = value.toLowerCase() === 'me' ? c.by : colleague(o, value); if (isAnswer(who)) return who; w = { ...w, agent: who }; break }
      case 'sort': {
        const column = COLUMNS.find(x => x.toLowerCase() === value.replace(/^-/, '').toLowerCase())
        if (!column) return no(`Sort by what? One of ${COLUMNS.join(', ')}.`)
        w = { ...w, sort: column, descending: value.startsWith('-') }
        break
      }
      case 'all': w = { ...w, channels: 'all' }; break
      case 'mine': w = { ...w, channels: 'mine' }; break
      default: return no(`“${word}” is no filter. There are: dept:…, queue:…, agent:…, sort:…, all, mine.`)
    }
  }
  return w
}

export const listActs = (act: (o: Office, c: CommandEntry, call: Call) => Promise<Answer>): Readonly<Record<ListHandler, Act>> => ({
  async list(o, c) {
    const w = wanted(o, c)
    if ('ok' in w) return w
    const found = isPast(w.list) ? await pastPage(o, c.by, w, { limit: MOST }) : await rows(o, c.by, w)
    if (found instanceof Refused) return refused(o, found)
    const [shown, total] = 'rows' in found ? [found.rows, found.total] : [found.slice(0, MOST), found.length]
    const talks = w.list === 'agents' ? o.threads.of(c.by).filter(t => t.members[c.by] === 'asked').map(t => `im${t.n}@${o.domain} ${o.operators.name(t.by)} asks for a talk${t.related ? ` · ${relatedText(t.related)}` : ''}`) : []
    if (shown.length + talks.length === 0) return yes('There are none.')
    const lines = shown.map(r => `#${r.number} ${r.user} · ${r.group} · ${r.status}${r.followUp ? ', follow-up' : ''} · queue ${duration(r.queueTime * 1000)} · idle ${duration(r.idle * 1000)} · ${r.messages} ${r.messages === 1 ? 'message' : 'messages'}${r.agentName === null ? '' : ` · ${r.agentName}`}`)
    return yes([...lines, ...talks, ...(total > shown.length ? [`and ${total - shown.length} more`] : [])].join('\n'))
  },
  async channels(o, c) {
    const channels = c.args['show']?.toLowerCase() === 'mine' ? 'mine' as const : 'all' as const
    await o.operators.change(c.by, { channels })
    return yes(channels === 'mine' ? 'Your lists show your channels only.' : 'Your lists show all channels.')
  },
  async bulk(o, c) {
    const asked = (c.args['conversations'] ?? '').toLowerCase()
    const list: ListName | undefined = asked === 'mine' || asked === 'queue' ? asked : undefined
    const found = list === undefined ? undefined : await rows(o, c.by, { list })
    if (found instanceof Refused) return refused(o, found)
    const ns = found?.map(r => r.number) ?? (/^#?\d{1,9}(,#?\d{1,9})*$/.test(asked) ? [...new Set(asked.split(',').map(t => Number(t.replace('#', ''))))] : [])
    if (ns.length === 0) return no(list === undefined ? 'Select conversations first: 1,2,3, or mine, or queue.' : 'There are none.')
    if (ns.length > BULK) return no(`At most ${BULK} at once.`)
    const parsed = parse(asCommand(c.args['command'] ?? ''), 'conversation')
    if (parsed.is !== 'command' || parsed.command.about === 'none') return no(parsed.is === 'refused' ? parsed.because : 'That is no command for conversations.')
    const failed: string[] = []
    for (const n of ns) {
      const answer = await act(o, parsed.command, { by: c.by, n, here: undefined, args: parsed.args })
      if (!answer.ok) failed.push(`#${n}: ${answer.text}`)
    }
    const text = [`${ns.length - failed.length} done${failed.length > 0 ? `, ${failed.length} refused` : ''}.`, ...failed].join('\n')
    return failed.length === ns.length ? no(text) : yes(text)
  },
})

