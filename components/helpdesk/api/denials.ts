// Who tried what is not his: in the audit, each place once an hour, and so many of one operator that trying does not fill it (SEC-A02) (shell).
import type { HttpRequest } from '../../../server/api.ts'
import type { Office } from '../office.ts'
import type { Bare } from '../facts.ts'

const HOUR = 3600_000 // ms
const MOST = 20 // of one operator within an hour

export class Denials {
  readonly #o: Office
  readonly #of = new Map<Bare, { readonly since: number; readonly places: Set<string> }>()
  constructor(office: Office) { this.#o = office }

  /** Resolves when it is kept. */
  async note(r: HttpRequest, by: Bare): Promise<void> {
    const { now } = this.#o
    let mine = this.#of.get(by)
    if (!mine || mine.since <= now - HOUR) this.#of.set(by, mine = { since: now, places: new Set() })
    const place = `${r.method} ${r.path}`
    if (mine.places.has(place) || mine.places.size >= MOST) return
    mine.places.add(place)
    await this.#o.records.audit.note({ by, from: r.remote, what: 'denied', on: place })
  }
}
