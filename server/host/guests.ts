// The guests of a host (SASL ANONYMOUS, XEP-0175): each has an account of its own for as long as its session lasts, and nothing stays of it.
import { randomUUID } from 'node:crypto'
import { neighbourhood } from '../net/address.ts'
import { refuse } from '../stanza/errors.ts'
import type { Jid } from '../stanza/jid.ts'
import type { GuestBook, Host } from './host.ts'

/**
 * Makes `host` one for guests and nobody else. Its stores must forget at the latest when the program ends: what guests keep (contacts,
 * archives, private data) is removed with their account.
 */
export class Guests implements GuestBook {
  readonly #host: Host
  readonly #from = new Map<string, string>() // localpart → where the guest came from
  readonly #here = new Map<string, number>() // by address

  constructor(host: Host) {
    this.#host = host
    host.guests = this
    host.when('gone', device => this.leave(device.account.jid))
    host.on('out:admit', ({ stanza: { to } }) => to && !host.router.has(to.domain) ? refuse('not-allowed', 'Guests speak with nobody on other servers.') : undefined) // XEP-0175 section 3
  }

  /** The localpart of a new guest's account; undefined where there are too many from that address. */
  async welcome(remote: string): Promise<string | undefined> {
    const { limits, stores, domain, clock } = this.#host
    const address = neighbourhood(remote)
    const here = this.#here.get(address) ?? 0
    if (here >= limits.connections.perAddress) return undefined
    const local = randomUUID()
    this.#here.set(address, here + 1)
    this.#from.set(local, address)
    try {
      await stores.accounts.create({ host: domain, local, created: clock.now(), credentials: {} })
      return local
    } catch (error) {
      this.#forget(local)
      throw error
    }
  }

  /** The guest has gone, and with it all that it had. */
  leave(jid: Jid): void {
    if (this.#forget(jid.local)) this.#erase(jid).catch((error: unknown) => this.#host.bug(error))
  }

  #forget(local: string): boolean {
    const address = this.#from.get(local)
    if (address === undefined) return false
    this.#from.delete(local)
    const here = (this.#here.get(address) ?? 1) - 1
    if (here > 0) this.#here.set(address, here)
    else this.#here.delete(address)
    return true
  }

  async #erase(jid: Jid): Promise<void> {
    const { accounts, rosters, stores, domain } = this.#host
    const account = accounts.online(jid)
    if (account) await rosters.farewell(account) // relationships end with the session
    await stores.accounts.remove(domain, jid.local)
    accounts.refresh(jid, undefined)
  }
}
