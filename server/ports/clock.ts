// Time, and being woken. Nobody else in the house calls Date.now or setTimeout.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /**
   * Rings once at `at` (milliseconds since 1970), at once if that is past. A promise that `ring` returns means
   * "committed": a test clock waits for it. Disposing before it rings cancels it.
   */
  alarm(at: number, ring: () => void | Promise<void>): Disposable
}

const LONGEST = 2 ** 31 - 1 // setTimeout's own limit, in milliseconds

/** The machine's clock. */
export const wallClock: Clock = {
  now: () => Date.now(),
  alarm(at, ring) {
    let timer: NodeJS.Timeout
    const wait = (): void => {
      const left = at - Date.now()
      timer = left > LONGEST ? setTimeout(wait, LONGEST) : setTimeout(() => void ring(), Math.max(0, left))
    }
    wait()
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
}

/** Real time plus an offset that a test moves: `start --test-clock` and the wire tests use it. */
export class TestClock implements Clock {
  readonly #real: Clock
  #offset = 0
  /** What real time rang by itself and is not committed yet: it belongs to the moment that it rang in. */
  readonly #ringing = new Set<Promise<void>>()
  readonly #alarms = new Set<{ at: number; ring: () => void | Promise<void>; real: Disposable }>()

  /** `real`: what the offset is added to. */
  constructor(real: Clock = wallClock) { this.#real = real }

  now(): number { return this.#real.now() + this.#offset }

  alarm(at: number, ring: () => void | Promise<void>): Disposable {
    const alarm = { at, ring, real: { [Symbol.dispose]() {} } as Disposable }
    this.#arm(alarm)
    this.#alarms.add(alarm)
    return { [Symbol.dispose]: () => { alarm.real[Symbol.dispose](); this.#alarms.delete(alarm) } }
  }

  /** Moves time on by `ms`, alarm by alarm in their order; resolves when each that fell due has rung and is committed. */
  async advance(ms: number): Promise<void> {
    const target = this.now() + ms
    for (;;) {
      while (this.#ringing.size > 0) await Promise.all(this.#ringing)
      const next = [...this.#alarms].filter(a => a.at <= target).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#offset += Math.max(0, next.at - this.now())
      this.#alarms.delete(next)
      next.real[Symbol.dispose]()
      await next.ring()
    }
    this.#offset += Math.max(0, target - this.now())
    for (const a of this.#alarms) { a.real[Symbol.dispose](); this.#arm(a) }
  }

  #arm(alarm: { at: number; ring: () => void | Promise<void>; real: Disposable }): void {
    alarm.real = this.#real.alarm(alarm.at - this.#offset, () => {
      this.#alarms.delete(alarm)
      const rung = Promise.resolve(alarm.ring()).finally(() => { this.#ringing.delete(rung) })
      this.#ringing.add(rung)
    })
  }
}
