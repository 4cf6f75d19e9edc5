// The way to the bridge: a WebSocket, or long polling where that does not pass; comes back by itself.
import type { FromBridge, FromBrowser, PollRequest, PollResponse } from '../../schemas/webchat.ts'
import type { LinkState } from './texts.ts'

export interface Ears { hello(): FromBrowser; heard(m: FromBridge): void; changed(state: LinkState): void }

interface Wire { send(m: FromBrowser): void; close(): void }

const FIRST = 400 // ms until the second try; doubled each time, at most LAST, and spread by half
const LAST = 8000
const HEARTBEAT = 20_000 // ms of silence until the bridge is asked
const QUIET = 3000 // ms of silence until somebody in a hurry asks
const PATIENCE = 8000 // ms for its answer, and for a connection to open

export class Connection {
  state: LinkState = 'off'
  readonly #base: string // https://HOST
  readonly #site: string
  readonly #ears: Ears
  #wire: Wire | undefined
  #tries = 0
  #deaf = false // the last socket never opened
  #proved = false // and yet the bridge answers: sockets do not pass here
  #heard = 0 // when it last said something
  #met = false // it has answered once
  #later: ReturnType<typeof setTimeout> | undefined
  #pulse: ReturnType<typeof setTimeout> | undefined

  constructor(base: string, site: string, ears: Ears) {
    this.#base = base
    this.#site = site
    this.#ears = ears
    addEventListener('online', () => this.hurry())
    addEventListener('offline', () => { if (this.#wire) this.#down(this.#wire, true) })
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.hurry() })
  }

  get up(): boolean { return this.state === 'on' }

  start(): void {
    if (this.state !== 'off') return
    this.#become('connecting')
    this.#dial()
  }

  stop(): void {
    clearTimeout(this.#later)
    const wire = this.#wire
    this.#wire = undefined
    wire?.close()
    this.#become('off')
  }

  /** Says hello anew, as somebody else perhaps. */
  restart(): void {
    this.stop()
    this.start()
  }

  /** Tries at once instead of waiting; what seems to be there is asked whether it is. */
  hurry(): void {
    if (this.state === 'lost' && !this.#wire) { this.#tries = 0; clearTimeout(this.#later); this.#dial() }
    else if (this.up && Date.now() - this.#heard > QUIET) this.#ask()
  }

  send(m: FromBrowser): void { if (this.up) this.#wire?.send(m) }

  /** Plain HTTP passes where sockets do not, and tells why one is refused. */
  #dial(polls = this.#deaf): void {
    const mine = {
      open: () => wire.send(this.#ears.hello()),
      heard: (m: FromBridge) => {
        if (this.#wire !== wire) return
        this.#beat()
        if (m.type === 'welcome') {
          if (polls && !this.#proved) { // perhaps the bridge was only away: once more the better way
            this.#proved = true
            this.#wire = undefined
            wire.close()
            return this.#dial(false)
          }
          this.#tries = 0
          this.#met = true
          if (!polls) this.#deaf = this.#proved = false
          this.#become('on')
        }
        this.#ears.heard(m)
      },
      down: (opened: boolean) => {
        if (polls) this.#deaf = this.#proved = false
        else this.#deaf = !opened
        this.#down(wire, false)
      },
      refused: () => {
        if (this.#wire !== wire) return
        this.#wire = undefined
        clearTimeout(this.#pulse)
        this.#become('refused')
      },
    }
    const wire: Wire = polls
      ? polling(this.#base + '/webchat/poll?site=' + encodeURIComponent(this.#site), mine)
      : socket(this.#base.replace(/^http/, 'ws') + '/webchat/socket?site=' + encodeURIComponent(this.#site), mine)
    this.#wire = wire
    clearTimeout(this.#pulse)
    this.#pulse = setTimeout(() => mine.down(false), PATIENCE)
  }

  #beat(): void {
    this.#heard = Date.now()
    clearTimeout(this.#pulse)
    this.#pulse = setTimeout(() => this.#ask(), HEARTBEAT)
  }

  #ask(): void {
    const wire = this.#wire
    if (!wire) return
    wire.send({ type: 'ping' })
    clearTimeout(this.#pulse)
    this.#pulse = setTimeout(() => this.#down(wire, false), PATIENCE)
  }

  #down(wire: Wire, atOnce: boolean): void {
    if (this.#wire !== wire) return
    this.#wire = undefined
    clearTimeout(this.#pulse)
    wire.close()
    this.#become('lost')
    if (!this.#met && this.#tries === 3) console.warn(`deskbell: ${this.#base} does not answer. Does it run, and does it list ${location.origin} under "origins"?`)
    const pause = Math.min(LAST, FIRST * 2 ** this.#tries++)
    this.#later = setTimeout(() => this.#dial(), atOnce ? 0 : pause * (0.5 + Math.random()))
  }

  #become(state: LinkState): void {
    if (this.state === state) return
    this.state = state
    this.#ears.changed(state)
  }
}

interface Ends { open(): void; heard(m: FromBridge): void; down(opened: boolean): void; refused(): void }

function socket(url: string, ends: Ends): Wire {
  const ws = new WebSocket(url)
  let opened = false
  ws.onopen = () => { opened = true; ends.open() }
  ws.onmessage = e => ends.heard(JSON.parse(e.data as string) as FromBridge) // from our own server
  ws.onclose = () => ends.down(opened)
  return { send: m => { if (ws.readyState === 1) ws.send(JSON.stringify(m)) }, close: () => { ws.onclose = ws.onmessage = null; ws.close() } }
}

function polling(url: string, ends: Ends): Wire {
  const stop = new AbortController()
  let session: string | undefined
  let next: number | undefined // seconds
  let queue = Promise.resolve(true) // what is said arrives in order

  const post = async (body: PollRequest): Promise<boolean> => {
    try {
      const answer = await fetch(url, {
        method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' },
        credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer', signal: stop.signal,
      })
      const heard = await answer.json() as PollResponse // from our own server
      if (answer.status === 403 && !heard.messages?.length) { ends.refused(); return false }
      if (answer.status === 410 || !heard.messages) throw 0
      session = heard.session ?? session
      next = heard.next
      heard.messages.forEach(m => ends.heard(m))
      return true
    } catch {
      if (!stop.signal.aborted) ends.down(true)
      return false
    }
  }
  const say = (m: FromBrowser): Promise<boolean> => queue = queue.then(on => on && post({ ...(session && { session }), message: m }))
  const wire: Wire = { send: m => void say(m), close: () => stop.abort() }
  setTimeout(async () => {
    ends.open()
    let on = await queue
    while (on && session && !stop.signal.aborted) {
      on = await post({ session, ...(document.hidden && { focus: 'idle' as const }) }) // nobody looks: now and then is enough
      if (next) await new Promise(wake => setTimeout(wake, next! * 1000))
    }
  })
  return wire
}
