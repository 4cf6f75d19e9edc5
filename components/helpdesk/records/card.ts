// What is known of one customer: details, comments, and what they did here, counted (shell).
import { randomBytes } from 'node:crypto'
import { queueName } from '../config.ts'
import { kindOf, type Customer } from '../customers.ts'
import type { Bare } from '../facts.ts'
import type { Ground } from '../ground.ts'
import { managerOf, priorityOf } from '../intake/wishes.ts'
import type { Summary } from '../past.ts'
import type { Tickets } from '../tickets/port.ts'
import type { Catalogue } from './catalogue.ts'

/** What agents, programs or the customer filled in; null: not known. */
export interface Details {
  readonly timeZone: string | null
  readonly language: string | null
  readonly website: string | null
  readonly phones: readonly string[]
  readonly address: string | null
  readonly avatar: string | null
  readonly avatarApproved: boolean | null
  readonly subscribed: boolean | null
}
export interface Comment { readonly id: string; readonly at: number; readonly by: Bare; readonly text: string }
interface Kept { readonly details: Partial<Details>; readonly comments: readonly Comment[]; readonly fields: Readonly<Record<string, string>> }

export const NOTHING_KNOWN: Details = { timeZone: null, language: null, website: null, phones: [], address: null, avatar: null, avatarApproved: null, subscribed: null }
const COLLECTION = 'desk-customer-cards'
const EMPTY: Kept = { details: {}, comments: [], fields: {} }
const DAY = 86_400_000
const SPANS = { last7: 7, last30: 30, last90: 90, all: Infinity } as const
const PAGE = 100
const MOST = 1000 // conversations of one person that are looked at
const COMMENTS = 500

type Under = Pick<Ground, 'book' | 'config' | 'dossiers' | 'summaries' | 'link' | 'domain' | 'now' | 'rules' | 'operators'>

