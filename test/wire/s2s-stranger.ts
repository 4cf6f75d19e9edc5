// A scripted server on the other side: it says what it likes, byte by byte, in either direction.
import net from 'node:net'
import tls from 'node:tls'
import { PATIENCE } from '../harness/patience.ts'
import type { Paper } from './s2s-houses.ts'

/** One connection, as text. */
export class Talk {
  #socket: net.Socket
  #text = ''
  #over = false
  readonly #waiting = new Set<() => void>()

  constructor(socket: net.Socket) { this.#socket = socket; this.#listen(socket) }

  static async to(port: number): Promise<Talk> {
    const socket = net.connect(port, '127.0.0.1')
    await new Promise<void>((ok, no) => { socket.once('connect', ok); socket.once('error', no) })
    return new Talk(socket)
  }

  /** What came and was not read yet. */
  get rest(): string { return this.#text }
  get over(): boolean { return this.#over }

  says(text: string | Uint8Array): void { this.#socket.write(text) }

  /** Takes everything up to and with the first match. */
  async reads(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((found, missed) => {
      const look = (): void => {
        const m = pattern.exec(this.#text)
        if (m) { this.#text = this.#text.slice(m.index + m[0].length); settle(() => found(m)) } else if (this.#over) settle(() => missed(new Error(`it should come: ${pattern}; the connection is closed; there is: ${this.#text}`)))
      }
      const settle = (then: () => void): void => { clearTimeout(late); this.#waiting.delete(look); then() }
      const late = setTimeout(() => settle(() => missed(new Error(`it should come: ${pattern}; there is: ${this.#text}`))), PATIENCE)
      this.#waiting.add(look)
      look()
    })
  }

  /** Resolves when the other side has closed. */
  async closes(): Promise<void> { await this.reads(/[^]*$/).catch(() => undefined); while (!this.#over) await new Promise<void>(ok => this.#socket.once('close', () => ok())) }

  /** TLS from here on, as the one who dialled or as the one who was dialled. */
  async secures(role: 'client' | 'server', paper?: Paper): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners()
    plain.on('error', () => {})
    const papers = paper ? { cert: paper.pem, key: paper.secret } : {}
    const secure = role === 'client' ? tls.connect({ socket: plain, rejectUnauthorized: false, ...papers }) : new tls.TLSSocket(plain, { isServer: true, requestCert: true, rejectUnauthorized: false, ...papers })
    this.#socket = secure
    this.#text = ''
    this.#listen(secure)
    if (role === 'client') await new Promise<void>((ok, no) => { secure.once('secureConnect', ok); secure.once('error', no) })
  }

  leaves(): void { this.#socket.destroy() }

  #listen(socket: net.Socket): void {
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => { this.#text += bytes.toString(); for (const look of this.#waiting) look() })
    socket.on('close', () => { if (socket === this.#socket) { this.#over = true; for (const look of this.#waiting) look() } })
  }
}

export const header = (from: string | undefined, to: string | undefined, id?: string): string =>
  `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'${from ? ` from='${from}'` : ''}${to ? ` to='${to}'` : ''}${id ? ` id='${id}'` : ''} version='1.0'>`

const STARTTLS = `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`
const PROCEED = `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`
export const EXTERNAL = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`
export const MECHANISMS = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>`
export const features = (...inside: string[]): string => `<stream:features>${inside.join('')}</stream:features>`

/** Dials `port` as `from` and goes up to the features under TLS, or whatever comes in their place. */
export async function dials(port: number, from: string | undefined, to: string | undefined, paper?: Paper): Promise<Talk> {
  const talk = await Talk.to(port)
  talk.says(header(from, to))
  await talk.reads(/<stream:features>.*<required\/>.*<\/stream:features>/)
  talk.says(STARTTLS)
  await talk.reads(/<proceed[^>]*>/)
  await talk.secures('client', paper)
  talk.says(header(from, to))
  return talk
}

/** As `dials`, and proves itself by its certificate. */
export async function logsIn(port: number, from: string, to: string, paper: Paper, auth = EXTERNAL): Promise<Talk> {
  const talk = await dials(port, from, to, paper)
  await talk.reads(/<mechanism>EXTERNAL<\/mechanism>.*<\/stream:features>/)
  talk.says(auth)
  await talk.reads(/<success[^>]*>/)
  talk.says(header(from, to))
  await talk.reads(/<stream:features>.*<\/stream:features>/)
  return talk
}

/** A server that waits for us. */
export class Stranger implements AsyncDisposable {
  readonly domain: string
  readonly #paper: Paper
  readonly #server = net.createServer()
  readonly #talks: Talk[] = []
  readonly #came: Talk[] = []
  #wanted: ((t: Talk) => void) | undefined
  port = 0

  private constructor(domain: string, paper: Paper) { this.domain = domain; this.#paper = paper }

  static async listens(domain: string, paper: Paper): Promise<Stranger> {
    const stranger = new Stranger(domain, paper)
    stranger.#server.on('connection', socket => {
      const talk = new Talk(socket)
      stranger.#talks.push(talk)
      if (stranger.#wanted) { stranger.#wanted(talk); stranger.#wanted = undefined } else stranger.#came.push(talk)
    })
    await new Promise<void>(ok => { stranger.#server.listen(0, '127.0.0.1', ok) })
    stranger.port = (stranger.#server.address() as net.AddressInfo).port
    return stranger
  }

  /** How often somebody connected. */
  get connections(): number { return this.#talks.length }

  /** The next connection, without a word. */
  next(): Promise<Talk> {
    const talk = this.#came.shift()
    return talk ? Promise.resolve(talk) : new Promise((ok, no) => {
      const late = setTimeout(() => no(new Error('nobody connects')), PATIENCE)
      this.#wanted = t => { clearTimeout(late); ok(t) }
    })
  }

  /** The next connection, under TLS, answered with a header and these features. */
  async secured(...inside: string[]): Promise<Talk> {
    const talk = await this.next()
    await talk.reads(/<stream:stream[^>]*>/)
    talk.says(header(this.domain, 'a.test', 'one') + features(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>`))
    await talk.reads(/<starttls[^>]*>/)
    talk.says(PROCEED)
    await talk.secures('server', this.#paper)
    await talk.reads(/<stream:stream[^>]*>/)
    talk.says(header(this.domain, 'a.test', 'two') + features(...inside))
    return talk
  }

  /** The next connection, when we have proved ourselves by EXTERNAL. */
  async accepts(...inside: string[]): Promise<Talk> {
    const talk = await this.secured(MECHANISMS)
    await talk.reads(/<auth[^>]*mechanism='EXTERNAL'[^>]*>[^<]*<\/auth>/)
    talk.says(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`)
    await talk.reads(/<stream:stream[^>]*>/)
    talk.says(header(this.domain, 'a.test', 'three') + features(...inside))
    return talk
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const t of this.#talks) t.leaves()
    await new Promise(ok => this.#server.close(ok))
  }
}
