// Work for a queue that is done at once, and again at most once a second however often it is asked for (shell).
import type { Office } from '../office.ts'

const PAUSE = 1000 // ms

export class Pulse {
  readonly #office: Office
  readonly #work: (queue: string) => void | Promise<void>
  readonly #due = new Map<string, Disposable>()
  readonly #last = new Map<string, number>()
  constructor(office: Office, work: (queue: string) => void | Promise<void>) { this.#office = office; this.#work = work }

  touch(queue: string): void {
    if (this.#due.has(queue)) return
    const { clock } = this.#office.link
    const last = this.#last.get(queue) ?? -Infinity
    const run = (): void => {
      this.#due.delete(queue)
      this.#last.set(queue, clock.now())
      this.#office.later(async () => this.#work(queue))
    }
    const pause = Math.max(PAUSE, this.#office.distribution.waiting(queue))
    if (clock.now() - last >= pause) run()
    else this.#due.set(queue, clock.alarm(last + pause, run))
  }
  stop(): void { for (const d of this.#due.values()) d[Symbol.dispose](); this.#due.clear() }
}
