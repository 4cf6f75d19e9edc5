// Presence (RFC 6121 section 4): who hears that a device comes, changes and goes.
import { el } from '../xml/element.ts'
import { CONTENT, Stanza, type AnyStanza, type Presence } from '../stanza/stanza.ts'
import { refuse } from '../stanza/errors.ts'
import type { Jid } from '../stanza/jid.ts'
import { HANDLED, type Verdict } from '../route/way.ts'
import type { Passage } from '../route/passage.ts'
import type { Account, Resource } from '../session/account.ts'
import { note } from '../session/notes.ts'
import { emit, probe, unavailable } from './announce.ts'
import { forget, forgetAll, knows, knowsAny, remember, take } from './directed.ts'
import { Handshakes, isSubscription } from './handshake.ts'
import { Pace } from './pace.ts'
import type { Rosters } from './roster.ts'
import type { Home } from './home.ts'

const LARGEST = 4096 // characters inside a broadcast presence: it is copied to every contact
const NS_DELAY = 'urn:xmpp:delay'

const lastSeen = note<number | undefined>('last seen', undefined) // on an account: ms since 1970

export class Presences {
  readonly #home: Home
  readonly #rosters: Rosters
  readonly #handshakes: Handshakes
  readonly #pace: Pace
  constructor(home: Home & { readonly rosters: Rosters }) {
    this.#home = home
    this.#rosters = home.rosters
    this.#handshakes = new Handshakes(home, home.rosters)
    this.#pace = new Pace(home, (p, device, told) => this.#tellWatchers(p, device.account, told))
  }

  /** Makes two accounts friends that agreed elsewhere, as far as `account` can: it approves and asks (RFC 6121 sections 3.1 and 3.4). */
  async befriend(account: Account, other: Jid): Promise<void> {
    for (const type of ['subscribed', 'subscribe'] as const) {
      await this.#handshakes.says(Stanza.of('presence', { type, from: account.jid, to: other, id: this.#rosters.nextId() }), account)
    }
  }

