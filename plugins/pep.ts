// XEP-0163: every account is a publish-subscribe service; contacts and one's own devices hear of what they are interested in.
import {
  el, HANDLED, Jid, note, plugin, refuse, Stanza, StanzaError,
  type Account, type Ask, type Element, type Host, type Message, type Passage, type Presence, type Resource,
} from '../server/api.ts'
import { NODE_DISCO, PERSONAL_NODES, type PersonalNodes } from '../protocols/personal.ts'
import { ACCESS_MODELS, PERSONAL, type AccessModel } from '../protocols/pubsub/config.ts'
import { authorization, itemEvent, readAuthorization } from '../protocols/pubsub/events.ts'
import { capsOf, Interests, NOTHING, type Caps, type Interest } from '../protocols/pubsub/interests.ts'
import { NS_OWNER, NS_PUBSUB, PUBSUB_FEATURES } from '../protocols/pubsub/names.ts'
import { affiliationOf, readBar, type NodeState, type Standing } from '../protocols/pubsub/node.ts'
import type { Heading } from '../protocols/pubsub/nodes.ts'
import { answerGet, answerOwnerGet, answerOwnerSet, answerSet, nodeInfo, nodeItems, nodeOf, visibleNodes, type Answer } from '../protocols/pubsub/requests.ts'
import { Pubsub, type World } from '../protocols/pubsub/service.ts'
import { Shelf } from '../protocols/pubsub/shelf.ts'

const NS_DELAY = 'urn:xmpp:delay'
const NS_ADDRESS = 'http://jabber.org/protocol/address' // XEP-0033
const PREFIX = 'pep' // of the collections
const GUESTS = 1000 // clients from elsewhere that an account has in sight
const MODELS: ReadonlySet<AccessModel> = new Set(ACCESS_MODELS)
const FEATURES = ['access-presence', 'auto-subscribe', 'filtered-notifications', 'presence-notifications', 'presence-subscribe', 'pubsub-on-a-jid'].map(f => `${NS_PUBSUB}#${f}`)

const services = note<Promise<Pubsub> | undefined>('personal nodes', undefined) // on an account; there once somebody asked for them
const guests = note<Map<string, Guest> | undefined>('clients in sight', undefined) // on an account: by full JID
const caps = note<Caps | undefined>('capabilities', undefined) // on a device
const interest = note<Interest>('interest', NOTHING) // on a device
const met = note<Set<string> | undefined>('nodes seen of', undefined) // on a device: whose last items it was sent

/** Somebody's client that is no device of a contact here, but shows its presence. */
interface Guest { readonly jid: Jid; readonly key: string | undefined; interest: Interest }

/** XEP-0163 Personal Eventing Protocol, with all access models. */
export const pep = plugin('pep', host => {
  host.accountFeature(...PUBSUB_FEATURES, ...FEATURES)
  host.feature(`${NS_PUBSUB}#publish`, `${NS_PUBSUB}#publish-options`, `${NS_PUBSUB}#access-whitelist`) // XEP-0223 section 5 looks for them here; XEP-0373 section 5.1 asks for the last
  host.identities.account.push({ category: 'pubsub', type: 'pep' })
  host.identities.host.push({ category: 'pubsub', type: 'pep' })
  new Pep(host)
})

class Pep {
  readonly #host: Host
  readonly #interests: Interests
  readonly #watchers = new Map<string, ((account: Account) => void)[]>() // by node
  readonly #seeds = new Map<string, (account: Account) => Promise<void>>()
  #sent = 0
  #made = 0

