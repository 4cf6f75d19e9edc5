// A client's stream: TLS, SASL, bind, then its session (RFC 6120 sections 5 to 7).
import { el, type Element } from '../xml/element.ts'
import { Jid } from '../stanza/jid.ts'
import { CONTENT, errorReply, resultOf, Stanza, type AnyStanza, type Iq } from '../stanza/stanza.ts'
import { isStanza, readStanza, Unreadable } from '../stanza/read.ts'
import { refuse, StanzaError } from '../stanza/errors.ts'
import { HANDLED } from '../route/way.ts'
import type { AccountRecord } from '../ports/store.ts'
import type { Account } from '../session/account.ts'
import { Notes } from '../session/notes.ts'
import type { StreamCondition } from '../session/ending.ts'
import { randomText } from '../net/random.ts'
import type { Host } from '../host/host.ts'
import type { Transport } from '../net/transport.ts'
import { decodeBase64, encodeBase64 } from './sasl/base64.ts'
import { sealOf } from './sasl/fast.ts'
import { manage, seat } from './bind2.ts'
import type { Carrier, Device } from './device.ts'
import { Devices } from './devices.ts'
import { Login, type Voice } from './login.ts'
import { NS_SASL2, Sasl2, type Sasl2Stream } from './sasl2.ts'
import { NS_SM, readH } from './sm.ts'
import { Stream, type Header } from './stream.ts'
import type { ClientWorld } from './client-world.ts'

const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
const NS_SESSION = 'urn:ietf:params:xml:ns:xmpp-session'
const NS_CB = 'urn:xmpp:sasl-cb:0'
const NS_LIMITS = 'urn:xmpp:stream-limits:0' // XEP-0478
const BEFORE_LOGIN = new Set(['jabber:iq:register', 'jabber:iq:auth', 'urn:xmpp:pars:0'])
const BINDS = 10 // failed ones before the stream ends (RFC 6120 section 7.7.3)

export { Devices, type ClientWorld }

export class ClientStream extends Stream implements Carrier {
  readonly #world: ClientWorld
  #host: Host | undefined
  #user: Jid | undefined // authenticated
  #record: AccountRecord | undefined // as it was then
  #device: Device | undefined
  #first: Login | undefined // both only until there is a session
  #second: Sasl2 | undefined
  #from: string | undefined // the header's, bare
  #failedBinds = 0
  #stranger = false // counted among those who have not proved who they are
  #deadline: Disposable | undefined
  #probedAt = 0
  #probedFor: number | undefined // when it had been heard of last
  #lang: string | undefined
  #notes: Notes | undefined // of what is asked before login

  constructor(transport: Transport, world: ClientWorld) {
    super(transport, world, CONTENT)
    this.#world = world
    const { limits, devices } = world
    if (!devices.strangers.enter(transport.remote, limits, this.heard)) { this.drop(); return }
    this.#stranger = true
    this.#deadline = world.network.alarm(this.heard + limits.deadlines.auth, () => this.fail('connection-timeout', 'The login took too long.'))
    devices.streams.add(this)
  }

