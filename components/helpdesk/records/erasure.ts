// One person's right to a copy and to be forgotten: everything of them goes at once, and what went is proved by counts (shell).
import { createHash, randomBytes } from 'node:crypto'
import type { LedgerEvent } from '../assignment.ts'
import type { Customer } from '../customers.ts'
import type { Bare } from '../facts.ts'
import type { Ground } from '../ground.ts'
import { forgetLeft } from '../intake/offline.ts'
import type { Tickets } from '../tickets/port.ts'
import type { Printer } from '../transcripts/printer.ts'
import type { Card } from './card.ts'
import type { Catalogue } from './catalogue.ts'
import type { Keeping } from './keeping.ts'
import { recordedOf } from './recorded.ts'

type Under = Pick<Ground, 'book' | 'lines' | 'customers' | 'operators' | 'dossiers' | 'summaries' | 'rules' | 'config' | 'link' | 'domain' | 'mail' | 'now' | 'idle'>
/** What else knows of a person. */
interface With { readonly catalogue: Pick<Catalogue, 'space'>; readonly keeping: Pick<Keeping, 'purge'>; readonly card: Pick<Card, 'forget' | 'own'>; readonly printer: Pick<Printer, 'pdf'>; readonly tickets: Tickets }

const ERASURES = 'desk-erasures'
const EXPORTS = 'desk-exports'
const PAGE = 500
const LIFE = 86_400_000 // ms of a link to a copy

/** What went, by kind; `left` = what a second look still found: 0. */
export interface Erased { readonly id: string; readonly at: number; readonly person: string; readonly counts: Readonly<Record<string, number>>; readonly left: number; readonly proof: string }

