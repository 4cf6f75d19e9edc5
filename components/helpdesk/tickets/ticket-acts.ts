// What is done with tickets themselves, for all ways in: listed, shown, changed, merged, split (SEC-D20, ST-104; shell).
import { randomUUID } from 'node:crypto'
import { noQueue } from '../acts/handing-on.ts'
import { nameOf } from '../acts/marks.ts'
import { isAnswer, no, unknown, yes, type Act, type Answer, type Call } from '../answers.ts'
import { queueName } from '../config.ts'
import type { Bare } from '../facts.ts'
import type { Office } from '../office.ts'
import { maySeeTicket } from '../records/access.ts'
import { short } from '../sentences.ts'
import { queueMeant } from '../words.ts'
import type { Article, Ticket } from './port.ts'
import type { TicketHandler } from './ticket-commands.ts'

const SHOWN = 20 // in an answer to a command
const PAGE = 200
const LOOK = 25 // pages that one list looks through
const ARTICLE = 300 // characters of each that are shown
const ARTICLES = 50 // of one ticket that are shown
const HEAD = 250 // characters of a subject or a status

const noTicket = (n: string | number): Answer => unknown(`There is no ticket ${n}.`)
const numberIn = (c: Call, field: string): number => Number((c.args[field] ?? '').replace('#', ''))
const moment = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/** The ticket of that number, if he may see it. */
export async function seenTicket(o: Office, by: Bare, n: number): Promise<Ticket | undefined> {
  const t = Number.isSafeInteger(n) && n > 0 ? await o.filing.tickets.get(n) : undefined
  return t && maySeeTicket(o, by, t.queue) ? t : undefined
}

export type SplitOutcome = { readonly number: number } | { readonly wrong: string; readonly missing?: true }
/** Puts these articles, named by their ids, into a new ticket; or says why not. */
export async function splitOff(o: Office, number: number, articles: readonly string[], subject: string, key: string): Promise<SplitOutcome> {
  const outcome = await o.filing.tickets.split(number, { articles: [...new Set(articles)], subject: short(subject, HEAD), key, at: o.now })
  switch (outcome) {
    case 'missing': return { wrong: `There is no ticket ${number} that could be split.`, missing: true }
    case 'unknown': return { wrong: `Ticket ${number} has not all of these articles.` }
    case 'all': return { wrong: `One article must stay in ticket ${number}.` }
    case 'elsewhere': return { wrong: 'Tickets are kept in another system: split it there.' }
    default: return { number: outcome }
  }
}

const asked = async (o: Office, c: Call, field = 'ticket'): Promise<Ticket | Answer> => await seenTicket(o, c.by, numberIn(c, field)) ?? noTicket(short(c.args[field] ?? '', 20))

async function changed(o: Office, c: Call, what: 'status' | 'subject'): Promise<Answer> {
  const t = await asked(o, c)
  if (isAnswer(t)) return t
  const value = (c.args[what] ?? '').trim()
  if (value.length > HEAD) return no(`At most ${HEAD} characters, please.`)
  if (await o.filing.tickets.change(t.number, { [what]: value }) === 'missing') return noTicket(t.number)
  await o.records.audit.note({ by: c.by, what: 'changeTicket', on: `/tickets/${t.number}`, detail: [what] })
  return yes(`Ticket ${t.number}: ${what} ${what === 'status' ? value : `“${value}”`}.`)
}

const FAILED = 'It could not be written: the ticket system cannot be asked now.'
const article = (o: Office, c: Call): Article => ({ key: `typed-${randomUUID()}`, at: o.now, by: c.by, conversation: 0, body: c.args['text'] ?? '' })
/** Tickets may be kept in another system, which may fail; then undefined. */
async function written<T>(o: Office, work: () => Promise<T>): Promise<T | undefined> {
  try { return await work() } catch (error) {
    o.link.log.warn({ err: error }, 'a ticket could not be written')
    return undefined
  }
}

