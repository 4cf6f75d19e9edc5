// When something is tried again: within minutes by the clock, later by one job that outlives a restart (shell).
import type { Clock, Jobs, Log } from '../../server/api.ts'

const SOON = 10 * 60_000 // ms

export class Retries {
  readonly #clock: Clock
  readonly #jobs: Jobs
  readonly #log: Log
  readonly #kind: string
  readonly #ring: (keys: readonly string[]) => Promise<void>
  readonly #soon = new Map<string, Disposable>()
  readonly #later = new Map<string, number>()
  #next = Infinity
  /** In the job's place where the store did not take it. */
  #spare: Disposable | undefined
  #turn: Promise<void> = Promise.resolve()

  /** `kind`: the job's name. `ring` is told whose time has come, and resolves when that is done. */
  constructor({ clock, jobs, log }: { clock: Clock; jobs: Jobs; log: Log }, kind: string, ring: (keys: readonly string[]) => Promise<void>) {
    this.#clock = clock
    this.#jobs = jobs
    this.#log = log
    this.#kind = kind
    this.#ring = ring
    jobs.define(kind, () => this.#look())
  }

  has(key: string): boolean { return this.#soon.has(key) || this.#later.has(key) }

  /** Rings for `key` at `due` (ms since 1970), and no more when it was to ring before. */
  at(key: string, due: number): void {
    this.cancel(key)
    if (due - this.#clock.now() <= SOON) {
      this.#soon.set(key, this.#clock.alarm(due, async () => { this.#soon.delete(key); await this.#ring([key]); await this.#turn }))
      return
    }
    this.#later.set(key, due)
    if (due < this.#next) this.#plan(due)
  }
  cancel(key: string): void {
    this.#soon.get(key)?.[Symbol.dispose]()
    this.#soon.delete(key)
    this.#later.delete(key)
  }
  /** Nothing rings any more; the job is there after the next start. */
  async close(): Promise<void> {
    for (const alarm of this.#soon.values()) alarm[Symbol.dispose]()
    this.#soon.clear()
    this.#later.clear()
    await this.#turn
    this.#spare?.[Symbol.dispose]()
  }

  #plan(due: number): void {
    this.#next = due
    this.#turn = this.#turn.then(() => this.#jobs.once(this.#kind, '', due)).catch((err: unknown) => {
      this.#log.error({ err, job: this.#kind }, 'the store failed: what is to be tried again later is, if this process lives that long')
      this.#spare?.[Symbol.dispose]()
      this.#spare = this.#clock.alarm(due, () => this.#look())
    })
  }
  async #look(): Promise<void> {
    const now = this.#clock.now()
    const due = [...this.#later].filter(([, at]) => at <= now).map(([key]) => key)
    for (const key of due) this.#later.delete(key)
    const next = Math.min(...this.#later.values())
    this.#next = next
    if (next !== Infinity) this.#plan(next)
    await this.#turn
    await this.#ring(due)
    await this.#turn // what is set in a run belongs to it
  }
}
