// What a component that runs in this process may do of what only the server can.
import { refuse } from '../stanza/errors.ts'
import { Jid } from '../stanza/jid.ts'
import { Stanza } from '../stanza/stanza.ts'
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
      return { watches: book !== undefined && book.isWatcher(other.bare) && !host.barred(account!, other, true), groups: book?.items.get(other.bare)?.groups ?? [] } // a book is an account's
    },
    ...privacyOf(host, domain),
    onAttachment(listener) {
      let live = true
      host.when('detached', d => { if (live) listener(d.jid.full, false) })
      host.when('asleep', d => { if (live) listener(d.jid.full, false) })
      host.when('attached', d => { if (live) listener(d.jid.full, true) })
      return { [Symbol.dispose]() { live = false } }
    },
    serves: name => host.router.has(name),
    isForGuests: name => host.router.isForGuests(name),
    async wakes(jid) {
      const at = Jid.tryParse(jid)
      const account = at?.domain === host.domain ? await host.accounts.at(at) : undefined
      return account !== undefined && host.service(WAKES)?.(account) === true
    },
    token: text => host.tokens(text),
    onTokens: listener => host.onTokens(listener),
  }
}

const hiding = new WeakMap<Host, Map<string, Set<string>>>()
/** The accounts of the host that all but this component see as gone: the same set if it starts anew. */
function hiddenFrom(host: Host, domain: string): Set<string> {
  const all = hiding.get(host) ?? new Map<string, Set<string>>()
  hiding.set(host, all)
  const known = all.get(domain)
  if (known) return known
  const hidden = new Set<string>()
  all.set(domain, hidden)
  host.bar((account, other, wanted) => !wanted && hidden.has(account.jid.bare) && other.domain !== domain && other.bare !== account.jid.bare)
  return hidden
}

/** Hides accounts, and keeps some from writing to others. */
function privacyOf(host: Host, domain: string): Required<Pick<Privileges, 'hide' | 'keepApart'>> {
  return {
    hide(owner, on) {
      const at = Jid.tryParse(owner)
      if (!on && !hiding.get(host)?.has(domain)) return
      const hidden = hiddenFrom(host, domain)
      if (at?.domain !== host.domain || hidden.has(at.bare) === on) return
      const account = host.accounts.online(at)
      const devices = account?.available ?? []
      const saw = account && devices.length > 0 ? host.rosters.of(account).watchers.filter(to => !host.barred(account, to)) : []
      if (on) hidden.add(at.bare)
      else hidden.delete(at.bare)
      if (!account || devices.length === 0) return
      const sees = host.rosters.of(account).watchers.filter(to => !host.barred(account, to))
      const [gone, come] = [without(saw, sees), without(sees, saw)]
      for (const device of devices) {
        for (const to of gone) host.send(Stanza.of('presence', { type: 'unavailable', from: device.jid, to }))
        for (const to of come) host.send(device.presence!.readdress({ to })) // available says there is one
      }
    },
    keepApart(rule) {
      let live = true
      host.on('out:admit', ({ stanza, account }) => {
        const { kind, to, type } = stanza
        if (!live || kind !== 'message' || type === 'error' || to?.domain !== host.domain || to.local === '' || to.bare === account.jid.bare) return undefined
        const words = rule(account.jid.bare, to.bare)
        return words === undefined ? undefined : refuse('forbidden', words)
      })
      return { [Symbol.dispose]() { live = false } }
    },
  }
}

const without = (all: readonly Jid[], these: readonly Jid[]): Jid[] => all.filter(j => !these.some(other => other.bare === j.bare))
