// How long one who waits will wait: from how fast the queue moved lately, and nothing where that is not known (ST-74). Pure.

/** How fast a queue moves: the smoothed time between two who leave it for an agent, and when the last did. Times in ms. */
export interface Pace { readonly between: number; readonly seen: number; readonly last: number }

const WEIGHT = 0.2 // of the newest
const ENOUGH = 3 // seen, before anything is said
const LONGEST = 120 // minutes; beyond, no promise is honest

/** The pace after somebody who had waited since `since` was taken at `now`. Time in which nobody waited does not count. */
export function paceAfter(p: Pace | undefined, since: number, now: number): Pace {
  const span = Math.max(0, now - Math.max(since, p?.last ?? 0))
  return p === undefined ? { between: span, seen: 1, last: now } : { between: p.between + (span - p.between) * WEIGHT, seen: p.seen + 1, last: now }
}

/** Whole minutes until it is the turn of one with so many ahead, at least 1; undefined: nobody can say. `head`: since when the first in line waits. */
export function minutesFor(p: Pace | undefined, ahead: number, head: number, now: number): number | undefined {
  if (p === undefined || p.seen < ENOUGH) return undefined
  // A queue that has stood still for longer than usual is slower than it was.
  const next = Math.max(p.between, now - Math.max(p.last, head))
  const minutes = Math.max(1, Math.ceil((next + p.between * ahead) / 60_000 - 0.1)) // some seconds more are no minute
  return minutes > LONGEST ? undefined : minutes
}
