// A client's stream: TLS, SASL, bind, then its session (RFC 6120 sections 5 to 7).
import { randomBytes } from 'node:crypto'
import { el, type Element } from '../xml/element.ts'
import { Jid } from '../stanza/jid.ts'
import { CONTENT, errorReply, resultOf, Stanza, type AnyStanza, type Iq } from '../stanza/stanza.ts'
import { isStanza, readStanza, Unreadable } from '../stanza/read.ts'
import { refuse, StanzaError } from '../stanza/errors.ts'
import { HANDLED } from '../route/way.ts'
import { Notes } from '../session/notes.ts'
import type { StreamCondition } from '../session/ending.ts'
import type { Host } from '../host/host.ts'
import type { Transport } from '../net/transport.ts'
import { begin, offered } from './sasl/offer.ts'
import { decodeBase64, encodeBase64 } from './sasl/base64.ts'
import type { Mechanism, SaslCondition, Step } from './sasl/mechanism.ts'
import { Device, enabled, type Carrier } from './device.ts'
import { Devices } from './devices.ts'
import { NS_SM, readH } from './sm.ts'
import { Stream, type Header, type StreamWorld } from './stream.ts'

const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
const NS_SESSION = 'urn:ietf:params:xml:ns:xmpp-session'
const NS_CB = 'urn:xmpp:sasl-cb:0'
const NS_LIMITS = 'urn:xmpp:stream-limits:0' // XEP-0478
const BEFORE_LOGIN = new Set(['jabber:iq:register', 'jabber:iq:auth', 'urn:xmpp:pars:0'])
const BINDS = 10 // failed ones before the stream ends (RFC 6120 section 7.7.3)
const PLAINS = 128 // passwords looked at in the same moment: each takes a thread of the pool for milliseconds

export { Devices }

export interface ClientWorld extends StreamWorld {
  readonly hosts: ReadonlyMap<string, Host>
  /** False: without TLS one may log in from this address (loopback under `require-tls: false`). */
  requireTls(remote: string): boolean
  /** Keys for salts of accounts that do not exist; the same after a restart. */
  readonly secret: Uint8Array
  readonly iterations: number
  readonly devices: Devices
}

export class ClientStream extends Stream implements Carrier {
  readonly #world: ClientWorld
  #host: Host | undefined
  #user: Jid | undefined // authenticated
  #device: Device | undefined
  #mechanism: Mechanism | undefined
  #offered: string[] = []
  #failures = 0
  #stranger = false // counted among those who have not proved who they are
  #deadline: Disposable | undefined
  #tarpit: Disposable | undefined
  #probedAt = 0
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

