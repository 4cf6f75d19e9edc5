// A token bucket that is told the time. Pure.

/** Lets through `rate` a second in the long run and `burst` at once. */
export class Bucket {
  #tokens: number
  #at: number
  constructor(burst: number, now: number) { this.#tokens = burst; this.#at = now }

  /** True if one more is within the limit; `now` in milliseconds. */
  take(rate: number, burst: number, now: number): boolean {
    if (rate === Infinity) return true
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#at) * rate) / 1000)
    this.#at = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
