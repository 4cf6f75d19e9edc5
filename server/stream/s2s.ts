// Federation: every stream to and from other servers, who may have one, and the route for domains that are not ours.
import { refuse } from '../stanza/errors.ts'
import { errorReply, type AnyStanza } from '../stanza/stanza.ts'
import type { Resource } from '../session/account.ts'
import type { Route, Router } from '../route/router.ts'
import { Places, type Names } from '../net/dns.ts'
import type { TcpTransport } from '../net/tcp.ts'
import type { PeerIdentity } from '../net/trust.ts'
import type { StreamWorld } from './stream.ts'
import type { Strangers } from './strangers.ts'
import { IncomingStream } from './s2s/incoming.ts'
import { Link } from './s2s/link.ts'
import { OutgoingStream, type Failure } from './s2s/outgoing.ts'
import type { Postbag } from './s2s/postbag.ts'
import type { PeerStream, PeerWorld, Question, Verdict } from './s2s/peer.ts'
import { Reach } from './s2s/reach.ts'
import { domainOf, pairOf } from './s2s/words.ts'

const SWEEP = 30_000 // ms between looks at idle streams
const IDLE = 600_000 // ms without a stanza until a stream of ours is closed; the peer's gets twice that: it should be the one to close it
const LINKS = 10_000 // pairs that are remembered after they are closed
const LEAVE = 1_000 // ms that peers have to close their side when we stop
const SETTLE = 1_000 // ms that peers have to acknowledge what they were sent, when we stop

/** With whom, and how they prove who they are: what can change while streams stand. */
export interface FederationPolicy {
  /** Who may prove himself by dialback: everybody, nobody, or these domains and what is below them. */
  readonly dialback: boolean | readonly string[]
  /** Only these domains and what is below them; absent: all. */
  readonly allow?: readonly string[] | undefined
  /** None of these domains and what is below them. */
  readonly block: readonly string[]
}

export interface FederationOptions extends FederationPolicy {
  /** The domains that are ours: accounts and components, here or on a wire, connected or not. The first answers those who ask for none. */
  readonly domains: ReadonlySet<string>
  /** `host:port` by domain, instead of asking DNS; `tls://host:port` for TLS from the first byte. */
  readonly targets: ReadonlyMap<string, string>
  /** Private networks that may be connected to. */
  readonly networks: readonly string[]
  /** Absent: the machine's DNS. */
  readonly names?: Names
}

export interface FederationWorld extends StreamWorld {
  readonly router: Router
  readonly identity: PeerIdentity
  readonly strangers: Strangers
  /** Of dialback: at least 32 octets, the same after a restart. */
  readonly secret: Uint8Array
  /** Absent: what is on its way is kept in memory alone. */
  readonly postbag?: Postbag
}

/** A pair of domains in one direction, as an admin is shown it. `since`: milliseconds since 1970. */
export interface PairState {
  readonly local: string
  readonly remote: string
  readonly direction: 'out' | 'in'
  readonly state: 'open' | 'connecting' | 'waiting' | 'closed'
  readonly since: number
  /** Stanzas that wait. */
  readonly queued: number
  readonly error?: string
}

export class Federation implements Route, PeerWorld, AsyncDisposable {
  readonly limits: PeerWorld['limits']
  readonly network: PeerWorld['network']
  readonly log: PeerWorld['log']
  readonly router: Router
  readonly identity: PeerIdentity
  readonly strangers: Strangers
  readonly secret: Uint8Array
  readonly #options: FederationOptions
  #policy: FederationPolicy
  readonly #postbag: Postbag | undefined
  readonly #reach: Reach
  readonly #links = new Map<string, Link>()
  readonly #incoming = new Set<IncomingStream>()
  #sweep: Disposable
  #over = false
  #leaving = false

