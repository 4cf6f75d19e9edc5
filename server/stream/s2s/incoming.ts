// A stream that another server opened: TLS, then EXTERNAL or dialback, then its stanzas (RFC 6120 sections 5 and 6, XEP-0178, XEP-0220).
import { el, type Element } from '../../xml/element.ts'
import { isStanza } from '../../stanza/read.ts'
import type { TcpTransport } from '../../net/tcp.ts'
import { decodeBase64 } from '../sasl/base64.ts'
import { NS_SM } from '../sm.ts'
import type { Header } from '../stream.ts'
import { PeerStream, type PeerWorld } from './peer.ts'
import { dialback, dialbackFeature, dialbackKey, domainOf, limitsFeature, NS_BIDI, NS_BIDI_FEATURE, NS_DIALBACK, NS_SASL, NS_TLS, sameKey } from './words.ts'

export class IncomingStream extends PeerStream {
  /** The domains of its header; what they are worth, `proved` and `pairs` say. */
  #local: string | undefined
  #remote: string | undefined
  #offered = false // EXTERNAL
  #failures = 0
  #stranger = false
  readonly #ours: string // a domain of ours, for answers to who asks for none
  #deadline: Disposable | undefined

  constructor(transport: TcpTransport, world: PeerWorld, ours: string) {
    super(transport, world)
    this.#ours = ours
    const { limits, network, strangers } = world
    const { perAddress } = limits.connections // a server comes with many streams at once after a restart, its own or ours
    if (!strangers.enter(transport.remote, { ...limits, connections: { ...limits.connections, unauthenticatedPerAddress: perAddress } }, this.heard)) { this.drop(); return }
    this.#stranger = true
    this.#deadline = network.alarm(this.heard + limits.deadlines.auth, () => this.fail('connection-timeout', 'It took too long to prove who you are.'))
  }

