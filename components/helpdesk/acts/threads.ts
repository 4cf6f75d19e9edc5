// What talking with colleagues does, for all ways in (shell).
import { colleague, isAnswer, no, notYours, yes, type Act, type Answer } from '../answers.ts'
import type { ThreadHandler } from '../commands-start.ts'
import type { Bare } from '../facts.ts'
import type { Office } from '../office.ts'
import { mayRead } from '../records/access.ts'
import { relatedText, type Related } from '../threads.ts'

/** `#12` or `ticket:5`; `here`: the conversation it was typed in. */
async function related(o: Office, by: Bare, typed: string | undefined, here: number | undefined): Promise<Related | undefined | Answer> {
  const m = /^(#|chat:|ticket:)(\d{1,9})$/i.exec(typed ?? '')
  if (typed !== undefined && typed !== '' && !m) return no('About what? #12 or ticket:5.')
  const r: Related | undefined = m ? { kind: m[1]?.toLowerCase() === 'ticket:' ? 'ticket' : 'conversation', number: Number(m[2]) } : here === undefined ? undefined : { kind: 'conversation', number: here }
  if (r?.kind === 'ticket' && !await o.filing.tickets.get(r.number)) return no(`There is no ticket ${r.number}.`)
  if (r?.kind === 'conversation') {
    const s = await o.book.state(r.number)
    if (s.is === 'absent' || (!mayRead(o, by, s) && !o.threads.reviews(by, r.number))) return no(`There is no conversation #${r.number} that you could see.`)
  }
  return r
}

export const THREAD_ACTS: Readonly<Record<ThreadHandler, Act>> = {
  async im(o, c) {
    let text = (c.args['text'] ?? '').trim()
    let about = c.args['related']
    const first = /^(#\d{1,9}|ticket:\d{1,9})\s+(?=\S)/i.exec(text)
    if (about === undefined && first) { about = first[1]; text = text.slice(first[0].length) }
    if (text === '') return no('Write what you want to say first: !im WHO TEXT.')
    const who: Bare[] = []
    for (const name of (c.args['who'] ?? '').split(',').filter(Boolean)) {
      const found = colleague(o, name)
      if (isAnswer(found)) return found
      if (found === c.by) return no('That is you.')
      if (!o.operators.may(found, 'chat.with.agents')) return notYours(`${o.operators.name(found)} may not chat with agents.`)
      who.push(found)
    }
    const r = await related(o, c.by, about, c.here)
    if (isAnswer(r) && 'ok' in r) return r
    const t = await o.talk(c.by, who, text, r as Related | undefined, c.id) // it is no answer
    const tag = relatedText(t.related)
    const waits = who.filter(w => t.members[w] === 'asked').map(w => o.operators.name(w))
    return yes(`im${t.n}@${o.domain}: ${who.map(w => o.operators.name(w)).join(', ')}${tag === '' ? '' : ` · ${tag}`}. Write on to that address${waits.length > 0 ? `; ${waits.join(', ')} ${waits.length === 1 ? 'has' : 'have'} still to accept` : ''}.`)
  },
  ims(o, c) {
    const all = o.threads.of(c.by).slice(0, 50)
    return yes(all.length === 0 ? 'There are none.' : all.map(t => `im${t.n}@${o.domain} · ${new Date(t.last).toISOString().slice(0, 16).replace('T', ' ')} · ${o.operators.name(t.lastBy)} · with ${Object.entries(t.members).filter(([j]) => j !== c.by).map(([j, as]) => `${o.operators.name(j)}${as === 'asked' ? ' (asked)' : as === 'out' ? ' (passed)' : ''}`).join(', ')}${t.related ? ` · ${relatedText(t.related)}` : ''}`).join('\n'))
  },
  colleagues(o, c) {
    const all = o.operators.all().filter(p => p.jid !== c.by).map(p => ({ name: o.operators.name(p.jid), here: o.operators.operator(p.jid).devices.length > 0 && o.operators.record(p.jid).intake.invisible !== 'all' }))
    const sorted = all.sort((a, b) => Number(b.here) - Number(a.here) || a.name.localeCompare(b.name))
    return yes(sorted.length === 0 ? 'You are alone.' : sorted.map(p => `${p.name}: ${p.here ? 'logged in' : 'offline'}`).join('\n'))
  },
}
