// HTTP and WebSocket from the network (RFC 9110, RFC 6455): bounded, strict, and with the same headers on every answer.
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import type { Clock } from '../ports/clock.ts'
import type { Limits } from '../ports/limits.ts'
import type { Log } from '../ports/log.ts'
import { inNetworks, plainAddress } from './address.ts'
import { parseJson, type Json } from './json.ts'
import { exactOrigin, HttpRouter, problem, readPath, Streamed, type HttpRequest, type HttpResponse, type Route } from './router.ts'
import { carry, flow, paced } from './streamed.ts'
import { Doors, type Identity } from './tcp.ts'
import { TLS_DEFAULTS } from './tls.ts'

export { exactOrigin, HttpRouter, onlyFrom, problem, Streamed, type Access, type Guard, type HttpRequest, type HttpResponse, type RouteOptions } from './router.ts'

// Not imported: that would read every export, among them a browser's fetch and WebSocket, 6 MiB that nobody here uses.
const http = process.getBuiltinModule('node:http')

export interface HttpOptions {
  readonly port: number
  readonly address?: string | undefined
  /** https with this certificate; asked anew at each handshake. */
  readonly identity?: Identity | undefined
  /** The networks whose X-Forwarded-For and X-Forwarded-Proto are believed. */
  readonly proxies: readonly string[]
  readonly router: HttpRouter
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
}

export interface HttpListening extends AsyncDisposable {
  readonly port: number
  /** Takes in a certificate that was reloaded, for clients that name no server. */
  renew(): void
  /** Takes no more connections; resolves when the requests under way are answered, or after `grace` milliseconds. */
  drain(grace: number): Promise<void>
}

const DAY = 86_400_000 // ms
const NOTHING: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} }
const CHECK_EVERY = 1000 // ms between looks for requests that are late
const LAST_WORDS = 1000 // ms in which answers without an end are ended
const CLOSE_CODE_TEXT = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 408: 'Request Timeout', 426: 'Upgrade Required', 431: 'Request Header Fields Too Large', 503: 'Service Unavailable' }

/** On every answer; a route's own headers win. */
const ALWAYS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Listens; rejects if the port cannot be had. Disposing drops what is still open. */
export async function listenHttp(options: HttpOptions): Promise<HttpListening> {
  const house = new HttpHouse(options)
  const { server } = house
  await new Promise<void>((ready, failed) => {
    server.once('error', failed)
    server.listen({ port: options.port, host: options.address, backlog: 1024 }, () => { server.off('error', failed); ready() })
  })
  server.on('error', err => options.log.error({ err }, 'http: the listener failed'))
  const { port } = server.address() as AddressInfo // it listens on a port
  const closed = new Promise<void>(done => server.once('close', done))
  const stop = (): void => { if (server.listening) server.close() }
  return {
    port,
    renew() { if (options.identity && server instanceof https.Server) server.setSecureContext({ ...TLS_DEFAULTS, ...pemOf(options.identity) }) },
    async drain(grace) {
      stop()
      options.router.leave()
      server.closeIdleConnections()
      const late = Promise.withResolvers<void>()
      using _alarm = options.clock.alarm(options.clock.now() + grace, late.resolve)
      await Promise.race([closed, late.promise])
    },
    async [Symbol.asyncDispose]() {
      stop()
      await house.ends()
      house.drop()
      await closed
    },
  }
}

class HttpHouse {
  readonly server: Server
  readonly #options: HttpOptions
  readonly #isProxy: (address: string) => boolean
  readonly #sockets = new Set<Socket>()
  readonly #flows = new Set<Promise<void>>()
  readonly #webSockets: WebSocketServer

