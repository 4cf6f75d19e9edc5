// Watches how fast each queue moves, for the estimate that those who wait are told (shell).
import type { Commit } from '../book.ts'
import { isQueued } from '../conversation.ts'
import type { Distribution } from '../distribution.ts'
import type { Ground, View } from '../ground.ts'
import { minutesFor, paceAfter, type Pace } from './estimate.ts'

const COLLECTION = 'desk-paces'

type Under = Pick<Ground, 'config' | 'book' | 'link' | 'domain' | 'now' | 'later'>

export class Paces implements View {
  readonly #o: Under
  readonly #waiting: Pick<Distribution, 'head' | 'position'>
  readonly #of = new Map<string, Pace>()
  constructor(ground: Under, waiting: Pick<Distribution, 'head' | 'position'>) { this.#o = ground; this.#waiting = waiting }

  async open(): Promise<void> {
    for (const q of this.#o.config.queues.keys()) {
      const found = await this.#o.link.stores.documents.get<Pace>(COLLECTION, this.#o.domain, q)
      if (found) this.#of.set(q, found.value)
    }
  }

  onCommit({ before, after }: Commit): void {
    if (!isQueued(before) || after.is !== 'active') return
    const pace = paceAfter(this.#of.get(before.queue), before.place.since, this.#o.now)
    this.#of.set(before.queue, pace)
    this.#o.later(async () => { await this.#o.link.stores.documents.put(COLLECTION, this.#o.domain, before.queue, pace) })
  }

  /** Whole minutes until it is the turn of this conversation; undefined: it does not wait, or nobody can say. */
  minutes(n: number): number | undefined {
    const s = this.#o.book.states.get(n)
    if (!s || !isQueued(s)) return undefined
    const pace = this.#of.get(s.queue)
    return pace && minutesFor(pace, this.#waiting.position(n), this.#waiting.head(s.queue) ?? Infinity, this.#o.now)
  }
}
