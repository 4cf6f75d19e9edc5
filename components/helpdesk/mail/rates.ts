// How many mails somebody outside may cause: counted in the store, so that a restart forgives nobody (shell).
import type { DocumentStore } from '../../../server/api.ts'

const COLLECTION = 'desk-mail-rates'
const PAGE = 200
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export class Rates {
  readonly #documents: DocumentStore
  readonly #desk: string
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  /** Counts one more under this name if fewer than `most` were counted in the last `window` ms; else gives the moment from which one may be. */
  async take(name: string, most: number, window: number, now: number): Promise<'ok' | number> {
    if (most === Infinity) return 'ok'
    for (;;) {
      const found = await this.#documents.get<number[]>(COLLECTION, this.#desk, name)
      const recent = (found?.value ?? []).filter(t => t > now - window)
      if (recent.length >= most) return most === 0 ? now + window : (recent[recent.length - most] ?? now) + window
      if (await this.#documents.put(COLLECTION, this.#desk, name, [...recent, now], found?.version ?? 0) !== 'conflict') return 'ok'
    }
  }

  async forget(name: string): Promise<void> { await this.#documents.remove(COLLECTION, this.#desk, name) }

  /** Removes what is older than a day; gives how many names went. */
  async sweep(now: number): Promise<number> {
    let gone = 0
    let after: string | undefined
    for (;;) {
      const page = await this.#documents.range<number[]>(COLLECTION, this.#desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, version, value } of page) {
        if ((value.at(-1) ?? 0) <= now - DAY && await this.#documents.remove(COLLECTION, this.#desk, id, version) === 'ok') gone++
      }
      after = page.at(-1)?.id
      if (page.length < PAGE) return gone
    }
  }
}
