// A heap of deadlines with one alarm on the clock. What it holds is rebuilt from the conversations' states (shell).
import type { Clock } from '../../server/api.ts'

interface Entry { readonly at: number; readonly n: number; readonly ring: () => Promise<unknown> }

/** Keeps, for each conversation, the deadlines its state asks for now. */
export class Timers {
  readonly #clock: Clock
  #heap: Entry[] = []
  readonly #valid = new Map<number, ReadonlySet<Entry>>()
  #alarm: { at: number; off: Disposable } | undefined
  constructor(clock: Clock) { this.#clock = clock }

  /** Replaces the deadlines of conversation `n`. */
  set(n: number, deadlines: readonly { readonly at: number; readonly ring: () => Promise<unknown> }[]): void {
    if (deadlines.length === 0) this.#valid.delete(n)
    else {
      const entries = deadlines.map(d => ({ ...d, n }))
      this.#valid.set(n, new Set(entries))
      for (const e of entries) this.#push(e)
    }
    this.#arm()
  }

  close(): void { this.#alarm?.off[Symbol.dispose](); this.#alarm = undefined; this.#heap = []; this.#valid.clear() }

  #isValid(e: Entry): boolean { return this.#valid.get(e.n)?.has(e) === true }

  #arm(): void {
    while (this.#heap[0] && !this.#isValid(this.#heap[0])) this.#pop()
    const next = this.#heap[0]
    if (next?.at === this.#alarm?.at) return
    this.#alarm?.off[Symbol.dispose]()
    this.#alarm = undefined
    if (next) this.#alarm = { at: next.at, off: this.#clock.alarm(next.at, () => this.#ring()) }
  }

  async #ring(): Promise<void> {
    this.#alarm = undefined
    const now = this.#clock.now()
    const due: Promise<unknown>[] = []
    while (this.#heap[0] && this.#heap[0].at <= now) {
      const e = this.#pop()
      if (e && this.#isValid(e)) due.push(e.ring())
    }
    this.#arm()
    await Promise.all(due)
  }

  #push(e: Entry): void {
    const h = this.#heap
    let i = h.push(e) - 1
    while (i > 0) {
      const up = (i - 1) >> 1
      if (h[up]!.at <= e.at) break // inside the heap
      h[i] = h[up]!
      i = up
    }
    h[i] = e
  }

  #pop(): Entry | undefined {
    const h = this.#heap
    const top = h[0]
    const last = h.pop()
    if (!top || !last || h.length === 0) return top
    let i = 0
    for (;;) {
      let down = 2 * i + 1
      if (down >= h.length) break
      if (down + 1 < h.length && h[down + 1]!.at < h[down]!.at) down++
      if (h[down]!.at >= last.at) break
      h[i] = h[down]!
      i = down
    }
    h[i] = last
    return top
  }
}
