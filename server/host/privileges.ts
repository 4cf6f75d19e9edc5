// What a component that runs in this process may do of what only the server can.
import { Jid } from '../stanza/jid.ts'
import { everyAccount } from '../store/pages.ts'
import type { Connection, Person, Privileges } from '../component/component.ts'
import { WAKES, type Host } from './host.ts'
import { keeperOf } from './keeping.ts'

/** The privileges of the component `domain` with regard to the accounts of `host`. */
export function privilegesOf(host: Host, domain: string, connection: () => Connection = () => ({ selfSigned: true })): Privileges {
  return {
    accounts: keeperOf(host, connection),
    get tokens() { return host.keyring },
    async people() {
      const people: Person[] = []
      for await (const r of everyAccount(host.stores.accounts, host.domain)) if (r.role && !r.disabled) people.push({ jid: `${r.local}@${host.domain}`, role: r.role, ...(r.name ? { name: r.name } : {}) })
      return people
    },
    onPeople: listener => host.onPeople(listener),
    inject: (owner, items) => host.rosters.inject(Jid.parse(owner), domain, items),
    withdraw: (owner, jids) => host.rosters.withdraw(Jid.parse(owner), domain, jids),
    injected: owner => host.rosters.injected(Jid.parse(owner), domain),
    async standing(owner, who) {
      const account = await host.accounts.at(Jid.parse(owner))
      const book = account && host.rosters.of(account)
      const other = Jid.parse(who)
      return { watches: book !== undefined && book.isWatcher(other.bare) && !host.barred(account!, other), groups: book?.items.get(other.bare)?.groups ?? [] } // a book is an account's
    },
    onAttachment(listener) {
      let live = true
      host.when('detached', d => { if (live) listener(d.jid.full, false) })
      host.when('asleep', d => { if (live) listener(d.jid.full, false) })
      host.when('attached', d => { if (live) listener(d.jid.full, true) })
      return { [Symbol.dispose]() { live = false } }
    },
    serves: name => host.router.has(name),
    async wakes(jid) {
      const at = Jid.tryParse(jid)
      const account = at?.domain === host.domain ? await host.accounts.at(at) : undefined
      return account !== undefined && host.service(WAKES)?.(account) === true
    },
    token: text => host.tokens(text),
    onTokens: listener => host.onTokens(listener),
  }
}
