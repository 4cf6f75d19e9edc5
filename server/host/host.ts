// A virtual host: its accounts, the way that their stanzas go, and the doors through which plugins join in.
import { el, type Element } from '../xml/element.ts'
import { Jid } from '../stanza/jid.ts'
import { errorReply, resultOf, type AnyStanza, type Iq, type Presence } from '../stanza/stanza.ts'
import { refuse, StanzaError } from '../stanza/errors.ts'
import { HANDLED, STAGES, walk, type Handler, type OpenStage, type Stage, type Verdict } from '../route/way.ts'
import { Passage } from '../route/passage.ts'
import type { Account, Resource } from '../session/account.ts'
import { Listeners } from '../session/listeners.ts'
import type { Notes } from '../session/notes.ts'
import type { StreamCondition } from '../session/ending.ts'
import type { Router } from '../route/router.ts'
import type { Privileges, TokenKeeper } from '../component/component.ts'
import { Asking } from '../component/mount.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Limits } from '../ports/limits.ts'
import type { Stores } from '../ports/store.ts'
import { deliverIq, deliverMessage } from '../account/deliver.ts'
import { Accounts } from '../account/accounts.ts'
import { openJobs } from '../jobs/jobs.ts'
import type { Jobs } from '../ports/jobs.ts'
import type { Authority } from '../account/authority.ts'
import type { Home, Moment } from '../account/home.ts'
import { Presences } from '../account/presence.ts'
import { Rosters } from '../account/roster.ts'

/** Whom an iq is addressed to: the host itself, the sender's own account, another account of this host, an address here that has no account, or the stream before login. */
export type Addressee = 'host' | 'self' | 'other' | 'nobody' | 'stream'

/** What an iq handler answers: a payload, nothing (an empty result), a refusal, or HANDLED if it has sent the answer itself. */
export type Answer = Element | undefined | void | StanzaError | typeof HANDLED

/** An iq get or set on its way to its handler. */
export interface Ask {
  readonly iq: Iq
  readonly from: Jid
  /** The local device that asks; absent if it comes from elsewhere. */
  readonly device: Resource | undefined
  /** The account it is addressed to ('self', 'other'). */
  readonly account: Account | undefined
  /** The network address, and what is remembered of the stream, where it is asked before login ('stream'). */
  readonly remote?: string
  readonly stream?: Notes
}
export type IqHandler = (query: Element, ask: Ask) => Answer | Promise<Answer>

const NS_DELAY = 'urn:xmpp:delay'

/** What something is, for disco#info (XEP-0030 section 3.1). */
export interface Identity { readonly category: string; readonly type: string; readonly name?: string }

export interface Plugin { readonly name: string; readonly needs: readonly string[]; install(host: Host, options: Readonly<Record<string, unknown>>): void | Promise<void> }
export const plugin = (name: string, install: Plugin['install'], needs: readonly string[] = []): Plugin => ({ name, needs, install })

/** A typed name for what one plugin offers to others, so that none imports another. */
export class Token<T> { readonly name: string; declare readonly offers: T; constructor(name: string) { this.name = name } }
/** What wakes devices that are not connected offers: whether it reaches this account. */
export const WAKES = new Token<(account: Account) => boolean>('wakes')

/** Who comes without an account (XEP-0175). */
export interface GuestBook {
  /** The localpart of a new guest's account; undefined where there are too many from that address. */
  welcome(remote: string): Promise<string | undefined>
  /** The guest has gone, and with it all that it had; no guest's address is no fault. */
  leave(jid: Jid): void
}

/** A stream of somebody who has logged in and has no session yet. */
export interface Unbound { readonly user: Jid | undefined; fail(condition: StreamCondition, text?: string): void }

/** What joins in where a client binds by XEP-0386: reads what it needs, then does its part with the new device and says what <bound/> has of it. */
export type Preparation = (account: Account) => Promise<((device: Resource) => Element | undefined) | undefined>

/** What a host is given of the world. */
export type HostWorld = Pick<Home, 'router' | 'stores' | 'clock' | 'network' | 'log' | 'limits'>

