// Watches how fast each queue moves, for the estimate that those who wait are told (shell).
import type { Commit } from '../book.ts'
import { isQueued } from '../conversation.ts'
import type { Office, View } from '../office.ts'
import { minutesFor, paceAfter, type Pace } from './estimate.ts'

const COLLECTION = 'desk-paces'

export class Paces implements View {
  readonly #office: Office
  readonly #of = new Map<string, Pace>()
  constructor(office: Office) { this.#office = office }

  async open(): Promise<void> {
    for (const q of this.#office.config.queues.keys()) {
      const found = await this.#office.link.stores.documents.get<Pace>(COLLECTION, this.#office.domain, q)
      if (found) this.#of.set(q, found.value)
    }
  }

  onCommit({ before, after }: Commit): void {
    if (!isQueued(before) || after.is !== 'active') return
    const pace = paceAfter(this.#of.get(before.queue), before.place.since, this.#office.now)
    this.#of.set(before.queue, pace)
    this.#office.later(async () => { await this.#office.link.stores.documents.put(COLLECTION, this.#office.domain, before.queue, pace) })
  }

  /** Whole minutes until it is the turn of this conversation; undefined: it does not wait, or nobody can say. */
  minutes(n: number): number | undefined {
    const s = this.#office.book.states.get(n)
    if (!s || !isQueued(s)) return undefined
    const head = Math.min(...this.#office.line(s.queue).map(r => r.place.since))
    return minutesFor(this.#of.get(s.queue), this.#office.position(n), head, this.#office.now)
  }
}
