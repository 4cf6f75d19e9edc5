// One short record for each conversation there ever was, for lists: written after its log, and never asked for the truth (shell).
import type { DocumentStore } from '../../server/api.ts'
import type { Bare, State } from './facts.ts'

/** A conversation as lists show it. Times in ms since 1970. */
export interface Summary {
  readonly number: number
  readonly state: 'waiting' | 'offered' | 'active' | 'ended' | 'closed'
  readonly queue: string
  readonly customer: string
  readonly customerId: string
  readonly owners: readonly Bare[]
  readonly opened: number
  readonly closed?: number
  readonly ticket?: number
}
const COLLECTION = 'desk-conversations'
const LOOK_AT_MOST = 1000

export class Past {
  readonly #documents: DocumentStore
  readonly #desk: string
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  async note(n: number, s: State, customer: string): Promise<void> {
    if (s.is === 'absent') return
    const summary: Summary = {
      number: n, state: s.is, queue: s.queue, customer, customerId: s.customer, owners: s.owners, opened: s.opened,
      ...(s.is === 'closed' ? { closed: s.at } : {}), ...(s.filing?.ticket === undefined ? {} : { ticket: s.filing.ticket }),
    }
    await this.#documents.put(COLLECTION, this.#desk, key(n), summary)
  }
  async get(n: number): Promise<Summary | undefined> { return (await this.#documents.get<Summary>(COLLECTION, this.#desk, key(n)))?.value }

  async newest(page: { before?: number | undefined; limit: number }): Promise<Summary[]> {
    const found = await this.#documents.range<Summary>(COLLECTION, this.#desk, { limit: page.limit, reverse: true, ...(page.before === undefined ? {} : { before: key(page.before) }) })
    return found.map(f => f.value)
  }
  async of(jid: Bare, limit: number): Promise<Summary[]> {
    const found = await this.newest({ limit: LOOK_AT_MOST })
    return found.filter(s => s.owners.includes(jid)).slice(0, limit)
  }
}
const key = (n: number): string => String(n).padStart(10, '0')
