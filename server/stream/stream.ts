// One XML stream over one connection: header, elements in order, errors, and the way it closes (RFC 6120 section 4, RFC 7395).
import { el, escape, type Element } from '../xml/element.ts'
import { parseFrame, Parser, XmlError, type HeaderInfo } from '../xml/parser.ts'
import { Lane } from '../session/lane.ts'
import type { StreamCondition } from '../session/ending.ts'
import { randomText } from '../net/random.ts'
import { Outbox } from '../net/outbox.ts'
import type { Transport } from '../net/transport.ts'
import type { Limits } from '../ports/limits.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

export const NS_STREAM = 'http://etherx.jabber.org/streams'
const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing'
const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams'

export interface StreamWorld {
  readonly limits: Limits
  /** Network time: liveness and deadlines of connections. It cannot be advanced, or peers that are well would seem dead. */
  readonly network: Clock
  readonly log: Log
}

/** What a stream header said (RFC 6120 section 4.7). */
export interface Header { readonly to: string | undefined; readonly from: string | undefined; readonly id: string | undefined; readonly lang: string | undefined; readonly version: string | undefined }

export abstract class Stream {
  protected readonly transport: Transport
  protected readonly world: StreamWorld
  /** The stream's own content namespace. */
  readonly home: string
  /** Where the element that `write` puts out stands: inside a stream of `home`, or alone in a frame. */
  readonly within: string
  protected id = ''
  /** When the peer was last heard, in milliseconds since 1970. */
  protected heard: number
  #headerSent = false
  #expectsHeader = true // at the start, after TLS and after SASL
  #over = false // nothing more is sent or heeded
  #pausedFrames: (Uint8Array | string)[] | undefined // what came in one piece with the frame that is worked on
  readonly #parser: Parser | undefined
  readonly #outbox: Outbox
  readonly #lane: Lane<Element>
  #preAuth = true

