// The accounts of a host: loaded when somebody needs them, kept while a device is online, a bounded number longer.
import type { Jid } from '../stanza/jid.ts'
import type { AccountRecord, Stores } from '../ports/store.ts'
import { Account } from '../session/account.ts'

/** What a plugin or the core reads from the store before an account is used. */
export type Loader = (account: Account) => Promise<void>

/** A record that was read for a login, and when that was: `at` needs no second look if nothing changed since. */
export interface Found { readonly record: AccountRecord | undefined; readonly changes: number }

const IDLE = 10_000 // accounts kept loaded though nobody is online

/** Whose accounts they are, and where they lie. */
interface Kept { readonly domain: string; readonly stores: Pick<Stores, 'accounts'> }

export class Accounts {
  readonly #home: Kept
  readonly #loaded = new Map<string, Account>() // by localpart, the least lately loaded first
  readonly #loading = new Map<string, Promise<Account | undefined>>()
  readonly #loaders: Loader[] = []
  readonly #holds: ((account: Account) => boolean)[] = []
  #changes = 0 // of records, since the start
  constructor(home: Kept) { this.#home = home }

  /** Runs `loader` for each account that is loaded from now on, beside the others: their reads go to the store together. */
  loader(loader: Loader): void { this.#loaders.push(loader) }
  /** An account stays in memory while `rule` says so. */
  holds(rule: (account: Account) => boolean): void { this.#holds.push(rule) }

  /** The account if it is loaded: for what concerns only who is online. */
  online(jid: Jid): Account | undefined { return this.#loaded.get(jid.local) }

  get all(): IterableIterator<Account> { return this.#loaded.values() }

  /** The account, from memory at once or from the store; undefined if there is none. `found`: what `find` said of it a moment ago. */
  at(jid: Jid, found?: Found): Account | undefined | Promise<Account | undefined> {
    return this.#loaded.get(jid.local) ?? this.#loading.get(jid.local) ?? this.#load(jid, found)
  }

  /** The record of `local` (prepared), with what proves who he is; the account is not loaded for it. */
  find(local: string): Found | Promise<Found> {
    const changes = this.#changes
    const loaded = this.#loaded.get(local)
    return loaded ? { record: loaded.record, changes } : this.#home.stores.accounts.find(this.#home.domain, local).then(record => ({ record, changes }))
  }

  /** The record was changed by an admin: takes it in; undefined means removed. */
  refresh(jid: Jid, record: AccountRecord | undefined): void {
    this.#changes++
    this.#loading.delete(jid.local) // what is on its way is of yesterday
    const account = this.#loaded.get(jid.local)
    if (!account) return
    if (record) { account.record = record; return }
    this.#loaded.delete(jid.local)
  }

  #load(jid: Jid, found?: Found): Promise<Account | undefined> {
    const known = found?.record !== undefined && found.changes === this.#changes
    const read = known ? Promise.resolve(found.record) : this.#home.stores.accounts.find(this.#home.domain, jid.local)
    const loading: Promise<Account | undefined> = read.then(async record => {
      const account = record && new Account(jid.toBare(), record)
      if (account) await Promise.all(this.#loaders.map(l => l(account)))
      if (this.#loading.get(jid.local) !== loading) return await this.at(jid) // it was changed meanwhile
      if (!account) return undefined
      this.#loaded.set(jid.local, account)
      this.#trim()
      return account
    }).finally(() => { if (this.#loading.get(jid.local) === loading) this.#loading.delete(jid.local) })
    this.#loading.set(jid.local, loading)
    return loading
  }

  #trim(): void {
    if (this.#loaded.size <= IDLE) return
    let spare = this.#loaded.size - IDLE
    for (const [local, a] of this.#loaded) {
      if (spare-- <= 0) return
      if (a.resources.size === 0 && !this.#holds.some(rule => rule(a))) this.#loaded.delete(local)
    }
  }
}
