// XMPP over HTTP (XEP-0124, XEP-0206): which session a request belongs to, and how many there may be.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../ports/clock.ts'
import type { Limits } from '../../ports/limits.ts'
import { problem, type Guard, type HttpRequest, type HttpResponse, type HttpRouter } from '../router.ts'
import { Bucket, Doors } from '../tcp.ts'
import type { Transport } from '../transport.ts'
import { numberIn, readBody, writeBody, type BindingCondition, type Body } from './body.ts'
import { BoshSession, type BoshAnswer } from './session.ts'

export interface BoshOptions {
  readonly path: string
  readonly limits: Limits
  readonly clock: Clock
  readonly serve: (transport: Transport) => void
}

const SLACK = 4096 // bytes of a request around its stanzas
const GUESSES = { rate: 10, burst: 200 } // unknown session ids of one address: after a restart, many clients behind one may ask for theirs
const ADDRESSES = 10_000

/** Answers POST at `path`, with and without a slash at the end. */
export function serveBosh(http: HttpRouter, options: BoshOptions): void {
  const house = new BoshHouse(options)
  const { limits, path } = options
  for (const at of [path, `${path}/`]) {
    http.on('POST', at, noCookies, request => house.answer(request), {
      body: 'bytes',
      limit: Math.max(limits.stanza.c2s, limits.stanza.preAuth) + SLACK,
      cors: () => true, // whoever connects must log in; there is nothing ambient to steal
    })
  }
}

/** SEC-H02: a cookie that comes from another page is none of ours. */
const noCookies: Guard<undefined> = ({ headers, origin }) =>
  headers.cookie === undefined || headers.origin === undefined || headers.origin === origin ? { who: undefined } : problem(403, 'No cookies from other sites.')

class BoshHouse {
  readonly #options: BoshOptions
  readonly #sessions = new Map<string, BoshSession>()
  readonly #doors: Doors
  readonly #guesses = new Map<string, Bucket>()

  constructor(options: BoshOptions) {
    this.#options = options
    this.#doors = new Doors(options.limits, options.clock)
  }

  async answer(request: HttpRequest): Promise<HttpResponse> {
    const { stanza, xml } = this.#options.limits
    const body = readBody(request.bytes, { ...xml, bytes: stanza.c2s })
    if (!body) return plain(400, 'bad-request')
    const { sid } = body.attrs
    const rid = numberIn(body.attrs['rid']) || NaN
    if (sid === undefined) return this.#open(rid, body, request)
    const session = this.#sessions.get(sid)
    if (!session) return this.#mayGuess(request.remote) ? plain(200, 'item-not-found') : problem(429, 'Too many session ids that are none.')
    if (session.secure && !request.secure) return problem(403, 'This session began over TLS.') // section 18.1: and goes on
    return response(Number.isNaN(rid) ? session.refuse('bad-request') : await session.ask(rid, body, request.gone))
  }

  async #open(rid: number, body: Body, { remote, secure, gone }: HttpRequest): Promise<HttpResponse> {
    if (Number.isNaN(rid) || body.flaw || body.payloads.length) return plain(body.attrs['ver'] === undefined ? 400 : 200, 'bad-request')
    if (!body.attrs['to']) return plain(200, 'improper-addressing')
    if (!this.#doors.enter(remote)) return plain(body.attrs['ver'] === undefined ? 403 : 200, 'policy-violation')
    const { limits, clock, serve } = this.#options
    const sid = randomBytes(16).toString('base64url')
    let left = false
    const over = (): void => {
      if (left) return
      left = true
      this.#sessions.delete(sid)
      this.#doors.leave(remote)
    }
    const session = new BoshSession(sid, body, remote, secure, { limits, clock, over })
    this.#sessions.set(sid, session)
    serve(session)
    return response(await session.ask(rid, body, gone))
  }

  /** SEC-H11: ids are not to be guessed. */
  #mayGuess(remote: string): boolean {
    if (this.#guesses.size > ADDRESSES) this.#guesses.clear()
    let bucket = this.#guesses.get(remote)
    if (!bucket) this.#guesses.set(remote, (bucket = new Bucket(GUESSES, this.#options.clock)))
    return bucket.take(1)
  }
}

const response = ({ status, text, type }: BoshAnswer): HttpResponse => ({ status, headers: { 'content-type': type }, body: text })

const plain = (status: number, condition: BindingCondition): HttpResponse =>
  response({ status, text: writeBody({ type: 'terminate', condition }), type: 'text/xml; charset=utf-8' })