export const TICKET_ACTS: Readonly<Record<TicketHandler, Act>> = {
  async tickets(o, c) {
    const words = (c.args['words'] ?? '').toLowerCase().split(/\s+/).filter(w => w !== '')
    const found: string[] = []
    let isMore = true // behind what was looked at
    for (let before: number | undefined, pages = 0; pages < LOOK && found.length <= SHOWN; pages++) {
      const page = await o.filing.tickets.list({ before, limit: PAGE })
      for (const t of page) {
        if (found.length > SHOWN || !maySeeTicket(o, c.by, t.queue)) continue
        const line = `${t.number} · ${t.status ?? 'open'} · ${short(t.subject)}${t.customer === '' ? '' : ` (${t.customer})`}${t.queue === '' ? '' : ` · ${queueName(o.config, t.queue)}`}`
        if (words.every(w => line.toLowerCase().includes(w))) found.push(line)
      }
      isMore = page.length === PAGE
      if (!isMore) break
      before = page.at(-1)?.number
    }
    if (found.length > SHOWN) return yes([...found.slice(0, SHOWN), 'There are more: add a word.'].join('\n'))
    const older = isMore ? [`Older ones than the newest ${LOOK * PAGE} were not looked at; !ticketinfo NUMBER shows any.`] : []
    return yes([...(found.length > 0 ? found : [words.length > 0 ? 'There are no such tickets.' : 'There are no tickets.']), ...older].join('\n'))
  },

  async ticketInfo(o, c) {
    const t = await asked(o, c)
    if (isAnswer(t)) return t
    const head = [`Ticket ${t.number}: ${t.subject}`, t.status ?? 'open', ...(t.queue === '' ? [] : [queueName(o.config, t.queue)]), ...(t.customer === '' ? [] : [t.customer])]
    const lines = t.articles.map((a, i) => `${i + 1}. ${moment(a.at)} ${nameOf(o, a.by)}${a.conversation === 0 ? '' : `, #${a.conversation}`}: ${short(a.body, ARTICLE)}`)
    return yes([head.join(' · '), ...(lines.length > ARTICLES ? [`The last ${ARTICLES} of ${lines.length}:`] : []), ...lines.slice(-ARTICLES)].join('\n'))
  },

  async makeTicket(o, c) {
    const queue = queueMeant(c.args['queue'] ?? '') ?? (c.args['queue'] ?? '').toLowerCase()
    if (!o.hasQueue(queue)) return noQueue(o, queue)
    const subject = (c.args['subject'] ?? '').trim()
    if (subject.length > HEAD) return no(`At most ${HEAD} characters, please.`)
    const number = await written(o, () => o.filing.tickets.open({ subject, queue, customer: '' }, article(o, c)))
    if (number === undefined) return no(FAILED)
    await o.records.audit.note({ by: c.by, what: 'makeTicket', on: `/tickets/${number}`, detail: ['queue', 'subject', 'text'] })
    return yes(`Ticket ${number} is made, in ${queueName(o.config, queue)}.`)
  },
  async ticketNote(o, c) {
    const t = await asked(o, c)
    if (isAnswer(t)) return t
    const outcome = await written(o, () => o.filing.tickets.append(t.number, article(o, c)))
    if (outcome === undefined) return no(FAILED)
    if (outcome === 'missing') return noTicket(t.number)
    await o.records.audit.note({ by: c.by, what: 'addArticle', on: `/tickets/${t.number}`, detail: ['text'] })
    return yes(`It stands in ticket ${t.number}.`)
  },

  ticketStatus: (o, c) => changed(o, c, 'status'),
  ticketSubject: (o, c) => changed(o, c, 'subject'),

  async mergeTicket(o, c) {
    const [t, into] = [await asked(o, c), await asked(o, c, 'into')]
    if (isAnswer(t)) return t
    if (isAnswer(into)) return into
    if (t.number === into.number || await o.filing.tickets.merge(t.number, into.number) === 'missing') return no('A ticket cannot be merged into itself.')
    await o.records.audit.note({ by: c.by, what: 'mergeTicket', on: `/tickets/${t.number}`, detail: { into: into.number } })
    return yes(`Ticket ${t.number} is merged into ${into.number}.`)
  },

  async splitTicket(o, c) {
    const t = await asked(o, c)
    if (isAnswer(t)) return t
    const places = (c.args['articles'] ?? '').split(/[,\s]+/).filter(p => p !== '')
    const keys = places.flatMap(p => /^\d{1,6}$/.test(p) ? t.articles[Number(p) - 1]?.key ?? [] : [])
    if (keys.length < places.length) return no(`Which articles? Ticket ${t.number} has ${t.articles.length === 1 ? 'one' : `1 to ${t.articles.length}`}: !ticketinfo ${t.number} shows them.`)
    const done = await splitOff(o, t.number, keys, c.args['subject'] ?? '', `split-${randomUUID()}`)
    if ('wrong' in done) return done.missing ? unknown(done.wrong) : no(done.wrong)
    await o.records.audit.note({ by: c.by, what: 'splitTicket', on: `/tickets/${t.number}`, detail: { into: done.number, articles: keys.length } })
    return yes(`Ticket ${done.number} has ${keys.length === 1 ? 'one article' : `${keys.length} articles`} of ticket ${t.number} now.`)
  },
}
