// Keeps away from a service that fails: after some failures in a row it is left alone for a while, then tried once. Pure.

const FAILURES = 3
const FIRST = 30_000 // ms
const LONGEST = 600_000

export interface Breaker {
  /** In a row. */
  readonly failures: number
  /** It is left alone before this moment; ms since 1970. */
  readonly until: number
}

export const whole: Breaker = { failures: 0, until: 0 }

export const isOpen = (b: Breaker, now: number): boolean => now < b.until
/** One try is made while the others still keep away: `within` ms are its time. */
export const trying = (b: Breaker, now: number, within: number): Breaker => b.failures < FAILURES ? b : { ...b, until: now + within }
/** After a failure: the third leaves it alone for half a minute, each further one twice as long, up to ten minutes. */
export function failed(b: Breaker, now: number): Breaker {
  const failures = b.failures + 1
  return { failures, until: failures < FAILURES ? 0 : now + Math.min(FIRST * 2 ** Math.min(failures - FAILURES, 10), LONGEST) }
}
