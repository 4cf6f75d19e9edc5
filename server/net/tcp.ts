// XMPP over TCP: listening, STARTTLS and direct TLS, and how much one address may open and send.
import net, { isIP } from 'node:net'
import tls from 'node:tls'
import type { Clock } from '../ports/clock.ts'
import type { Limits, Rate } from '../ports/limits.ts'
import type { Log } from '../ports/log.ts'
import { neighbourhood, plainAddress } from './address.ts'
import { channelBindings } from './bindings.ts'
import { Bucket } from './bucket.ts'
import { Reading } from './reading.ts'
import { NO_BINDINGS, type Bindings, type PeerCertificate, type Transport } from './transport.ts'

export { Bucket }
export type { PeerCertificate }

/** The certificates in force and what they mean for TLS. */
export interface Identity {
  /** That of a domain; without one, or where none is for it, the first. Asked at each handshake, so that a reload reaches new streams. */
  current(domain?: string): { readonly context: tls.SecureContext; readonly certificate: string | Buffer }
  /** The same for connections of ours, where that is another context. */
  dialling?(domain?: string): { readonly context: tls.SecureContext; readonly certificate: string | Buffer }
  /** Whether it has more than one. */
  readonly several?: boolean
}

/** What a connection is made with. */
export interface TransportOptions {
  /** 'none': plain only; 'starttls': plain, may be upgraded; 'direct': TLS from the first byte (XEP-0368). */
  readonly tls: 'none' | 'starttls' | 'direct'
  readonly identity?: Identity | undefined
  /** The ALPN protocol of direct TLS. */
  readonly alpn?: string
  /** The peer is asked for a certificate; it may come without one, or with one that is no good: `peer` says which. */
  readonly mutual?: boolean
  /** We have dialled: the name that TLS asks for. */
  readonly dialled?: string
  readonly limits: Limits
  /** Bytes a second read from one connection. */
  readonly rate: Rate
  readonly clock: Clock
}

export interface TcpOptions extends TransportOptions {
  readonly port: number
  readonly address?: string | undefined
  readonly log: Log
  readonly serve: (transport: TcpTransport) => void
}

export interface Listening extends AsyncDisposable { readonly port: number; readonly connections: number }

const HELD = 3_000 // ms that a connection waits whose address opens them faster than it may
const LINGER = 5_000 // ms that a peer has to close its side
const KEEP_ALIVE = 60_000 // ms of silence before the kernel asks whether the peer is there: components are asked by nobody else

/** Listens; rejects if the port cannot be had. Disposing stops listening and drops what is still open. */
export async function listenTcp(options: TcpOptions): Promise<Listening> {
  const open = new Set<TcpTransport>()
  const held = new Set<net.Socket>()
  const doors = new Doors(options.limits, options.clock)
  const server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE }, socket => {
    const remote = plainAddress(socket.remoteAddress ?? '')
    socket.on('error', () => {}) // 'close' follows and is heard
    const wait = doors.wait(remote)
    if (wait === undefined) { socket.destroy(); return }
    if (wait === 0) { welcome(socket, remote); return }
    const waits = options.clock.alarm(options.clock.now() + wait, () => { socket.off('close', gives); welcome(socket, remote) })
    const gives = (): void => { waits[Symbol.dispose](); held.delete(socket); doors.leave(remote) }
    held.add(socket)
    socket.once('close', gives)
  })
  const welcome = (socket: net.Socket, remote: string): void => {
    held.delete(socket)
    const transport = new TcpTransport(socket, remote, options)
    open.add(transport)
    transport.whenClosed = () => { open.delete(transport); doors.leave(remote) }
    if (options.tls === 'direct') transport.startTls!() // direct has an identity, so startTls is there
    options.serve(transport)
  }
  await new Promise<void>((ready, failed) => {
    server.once('error', failed)
    server.listen({ port: options.port, host: options.address, backlog: 1024 }, () => { server.off('error', failed); ready() })
  })
  server.on('error', err => options.log.error({ err }, 'a listener failed'))
  const { port } = server.address() as net.AddressInfo // it listens on a port
  return {
    port,
    get connections() { return open.size },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>(done => server.close(() => done()))
      for (const t of [...open, ...held]) t.destroy()
      await closed
    },
  }
}

