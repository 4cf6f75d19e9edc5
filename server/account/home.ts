// What the code of RFC 6121 needs of the virtual host it lives in. The host is it; nothing here knows the host.
import type { Jid } from '../stanza/jid.ts'
import type { AnyStanza } from '../stanza/stanza.ts'
import type { StanzaError } from '../stanza/errors.ts'
import type { Account, Resource } from '../session/account.ts'
import type { Router } from '../route/router.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Limits } from '../ports/limits.ts'
import type { Stores } from '../ports/store.ts'
import type { Accounts } from './accounts.ts'

/** What a plugin or the core may be told of a device's life: `available` at its initial presence, `presence` at each it broadcasts, `asleep` when somebody asked and was shown it though its connection is lost. */
export type Moment = 'bound' | 'available' | 'presence' | 'unavailable' | 'detached' | 'attached' | 'asleep' | 'gone'

export interface Home {
  readonly domain: string
  readonly jid: Jid
  readonly router: Router
  readonly stores: Stores
  readonly clock: Clock
  /** Network time: it goes on though a test moves `clock`. */
  readonly network: Clock
  readonly log: Log
  readonly limits: Limits
  readonly accounts: Accounts
  /** Sends as the host or on behalf of an account. */
  send(stanza: AnyStanza): void
  /** Gives the sender an error for `stanza`, if it may have one. */
  giveBack(stanza: AnyStanza, e: StanzaError, via?: Resource): void
  /** Whether presence between the account and `other` is barred (XEP-0191). `wanted`: it is the account itself that asks or tells just this one. */
  barred(account: Account, other: Jid, wanted?: boolean): boolean
  tell(moment: Moment, device: Resource): void
  bug(error: unknown, stanza?: AnyStanza): void
}