  constructor(transport: Transport, world: StreamWorld, home: string) {
    this.transport = transport
    this.world = world
    this.home = home
    this.within = transport.framing === 'stream' ? home : ''
    this.heard = world.network.now()
    this.#outbox = new Outbox(text => this.#write(text))
    this.#lane = new Lane(e => this.received(e), bug => this.#bug(bug), busy => this.#pause(busy))
    if (transport.framing === 'stream') {
      this.#parser = new Parser(
        { open: (header, info) => this.#open(header, info), element: e => this.#element(e), close: () => this.#closed() },
        { home, limits: this.#bounds() },
      )
    }
    transport.onData = data => this.#data(data)
    transport.onClose = () => this.#gone()
  }

  /** A header came: answer it with `respond` and features, or with an error. */
  protected abstract opened(header: Header): void | Promise<void>
  /** A first-level element came. A promise parks the stream: nothing is read until it settles. */
  protected abstract received(e: Element): void | Promise<void>
  /** The connection is gone, or the stream is closed; called once. `clean`: the peer closed it in due form. */
  protected abstract ended(clean: boolean): void

  get over(): boolean { return this.#over }

  /** Text that is a whole element, as this stream's framing wants it. */
  send(text: string): void {
    if (this.#over) return
    if (this.transport.framing === 'frames') this.#write(text)
    else this.#outbox.send(text)
  }
  sendElement(e: Element): void { this.send(e.write(this.within)) }
  /** Writes now what waits. */
  flush(): void { this.#outbox.flush() }

  /** Answers the peer's header. `id` is new each time (RFC 6120 section 4.7.3). */
  protected respond(attrs: { from: string; to?: string | undefined; lang?: string | undefined; version?: boolean }): void {
    this.id = randomText(12)
    const to = attrs.to ? ` to='${escape(attrs.to)}'` : ''
    const rest = `from='${escape(attrs.from)}'${to} id='${this.id}' xml:lang='${escape(attrs.lang ?? 'en')}'${attrs.version === false ? '' : " version='1.0'"}`
    this.#headerSent = true
    if (this.transport.framing === 'frames') this.send(`<open xmlns='${NS_FRAMING}' ${rest}/>`)
    else this.send(`<?xml version='1.0'?><stream:stream xmlns='${this.home}' xmlns:stream='${NS_STREAM}'${this.declared} ${rest}>`)
  }

  /** Begins a stream of ours, at first and after TLS and SASL; what the peer answers comes to `opened`, its features to `received`. */
  protected initiate(from: string, to: string): void {
    this.#headerSent = true
    this.send(`<?xml version='1.0'?><stream:stream xmlns='${this.home}' xmlns:stream='${NS_STREAM}'${this.declared} from='${escape(from)}' to='${escape(to)}' xml:lang='en' version='1.0'>`)
  }

  /** Namespaces that the header declares besides its own two, as they are written there. */
  protected get declared(): string { return '' }
  /** Whether stream features may come: the stream is ours. */
  protected get initiator(): boolean { return false }
  /** The peer ended the stream with this error. */
  protected told(_error: Element): void {}

  protected features(features: readonly Element[]): void {
    const declared = this.within === '' ? ` xmlns:stream='${NS_STREAM}'` : ''
    let inner = ''
    for (const f of features) inner += f.write(this.within)
    this.send(`<stream:features${declared}>${inner}</stream:features>`)
  }

  /** The next thing the peer says is a new header (after TLS or SASL, RFC 6120 section 4.3.3). */
  protected restart(authenticated: boolean): void {
    this.#expectsHeader = true
    this.#headerSent = false
    this.#parser?.reset()
    this.#preAuth = !authenticated
    this.#parser?.setLimits(this.#bounds())
  }

  /** The peer has proved who it is, and goes on in the same stream (XEP-0114). */
  protected trusted(): void {
    this.#preAuth = false
    this.#parser?.setLimits(this.#bounds())
  }

  /** Hands the connection to TLS; whatever came before in the clear is forgotten (section 5.4.3.3). */
  protected secureNow(domain: string | undefined): void {
    this.flush()
    this.#parser?.stop()
    this.transport.startTls?.(domain)
    this.restart(false)
  }

  /** Ends the stream with an error (section 4.9.1.1); `more` is an application's own condition. */
  fail(condition: StreamCondition, text?: string, more?: Element): void {
    if (this.#over) return
    if (!this.#headerSent) this.respond({ from: this.domainForErrors() })
    const declared = this.within === '' ? ` xmlns:stream='${NS_STREAM}'` : ''
    const said = text ? el('text', NS_ERRORS, { 'xml:lang': 'en' }, text).write('') : ''
    this.send(`<stream:error${declared}><${condition} xmlns='${NS_ERRORS}'/>${said}${more ? more.write('') : ''}</stream:error>`)
    this.#finish(false)
  }

  /** Closes the stream in due form and waits a moment for the peer (section 4.4). */
  close(): void { this.#finish(true) }

  protected domainForErrors(): string { return '' }

  #finish(clean: boolean): void {
    if (this.#over) return
    this.send(this.transport.framing === 'frames' ? `<close xmlns='${NS_FRAMING}'/>` : '</stream:stream>')
    this.flush()
    this.#end(clean)
    this.transport.close()
  }

  #end(clean: boolean): void {
    this.#over = true
    this.#lane.close()
    this.#parser?.stop()
    this.#pausedFrames = undefined
    try { this.ended(clean) } catch (err) { this.world.log.error({ err }, 'a bug met the end of a stream') }
  }

  #data(data: Uint8Array | string): void {
    if (this.#over) return
    this.heard = this.world.network.now()
    try {
      if (this.#parser === undefined) { if (this.#pausedFrames) this.#pausedFrames.push(data); else this.#frame(data) }
      else if (!this.#headerSent && isHttp(data)) { this.#end(false); this.transport.close() } // no stream to answer in (SEC-X16)
      else this.#parser.write(data as Uint8Array) // a byte stream brings bytes
    } catch (e) { this.#broken(e) }
  }

  #broken(e: unknown): void {
    if (!(e instanceof XmlError)) this.#bug(e)
    else this.fail(e.condition, e.message, e.exceeded === 'bytes' ? el('stanza-too-big', 'urn:xmpp:errors') : undefined) // XEP-0205
  }

  #frame(frame: Uint8Array | string): void {
    const e = parseFrame(frame, this.#bounds(), this.home)
    if (e.ns === NS_FRAMING && e.name === 'close') this.#closed()
    else if (this.#expectsHeader !== (e.ns === NS_FRAMING && e.name === 'open')) this.fail('bad-format', this.#expectsHeader ? 'A stream begins with <open/>.' : 'The stream is open.') // RFC 7395 section 3.4
    else if (this.#expectsHeader) this.#begin(e)
    else this.#element(e)
  }

  #open(header: Element, info: HeaderInfo): void {
    if (header.name !== 'stream') { this.fail('bad-format', 'A stream begins with <stream:stream>.'); return }
    if (header.ns !== NS_STREAM) { this.fail('invalid-namespace'); return }
    if (info.defaultNs !== undefined && info.defaultNs !== this.home && info.defaultNs !== NS_STREAM) { this.fail('invalid-namespace'); return }
    if (info.prefix !== 'stream' && info.prefix !== '') { this.fail('bad-namespace-prefix'); return }
    this.#begin(header)
  }

  #begin(header: Element): void {
    this.#expectsHeader = false
    this.#serve(this.opened(headerOf(header)))
  }

  /** A promise of `opened` parks the stream like one of `received`. */
  #serve(done: void | Promise<void>): void {
    if (!done) return
    this.#pause(true)
    done.then(() => this.#pause(false), (bug: unknown) => this.#bug(bug))
  }

  #element(e: Element): void {
    if (this.#over) return
    if (e.ns !== NS_STREAM || (e.name === 'features' && this.initiator)) this.#lane.push(e)
    else if (e.name === 'error') { this.told(e); this.#finish(false) } // what went wrong, the peer has told; it ends the stream (RFC 6120 section 4.9.1.1)
    else this.fail('bad-format', 'The stream is open.')
  }

  #pause(busy: boolean): void {
    if (this.#over) return
    if (busy) {
      if (this.#parser) this.#parser.pause()
      else this.#pausedFrames ??= []
      this.transport.pause()
      return
    }
    this.transport.resume()
    try {
      this.#parser?.resume()
      const frames = this.#pausedFrames
      this.#pausedFrames = undefined
      while (frames?.length && !this.#over) {
        this.#frame(frames.shift()!) // it has a length
        if (this.#pausedFrames as unknown) { this.#pausedFrames = frames; return } // #frame may have parked us again
      }
    } catch (e) { this.#broken(e) }
  }

  #closed(): void { if (!this.#over) this.#finish(true) }

  #gone(): void { if (!this.#over) this.#end(false) }

  #write(text: string): void {
    this.transport.write(text)
    if (this.transport.backlog > this.world.limits.writeBuffer.bytes) this.drop()
  }

  /** Gives up a connection that takes nothing more: not even an error would get through. */
  protected drop(): void {
    this.transport.destroy()
    this.#gone()
  }

  /** Whether what waits for the peer has waited too long (limits.writeBuffer.stall); to be asked now and then. */
  protected isStalled(now: number): boolean {
    const { backlog, taken } = this.transport
    if (backlog === 0 || taken !== this.#taken) { this.#taken = taken; this.#takenAt = now }
    return backlog > 0 && now - this.#takenAt >= this.world.limits.writeBuffer.stall
  }
  #taken = 0
  #takenAt = 0

  #bug(err: unknown): void {
    this.world.log.error({ err }, 'a bug ended a stream')
    this.fail('internal-server-error')
  }

  #bounds(): { bytes: number; depth: number; elements: number; attributes: number; namespaces: number; attributeBytes: number } {
    const { stanza, xml } = this.world.limits
    const bytes = this.home === 'jabber:client' ? stanza.c2s : stanza.s2s
    return this.#preAuth
      ? { ...xml, bytes: Math.min(stanza.preAuth, bytes), elements: Math.min(stanza.preAuthElements, xml.elements) }
      : { ...xml, bytes }
  }
}

const isHttp = (data: Uint8Array | string): boolean => /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) /.test(Buffer.from(data as Uint8Array).toString('latin1', 0, 8)) // a byte stream brings bytes

const headerOf = (e: Element): Header => ({ to: e.attrs['to'], from: e.attrs['from'], id: e.attrs['id'], lang: e.attrs['xml:lang'], version: e.attrs['version'] })