/** Counts who has how much open (requirements: connections per address, new per address). */
export class Doors {
  readonly #limits: Limits['connections']
  readonly #clock: Clock
  readonly #byAddress = new Map<string, { open: number; bucket: Bucket }>()
  constructor(limits: Limits, clock: Clock) { this.#limits = limits.connections; this.#clock = clock }

  enter(address: string): boolean { return this.wait(address, 0) !== undefined }

  /** How many ms until the address may have one more, no longer than `most`; undefined: it is refused. */
  wait(address: string, most = HELD): number | undefined {
    if (this.#limits.perAddress === Infinity && this.#limits.newPerAddress.rate === Infinity) return 0
    const key = neighbourhood(address)
    let entry = this.#byAddress.get(key)
    if (!entry) {
      if (this.#byAddress.size > 50_000) this.#sweep()
      this.#byAddress.set(key, (entry = { open: 0, bucket: new Bucket(this.#limits.newPerAddress, this.#clock) }))
    }
    if (entry.open >= this.#limits.perAddress) return undefined
    const wait = entry.bucket.borrow(1, most)
    if (wait !== undefined) entry.open++
    return wait
  }

  leave(address: string): void {
    const entry = this.#byAddress.get(neighbourhood(address))
    if (entry && entry.open > 0) entry.open--
  }

  #sweep(): void { for (const [a, e] of this.#byAddress) if (e.open === 0) this.#byAddress.delete(a) }
}

export class TcpTransport implements Transport {
  readonly framing = 'stream'
  readonly remote: string
  onData: (data: Uint8Array | string) => void = () => {}
  onClose: () => void = () => {}
  whenClosed: () => void = () => {}
  readonly startTls?: (domain?: string) => void
  readonly #options: TransportOptions
  readonly #reading: Reading
  #socket: net.Socket
  #tls: tls.TLSSocket | undefined
  #shown: string | Buffer = '' // our certificate in this connection
  #bindings: Bindings | undefined
  #written = 0 // characters
  #closed = false

  constructor(socket: net.Socket, remote: string, options: TransportOptions) {
    this.#socket = socket
    this.remote = remote
    this.#options = options
    this.#reading = new Reading(on => { const s = this.#tls ?? this.#socket; if (on) s.resume(); else s.pause() }, options.clock, options.rate)
    socket.on('close', () => this.#gone())
    socket.on('data', this.#read)
    if (options.identity && options.tls !== 'none') this.startTls = domain => this.#upgrade(options.identity!, domain) // tested in this line
  }

  get secure(): boolean { return this.#tls !== undefined }
  get backlog(): number { return this.#socket.writableLength + (this.#tls ? this.#tls.writableLength : 0) }
  get taken(): number { return this.#written - this.backlog }

  get bindings(): Bindings {
    if (!this.#tls || this.#shown === '') return NO_BINDINGS
    return (this.#bindings ??= channelBindings(this.#tls, this.#shown))
  }

  /** Undefined where there is no TLS yet, or none was shown. */
  get peer(): PeerCertificate | undefined {
    const certificate = this.#tls?.getPeerX509Certificate()
    if (!certificate) return undefined
    // Node puts this into `authorized` for sockets of its own servers only
    const handle = (this.#tls as unknown as { _handle: { verifyError(): NodeJS.ErrnoException | null } | null })._handle
    return { certificate, flaw: handle ? handle.verifyError()?.code : 'CLOSED' }
  }

  write(text: string): void {
    if (this.#closed) return
    this.#written += text.length
    ;(this.#tls ?? this.#socket).write(text)
  }
  pause(): void { this.#reading.pause() }
  resume(): void { this.#reading.resume() }

  close(): void {
    if (this.#closed) return
    ;(this.#tls ?? this.#socket).end()
    const linger = this.#options.clock.alarm(this.#options.clock.now() + LINGER, () => this.destroy())
    this.#socket.once('close', () => linger[Symbol.dispose]())
    this.#reading.release() // what the peer still says is not heeded, but its end must be read
  }

  destroy(): void { this.#tls?.destroy(); this.#socket.destroy() }

  readonly #read = (bytes: Buffer): void => {
    this.#reading.took(bytes.length)
    this.onData(bytes)
  }

  #upgrade(identity: Identity, domain: string | undefined): void {
    const { alpn, limits, clock, dialled, mutual } = this.#options
    this.#socket.off('data', this.#read)
    const { context, certificate } = dialled !== undefined && identity.dialling ? identity.dialling(domain) : identity.current(domain)
    this.#shown = certificate
    const common = { secureContext: context, rejectUnauthorized: false, ...(alpn ? { ALPNProtocols: [alpn] } : {}) }
    const secure = dialled === undefined
      ? new tls.TLSSocket(this.#socket, { ...common, isServer: true, requestCert: mutual ?? false, ...(domain === undefined && identity.several && { SNICallback: this.#named(identity) }) })
      : tls.connect({ ...common, socket: this.#socket, ...(isIP(dialled) ? {} : { servername: dialled }) })
    this.#tls = secure
    if (dialled === undefined) secure.disableRenegotiation()
    secure.on('_tlsError', () => this.destroy()) // so Node tells a socket that no tls.Server owns that there was a renegotiation
    this.#bindings = undefined
    const late = clock.alarm(clock.now() + limits.deadlines.handshake, () => this.destroy())
    secure.on('secure', () => late[Symbol.dispose]())
    secure.on('error', () => this.destroy()) // RFC 6120 section 5.4.3.2: no </stream>, the connection just ends
    secure.on('close', () => { late[Symbol.dispose](); this.destroy() })
    secure.on('data', this.#read)
    if (this.#reading.off) secure.pause()
  }

  /** The certificate for the name that the client says in its handshake. */
  #named(identity: Identity): (name: string, done: (error: Error | null, context?: tls.SecureContext) => void) => void {
    return (name, done) => {
      const { context, certificate } = identity.current(name)
      this.#shown = certificate
      done(null, context)
    }
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#reading.release()
    this.whenClosed()
    this.onClose()
  }
}
