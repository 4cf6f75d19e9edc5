// XEP-0114, the component's end: a component of ours beside any XMPP server that speaks it.
import net from 'node:net'
import { createHash } from 'node:crypto'
import { Asking, CONTENT, errorReply, isStanza, Jid, openJobs, Parser, readStanza, refuse, Unreadable, XmlError, type AnyStanza, type Clock, type Component, type Element, type HttpRouter, type Jobs, type Link, type Receiver } from '../server/api.ts'

const NS_ACCEPT = 'jabber:component:accept'
const NS_STREAM = 'http://etherx.jabber.org/streams'
const DEADLINE = 30_000 // ms until the server has answered the handshake
const GOODBYE = 5_000 // ms for the server to close its side
const FIRST_WAIT = 1_000 // ms before the first try to come back; each further one waits twice as long
const LONGEST_WAIT = 60_000
const MOST_AT_ONCE = 1_000 // stanzas that the component has taken and not committed, before reading pauses

export interface DialOptions {
  readonly domain: string
  readonly secret: string
  readonly host: string
  readonly port: number
  /** What the component is given of the world; `privileges` are absent, for this wire grants none. */
  readonly world: Omit<Link, 'send' | 'ask' | 'domain' | 'http' | 'privileges' | 'jobs'>
  /** True: a lost connection is made again, and a server that is not there yet is waited for. */
  readonly reconnect?: boolean
  /** Where the component may answer HTTP: asked at each start, for a start brings its routes anew. */
  readonly http?: () => HttpRouter
  /** Told when the component has started on a connection. */
  readonly onStart?: () => void
  /** Told when a connection ended that was not hung up here, and why; without `reconnect` nothing follows. */
  readonly onEnd?: (why: string) => void
}

/**
 * Connects, proves the secret, starts the component. Rejects with the server's words if it refuses, and, unless it shall
 * reconnect, if it cannot be reached. The component is stopped when the connection is lost and started anew on the next.
 * Disposing stops the component and hangs up.
 */
export async function dial(component: Component, options: DialOptions): Promise<AsyncDisposable> {
  const { world: { log }, domain, host, port } = options
  const clock = wireClock(options)
  let call: Call | undefined
  let pause: Disposable | undefined
  let wait = FIRST_WAIT
  let over = false

  const ended = (why: string): void => {
    call = undefined
    if (over) return
    options.onEnd?.(why)
    if (!options.reconnect) { log.error({ domain, host, port, why }, 'a component lost its server'); return }
    log.warn({ domain, host, port, why, again: wait }, 'a component lost its server and tries again')
    again()
  }
  const again = (): void => {
    pause = clock.alarm(clock.now() + wait, () => { connect().catch((e: unknown) => { if (!over) ended((e as Error).message) }) })
    wait = Math.min(wait * 2, LONGEST_WAIT)
  }
  async function connect(): Promise<void> {
    const next = new Call(component, options, ended)
    call = next
    try { await next.started } catch (e) { call = undefined; throw e }
    wait = FIRST_WAIT
    options.onStart?.()
  }

  try { await connect() } catch (e) {
    if (!options.reconnect || !(e instanceof Unreachable)) throw e
    ended(e.message)
  }
  return {
    async [Symbol.asyncDispose]() {
      over = true
      pause?.[Symbol.dispose]()
      await call?.hangUp()
    },
  }
}

/** Time as connections know it, which a test clock leaves alone. */
const wireClock = ({ world }: DialOptions): Clock => world.network ?? world.clock

/** There is no such server, or the connection broke: it may be there later. */
class Unreachable extends Error {}

/** One connection, from the first byte to the last; the component lives as long. */
class Call {
  /** Rejects if the connection ends before the component has started. */
  readonly started: Promise<void>
  readonly #component: Component
  readonly #options: DialOptions
  readonly #own: Jid
  readonly #socket: net.Socket
  readonly #parser: Parser
  readonly #asking: Asking
  readonly #gone = Promise.withResolvers<void>()
  readonly #onEnd: (why: string) => void
  #proved: 'no' | 'said' | 'yes' = 'no'
  #receiver: Receiver | undefined
  #jobs: Jobs | undefined
  #early: AnyStanza[] = [] // what came before the component had started
  #open = 0 // stanzas it has taken and not committed
  #over = false
  #refusal: string | undefined
  #stall: Disposable | undefined
  #corked = false