export class Card {
  readonly #o: Under
  readonly #catalogue: Pick<Catalogue, 'space'>
  readonly #tickets: () => Tickets
  constructor(ground: Under, catalogue: Pick<Catalogue, 'space'>, tickets: () => Tickets) { this.#o = ground; this.#catalogue = catalogue; this.#tickets = tickets }

  async #kept(id: string): Promise<{ value: Kept; version: number }> {
    const found = await this.#o.link.stores.documents.get<Kept>(COLLECTION, this.#o.domain, id)
    return { value: { ...EMPTY, ...found?.value }, version: found?.version ?? 0 }
  }
  async #change(id: string, change: (k: Kept) => Kept): Promise<void> {
    for (;;) {
      const { value, version } = await this.#kept(id)
      if (await this.#o.link.stores.documents.put(COLLECTION, this.#o.domain, id, change(value), version) !== 'conflict') return
    }
  }
  details(id: string, news: Partial<Details>): Promise<void> { return this.#change(id, k => ({ ...k, details: { ...k.details, ...news } })) }
  fields(id: string, news: Readonly<Record<string, string>>): Promise<void> { return this.#change(id, k => ({ ...k, fields: { ...k.fields, ...news } })) }
  comment(id: string, by: Bare, text: string): Promise<void> { return this.#change(id, k => ({ ...k, comments: [...k.comments, { id: randomBytes(3).toString('hex'), at: this.#o.now, by, text }].slice(-COMMENTS) })) }
  async comments(id: string): Promise<readonly Comment[]> { return (await this.#kept(id)).value.comments }
  async forget(id: string): Promise<void> { await this.#o.link.stores.documents.remove(COLLECTION, this.#o.domain, id) }
  /** What the person may have a copy of: no agent's comments. */
  async own(id: string): Promise<object> { const { details, fields } = (await this.#kept(id)).value; return { ...NOTHING_KNOWN, ...details, fields } }

  /** Conversations of this customer, and of whoever gave the same mail address (ST-62); the newest first. */
  async conversations(c: Customer): Promise<Summary[]> {
    const numbers = new Set<number>()
    const { search } = this.#o.link.stores
    for (const where of [{ customer: c.id }, ...(c.email === undefined ? [] : [{ email: c.email }])]) {
      for (let after: string | undefined; numbers.size < MOST;) {
        const page = await search.find(this.#catalogue.space, { where: { ...where, deleted: false }, sort: 'newest', limit: PAGE, ...(after === undefined ? {} : { after }) })
        if ('wrong' in page) break
        for (const h of page.hits) numbers.add(Number(h.id))
        after = page.next
        if (after === undefined) break
      }
    }
    const all = await Promise.all([...numbers].sort((a, b) => b - a).map(n => this.#o.summaries.get(n)))
    return all.filter(s => s !== undefined && s.deleted === undefined) as Summary[] // the others are left out
  }

  /** Everything that is known (ST-59 to ST-63, ST-103 to ST-107), of conversations those that `may` lets through. Times in ms since 1970. */
  async of(c: Customer, may: (s: Summary) => boolean) {
    const { value } = await this.#kept(c.id)
    const chats = (await this.conversations(c)).filter(may)
    const { dossiers, book, config } = this.#o
    const beside = await Promise.all(chats.map(async s => ({ s, d: await dossiers.get(s.number) })))
    const held = (await Promise.all(chats.map(async s => (await this.#tickets().of(s.number)).flatMap(t => t.articles.some(a => a.conversation === s.number) ? [t.number] : [])))).flat() // where it was merged into, or split off to
    const ticketNumbers = [...new Set([...held, ...chats.flatMap(s => s.ticket === undefined ? [] : [s.ticket]), ...beside.flatMap(({ d }) => d.items.flatMap(i => i.kind === 'ticket' && /^\d+$/.test(i.ref) ? [Number(i.ref)] : []))])]
    const tickets = (await Promise.all(ticketNumbers.map(n => this.#tickets().get(n)))).filter(t => t !== undefined)
    const calls = beside.flatMap(({ s, d }) => d.calls.map(call => ({ ...call, group: queueName(config, s.queue), conversation: s.number })))
    const times = beside.flatMap(({ s, d }) => d.times.map(t => ({ ...t, conversation: s.number })))
    const surveys = beside.flatMap(({ s, d }) => d.survey ? [{ name: 'Satisfaction', completed: d.survey.at, conversation: s.number, score: d.survey.rating, text: d.survey.text }] : [])
    const forms = beside.flatMap(({ s, d }) => {
      const given = Object.entries(d.fields).filter(([, f]) => f.by === 'customer')
      return given.length === 0 ? [] : [{ name: 'Before the chat', completed: Math.max(...given.map(([, f]) => f.at)), conversation: s.number, fields: Object.fromEntries(given.map(([k, f]) => [k, f.value])) }]
    })
    const waits = new Map(await Promise.all(chats.map(async s => [s.number, await waited(book.history(s.number))] as const)))
    const count = (all: readonly { readonly at: number }[]): Record<keyof typeof SPANS, number> =>
      Object.fromEntries(Object.entries(SPANS).map(([name, days]) => [name, all.filter(x => x.at >= this.#o.now - days * DAY).length])) as Record<keyof typeof SPANS, number> // of the keys of SPANS
    return {
      id: c.id, name: c.name, jid: c.jid, email: c.email ?? null, manager: managerOf(this.#o, c) ?? null, priority: priorityOf(c) ?? null, authentication: c.bridged ? (c.verified ? 'signed by the site' : 'none') : c.guest === true ? 'none' : 'XMPP account', roles: [kindOf(c)], page: c.page ?? null,
      ...NOTHING_KNOWN, ...value.details, fields: value.fields, comments: value.comments,
      tickets: tickets.map(t => ({ number: t.number, subject: t.subject, status: t.status ?? 'open', messages: t.articles.length, agent: t.articles.at(-1)?.by ?? null, opened: t.opened })),
      chats: chats.map(s => ({ number: s.number, state: s.state, group: queueName(config, s.queue), started: s.opened, queueTime: waits.get(s.number) ?? null, agent: s.owners.at(-1) ?? null, ticket: s.ticket ?? null })),
      calls, times, surveys, forms,
      statistics: { chats: count(chats.map(s => ({ at: s.opened }))), tickets: count(tickets.map(t => ({ at: t.opened }))), calls: count(calls), timeLogs: count(times) },
      history: { lastLogin: c.seen ?? null, lastTicket: latest(tickets.map(t => t.opened)), lastChat: latest(chats.map(s => s.opened)) },
    }
  }
}

const latest = (all: readonly number[]): number | null => all.length === 0 ? null : Math.max(...all)
/** Seconds in the queue until it was taken the first time; undefined: it never was. */
async function waited(history: Promise<readonly { readonly type: string; readonly at: number }[]>): Promise<number | undefined> {
  const events = await history
  const taken = events.find(e => e.type === 'accepted' || e.type === 'taken')
  const opened = events[0]
  return taken && opened ? Math.round((taken.at - opened.at) / 1000) : undefined
}
