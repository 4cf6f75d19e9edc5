// Those who have not proved yet who they are, by network address: how many are here, and how often they failed.
import { neighbourhood } from '../net/address.ts'
import type { Limits } from '../ports/limits.ts'

interface Visitor { here: number; failures: number[]; barredUntil: number }

const MOST = 1_000 // failures of one address that are remembered
const MANY = 50_000 // addresses, before those that nothing is held against are forgotten

/** Shared by all listeners of a process, so that nobody begins anew at the next door. Times are in milliseconds since 1970. */
export class Strangers {
  readonly #byAddress = new Map<string, Visitor>()
  #here = 0
  /** Whether there is no memory for anybody more; set by the program. */
  crowded: () => boolean = () => false

  /** False: too many are here, the address is barred, or memory runs out. Who is let in must `leave`. */
  enter(from: string, limits: Limits, now: number): boolean {
    if (this.isBarred(from, now) || this.crowded()) return false
    const { unauthenticated, unauthenticatedPerAddress } = limits.connections
    const visitor = this.#visitor(from, limits, now)
    if (this.#here >= unauthenticated || visitor.here >= unauthenticatedPerAddress) return false
    this.#here++
    visitor.here++
    return true
  }

  leave(from: string): void {
    const address = neighbourhood(from)
    const visitor = this.#byAddress.get(address)
    if (!visitor || visitor.here === 0) return
    this.#here--
    visitor.here--
    if (visitor.here === 0 && visitor.failures.length === 0 && visitor.barredUntil === 0) this.#byAddress.delete(address)
  }

  isBarred(from: string, now: number): boolean { return now < (this.#byAddress.get(neighbourhood(from))?.barredUntil ?? 0) }

  /** One more failed login; true if the address is barred for it from now on. */
  failed(from: string, limits: Limits, now: number): boolean {
    const { window, ban, banTime, tarpit } = limits.authFailures
    if (ban === Infinity && tarpit === Infinity) return false
    const visitor = this.#visitor(from, limits, now)
    visitor.failures = [...visitor.failures.filter(at => at > now - window), now].slice(-MOST)
    if (visitor.failures.length <= ban) return false
    visitor.failures = []
    visitor.barredUntil = now + banTime
    return true
  }

  /** How long a login from there waits before it is looked at. */
  delay(from: string, limits: Limits, now: number): number {
    const { window, tarpit, tarpitDelay } = limits.authFailures
    const visitor = this.#byAddress.get(neighbourhood(from))
    return visitor && visitor.failures.filter(at => at > now - window).length >= tarpit ? tarpitDelay : 0
  }

  #visitor(from: string, limits: Limits, now: number): Visitor {
    const address = neighbourhood(from)
    let visitor = this.#byAddress.get(address)
    if (!visitor) {
      if (this.#byAddress.size >= MANY) this.#forget(limits, now)
      this.#byAddress.set(address, (visitor = { here: 0, failures: [], barredUntil: 0 }))
    }
    return visitor
  }

  #forget(limits: Limits, now: number): void {
    for (const [address, v] of this.#byAddress) {
      if (v.here === 0 && v.barredUntil <= now && !v.failures.some(at => at > now - limits.authFailures.window)) this.#byAddress.delete(address)
    }
  }
}
