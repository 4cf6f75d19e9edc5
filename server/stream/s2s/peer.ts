// What a stream between servers does in either direction: stanzas of proven domains come in, ours go out, both are acknowledged.
import { el, type Element } from '../../xml/element.ts'
import { Jid } from '../../stanza/jid.ts'
import type { AnyStanza } from '../../stanza/stanza.ts'
import { readStanza, Unreadable } from '../../stanza/read.ts'
import type { Condition } from '../../stanza/errors.ts'
import type { Router } from '../../route/router.ts'
import type { TcpTransport } from '../../net/tcp.ts'
import type { PeerIdentity } from '../../net/trust.ts'
import { Handled, NS_SM, readH, Unacked } from '../sm.ts'
import { Stream, type StreamWorld } from '../stream.ts'
import type { Strangers } from '../strangers.ts'
import { dialback, domainOf, NS_DIALBACK, NS_SERVER, pairOf } from './words.ts'

const PAIRS = 1000 // of domains on one stream
const PENDING = 16 // dialback requests of one stream that wait for an answer
const ASK_EVERY = 20 // stanzas between two requests for an acknowledgement
const SLOWER = 5 // times as long as a device may another server take to acknowledge, and as much more may it owe: it reads for all its users, at a rate

/** What streams between servers need of the house. */
export interface PeerWorld extends StreamWorld {
  readonly router: Router
  readonly identity: PeerIdentity
  readonly strangers: Strangers
  /** Of dialback: at least 32 octets, the same after a restart. */
  readonly secret: Uint8Array
  isOurs(domain: string): boolean
  /** Why we have nothing to do with a domain; undefined: we may. */
  barred(remote: string): string | undefined
  /** Whether a domain may prove itself by dialback where its certificate does not. */
  dialback(remote: string): boolean
  /** Asks the server of `remote` whether a key is its own. */
  verify(question: Question): Promise<Verdict>
  /** A stream that the peer opened carries stanzas of ours to it as well (XEP-0288). */
  adopt(local: string, remote: string, stream: PeerStream): void
  /** The peer has this stanza, as far as can be known, or its sender has it back. */
  settled(stanza: AnyStanza): void
  /** Told once: stanzas that were sent and not acknowledged, in order. */
  ended(stream: PeerStream, unacked: readonly AnyStanza[]): void
}

export interface Question { readonly local: string; readonly remote: string; readonly id: string; readonly key: string }
export type Verdict = 'valid' | 'invalid' | Extract<Condition, 'remote-server-not-found' | 'remote-server-timeout'>

export abstract class PeerStream extends Stream {
  declare protected readonly transport: TcpTransport
  protected readonly peers: PeerWorld
  /** Pairs of our domain and one that the peer has proved: stanzas may come from it. */
  readonly pairs = new Set<string>()
  /** The domain that the certificate proved by SASL: it may write to all of ours. */
  protected proved: string | undefined
  protected bidi = false
  /** When a stanza of ours went out last, in milliseconds since 1970. */
  protected used: number
  /** When the stream was opened. */
  readonly since: number
  #handled: Handled | undefined
  #unacked: Unacked | undefined
  #askedAt: number | undefined
  #unasked = 0
  #pending = 0
  #onSettled: () => void = () => {}

  constructor(transport: TcpTransport, world: PeerWorld) {
    super(transport, world, NS_SERVER)
    this.peers = world
    this.since = this.used = world.network.now()
  }

  get remoteAddress(): string { return this.transport.remote }
  /** Whether stanzas may come: the peer, or we, have proved who we are. */
  abstract get ready(): boolean

  /** The domains that have proved themselves on it, or claim to. */
  get remotes(): string[] { return [...(this.proved === undefined ? [] : [this.proved]), ...[...this.pairs].map(pair => pair.slice(pair.indexOf(' ') + 1))] }

  protected override get declared(): string { return ` xmlns:db='${NS_DIALBACK}'` }

