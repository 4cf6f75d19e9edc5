// How often signing in has failed lately, by address and by account (pure).

const MOST = 20_000 // keys remembered

/** At most `most` failures of one key within `window` ms. */
export class Failures {
  readonly #of = new Map<string, number[]>() // when, the oldest first

  /** Counts one beforehand, so that many at once are not more; 0, or the ms until the next may be tried, and nothing is counted. */
  spend(key: string, { most, window }: { readonly most: number; readonly window: number }, now: number): number {
    if (most === Infinity) return 0
    const lately = (this.#of.get(key) ?? []).filter(at => at > now - window)
    this.#of.delete(key) // the newest stand last
    if (lately.length >= most) {
      if (lately.length > 0) this.#of.set(key, lately)
      return Math.max(1, (lately[lately.length - most] ?? now) + window - now)
    }
    this.#of.set(key, [...lately, now])
    if (this.#of.size > MOST) for (const oldest of this.#of.keys()) { this.#of.delete(oldest); break }
    return 0
  }

  /** It was none: takes back the newest. */
  forgive(key: string): void { this.#of.get(key)?.pop() }
  /** Nothing is held against it any more. */
  forget(key: string): void { this.#of.delete(key) }
}