  get device(): Device | undefined { return this.#device }
  /** Who has logged in. */
  get user(): Jid | undefined { return this.#user }

  protected override opened(header: Header): void {
    const to = header.to === undefined ? undefined : Jid.tryParse(header.to)
    const host = to && this.#world.hosts.get(to.full)
    if (this.#user && host !== this.#host) { this.respond({ from: this.domainForErrors() }); this.fail('host-unknown', 'A stream stays with its host.'); return } // SEC-T23
    if (!this.#user) this.#host = host
    const sender = header.from === undefined ? undefined : Jid.tryParse(header.from)
    const from = this.#from = sender?.bare
    const [major] = (header.version ?? '0.9').split('.')
    const old = header.version === undefined
    this.#lang = header.lang !== undefined && LANGUAGE.test(header.lang) ? header.lang : undefined // it is added to every stanza
    this.respond({ from: host?.domain ?? this.domainForErrors(), to: from, lang: 'en', version: !old || !host })
    if (header.to !== undefined && header.to.length > LONGEST) { this.fail('policy-violation', 'No host has so long a name.'); return }
    if (header.to === undefined) { this.fail('improper-addressing', 'Say to which host.'); return }
    if (!host) { this.fail('host-unknown'); return }
    if (old || !/^\d+$/.test(major ?? '') || Number(major) < 1) { this.fail('unsupported-version'); return }
    const other = this.#user ? from !== this.#user.bare && !host.guests : sender?.domain !== host.domain
    if (header.from !== undefined && (!sender || other)) { this.fail('invalid-from'); return } // RFC 6120 sections 4.9.3.9 and 6.4.6, RFC 7622 section 4
    this.features(this.#user ? this.#featuresAfter(host) : this.#featuresBefore(host))
  }

  protected override received(e: Element): void | Promise<void> {
    if (this.#device) return this.#inSession(e, this.#device)
    const host = this.#host
    if (!host) { this.fail('not-authorized'); return }
    if (this.#user) return this.#beforeBind(e, host, this.#user)
    return this.#beforeLogin(e, host)
  }

  protected override ended(clean: boolean): void {
    this.#deadline?.[Symbol.dispose]()
    this.#first?.[Symbol.dispose]()
    this.#known()
    this.#world.devices.streams.delete(this)
    this.#host?.unbound.delete(this)
    if (this.#user && !this.#device) this.#host?.guests?.leave(this.#user)
    const device = this.#device
    this.#device = undefined
    device?.detach(this, clean)
    if (device && !device.managed && this.transport.undelivered) device.giveOn(this.transport.undelivered)
  }

  protected override domainForErrors(): string { return this.#host?.domain ?? this.#world.hosts.keys().next().value ?? '' }

  /** Gives up a peer that takes nothing, asks a silent one whether it lives, and ends the stream of one that did not answer in time (RFC 6120 section 4.6). */
  probe(now: number): void {
    if (this.isStalled(now)) { this.drop(); return }
    const device = this.#device
    if (!device || !this.#host || this.transport.selfWatched) return
    const { deadlines: { idle, pong }, streamManagement: { ack } } = this.#world.limits
    const silent = now - this.heard
    const owes = device.owesSince
    const waits = this.#probedFor === this.heard
    if ((owes !== undefined && now - owes >= ack) || (waits && now - this.#probedAt >= pong)) { this.fail('connection-timeout'); return }
    if (waits && now >= this.#probedAt) return
    if (!waits && silent >= 0 && silent < idle) return // a clock that was set back knows nothing of the silence
    this.#probedAt = now
    this.#probedFor = this.heard
    if (device.managed) device.ask()
    else this.sendStanza(Stanza.of('iq', { type: 'get', id: `alive-${randomText(6)}`, from: this.#host.jid, to: device.jid }, [el('ping', 'urn:xmpp:ping')]))
  }

  sendStanza(s: AnyStanza): void { this.send(s.write(this.within === '' ? CONTENT : undefined)) }

  // Before login.

  get #login(): Login { return this.#first ??= new Login(this, this.transport, this.#world) }
  get #sasl2(): Sasl2 { return this.#second ??= new Sasl2(this.#entrance(), this.#login, this.#world) }

  #featuresBefore(host: Host): Element[] {
    const features: Element[] = [...this.#limits(Math.min(host.limits.stanza.preAuth, host.limits.stanza.c2s))]
    const login = this.#login
    const canUpgrade = this.transport.startTls !== undefined && !this.transport.secure
    const offered = login.offer(host)
    if (canUpgrade) features.push(el('starttls', NS_TLS, {}, ...(offered.length ? [] : [el('required', NS_TLS)])))
    if (!offered.length) return features
    const { bindings } = login
    features.push(el('mechanisms', NS_SASL, {}, ...offered.map(m => el('mechanism', NS_SASL, {}, m))))
    if (this.transport.secure) features.push(this.#sasl2.feature(host)) // never without TLS (XEP-0388 section 5)
    if (bindings.length) features.push(el('sasl-channel-binding', NS_CB, {}, ...bindings.map(type => el('channel-binding', NS_CB, { type }))))
    for (const f of host.streamFeatures.before) { const e = f(); if (e) features.push(e) }
    return features
  }

  /** `idle`: milliseconds of silence after which it is asked whether it lives. */
  #limits(bytes: number, idle = Infinity): Element[] {
    const told = [...(bytes === Infinity ? [] : [el('max-bytes', NS_LIMITS, {}, String(bytes))]), ...(idle === Infinity ? [] : [el('idle-seconds', NS_LIMITS, {}, String(Math.floor(idle / 1000)))])]
    return told.length ? [el('limits', NS_LIMITS, {}, ...told)] : []
  }

  #beforeLogin(e: Element, host: Host): void | Promise<void> {
    if (e.ns === NS_SASL2 && this.transport.secure) return this.#sasl2.take(e, host, this.#from)
    if (this.#second?.running) { this.fail('policy-violation', 'A login is under way.'); return } // XEP-0388 section 2.4
    if (e.ns === NS_TLS && e.name === 'starttls') {
      if (this.transport.startTls === undefined || this.transport.secure) {
        this.send(el('failure', NS_TLS).write(this.within))
        this.close()
        return
      }
      this.send(el('proceed', NS_TLS).write(this.within))
      this.secureNow(host.domain) // RFC 6120 section 5.4.3.1, RFC 7590 section 3.5
      return
    }
    if (e.ns === NS_SASL) return this.#sasl(e, host)
    if (isStanza(e) && e.name === 'iq') return this.#streamIq(e, host)
    if (e.ns === NS_SM && (e.name === 'enable' || e.name === 'resume')) { this.#refuseSm('unexpected-request'); return } // XEP-0198 section 3: told, and the stream goes on
    this.fail(isStanza(e) || e.ns === NS_SM ? 'not-authorized' : unsupported(e))
  }

  #streamIq(e: Element, host: Host): void | Promise<void> {
    const iq = readStanza(e)
    if (iq instanceof Unreadable) { if (iq.reply) this.sendStanza(iq.reply); return }
    if ((iq.type !== 'get' && iq.type !== 'set') || !BEFORE_LOGIN.has(iq.payload[0]?.ns ?? '')) { this.fail('not-authorized'); return }
    if (!this.#login.allowed) { this.sendStanza(errorReply(iq, refuse('policy-violation', 'Use TLS first.'))!); return } // a get or set has an answer
    const reply = (a: unknown): void => {
      if (a === HANDLED) return
      const to = iq as Iq // readStanza of an <iq/>
      this.sendStanza(a instanceof StanzaError ? (errorReply(to, a) ?? resultOf(to)) : a ? resultOf(to, a as Element) : resultOf(to)) // an Answer is an element here
    }
    const answer = host.answerStream(iq as Iq, this.transport.remote, this.#notes ??= new Notes())
    return answer instanceof Promise ? answer.then(reply) : reply(answer)
  }

  #sasl(e: Element, host: Host): void | Promise<void> {
    const login = this.#login
    const voice = this.#voice()
    if (!login.offered.length) { login.refuse('encryption-required', voice); return }
    if (e.name === 'abort') { login.refuse('aborted', voice); return }
    const { text } = e
    const data = text === '' ? undefined : text === '=' ? new Uint8Array(0) : decodeBase64(text)
    if (text !== '' && data === undefined) { login.refuse('incorrect-encoding', voice); return }
    if (e.name === 'auth') return login.start(host, e.attrs['mechanism'] ?? '', data, voice)
    if (e.name === 'response' && login.running) return login.respond(host, data ?? new Uint8Array(0))
    login.refuse('malformed-request', voice)
  }

  /** How RFC 6120 says it. */
  #voice(): Voice {
    return {
      challenge: data => this.sendElement(el('challenge', NS_SASL, {}, encodeBase64(data))),
      failure: (condition, text) => {
        const said = text ? [el('text', NS_SASL, { 'xml:lang': 'en' }, text)] : []
        this.sendElement(el('failure', NS_SASL, {}, el(condition, NS_SASL), ...said))
      },
      success: ({ account, data }) => {
        this.#authenticated(account)
        this.sendElement(el('success', NS_SASL, {}, ...(data ? [data.length ? encodeBase64(data) : '='] : [])))
        this.restart(true)
      },
    }
  }

  #authenticated({ jid, record }: Account): void {
    this.#user = jid
    this.#record = record
    this.#host?.unbound.add(this)
    this.#known()
  }

  /** What SASL2 may do with the stream. */
  #entrance(): Sasl2Stream {
    return {
      carrier: this,
      sendElement: e => this.sendElement(e),
      fail: condition => this.fail(condition),
      authenticated: account => { this.#authenticated(account); this.trusted() },
      enter: device => this.#enter(device),
      resumable: (e, user) => this.#resumable(e, user),
      featuresAfter: (host, device) => this.features(this.#featuresAfter(host, device)),
    }
  }

  /** No stranger any more, or gone. */
  #known(): void {
    if (!this.#stranger) return
    this.#stranger = false
    this.#world.devices.strangers.leave(this.transport.remote)
  }

  // After login.

  #featuresAfter(host: Host, device?: Device): Element[] {
    return [
      ...(device ? [] : [el('bind', NS_BIND, {}, el('required', NS_BIND)), el('session', NS_SESSION, {}, el('optional', NS_SESSION))]),
      ...(device?.managed ? [] : [el('sm', NS_SM)]),
      ...this.#limits(host.limits.stanza.c2s, this.transport.selfWatched ? Infinity : host.limits.deadlines.idle),
      ...host.streamFeatures.after.map(f => f()),
    ]
  }

  #beforeBind(e: Element, host: Host, user: Jid): void | Promise<void> {
    if (e.ns === NS_SM) {
      if (e.name === 'resume') return this.#resume(e, user)
      this.#refuseSm('unexpected-request')
      return
    }
    const bind = isStanza(e) && e.name === 'iq' && e.attrs['type'] === 'set' ? e.child('bind', NS_BIND) : undefined
    if (!bind) { this.fail(isStanza(e) ? 'not-authorized' : e.ns === NS_SASL || e.ns === NS_SASL2 ? 'policy-violation' : unsupported(e)); return } // SEC-T27
    const iq = readStanza(e)
    if (iq instanceof Unreadable) { if (iq.reply) this.sendStanza(iq.reply); this.#failedBind(); return }
    return Promise.resolve(host.accounts.at(user)).then(account => {
      if (this.over) return // it would be a session without a stream
      if (!account || account.record.disabled || (account.record !== this.#record && this.#record && sealOf(account.record) !== sealOf(this.#record))) { this.fail('not-authorized'); return } // SEC-T22
      const wanted = bind.child('resource')?.text ?? ''
      const jid = (wanted && Jid.tryParse(`${user.bare}/${wanted}`)) || Jid.of(user.local, user.domain, randomText(9))
      const device = seat(host, account, jid, this)
      if (!device) {
        this.sendStanza(errorReply(iq, refuse('resource-constraint', undefined, el('resource-limit-exceeded', 'urn:xmpp:errors')))!) // a set has an answer
        this.#failedBind()
        return
      }
      this.#enter(device)
      this.sendStanza(resultOf(iq as Iq, el('bind', NS_BIND, {}, el('jid', NS_BIND, {}, jid.full)))) // readStanza of an <iq/>
      host.tell('bound', device)
    })
  }

  #failedBind(): void { if (++this.#failedBinds >= BINDS) this.fail('policy-violation') }

  #enter(device: Device): void {
    this.#device = device
    this.#first = this.#second = this.#record = undefined
    this.#host?.unbound.delete(this)
    this.#deadline?.[Symbol.dispose]()
    this.#deadline = undefined
  }

  #inSession(e: Element, device: Device): void | Promise<void> {
    if (isStanza(e)) {
      const { from } = e.attrs
      if (from !== undefined && from !== device.jid.full && from !== device.jid.bare) {
        const claimed = Jid.tryParse(from)
        if (claimed?.full !== device.jid.full && claimed?.full !== device.jid.bare) { this.fail('invalid-from'); return } // RFC 6120 section 8.1.2.1
      }
      const stanza = readStanza(e, device.jid, this.#lang)
      if (stanza instanceof Unreadable) {
        const { reply } = stanza
        device.take(undefined)
        if (reply) device.deliver(reply.readdress({ to: device.jid, from: device.host.jid } as never) as AnyStanza) // the same head for all kinds
        return
      }
      device.take(stanza)
      device.host.passed.in[stanza.kind]++
      if (stanza.kind === 'iq' && stanza.type === 'set' && isOwn(stanza, device)) {
        if (stanza.payload[0]?.ns === NS_SESSION) { device.deliver(resultOf(stanza)); return }
        if (stanza.payload[0]?.ns === NS_BIND) { device.deliver(errorReply(stanza, refuse('not-allowed'))!); return } // a set has an answer
      }
      const done = device.host.fromDevice(stanza, device)
      if (done && device.managed) device.handled.hold(done) // what is worked on is not handled yet
      return done
    }
    if (e.ns === NS_SM) return this.#manage(e, device)
    if (device.host.nonza(e, device)) return
    this.fail(unsupported(e))
  }

  // XEP-0198.

  #manage(e: Element, device: Device): void {
    switch (e.name) {
      case 'enable': {
        if (device.managed) { this.#refuseSm('unexpected-request'); return }
        this.sendElement(manage(e, device, this.#world.devices))
        return
      }
      case 'r': if (device.managed) device.answerRequest(); return
      case 'a': {
        const h = readH(e.attrs['h'])
        if (h === undefined) { this.fail('policy-violation', 'h is no counter.'); return }
        if (device.managed && !device.acknowledge(h)) {
          this.fail('undefined-condition', undefined, el('handled-count-too-high', NS_SM, { h: String(h), 'send-count': String(device.sent) }))
        }
        return
      }
      case 'resume': this.#refuseSm('unexpected-request'); return
      default: this.fail('unsupported-stanza-type')
    }
  }

  async #resume(e: Element, user: Jid): Promise<void> {
    const found = await this.#resumable(e, user)
    if (!found) return
    if (this.over) { if ('device' in found) found.device.spurned(); return }
    if (!('go' in found)) this.sendElement(found)
    else if (found.go(resumed => resumed.write(this.within))) this.#enter(found.device)
  }

  /** Waits until what the session has sent is committed; then it can go on here, or <failed/> says why it cannot. */
  async #resumable(e: Element, user: Jid): ReturnType<Sasl2Stream['resumable']> {
    const previd = e.attrs['previd'] ?? ''
    const h = readH(e.attrs['h'])
    const { devices, network } = this.#world
    const device = devices.at(previd)
    if (h === undefined) return failedSm('bad-request')
    const unknown = (): Element => failedSm('item-not-found', devices.handledOf(previd, user.bare, network.now()))
    if (!device || device.jid.bare !== user.bare) return unknown()
    device.sever()
    await new Promise<void>(done => { device.handled.whenCommitted(done) })
    if (this.over) { device.spurned(); return undefined }
    if (device.gone) return unknown()
    const go = (told: (resumed: Element) => string): boolean => {
      if (device.gone) { this.fail('reset'); return false }
      device.sever() // another may have come before us
      if (!device.handled.settled) this.fail('conflict', 'Another connection has just resumed.')
      else if (device.resume(this, h, mine => told(el('resumed', NS_SM, { previd, h: String(mine) })))) return true
      else this.fail('undefined-condition', undefined, el('handled-count-too-high', NS_SM, { h: String(h), 'send-count': String(device.sent) }))
      device.spurned()
      return false
    }
    return { device, go }
  }

  #refuseSm(condition: 'unexpected-request'): void { this.sendElement(failedSm(condition)) }
}

const failedSm = (condition: 'unexpected-request' | 'item-not-found' | 'bad-request', h?: number): Element =>
  el('failed', NS_SM, h === undefined ? {} : { h: String(h) }, el(condition, 'urn:ietf:params:xml:ns:xmpp-stanzas'))

const FOREIGN = new Set(['', 'jabber:server', 'jabber:component:accept']) // content namespaces of other streams
const unsupported = (e: Element): StreamCondition => FOREIGN.has(e.ns) && /^(?:message|presence|iq)$/.test(e.name) ? 'invalid-namespace' : 'unsupported-stanza-type'

const LONGEST = 1023 // octets of an address's part
const LANGUAGE = /^[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7}$/ // BCP 47, roughly

/** Whether it is for the sender's own account or server. */
const isOwn = ({ to }: Iq, device: Device): boolean => !to || to.bare === device.jid.bare || to.full === device.jid.domain
