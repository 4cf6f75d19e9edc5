// Whose token it is: the first visitor who shows one is the only one it serves (shell).
import { createHash } from 'node:crypto'
import type { DocumentStore } from '../../../server/api.ts'
import type { Identity } from './token.ts'

interface Seen { readonly visitor: string; readonly until: number }
const COLLECTION = 'desk-identity-tokens'
const PAGE = 200

export class Presented {
  readonly #documents: DocumentStore
  readonly #desk: string
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  /** Whether this visitor may use the token: yes the first time and for him again, no for anybody else. */
  async by(visitor: string, audience: string, token: string, identity: Identity): Promise<boolean> {
    const id = createHash('sha256').update(`${audience}\0${identity.id === undefined ? `token ${token}` : `id ${identity.id}`}`).digest('hex')
    const seen: Seen = { visitor, until: identity.until }
    if (await this.#documents.put(COLLECTION, this.#desk, id, seen, 0) !== 'conflict') return true
    return (await this.#documents.get<Seen>(COLLECTION, this.#desk, id))?.value.visitor === visitor
  }

  /** Counts what a visitor has shown, and forgets it if so told. */
  of(visitor: string, remove: boolean): Promise<number> { return this.#clear(s => s.visitor === visitor, remove) }
  /** For a daily job: lets go of tokens that have ended; gives how many. */
  sweep(now: number): Promise<number> { return this.#clear(s => s.until <= now, true) }

  async #clear(fits: (s: Seen) => boolean, remove: boolean): Promise<number> {
    let gone = 0
    for (let after: string | undefined; ;) {
      const page = await this.#documents.range<Seen>(COLLECTION, this.#desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) if (fits(value) && (!remove || await this.#documents.remove(COLLECTION, this.#desk, id) === 'ok')) gone++
      after = page.at(-1)?.id
      if (page.length < PAGE) return gone
    }
  }
}
