// One person's right to a copy and to be forgotten: everything of them goes at once, and what went is proved by counts (shell).
import { createHash, randomBytes } from 'node:crypto'
import type { LedgerEvent } from '../assignment.ts'
import type { Customer } from '../customers.ts'
import type { Bare } from '../facts.ts'
import type { Ground } from '../ground.ts'
import type { Presented } from '../identity/presented.ts'
import type { Bans } from '../intake/bans.ts'
import { isLeftBy, leftBy } from '../intake/offline.ts'
import type { StandingRooms } from '../standing-rooms.ts'
import type { Tickets } from '../tickets/port.ts'
import type { Printer } from '../transcripts/printer.ts'
import type { Card } from './card.ts'
import type { Catalogue } from './catalogue.ts'
import type { Keeping } from './keeping.ts'
import { isNamed, type Person } from './person.ts'
import { places, type Place } from './places.ts'
import { recordedOf } from './recorded.ts'

type Under = Pick<Ground, 'book' | 'lines' | 'customers' | 'operators' | 'threads' | 'dossiers' | 'summaries' | 'rules' | 'config' | 'link' | 'domain' | 'mail' | 'storage' | 'now' | 'idle' | 'onErased'>
/** What else knows of a person. */
interface With { readonly catalogue: Pick<Catalogue, 'space'>; readonly keeping: Pick<Keeping, 'purge'>; readonly card: Pick<Card, 'forget' | 'own'>; readonly printer: Pick<Printer, 'pdf'>; readonly tickets: Tickets; readonly bans: () => Pick<Bans, 'of' | 'remove'>; readonly presented: Pick<Presented, 'of'>; readonly rooms: () => Pick<StandingRooms, 'all' | 'takeBack'> }

const ERASURES = 'desk-erasures'
const EXPORTS = 'desk-exports'
const PAGE = 500
const LIFE = 86_400_000 // ms of a link to a copy

/** What went, by kind; `left` = what a second look still found: 0. */
export interface Erased { readonly id: string; readonly at: number; readonly person: string; readonly counts: Readonly<Record<string, number>>; readonly left: number; readonly proof: string }

