// More doors of a house: TLS on a port of its own or by STARTTLS, WebSocket; and a client that speaks in frames.
import { AssertionError } from 'node:assert'
import { parse, type Element as Xml } from 'ltx'
import { WebSocket, type ClientOptions } from 'ws'
import { listenTcp } from '../../server/net/tcp.ts'
import { HttpRouter, listenHttp } from '../../server/net/http.ts'
import { ServerIdentity, selfSigned } from '../../server/net/tls.ts'
import { WebSocketTransport } from '../../server/net/websocket.ts'
import { ClientStream } from '../../server/stream/c2s.ts'
import { silent } from '../../server/ports/log.ts'
import { paced } from './clock.ts'
import { PATIENCE } from './patience.ts'
import { lacks, type House } from './scene.ts'
import { tempFolder } from './folder.ts'

let made: Promise<ServerIdentity> | undefined

/** One self-signed certificate for all tests of a run. */
export function identity(): Promise<ServerIdentity> {
  return made ??= (async () => ServerIdentity.load(await selfSigned(tempFolder('tls'), ['localhost'], Date.now())))()
}

/** Listens for TLS clients; gives the port. */
export async function tlsDoor(house: House, kind: 'starttls' | 'direct', own?: ServerIdentity): Promise<number> {
  const { limits, clients } = house
  const listening = await listenTcp({
    port: 0, address: '127.0.0.1', tls: kind, identity: own ?? await identity(), limits, rate: limits.readRate.c2s, clock: clients.network, log: silent,
    ...(kind === 'direct' && { alpn: 'xmpp-client' }), serve: t => { new ClientStream(t, clients) },
  })
  return house.keeps(listening).port
}

/** Listens for WebSocket clients; gives the port. */
export async function webDoor(house: House): Promise<number> {
  const router = new HttpRouter()
  router.upgrade('/xmpp-websocket', {
    protocols: ['xmpp'], mayConnect: () => true,
    handler: (ws, request, socket) => { new ClientStream(new WebSocketTransport(ws, socket, request.remote, request.secure, house.clients.network, house.limits.readRate.c2s, house.limits.websocket.ping), house.clients) },
  })
  return house.keeps(await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router, limits: house.limits, clock: paced(), log: silent })).port
}

/** A client that says and hears one element a message. */
export class Framed implements AsyncDisposable {
  readonly #ws: WebSocket
  readonly #heard: (string | undefined)[] = [] // undefined: the end
  #listener: (() => void) | undefined
  /** The close code, once it is closed. */
  code = 0
  protected constructor(ws: WebSocket) {
    this.#ws = ws
    ws.on('error', () => {})
    ws.on('message', data => { this.#heard.push(String(data)); this.#listener?.() })
    ws.on('close', code => { this.code = code; this.#heard.push(undefined); this.#listener?.() })
  }

  /** Connects; rejects with the HTTP status if it may not. */
  static async opens(port: number, protocols: string | string[] = 'xmpp', options: ClientOptions = {}): Promise<Framed> {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/xmpp-websocket`, protocols, options)
    const framed = new Framed(ws)
    await new Promise<void>((ok, no) => {
      ws.once('open', ok)
      ws.once('unexpected-response', (_, response) => { no(new Error(`HTTP ${response.statusCode}`)); response.destroy() })
      ws.once('error', no)
    })
    return framed
  }

  says(text: string): void { this.#ws.send(text) }
  get raw(): WebSocket { return this.#ws }

  /** The next frame; undefined: the connection is closed. */
  async next(): Promise<Xml | undefined> {
    if (this.#heard.length === 0) {
      await new Promise<void>((ok, no) => {
        const late = setTimeout(() => no(new AssertionError({ message: `no frame came within ${PATIENCE} ms` })), PATIENCE)
        this.#listener = () => { clearTimeout(late); this.#listener = undefined; ok() }
      })
    }
    const text = this.#heard[0]
    if (text === undefined) return undefined // and so for ever
    this.#heard.shift()
    return parse(text)
  }

  /** The next frame has at least what is written here. */
  async receives(text: string): Promise<Xml> {
    const came = await this.next()
    const flaw = came === undefined ? 'the connection was closed' : lacks(came, parse(text))
    if (flaw) throw new AssertionError({ message: flaw, actual: String(came), expected: text })
    return came!
  }

  /** Opens the stream, logs in and binds. */
  async logsIn(local: string, resource: string): Promise<void> {
    this.says(OPEN)
    await this.next(); await this.next()
    this.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa(`\0${local}\0pw`)}</auth>`)
    await this.receives("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    this.says(OPEN)
    await this.next(); await this.next()
    this.says(`<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`)
    await this.receives("<iq xmlns='jabber:client' type='result' id='bind'/>")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ws.readyState === WebSocket.CLOSED) return
    const gone = new Promise<void>(ok => { this.#ws.once('close', () => ok()) })
    this.#ws.terminate()
    await gone
  }
}

export const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"
