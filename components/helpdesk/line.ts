// Those who wait in one queue, in the order in which they are served: kept so with each change, that nobody counts or sorts them all. Pure.

import { inLine, type Request } from './dispatch.ts'

export class Line {
  readonly #all: Request[] = []

  get length(): number { return this.#all.length }
  /** The one at this place; 0 is the first. */
  at(place: number): Request | undefined { return this.#all[place] }
  get all(): readonly Request[] { return this.#all }

  add(r: Request): void { this.#all.splice(this.#place(r), 0, r) }
  /** Takes out what was added as `r`. */
  remove(r: Request): void {
    const at = this.#place(r)
    if (this.#all[at]?.n === r.n) this.#all.splice(at, 1)
  }
  /** How many stand before it. */
  before(r: Request): number { return this.#place(r) }

  #place(r: Request): number {
    let [low, high] = [0, this.#all.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (inLine(this.#all[middle]!, r) < 0) low = middle + 1 // between the two ends
      else high = middle
    }
    return low
  }
}