  /** Sends one stanza of ours, in order. */
  carry(stanza: AnyStanza): void {
    const text = stanza.write()
    this.used = this.peers.network.now()
    this.send(text)
    const unacked = this.#unacked
    if (!unacked) { this.peers.settled(stanza); return }
    unacked.push(stanza, text.length)
    if (++this.#unasked >= ASK_EVERY || this.#askedAt === undefined) this.#ask()
    if (unacked.full) this.fail('resource-constraint', 'Too much is not acknowledged.')
  }

  /** Whether something was sent that the peer has not acknowledged. */
  get owed(): boolean { return !this.over && (this.#unacked?.length ?? 0) > 0 }

  /** Asks for what is owed; resolves when it is acknowledged or the stream is over. */
  settles(): Promise<void> {
    if (!this.owed) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onSettled = resolve
    this.#ask()
    return promise
  }

  /** Closes what has been idle, and gives up a peer that does not take or acknowledge what it is sent. */
  probe(now: number, idle: number): void {
    if (this.over) return
    const { ack } = this.peers.limits.streamManagement
    if (this.isStalled(now)) this.drop()
    else if (now > this.#certifiedUntil()) this.fail('reset', 'Your certificate has expired meanwhile.') // RFC 6120 section 13.7.2.3
    else if (this.#askedAt !== undefined && now - this.#askedAt >= SLOWER * ack) this.fail('connection-timeout')
    else if (now - Math.max(this.used, this.heard) >= idle) this.close()
  }

  #certifiedUntil(): number {
    if (!this.ready) return Infinity
    const { peer } = this.transport
    return (this.#certified ??= !peer || peer.flaw !== undefined ? Infinity : Date.parse(peer.certificate.validTo))
  }
  #certified: number | undefined

  /** A stanza came (RFC 6120 sections 8.1.1.2 and 8.1.2.2). */
  protected take(e: Element): void | Promise<void> {
    const { to, from } = e.attrs
    const local = partsOf(to), remote = partsOf(from)
    if (!local || !remote) { this.fail('improper-addressing'); return }
    if (this.proved !== remote.domain && !this.pairs.has(pairOf(local.domain, remote.domain))) { this.fail('invalid-from'); return }
    if (!this.peers.isOurs(local.domain)) { this.fail('host-unknown'); return }
    this.#handled?.next()
    if (!remote.jid) return // legal by the rules of RFC 6122, which the peer may follow, and not by RFC 7622: nobody could answer it
    const stanza = readStanza(e, remote.jid)
    if (stanza instanceof Unreadable) {
      const { reply } = stanza
      return reply && this.peers.router.route(reply.readdress({ from: local.jid ?? Jid.parse(local.domain) } as never) as AnyStanza) // the same head for all kinds
    }
    const done = this.peers.router.route(stanza)
    if (done) this.#handled?.hold(done)
    return done
  }

  /** A domain pair is proved. */
  protected admit(local: string, remote: string): void {
    this.pairs.add(pairOf(local, remote))
    this.peers.log.info({ local, remote, address: this.remoteAddress }, 'a stream with another server stands')
    this.trusted()
    if (this.bidi) this.peers.adopt(local, remote, this)
  }

  /** The peer wants to prove one more domain by a key (XEP-0220 section 2.2.1). The stream goes on meanwhile. */
  protected keyCame(e: Element): void {
    const local = domainOf(e.attrs['to']), remote = domainOf(e.attrs['from'])
    if (!local || !remote) { this.fail('improper-addressing'); return }
    const answer = (type: 'valid' | 'invalid' | 'error', error?: Condition): void => this.send(dialback('result', { from: local, to: remote, type, ...(error && { error }) }))
    const { network, identity, log } = this.peers
    if (!this.transport.secure) { answer('error', 'policy-violation'); return }
    if (this.peers.isOurs(remote)) { log.warn({ remote, address: this.remoteAddress }, 'a stranger claims a domain of ours'); this.fail('invalid-from'); return } // SEC-C08
    if (!this.peers.isOurs(local)) { answer('error', 'item-not-found'); return }
    if (this.peers.barred(remote) !== undefined) { answer('error', 'policy-violation'); return }
    if (this.pairs.size >= PAIRS || this.#pending >= PENDING) { answer('error', 'resource-constraint'); return }
    const settle = (verdict: Verdict): void => {
      if (this.over) return
      if (verdict === 'valid') { this.admit(local, remote); answer('valid') } else if (verdict === 'invalid') {
        log.warn({ remote, address: this.remoteAddress }, 'a stranger showed a wrong dialback key')
        answer('invalid')
        if (!this.ready) this.fail('not-authorized')
      } else answer('error', verdict)
    }
    const doubt = this.pairs.has(pairOf(local, remote)) ? undefined : identity.doubt(this.transport.peer, remote, network.now())
    if (doubt === undefined) { settle('valid'); return } // it is proved already, or its certificate is proof enough
    if (!this.peers.dialback(remote)) { answer('error', 'not-authorized'); if (!this.ready) this.fail('not-authorized', `No dialback, and ${doubt}.`); return }
    this.#pending++
    void this.peers.verify({ local, remote, id: this.id, key: e.text.trim() }).then(verdict => { this.#pending--; settle(verdict) })
  }

  /** Counts in both directions from here on (XEP-0198). */
  protected manage(): void {
    this.#handled = new Handled()
    this.#unacked = new Unacked({ stanzas: Infinity, bytes: SLOWER * this.peers.limits.streamManagement.bytes })
  }
  protected get managed(): boolean { return this.#handled !== undefined }
  /** The peer does not count: what it was sent it has, as far as can be known. */
  protected unmanage(): void {
    const sent = this.#unacked?.drain() ?? []
    this.#handled = this.#unacked = this.#askedAt = undefined
    for (const stanza of sent) this.peers.settled(stanza)
    this.#onSettled()
  }

  /** Takes an element of stream management; false if it is none for a stream that is managed. */
  protected acknowledged(e: Element): boolean {
    if (e.ns !== NS_SM || !this.managed) return false
    if (e.name === 'r') {
      const handled = this.#handled! // it is managed
      handled.whenCommitted(() => this.send(el('a', NS_SM, { h: String(handled.h) }).write(this.within)))
      return true
    }
    if (e.name !== 'a') return false
    const h = readH(e.attrs['h'])
    const unacked = this.#unacked! // it is managed
    if (h === undefined || !unacked.acknowledge(h, sent => this.peers.settled(sent.stanza))) { this.fail('undefined-condition', undefined, el('handled-count-too-high', NS_SM, { h: String(h ?? 0), 'send-count': String(unacked.sent) })); return true }
    this.#askedAt = undefined
    if (unacked.length > 0) this.#ask()
    else this.#onSettled()
    return true
  }

  protected override ended(): void {
    this.peers.ended(this, this.#unacked?.drain() ?? [])
    this.#onSettled()
  }

  #ask(): void {
    this.#askedAt ??= this.peers.network.now()
    this.#unasked = 0
    this.send(`<r xmlns='${NS_SM}'/>`)
  }
}

/** An address's domain, and the address itself where it is one by our rules; undefined where not even the domain can be told. */
function partsOf(text: string | undefined): { domain: string; jid: Jid | undefined } | undefined {
  if (text === undefined || text === '') return undefined
  const jid = Jid.tryParse(text)
  if (jid) return { domain: jid.domain, jid }
  const m = /^(?:([^/@]+)@)?([^/@]+)(?:\/(.+))?$/s.exec(text)
  const domain = domainOf(m?.[2])
  return domain !== undefined ? { domain, jid: undefined } : undefined
}