export class Erasure {
  readonly #o: Under
  readonly #with: With
  /** Where else a person may be. */
  readonly #places: Readonly<Record<string, Place>>
  constructor(ground: Under, beside: With) { this.#o = ground; this.#with = beside; this.#places = places(ground, beside) }

  /** Every conversation the ledger ever gave this customer, whatever the index says. */
  async numbers(customer: string): Promise<number[]> {
    const { events } = await this.#o.link.stores.events.load<LedgerEvent>(`${this.#o.domain}/assignment`)
    return events.flatMap(e => e.type === 'numbered' && e.customer === customer ? [e.n] : [])
  }

  /** Erases a customer: open conversations end. Undefined: there is no such customer. A crash in the midst is made good at the next start. */
  async erase(id: string, by: Bare, record = randomBytes(8).toString('hex')): Promise<Erased | undefined> {
    const { customers, book, link, domain } = this.#o
    const customer = await customers.byId(id)
    if (!customer) return undefined
    const keep = (e: Erased | { readonly begun: number }): Promise<unknown> => link.stores.documents.put(ERASURES, domain, record, { ...e, by, customer: id })
    await keep({ begun: this.#o.now })
    const person = await this.#person(customer)
    const counts: Record<string, number> = { conversations: 0, lines: 0, files: 0, dossiers: 0, hooks: 0, articles: 0, customers: 0 }
    const add = (kind: string, n: number): void => { counts[kind] = (counts[kind] ?? 0) + n }
    for (const n of person.numbers) {
      if ((await book.state(n)).is === 'absent') continue
      await book.give(n, { do: 'close', by: 'desk', force: true })
      await book.give(n, { do: 'delete', by: 'desk' })
      const removed = await this.#with.keeping.purge(n)
      for (const [kind, went] of Object.entries(removed)) add(kind, went)
      add('articles', await this.#with.tickets.forget(n, text => isNamed(person, text)))
      add('conversations', 1)
    }
    await this.#o.idle()
    for (const [kind, place] of Object.entries(this.#places)) add(kind, await place(person, true))
    for (const f of this.#o.onErased) await f(customer.jid)
    await this.#with.card.forget(id)
    add('customers', await customers.remove(id))
    const made = { id: record, at: this.#o.now, person: hash(customer.jid), counts, left: await this.#left(person) }
    const erased: Erased = { ...made, proof: hash(JSON.stringify(made)) }
    await keep(erased)
    return erased
  }

  /** What was erased, with who asked for it. */
  async proofs(): Promise<(Erased & { readonly by: Bare })[]> {
    const all: (Erased & { readonly by: Bare })[] = []
    for (let after: string | undefined; ;) {
      const page = await this.#o.link.stores.documents.range<Erased & { readonly by: Bare; readonly customer?: string }>(ERASURES, this.#o.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { value: { id, at, person, counts, left, proof, by } } of page) if (proof !== undefined) all.push({ id, at, person, counts, left, proof, by })
      after = page.at(-1)?.id
      if (page.length < PAGE) return all
    }
  }

  /** What they are called, and what they said. */
  async #person(customer: Customer): Promise<Person> {
    const { book, lines, operators } = this.#o
    const numbers = await this.numbers(customer.id)
    const left = await leftBy(this.#o, isLeftBy(customer))
    const names = new Set([customer.name, ...left.map(m => m.name)])
    const said = new Set(left.map(m => m.body))
    for (const n of numbers) {
      const s = await book.state(n)
      if (s.is !== 'absent') for (const l of await lines.all(n, s.lines)) if (l.by === 'customer') { names.add(l.name); said.add(l.body) }
    }
    for (const { jid } of operators.all()) for (const name of names) if (name.toLowerCase() === operators.name(jid).toLowerCase()) names.delete(name)
    const emails = new Set([...customer.email === undefined ? [] : [customer.email], ...left.map(m => m.email)].map(e => e.toLowerCase()))
    return { customer, numbers: new Set(numbers), names: [...names], emails: [...emails], said: [...said] }
  }

  /** After a start: what was begun is done, and who was erased goes again where an older store was brought back. Gives how many. */
  async again(): Promise<number> {
    let gone = 0
    for (let after: string | undefined; ;) {
      const page = await this.#o.link.stores.documents.range<{ customer: string; by: Bare; begun?: number }>(ERASURES, this.#o.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) if (await this.#o.customers.byId(value.customer) && await this.erase(value.customer, value.by, value.begun === undefined ? undefined : id)) gone++
      after = page.at(-1)?.id
      if (page.length < PAGE) return gone
    }
  }

  /** What a second look still finds. */
  async #left(person: Person): Promise<number> {
    const { lines, customers, link } = this.#o
    const { id } = person.customer
    let left = await customers.byId(id) ? 1 : 0
    for (const place of Object.values(this.#places)) left += await place(person, false)
    for (const n of person.numbers) left += (await lines.after(n, 0, 1)).length + (await this.#o.summaries.get(n) ? 1 : 0)
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

  /** Everything the person said and heard, and what is known of them. Of what agents said among themselves, and of further copies, only how much there is. */
  async copy(customer: Customer): Promise<object> {
    const person = await this.#person(customer)
    const conversations: object[] = []
    const tickets: object[] = []
    for (const n of person.numbers) {
      const s = await this.#o.book.state(n)
      if (s.is === 'absent' || s.purged !== undefined) continue
      const lines = (await this.#o.lines.all(n, s.lines)).filter(l => l.as === 'public')
      const { source, files, fields, survey } = await this.#o.dossiers.get(n)
      conversations.push({
        number: n, queue: s.queue, opened: iso(s.opened), closed: s.is === 'closed' ? iso(s.at) : null, source: source ?? null,
        lines: lines.map(l => ({ at: iso(l.at), from: l.by === 'customer' ? 'you' : l.name, text: l.body })),
        files: files.map(f => ({ at: iso(f.at), name: f.name, url: f.url })), fields: Object.fromEntries(Object.entries(fields).map(([k, f]) => [k, f.value])), survey: survey ? { at: iso(survey.at), rating: survey.rating, text: survey.text } : null,
      })
      for (const t of await this.#with.tickets.of(n)) tickets.push({ number: t.number, subject: t.subject, opened: iso(t.opened), articles: t.articles.filter(a => a.conversation === n).map(a => ({ at: iso(a.at), text: a.body })) })
    }
    const messages = (await leftBy(this.#o, isLeftBy(customer))).map(m => ({ at: iso(m.at), queue: m.queue, name: m.name, email: m.email, page: m.page ?? null, text: m.body }))
    const beside: Record<string, number> = {}
    for (const [kind, place] of Object.entries(this.#places)) if (kind !== 'messages') beside[kind] = await place(person, false)
    const { name, jid, email, page, address, language, claims, seen } = customer
    return {
      made: iso(this.#o.now),
      person: { name, jid, email: email ?? null, page: page ?? null, address: address ?? null, browserLanguage: language ?? null, claims: claims ?? {}, seen: seen === undefined ? null : iso(seen), ...await this.#with.card.own(customer.id) },
      conversations, tickets, messages, beside,
    }
  }
}

const iso = (at: number): string => new Date(at).toISOString()
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
