// What commands do with the desk's records: finding (shell).
import { no, yes, type Act } from '../answers.ts'
import { queueName } from '../config.ts'
import { readWanted } from './finding.ts'
import { queuesOf } from './access.ts'

const MOST = 20 // in an answer to a command

export const RECORD_ACTS = {
  async find(o, c) {
    const { departments, fields } = o.rules.now
    const q = new URLSearchParams()
    const words: string[] = []
    for (const word of (c.args['words'] ?? '').match(/"[^"]*"|\S+/g) ?? []) {
      const m = /^(number|email|name|username|since|until|department|group|queue|agent|status|label|deleted|sort|field\.[\w.-]+):(.+)$/i.exec(word)
      if (m?.[1] && m[2]) q.set(m[1].startsWith('field.') ? m[1] : m[1].toLowerCase(), m[1] === 'agent' && m[2] === 'me' ? c.by : m[2].replaceAll('"', ''))
      else words.push(word)
    }
    q.set('q', words.join(' '))
    q.set('limit', String(MOST))
    const wanted = readWanted(q, name => departments[name] && queuesOf(o, [name]), name => fields[name] !== undefined)
    if ('wrong' in wanted) return no(wanted.wrong)
    if (wanted.deleted && !o.operators.may(c.by, 'chat.delete')) return no('You may not look among deleted conversations.')
    const found = await o.records.find(c.by, wanted)
    if ('wrong' in found) return no(found.wrong)
    if (found.items.length === 0) return yes('Nothing is found.')
    return yes([...found.items.map(i => `#${i.number} (${i.customer}) · ${queueName(o.config, i.queue)} · ${i.state} · ${new Date(i.opened).toISOString().slice(0, 10)}`), ...(found.next === undefined ? [] : ['There are more: add a word.'])].join('\n'))
  },
} satisfies Record<string, Act>