export class Host implements Home {
  readonly domain: string
  readonly jid: Jid
  readonly router: Router
  readonly stores: Stores
  readonly clock: Clock
  readonly network: Clock
  readonly log: Log
  readonly limits: Limits
  readonly accounts: Accounts
  readonly rosters: Rosters
  readonly presences: Presences
  /** Its own, for what plugins do later or again and again; there from `use` on. */
  jobs!: Jobs
  /** The features that disco#info of the host tells. */
  readonly features = new Set<string>()
  /** The features that disco#info of an account tells. */
  readonly accountFeatures = new Set<string>()
  /** What disco#info says that the host and its accounts are, beside a server and an account. */
  readonly identities: { host: Identity[]; account: Identity[] } = { host: [], account: [] }
  /** Forms with which disco#info of the host says more (XEP-0128). */
  readonly extensions: Element[] = []
  /** Stream features (RFC 6120 section 4.3.2), made for each features element: before login and after. */
  readonly streamFeatures: { before: (() => Element | undefined)[]; after: (() => Element)[] } = { before: [], after: [] }
  /** What a client may ask for while it binds (XEP-0386), by the namespace of the element that asks. */
  readonly inline = new Map<string, (request: Element, device: Resource) => void>()
  readonly binding: Preparation[] = []
  /** There on a host that is for guests and nobody else. */
  guests: GuestBook | undefined
  readonly unbound = new Set<Unbound>()
  /** Who says that somebody is who he claims to be, beside the store or in its place. */
  readonly authorities: Authority[] = []
  readonly installed: string[] = []
  /** Stanzas of local devices since the start: what they sent, and what was sent to them. */
  readonly passed = { in: { message: 0, presence: 0, iq: 0 }, out: { message: 0, presence: 0, iq: 0 } }

  readonly #stages = Object.fromEntries(STAGES.map(s => [s, [] as Handler[]])) as Record<Stage, Handler[]> // fromEntries forgets the keys
  #out: readonly Handler[] = []
  #in: readonly Handler[] = []
  #missed: readonly Handler[] = []
  readonly #bars: ((account: Account, other: Jid, wanted: boolean) => boolean)[] = []
  readonly #doorkeepers: ((stanza: AnyStanza) => typeof HANDLED | StanzaError | undefined)[] = []
  readonly #iq = new Map<string, IqHandler>()
  readonly #services = new Map<Token<unknown>, unknown>()
  readonly #moments: Record<Moment, ((device: Resource) => void)[]> = { bound: [], available: [], presence: [], unavailable: [], detached: [], attached: [], asleep: [], gone: [] }
  readonly #nonzas = new Map<string, (e: Element, device: Resource) => void>()
  readonly #asking: Asking

  constructor(domain: string, world: HostWorld) {
    this.domain = domain
    this.jid = Jid.parse(domain)
    this.router = world.router
    this.stores = world.stores
    this.clock = world.clock
    this.network = world.network
    this.log = world.log
    this.limits = world.limits
    this.accounts = new Accounts(this)
    this.rosters = new Rosters(this)
    this.presences = new Presences(this)
    this.#asking = new Asking({ clock: world.network, send: s => this.send(s) })
    this.#stages['in:deliver'].push(p => this.#deliver(p))
    this.#lay()
    this.rosters.serve(this)
    this.router.add(domain, { deliver: (s, via) => this.receive(s, via), forGuests: () => this.guests !== undefined })
  }

  /** Installs plugins in the order given; `options` are the config's, by plugin name. Throws if one needs another that is not there. */
  async use(plugins: readonly Plugin[], options: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {}): Promise<this> {
    this.jobs = await openJobs({ documents: this.stores.documents, owner: this.domain, clock: this.clock, log: this.log })
    for (const p of plugins) {
      const missing = p.needs.filter(n => !this.installed.includes(n))
      if (missing.length) throw new Error(`${this.domain}: the plugin ${p.name} needs ${missing.join(', ')} before it`)
      await p.install(this, options[p.name] ?? {})
      this.installed.push(p.name)
    }
    await this.jobs.start()
    return this
  }

  /** Waits for the jobs under way; begins no more of them. */
  async [Symbol.asyncDispose](): Promise<void> { await this.jobs.close() }

  // The doors for plugins.

