// A stream that we open to another server: TLS, its certificate, EXTERNAL or dialback, then our stanzas (RFC 6120 section 10.4.1).
import { el, type Element } from '../../xml/element.ts'
import { isStanza } from '../../stanza/read.ts'
import type { Condition } from '../../stanza/errors.ts'
import type { TcpTransport } from '../../net/tcp.ts'
import { encodeBase64 } from '../sasl/base64.ts'
import { NS_SM } from '../sm.ts'
import { NS_STREAM, type Header } from '../stream.ts'
import { PeerStream, type PeerWorld, type Question, type Verdict } from './peer.ts'
import { dialback, dialbackKey, domainOf, NS_BIDI, NS_BIDI_FEATURE, NS_DIALBACK, NS_DIALBACK_FEATURE, NS_SASL, NS_TLS, saidWhy } from './words.ts'

/** Why there is no stream: what senders are told, and what the admin is. */
export interface Failure {
  readonly condition: Extract<Condition, 'remote-server-not-found' | 'remote-server-timeout' | 'internal-server-error'>
  readonly reason: string
  /** The next address may do better: nothing was heard from this one. */
  readonly elsewhere?: boolean
  /** The place that it sends us to (RFC 6120 section 4.9.3.19). */
  readonly see?: string
}

export const later = (reason: string): Failure => ({ condition: 'remote-server-timeout', reason })
export const never = (reason: string): Failure => ({ condition: 'remote-server-not-found', reason })

/** What it is opened for: to carry our stanzas, or only to ask about a dialback key. */
export type Purpose = 'carry' | 'verify'

export class OutgoingStream extends PeerStream {
  readonly local: string
  readonly remote: string
  /** Settles once: undefined when the stream stands. */
  readonly settled: Promise<Failure | undefined>
  readonly #purpose: Purpose
  readonly #settle: (failure: Failure | undefined) => void
  readonly #questions = new Map<string, { readonly question: Question; readonly answer: (v: Verdict) => void }>()
  #heardHeader = false
  #proven = false // by SASL
  #asked = false // dialback
  #mayDialBack = false
  #ready = false
  #failure: Failure | undefined
  #deadline: Disposable | undefined

  constructor(transport: TcpTransport, world: PeerWorld, local: string, remote: string, purpose: Purpose) {
    super(transport, world)
    this.local = local
    this.remote = remote
    this.#purpose = purpose
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>()
    this.settled = promise
    this.#settle = resolve
    const { network, limits } = world
    this.#deadline = network.alarm(network.now() + limits.deadlines.auth, () => this.#giveUp({ ...later('it did not answer in time'), elsewhere: !this.#heardHeader }))
    this.initiate(local, remote)
  }