  constructor(options: HttpOptions) {
    const { limits, identity } = options
    this.#options = options
    this.#isProxy = inNetworks(options.proxies)
    const settings: ServerOptions = {
      maxHeaderSize: Math.max(1, finite(limits.http.headers, 1 << 20)),
      headersTimeout: finite(limits.http.headersTimeout, 0),
      requestTimeout: 0, // what is read into memory has a deadline, what streams a pace: see #takeBody
      keepAliveTimeout: limits.http.keepAlive,
      connectionsCheckingInterval: CHECK_EVERY,
      noDelay: true,
    }
    this.server = identity ? https.createServer({ ...settings, ...tlsSettings(identity, limits) }).on('secureConnection', socket => socket.disableRenegotiation()) : http.createServer(settings)
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: bound(limits.websocket.frame),
      maxFragments: bound(limits.websocket.fragments),
      handleProtocols: offered => [...offered][0] ?? false, // #upgrade leaves only the one we chose
    })
    const doors = new Doors(limits, options.clock)
    this.server.on('connection', (socket: Socket) => {
      const remote = plainAddress(socket.remoteAddress ?? '')
      socket.on('error', () => {}) // 'close' follows
      if (!this.#isProxy(remote)) {
        if (!doors.enter(remote)) { socket.destroy(); return }
        socket.once('close', () => doors.leave(remote))
      }
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.server.on('request', (message, response) => void this.#serve(message, response))
    this.server.on('upgrade', (message, socket, head) => void this.#upgrade(message, socket, head))
    this.server.on('connect', (_, socket) => this.#cut(socket, 405))
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
      else this.#cut(socket, error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400)
    })
  }

  /** Has those who answer without an end say their last word. */
  async ends(): Promise<void> {
    const { router, clock } = this.#options
    router.leave()
    const late = Promise.withResolvers<void>()
    using _alarm = clock.alarm(clock.now() + LAST_WORDS, late.resolve)
    await Promise.race([Promise.all(this.#flows), late.promise])
  }

  drop(): void { for (const socket of this.#sockets) socket.destroy() }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const extra = new Map<string, string>()
    let answer: HttpResponse
    try {
      answer = await this.#answer(message, response, gone.signal, extra)
    } catch (err) {
      this.#options.log.error({ err, method: message.method }, 'http: a handler failed')
      answer = problem(500, 'Something broke here; it is in the log.')
    }
    if (response.destroyed || response.headersSent) return
    if (!message.complete && !this.#discards(message)) extra.set('connection', 'close') // what was not read of the body may not be taken for the next request
    const { body } = answer
    if (!(body instanceof Streamed)) { write(message, response, answer, extra); return }
    head(message, response, answer, extra, '', body.length)
    if (message.method === 'HEAD') response.end()
    else if (body.length === undefined) await this.#flow(body, response)
    else await carry(body.pieces, response, this.#options.clock, this.#options.limits.http.requestTimeout)
  }

  /** Reads a short body that nobody wants, and forgets it: a connection that is closed before it was read is reset, and the answer may go with it. */
  #discards(message: IncomingMessage): boolean {
    const { clock, limits } = this.#options
    if (!(Number(message.headers['content-length']) <= finite(limits.http.json, 0))) return false
    const late = clock.alarm(clock.now() + finite(limits.http.requestTimeout, DAY), () => { message.socket.destroy() })
    message.once('close', () => late[Symbol.dispose]())
    message.resume()
    return true
  }

  async #flow(body: Streamed, response: ServerResponse): Promise<void> {
    const flowing = flow(body.pieces, response, this.#options.clock, this.#options.limits.http.requestTimeout)
    this.#flows.add(flowing)
    await flowing
    this.#flows.delete(flowing)
  }

  async #answer(message: IncomingMessage, response: ServerResponse, gone: AbortSignal, extra: Map<string, string>): Promise<HttpResponse> {
    const read = this.#read(message, gone)
    if ('status' in read) return read
    const { request, segments } = read
    const { method } = request
    const found = this.#options.router.find(method === 'OPTIONS' ? message.headers['access-control-request-method'] ?? method : method, segments)
    if ('allowed' in found) {
      return found.allowed.length === 0 ? problem(404, 'There is nothing here.') : problem(405, `This understands ${found.allowed.join(', ')}.`, {}, { allow: found.allowed.join(', ') })
    }
    const { route } = found
    Object.assign(request, { params: found.params })
    if (allowsOrigin(route, request, extra) && method === 'OPTIONS') return { status: 204 }
    if (method === 'OPTIONS') return problem(403, 'No page of that origin may do this.')
    const entered = route.access === 'open' ? { who: undefined } : await route.access(request)
    if ('status' in entered) return entered
    const refused = await this.#takeBody(message, response, route, request)
    return refused ?? await route.handler(request, entered.who)
  }

  #read(message: IncomingMessage, gone: AbortSignal): { request: HttpRequest; segments: string[] } | HttpResponse {
    const { limits } = this.#options
    const target = message.url ?? ''
    if (target.length > limits.http.url) return problem(414, `An address has at most ${limits.http.url} characters.`)
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    const segments = readPath(path)
    if (!segments) return problem(400, 'That path can be read in two ways.')
    const { remote, secure } = this.#whence(message)
    const origin = exactOrigin(hostOrigin(secure, message.headers.host))
    if (origin === undefined) return problem(421, 'The Host header names no host.')
    const request: HttpRequest = {
      method: message.method ?? '', path, params: {}, query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
      headers: message.headers, remote, secure, origin, body: undefined, bytes: new Uint8Array(), stream: NOTHING, gone,
    }
    return { request, segments }
  }

  // The address nearest to us that is no proxy of ours: whatever stands left of it anyone can have written.
  #whence(message: IncomingMessage): { remote: string; secure: boolean } {
    const peer = plainAddress(message.socket.remoteAddress ?? '')
    if (!this.#isProxy(peer)) return { remote: peer, secure: isTls(message) }
    const told = [message.headers['x-forwarded-for'] ?? []].flat().join(',').split(',').map(part => plainAddress(part.trim())).filter(Boolean)
    const remote = told.findLast(address => !this.#isProxy(address)) ?? told[0] ?? peer
    return { remote, secure: isTls(message) || message.headers['x-forwarded-proto'] === 'https' }
  }

  async #takeBody(message: IncomingMessage, response: ServerResponse, route: Route, request: HttpRequest): Promise<HttpResponse | undefined> {
    const kind = route.options.body ?? (/^(POST|PUT|PATCH)$/.test(route.method) ? 'json' : 'none')
    if (kind === 'none') return undefined
    const { headers } = message
    const limit = route.options.limit ?? this.#options.limits.http.json
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') return problem(415, 'A compressed body is not read here.')
    if (kind === 'stream') {
      Object.assign(request, { stream: paced(message, this.#options.clock, this.#options.limits.http.requestTimeout) })
      return undefined
    }
    if (kind === 'json' && route.options.bodiless && headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return undefined
    if (kind === 'json' && !isJson(headers['content-type'])) return problem(415, 'The body must be application/json in UTF-8.')
    const tooLong = problem(413, `A body has at most ${limit} bytes.`)
    if (Number(headers['content-length'] ?? 0) > limit) return tooLong
    const { clock, limits } = this.#options
    let late = false
    using _deadline = clock.alarm(clock.now() + finite(limits.http.requestTimeout, DAY), () => { late = true; message.emit('late') })
    const bytes = await readBody(message, limit, response)
    if (!bytes) return late ? problem(408, 'The body took too long.') : tooLong
    if (kind === 'bytes') { Object.assign(request, { bytes }); return undefined }
    const body = readJson(bytes)
    if (body === undefined) return problem(400, 'The body is no JSON, or JSON that can be read in two ways.')
    Object.assign(request, { body })
    return undefined
  }

  #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const read = this.#read(message, new AbortController().signal)
    if ('status' in read) { this.#cut(socket, 400); return }
    const found = this.#options.router.findUpgrade(read.segments)
    if (!found) { this.#cut(socket, 404); return }
    const { route, params } = found
    const { headers } = message
    if (message.method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') { this.#cut(socket, 400); return }
    if (headers['sec-websocket-version'] !== '13') { this.#cut(socket, 426, { 'sec-websocket-version': '13' }); return }
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map(part => part.trim())
    const protocol = route.protocols.find(name => offered.includes(name))
    if (route.protocols.length > 0 && protocol === undefined) { this.#cut(socket, 400); return }
    const request = { ...read.request, params }
    const origin = exactOrigin(headers.origin)
    if ((headers.origin !== undefined && origin === undefined) || !route.mayConnect(origin, request)) { this.#cut(socket, 403); return }
    if (protocol === undefined) delete headers['sec-websocket-protocol']
    else headers['sec-websocket-protocol'] = protocol
    this.#webSockets.handleUpgrade(message, socket, head, webSocket => {
      webSocket.on('error', () => {}) // ws closes it with the code that fits; 'close' is heard by the handler
      route.handler(webSocket, request, socket)
    })
  }

  #cut(socket: Duplex, status: keyof typeof CLOSE_CODE_TEXT, headers: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries({ ...ALWAYS, ...headers, 'connection': 'close', 'content-length': '0' }).map(([name, value]) => `${name}: ${value}`)
    socket.end(`HTTP/1.1 ${status} ${CLOSE_CODE_TEXT[status]}\r\n${lines.join('\r\n')}\r\n\r\n`, () => socket.destroy())
  }
}

function write(message: IncomingMessage, response: ServerResponse, answer: HttpResponse, extra: ReadonlyMap<string, string>): void {
  const { body } = answer
  const [type, bytes] = body === undefined ? ['', Buffer.alloc(0)]
    : typeof body === 'string' ? ['text/plain; charset=utf-8', Buffer.from(body)]
    : body instanceof Uint8Array ? ['application/octet-stream', body]
    : ['application/json', Buffer.from(JSON.stringify(body))]
  const empty = answer.status === 204 || answer.status === 304
  head(message, response, answer, extra, type, empty ? undefined : bytes.length)
  response.end(message.method === 'HEAD' || empty ? undefined : bytes)
}

function head(message: IncomingMessage, response: ServerResponse, answer: HttpResponse, extra: ReadonlyMap<string, string>, type: string, length: number | undefined): void {
  response.writeHead(answer.status, {
    ...ALWAYS,
    ...(isTls(message) && { 'strict-transport-security': 'max-age=31536000' }),
    ...(type && { 'content-type': type }),
    ...(length !== undefined && { 'content-length': String(length) }),
    ...Object.fromEntries(extra),
    ...answer.headers,
  })
}

// SEC-H22: the one origin that asked, if it may; never a star, never with cookies.
function allowsOrigin(route: Route, request: HttpRequest, extra: Map<string, string>): boolean {
  if (!route.options.cors) return false
  extra.set('vary', 'origin')
  const origin = exactOrigin(request.headers.origin)
  if (origin === undefined || !(origin === request.origin || route.options.cors(origin, request))) return false
  extra.set('access-control-allow-origin', origin)
  extra.set('cross-origin-resource-policy', 'cross-origin')
  if (request.method === 'OPTIONS') {
    extra.set('access-control-allow-methods', route.method)
    extra.set('access-control-allow-headers', 'authorization, content-type')
    extra.set('access-control-max-age', '600')
  }
  return true
}

async function readBody(message: IncomingMessage, limit: number, response: ServerResponse): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let length = 0
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  message.on('data', (part: Buffer) => {
    length += part.length
    if (length > limit) { message.pause(); resolve(undefined) } else parts.push(part)
  })
  message.once('end', () => resolve(Buffer.concat(parts)))
  message.once('late', () => { message.pause(); resolve(undefined) })
  response.once('close', () => resolve(undefined))
  return promise
}

function readJson(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return undefined // not UTF-8
  }
}

function tlsSettings(identity: Identity, limits: Limits): https.ServerOptions {
  return {
    ...TLS_DEFAULTS,
    handshakeTimeout: finite(limits.deadlines.handshake, 2 ** 31 - 1),
    ALPNProtocols: ['http/1.1'],
    SNICallback: (name, done) => done(null, identity.current(name).context),
    ...pemOf(identity),
  }
}

// A client without SNI is shown the certificate of the start.
function pemOf(identity: Identity): https.ServerOptions {
  const current = identity.current() as { certificate: string | Buffer; key?: string }
  return { cert: current.certificate, ...(current.key !== undefined && { key: current.key }) }
}

const isJson = (type: string | undefined): boolean => /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(type ?? '')

const isTls = (message: IncomingMessage): boolean => (message.socket as TLSSocket).encrypted === true

const hostOrigin = (secure: boolean, host: string | undefined): string | undefined => {
  const url = host === undefined || !URL.canParse(`http://${host}`) ? undefined : new URL(`${secure ? 'https' : 'http'}://${host}`)
  return url && url.pathname === '/' && !url.username && !url.search && !url.hash ? url.origin : undefined
}

const finite = (limit: number, otherwise: number): number => Number.isFinite(limit) ? limit : otherwise

// ws takes 0 for "no limit"; with us 0 is "none allowed".
const bound = (limit: number): number => limit === Infinity ? 0 : Math.max(1, limit)