  /** A presence without `to`, or a subscription stanza, of a device. */
  fromDevice(p: Presence, device: Resource): void | Promise<void> {
    if (isSubscription(p)) return this.#handshakes.leaves(p, device)
    if (p.type === 'unavailable') { this.#leave(p, device, true); return }
    if (p.type !== 'available') return // a probe or an error that names nobody
    if (!isPriority(p)) { this.#home.giveBack(p, refuse('bad-request'), device); return } // section 4.7.2.3
    if (p.payload.reduce((sum, e) => sum + e.write(CONTENT).length, 0) > LARGEST) { this.#home.giveBack(p, refuse('not-acceptable'), device); return }
    this.#broadcast(p, device)
  }

  #broadcast(p: Presence, device: Resource): void {
    const { account } = device
    const first = device.presence === undefined
    device.presence = p
    const own = p.readdress({ to: account.jid })
    for (const r of account.available) r.deliver(own)
    this.#pace.spread(p, device)
    if (first) {
      this.#askWatched(device)
      this.#handshakes.redeliver(device)
      this.#home.tell('available', device)
    }
    this.#home.tell('presence', device)
  }

  /** One copy for each contact who may see it. A local one who is offline hears nothing anyway (section 8.5.2.2.2). */
  #tellWatchers(p: Presence, account: Account, told?: ReadonlySet<string>): void {
    const home = this.#home
    for (const to of this.#rosters.of(account).watchers) {
      if (told?.has(to.bare)) continue
      if (to.domain === home.domain && to.local !== '' && !home.accounts.online(to)?.available.length) continue
      if (!home.barred(account, to)) void emit(home, p.readdress({ to }))
    }
  }

  /** A probe for each contact whose presence we see; what we know ourselves is delivered instead (section 4.3.1). */
  #askWatched(device: Resource): void {
    const home = this.#home
    const { account } = device
    for (const to of this.#rosters.of(account).watched) {
      if (home.barred(account, to, true)) continue
      if (to.domain !== home.domain || to.local === '') { void emit(home, probe(account.jid, to, this.#rosters.nextId())); continue }
      const contact = home.accounts.online(to)
      if (!contact?.available.length || !this.#rosters.of(contact).isWatcher(account.jid.bare) || home.barred(contact, account.jid)) continue
      for (const r of contact.available) device.deliver(r.presence!.readdress({ to: account.jid })) // available says there is one
    }
  }

  /** The device's stream has ended, however it ended: everybody who must hear of it does (section 4.5.2). */
  gone(device: Resource): void { this.#leave(unavailable(device.jid), device, false) }

  #leave(p: Presence, device: Resource, connected: boolean): void {
    const home = this.#home
    const { account } = device
    const was = device.presence !== undefined
    if (was) {
      device.presence = undefined
      const own = p.readdress({ to: account.jid })
      for (const r of account.available) r.deliver(own)
      if (connected) device.deliver(own)
      if (connected) this.#pace.spread(p, device)
      if (!account.available.length) account.set(lastSeen, home.clock.now())
    }
    if (!connected) this.#pace.finish(device, was ? p : undefined) // before another stream tells something in this address's name
    const book = this.#rosters.of(account)
    for (const to of take(device)) { // section 4.6.3
      if (!(was && book.isWatcher(to.bare) && !home.barred(account, to)) && !home.barred(account, to, true)) void emit(home, p.readdress({ to }))
    }
    if (was) home.tell('unavailable', device)
  }

  /** Something of `device` for one address is on its way: it does not overtake presence that its recipient is still to be told (RFC 6120 section 10.1). */
  precede(to: Jid, device: Resource): void {
    if (!this.#pace.isLate(device)) return
    const home = this.#home
    if (!this.#rosters.of(device.account).isWatcher(to.bare) || home.barred(device.account, to)) return
    const late = this.#pace.owed(to.bare, device)
    if (late) void emit(home, late.readdress({ to: to.toBare() }))
  }

  /** Tells at once what waits for the device's turn: the server ends, and the session outlives it. */
  settle(device: Resource): void { this.#pace.finish(device) }

  /** Whether the device has told its presence to somebody of that bare address, as one does who is in a room. */
  isWith(device: Resource, jid: Jid): boolean { return knowsAny(device, jid) }

  /** A presence with `to` is on its way: whoever got one must hear of the device's end. */
  directed(p: Presence, device: Resource): void {
    const { to } = p
    if (!to || to.bare === device.jid.bare) return
    if (p.type === 'unavailable') forget(device, to.full)
    if (p.type !== 'available') return
    const dropped = remember(device, to)
    if (dropped) void emit(this.#home, unavailable(device.jid, dropped))
  }

  /** A presence for an account of this host. */
  arrives(p: Presence, passage: Passage): Verdict | Promise<Verdict> {
    const { account } = passage
    if (isSubscription(p)) return this.#handshakes.arrives(p, account)
    if (p.type === 'probe') { this.#answer(p, account); return HANDLED }
    if (p.type === 'unavailable' && p.from) forgetAll(account, p.from) // section 4.6.1
    const busy = this.#rosters.of(account).busy // what allows or ends this presence is being written: it goes first
    if (busy) return busy.then(() => { show(p, account); return HANDLED })
    show(p, account)
    return HANDLED
  }

  /** Answers a probe with what the asker may know (sections 4.3.2 and 4.6.6). */
  #answer(p: Presence, account: Account): void {
    const home = this.#home
    const { from, to } = p
    if (!from || !to || home.barred(account, from)) return
    const id = p.head.id
    const say = (type: Presence['type'], by: Jid, with_: string | undefined = id): void => void emit(home, Stanza.of('presence', { type, from: by, to: from, id: with_ }))
    const trusted = from.bare === account.jid.bare || from.full === home.domain || this.#rosters.of(account).isWatcher(from.bare)
    const device = to.isBare ? undefined : account.resources.get(to.resource)
    if (!trusted) {
      if (device && knows(device, from)) say(device.presence ? 'available' : 'unavailable', to)
      else say('unsubscribed', account.jid)
    } else if (!to.isBare) {
      if (device?.presence) say('available', to, device.presence.head.id)
      else say('unavailable', to)
    } else if (account.available.length) {
      for (const r of account.available) {
        void emit(home, r.presence!.readdress({ to: from })) // available says there is one
        if (!r.attached) home.tell('asleep', r)
      }
    } else {
      const at = account.get(lastSeen)
      const delay = at === undefined ? [] : [el('delay', NS_DELAY, { stamp: new Date(at).toISOString() })]
      void emit(home, Stanza.of('presence', { type: 'unavailable', from: account.jid, to: from, id }, delay))
    }
  }

  /** A stanza for an account that does not exist: the first row of the table in RFC 6121 section 8.5.4. */
  toNobody(stanza: AnyStanza, via?: Resource): void {
    const refused = refuse('service-unavailable')
    if (stanza.kind === 'iq') { if (stanza.type === 'get' || stanza.type === 'set') this.#home.giveBack(stanza, refused, via); return }
    if (stanza.kind === 'message') {
      const bounced = stanza.type === 'groupchat' || (via !== undefined && (stanza.type === 'normal' || stanza.type === 'chat'))
      if (bounced) this.#home.giveBack(stanza, refused, via) // strangers do not learn who exists
      return
    }
    if (stanza.type === 'probe' && stanza.from && stanza.to) { // section 4.3.2, as for an account that does not know the asker
      void emit(this.#home, Stanza.of('presence', { type: 'unsubscribed', from: stanza.to.toBare(), to: stanza.from, id: stanza.head.id }))
    }
  }
}

/** Gives available, unavailable and error presence to the account's devices. */
function show(p: Presence, account: Account): void {
  if (p.to && !p.to.isBare) account.resources.get(p.to.resource)?.deliver(p)
  else for (const r of p.type === 'error' ? account.resources.values() : account.available) r.deliver(p) // an error may answer a subscribe, sent in the account's name
}

function isPriority(p: Presence): boolean {
  const all = p.payload.filter(e => e.is('priority', CONTENT))
  if (all.length === 0) return true
  const n = all[0]!.text.trim()
  return all.length === 1 && /^[+-]?\d{1,3}$/.test(n) && Number(n) >= -128 && Number(n) <= 127
}
