// A reader of server-sent events over a real connection: what came, in order, with ids; or that the stream has ended.
import { AssertionError } from 'node:assert'
import { connect, type Socket } from 'node:net'
import type { DeskHouse } from './desk.ts'
import { PATIENCE } from './patience.ts'

/** An event as it came; a comment is `beat`, the end of the connection `closed`. */
export interface Came { readonly event: string; readonly data: any; readonly id: string | undefined } // JSON of any shape

export class Reader implements AsyncDisposable {
  readonly #socket: Socket
  readonly #came: Came[] = []
  #text = ''
  #bytes = ''
  #wake: () => void = () => {}
  /** Of the last event that bore one. */
  id: string | undefined
  status = 0
  readonly head = Promise.withResolvers<number>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('error', () => {})
    socket.on('data', text => this.#reads(String(text)))
    socket.on('close', () => { this.head.resolve(this.status); this.#add({ event: 'closed', data: undefined, id: undefined }) })
  }

  /** Asks for a stream; `token`: a token's text. */
  static async opens(d: DeskHouse, path: string, token: string, lastId?: string): Promise<Reader> {
    const { port } = new URL(await d.url())
    const reader = new Reader(connect(Number(port), '127.0.0.1'))
    reader.#socket.write(`GET /api/v1${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${token}\r\n${lastId === undefined ? '' : `Last-Event-ID: ${lastId}\r\n`}\r\n`)
    const described = await d.described()
    const o = described.find('GET', `/api/v1${path}`)
    if (o) reader.#faults = (event, data) => described.eventFaults(o, event, data)
    await reader.head.promise
    return reader
  }

  #faults: (event: string, data: unknown) => readonly string[] = () => []
  /** Events that came and were not read. */
  get waiting(): number { return this.#came.length }

  /** Stops reading, as a client that hangs does; reads on. */
  hangs(): void { this.#socket.pause() }
  goesOn(): void { this.#socket.resume() }

  /** The next that came. */
  async next(): Promise<Came> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new AssertionError({ message: `no event came within ${PATIENCE} ms` })), PATIENCE)
    try {
      while (this.#came.length === 0) await Promise.race([new Promise<void>(ok => { this.#wake = ok }), late.promise])
    } finally { clearTimeout(timer) }
    const came = this.#came.shift()! // there is one
    const faults = came.event === 'beat' || came.event === 'closed' ? [] : this.#faults(came.event, came.data)
    if (faults.length > 0) throw new AssertionError({ message: 'an event came that is not described', actual: faults, expected: [] })
    return came
  }
  /** The next is this one; gives its data. */
  async reads(event: string): Promise<any> {
    const came = await this.next()
    if (came.event !== event) throw new AssertionError({ message: `${event} was awaited`, actual: came, expected: event })
    return came.data
  }
  /** Everything up to and with the first `event`. */
  async until(event: string): Promise<Came[]> {
    const all: Came[] = []
    do all.push(await this.next()); while (all.at(-1)?.event !== event && all.at(-1)?.event !== 'closed')
    if (all.at(-1)?.event !== event) throw new AssertionError({ message: `${event} was awaited`, actual: all, expected: event })
    return all
  }

  #reads(text: string): void {
    this.#bytes += text
    if (this.status === 0) {
      const end = this.#bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      this.status = Number(this.#bytes.split(' ')[1])
      this.#bytes = this.#bytes.slice(end + 4)
      this.head.resolve(this.status)
    }
    // Chunks: their lengths count bytes, and what a test sends is ASCII but for a few signs; blocks are found by their ends instead.
    for (let m; (m = /^[0-9a-f]+\r\n/i.exec(this.#bytes));) {
      const end = this.#bytes.indexOf('\r\n', m[0].length)
      if (end < 0) return
      if (end === m[0].length) { this.#socket.destroy(); return } // the last chunk
      this.#text += this.#bytes.slice(m[0].length, end)
      this.#bytes = this.#bytes.slice(end + 2)
      for (let at; (at = this.#text.indexOf('\n\n')) >= 0; this.#text = this.#text.slice(at + 2)) this.#block(this.#text.slice(0, at))
    }
  }
  #block(block: string): void {
    const field = (name: string): string | undefined => block.split('\n').find(l => l.startsWith(`${name}: `))?.slice(name.length + 2)
    const [event, data, id] = [field('event'), field('data'), field('id')]
    if (id !== undefined) this.id = id
    if (event !== undefined) this.#add({ event, data: data === undefined ? undefined : JSON.parse(data), id })
    else if (block.startsWith(':')) this.#add({ event: 'beat', data: undefined, id })
  }
  #add(came: Came): void { this.#came.push(came); this.#wake() }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return
    const gone = new Promise<void>(ok => { this.#socket.once('close', () => ok()) })
    this.#socket.destroy()
    await gone
  }
}
