// The way into REST: who asks and with which scope, answers in one shape, what is sent twice done once (shell).
import { createHash } from 'node:crypto'
import type { HttpRequest, HttpResponse, HttpRouter } from '../../../server/api.ts'
import type { Bare } from '../facts.ts'
import type { Office } from '../office.ts'
import type { Permission, Role } from '../permissions.ts'
import type { Changed } from '../settings/rulebook.ts'
import type { Fault } from '../settings/check.ts'
import { Denials } from './denials.ts'
import { misfits, oddities } from './fit.ts'
import { reaches, type Scope } from './scopes.ts'
import type { Schema } from './shapes.ts'

/** Whom a token speaks for. Scopes cut the account's rights: absent = all of them. `token`: its id. */
export interface Caller { readonly jid: Bare; readonly role: Role | undefined; readonly scopes: readonly string[] | undefined; readonly token?: string | undefined }
export type Answer = HttpResponse | Promise<HttpResponse>

/** One operation: what the server does, and what /api/v1/openapi.json says of it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Under /api/v1, with `{name}` for what varies. */
  readonly path: string
  readonly id: string
  /** What the token must reach; absent: any token will do. */
  readonly scope?: Scope
  /** Asked without a token; `handle` sees to it by itself who it is. */
  readonly open?: true
  /** Without it: 403. */
  readonly needs?: Permission
  /** What is sent says something of a customer: the audit, which nothing is ever taken out of, notes what was set and not to what. */
  readonly personal?: true
  readonly summary: string
  readonly query?: Readonly<Record<string, Schema>>
  /** Parameters without which it is refused. */
  readonly demands?: readonly string[]
  readonly body?: Schema
  readonly answer: Schema
  /** Of success; default 200. */
  readonly status?: number
  /** Refusals beside those that follow from the rest. */
  readonly refuses?: readonly number[]
  /** It answers as text/csv, too: by `Accept`, or with `.csv` behind the path. */
  readonly table?: true
  /** It answers with this type of content; absent: JSON. */
  readonly media?: string
  /** It answers with server-sent events without an end: what the data of each is. */
  readonly events?: Readonly<Record<string, Schema>>
  handle(r: HttpRequest, who: Caller): Answer
}

const BASE = '/api/v1'
/** Who asks for these is there still, and need not be at work: a page asks by itself. */
const STILL_HERE: ReadonlySet<string> = new Set(['/me', '/me/asked'])
const IDEMPOTENT = 'desk-idempotency'
const REMEMBERED = 24 * 3600_000 // ms
const KEY = /^[\x21-\x7e]{1,255}$/
const NOBODY: Caller = { jid: '', role: undefined, scopes: [] }

interface Done { readonly at: number; readonly body: string; readonly response?: { status: number; headers?: Readonly<Record<string, string>>; body?: unknown } }

