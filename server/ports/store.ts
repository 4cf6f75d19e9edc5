// The store port: what every store has to offer. Interfaces only.
import type { SearchStore } from './search.ts'

export type * from './search.ts'

/**
 * Where deskbell keeps what must outlive it. Shaped for SQLite and MongoDB alike: grouped appends, ranges by (owner, id)
 * with a limit, one document found and updated if its version still is what was read, unique keys; no transaction over
 * several documents. Every promise of a write resolves after the commit is durable; it rejects with `StoreError` when
 * the write could not be made, and then nothing of it is there.
 */
export interface Stores {
  readonly accounts: AccountStore
  readonly rosters: RosterStore
  readonly archive: ArchiveStore
  readonly offline: OfflineStore
  readonly documents: DocumentStore
  readonly events: EventLog
  readonly search: SearchStore
  /** Writes out what waits and lets go of the files. */
  close(): Promise<void>
}

/** The store is full, gone or broken: the sender hears internal-server-error, nothing is acknowledged. */
export class StoreError extends Error {}

export type Role = 'agent' | 'manager' | 'admin'

/** Salted keys for one SCRAM hash, base64 (RFC 5802 section 3). */
export interface ScramKeys { readonly salt: string; readonly iterations: number; readonly storedKey: string; readonly serverKey: string }
export type Credentials = Readonly<Partial<Record<'sha-1' | 'sha-256' | 'sha-512', ScramKeys>>>

export interface AccountRecord {
  readonly host: string
  readonly local: string // prepared (RFC 7622)
  readonly created: number // ms since 1970
  readonly credentials: Credentials
  readonly name?: string // shown name
  readonly role?: Role // none: a plain user, never an operator
  readonly disabled?: boolean
  /** Who made it, where that was an authority outside: a directory, an issuer of tokens. */
  readonly authority?: string
}

export interface AccountStore {
  find(host: string, local: string): Promise<AccountRecord | undefined>
  create(record: AccountRecord): Promise<'ok' | 'conflict'>
  /** Replaces the record that bears the same host and local; 'missing' if there is none. */
  update(record: AccountRecord): Promise<'ok' | 'missing'>
  /** Removes the account with its roster, archive, offline messages and documents it owns by bare JID. */
  remove(host: string, local: string): Promise<'ok' | 'missing'>
  list(host: string, page: { after?: string; limit: number }): Promise<AccountRecord[]> // ordered by local
}

export type Subscription = 'none' | 'to' | 'from' | 'both'

/** A contact of a roster (RFC 6121 section 2.1.2), with what the server keeps beside it. */
export interface RosterItem {
  readonly jid: string // bare or as the client gave it, prepared
  readonly name?: string
  readonly groups: readonly string[]
  readonly subscription: Subscription
  readonly ask?: boolean // pending out
  readonly approved?: boolean // pre-approval, section 3.4
  readonly request?: string // pending in: the subscribe stanza as text, whole (section 3.1.3)
  readonly listed?: boolean // false: only `request` or `approved` made this record, the client is not shown it
  readonly injected?: string // the domain of the component that put it in; a client cannot change it
  readonly version: number // the roster's version that last changed it
  readonly removed?: boolean // kept for roster versioning (section 2.6)
}

export interface RosterStore {
  load(owner: string): Promise<{ version: number; items: RosterItem[] }>
  /** Writes these items (by jid) and the roster's new version, all or nothing. */
  put(owner: string, version: number, items: readonly RosterItem[]): Promise<void>
  /** Forgets an item altogether: for records the client never saw. */
  forget(owner: string, jid: string): Promise<void>
}

export interface ArchiveRow {
  readonly owner: string // bare JID of the account or room
  readonly id: string // sorts by time within the owner
  readonly at: number // ms since 1970
  readonly with: string // full JID of the other side
  readonly stanza: string // the message as XML text, content namespace jabber:client
}

export interface ArchiveQuery {
  readonly owner: string
  readonly with?: string // bare: matches any resource
  readonly start?: number
  readonly end?: number
  readonly afterId?: string
  readonly beforeId?: string
  readonly ids?: readonly string[]
  /** Words that must all stand in the message's body; `"in quotes"` together. */
  readonly text?: string
  /** Text that stands in the row's as it is kept, markup and all. */
  readonly holds?: string
  readonly limit: number
  readonly last?: boolean // the newest `limit` rows instead of the oldest; still ordered oldest first
}

export interface ArchiveStore {
  /** Rows of one tick are written as a group. A row whose (owner, id) exists is left as it is. */
  append(row: ArchiveRow): Promise<void>
  query(q: ArchiveQuery): Promise<{ rows: ArchiveRow[]; complete: boolean }>
  count(q: Omit<ArchiveQuery, 'limit' | 'last' | 'afterId' | 'beforeId' | 'text' | 'holds'>): Promise<number>
  has(owner: string, id: string): Promise<boolean>
  ends(owner: string): Promise<{ first?: ArchiveRow; last?: ArchiveRow }>
  expire(owner: string, before: number): Promise<number>
  /** Puts another text in the place of a row's. */
  replace(owner: string, id: string, stanza: string): Promise<'ok' | 'missing'>
  /** Removes these rows; gives how many there were. */
  remove(owner: string, ids: readonly string[]): Promise<number>
}

export interface OfflineRow { readonly id: number; readonly at: number; readonly stanza: string }

export interface OfflineStore {
  /** 'full' when `limit` messages wait already. */
  push(owner: string, at: number, stanza: string, limit: number): Promise<'ok' | 'full'>
  list(owner: string): Promise<OfflineRow[]>
  /** Forgets everything up to and with `id`. */
  clear(owner: string, id: number): Promise<void>
  /** Forgets these; gives how many there were. */
  remove(owner: string, ids: readonly number[]): Promise<number>
}

export interface Stored<T> { readonly id: string; readonly version: number; readonly value: T }

export interface DocumentStore {
  get<T>(collection: string, owner: string, id: string): Promise<Stored<T> | undefined>
  /** `expected`: 0 = must not exist, n = must have that version, absent = whatever is there. Gives the new version. */
  put<T>(collection: string, owner: string, id: string, value: T, expected?: number): Promise<number | 'conflict'>
  remove(collection: string, owner: string, id: string, expected?: number): Promise<'ok' | 'missing' | 'conflict'>
  /** Ordered by id (code points), between `after` and `before`, both outside. */
  range<T>(collection: string, owner: string, page: { after?: string; before?: string; limit: number; reverse?: boolean }): Promise<Stored<T>[]>
}

export interface Commit<E> { readonly stream: string; readonly version: number; readonly events: readonly E[] }

/** An append-only log of streams. One commit is one row: there whole or not at all, unique by (stream, version). */
export interface EventLog {
  /** `version` is the number of commits; 0 and no events if the stream is unknown. */
  load<E>(stream: string): Promise<{ version: number; events: E[] }>
  /**
   * Appends if the stream still has `expected` commits. `live`: whether the stream shall be found again by `live()`;
   * `todo`: effects not done yet; `undone()` finds the commit until `done()` is called for it.
   */
  append<E>(stream: string, expected: number, events: readonly E[], more?: { live?: boolean; todo?: readonly unknown[] }): Promise<'ok' | 'conflict'>
  /** The streams beginning with `prefix` whose newest commit was appended with `live`. */
  live(prefix: string): Promise<string[]>
  undone(prefix: string): Promise<{ stream: string; version: number; todo: unknown[] }[]>
  done(stream: string, version: number): Promise<void>
}
