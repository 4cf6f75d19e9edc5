// Token buckets, and one for each of many (pure).

/** `rate` a second in the long run, `burst` at once. */
export interface Rate { readonly rate: number; readonly burst: number }

export class Bucket {
  readonly #rate: Rate
  #left: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#left = rate.burst
    this.#at = now
  }

  /** Takes `n`; 0 if it was there, else the ms until it would be, and nothing is taken. */
  take(n: number, now: number): number {
    const wait = this.wait(n, now)
    if (wait === 0) this.#left -= n
    return wait
  }

  /** The ms until `n` would be there. */
  wait(n: number, now: number): number {
    this.#fill(now)
    if (this.#left >= n) return 0
    return this.#rate.rate > 0 ? Math.ceil((n - this.#left) / this.#rate.rate * 1000) : Infinity
  }

  /** Takes `n` even where it is not there; the ms until the debt is paid. */
  spend(n: number, now: number): number {
    this.#fill(now)
    this.#left -= n
    return this.#left >= 0 || this.#rate.rate === Infinity ? 0 : Math.ceil(-this.#left / this.#rate.rate * 1000)
  }

  /** Nothing was taken lately: it need not be remembered. */
  full(now: number): boolean {
    this.#fill(now)
    return this.#left >= this.#rate.burst
  }

  #fill(now: number): void {
    if (now <= this.#at) return
    this.#left = this.#rate.burst === Infinity ? Infinity : Math.min(this.#rate.burst, this.#left + (now - this.#at) / 1000 * this.#rate.rate)
    this.#at = now
  }
}

const MOST = 10_000 // buckets kept

/** A bucket for each key, an address say; forgets those that are full. */
export class Buckets {
  readonly #rate: Rate
  readonly #of = new Map<string, Bucket>()
  constructor(rate: Rate) { this.#rate = rate }

  take(key: string, now: number): number { return this.#bucket(key, now).take(1, now) }

  /** The ms until one can be taken; takes none. */
  wait(key: string, now: number): number { return this.#of.get(key)?.wait(1, now) ?? (this.#rate.burst >= 1 ? 0 : Infinity) }

  #bucket(key: string, now: number): Bucket {
    let bucket = this.#of.get(key)
    if (!bucket) {
      if (this.#of.size >= MOST) this.#sweep(now)
      this.#of.set(key, bucket = new Bucket(this.#rate, now))
    }
    return bucket
  }

  #sweep(now: number): void {
    for (const [key, bucket] of this.#of) if (bucket.full(now)) this.#of.delete(key)
    for (const key of this.#of.keys()) { if (this.#of.size < MOST * 0.9) break; this.#of.delete(key) } // the oldest
  }
}