  constructor(options: FederationOptions, world: FederationWorld) {
    this.limits = world.limits
    this.network = world.network
    this.log = world.log
    this.router = world.router
    this.identity = world.identity
    this.strangers = world.strangers
    this.secret = world.secret
    this.#postbag = world.postbag
    this.#options = { ...options, domains: new Set([...options.domains].map(plain)) }
    this.#policy = prepared(options)
    this.#reach = new Reach(this, new Places({ fixed: new Map([...options.targets].map(([domain, place]) => [plain(domain), place])), networks: options.networks, ...(options.names && { names: options.names }) }))
    this.#sweep = this.#soon()
  }

  /** Serves a connection that another server opened. */
  serve(transport: TcpTransport): void {
    const stream = new IncomingStream(transport, this, this.#options.domains.values().next().value ?? '')
    if (!stream.over) this.#incoming.add(stream)
  }

  /** Takes a stanza for a domain that no route of this house has. */
  deliver(stanza: AnyStanza, via?: Resource): void | Promise<void> {
    const { to, from } = stanza
    if (!to || !from || !this.isOurs(from.domain)) return // only what is ours leaves
    // a component of ours that is not connected is nowhere else either (RFC-N14)
    if (this.isOurs(to.domain) || this.barred(to.domain) !== undefined || this.#over) return this.#giveBack(stanza, 'remote-server-not-found', via)
    if (!this.#mayLink(pairOf(from.domain, to.domain))) return this.#giveBack(stanza, 'resource-constraint', via)
    const kept = this.#postbag?.keep(stanza)
    if (kept) if (via) via.hold(kept); else kept.catch((err: unknown) => { this.log.error({ err }, 'a message for another server could not be written down') })
    this.#link(from.domain, to.domain).deliver(stanza)
  }

  /** Sends on what a crash has left; what is a day old goes back. */
  async resume(): Promise<void> {
    for (const { stanza, stale } of await this.#postbag?.left() ?? []) {
      try {
        if (!stanza.from || !this.isOurs(stanza.from.domain)) this.settled(stanza)
        else if (stale) await this.#giveBack(stanza, 'remote-server-timeout', undefined)
        else await this.deliver(stanza)
      } catch (err) { this.log.error({ err }, 'a bug met a stanza') } // one of them keeps no server from starting
    }
  }

  #giveBack(stanza: AnyStanza, condition: 'remote-server-not-found' | 'remote-server-timeout' | 'resource-constraint', via: Resource | undefined): void | Promise<void> {
    this.settled(stanza)
    return this.router.giveBack(errorReply(stanza, refuse(condition)), via)
  }

  /** Every pair of domains, for people. */
  get pairs(): PairState[] {
    const out = [...this.#links.values()].map(({ local, remote, state, changed, queued, failure }): PairState => ({ local, remote, direction: 'out', state, since: changed, queued, ...(failure && { error: failure.reason }) }))
    const incoming = [...this.#incoming].flatMap((stream): PairState[] => {
      const { claims: { local, remote }, ready, since, pairs } = stream
      const state = ready ? 'open' : 'connecting'
      const proved = [...pairs].map(pair => pair.split(' ') as [string, string]) // pairOf made them
      const claimed: [string, string][] = proved.length ? proved : [[local ?? '?', remote ?? '?']]
      return claimed.map(([ours, theirs]) => ({ local: ours, remote: theirs, direction: 'in', state, since, queued: 0 }))
    })
    return [...out, ...incoming]
  }

  /** Holds to another policy from now on: streams with domains that it bars are ended. */
  obey(policy: FederationPolicy): void {
    this.#policy = prepared(policy)
    for (const stream of [...this.#incoming, ...this.#reach.streams]) {
      const barred = stream.remotes.find(remote => this.barred(remote) !== undefined)
      if (barred !== undefined) stream.fail('policy-violation', this.barred(barred))
    }
  }

  // What streams ask of it.

  isOurs(domain: string): boolean { return this.#options.domains.has(domain) || this.router.has(domain) }

  barred(remote: string): string | undefined {
    const { allow, block } = this.#policy
    if (isBelow(remote, block)) return 'This server does not speak with yours.'
    return allow && !isBelow(remote, allow) ? 'This server speaks only with servers that its admin has named.' : undefined
  }

  dialback(remote: string): boolean {
    const { dialback } = this.#policy
    return typeof dialback === 'boolean' ? dialback : isBelow(remote, dialback)
  }

  async verify(question: Question): Promise<Verdict> {
    const { local, remote } = question
    const carrier = this.#links.get(pairOf(local, remote))?.carrier
    if (carrier instanceof OutgoingStream) return carrier.ask(question)
    const stream = await this.#reach.stream(local, remote, 'verify')
    if (!(stream instanceof OutgoingStream)) return stream.condition === 'remote-server-not-found' ? stream.condition : 'remote-server-timeout'
    try { return await stream.ask(question) } finally { stream.close() }
  }

  settled(stanza: AnyStanza): void { this.#postbag?.settle(stanza) }

  adopt(local: string, remote: string, stream: PeerStream): void { this.#link(local, remote).offer(stream) }

  ended(stream: PeerStream, unacked: readonly AnyStanza[]): void {
    if (stream instanceof IncomingStream) this.#incoming.delete(stream)
    const failure: Failure | undefined = stream instanceof OutgoingStream ? stream.failure : undefined
    for (const link of this.#links.values()) {
      if (link.carrier === stream) link.lost(stream, unacked.filter(s => s.to?.domain === link.remote && s.from?.domain === link.local), failure)
    }
  }

  /**
   * To be called while our people's sessions are there yet, for none of them would hear of it later: what waits for a stream goes
   * back to them, and so does what a peer has not acknowledged in a moment. Streams that stand go on until the end.
   */
  async settle(): Promise<void> {
    this.#leaving = true
    for (const link of this.#links.values()) link.stop()
    const owing = [...this.#incoming, ...this.#reach.streams].filter(s => s.owed)
    if (owing.length === 0) return
    const late = this.network.alarm(this.network.now() + SETTLE, () => { for (const s of owing) if (s.owed) s.fail('connection-timeout') })
    await Promise.all(owing.map(s => s.settles()))
    late[Symbol.dispose]()
  }

  /** Tells every peer that we go, gives back what waits, and waits a moment for them to close. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true
    this.#sweep[Symbol.dispose]()
    for (const link of this.#links.values()) link.stop()
    for (const s of [...this.#incoming]) s.fail('system-shutdown')
    this.#reach.stop()
    await this.#reach.closed(LEAVE)
  }

  #link(local: string, remote: string): Link {
    const pair = pairOf(local, remote)
    let link = this.#links.get(pair)
    if (!link) {
      this.#links.set(pair, (link = new Link(local, remote, this, () => this.#reach.stream(local, remote, 'carry'))))
      if (this.#leaving) link.stop()
    }
    return link
  }

  #mayLink(pair: string): boolean {
    if (this.#links.size < LINKS || this.#links.has(pair)) return true
    for (const [key, link] of this.#links) if (link.idle) this.#links.delete(key)
    return this.#links.size < LINKS
  }

  #soon(): Disposable {
    return this.network.alarm(this.network.now() + SWEEP, () => {
      const now = this.network.now()
      for (const s of this.#incoming) s.probe(now, 2 * IDLE)
      for (const s of this.#reach.streams) s.probe(now, IDLE)
      this.#sweep = this.#soon()
    })
  }
}

/** Domains as addresses have them, whatever way an admin writes them. */
const plain = (domain: string): string => domainOf(domain) ?? domain
const prepared = ({ dialback, allow, block }: FederationPolicy): FederationPolicy => ({
  dialback: typeof dialback === 'boolean' ? dialback : dialback.map(plain), allow: allow?.map(plain), block: block.map(plain),
})

/** Whether a domain is one of these, or below one. */
const isBelow = (domain: string, list: readonly string[]): boolean => list.some(d => domain === d || domain.endsWith(`.${d}`))
