// A token bucket: so much at once, so much a second in the long run.
import type { Clock } from '../ports/clock.ts'
import type { Rate } from '../ports/limits.ts'

export class Bucket {
  readonly #rate: Rate
  readonly #clock: Clock
  #level: number
  #at: number
  constructor(rate: Rate, clock: Clock) { this.#rate = rate; this.#clock = clock; this.#level = rate.burst; this.#at = clock.now() }

  /** Takes `n` if they are there. */
  take(n: number): boolean {
    this.#fill()
    if (this.#level < n) return false
    this.#level -= n
    return true
  }

  /** Takes `n` in any case; gives the milliseconds until the debt is paid. */
  spend(n: number): number {
    if (this.#rate.rate === Infinity) return 0
    this.#fill()
    this.#level -= n
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level / this.#rate.rate) * 1000)
  }

  /** Takes `n` if they will be there within `most` ms; gives how long that is, or undefined and takes nothing. */
  borrow(n: number, most: number): number | undefined {
    const wait = this.spend(n)
    if (wait <= most) return wait
    this.#level += n
    return undefined
  }

  #fill(): void {
    const now = this.#clock.now()
    if (now > this.#at) this.#level = Math.min(this.#rate.burst, this.#level + ((now - this.#at) / 1000) * this.#rate.rate)
    this.#at = now
  }
}
