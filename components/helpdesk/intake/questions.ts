// How often one address may ask what is known: each question may cost an errand to a system of the admin's. Forgotten by a restart.

const MOST = 10 // questions
const WITHIN = 10_000 // ms
const KNOWN = 10_000 // addresses; the oldest make room

export class Questions {
  readonly #of = new Map<string, readonly number[]>()

  /** Counts one more; false: there were enough. `now` in ms. */
  take(who: string, now: number): boolean {
    const recent = (this.#of.get(who) ?? []).filter(t => t > now - WITHIN)
    if (recent.length >= MOST) return false
    this.#of.delete(who)
    this.#of.set(who, [...recent, now])
    for (const [old] of this.#of) { if (this.#of.size <= KNOWN) break; this.#of.delete(old) }
    return true
  }
}