export class Door {
  readonly office: Office
  readonly #http: HttpRouter
  readonly routes: Route[] = []
  readonly denials: Denials
  /** A token that was let in asks for something. */
  readonly onAsked: ((who: Caller) => void)[] = []
  readonly #running = new Map<string, Promise<void>>() // what comes again meanwhile waits for the answer
  constructor(http: HttpRouter, office: Office) { this.#http = http; this.office = office; this.denials = new Denials(office) }

  /** Registers routes that are described. */
  add(...routes: readonly Route[]): void {
    for (const r of routes) {
      this.routes.push(r)
      if (r.open) { this.#http.on(r.method, BASE + r.path, 'open', request => r.handle(request, NOBODY)); continue }
      this.on(r.method, r.path.replace(/\{(\w+)\}/g, ':$1'), r.scope, (request, who) => {
        if (!this.office.operators.has(who.jid)) return nothing()
        if (r.needs !== undefined && !this.office.operators.may(who.jid, r.needs)) return problem(403, 'You may not do that.')
        const faults = [...r.query === undefined ? [] : oddities(r.query, request.query), ...r.body === undefined ? [] : misfits(r.body, request.body)]
        if (faults.length > 0) return faulty(422, faults)
        return r.method === 'GET' || (r.path.startsWith('/conversations') && r.method !== 'DELETE') ? r.handle(request, who) : this.#audited(r, request, who)
      }, r.body === undefined)
    }
  }

  /** What is changed at the desk itself is noted with its before and after. */
  #audited(route: Route, r: HttpRequest, who: Caller): Promise<HttpResponse> {
    return this.office.records.audit.around(this.office, route.path.startsWith('/operators') ? r.params['jid'] : undefined, async () => route.handle(r, who),
      answer => answer.status >= 300 ? undefined : { by: who.jid, from: r.remote, what: route.id, on: (route.personal ? answer.headers?.['location'] : undefined) ?? r.path, ...(r.body === undefined ? {} : { detail: route.personal ? Object.keys(object(r) ?? {}) : r.body }) })
  }

  /** Registers a route that is described elsewhere. `bodiless`: it may come without a body. */
  on(method: string, path: string, scope: Scope | undefined, handle: (r: HttpRequest, who: Caller) => Answer, bodiless = false): void {
    const watched = async (r: HttpRequest, who: Caller): Promise<HttpResponse> => {
      for (const f of this.onAsked) f(who)
      if (!STILL_HERE.has(path) && this.office.operators.has(who.jid)) this.office.heard.set(who.jid, this.office.now)
      const answer = await handle(r, who)
      if (answer.status === 403) await this.denials.note(r, who.jid)
      return answer
    }
    const once = method === 'GET' ? watched : (r: HttpRequest, who: Caller): Answer => this.once(r, who, watched)
    this.#http.on(method, `${BASE}${path}`, r => this.#admit(r, scope), once, { bodiless })
  }

  async #admit(r: HttpRequest, scope: Scope | undefined): Promise<{ who: Caller } | HttpResponse> {
    const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(r.headers.authorization ?? '')?.[1]
    const found = token === undefined ? undefined : await this.office.link.privileges?.token(token)
    if (!found) return problem(401, token === undefined ? 'A token is needed: Authorization: Bearer TOKEN.' : 'This token is unknown, or it is over.', {}, { 'www-authenticate': 'Bearer' })
    if (scope !== undefined && !reaches(found.scopes, scope)) return problem(403, `This token lacks the scope ${scope}.`)
    return { who: { jid: found.jid, role: found.role, scopes: found.scopes, token: found.id } }
  }