  protected override opened(header: Header): void {
    const to = header.to === undefined ? undefined : Jid.tryParse(header.to)
    const host = to && this.#world.hosts.get(to.full)
    if (this.#user && host !== this.#host) { this.respond({ from: this.domainForErrors() }); this.fail('host-unknown', 'A stream stays with its host.'); return } // SEC-T23
    if (!this.#user) this.#host = host
    const from = header.from === undefined ? undefined : Jid.tryParse(header.from)?.bare
    const [major] = (header.version ?? '0.9').split('.')
    const old = header.version === undefined
    this.#lang = header.lang !== undefined && LANGUAGE.test(header.lang) ? header.lang : undefined // it is added to every stanza
    this.respond({ from: host?.domain ?? this.domainForErrors(), to: from, lang: 'en', version: !old || !host })
    if (header.to !== undefined && header.to.length > LONGEST) { this.fail('policy-violation', 'No host has so long a name.'); return }
    if (header.to === undefined) { this.fail('improper-addressing', 'Say to which host.'); return }
    if (!host) { this.fail('host-unknown'); return }
    if (old || !/^\d+$/.test(major ?? '') || Number(major) < 1) { this.fail('unsupported-version'); return }
    if (this.#user && from !== undefined && from !== this.#user.bare) { this.fail('invalid-from'); return } // RFC 6120 section 6.4.6
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
    this.#tarpit?.[Symbol.dispose]()
    this.#known()
    this.#world.devices.streams.delete(this)
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
    if ((owes !== undefined && now - owes >= ack) || (this.#probedAt > this.heard && silent >= idle + pong)) { this.fail('connection-timeout'); return }
    if (silent < idle || this.#probedAt > this.heard) return
    this.#probedAt = now
    if (device.managed) device.ask()
    else this.sendStanza(Stanza.of('iq', { type: 'get', id: `alive-${randomBytes(6).toString('base64url')}`, from: this.#host.jid, to: device.jid }, [el('ping', 'urn:xmpp:ping')]))
  }

  sendStanza(s: AnyStanza): void { this.send(s.write(this.within === '' ? CONTENT : undefined)) }

  // Before login.

  #mayLogIn(): boolean { return this.transport.secure || !this.#world.requireTls(this.transport.remote) }

  #featuresBefore(host: Host): Element[] {
    const features: Element[] = [...this.#limits(Math.min(host.limits.stanza.preAuth, host.limits.stanza.c2s))]
    const canUpgrade = this.transport.startTls !== undefined && !this.transport.secure
    if (canUpgrade) features.push(el('starttls', NS_TLS, {}, ...(this.#mayLogIn() ? [] : [el('required', NS_TLS)])))
    this.#offered = []
    if (this.#mayLogIn()) {
      const bindings = this.#offeredBindings()
      this.#offered = offered({ tls: this.transport.secure, bindings, allowPlain: true, plainInClear: !this.transport.secure })
      features.push(el('mechanisms', NS_SASL, {}, ...this.#offered.map(m => el('mechanism', NS_SASL, {}, m))))
      if (bindings.length) features.push(el('sasl-channel-binding', NS_CB, {}, ...bindings.map(type => el('channel-binding', NS_CB, { type }))))
      for (const f of host.streamFeatures.before) { const e = f(); if (e) features.push(e) }
    }
    return features
  }

  #limits(bytes: number): Element[] { return bytes === Infinity ? [] : [el('limits', NS_LIMITS, {}, el('max-bytes', NS_LIMITS, {}, String(bytes)))] }

  /** XEP-0440: tls-unique is taken from those who know nothing better, not advertised (RFC 9266 section 3). */
  #offeredBindings(): string[] { return [...this.transport.bindings.keys()].filter(type => type !== 'tls-unique') }

  #beforeLogin(e: Element, host: Host): void | Promise<void> {
    if (e.ns === NS_TLS && e.name === 'starttls') {
      if (this.transport.startTls === undefined || this.transport.secure) {
        this.send(el('failure', NS_TLS).write(this.within))
        this.close()
        return
      }
      this.send(el('proceed', NS_TLS).write(this.within))
      this.secureNow()
      return
    }
    if (e.ns === NS_SASL) return this.#sasl(e, host)
    if (isStanza(e) && e.name === 'iq') return this.#streamIq(e, host)
    this.fail(isStanza(e) || e.ns === NS_SM ? 'not-authorized' : unsupported(e))
  }

  #streamIq(e: Element, host: Host): void | Promise<void> {
    const iq = readStanza(e)
    if (iq instanceof Unreadable) { if (iq.reply) this.sendStanza(iq.reply); return }
    if ((iq.type !== 'get' && iq.type !== 'set') || !BEFORE_LOGIN.has(iq.payload[0]?.ns ?? '')) { this.fail('not-authorized'); return }
    if (!this.#mayLogIn()) { this.sendStanza(errorReply(iq, refuse('policy-violation', 'Use TLS first.'))!); return } // a get or set has an answer
    const reply = (a: unknown): void => {
      if (a === HANDLED) return
      const to = iq as Iq // readStanza of an <iq/>
      this.sendStanza(a instanceof StanzaError ? (errorReply(to, a) ?? resultOf(to)) : a ? resultOf(to, a as Element) : resultOf(to)) // an Answer is an element here
    }
    const answer = host.answerStream(iq as Iq, this.transport.remote, this.#notes ??= new Notes())
    return answer instanceof Promise ? answer.then(reply) : reply(answer)
  }

  #sasl(e: Element, host: Host): void | Promise<void> {
    if (!this.#mayLogIn()) { this.#refuseLogin('encryption-required'); return }
    if (e.name === 'abort') { this.#mechanism = undefined; this.#refuseLogin('aborted'); return }
    const text = e.text
    const data = text === '' ? undefined : text === '=' ? new Uint8Array(0) : decodeBase64(text)
    if (text !== '' && data === undefined) { this.#mechanism = undefined; this.#refuseLogin('incorrect-encoding'); return }
    if (e.name !== 'auth') {
      if (e.name === 'response' && this.#mechanism) return this.#run(host, this.#mechanism, m => m.respond(data ?? new Uint8Array(0)))
      this.#refuseLogin('malformed-request')
      return
    }
    const mechanism = begin(e.attrs['mechanism'] ?? '', {
      host: host.domain,
      lookup: local => host.accounts.credentials(local),
      secret: this.#world.secret,
      iterations: this.#world.iterations,
      offered: this.#offered,
      bindings: this.transport.bindings,
      offeredBindings: this.#offeredBindings(),
    })
    this.#mechanism = mechanism
    if (!mechanism) { this.#refuseLogin('invalid-mechanism'); return }
    const { network, limits, devices } = this.#world
    const wait = devices.strangers.delay(this.transport.remote, limits, network.now())
    if (wait === 0) return this.#run(host, mechanism, m => m.start(data))
    return new Promise<void>(done => {
      this.#tarpit = network.alarm(network.now() + wait, () => done())
    }).then(() => this.#run(host, mechanism, m => m.start(data)))
  }

  #run(host: Host, mechanism: Mechanism, take: (m: Mechanism) => Step | Promise<Step>): void | Promise<void> {
    if (this.over) return
    if (mechanism.name === 'PLAIN' && plains >= PLAINS) { this.#mechanism = undefined; this.#refuseLogin('temporary-auth-failure'); return } // SEC-E11
    const step = take(mechanism)
    if (!(step instanceof Promise)) return this.#step(step, host)
    if (mechanism.name === 'PLAIN') { plains++; void step.finally(() => { plains-- }).catch(() => {}) } // it is heard below
    return step.then(s => this.#step(s, host)).catch((err: unknown) => { host.bug(err); this.#mechanism = undefined; this.#refuseLogin('temporary-auth-failure') })
  }

  #step(step: Step, host: Host): void | Promise<void> {
    if ('challenge' in step) { this.send(el('challenge', NS_SASL, {}, encodeBase64(step.challenge)).write(this.within)); return }
    this.#mechanism = undefined
    if ('failure' in step) { this.#refuseLogin(step.failure, step.text); return }
    const user = Jid.of(step.success.user, host.domain)
    return Promise.resolve(host.accounts.at(user)).then(account => {
      if (this.over) return
      if (!account || account.record.disabled) { this.#refuseLogin('account-disabled'); return }
      this.#user = user
      this.#failures = 0
      this.#known()
      const { data } = step.success
      this.send(data ? el('success', NS_SASL, {}, data.length ? encodeBase64(data) : '=').write(this.within) : el('success', NS_SASL).write(this.within))
      this.restart(true)
    })
  }

  #refuseLogin(condition: SaslCondition, text?: string): void {
    const said = text ? [el('text', NS_SASL, { 'xml:lang': 'en' }, text)] : []
    this.send(el('failure', NS_SASL, {}, el(condition, NS_SASL), ...said).write(this.within))
    const { strangers } = this.#world.devices
    if (condition === 'not-authorized' && strangers.failed(this.transport.remote, this.#world.limits, this.#world.network.now())) {
      this.#world.log.warn({ remote: this.transport.remote }, 'too many failed logins: the address is barred for a while')
      this.fail('policy-violation', 'Too many failed logins.')
      return
    }
    if (condition !== 'aborted' && condition !== 'temporary-auth-failure' && ++this.#failures >= this.#world.limits.authFailures.perStream) this.fail('policy-violation', 'Too many failed logins.')
  }

  /** No stranger any more, or gone. */
  #known(): void {
    if (!this.#stranger) return
    this.#stranger = false
    this.#world.devices.strangers.leave(this.transport.remote)
  }

  // After login.

  #featuresAfter(host: Host): Element[] {
    return [
      el('bind', NS_BIND, {}, el('required', NS_BIND)),
      el('session', NS_SESSION, {}, el('optional', NS_SESSION)),
      el('sm', NS_SM),
      ...this.#limits(host.limits.stanza.c2s),
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
    if (!bind) { this.fail(isStanza(e) ? 'not-authorized' : e.ns === NS_SASL ? 'policy-violation' : unsupported(e)); return } // SEC-T27
    const iq = readStanza(e)
    if (iq instanceof Unreadable) { if (iq.reply) this.sendStanza(iq.reply); this.#failedBind(); return }
    return Promise.resolve(host.accounts.at(user)).then(account => {
      if (this.over) return // it would be a session without a stream
      if (!account || account.record.disabled) { this.fail('not-authorized'); return }
      const wanted = bind.child('resource')?.text ?? ''
      const jid = (wanted && Jid.tryParse(`${user.bare}/${wanted}`)) || Jid.of(user.local, user.domain, randomBytes(9).toString('base64url'))
      const old = account.resources.get(jid.resource)
      let awake = 0 // those that sleep have a limit of their own
      for (const r of account.resources.values()) if (r.attached && r !== old) awake++
      if (awake >= host.limits.resources.perAccount) {
        this.sendStanza(errorReply(iq, refuse('resource-constraint', undefined, el('resource-limit-exceeded', 'urn:xmpp:errors')))!) // a set has an answer
        this.#failedBind()
        return
      }
      old?.end('conflict', 'Replaced by a new session with the same resource.')
      const device = new Device(jid, account, host, this)
      this.#enter(device)
      account.add(device)
      this.sendStanza(resultOf(iq as Iq, el('bind', NS_BIND, {}, el('jid', NS_BIND, {}, jid.full)))) // readStanza of an <iq/>
      host.tell('bound', device)
    })
  }

  #failedBind(): void { if (++this.#failures >= BINDS) this.fail('policy-violation') }

  #enter(device: Device): void {
    this.#device = device
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
        const resume = e.attrs['resume'] === 'true' || e.attrs['resume'] === '1'
        const id = resume ? randomBytes(18).toString('base64url') : undefined
        device.manage(id !== undefined)
        if (id) this.#world.devices.add(id, device)
        this.send(enabled(id, Math.floor(device.host.limits.streamManagement.resume / 1000)))
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

  #resume(e: Element, user: Jid): void | Promise<void> {
    const previd = e.attrs['previd'] ?? ''
    const h = readH(e.attrs['h'])
    const { devices, network } = this.#world
    const device = devices.at(previd)
    if (h === undefined) { this.#refuseSm('bad-request'); return }
    const unknown = (): void => this.#refuseSm('item-not-found', devices.handledOf(previd, user.bare, network.now()))
    if (!device || device.jid.bare !== user.bare) { unknown(); return }
    return new Promise(done => {
      device.handled.whenCommitted(() => {
        done()
        if (this.over) return
        if (device.gone) unknown()
        else if (device.resume(this, h, mine => el('resumed', NS_SM, { previd, h: String(mine) }).write(''))) this.#enter(device)
        else this.fail('undefined-condition', undefined, el('handled-count-too-high', NS_SM, { h: String(h), 'send-count': String(device.sent) }))
      })
    })
  }

  #refuseSm(condition: 'unexpected-request' | 'item-not-found' | 'bad-request', h?: number): void {
    this.send(el('failed', NS_SM, h === undefined ? {} : { h: String(h) }, el(condition, 'urn:ietf:params:xml:ns:xmpp-stanzas')).write(this.within))
  }
}

let plains = 0 // passwords that are looked at now

const FOREIGN = new Set(['', 'jabber:server', 'jabber:component:accept']) // content namespaces of other streams
const unsupported = (e: Element): StreamCondition => FOREIGN.has(e.ns) && /^(?:message|presence|iq)$/.test(e.name) ? 'invalid-namespace' : 'unsupported-stanza-type'

const LONGEST = 1023 // octets of an address's part
const LANGUAGE = /^[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7}$/ // BCP 47, roughly

/** Whether it is for the sender's own account or server. */
const isOwn = ({ to }: Iq, device: Device): boolean => !to || to.bare === device.jid.bare || to.full === device.jid.domain