  feature(...ns: string[]): void { for (const n of ns) this.features.add(n) }
  accountFeature(...ns: string[]): void { for (const n of ns) this.accountFeatures.add(n) }
  on(stage: OpenStage, handler: Handler): void { this.#stages[stage].push(handler); this.#lay() }
  when(moment: Moment, listener: (device: Resource) => void): void { this.#moments[moment].push(listener) }
  tell(moment: Moment, device: Resource): void {
    for (const l of this.#moments[moment]) try { l(device) } catch (error) { this.bug(error) }
  }

  /** Takes first-level elements of a session that are no stanzas, such as those of XEP-0352. */
  onNonza(ns: string, name: string, handler: (e: Element, device: Resource) => void): void { this.#nonzas.set(`{${ns}}${name}`, handler) }
  /** True if somebody took it. */
  nonza(e: Element, device: Resource): boolean {
    const handler = this.#nonzas.get(`{${e.ns}}${e.name}`)
    handler?.(e, device)
    return handler !== undefined
  }

  /** Answers `type {ns}name` addressed to any of `at`; `name` '*' takes every element of the namespace. */
  iq(at: readonly Addressee[], type: 'get' | 'set', ns: string, name: string, handler: IqHandler): void {
    for (const a of at) {
      const key = `${a} ${type} {${ns}}${name}`
      if (this.#iq.has(key)) throw new Error(`${this.domain}: two plugins answer ${key}`)
      this.#iq.set(key, handler)
    }
  }

  /** True: passwords of this host are kept elsewhere, none can be set here. */
  get passwordsElsewhere(): boolean { return this.authorities.some(a => a.keepsPasswords) }

  /** Presence between an account and somebody else is withheld where `rule` says so; `wanted` as in Home. */
  bar(rule: (account: Account, other: Jid, wanted: boolean) => boolean): void { this.#bars.push(rule) }
  barred(account: Account, other: Jid, wanted = false): boolean { return this.#bars.some(rule => rule(account, other, wanted)) }

  /** What comes for accounts is turned away where `rule` says so, before it is looked whether there is such an account: so nobody learns that. */
  turnAway(rule: (stanza: AnyStanza) => typeof HANDLED | StanzaError | undefined): void { this.#doorkeepers.push(rule) }

  provide<T>(token: Token<T>, service: T): void { this.#services.set(token, service) }
  /** What another plugin provided; undefined if it is not installed. */
  service<T>(token: Token<T>): T | undefined { return this.#services.get(token) as T | undefined } // provide() saw to the type

  readonly #people = new Listeners()
  readonly #tokens = new Listeners()
  /** Tells components that accounts with a role came, went or changed. */
  onPeople(listener: () => void): Disposable { return this.#people.add(listener) }
  tellPeople(): void { this.#people.tell() }
  /** Tells components that REST tokens are over. */
  onTokens(listener: () => void): Disposable { return this.#tokens.add(listener) }
  tellTokens(): void { this.#tokens.tell() }

  /** Whom a REST token speaks for; set by the program, which keeps the tokens. */
  tokens: (text: string) => ReturnType<Privileges['token']> = () => Promise.resolve(undefined)
  /** Who signs people in to REST; set by the program, too. */
  keyring: TokenKeeper | undefined

  /** Sends as the host or on behalf of an account. */
  send(stanza: AnyStanza): void {
    try { void Promise.resolve(this.router.route(stanza)).catch((error: unknown) => this.bug(error, stanza)) } catch (error) { this.bug(error, stanza) }
  }

  /** Sends an iq get or set in the name of the host or of an account, and waits for its answer, an error included; after 30 s that is remote-server-timeout. */
  ask(iq: Iq): Promise<Iq> { return this.#asking.ask(iq) }

  bug(error: unknown, stanza?: AnyStanza): void {
    this.log.error({ err: error, domain: this.domain, kind: stanza?.kind, id: stanza?.head.id }, 'a bug met a stanza')
  }

  // The way.

  /** A stanza from a device of this host; `from` is stamped already. A promise parks the device's lane. */
  fromDevice(stanza: AnyStanza, sender: Resource): void | Promise<void> {
    const to = stanza.to
    if (stanza.kind === 'iq') {
      const toSelf = !to || (to.isBare && to.bare === sender.jid.bare)
      if (toSelf || to.domain === this.domain && to.local === '') {
        return this.#answer(toSelf ? 'self' : 'host', stanza, sender, sender.account)
      }
    } else if (stanza.kind === 'presence' && !to) return this.#broadcast(stanza, sender)
    const addressed = to ? stanza : (stanza.readdress({ to: sender.account.jid }) as AnyStanza) // RFC 6120 section 10.3.1
    const p = new Passage(addressed, sender.account, sender)
    const v = walk(this.#out, p)
    if (v instanceof Promise) return v.then(w => { if (stanza.kind !== 'presence' || isBound(sender)) return this.#leave(w, p, sender) })
    return this.#leave(v, p, sender)
  }

  /** Presence for everybody passes `out:mark` alone: there it gets what the server adds to it. */
  #broadcast(presence: Presence, sender: Resource): void | Promise<void> {
    const p = new Passage(presence, sender.account, sender)
    const go = (): void | Promise<void> => this.presences.fromDevice(p.stanza as Presence, sender) // a presence stays one
    const v = walk(this.#stages['out:mark'], p)
    return v instanceof Promise ? v.then(() => { if (isBound(sender)) return go() }) : go()
  }

  #leave(v: Verdict, p: Passage, sender: Resource): void | Promise<void> {
    if (v === HANDLED) return
    if (v instanceof StanzaError) { this.giveBack(p.stanza, v, sender); return }
    if (p.stanza.kind === 'presence' && isSubscription(p.stanza)) return this.presences.fromDevice(p.stanza, sender)
    if (p.stanza.to) this.presences.precede(p.stanza.to, sender)
    if (p.stanza.kind === 'presence') this.presences.directed(p.stanza, sender)
    return this.router.route(p.stanza, sender)
  }

  /** A stanza to this host or an account of it, from wherever; `via` is the local device that sent it, if one did. */
  receive(stanza: AnyStanza, via?: Resource): void | Promise<void> {
    const to = stanza.to ?? this.jid
    if (to.local === '') {
      if (stanza.kind === 'iq') return this.#answer('host', stanza, via, undefined)
      if (stanza.kind === 'message' && stanza.type !== 'error') this.giveBack(stanza, refuse('service-unavailable'), via)
      return
    }
    for (const rule of this.#doorkeepers) {
      const verdict = rule(stanza)
      if (verdict instanceof StanzaError) this.giveBack(stanza, verdict, via)
      if (verdict) return
    }
    const account = this.accounts.at(to)
    if (account instanceof Promise) return account.then(a => this.#arrive(stanza, a, via))
    return this.#arrive(stanza, account, via)
  }

  #arrive(stanza: AnyStanza, account: Account | undefined, via: Resource | undefined): void | Promise<void> {
    if (!account) {
      const query = stanza.kind === 'iq' && stanza.to?.isBare ? stanza.payload[0] : undefined
      return stanza.kind === 'iq' && query && this.#handler('nobody', stanza.type, query) ? this.#answer('nobody', stanza, via, undefined) : this.presences.toNobody(stanza, via)
    }
    const p = new Passage(stanza, account, via)
    const v = walk(this.#in, p)
    if (v instanceof Promise) return v.then(w => this.#settle(w, p, via))
    return this.#settle(v, p, via)
  }

  #settle(v: Verdict, p: Passage, via: Resource | undefined): void | Promise<void> {
    if (v instanceof StanzaError) { this.giveBack(p.stanza, v, via); return }
    if (p.delivered.length > 0) { this.#note(p); return }
    if (v === HANDLED) return
    const w = walk(this.#missed, p)
    if (w instanceof Promise) return w.then(x => this.#lost(x, p, via))
    this.#lost(w, p, via)
  }

  #lost(v: Verdict, p: Passage, via: Resource | undefined): void {
    if (v instanceof StanzaError) this.giveBack(p.stanza, v, via)
    else if (v !== HANDLED && !p.kept) this.giveBack(p.stanza, refuse('service-unavailable'), via)
  }

  /** The core's own stage. A message that finds no device goes on to `in:missed`. */
  #deliver(p: Passage): Verdict | Promise<Verdict> {
    const { stanza } = p
    if (stanza.kind === 'message') return deliverMessage(p, this.rosters)
    if (stanza.kind === 'presence') return this.presences.arrives(stanza, p) ?? HANDLED
    if (stanza.to?.isBare && (stanza.type === 'get' || stanza.type === 'set')) {
      const done = this.#answer(p.sender?.account === p.account ? 'self' : 'other', stanza, p.sender, p.account)
      return done ? done.then(() => HANDLED) : HANDLED
    }
    if (stanza.to?.isBare && stanza.kind === 'iq' && this.#asking.takes(stanza)) return HANDLED
    return deliverIq(p, this.rosters) ?? HANDLED
  }

  /**
   * A message that a device was given at `at` (milliseconds since 1970) and did not acknowledge before it went: for the devices
   * that have not got it yet, or where missed ones go. Never twice to the same device, and never for an account that is removed.
   */
  redeliver(stanza: AnyStanza, account: Account, at: number): void {
    if (stanza.kind !== 'message' || (stanza.type !== 'chat' && stanza.type !== 'normal')) return
    if (stanza.from?.full === account.jid.bare) return // a carbon or a page of the archive: made for that device alone
    if (stanza.to?.local !== account.jid.local && stanza.from?.bare !== account.jid.bare) return
    if (this.accounts.online(account.jid) !== account) return
    const had = this.#had.get(stanza) ?? []
    if (had.some(r => account.resources.get(r.jid.resource) === r)) return
    const to = { to: stanza.to ?? account.jid }
    const stamped = stanza.payload.some(e => e.is('delay', NS_DELAY) && e.attrs['from'] === this.domain)
    const late = stamped ? stanza.readdress(to) : stanza.readdress(to).with(el('delay', NS_DELAY, { from: this.domain, stamp: new Date(at).toISOString() })) // XEP-0198 section 4
    const p = new Passage(late as AnyStanza, account, undefined) // a message stays one
    for (const r of account.best) p.give(r)
    this.#note(p)
    if (p.delivered.length > 0) return
    try {
      const v = walk(this.#missed, p)
      if (v instanceof Promise) v.catch((error: unknown) => this.bug(error, stanza))
    } catch (error) { this.bug(error, stanza) }
  }

  /** Which devices have a message, where more than one does. */
  readonly #had = new WeakMap<AnyStanza, readonly Resource[]>()
  #note(p: Passage): void {
    if (p.stanza.kind === 'message' && p.delivered.length + p.copied.length > 1) this.#had.set(p.stanza, [...p.delivered, ...p.copied])
  }

  /** Gives the sender an error for `stanza`, if it may have one. */
  giveBack(stanza: AnyStanza, e: StanzaError, via?: Resource): void { this.#reply(errorReply(stanza, e), via) }

  #reply(reply: AnyStanza | undefined, via: Resource | undefined): void {
    const done = this.router.giveBack(reply, via)
    if (done) done.catch((error: unknown) => this.bug(error, reply))
  }

  /** Finds and runs the handler of an iq before login; undefined if there is none. */
  answerStream(iq: Iq, remote: string, stream?: Notes): Answer | Promise<Answer> {
    const query = iq.payload[0]
    const handler = query && this.#handler('stream', iq.type, query)
    return handler ? handler(query, { iq, from: this.jid, device: undefined, account: undefined, remote, ...(stream && { stream }) }) : refuse('service-unavailable')
  }

  #handler(at: Addressee, type: string, query: Element): IqHandler | undefined {
    return this.#iq.get(`${at} ${type} {${query.ns}}${query.name}`) ?? this.#iq.get(`${at} ${type} {${query.ns}}*`)
  }

  #answer(at: Addressee, iq: Iq, via: Resource | undefined, account: Account | undefined): void | Promise<void> {
    if (iq.type !== 'get' && iq.type !== 'set') { this.#asking.takes(iq); return } // an answer, which may be one that nobody waits for (RFC 6120 section 10.3.3)
    const query = iq.payload[0]
    const handler = query && this.#handler(at, iq.type, query)
    const from = iq.from ?? via?.jid
    if (!handler || !from) { this.giveBack(iq, refuse('service-unavailable'), via); return }
    const reply = (a: Answer): void => {
      if (a === HANDLED) return
      if (a instanceof StanzaError) this.giveBack(iq, a, via)
      else this.#reply(a ? resultOf(iq, a) : resultOf(iq), via)
    }
    const broken = (error: unknown): void => { this.bug(error, iq); reply(refuse('internal-server-error')) }
    try {
      const answer = handler(query, { iq, from, device: via, account })
      if (answer instanceof Promise) return answer.then(reply, broken)
      reply(answer)
    } catch (error) { broken(error) }
  }

  #lay(): void {
    this.#out = STAGES.filter(s => s.startsWith('out:')).flatMap(s => this.#stages[s])
    this.#in = STAGES.filter(s => s.startsWith('in:') && s !== 'in:missed').flatMap(s => this.#stages[s])
    this.#missed = this.#stages['in:missed']
  }
}

/** What was waited for may come when the device has gone: nobody would be told that it goes. */
const isBound = (device: Resource): boolean => device.account.resources.get(device.jid.resource) === device

const SUBSCRIPTION = new Set(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'])
/** Subscription stanzas go through the sender's roster; probes and directed presence are routed (RFC 6121 sections 3 and 4.6). */
export const isSubscription = (p: Presence): boolean => SUBSCRIPTION.has(p.type)
