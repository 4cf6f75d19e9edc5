// One stanza on its way through one account. Lives for that walk only.
import type { AnyStanza } from '../stanza/stanza.ts'
import type { Account, Resource } from '../session/account.ts'
import { Notes } from '../session/notes.ts'

const NONE: readonly Resource[] = []

export class Passage extends Notes {
  stanza: AnyStanza
  readonly account: Account
  /** The local device that sent it: always on `out`, on `in` if it came from this server. */
  readonly sender: Resource | undefined
  /** The devices that `in:deliver` gave it to. */
  delivered: readonly Resource[] = NONE
  /** Other devices of the account that see it all the same, as a carbon for one. */
  copied: readonly Resource[] = NONE
  /** True: some stage keeps it where the recipient will find it (archive, offline store), so nothing is lost if nobody took it. */
  kept = false
  constructor(stanza: AnyStanza, account: Account, sender: Resource | undefined) { super(); this.stanza = stanza; this.account = account; this.sender = sender }

  /** Gives it to a device, as it is now. */
  give(r: Resource): void {
    r.deliver(this.stanza)
    this.delivered = [...this.delivered, r]
  }

  /** The sender's acknowledgement waits for `commit`; the stanza itself goes on. */
  hold(commit: Promise<unknown>): void {
    if (this.sender) this.sender.hold(commit)
    else commit.catch(() => {}) // a sender without acknowledgements: the store has logged it
  }
}