  /** The same Idempotency-Key from the same caller to the same place is done once within a day; the answer is repeated. */
  async once(r: HttpRequest, who: Caller, handle: (r: HttpRequest, who: Caller) => Answer): Promise<HttpResponse> {
    const key = r.headers['idempotency-key']
    if (key === undefined) return handle(r, who)
    if (typeof key !== 'string' || !KEY.test(key)) return problem(400, 'Idempotency-Key: 1 to 255 visible characters.')
    const { documents } = this.office.link.stores
    const id = hash(`${who.jid}\n${r.method} ${r.path}\n${key}`)
    const body = hash(JSON.stringify(r.body ?? null, unsaid))
    for (let first: Promise<void> | undefined; (first = this.#running.get(id));) await first
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#running.set(id, promise)
    try {
      const before = (await documents.get<Done>(IDEMPOTENT, this.office.domain, id))?.value
      if (before && before.at > this.office.now - REMEMBERED) {
        if (before.body !== body) return problem(422, 'This Idempotency-Key was used with another body.')
        if (before.response) return { ...before.response, body: before.response.body as object, headers: { ...before.response.headers, 'idempotent-replayed': 'true' } }
        return problem(409, 'The outcome of the request with this Idempotency-Key is not known: the server fell. Look what has become of it, and take a new key.')
      }
      await documents.put<Done>(IDEMPOTENT, this.office.domain, id, { at: this.office.now, body })
      const response = await handle(r, who)
      const kept = response.body === undefined || (typeof response.body === 'object' && !(response.body instanceof Uint8Array))
      if (response.status < 500 && kept) await documents.put<Done>(IDEMPOTENT, this.office.domain, id, { at: this.office.now, body, response: { ...response, body: withoutSecrets(response.body) } })
      else await documents.remove(IDEMPOTENT, this.office.domain, id)
      return response
    } finally { this.#running.delete(id); resolve() }
  }
}

/** Forgets the keys of yesterday. */
export async function sweepKeys(o: Office): Promise<void> {
  const { documents } = o.link.stores
  for (let after: string | undefined; ;) {
    const page = await documents.range<Done>(IDEMPOTENT, o.domain, { limit: 500, ...(after === undefined ? {} : { after }) })
    for (const d of page) if (d.value.at <= o.now - REMEMBERED) await documents.remove(IDEMPOTENT, o.domain, d.id)
    after = page.at(-1)?.id
    if (page.length < 500) return
  }
}

/** Problem details (RFC 9457). */
export const problem = (status: number, title: string, more: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, string>> = {}): HttpResponse =>
  ({ status, headers: { 'content-type': 'application/problem+json', ...headers }, body: { title, status, ...more } })
/** A command's refusal: not his to do, not there, over, or not possible now. */
export const declined = (a: { readonly text: string; readonly forbidden?: boolean; readonly missing?: boolean; readonly gone?: boolean }): HttpResponse => problem(a.forbidden ? 403 : a.missing ? 404 : a.gone ? 410 : 409, a.text)
export const nothing = (): HttpResponse => problem(404, 'There is nothing here.')
export const faulty = (status: number, faults: readonly Fault[]): HttpResponse => problem(status, faults.map(f => `${f.pointer}: ${f.because}`).join('; '), { errors: faults.map(f => ({ pointer: f.pointer, detail: f.because })) })
export const ok = (body: object, headers: Readonly<Record<string, string>> = {}): HttpResponse => ({ status: 200, headers, body })
export const created = (location: string, body: object): HttpResponse => ({ status: 201, headers: { location: `${BASE}${location}` }, body })
export const gone = (): HttpResponse => ({ status: 204 })

/** The answer to a change of the settings; `body` is for one that was made. */
export function changed(r: HttpRequest, outcome: Changed, body: () => HttpResponse): HttpResponse {
  switch (outcome.is) {
    case 'done': { const answer = body(); return { ...answer, headers: { ...answer.headers, etag: `"${outcome.version}"` } } }
    case 'conflict': return problem(r.headers['if-match'] === undefined ? 409 : 412, `Somebody else has changed the settings: they are at version ${outcome.version}.`, { version: outcome.version })
    case 'wrong': return faulty(422, outcome.faults)
    case 'refused': return faulty(409, outcome.faults)
  }
}
/** The version that If-Match names; undefined: any. NaN for what is none. */
export function expected(r: HttpRequest): number | undefined {
  const tag = r.headers['if-match']
  if (tag === undefined || tag === '*') return undefined
  return Number(/^(?:W\/)?"(\d{1,15})"$/.exec(tag)?.[1] ?? NaN)
}

/** Whether a table is wanted rather than JSON: by the address, or by Accept (RFC 9110 section 12.5.1). */
export function wantsTable(r: HttpRequest): boolean {
  if (r.path.endsWith('.csv')) return true
  const weight = (type: string): number => {
    for (const part of (r.headers.accept ?? '').split(',')) {
      const [name = '', ...parameters] = part.split(';').map(x => x.trim().toLowerCase())
      if (name === type) return Number(parameters.find(p => p.startsWith('q='))?.slice(2) ?? 1) || 0
    }
    return 0
  }
  return weight('text/csv') > weight('application/json')
}
/** The body if it is an object. */
export const object = (r: HttpRequest): Readonly<Record<string, unknown>> | undefined => r.body !== null && typeof r.body === 'object' && !Array.isArray(r.body) ? r.body as Readonly<Record<string, unknown>> : undefined
export const time = (at: number | undefined): string | null => at === undefined ? null : new Date(at).toISOString()
export const whole = (text: string | null, otherwise: number, most = Number.MAX_SAFE_INTEGER): number => text !== null && /^\d{1,12}$/.test(text) ? Math.min(Number(text), most) : otherwise

/** A page of a list in the order of the ids, and where the next begins: `after` is the id of the last that was seen. */
export function page<T>(all: readonly T[], idOf: (t: T) => string, r: HttpRequest, most = 200): { readonly items: readonly T[]; readonly next: string | null } {
  const after = r.query.get('after')
  const limit = Math.max(1, whole(r.query.get('limit'), most, most))
  const rest = (after === null ? [...all] : all.filter(t => idOf(t) > after)).sort((a, b) => idOf(a) < idOf(b) ? -1 : 1)
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rest.length > items.length && last !== undefined ? idOf(last) : null }
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
/** A password or a token is shown once, and not kept for a repetition. */
const withoutSecrets = (body: unknown): unknown => body === null || typeof body !== 'object' || Array.isArray(body) ? body
  : { ...body, ...('password' in body ? { password: null } : {}), ...('token' in body ? { token: null } : {}) }
/** What could be guessed from a hash does not go into one. */
const unsaid = (key: string, value: unknown): unknown => typeof value === 'string' && /^(password|confirm)$/i.test(key) ? '…' : value