  override get ready(): boolean { return this.proved !== undefined || this.pairs.size > 0 }
  /** Which pairs it serves, for people; before anything is proved, what it claims. */
  get claims(): { local: string | undefined; remote: string | undefined } { return { local: this.#local, remote: this.proved ?? this.#remote } }

  protected override domainForErrors(): string { return this.#local ?? this.#ours }

  protected override opened(header: Header): void {
    const { peers } = this
    const to = domainOf(header.to), from = domainOf(header.from)
    const known = to !== undefined && peers.isOurs(to)
    this.respond({ from: known ? to : this.#ours, to: from, version: header.version !== undefined })
    if ((header.to !== undefined && to === undefined) || (header.from !== undefined && from === undefined)) { this.fail('improper-addressing'); return }
    if (to !== undefined && !known) { this.fail('host-unknown'); return }
    if (from !== undefined && peers.isOurs(from)) {
      peers.log.warn({ remote: from, address: this.remoteAddress }, 'a stranger claims a domain of ours')
      this.fail('invalid-from') // SEC-C08
      return
    }
    const barred = from !== undefined ? peers.barred(from) : undefined
    if (barred !== undefined) { this.fail('policy-violation', barred); return }
    if (!/^0*[1-9]\d*\./.test(header.version ?? '')) { this.fail('unsupported-version', 'TLS is required, and it needs version 1.0.'); return }
    if (this.proved !== undefined && from !== undefined && from !== this.proved) { this.fail('invalid-from'); return } // RFC 6120 section 6.4.6
    this.#local = to
    this.#remote = from
    if (this.proved !== undefined) {
      this.features([el('sm', NS_SM), dialbackFeature(), ...limitsFeature(peers.limits.stanza.s2s)])
      if (this.bidi && to !== undefined) peers.adopt(to, this.proved, this) // who sent no `to` gets a stream of ours
      return
    }
    if (!this.transport.secure) { this.features([el('starttls', NS_TLS, {}, el('required', NS_TLS))]); return }
    this.#offer(from)
  }

  #offer(from: string | undefined): void {
    const { identity, network, limits } = this.peers
    const { peer } = this.transport
    const doubt = from === undefined ? (peer ? peer.flaw : 'it showed no certificate') : identity.doubt(peer, from, network.now())
    this.#offered = doubt === undefined
    const mayDialBack = from === undefined || this.peers.dialback(from)
    if (!this.#offered && !mayDialBack) {
      this.peers.log.info({ remote: from, address: this.remoteAddress, doubt }, 'another server was refused')
      this.fail('not-authorized', `Your server must prove who it is: ${doubt}.`) // SEC-C13
      return
    }
    this.features([
      ...(this.#offered ? [el('mechanisms', NS_SASL, {}, el('mechanism', NS_SASL, {}, 'EXTERNAL'))] : []),
      dialbackFeature(),
      el('bidi', NS_BIDI_FEATURE),
      ...limitsFeature(Math.min(limits.stanza.preAuth, limits.stanza.s2s)),
    ])
  }

  protected override received(e: Element): void | Promise<void> {
    if (e.ns === NS_TLS) { this.#secure(e); return }
    if (!this.transport.secure) { this.#tooEarly(e); return }
    if (isStanza(e)) {
      if (!this.ready) { this.fail('not-authorized'); return } // RFC 6120 section 4.3.5
      return this.take(e)
    }
    if (e.ns === NS_DIALBACK && (e.name === 'result' || e.name === 'verify')) {
      if (e.attrs['type'] !== undefined) return // an answer to nothing that was asked here (SEC-C09)
      if (e.name === 'verify') this.#verify(e)
      else this.keyCame(e)
      return
    }
    if (e.ns === NS_SASL) { this.#sasl(e); return }
    if (e.ns === NS_BIDI && e.name === 'bidi' && !this.ready) { this.bidi = true; return }
    if (e.ns === NS_SM && e.name === 'enable') { this.#enable(); return }
    if (this.acknowledged(e)) return
    if (e.ns === NS_SM) { this.send(el('failed', NS_SM, {}, el('unexpected-request', 'urn:ietf:params:xml:ns:xmpp-stanzas')).write(this.within)); return }
    this.fail('unsupported-stanza-type')
  }

  protected override admit(local: string, remote: string): void {
    this.#known()
    super.admit(local, remote)
  }

  protected override ended(): void {
    this.#known()
    super.ended()
  }

  #secure(e: Element): void {
    if (e.name !== 'starttls' || this.transport.secure || this.transport.startTls === undefined) {
      this.send(el('failure', NS_TLS).write(this.within))
      this.close()
      return
    }
    this.send(el('proceed', NS_TLS).write(this.within))
    const asked = this.#local
    this.#local = this.#remote = undefined // RFC 6120 section 5.4.3.3
    this.secureNow(asked)
  }

  #tooEarly(e: Element): void {
    const from = domainOf(e.attrs['to']), to = domainOf(e.attrs['from'])
    if (e.ns === NS_DIALBACK && e.attrs['type'] === undefined && from !== undefined && to !== undefined && (e.name === 'result' || e.name === 'verify')) {
      this.send(dialback(e.name, { from, to, id: e.attrs['id'], type: 'error', error: 'policy-violation' }))
    }
    this.fail(isStanza(e) ? 'not-authorized' : 'policy-violation', 'TLS first.')
  }

  // XEP-0220 section 2.2.2: is that a key of ours?
  #verify(e: Element): void {
    const local = domainOf(e.attrs['to']), remote = domainOf(e.attrs['from'])
    const id = e.attrs['id']
    if (!local || !remote || id === undefined) { this.fail('improper-addressing'); return }
    const answer = { from: local, to: remote, id }
    if (!this.peers.isOurs(local)) { this.send(dialback('verify', { ...answer, type: 'error', error: 'item-not-found' })); return }
    const own = dialbackKey(this.peers.secret, remote, local, id)
    this.send(dialback('verify', { ...answer, type: sameKey(own, e.text.trim()) ? 'valid' : 'invalid' }))
  }

  #sasl(e: Element): void {
    if (this.proved !== undefined) { this.fail('policy-violation'); return }
    if (e.name === 'abort') { this.#refuse('aborted'); return }
    if (e.name !== 'auth') { this.#refuse('malformed-request'); return }
    if (e.attrs['mechanism'] !== 'EXTERNAL' || !this.#offered) { this.#refuse('invalid-mechanism'); return }
    const text = e.text.trim()
    const data = text === '' || text === '=' ? new Uint8Array(0) : decodeBase64(text)
    if (!data) { this.#refuse('incorrect-encoding'); return }
    const { identity, network } = this.peers
    const domain = data.length ? domainOf(Buffer.from(data).toString('utf8')) : this.#remote // RFC 6120 section 6.3.8: empty is that of the header
    if (domain === undefined || this.peers.isOurs(domain) || this.peers.barred(domain) !== undefined || (this.#remote !== undefined && domain !== this.#remote)
      || identity.doubt(this.transport.peer, domain, network.now()) !== undefined) { this.#refuse('invalid-authzid'); return }
    this.proved = domain
    this.peers.log.info({ local: this.#local, remote: domain, address: this.remoteAddress }, 'a stream with another server stands')
    this.#known()
    this.send(el('success', NS_SASL).write(this.within))
    this.restart(true)
  }

  #refuse(condition: string): void {
    this.send(el('failure', NS_SASL, {}, el(condition, NS_SASL)).write(this.within))
    if (++this.#failures >= this.peers.limits.authFailures.perStream) this.fail('policy-violation', 'Too many failed logins.')
  }

  #enable(): void {
    if (!this.ready || this.managed) { this.send(el('failed', NS_SM, {}, el('unexpected-request', 'urn:ietf:params:xml:ns:xmpp-stanzas')).write(this.within)); return }
    this.send(el('enabled', NS_SM).write(this.within)) // not to be resumed: what is lost is told to its senders
    this.manage()
  }

  #known(): void {
    this.#deadline?.[Symbol.dispose]()
    this.#deadline = undefined
    if (!this.#stranger) return
    this.#stranger = false
    this.peers.strangers.leave(this.remoteAddress)
  }
}
