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
  readonly messages?: number
  /** ms in the queue. */
  readonly waited?: number
  /** The last line of an agent. */
  readonly answered?: number
  readonly followUp?: boolean
  readonly ticket?: number
  readonly deleted?: number
}
const COLLECTION = 'desk-conversations'
const DELETED = 'desk-deleted'

export class Past {
  readonly #documents: DocumentStore
  readonly #desk: string
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  async note(n: number, s: State, customer: string): Promise<void> {
    if (s.is === 'absent') return
    if (s.deleted !== undefined) await this.#documents.remove(COLLECTION, this.#desk, key(n))
    if (s.purged !== undefined) { await this.#documents.remove(DELETED, this.#desk, key(n)); return }
    const summary: Summary = {
      number: n, state: s.is, queue: s.queue, customer, customerId: s.customer, owners: s.owners, opened: s.opened, messages: s.messages, followUp: s.followUp !== undefined, ...(s.waited === undefined ? {} : { waited: s.waited }), ...(s.clocks.idle === undefined ? {} : { answered: s.clocks.idle }),
      ...(s.is === 'closed' ? { closed: s.at } : {}), ...(s.filing?.ticket === undefined ? {} : { ticket: s.filing.ticket }), ...(s.deleted === undefined ? {} : { deleted: s.deleted }),
    }
    await this.#documents.put(s.deleted === undefined ? COLLECTION : DELETED, this.#desk, key(n), summary)
  }
  /** Deleted ones, too. */
  async get(n: number): Promise<Summary | undefined> { return (await this.#documents.get<Summary>(COLLECTION, this.#desk, key(n)) ?? await this.#documents.get<Summary>(DELETED, this.#desk, key(n)))?.value }
  async deleted(page: { after?: number | undefined; limit: number }): Promise<Summary[]> {
    return (await this.#documents.range<Summary>(DELETED, this.#desk, { limit: page.limit, ...(page.after === undefined ? {} : { after: key(page.after) }) })).map(f => f.value)
  }
  /** Those that were begun first. */
  async oldest(page: { after?: number | undefined; limit: number }): Promise<Summary[]> {
    return (await this.#documents.range<Summary>(COLLECTION, this.#desk, { limit: page.limit, ...(page.after === undefined ? {} : { after: key(page.after) }) })).map(f => f.value)
  }

  async newest(page: { before?: number | undefined; limit: number }): Promise<Summary[]> {
    const found = await this.#documents.range<Summary>(COLLECTION, this.#desk, { limit: page.limit, reverse: true, ...(page.before === undefined ? {} : { before: key(page.before) }) })
    return found.map(f => f.value)
  }
}
const key = (n: number): string => String(n).padStart(10, '0')
