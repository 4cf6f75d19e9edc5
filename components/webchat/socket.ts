// A page that is reached by a WebSocket.
import type { WebSocket } from 'ws'
import type { Clock, HttpRequest, Limits } from '../../server/api.ts'
import type { FromBridge } from '../../schemas/webchat.ts'
import type { Bridge, Page } from './bridge.ts'
import { Bucket } from './limits.ts'
import { isFromBrowser } from './messages.ts'
import type { Door } from './tab.ts'
import { refusal } from './translate.ts'

const MESSAGE = 64 * 1024 // bytes of one message
const BACKLOG = 1024 * 1024 // bytes that may wait for a page: it gets the rest when it comes back
const FLAWS = 10 // messages that are none, until the socket is closed
const PINGS = { rate: 1, burst: 20 } // control frames and pings from a page

export class SocketDoor implements Door {
  readonly address: string
  readonly #site: string | undefined
  readonly #ws: WebSocket
  readonly #bridge: Bridge
  readonly #clock: Clock // of the network
  readonly #limits: Limits
  readonly #read: Bucket
  readonly #pings: Bucket
  #greeting = false
  #page: Page | undefined
  #flaws = 0
  #alive = true
  #closed = false
  #pulse: Disposable | undefined
  #rest: Disposable | undefined

  constructor(ws: WebSocket, request: HttpRequest, bridge: Bridge, clock: Clock, onClose: () => void) {
    this.address = request.remote
    this.#site = request.query.get('site') ?? undefined
    this.#ws = ws
    this.#bridge = bridge
    this.#clock = clock
    this.#limits = bridge.limits
    const now = clock.now()
    this.#read = new Bucket(this.#limits.readRate.visitor, now)
    this.#pings = new Bucket(PINGS, now)
    ws.on('message', (data, binary) => {
      if (binary) return ws.close(1003, 'text only')
      const text = String(data)
      if (text.length > MESSAGE) return ws.close(1009)
      this.#paced(text.length)
      this.#take(text).catch((error: unknown) => {
        bridge.log.error({ error }, 'a page could not be served')
        ws.close(1011) // it comes back, and says again what was not answered
      })
    })
    const control = (): void => { this.#alive = true; if (this.#pings.take(1, clock.now()) > 0) ws.close(1008, 'too many pings') }
    ws.on('ping', control)
    ws.on('pong', control)
    ws.on('close', () => {
      this.#closed = true
      this.#pulse?.[Symbol.dispose]()
      this.#rest?.[Symbol.dispose]()
      if (this.#page) bridge.leave(this.#page)
      onClose()
    })
    this.#beat(this.#limits.deadlines.auth) // until it has said hello
  }

  tell(m: FromBridge): void {
    if (this.#closed) return
    if (this.#ws.bufferedAmount > BACKLOG) return this.#ws.terminate()
    this.#ws.send(JSON.stringify(m))
  }

  close(): void { this.#ws.close(1001) }

  async #take(text: string): Promise<void> {
    this.#alive = true
    const m = parse(text)
    if (!isFromBrowser(m)) {
      if (++this.#flaws > FLAWS) return this.#ws.close(1008, 'not understood')
      return this.tell(refusal('bad-request', 'This is no message of ours.', named(m)))
    }
    if (m.type === 'ping' && this.#pings.take(1, this.#clock.now()) > 0) return this.#ws.close(1008, 'too many pings')
    if (this.#page) {
      const answer = await this.#bridge.take(this.#page, m)
      if (answer) this.tell(answer)
      return
    }
    if (m.type !== 'hello' || this.#greeting) return this.tell(refusal('unexpected-request', 'Say hello first.', { of: m.type }))
    this.#greeting = true
    const greeted = await this.#bridge.hello(this, m, this.#site)
    if (!('page' in greeted)) {
      this.tell(greeted)
      return this.#ws.close(1013)
    }
    if (this.#closed) return this.#bridge.leave(greeted.page) // it went while it was greeted
    this.#page = greeted.page
    this.tell(greeted.answer)
    this.#beat(this.#limits.websocket.ping)
  }

  /** Above its rate a page is not read for a while. */
  #paced(bytes: number): void {
    const now = this.#clock.now()
    const wait = this.#read.spend(bytes, now)
    if (wait === 0 || this.#rest) return
    this.#ws.pause()
    this.#rest = this.#clock.alarm(now + wait, () => { this.#rest = undefined; if (!this.#closed) this.#ws.resume() })
  }

  #beat(every: number): void {
    this.#pulse?.[Symbol.dispose]()
    if (!Number.isFinite(every)) return
    this.#pulse = this.#clock.alarm(this.#clock.now() + every, () => {
      if (this.#closed) return
      if (!this.#page || (!this.#alive && !this.#rest)) return this.#ws.terminate()
      this.#alive = false
      this.#ws.ping()
      this.#beat(every)
    })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The type and id of a message, as far as they can be read. */
function named(m: unknown): { of?: string; id?: string } {
  if (typeof m !== 'object' || m === null) return {}
  const { type, id } = m as { type?: unknown; id?: unknown } // an object may have anything
  return { ...(typeof type === 'string' && type.length < 20 && { of: type }), ...(typeof id === 'string' && id.length <= 64 && { id }) }
}