  constructor(host: Host) {
    this.#host = host
    this.#interests = new Interests(iq => host.ask(iq))
    const at = ['self', 'other', 'nobody'] as const
    host.iq(at, 'get', NS_PUBSUB, 'pubsub', (query, ask) => this.#serve(query, ask, answerGet))
    host.iq(at, 'set', NS_PUBSUB, 'pubsub', (query, ask) => this.#serve(query, ask, answerSet))
    host.iq(at, 'get', NS_OWNER, 'pubsub', (query, ask) => this.#serve(query, ask, (s, q, from) => answerOwnerGet(s, q, from, this.#world(ask.account!)))) // #serve looked at it
    host.iq(at, 'set', NS_OWNER, 'pubsub', (query, ask) => this.#serve(query, ask, answerOwnerSet))

    host.provide(NODE_DISCO, {
      info: async (account, query, from) => nodeInfo(await this.#of(account), query.attrs['node'] ?? '', from, account.jid.bare),
      items: async (account, query, from) => {
        const { node } = query.attrs
        return node === undefined ? visibleNodes(await this.#of(account), query, from, account.jid) : nodeItems(await this.#of(account), query, node, from, account.jid)
      },
    })
    host.provide(PERSONAL_NODES, this.#forPlugins())

    host.on('in:mark', p => { if (p.stanza.kind === 'presence' && p.stanza.to?.isBare) this.#sees(p, p.stanza) })
    host.on('out:mark', p => (p.stanza.kind === 'message' && p.stanza.to?.full === p.account.jid.full ? this.#decides(p, p.stanza) : undefined))
    host.when('presence', device => this.#shows(device))
    host.when('attached', device => this.#shows(device)) // over a restart it was forgotten
    host.when('unavailable', device => this.#leaves(device))
  }

  // ---- requests

  async #serve(query: Element, { account, from, iq }: Ask, answer: (service: Pubsub, query: Element, from: Jid) => Promise<Answer>): Promise<Answer> {
    const unseen = refuse(iq.type === 'get' ? 'service-unavailable' : 'forbidden') // what is not there looks like an account that is not there
    if (!account) return unseen
    const service = await this.#of(account)
    const own = from.bare === account.jid.bare
    const node = nodeOf(query)
    const seed = this.#seeds.get(node)
    if (own && seed && !service.has(node)) await seed(account)
    if (!own && !service.has(node) && !this.#watches(account, from)) return unseen
    return await answer(service, query, from)
  }

  /** An owner answers whether somebody may subscribe: it is for his nodes, not for his devices. */
  #decides({ account, sender }: Passage, message: Message): typeof HANDLED | undefined {
    const said = readAuthorization(message)
    if (!said || !sender) return undefined
    this.#of(account).then(service => service.decide(said.node, account.jid, said.subscriber, said.allow)).then(refused => {
      if (refused) this.#host.giveBack(message, refused, sender)
    }).catch((error: unknown) => this.#host.bug(error, message))
    return HANDLED
  }

  #of(account: Account): Promise<Pubsub> {
    const known = account.get(services)
    if (known) return known
    const { documents } = this.#host.stores
    const opening = Pubsub.open(new Shelf(documents, account.jid.bare, PREFIX), this.#world(account))
    account.set(services, opening)
    opening.catch(() => account.set(services, undefined)) // whoever waits for it hears why
    return opening
  }

  #world(account: Account): World & { readonly owner: string } {
    const host = this.#host
    const owner = account.jid.bare
    return {
      owner,
      defaults: PERSONAL,
      limits: () => ({ ...host.limits.pubsub, models: MODELS, answer: host.limits.stanza.c2s }),
      mayCreate: who => who.bare === owner,
      standing: who => this.#standing(account, who),
      now: () => host.clock.now(),
      newId: () => `${host.clock.now().toString(36)}-${(++this.#made).toString(36)}`,
      notify: (node, event, { only, at, by }) => {
        const to = only ? [only] : this.#audience(account, node)
        if (to.length) this.#send(account, to, node, event, { at, by })
      },
      asks: (to, node, subscriber) => this.#host.send(Stanza.of('message', { type: 'normal', from: account.jid, to, id: `pep-${(++this.#sent).toString(36)}` }, authorization(node, subscriber))),
      changed: node => { for (const listener of this.#watchers.get(node) ?? []) listener(account) },
    }
  }

  #standing(account: Account, jid: Jid): Standing {
    return { jid, watches: this.#watches(account, jid), groups: this.#host.rosters.of(account).items.get(jid.bare)?.groups ?? [] }
  }

  /** Whether somebody sees the account's presence. */
  #watches(account: Account, who: Jid): boolean {
    return who.bare === account.jid.bare || (this.#host.rosters.of(account).isWatcher(who.bare) && !this.#host.barred(account, who))
  }

  // ---- events

  #send(account: Account, to: Iterable<Jid>, node: NodeState, event: Element, { at, by }: { readonly at?: number | undefined; readonly by?: Jid | undefined }): void {
    const delay = at === undefined ? [] : [el('delay', NS_DELAY, { stamp: new Date(at).toISOString() })]
    const message: Message = Stanza.of('message', { type: node.record.config.messageType, from: account.jid }, [event, ...delay])
    // Which device published it is for those who see its presence, and for nobody else (section 4.3.1).
    const known: Message = by === undefined || by.isBare ? message : message.with(el('addresses', NS_ADDRESS, {}, el('address', NS_ADDRESS, { type: 'replyto', jid: by.full })))
    for (const jid of to) this.#host.send((known !== message && this.#watches(account, jid) ? known : message).readdress({ to: jid, id: `pep-${(++this.#sent).toString(36)}` }))
  }

  /** Who hears of a change: interested clients of the owner and of those who see his presence and show theirs, and who subscribed (section 4.3). */
  #audience(account: Account, node: NodeState): readonly Jid[] {
    const host = this.#host
    const { name, record } = node
    const found = new Map<string, Jid>()
    const bares = new Set<string>()
    const add = (jid: Jid): void => { found.set(jid.full, jid); bares.add(jid.bare) }
    for (const r of account.available) if (r.get(interest).has(name)) add(r.jid)
    for (const contact of host.rosters.of(account).watchers) {
      const other = contact.domain === host.domain ? host.accounts.online(contact) : undefined
      if (!other?.available.length || !this.#reads(account, node, contact)) continue
      for (const r of other.available) if (r.get(interest).has(name) && host.rosters.sharesPresence(other, account.jid, r)) add(r.jid)
    }
    for (const g of account.get(guests)?.values() ?? []) if (this.#interestOf(g).has(name) && this.#reads(account, node, g.jid)) add(g.jid)
    for (const s of record.subscriptions) {
      const jid = Jid.parse(s)
      if (!found.has(jid.full) && !(jid.isBare && bares.has(jid.bare)) && this.#reads(account, node, jid)) found.set(jid.full, jid)
    }
    return [...found.values()]
  }

  #reads(account: Account, node: Heading, who: Jid): boolean {
    if (who.bare === account.jid.bare) return true
    if (this.#host.barred(account, who, true)) return false
    return readBar(node, this.#standing(account, who), affiliationOf(node, who.bare, account.jid.bare)) === undefined
  }

  /** A client of this host tells of itself, a stranger's what we learnt. */
  #interestOf(guest: Guest): Interest {
    const { jid } = guest
    return jid.domain === this.#host.domain ? (this.#host.accounts.online(jid)?.resources.get(jid.resource)?.get(interest) ?? NOTHING) : guest.interest
  }

  // ---- clients that come, change and go

  /** A device has broadcast its presence. */
  #shows(device: Resource): void {
    const presence = device.presence
    const now = presence && capsOf(presence)
    if (device.get(caps)?.key === now?.key) return
    device.set(caps, now)
    const known = now ? this.#interests.of(now) : NOTHING
    if (known) { this.#likes(device, known); return }
    this.#interests.learn(now!, device.jid, this.#host.jid).then(told => { // only caps are not known
      if (device.get(caps) === now) this.#likes(device, told)
    }).catch((error: unknown) => this.#host.bug(error))
  }

  #likes(device: Resource, now: Interest): void {
    const before = device.get(interest)
    device.set(interest, now)
    const fresh = new Set([...now].filter(n => !before.has(n)))
    if (fresh.size) this.#catchUp(device, fresh).catch((error: unknown) => this.#host.bug(error))
  }

  /** Sends a device the last items of its own account and of its contacts, one after the other. */
  async #catchUp(device: Resource, fresh: Interest): Promise<void> {
    const host = this.#host
    const { account } = device
    const known = device.get(met) // there if it wants more than before
    const seen = known ?? new Set<string>()
    device.set(met, seen)
    await this.#sendLast(account, device.jid, fresh)
    const book = host.rosters.of(account)
    for (const contact of book.watched) {
      if (device.get(met) !== seen) return // it has gone
      if (contact.domain !== host.domain || contact.local === '' || (!known && seen.has(contact.bare)) || !book.isWatcher(contact.bare) || host.barred(account, contact)) continue
      seen.add(contact.bare)
      const other = host.accounts.online(contact) ?? (await this.#publishes(contact) ? await host.accounts.at(contact) : undefined)
      if (other) await this.#sendLast(other, device.jid, fresh)
    }
  }

  /** Whether an account that is not in memory is worth to be loaded. */
  async #publishes(contact: Jid): Promise<boolean> { return (await this.#host.stores.documents.range(`${PREFIX}-node`, contact.bare, { limit: 1 })).length > 0 }

  async #sendLast(account: Account, to: Jid, wanted: Interest): Promise<void> {
    const service = await this.#of(account)
    for (const name of service.names) {
      const node = wanted.has(name) ? service.peek(name) : undefined
      if (!node || node.record.config.sendLast !== 'on_sub_and_presence' || !node.record.config.notifications || !this.#reads(account, node, to)) continue
      const last = await service.last(name)
      if (last) this.#send(account, [to], last.node, itemEvent(name, last.node.record.config, last.entry, last.payload), { at: last.entry.at })
    }
  }

  #leaves(device: Resource): void {
    device.set(caps, undefined)
    device.set(interest, NOTHING)
    device.set(met, undefined)
    const { account } = device
    if (!account.available.length && account.get(services)) void this.#purge(account)
  }

  /** Nodes that are for a session only. */
  async #purge(account: Account): Promise<void> {
    try {
      const service = await this.#of(account)
      for (const name of service.names) if (service.peek(name)?.record.config.purgeOffline) await service.purge(name, account.jid)
    } catch (error) { this.#host.bug(error) }
  }

  /** Presence for the account arrives: of a contact's device, or of a client from elsewhere. */
  #sees({ account }: Passage, presence: Presence): void {
    const host = this.#host
    const { from, type } = presence
    if (!from || from.isBare || from.bare === account.jid.bare || (type !== 'available' && type !== 'unavailable')) return
    const other = from.domain === host.domain ? host.accounts.online(from) : undefined
    if (other && host.rosters.of(other).isWatcher(account.jid.bare) && host.rosters.of(account).isWatcher(from.bare)) {
      account.get(guests)?.delete(from.full)
      const device = other.resources.get(from.resource)
      if (type === 'available' && device) { this.#meet(account, device); for (const r of account.available) this.#meet(other, r) }
    } else this.#receive(account, presence, from)
  }

  /** A device that is interested and has not seen the account's last items yet: two have just become contacts. */
  #meet(account: Account, device: Resource): void {
    const seen = device.get(met)
    if (!seen || seen.has(account.jid.bare) || !device.get(interest).size) return
    seen.add(account.jid.bare)
    this.#sendLast(account, device.jid, device.get(interest)).catch((error: unknown) => this.#host.bug(error))
  }

  #receive(account: Account, presence: Presence, from: Jid): void {
    const kept = account.get(guests)
    if (presence.type === 'unavailable') { kept?.delete(from.full); return }
    const all = kept ?? new Map<string, Guest>()
    if (!kept) account.set(guests, all)
    const now = capsOf(presence)
    const before = all.get(from.full)
    if (before && before.key === now?.key) return
    const guest: Guest = { jid: from, key: now?.key, interest: (now && this.#interests.of(now)) ?? NOTHING }
    all.delete(from.full)
    all.set(from.full, guest)
    if (all.size > GUESTS) all.delete(all.keys().next().value!) // it is not empty
    const greet = (): void => {
      const fresh = new Set([...this.#interestOf(guest)].filter(n => !before?.interest.has(n)))
      if (fresh.size) this.#sendLast(account, from, fresh).catch((error: unknown) => this.#host.bug(error))
    }
    // who does not see the account's presence is not asked: it would tell that there is such an account
    if (!now || this.#interests.of(now) || from.domain === this.#host.domain || !this.#watches(account, from)) { greet(); return }
    this.#interests.learn(now, from, account.jid).then(told => {
      if (all.get(from.full) !== guest) return
      guest.interest = told
      greet()
    }).catch((error: unknown) => this.#host.bug(error))
  }

  // ---- for other plugins

  #forPlugins(): PersonalNodes {
    const readable = async (account: Account, node: string, reader: Jid | undefined): Promise<Pubsub | undefined> => {
      const service = await this.#of(account)
      const found = service.peek(node)
      return found && (!reader || this.#reads(account, found, reader)) ? service : undefined
    }
    return {
      publish: async (account, node, item, config) => {
        const done = await (await this.#of(account)).publish(node, account.jid, item, undefined, config)
        return done instanceof StanzaError ? done : undefined
      },
      retract: async (account, node, id) => (await this.#of(account)).retract(node, account.jid, id, true),
      make: async (account, node, config) => {
        const service = await this.#of(account)
        if (!service.has(node)) await service.create(node, account.jid, undefined, config)
      },
      has: async (account, node) => (await this.#of(account)).has(node),
      isClosed: async (account, node) => (await this.#of(account)).peek(node)?.record.config.access === 'whitelist',
      items: async (account, node, { ids, reader } = {}) => (await readable(account, node, reader))?.all(node, ids) ?? [],
      last: async (account, node, reader) => {
        const last = await (await readable(account, node, reader))?.last(node)
        return last && { id: last.entry.id, payload: last.payload }
      },
      watch: (node, listener) => { this.#watchers.set(node, [...(this.#watchers.get(node) ?? []), listener]) },
      seed: (node, fill) => { this.#seeds.set(node, fill) },
    }
  }
}
