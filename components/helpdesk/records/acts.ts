// What commands do with the desk's records: finding, deleting, transcripts (shell).
import { isAnswer, mine, no, notYours, refused, yes, meant, type Act, type Answer, type Call } from '../answers.ts'
import { queueName } from '../config.ts'
import type { Customer } from '../customers.ts'
import { Refused, type Bare, type Present } from '../facts.ts'
import type { Office } from '../office.ts'
import { readWanted } from './finding.ts'
import { mailTranscript } from './recorded.ts'
import { queuesOf } from './access.ts'
import { isWords, translatedLine } from '../translate/translation.ts'

const MOST = 20 // in an answer to a command
export const NOWHERE = 'There is no web address to fetch it from.'
/** Where what was laid down under this key is fetched. */
export const exportAt = (o: Office, key: string): string => `${o.link.privileges?.accounts?.connection().bosh?.replace(/^(https?:\/\/[^/]+).*/, '$1') ?? ''}/api/v1/exports/${key}`

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

  async delete(o, c) {
    const found = await theOne(o, c)
    if ('ok' in found) return found
    const { n, s } = found
    if (!o.operators.may(c.by, 'chat.delete', s.queue)) return notYours('You may not delete conversations.')
    const outcome = await o.records.keeping.delete(n, c.by)
    if (outcome instanceof Refused) return refused(o, outcome)
    await o.records.audit.note({ by: c.by, what: 'deleteConversation', on: `#${n}` })
    return yes(`#${n} is deleted; it is purged after ${o.rules.now.retention.purgeAfter} days.`)
  },

  async pdf(o, c) {
    const found = await theOne(o, c)
    if ('ok' in found) return found
    if (o.link.http === undefined) return no(NOWHERE)
    const { key } = await o.records.erasure.link({ n: found.n })
    return yes(`The transcript of #${found.n}, to be fetched once within a day: ${exportAt(o, key)}`, found.n)
  },

  async mail(o, c) {
    const found = await theOne(o, c)
    if ('ok' in found) return found
    const sent = await mailTranscript(o, found.n, found.s, c.args['to'])
    return 'to' in sent ? yes(`The transcript of #${found.n} is mailed to ${sent.to}.`, found.n) : sent.status === 403 ? notYours(sent.wrong) : no(sent.wrong)
  },

  async translate(o, c) {
    const found = await theOne(o, c)
    if ('ok' in found) return found
    const newest = (await o.lines.all(found.n, found.s.lines)).findLast(isWords)
    if (!newest) return no('The customer has written nothing.')
    const to = c.args['language'] ?? o.translation.languageOf(c.by)
    const t = await o.translation.translate(newest.body, to)
    return t.is === 'translated' ? yes(translatedLine(t, to), found.n) : no(t.because)
  },
} satisfies Record<string, Act>

/** The conversation that is named, or the one he is in; closed ones, too. */
async function theOne(o: Office, c: Call): Promise<{ n: number; s: Present } | Answer> {
  const n = c.n ?? c.here ?? meant(o, c, mine(c.by), 'You are in no conversation; give a number.')
  if (isAnswer(n)) return n
  const s = await o.records.seen(c.by, n)
  return s ? { n, s } : no(`There is no conversation #${n} that you could see.`)
}

/** What `!who` tells of the customer besides the name. */
export async function cardLines(o: Office, by: Bare, customer: Customer): Promise<string[]> {
  const card = await o.records.card.of(customer, s => o.operators.may(by, 'chat.view.others', s.queue) || s.owners.includes(by))
  const { email, manager, timeZone, language, website, phones, address, fields, comments, tickets, chats, calls } = card
  const facts = [email, ...phones, website, address, language, timeZone].filter(x => x !== null)
  const known = ([[chats.length, 'conversation'], [tickets.length, 'ticket'], [calls.length, 'call']] as const).filter(([n]) => n > 0)
  return [
    ...(facts.length > 0 ? [facts.join(' · ')] : []), ...(manager === null ? [] : [`Account manager: ${o.operators.name(manager)}`]), ...Object.entries(fields).map(([name, value]) => `${o.rules.now.fields[name]?.label ?? name}: ${value}`),
    ...(known.length > 0 ? [known.map(([n, what]) => `${n} ${what}${n === 1 ? '' : 's'}`).join(', ')] : []),
    ...comments.slice(-3).map(x => `${o.operators.name(x.by)}: ${x.text}`),
  ]
}
