// When a connection is read: not while what it said is worked on, and not faster than it may send.
import type { Clock } from '../ports/clock.ts'
import type { Rate } from '../ports/limits.ts'
import { Bucket } from './bucket.ts'

export class Reading {
  readonly #switch: (on: boolean) => void
  readonly #clock: Clock
  readonly #bucket: Bucket | undefined
  #held = false // by whoever works on what came
  #slowed: Disposable | undefined // by the rate
  #released = false

  /** `turn` stops and starts the reading. */
  constructor(turn: (on: boolean) => void, clock: Clock, rate?: Rate) {
    this.#switch = turn
    this.#clock = clock
    this.#bucket = rate === undefined || rate.rate === Infinity ? undefined : new Bucket(rate, clock)
  }

  /** Whether nothing may be read now. */
  get off(): boolean { return this.#held || this.#slowed !== undefined }

  /** So many bytes came: if that was too fast, reading pauses. */
  took(bytes: number): void {
    const wait = this.#bucket === undefined || this.#released ? 0 : this.#bucket.spend(bytes)
    if (wait === 0 || this.#slowed) return
    this.#switch(false)
    this.#slowed = this.#clock.alarm(this.#clock.now() + wait, () => {
      this.#slowed = undefined
      if (!this.#held) this.#switch(true)
    })
  }

  pause(): void {
    if (this.#released) return
    this.#held = true
    this.#switch(false)
  }

  resume(): void {
    this.#held = false
    if (!this.#slowed) this.#switch(true)
  }

  /** Reads on whatever was asked before: the connection ends. */
  release(): void {
    this.#released = true
    this.#slowed?.[Symbol.dispose]()
    this.#slowed = undefined
    this.#held = false
    this.#switch(true)
  }
}
