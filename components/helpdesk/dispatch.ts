// The next thing to do for those who wait: ask somebody, or rest because everybody has passed. One step at a time, because each step changes loads. Pure.

import { roundRobin, type Candidate } from './assigner.ts'
import type { Bare, Place } from './facts.ts'

/** A conversation that waits in a queue which assigns by itself. */
export interface Request { readonly n: number; readonly queue: string; readonly place: Place; readonly only?: readonly Bare[] | undefined; /** ms by which it counts as older: who matters more goes before those who came a bounded time earlier, and nobody waits for ever */ readonly start?: number; readonly language?: string | undefined; /** A program has handed it over: people alone are asked. */ readonly people?: boolean }
export type Step = { readonly do: 'offer'; readonly n: number; readonly to: Bare } | { readonly do: 'rest'; readonly n: number }

const START = { low: -300_000, normal: 0, high: 300_000, urgent: 900_000 } as const // ms
const POINT = 60_000 // ms for each point of a queue's priority
/** How much older than it is a request counts. */
export const startOf = (priority: keyof typeof START, queue: number): number => START[priority] + queue * POINT

/** The order in which those who wait are served: who was handed back first, then by time and priority, then by number. */
export const inLine = (a: Request, b: Request): number => Number(b.place.head) - Number(a.place.head) || (a.place.since - (a.start ?? 0)) - (b.place.since - (b.start ?? 0)) || a.n - b.n

/** Everybody has passed on it, and it is not asked about for a while. */
export const isResting = (r: Request, now: number): boolean => r.place.rest !== undefined && now < r.place.rest

/** What to do for this one, given who could be asked; undefined = nobody is free. `wanted`: who is asked before others, the first of them that can be. */
export function stepFor(r: Request, offerable: readonly Candidate[], wanted: readonly Bare[] = r.place.preferred): Step | undefined {
  const free = offerable.filter(c => c.load < c.capacity)
  if (free.length === 0) return undefined
  const to = choose(r.place, wanted, free.filter(c => !r.place.passed.includes(c.id)))
  return to === undefined ? { do: 'rest', n: r.n } : { do: 'offer', n: r.n, to }
}

function choose(p: Place, wanted: readonly Bare[], fresh: readonly Candidate[]): Bare | undefined {
  const first = wanted.find(w => fresh.some(c => c.id === w))
  if (first !== undefined) return first
  const others = fresh.filter(c => c.id !== p.spare)
  const able = others.length > 0 ? others : fresh
  const best = Math.max(...able.map(c => c.fit ?? 0))
  return roundRobin(able.filter(c => (c.fit ?? 0) === best))
}
