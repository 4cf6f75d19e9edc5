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

/** The lines of these conversations by their keys, in the order of the keys; one of several departments counts in each. */
export function report(all: readonly Summary[], keysOf: (s: Summary) => readonly string[]): readonly Line[] {
  const sums = new Map<string, Sum>()
  for (const s of all) for (const key of keysOf(s)) {
    let sum = sums.get(key)
    if (!sum) sums.set(key, sum = { conversations: 0, served: 0, lost: 0, messages: 0, waits: 0, waited: 0, longest: 0, closed: 0, lasted: 0 })
    const isServed = s.owners.length > 0
    sum.conversations++
    sum.messages += s.messages ?? 0
    if (isServed) sum.served++
    else if (s.state === 'closed') sum.lost++
    if (isServed && s.waited !== undefined) { sum.waits++; sum.waited += s.waited; sum.longest = Math.max(sum.longest, s.waited) }
    if (s.closed !== undefined) { sum.closed++; sum.lasted += s.closed - s.opened }
  }
  const average = (sum: number, n: number): number | null => n === 0 ? null : Math.round(sum / n / 1000)
  return [...sums].sort(([a], [b]) => a < b ? -1 : 1).map(([key, x]) => ({
    key, conversations: x.conversations, served: x.served, lost: x.lost, messages: x.messages, waitAverage: average(x.waited, x.waits), waitLongest: average(x.longest, Math.min(1, x.waits)), durationAverage: average(x.lasted, x.closed),
  }))
}