export class Erasure {
  readonly #o: Under
  readonly #with: With
  constructor(ground: Under, beside: With) { this.#o = ground; this.#with = beside }

  /** Every conversation the ledger ever gave this customer, whatever the index says. */
  async numbers(customer: string): Promise<number[]> {
    const { events } = await this.#o.link.stores.events.load<LedgerEvent>(`${this.#o.domain}/assignment`)
    return events.flatMap(e => e.type === 'numbered' && e.customer === customer ? [e.n] : [])
  }

  /** Erases a customer: open conversations end. Undefined: there is no such customer. */
  async erase(id: string, by: Bare): Promise<Erased | undefined> {
    const { customers, book, link, domain, mail } = this.#o
    const customer = await customers.byId(id)
    if (!customer) return undefined
    const counts: Record<string, number> = { conversations: 0, lines: 0, dossiers: 0, hooks: 0, articles: 0, archived: 0, messages: 0, mails: 0, customers: 0 }
    const add = (kind: string, n: number): void => { counts[kind] = (counts[kind] ?? 0) + n }
    const numbers = await this.numbers(id)
    for (const n of numbers) {
      if ((await book.state(n)).is === 'absent') continue
      await book.give(n, { do: 'close', by: 'desk', force: true })
      await book.give(n, { do: 'delete', by: 'desk' })
      const removed = await this.#with.keeping.purge(n)
      for (const [kind, went] of Object.entries(removed)) add(kind, went)
      add('articles', await this.#with.tickets.forget(n))
      add('archived', await this.#unarchive(n))
      add('conversations', 1)
    }
    await this.#o.idle()
    if (customer.email !== undefined) add('mails', await mail?.forget(customer.email) ?? 0)
    add('messages', await forgetLeft(this.#o, m => m.visitor === customer.jid || (customer.email !== undefined && m.email.toLowerCase() === customer.email.toLowerCase())))
    add('customers', await customers.remove(id))
    await this.#with.card.forget(id)
    const left = await this.#left(id, numbers)
    const record = { id: randomBytes(8).toString('hex'), at: this.#o.now, person: hash(customer.jid), counts, left }
    const erased: Erased = { ...record, proof: hash(JSON.stringify(record)) }
    await link.stores.documents.put(ERASURES, domain, erased.id, { ...erased, by, customer: id })
    return erased
  }

  /** After a start on an older store that was brought back: who was erased since goes again. Gives how many. */
  async again(): Promise<number> {
    let gone = 0
    for (let after: string | undefined; ;) {
      const page = await this.#o.link.stores.documents.range<{ customer: string; by: Bare }>(ERASURES, this.#o.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { value } of page) if (await this.#o.customers.byId(value.customer) && await this.erase(value.customer, value.by)) gone++
      after = page.at(-1)?.id
      if (page.length < PAGE) return gone
    }
  }

  /** Takes a conversation out of the archives of those who were in it, or were asked: its window, its internal chats, what the bot said of it. */
  async #unarchive(n: number): Promise<number> {
    const { archive } = this.#o.link.stores
    const { domain, book, operators } = this.#o
    const history = await book.history(n)
    const chats = history.flatMap(e => e.type === 'invited' ? [`i${n}-${e.id}@${domain}`] : [])
    const opened = history[0]?.at ?? 0
    const mentioned = new RegExp(`#${n}(?!\\d)`)
    let gone = 0
    for (const { jid } of operators.all()) {
      for (const peer of [`c${n}@${domain}`, ...chats, `desk@${domain}`]) {
        const bot = peer.startsWith('desk@')
        for (let afterId: string | undefined; ;) {
          const { rows, complete } = await archive.query({ owner: jid, with: peer, limit: PAGE, ...(bot ? { start: opened } : {}), ...(afterId === undefined ? {} : { afterId }) })
          const mine = rows.filter(r => !bot || mentioned.test(r.stanza)).map(r => r.id)
          if (mine.length > 0) gone += await archive.remove(jid, mine)
          afterId = rows.at(-1)?.id
          if (complete) break
        }
      }
    }
    return gone
  }

  async #left(id: string, numbers: readonly number[]): Promise<number> {
    const { lines, customers, link } = this.#o
    let left = await customers.byId(id) ? 1 : 0
    for (const n of numbers) left += (await lines.after(n, 0, 1)).length + (await this.#o.summaries.get(n) ? 1 : 0)
    const found = await link.stores.search.find(this.#with.catalogue.space, { where: { customer: id }, limit: 100 })
    return left + ('wrong' in found ? 0 : found.hits.length)
  }

  /** Makes a copy that can be fetched once, within a day. Undefined: there is no such customer. */
  async offer(id: string): Promise<{ readonly key: string; readonly until: number } | undefined> {
    return await this.#o.customers.byId(id) ? this.link({ id }) : undefined
  }
  /** The secret part of an address under which a customer's copy or a conversation's transcript lies once, for a day. */
  async link(to: { readonly id: string } | { readonly n: number }): Promise<{ readonly key: string; readonly until: number }> {
    const key = randomBytes(32).toString('base64url')
    const until = this.#o.now + LIFE
    await this.#o.link.stores.documents.put(EXPORTS, this.#o.domain, hash(key), { ...to, until })
    return { key, until }
  }
  /** What lies behind a key, once: a customer's copy, or the bytes of a transcript as PDF. */
  async fetch(key: string): Promise<object | Uint8Array | undefined> {
    const { documents } = this.#o.link.stores
    const found = await documents.get<{ id?: string; n?: number; until: number }>(EXPORTS, this.#o.domain, hash(key))
    if (!found || await documents.remove(EXPORTS, this.#o.domain, hash(key), found.version) !== 'ok' || found.value.until < this.#o.now) return undefined
    const { id, n } = found.value
    if (n !== undefined) {
      const s = await this.#o.book.state(n)
      const pdf = s.is === 'absent' || s.deleted !== undefined ? undefined : await this.#with.printer.pdf(await recordedOf(this.#o, n, s))
      return pdf === 'busy' ? undefined : pdf
    }
    const customer = id === undefined ? undefined : await this.#o.customers.byId(id)
    return customer && this.copy(customer)
  }

  /** Everything the person said and heard, and what is known of them; nothing that agents said among themselves. */
  async copy(customer: Customer): Promise<object> {
    const conversations: object[] = []
    for (const n of await this.numbers(customer.id)) {
      const s = await this.#o.book.state(n)
      if (s.is === 'absent' || s.purged !== undefined) continue
      const lines = (await this.#o.lines.all(n, s.lines)).filter(l => l.as === 'public')
      conversations.push({ number: n, queue: s.queue, opened: iso(s.opened), closed: s.is === 'closed' ? iso(s.at) : null, lines: lines.map(l => ({ at: iso(l.at), from: l.by === 'customer' ? 'you' : l.name, text: l.body })) })
    }
    const { name, jid, email, page } = customer
    return { made: iso(this.#o.now), person: { name, jid, email: email ?? null, page: page ?? null, ...await this.#with.card.own(customer.id) }, conversations }
  }
}

const iso = (at: number): string => new Date(at).toISOString()
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