  override get ready(): boolean { return this.#ready }
  override get remotes(): string[] { return [this.remote] }
  protected override get initiator(): boolean { return true }
  protected override domainForErrors(): string { return this.local }

  /** Asks whether a dialback key comes from this server. */
  ask(question: Question): Promise<Verdict> {
    if (this.over || this.#questions.has(question.id)) return Promise.resolve('remote-server-timeout')
    return new Promise(answer => {
      const { network, limits } = this.peers
      const late = network.alarm(network.now() + limits.deadlines.auth, () => { this.#questions.delete(question.id); answer('remote-server-timeout') })
      this.#questions.set(question.id, { question, answer: v => { late[Symbol.dispose](); answer(v) } })
      this.used = network.now()
      this.send(dialback('verify', { from: question.local, to: question.remote, id: question.id, key: question.key }))
    })
  }

  protected override opened(header: Header): void {
    this.#heardHeader = true
    this.id = header.id ?? ''
    if (!/^0*[1-9]\d*\./.test(header.version ?? '')) this.#giveUp(later('it speaks no XMPP 1.0, so it has no TLS'))
  }

  protected override received(e: Element): void | Promise<void> {
    if (e.ns === NS_STREAM) { this.#features(e); return }
    if (e.ns === NS_TLS) { this.#tls(e); return }
    if (!this.transport.secure) { this.#giveUp(later('it does not begin with TLS')); return }
    if (e.ns === NS_SASL) { this.#sasl(e); return }
    if (e.ns === NS_DIALBACK) { this.#dialback(e); return }
    if (isStanza(e)) {
      if (this.bidi && this.#ready) return this.take(e)
      this.fail('not-authorized', 'This stream is one-way.') // RFC 6120 section 4.5
      return
    }
    if (this.acknowledged(e)) return
    if (e.ns === NS_SM) { if (e.name === 'failed') this.unmanage(); return }
    this.fail('unsupported-stanza-type')
  }

  protected override told(error: Element): void {
    const condition = error.elements.find(c => c.name !== 'text')
    const see = condition?.name === 'see-other-host' && this.transport.secure ? condition.text.trim() : undefined
    const failed = condition?.name === 'host-unknown' || condition?.name === 'host-gone' ? never : later
    this.#failure ??= { ...failed(`it ended the stream: ${saidWhy(error)}`), ...(see !== undefined && { see }) }
  }

  protected override ended(): void {
    this.#deadline?.[Symbol.dispose]()
    for (const { answer } of this.#questions.values()) answer('remote-server-timeout')
    this.#questions.clear()
    this.#settle(this.#failure ?? { ...later('it closed the connection'), elsewhere: !this.#heardHeader })
    super.ended()
  }

  /** What ended the stream, for the admin; undefined where it closed in due form. */
  get failure(): Failure | undefined { return this.#failure }

  #giveUp(failure: Failure): void {
    this.#failure ??= failure
    this.close()
  }

  #features(e: Element): void {
    if (this.#ready) return
    if (!this.transport.secure) {
      if (e.child('starttls', NS_TLS)) this.send(el('starttls', NS_TLS).write(this.within))
      else this.#giveUp(later('it offers no TLS'))
      return
    }
    if (this.#proven) {
      if (e.child('sm', NS_SM)) { this.send(el('enable', NS_SM).write(this.within)); this.manage() }
      this.#stands()
      return
    }
    const { identity, network } = this.peers
    const doubt = identity.doubt(this.transport.peer, this.remote, network.now())
    this.#mayDialBack = this.peers.dialback(this.remote)
    if (doubt !== undefined && !this.#mayDialBack) {
      this.#failure ??= later(`it is not trusted: ${doubt}`)
      this.fail('not-authorized', `Your server must prove who it is: ${doubt}.`)
      return
    }
    if (this.#purpose === 'verify') { this.#stands(); return }
    if (e.child('bidi', NS_BIDI_FEATURE)) { this.send(el('bidi', NS_BIDI).write(this.within)); this.bidi = true }
    const external = e.child('mechanisms', NS_SASL)?.elements.some(m => m.name === 'mechanism' && m.text.trim() === 'EXTERNAL') === true
    // COMPAT: the authorization identity, which RFC 6120 lets out, is what older servers look at (XEP-0178)
    if (external) this.send(el('auth', NS_SASL, { mechanism: 'EXTERNAL' }, encodeBase64(Buffer.from(this.local))).write(this.within))
    else this.#dialBack(e.child('dialback', NS_DIALBACK_FEATURE) !== undefined ? 'it does not trust our certificate' : 'it offers no way to prove who we are')
  }

  #dialBack(otherwise: string): void {
    if (!this.#mayDialBack) { this.#giveUp(later(`${otherwise}, and s2s.dialback is off`)); return }
    this.#asked = true
    this.send(dialback('result', { from: this.local, to: this.remote, key: dialbackKey(this.peers.secret, this.remote, this.local, this.id) }))
  }

  #tls(e: Element): void {
    if (e.name !== 'proceed' || this.transport.secure) { this.#giveUp(later('it refused TLS')); return }
    this.#heardHeader = false // all that came in the clear is forgotten
    this.secureNow(this.local)
    this.initiate(this.local, this.remote)
  }

  #sasl(e: Element): void {
    if (this.#ready || this.#proven) { this.fail('policy-violation'); return }
    if (e.name === 'success') {
      this.#proven = true
      this.restart(true)
      this.initiate(this.local, this.remote)
    } else this.#dialBack(`it refused our certificate: ${saidWhy(e)}`) // a failure, or a challenge that EXTERNAL has no use for
  }

  #dialback(e: Element): void {
    const type = e.attrs['type']
    const remote = domainOf(e.attrs['from']), local = domainOf(e.attrs['to'])
    if (e.name === 'result' && type === undefined) { // the peer proves itself on a stream that goes both ways
      if (this.bidi && this.#ready) this.keyCame(e)
      return
    }
    if (e.name === 'result') {
      if (!this.#asked || remote !== this.remote || local !== this.local) return // asked by nobody (SEC-C09)
      this.#asked = false
      if (type === 'valid') this.#stands()
      else if (type === 'invalid') this.#giveUp({ condition: 'internal-server-error', reason: 'it found our dialback key wrong: does another server answer for our domain in DNS?' })
      else this.#giveUp(later(`dialback failed there: ${saidWhy(e.child('error', 'jabber:client') ?? e)}`))
      return
    }
    const open = e.name === 'verify' ? this.#questions.get(e.attrs['id'] ?? '') : undefined
    if (!open || remote !== open.question.remote || local !== open.question.local || type === undefined) return
    this.#questions.delete(open.question.id)
    const unknown = e.child('error', 'jabber:client')?.elements.some(c => c.name === 'item-not-found') === true
    open.answer(type === 'valid' || type === 'invalid' ? type : unknown ? 'remote-server-not-found' : 'remote-server-timeout')
  }

  #stands(): void {
    this.#ready = true
    this.#deadline?.[Symbol.dispose]()
    if (this.#purpose === 'carry') this.admit(this.local, this.remote)
    else this.trusted()
    this.#settle(undefined)
  }
}
