// Order in: a lane keeps the order of what a session sends.

/**
 * Takes items one at a time, at once when it is free, and waits out a promise before the next. `onBusy` tells the source
 * to pause and resume; `onBug` hears of a throw or rejection, and the lane goes on.
 */
export class Lane<T> {
  readonly #work: (item: T) => void | Promise<void>
  readonly #onBug: (bug: unknown, item: T) => void
  readonly #onBusy: ((busy: boolean) => void) | undefined
  #waiting: T[] = []
  #busy = false
  #closed = false

  constructor(work: (item: T) => void | Promise<void>, onBug: (bug: unknown, item: T) => void, onBusy?: (busy: boolean) => void) {
    this.#work = work
    this.#onBug = onBug
    this.#onBusy = onBusy
  }

  get busy(): boolean { return this.#busy }

  push(item: T): void {
    if (this.#closed) return
    if (this.#busy) { this.#waiting.push(item); return }
    const done = this.#run(item)
    if (done) { this.#busy = true; this.#onBusy?.(true); void done.then(() => this.#drain()) }
  }

  /** Forgets what waits and takes nothing more. What runs, runs on. */
  close(): void { this.#closed = true; this.#waiting = [] }

  #run(item: T): Promise<void> | undefined {
    try {
      const done = this.#work(item)
      return done ? done.catch((bug: unknown) => this.#onBug(bug, item)) : undefined
    } catch (bug) { this.#onBug(bug, item); return undefined }
  }

  #drain(): void {
    const waiting = this.#waiting
    let i = 0
    while (i < waiting.length && this.#waiting === waiting) {
      const done = this.#run(waiting[i++]!)
      if (done) { waiting.splice(0, i); void done.then(() => this.#drain()); return }
    }
    if (this.#waiting === waiting) waiting.length = 0
    this.#busy = false
    this.#onBusy?.(false)
  }
}
