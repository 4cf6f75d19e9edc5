// The desk's records: what can be found, who may see it, and when it goes (shell).
import type { Hit } from '../../../server/api.ts'
import type { Bare, Present } from '../facts.ts'
import type { Office } from '../office.ts'
import type { Summary } from '../past.ts'
import { mayRead, scope } from './access.ts'
import { Catalogue } from './catalogue.ts'
import { queryOf, type Wanted } from './finding.ts'

export type Found = { readonly items: readonly (Summary & { readonly weight: number })[]; readonly next: string | undefined } | { readonly wrong: string }

export class Records {
  readonly #o: Office
  readonly catalogue: Catalogue
  constructor(office: Office) {
    this.#o = office
    this.catalogue = new Catalogue(office)
  }

  async open(): Promise<void> { await this.catalogue.open() }
  stop(): void { this.catalogue.stop() }

  /** Conversations that fit, among those that the asker may see. */
  async find(by: Bare, wanted: Wanted): Promise<Found> {
    const found = await this.#o.link.stores.search.find(this.catalogue.space, queryOf(wanted, scope(this.#o, by)))
    if ('wrong' in found) return found
    const items = await Promise.all(found.hits.map(h => this.#hit(h, by, wanted.deleted)))
    return { items: items.filter(i => i !== undefined), next: found.next }
  }
  async #hit(h: Hit, by: Bare, deleted: boolean): Promise<Summary & { weight: number } | undefined> {
    const n = Number(h.id)
    const summary = await this.#o.summary(n)
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
