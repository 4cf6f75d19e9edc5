// Subscriptions (RFC 6121 section 3): carries out what the state tables say, on both sides.
import { parseFrame } from '../xml/parser.ts'
import type { Jid } from '../stanza/jid.ts'
import { CONTENT, Stanza, type Presence } from '../stanza/stanza.ts'
import { readStanza, Unreadable } from '../stanza/read.ts'
import { refuse, StanzaError } from '../stanza/errors.ts'
import { HANDLED, type Verdict } from '../route/way.ts'
import type { RosterItem } from '../ports/store.ts'
import type { Account, Resource } from '../session/account.ts'
import { isListed, type Amendment, type Draft } from './book.ts'
import { emit, tellGone, tellPresence } from './announce.ts'
import { forgetAll } from './directed.ts'
import { flagsOf, inbound, isWatcher, outbound, stateOf, type Step, type SubscriptionType } from './subscription.ts'
import type { Rosters } from './roster.ts'
import type { Home } from './home.ts'

const LONGEST = 8192 // characters of a request that is kept

const TYPES = new Set<string>(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'])
export const isSubscription = (p: Presence): boolean => TYPES.has(p.type)

export class Handshakes {
  readonly #home: Home
  readonly #rosters: Rosters
  constructor(home: Home, rosters: Rosters) { this.#home = home; this.#rosters = rosters }

  /** A subscription stanza of a device. */
  leaves(p: Presence, device: Resource): void | Promise<void> {
    const refused = (e: StanzaError | void): void => { if (e) this.#home.giveBack(p, e, device) }
    const done = this.says(p, device.account, device)
    return done instanceof Promise ? done.then(refused) : refused(done)
  }

  /** A subscription stanza of an account, by one of its devices or on its behalf. */
  says(p: Presence, account: Account, device?: Resource): StanzaError | void | Promise<StanzaError | void> {
    const to = p.to?.toBare() // section 3.1.2
    if (!to || to.bare === account.jid.bare) return
    return this.#rosters.of(account).amend(() => this.#leave(p.readdress({ from: account.jid, to }), to, account, device))
  }

  #leave(stamped: Presence, to: Jid, account: Account, device: Resource | undefined): Amendment | StanzaError | undefined {
    const book = this.#rosters.of(account)
    const item = book.items.get(to.bare)
    if (this.#rosters.isFixed(item)) { if (device) this.#rosters.show(device, item); return undefined }
    const state = stateOf(item)
    const step = outbound(state, stamped.type as SubscriptionType) // isSubscription was asked
    const approved = stamped.type === 'unsubscribed' ? false : (step.approval ?? item?.approved ?? false)
    const change = becomes(item, to.bare, step, approved, item?.request)
    if (isListedDraft(change.put?.[0]) && !isListed(item) && book.listed.length >= this.#home.limits.account.roster) return refuse('resource-constraint')
    const loses = isWatcher(state) && !isWatcher(step.next)
    const gains = !isWatcher(state) && isWatcher(step.next)
    return {
      ...change,
      then: done => {
        if (loses) { tellGone(this.#home, account, to); forgetAll(account, to) } // sections 3.2.2 and 4.6.1
        const routed = step.passes ? emit(this.#home, stamped, device) : undefined
        if (!change.unseen) this.#push(account, done)
        if (gains) tellPresence(this.#home, account, to) // section 3.1.5
        return routed
      },
    }
  }

  /** A subscription stanza for an account. */
  arrives(p: Presence, account: Account): Verdict | Promise<Verdict> {
    const from = p.from?.toBare()
    if (!from || from.bare === account.jid.bare) return HANDLED
    if (p.to && !p.to.isBare && p.type !== 'subscribe' && !account.resources.has(p.to.resource)) return HANDLED // section 8.5.3.2.2
    const done = this.#rosters.of(account).amend(() => this.#arrive(p.readdress({ from, to: account.jid }), from, account))
    return done instanceof Promise ? done.then(e => e ?? HANDLED) : (done ?? HANDLED)
  }

  #arrive(p: Presence, from: Jid, account: Account): Amendment | StanzaError | undefined {
    const book = this.#rosters.of(account)
    const item = book.items.get(from.bare)
    const state = stateOf(item)
    const step = inbound(state, p.type as SubscriptionType, item?.approved ?? false) // isSubscription was asked
    if (step.next === state) return step.reply ? { then: () => this.#reply(step, p, account, from) } : undefined
    if (this.#rosters.isFixed(item)) return undefined
    let request = item?.request
    if (p.type === 'subscribe' && step.passes) {
      request = p.write(CONTENT)
      if (request.length > LONGEST) return refuse('not-acceptable')
      let waiting = 0
      for (const i of book.items.values()) if (i.request !== undefined) waiting++
      if (waiting >= this.#home.limits.account.pendingSubscriptions) return refuse('resource-constraint')
    }
    const loses = isWatcher(state) && !isWatcher(step.next)
    const change = becomes(item, from.bare, step, item?.approved ?? false, request)
    return {
      ...change,
      then: done => {
        if (step.passes) this.#deliver(p, account)
        if (!change.unseen) this.#push(account, done)
        if (loses) { tellGone(this.#home, account, from); forgetAll(account, from) } // section 3.3.3
        this.#reply(step, p, account, from)
      },
    }
  }

  /** A request goes to the available devices (section 3.1.3), an answer or an end to those interested (sections 3.1.6, 3.2.3, 3.3.3). */
  #deliver(p: Presence, account: Account): void {
    if (p.type === 'subscribe') for (const r of account.available) r.deliver(p)
    else for (const r of account.resources.values()) if (this.#rosters.isInterested(r)) r.deliver(p)
  }

  #reply(step: Step, p: Presence, account: Account, to: Jid): void {
    if (!step.reply) return
    void emit(this.#home, Stanza.of('presence', { type: step.reply, from: account.jid, to, id: p.head.id }))
    if (step.reply === 'subscribed') tellPresence(this.#home, account, to)
  }

  #push(account: Account, done: readonly RosterItem[]): void { for (const i of done) this.#rosters.push(account, i) }

  /** The requests that still wait, for a device that has just become available (section 3.1.3). */
  redeliver(device: Resource): void {
    for (const i of this.#rosters.of(device.account).items.values()) {
      if (i.request === undefined) continue
      const p = readStanza(parseFrame(i.request))
      if (!(p instanceof Unreadable) && p.from && !this.#home.barred(device.account, p.from, true)) device.deliver(p)
    }
  }
}

const isListedDraft = (d: Draft | undefined): boolean => d !== undefined && !d.removed && d.listed !== false

/** The item after a step: written, forgotten, or as it was. A request alone does not make an item of the roster (section 3.1.3). */
function becomes(item: RosterItem | undefined, jid: string, step: Step, approved: boolean, request: string | undefined): Omit<Amendment, 'then'> {
  const { subscription, ask, waits } = flagsOf(step.next)
  if (step.next === stateOf(item) && approved === (item?.approved ?? false)) return {}
  const listed = isListed(item) || subscription !== 'none' || ask || approved
  const draft: Draft = {
    jid,
    ...(isListed(item) && item.name ? { name: item.name } : {}),
    groups: isListed(item) ? item.groups : [],
    subscription,
    ...(ask ? { ask } : {}),
    ...(approved ? { approved } : {}),
    ...(waits && request !== undefined ? { request } : {}),
    ...(isListed(item) && item.injected ? { injected: item.injected } : {}),
    ...(listed ? {} : { listed: false }),
    ...(!listed && item?.removed ? { removed: true } : {}),
  }
  // A contact does not change its looks because it asks (appendix A.1), and who is no contact has none.
  const unseen = !listed || (isListed(item) && item.subscription === subscription && (item.ask ?? false) === ask && (item.approved ?? false) === approved)
  return listed || waits || item?.removed ? { put: [draft], unseen } : { forget: jid, unseen: true }
}
