// One account's roster in memory: what is committed, and the queue of what changes it.
import { Jid } from '../stanza/jid.ts'
import { refuse, StanzaError } from '../stanza/errors.ts'
import type { RosterItem, RosterStore } from '../ports/store.ts'

/** A roster item before its commit gives it a version. */
export type Draft = Omit<RosterItem, 'version'>

/** One change: what is written, and what happens at once after the commit, before the next change is looked at. */
export interface Amendment {
  readonly put?: readonly Draft[]
  /** True: nothing changes that clients are shown, so the version stays (section 2.6.3). */
  readonly unseen?: boolean
  /** The jid of a record that no client ever saw. */
  readonly forget?: string
  readonly then?: (done: readonly RosterItem[]) => void | Promise<void>
}
export type Decision = Amendment | StanzaError | undefined

const FLOOR = '' // the jid of the record whose version tells up to which one tombstones were forgotten
const TOMBSTONES = 256 // removed items kept for roster versioning; half of them go when there are more

/** An item that clients are shown. */
export type Listed = RosterItem & { readonly removed?: false }
export const isListed = (i: RosterItem | undefined): i is Listed => i !== undefined && !i.removed && i.listed !== false
const seesUs = (i: RosterItem): boolean => i.subscription === 'from' || i.subscription === 'both'
const isSeen = (i: RosterItem): boolean => i.subscription === 'to' || i.subscription === 'both'

export class Book {
  readonly items = new Map<string, RosterItem>()
  readonly #owner: string
  readonly #store: RosterStore
  readonly #onFailure: (error: unknown) => void
  #version: number
  #floor = 0
  #watchers: readonly Jid[] | undefined
  #watched: readonly Jid[] | undefined
  #tail: Promise<void> | undefined

  constructor(owner: string, loaded: { version: number; items: readonly RosterItem[] }, store: RosterStore, onFailure: (error: unknown) => void) {
    this.#owner = owner
    this.#store = store
    this.#onFailure = onFailure
    this.#version = loaded.version
    for (const i of loaded.items) if (i.jid === FLOOR) this.#floor = i.version; else this.items.set(i.jid, i)
  }

  get version(): number { return this.#version }
  /** A client whose copy is older than this must get the whole roster. */
  get floor(): number { return this.#floor }
  get listed(): RosterItem[] { return [...this.items.values()].filter(isListed) }

  /** The contacts who see our presence. */
  get watchers(): readonly Jid[] { return (this.#watchers ??= this.#jids(seesUs)) }
  /** The contacts whose presence we see. */
  get watched(): readonly Jid[] { return (this.#watched ??= this.#jids(isSeen)) }
  isWatcher(bare: string): boolean { const i = this.items.get(bare); return i !== undefined && seesUs(i) }
  isWatched(bare: string): boolean { const i = this.items.get(bare); return i !== undefined && isSeen(i) }

  /** Resolves when the changes under way are committed; undefined if there are none. */
  get busy(): Promise<void> | undefined { return this.#tail }

  /**
   * Makes one change after those before it. `decide` looks at what is committed; what changes nothing is done at once, without a
   * promise. Gives the refusal that `decide` returned, or `internal-server-error` if the store could not; then nothing has changed.
   */
  amend(decide: () => Decision): StanzaError | void | Promise<StanzaError | void> {
    if (this.#tail) return this.#change(decide)
    const d = decide()
    if (!d || d instanceof StanzaError) return d
    return d.put?.length || d.forget !== undefined ? this.#change(() => d) : d.then?.([])
  }

  async #change(decide: () => Decision): Promise<StanzaError | void> {
    const before = this.#tail
    const turn = Promise.withResolvers<void>()
    this.#tail = turn.promise
    let after: void | Promise<void>
    try {
      if (before) await before
      const d = decide()
      if (!d || d instanceof StanzaError) return d
      let done: readonly RosterItem[]
      try { done = await this.#commit(d) } catch (error) {
        this.#onFailure(error)
        return refuse('internal-server-error')
      }
      after = d.then?.(done)
    } finally {
      if (this.#tail === turn.promise) this.#tail = undefined
      turn.resolve()
    }
    await after // outside the turn: what it waits for may come back to this account
  }

  async #commit(d: Amendment): Promise<readonly RosterItem[]> {
    let version = this.#version
    const done = (d.put ?? []).map((draft): RosterItem => {
      const old = this.items.get(draft.jid)
      const shown = !d.unseen && (isListed({ ...draft, version: 0 }) || isListed(old))
      return { ...draft, version: shown ? ++version : (old?.version ?? 0) }
    })
    const spent = this.#spent(done)
    const floor = spent.at(-1)?.version
    const rows = floor === undefined ? done : [...done, { jid: FLOOR, groups: [], subscription: 'none' as const, listed: false, removed: true, version: floor }]
    if (rows.length) await this.#store.put(this.#owner, version, rows)
    if (d.forget !== undefined) await this.#store.forget(this.#owner, d.forget)
    this.#version = version
    for (const i of done) this.items.set(i.jid, i)
    if (d.forget !== undefined) this.items.delete(d.forget)
    if (floor !== undefined) this.#bury(spent, floor)
    this.#watchers = this.#watched = undefined
    return done
  }

  /** The tombstones that are too many once `done` is there, the oldest first. */
  #spent(done: readonly RosterItem[]): RosterItem[] {
    if (!done.some(i => i.removed)) return []
    const tombs = [...this.items.values()].filter(i => i.removed && i.request === undefined && !done.some(n => n.jid === i.jid))
    return tombs.length < TOMBSTONES ? [] : tombs.sort((a, b) => a.version - b.version).slice(0, TOMBSTONES / 2)
  }

  #bury(spent: readonly RosterItem[], floor: number): void {
    this.#floor = floor
    for (const i of spent) {
      this.items.delete(i.jid)
      this.#store.forget(this.#owner, i.jid).catch(this.#onFailure) // one that stays is below the floor and does no harm
    }
  }

  #jids(which: (i: RosterItem) => boolean): readonly Jid[] {
    const jids: Jid[] = []
    for (const i of this.items.values()) if (which(i)) jids.push(Jid.parse(i.jid))
    return jids
  }
}