  constructor(component: Component, options: DialOptions, onEnd: (why: string) => void) {
    const { world: { limits }, domain } = options
    const clock = wireClock(options)
    this.#component = component
    this.#options = options
    this.#onEnd = onEnd
    this.#own = Jid.parse(domain)
    this.#asking = new Asking({ clock: options.world.clock, send: s => this.#send(s) })
    this.#parser = new Parser(
      { open: header => this.#prove(header), element: e => this.#element(e), close: () => this.#end() },
      { home: NS_ACCEPT, limits: { ...limits.xml, bytes: limits.stanza.s2s } },
    )
    const socket = this.#socket = net.connect({ host: options.host, port: options.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.started = promise
    const late = clock.alarm(clock.now() + DEADLINE, () => this.#break('it does not answer'))
    this.#start = () => { late[Symbol.dispose](); resolve() }
    socket.on('connect', () => { socket.write(`<?xml version='1.0'?><stream:stream xmlns='${NS_ACCEPT}' xmlns:stream='${NS_STREAM}' to='${domain}'>`) })
    socket.on('data', (b: Buffer) => this.#read(() => this.#parser.write(b)))
    socket.on('drain', () => this.#relieve())
    socket.on('error', (e: Error) => { this.#refusal ??= e.message })
    socket.on('close', () => {
      const begun = this.#over
      this.#over = true
      late[Symbol.dispose]()
      this.#relieve()
      void this.#stop().then(() => {
        this.#gone.resolve()
        const why = `${domain}: ${options.host}:${options.port}: ${this.#refusal ?? 'the connection was closed'}`
        if (this.#lived) { if (!begun) this.#onEnd(why) }
        else reject(this.#refused ? new Error(why) : new Unreachable(why))
      })
    })
  }

  readonly #start: () => void
  #lived = false // the component was started
  #refused = false // the server said no

  /** Stops the component, says goodbye, resolves when the connection is closed. */
  async hangUp(): Promise<void> {
    if (!this.#over) {
      await this.#stop()
      this.#over = true
      if (this.#proved === 'yes') this.#socket.end('</stream:stream>')
      else this.#socket.destroy()
      const clock = wireClock(this.#options)
      using _late = clock.alarm(clock.now() + GOODBYE, () => { this.#socket.destroy() })
      await this.#gone.promise
    }
    await this.#gone.promise
  }

  #prove(header: Element): void {
    const { secret } = this.#options
    this.#proved = 'said'
    this.#socket.write(`<handshake>${createHash('sha1').update((header.attrs['id'] ?? '') + secret).digest('hex')}</handshake>`)
  }

  #element(e: Element): void {
    if (e.name === 'error' && e.ns === NS_STREAM) {
      const [condition, text] = e.elements
      this.#refusal = `${condition?.name ?? 'error'}${text?.name === 'text' ? `: ${text.text}` : ''}`
      this.#refused = this.#proved !== 'yes'
      this.#socket.end('</stream:stream>')
      return
    }
    if (this.#proved === 'yes') { if (isStanza(e)) this.#stanza(e) } else if (e.is('handshake', CONTENT)) { this.#proved = 'yes'; void this.#begin() }
  }

  async #begin(): Promise<void> {
    const { world, domain, http } = this.#options
    try {
      const jobs = this.#jobs = await openJobs({ documents: world.stores.documents, owner: domain, clock: world.clock, log: world.log })
      const receiver = await this.#component.start({ ...world, jobs, ...(http && { http: http() }), domain, send: s => this.#send(s), ask: iq => this.#asking.ask(iq) })
      if (this.#over) { await receiver.stop?.(); return }
      this.#receiver = receiver
      await jobs.start()
    } catch (error) {
      this.#bug(error)
      this.#refused = true // trying again would not help
      this.#break(`the component did not start: ${(error as Error).message}`)
      return
    }
    this.#lived = true
    this.#start()
    const early = this.#early
    this.#early = []
    for (const s of early) this.#hand(s)
    this.#flow()
  }

  #stanza(e: Element): void {
    const s = readStanza(e)
    if (s instanceof Unreadable) {
      const { reply } = s
      if (reply?.to && reply.to.domain !== this.#own.domain) this.#send(reply.readdress({ from: this.#own }) as AnyStanza) // of the same kind
      return
    }
    if (!s.from || s.to?.domain !== this.#own.domain || this.#asking.takes(s)) return
    if (this.#receiver) this.#hand(s)
    else this.#early.push(s)
    this.#flow()
  }

  /** As a mounted component is handed it: what it throws or rejects with, the sender hears as an error. */
  #hand(s: AnyStanza): void {
    const failed = (error: unknown): void => {
      this.#bug(error)
      const reply = errorReply(s, refuse('internal-server-error'))
      if (reply) this.#send(reply)
    }
    try {
      const done = this.#receiver?.receive(s)
      if (!done) return
      this.#open++
      done.catch(failed).finally(() => { this.#open--; this.#flow() })
    } catch (error) { failed(error) }
  }

  /** Reads no more while the component has much to do. Answers that it waits for may be behind; it hears a timeout then. */
  #flow(): void {
    if (this.#over) return
    const full = this.#open + this.#early.length >= MOST_AT_ONCE
    if (full === this.#socket.isPaused()) return
    if (full) { this.#socket.pause(); this.#parser.pause(); return }
    this.#socket.resume()
    this.#read(() => this.#parser.resume())
  }

  #read(read: () => void): void {
    if (this.#over) return
    try { read() } catch (e) {
      if (!(e instanceof XmlError)) this.#bug(e)
      this.#break(e instanceof XmlError ? `the server's XML: ${e.message}` : 'a bug')
    }
  }

  #send(s: AnyStanza): void {
    const socket = this.#socket
    if (this.#over || this.#proved !== 'yes' || socket.destroyed) return
    if (!this.#corked) {
      // One write for all that this turn of the event loop sends.
      this.#corked = true
      socket.cork()
      setImmediate(() => { this.#corked = false; socket.uncork() })
    }
    socket.write(s.write())
    const { limits } = this.#options.world
    if (socket.writableLength > limits.writeBuffer.bytes) {
      const clock = wireClock(this.#options)
      this.#stall ??= clock.alarm(clock.now() + limits.writeBuffer.stall, () => this.#break('it does not take what it is sent'))
    }
  }

  #relieve(): void { this.#stall?.[Symbol.dispose](); this.#stall = undefined }

  #end(): void { this.#socket.end('</stream:stream>') }

  #break(why: string): void {
    this.#refusal ??= why
    this.#socket.destroy()
  }

  async #stop(): Promise<void> {
    const receiver = this.#receiver
    this.#receiver = undefined
    try {
      await receiver?.stop?.()
      await this.#jobs?.close()
    } catch (error) { this.#bug(error) }
  }

  #bug(error: unknown): void { this.#options.world.log.error({ err: error, domain: this.#options.domain }, 'a component met a bug') }
}
