// The desk's records: what can be found, who may see it, and when it goes (shell).
import type { Hit, Marks, SearchQuery } from '../../../server/api.ts'
import type { Bare, Present } from '../facts.ts'
import type { Ground } from '../ground.ts'
import { Presented } from '../identity/presented.ts'
import type { Bans } from '../intake/bans.ts'
import type { Summary } from '../past.ts'
import type { StandingRooms } from '../standing-rooms.ts'
import type { Tickets } from '../tickets/port.ts'
import { Printer } from '../transcripts/printer.ts'
import { Fetcher } from '../webhooks/fetcher.ts'
import { Teller } from '../webhooks/teller.ts'
import { mayRead, scope } from './access.ts'
import { Audit } from './audit.ts'
import { Card } from './card.ts'
import { Catalogue } from './catalogue.ts'
import { Erasure } from './erasure.ts'
import { Keeping } from './keeping.ts'
import { queryOf, type Wanted } from './finding.ts'

export type Found = { readonly items: readonly (Summary & { readonly weight: number })[]; readonly next: string | undefined } | { readonly wrong: string }

export class Records {
  readonly #o: Ground
  readonly catalogue: Catalogue
  readonly keeping: Keeping
  readonly erasure: Erasure
  readonly audit: Audit
  readonly card: Card
  readonly printer: Printer
  /** Absent until the desk runs. */
  hooks: Teller | undefined
  /** Errands to addresses that admins name. */
  fetcher: Fetcher
  constructor(ground: Ground, tickets: () => Tickets, bans: () => Bans, rooms: () => StandingRooms) {
    this.#o = ground
    this.fetcher = new Fetcher({ clock: ground.link.network ?? ground.link.clock })
    this.catalogue = new Catalogue(ground)
    this.keeping = new Keeping(ground, this)
    this.audit = new Audit(ground)
    this.card = new Card(ground, this.catalogue, tickets)
    this.printer = new Printer(ground.link.network ?? ground.link.clock)
    const { catalogue, keeping, card, printer } = this
    this.erasure = new Erasure(ground, { catalogue, keeping, card, printer, get tickets() { return tickets() }, bans, presented: new Presented(ground.link.stores.documents, ground.domain), rooms })
    this.catalogue.beside = async n => {
      const { subject, labels, resolutions, tasks, calls, fields } = await ground.dossiers.get(n)
      return { ...(subject === undefined ? {} : { subject }), labels, notes: [...resolutions, ...tasks, ...calls].map(x => x.text), fields: Object.fromEntries(Object.entries(fields).map(([k, f]) => [k, f.value])) }
    }
    ground.dossiers.onChange.push(n => this.catalogue.touch(n))
  }

  /** `allow`: networks that may be reached though they are not public. */
  async open(allow: readonly string[] = []): Promise<void> {
    this.fetcher = new Fetcher({ clock: this.#o.link.network ?? this.#o.link.clock, allow })
    this.hooks = await Teller.open(this.#o, this.fetcher)
    await this.audit.open()
    await this.catalogue.open()
    await this.keeping.open()
    await this.erasure.again()
  }
  async stop(): Promise<void> {
    await this.catalogue.stop()
    this.keeping.stop()
    await this.printer.close()
    await this.hooks?.close()
  }

  /** Conversations that fit, among those that the asker may see. */
  async find(by: Bare, wanted: Wanted): Promise<Found> {
    const found = await this.#o.link.stores.search.find(this.catalogue.space, queryOf(wanted, scope(this.#o, by)))
    if ('wrong' in found) return found
    const items = await Promise.all(found.hits.map(h => this.#hit(h, by, wanted.deleted)))
    return { items: items.filter(i => i !== undefined), next: found.next }
  }
  /** Those that have these marks, the newest first; none that is deleted. `within`: at least one of these, too. */
  async newest(where: Marks, limit: number, within?: readonly Marks[]): Promise<Summary[]> {
    await this.catalogue.flush()
    const all: Summary[] = []
    for (let after: string | undefined; all.length < limit;) {
      const found = await this.#o.link.stores.search.find(this.catalogue.space, { where: { ...where, deleted: false }, sort: 'newest', limit: Math.min(100, limit - all.length), ...(within ? { within } : {}), ...(after === undefined ? {} : { after }) })
      if ('wrong' in found) break
      for (const s of await Promise.all(found.hits.map(h => this.#o.summaries.get(Number(h.id))))) if (s && s.deleted === undefined) all.push(s)
      if (found.next === undefined) break
      after = found.next
    }
    return all
  }
  /** A page of those that have these marks, in an order, and how many there are in all; none that is deleted. */
  async page(where: Marks, q: Required<Pick<SearchQuery, 'sort' | 'limit'>> & { readonly after?: string | undefined }): Promise<{ readonly items: readonly Summary[]; readonly total: number; readonly next: string | undefined } | { readonly wrong: string }> {
    await this.catalogue.flush()
    const found = await this.#o.link.stores.search.find(this.catalogue.space, { where: { ...where, deleted: false }, count: true, sort: q.sort, limit: q.limit, ...(q.after === undefined ? {} : { after: q.after }) })
    if ('wrong' in found) return found
    const all = await Promise.all(found.hits.map(h => this.#o.summaries.get(Number(h.id))))
    return { items: all.filter(s => s !== undefined && s.deleted === undefined) as Summary[], total: found.total ?? 0, next: found.next } // the others are left out
  }

  async #hit(h: Hit, by: Bare, deleted: boolean): Promise<Summary & { weight: number } | undefined> {
    const n = Number(h.id)
    const summary = await this.#o.summaries.get(n)
    const live = this.#o.book.states.get(n)
    // Who saw it when it was written down may not see it any more.
    if (live && live.is !== 'absent' && !mayRead(this.#o, by, live)) return undefined
    return summary && (summary.deleted !== undefined) === deleted ? { ...summary, weight: h.weight } : undefined
  }

  /** A conversation that this one may see, none that is deleted. */
  async seen(by: Bare, n: number): Promise<Present | undefined> {
    const s = await this.#o.book.state(n)
    return s.is === 'absent' || s.deleted !== undefined || !mayRead(this.#o, by, s) ? undefined : s
  }
}
