// How many conversations there were, how long they waited and lasted, by queue, department, agent or day. Pure.
import type { Summary } from '../past.ts'

export const BY = ['queue', 'department', 'agent', 'day'] as const
export type By = typeof BY[number]
/** One line of a report; times in whole seconds, null where nothing is to be averaged. */
export interface Line {
  readonly key: string
  readonly conversations: number
  /** Had an agent at some time. */
  readonly served: number
  /** Over, and never had one. */
  readonly lost: number
  readonly messages: number
  /** In the queue, of those that were served. */
  readonly waitAverage: number | null
  readonly waitLongest: number | null
  /** From the beginning to the end, of those that are closed. */
  readonly durationAverage: number | null
}
interface Sum { conversations: number; served: number; lost: number; messages: number; waits: number; waited: number; longest: number; closed: number; lasted: number }

/** Counts conversations one by one, by their keys; one of several departments counts in each. */
export class Report {
  readonly #sums = new Map<string, Sum>()
  readonly #keysOf: (s: Summary) => readonly string[]
  constructor(keysOf: (s: Summary) => readonly string[]) { this.#keysOf = keysOf }

  add(s: Summary): void {
    for (const key of this.#keysOf(s)) {
      let sum = this.#sums.get(key)
      if (!sum) this.#sums.set(key, sum = { conversations: 0, served: 0, lost: 0, messages: 0, waits: 0, waited: 0, longest: 0, closed: 0, lasted: 0 })
      const isServed = s.owners.length > 0
      sum.conversations++
      sum.messages += s.messages ?? 0
      if (isServed) sum.served++
      else if (s.state === 'closed') sum.lost++
      if (isServed && s.waited !== undefined) { sum.waits++; sum.waited += s.waited; sum.longest = Math.max(sum.longest, s.waited) }
      if (s.closed !== undefined) { sum.closed++; sum.lasted += s.closed - s.opened }
    }
  }

  /** In the order of the keys. */
  get lines(): readonly Line[] { return lines(this.#sums) }
}

function lines(sums: ReadonlyMap<string, Sum>): readonly Line[] {
  const average = (sum: number, n: number): number | null => n === 0 ? null : Math.round(sum / n / 1000)
  return [...sums].sort(([a], [b]) => a < b ? -1 : 1).map(([key, x]) => ({
    key, conversations: x.conversations, served: x.served, lost: x.lost, messages: x.messages, waitAverage: average(x.waited, x.waits), waitLongest: average(x.longest, Math.min(1, x.waits)), durationAverage: average(x.lasted, x.closed),
  }))
}
