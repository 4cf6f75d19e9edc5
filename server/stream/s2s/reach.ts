// From a domain to a stream that stands: its places in their order, redirections, and how many are tried at once.
import type net from 'node:net'
import { domainToASCII } from 'node:url'
import { dialTcp } from '../../net/dial.ts'
import type { Found, Places, Target } from '../../net/dns.ts'
import { TcpTransport } from '../../net/tcp.ts'
import { later, never, OutgoingStream, type Failure, type Purpose } from './outgoing.ts'
import type { PeerWorld } from './peer.ts'

const REDIRECTIONS = 3 // RFC 6120 section 4.9.3.19

export class Reach {
  readonly #world: PeerWorld
  readonly #places: Places
  readonly #streams = new Set<OutgoingStream>()
  readonly #transports = new Set<TcpTransport>()
  #onEmpty: () => void = () => {}
  #busy = 0
  readonly #waiting: (() => void)[] = []
  #over = false
  constructor(world: PeerWorld, places: Places) { this.#world = world; this.#places = places }

  /** Every stream that was opened and is not over. */
  get streams(): ReadonlySet<OutgoingStream> { return this.#streams }

  /** Gives a stream that stands, or why there is none. Never rejects; when `limits.s2s.timeout` has passed, it begins nothing new. */
  async stream(local: string, remote: string, purpose: Purpose): Promise<OutgoingStream | Failure> {
    const { limits, network } = this.#world
    const until = network.now() + limits.s2s.timeout
    // what strangers make us ask must not keep our own people waiting
    if (purpose === 'verify' && this.#busy >= limits.s2s.dials / 2) return later('too much is being dialled')
    await this.#slot()
    try {
      let found = await this.#places.find(remote)
      for (let redirected = 0; ; redirected++) {
        const result = await this.#through(found, local, remote, purpose, until)
        if (result instanceof OutgoingStream || result.see === undefined || redirected >= REDIRECTIONS) return result
        found = await this.#places.at(result.see)
      }
    } finally {
      this.#busy--
      this.#waiting.shift()?.()
    }
  }

  /** Ends every stream, and opens no more. */
  stop(): void {
    this.#over = true
    for (const s of [...this.#streams]) s.fail('system-shutdown')
  }

  /** Resolves when every connection is closed; after `patience` milliseconds they are dropped. */
  async closed(patience: number): Promise<void> {
    if (this.#transports.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    const { network } = this.#world
    const late = network.alarm(network.now() + patience, () => { for (const t of this.#transports) t.destroy() })
    await promise
    late[Symbol.dispose]()
  }

  async #through(found: Found, local: string, remote: string, purpose: Purpose, until: number): Promise<OutgoingStream | Failure> {
    const { network } = this.#world
    if ('reason' in found) return never(found.reason)
    let failure: Failure = later('it did not answer in time')
    for (const target of found.targets) {
      if (network.now() >= until) return failure
      const stream = await this.#dial(target, local, remote, purpose)
      if (typeof stream === 'string') { failure = later(`${shown(target)}: ${stream}`); continue }
      const failed = await stream.settled
      if (!failed) return stream
      failure = { ...failed, reason: `${shown(target)}: ${failed.reason}` }
      if (!failed.elsewhere) return failure
    }
    return failure
  }

  async #dial({ addresses, port, direct }: Target, local: string, remote: string, purpose: Purpose): Promise<OutgoingStream | string> {
    const { limits, network, identity } = this.#world
    if (this.#over) return 'this server is stopping'
    const socket: net.Socket | string = await dialTcp(addresses, port, limits.s2s.connect, network)
    if (typeof socket === 'string') return socket
    if (this.#over) { socket.destroy(); return 'this server is stopping' }
    const transport = new TcpTransport(socket, socket.remoteAddress ?? '', {
      tls: direct ? 'direct' : 'starttls', identity, dialled: domainToASCII(remote).replace(/^\[|\]$/g, ''), limits, rate: limits.readRate.s2s, clock: network, ...(direct ? { alpn: 'xmpp-server' } : {}),
    })
    if (direct) transport.startTls!(local) // there is an identity
    const stream = new OutgoingStream(transport, this.#world, local, remote, purpose)
    this.#streams.add(stream)
    this.#transports.add(transport)
    transport.whenClosed = () => {
      this.#streams.delete(stream)
      this.#transports.delete(transport)
      if (this.#transports.size === 0) this.#onEmpty()
    }
    return stream
  }

  async #slot(): Promise<void> {
    while (this.#busy >= this.#world.limits.s2s.dials) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      await promise
    }
    this.#busy++
  }
}

const shown = ({ host, port }: Target): string => `${host}:${port}`
