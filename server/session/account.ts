// A local account and its devices that are online now: what the hot path asks stands here, ready.
import type { Jid } from '../stanza/jid.ts'
import type { AnyStanza, Presence } from '../stanza/stanza.ts'
import type { AccountRecord } from '../ports/store.ts'
import type { StreamCondition } from './ending.ts'
import { Notes } from './notes.ts'

/** Decides what a device is given at once, and keeps the rest for it (XEP-0352). */
export interface Sieve {
  /** What goes out now for `stanza`, in this order: nothing where it is kept, what was kept and then it where it must not wait. */
  take(stanza: AnyStanza): readonly AnyStanza[]
  /** What is kept, in order. */
  readonly kept: readonly AnyStanza[]
}

/** One bound device of an account. `deliver` never fails and never waits: what the device cannot take now is kept or given back. */
export abstract class Resource extends Notes {
  readonly jid: Jid // full
  readonly account: Account
  #presence: Presence | undefined
  #priority: number | undefined
  #attached = true
  constructor(jid: Jid, account: Account) { super(); this.jid = jid; this.account = account }

  /** The last presence it broadcast; undefined before the first and after an unavailable one. */
  get presence(): Presence | undefined { return this.#presence }
  set presence(p: Presence | undefined) {
    this.#presence = p
    this.#priority = p && (Number(p.child('priority')?.text ?? 0) || 0)
    this.account.changed()
  }
  /** −128 to 127; undefined: not available (RFC 6121 section 4.7.2.3). */
  get priority(): number | undefined { return this.#priority }

  /** False while its connection is lost and may be resumed (XEP-0198 section 5). */
  get attached(): boolean { return this.#attached }
  set attached(yes: boolean) { this.#attached = yes; this.account.changed() }

  /** What it was sent and has not said to have; nothing where it does not say such things (XEP-0198). */
  get unacknowledged(): readonly AnyStanza[] { return [] }

  abstract deliver(stanza: AnyStanza): void
  /** From now on what it is given passes `sieve`, or nothing; what an earlier one has kept goes out first. */
  abstract sift(sieve: Sieve | undefined): void
  /** The acknowledgement of the stanza it sent last waits for `commit`; a rejection is told to the device as an error of that stanza. */
  abstract hold(commit: Promise<unknown>): void
  /** Ends the device's stream with a stream error (RFC 6120 section 4.9.3). */
  abstract end(condition: StreamCondition, text?: string): void
}

/** A local account that is loaded: somebody is online, or was a moment ago. */
export class Account extends Notes {
  readonly jid: Jid // bare
  record: AccountRecord
  readonly resources = new Map<string, Resource>() // by resource part
  #best: readonly Resource[] | undefined
  #available: readonly Resource[] | undefined
  constructor(jid: Jid, record: AccountRecord) { super(); this.jid = jid; this.record = record }

  add(r: Resource): void { this.resources.set(r.jid.resource, r); this.changed() }
  remove(r: Resource): void {
    if (this.resources.get(r.jid.resource) === r) { this.resources.delete(r.jid.resource); this.changed() }
  }
  changed(): void { this.#best = this.#available = undefined }

  /** The devices that sent available presence, of any priority. */
  get available(): readonly Resource[] {
    return (this.#available ??= [...this.resources.values()].filter(r => r.priority !== undefined))
  }

  /**
   * The most available devices: all of the highest non-negative priority (RFC 6121 section 8.5.2.1.1). Where none of them is
   * attached, the best attached ones too: a dead connection must not swallow what a living one could show.
   */
  get best(): readonly Resource[] {
    if (this.#best) return this.#best
    const willing = this.available.filter(r => r.priority! >= 0) // available says it is a number
    const top = (rs: readonly Resource[]): Resource[] => { const p = Math.max(...rs.map(r => r.priority!)); return rs.filter(r => r.priority === p) }
    const best = willing.length > 1 ? top(willing) : willing
    const living = best.some(r => r.attached) ? [] : willing.filter(r => r.attached)
    return (this.#best = living.length ? [...best, ...top(living)] : best)
  }
}
