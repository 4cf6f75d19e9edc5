// The table of all that speaks HTTP: who may ask what, and who answers. It owns no socket; http.ts brings the requests.
import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Json } from './json.ts'

export interface HttpRequest {
  readonly method: string
  /** As it came, without the query; its segments are percent-decoded in `params`. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Readonly<IncomingHttpHeaders>
  /** The client's IP address; what a proxy says of it only if that proxy is ours. */
  readonly remote: string
  /** Whether it came by TLS, to us or to a proxy of ours. */
  readonly secure: boolean
  /** The origin under which the client knows us, as a browser would write it. */
  readonly origin: string
  /** The JSON body of a route with `body: 'json'`. */
  readonly body: Json | undefined
  /** The body of a route with `body: 'bytes'`. */
  readonly bytes: Uint8Array
  /** The body of a route with `body: 'stream'`, as it comes; throws for a client that goes, or is slower than may be. */
  readonly stream: AsyncIterable<Uint8Array>
  /** Aborted when the client goes before it is answered. */
  readonly gone: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text, bytes, what is sent as it is read, or what becomes JSON. */
  readonly body?: string | Uint8Array | Streamed | object
}

/** A body that is not held in memory: `length` bytes, in pieces; without a length as many as come, whenever they come. */
export class Streamed {
  readonly length: number | undefined
  readonly pieces: AsyncIterable<Uint8Array>
  constructor(length: number | undefined, pieces: AsyncIterable<Uint8Array>) { this.length = length; this.pieces = pieces }
}

type Soon<T> = T | Promise<T>

/** Who asks: `{ who }` lets him in, a response refuses him. */
export type Guard<Who> = (request: HttpRequest) => Soon<{ readonly who: Who } | HttpResponse>

/** 'open': everybody. There is no default: each route says who may. */
export type Access<Who> = 'open' | Guard<Who>

export interface RouteOptions {
  /** What the body is; default 'json' for POST, PUT and PATCH, else 'none'. */
  readonly body?: 'json' | 'bytes' | 'stream' | 'none'
  /** A request of `body: 'json'` may come without one. */
  readonly bodiless?: boolean
  /** The largest body in bytes; default: limits.http.json. For 'stream' the handler looks itself. */
  readonly limit?: number
  /** Which other origins may call this from a browser; default none. */
  readonly cors?: (origin: string, request: HttpRequest) => boolean
}

export interface Route {
  readonly method: string
  readonly segments: readonly string[]
  readonly access: Access<unknown>
  readonly handler: (request: HttpRequest, who: unknown) => Soon<HttpResponse>
  readonly options: RouteOptions
}

export interface UpgradeRoute {
  readonly segments: readonly string[]
  /** The subprotocols we speak here, one of which the client must offer; none: no subprotocol. */
  readonly protocols: readonly string[]
  /** Whether a page of this origin may connect; `undefined` is a client that is no browser. */
  readonly mayConnect: (origin: string | undefined, request: HttpRequest) => boolean
  /** `connection`: what is under the WebSocket. */
  readonly handler: (socket: WebSocket, request: HttpRequest, connection: Duplex) => void
}

/** Where the parts of the house say what they answer. A pattern is a path whose segments may be `:name`; a last segment `*` takes all the rest. */
export class HttpRouter {
  readonly #routes: Route[] = []
  readonly #upgrades: UpgradeRoute[] = []
  readonly #leaving = new Set<() => void>()

  on<Who>(method: string, pattern: string, access: Access<Who>, handler: (request: HttpRequest, who: Who) => Soon<HttpResponse>, options: RouteOptions = {}): void {
    // A route's guard and handler agree on `Who`; the table need not know it.
    this.#routes.push({ method, segments: split(pattern), access: access as Access<unknown>, handler: handler as Route['handler'], options })
  }

  upgrade(pattern: string, route: Omit<UpgradeRoute, 'segments'>): void {
    this.#upgrades.push({ ...route, segments: split(pattern) })
  }

  /** Told when the listener is about to end: who answers without an end says the last word now. */
  onLeave(listener: () => void): Disposable {
    this.#leaving.add(listener)
    return { [Symbol.dispose]: () => { this.#leaving.delete(listener) } }
  }
  leave(): void { for (const f of [...this.#leaving]) f() }

  /** All routes: `GET /healthz`, for tests and for the machine-readable description. */
  get table(): readonly { readonly method: string; readonly pattern: string; readonly open: boolean }[] {
    return this.#routes.map(({ method, segments, access }) => ({ method, pattern: `/${segments.join('/')}`, open: access === 'open' }))
  }

  /** Who answers; else the methods that are allowed at this path, none of them if there is nothing. */
  find(method: string, path: readonly string[]): { route: Route; params: Record<string, string> } | { allowed: readonly string[] } {
    const allowed = new Set<string>()
    for (const route of this.#routes) {
      const params = match(route.segments, path)
      if (!params) continue
      if (route.method === method || (method === 'HEAD' && route.method === 'GET')) return { route, params }
      allowed.add(route.method)
      if (route.method === 'GET') allowed.add('HEAD')
      if (route.options.cors) allowed.add('OPTIONS')
    }
    return { allowed: [...allowed].sort() }
  }

  findUpgrade(path: readonly string[]): { route: UpgradeRoute; params: Record<string, string> } | undefined {
    for (const route of this.#upgrades) {
      const params = match(route.segments, path)
      if (params) return { route, params }
    }
    return undefined
  }
}

/** Problem details (RFC 9457); `title` is a sentence for people. */
export function problem(status: number, title: string, more: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status, headers: { 'content-type': 'application/problem+json', ...headers }, body: { title, status, ...more } }
}

/** Answers 404 to all but these; who may ask is nobody else's business. */
export function onlyFrom(isAllowed: (address: string) => boolean): Guard<undefined> {
  return request => isAllowed(request.remote) ? { who: undefined } : problem(404, 'There is nothing here.')
}

/** The origin a browser sent, if it is one and written exactly as browsers write it; `undefined` for none, `null` and forgeries. */
export function exactOrigin(header: string | undefined): string | undefined {
  if (header === undefined || !URL.canParse(header)) return undefined
  const url = new URL(header)
  return url.origin === header && /^https?:\/\/[\w.:[\]-]+$/.test(header) ? header : undefined
}

/** The segments of a request's path, percent-decoded; `undefined` for one that could be read in two ways. */
export function readPath(path: string): string[] | undefined {
  if (!/^\/[\x21-\x7e]*$/.test(path) || path.includes('//') || /[\\"<>^`{|}]/.test(path)) return undefined
  if (/%(?:2f|5c|00|2e)/i.test(path) || /\/\.{1,2}(?:\/|$)/.test(path)) return undefined
  try {
    return split(path).map(decodeURIComponent)
  } catch {
    return undefined // not UTF-8
  }
}

const split = (path: string): string[] => path.slice(1).split('/')

function match(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  const rest = pattern.at(-1) === '*'
  if (rest ? path.length < pattern.length : path.length !== pattern.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, part] of pattern.entries()) {
    const given = path[i] ?? ''
    if (part === '*' && i === pattern.length - 1) params['*'] = path.slice(i).join('/')
    else if (!part.startsWith(':')) { if (part !== given) return undefined }
    else if (given) params[part.slice(1)] = given
    else return undefined
  }
  return params
}
