// Who answers for which domain. One look-up, no rules: they are in the routes, and in guards for what nobody here shall have.
import { errorReply, type AnyStanza } from '../stanza/stanza.ts'
import { refuse, StanzaError } from '../stanza/errors.ts'
import type { HANDLED } from './way.ts'
import type { Resource } from '../session/account.ts'

/** Whoever answers for a domain: a host, a component in this process or on a wire, a peer server. `via` is the local device it came from. */
export interface Route { deliver(stanza: AnyStanza, via?: Resource): void | Promise<void>; /** whether those who have an address there have no account (XEP-0175) */ forGuests?(): boolean }

/** Turns a stanza away, with an error for its sender or without a word; undefined: it may go on. */
export type Guard = (stanza: AnyStanza) => typeof HANDLED | StanzaError | undefined

export class Router {
  readonly #routes = new Map<string, Route>()
  /** Look at everything that is handed over; there while they have somebody to turn away. */
  readonly guards = new Set<Guard>()
  /** For domains that are not ours; set when federation is on. */
  abroad: Route | undefined

  /** Throws if the domain is taken. */
  add(domain: string, route: Route): Disposable {
    if (this.#routes.has(domain)) throw new Error(`${domain} is taken`)
    this.#routes.set(domain, route)
    return { [Symbol.dispose]: () => { if (this.#routes.get(domain) === route) this.#routes.delete(domain) } }
  }

  has(domain: string): boolean { return this.#routes.has(domain) }
  isForGuests(domain: string): boolean { return this.#routes.get(domain)?.forGuests?.() === true }

  /** Hands the stanza to its domain's route; where there is none, its sender gets it back as an error. */
  route(stanza: AnyStanza, via?: Resource): void | Promise<void> {
    const verdict = this.guards.size > 0 ? this.#judge(stanza) : undefined // the hot path makes no iterator
    if (verdict) return verdict instanceof StanzaError ? this.giveBack(errorReply(stanza, verdict), via) : undefined
    const to = stanza.to
    const route = to && (this.#routes.get(to.domain) ?? this.abroad)
    if (route) return route.deliver(stanza, via)
    return this.giveBack(errorReply(stanza, refuse('remote-server-not-found')), via) // RFC 6120 section 10.4.3
  }

  #judge(stanza: AnyStanza): ReturnType<Guard> {
    for (const guard of this.guards) { const verdict = guard(stanza); if (verdict) return verdict }
    return undefined
  }

  /** Takes an error or answer to whom it is for: the device at hand, or by its address. Never bounces again. */
  giveBack(reply: AnyStanza | undefined, via?: Resource): void | Promise<void> {
    if (!reply) return
    if (via && (!reply.to || reply.to.full === via.jid.full)) { via.deliver(reply); return }
    const route = reply.to && (this.#routes.get(reply.to.domain) ?? this.abroad)
    if (route) return route.deliver(reply)
  }
}
