// Says in the log in time that the certificate in force ends: 14, 7 and 1 days before, and when it has ended (SEC-K25).
import type { Clock } from '../server/ports/clock.ts'
import type { Log } from '../server/ports/log.ts'

const DAY = 86_400_000
const DAYS = [14, 7, 1, 0]

/** Watches from now on; `look` begins anew with another certificate. Streams that stand are not touched. */
export class Expiry implements Disposable {
  readonly #ends: () => number
  readonly #clock: Clock
  readonly #log: Log
  #alarm: Disposable | undefined

  /** `ends`: when the certificate ends, in ms since 1970. */
  constructor(ends: () => number, clock: Clock, log: Log) {
    this.#ends = ends
    this.#clock = clock
    this.#log = log
    this.look()
  }

  /** Says what is to be said now, and winds the alarm for the next time. */
  look(): void {
    this[Symbol.dispose]()
    const ends = this.#ends()
    const left = ends - this.#clock.now()
    if (left <= 0) this.#log.error({ ends: new Date(ends).toISOString() }, 'the certificate has ended, clients will refuse it: put a new one in its place and send SIGHUP')
    else if (left <= DAYS[0]! * DAY) this.#log.warn({ ends: new Date(ends).toISOString() }, `the certificate ends within ${Math.ceil(left / DAY)} days: put a new one in its place and send SIGHUP`)
    const next = DAYS.find(days => left > days * DAY)
    if (next !== undefined) this.#alarm = this.#clock.alarm(ends - next * DAY, () => this.look())
  }

  [Symbol.dispose](): void { this.#alarm?.[Symbol.dispose]() }
}
