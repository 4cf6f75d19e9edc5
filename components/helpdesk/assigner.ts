// Who is asked next: the order of helpdesk.md ST-27 with the rulings C13 and C14. Pure.

import type { Bare } from './facts.ts'
import type { Show } from './availability.ts'

/** An operator who could be asked now. Load counts reserved seats; moments in ms, undefined = never, which is longest ago. */
export interface Candidate {
  /** How well the agent fits the request: skills and the customer's language; the best are asked first. */
  readonly fit?: number
  readonly id: Bare
  readonly load: number
  readonly capacity: number
  readonly lastEnded: number | undefined
  readonly lastAssigned: number | undefined
  readonly show: Show
}

/** Chooses one of the candidates, or nobody. */
export type Assigner = (candidates: readonly Candidate[]) => Bare | undefined

/** ST-26: those below their limit; ST-27 and C13: the least of them. */
export const roundRobin: Assigner = candidates => {
  let best: Candidate | undefined
  for (const c of candidates) if (c.load < c.capacity && (!best || inTurn(c, best) < 0)) best = c
  return best?.id
}

/** Queues that agents pull from never assign by themselves (ST-21, ST-73). */
export const pull: Assigner = () => undefined

/** Negative if `a` is asked before `b`: share of capacity in use now → number → last chat ended → last assigned → presence `chat` → id. */
export function inTurn(a: Candidate, b: Candidate): number {
  return a.load * b.capacity - b.load * a.capacity // C14: the present share, compared without division
    || a.load - b.load
    || longAgo(a.lastEnded) - longAgo(b.lastEnded)
    || longAgo(a.lastAssigned) - longAgo(b.lastAssigned)
    || Number(b.show === 'chat') - Number(a.show === 'chat')
    || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
const longAgo = (moment: number | undefined): number => moment ?? -1
