// Pages that are reached by long polling: every request is a POST, what waits for a page is kept in its session.
import { randomBytes } from 'node:crypto'
import type { Clock, HttpRequest, HttpResponse } from '../../server/api.ts'
import type { FromBridge, PollRequest } from '../../schemas/webchat.ts'
import type { Bridge, Page } from './bridge.ts'
import { isPollRequest } from './messages.ts'
import type { Door } from './tab.ts'
import { refusal } from './translate.ts'

const HOLD = 25_000 // ms that a poll waits for something to tell
const SILENCE = 40_000 // ms without a request until the page is taken as gone
const QUEUE = 1000 // messages that may wait for a page
const SESSIONS = 5000 // in all

const STATUS: Readonly<Record<string, number>> = {
  'not-authorized': 401, 'bad-request': 422, 'not-acceptable': 422, 'item-not-found': 404, forbidden: 403, 'not-allowed': 403, 'policy-violation': 422, 'resource-constraint': 429,
  conflict: 409, 'unexpected-request': 409, 'feature-not-implemented': 501, 'service-unavailable': 503, 'remote-server-timeout': 504,
}

export class Polling {
  readonly #bridge: Bridge
  readonly #clock: Clock // of the network
  readonly #sessions = new Map<string, Session>()
  readonly #perAddress = new Map<string, number>()

  constructor(bridge: Bridge, clock: Clock) {
    this.#bridge = bridge
    this.#clock = clock
  }

  async answer(request: HttpRequest): Promise<HttpResponse> {
    const body: unknown = request.body
    if (!isPollRequest(body)) return answerOf([refusal('bad-request', 'This is no message of ours.', {})])
    const { session: id, message, focus }: PollRequest = body
    if (id === undefined) return this.#hello(request, message)
    const session = this.#sessions.get(id)
    if (!session) return { status: 410, body: { messages: [] } }
    session.seen()
    if (message) {
      const answer = await this.#bridge.take(session.page!, message) // a session has a page
      const queued = session.drain()
      return answer?.type === 'refused' ? answerOf([...queued, answer], answer) : answerOf(answer ? [...queued, answer] : queued)
    }
    if (focus === undefined) return answerOf(await session.next(request.gone))
    // A page that says where the user looks is told when to ask again: it need not be held.
    const pace = await this.#bridge.pace()
    return answerOf(session.drain(), undefined, pace[focus])
  }

  async #hello(request: HttpRequest, message: PollRequest['message']): Promise<HttpResponse> {
    if (message?.type !== 'hello') return answerOf([refusal('unexpected-request', 'Say hello first.', {})])
    const { remote } = request
    const mine = this.#perAddress.get(remote) ?? 0
    if (this.#sessions.size >= SESSIONS || mine >= this.#bridge.limits.connections.perAddress) return answerOf([refusal('resource-constraint', 'Please try again later.', { of: 'hello' }, 10_000)])
    const id = randomBytes(32).toString('base64url')
    const session = new Session(remote, this.#clock, () => {
      if (!this.#sessions.delete(id)) return
      const left = this.#perAddress.get(remote)! - 1 // counted when it was made
      if (left > 0) this.#perAddress.set(remote, left)
      else this.#perAddress.delete(remote)
      if (session.page) this.#bridge.leave(session.page)
    })
    const greeted = await this.#bridge.hello(session, message, request.query.get('site') ?? undefined)
    if (!('page' in greeted)) return answerOf([greeted])
    session.page = greeted.page
    this.#sessions.set(id, session)
    this.#perAddress.set(remote, (this.#perAddress.get(remote) ?? 0) + 1)
    session.seen()
    return { status: 200, body: { session: id, messages: [greeted.answer] } }
  }

  stop(): void { for (const s of this.#sessions.values()) s.close() }
}

class Session implements Door {
  readonly address: string
  page: Page | undefined
  readonly #clock: Clock
  readonly #onClose: () => void
  #queue: FromBridge[] = []
  #waiting: (() => void) | undefined
  #end: Disposable | undefined

  constructor(address: string, clock: Clock, onClose: () => void) {
    this.address = address
    this.#clock = clock
    this.#onClose = onClose
  }

  tell(m: FromBridge): void {
    if (this.#queue.push(m) > QUEUE) this.close()
    this.#waiting?.()
  }

  close(): void {
    this.#end?.[Symbol.dispose]()
    this.#queue = []
    this.#waiting?.()
    this.#onClose()
  }

  /** The page has asked for something: it is there. */
  seen(): void {
    this.#end?.[Symbol.dispose]()
    this.#end = this.#clock.alarm(this.#clock.now() + SILENCE, () => this.close())
  }

  drain(): FromBridge[] {
    const queue = this.#queue
    this.#queue = []
    return queue
  }

  /** What waits; where nothing does, waits for it. A later poll takes the place of an earlier one. */
  async next(gone: AbortSignal): Promise<FromBridge[]> {
    this.#waiting?.()
    if (this.#queue.length === 0 && !gone.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting = resolve
      gone.addEventListener('abort', () => resolve(), { once: true })
      const late = this.#clock.alarm(this.#clock.now() + HOLD, resolve)
      await promise
      late[Symbol.dispose]()
      if (this.#waiting === resolve) this.#waiting = undefined
    }
    return gone.aborted ? [] : this.drain()
  }
}

function answerOf(messages: FromBridge[], refused = messages.length === 1 && messages[0]?.type === 'refused' ? messages[0] : undefined, next?: number): HttpResponse {
  const status = refused ? STATUS[refused.reason] ?? 500 : 200
  const retry = refused?.retry
  return { status, body: { messages, ...(next !== undefined && { next }) }, ...(retry !== undefined && { headers: { 'retry-after': String(Math.ceil(retry / 1000)) } }) }
}
