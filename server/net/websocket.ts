// XMPP over WebSocket (RFC 7395): one message is one element.
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Clock } from '../ports/clock.ts'
import type { Rate } from '../ports/limits.ts'
import { Outbox } from './outbox.ts'
import { Reading } from './reading.ts'
import { NO_BINDINGS, type Transport } from './transport.ts'

const LINGER = 5_000 // ms that a peer has to close its side
const HEAD = 6 // bytes of a frame's head

export class WebSocketTransport implements Transport {
  readonly framing = 'frames'
  readonly remote: string
  readonly secure: boolean
  readonly bindings = NO_BINDINGS // a browser cannot bind to its channel
  onData: (data: Uint8Array | string) => void = () => {}
  onClose: () => void = () => {}
  readonly #ws: WebSocket
  readonly #clock: Clock
  readonly #reading: Reading
  readonly #socket: Duplex
  readonly #outbox: Outbox
  #taken = 0 // writes: what ws itself sends, such as pings, is none of them
  #closed = false
  #heard = true // since the last ping
  #next: Disposable | undefined

  /**
   * `socket`: the connection under the WebSocket. `secure`: the WebSocket came over TLS, or through a trusted proxy that says so. `rate`: bytes a second read from it. `ping`:
   * milliseconds between pings, which keep proxies from closing it and find out who is gone; absent: none.
   */
  constructor(ws: WebSocket, socket: Duplex, remote: string, secure: boolean, clock: Clock, rate?: Rate, ping = Infinity) {
    this.#ws = ws
    this.#socket = socket
    this.#outbox = new Outbox(frames => { if (ws.readyState === ws.OPEN) socket.write(frames, 'latin1', this.#took) })
    this.remote = remote
    this.secure = secure
    this.#clock = clock
    this.#reading = new Reading(on => { if (on) ws.resume(); else ws.pause() }, clock, rate)
    ws.on('message', (data: Buffer, binary) => { // the default binaryType gives Buffers
      if (this.#closed) return
      if (binary) { this.#gone(); ws.close(1003, 'text only'); this.#linger(); return }
      this.#heard = true
      this.#reading.took(data.length)
      this.onData(data)
    })
    ws.on('ping', data => { this.#heard = true; this.#reading.took(data.length + HEAD) })
    ws.on('pong', data => { this.#heard = true; this.#reading.took(data.length + HEAD) })
    if (ping !== Infinity) this.#ping(ping)
    ws.on('error', () => {}) // 'close' follows and is heard
    ws.on('close', () => this.#gone())
  }

  get backlog(): number { return this.#socket.writableLength + this.#outbox.length }
  get taken(): number { return this.#taken }
  readonly #took = (): void => { this.#taken++ }
  write(text: string): void { if (!this.#closed) this.#outbox.send(frameOf(text)) }
  pause(): void { this.#reading.pause() }
  resume(): void { this.#reading.resume() }
  close(): void {
    if (this.#closed) return
    this.#reading.release() // what the peer still says is not heeded, but its closing frame must be read
    this.#outbox.flush()
    this.#ws.close(1000)
    this.#linger()
  }
  destroy(): void { this.#ws.terminate() }

  #ping(every: number): void {
    this.#next = this.#clock.alarm(this.#clock.now() + every, () => {
      if (!this.#heard && !this.#reading.off) { this.destroy(); return }
      this.#heard = false
      this.#ws.ping()
      this.#ping(every)
    })
  }

  #linger(): void {
    const linger = this.#clock.alarm(this.#clock.now() + LINGER, () => this.#ws.terminate())
    this.#ws.once('close', () => linger[Symbol.dispose]())
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#next?.[Symbol.dispose]()
    this.#reading.release()
    this.onClose()
  }
}

/** A text message as one frame (RFC 6455 section 5.2), each byte a character: so many frames are one string, which is written at once. */
export function frameOf(text: string): string {
  const bytes = Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1')
  const n = bytes.length
  if (n < 126) return `\x81${String.fromCharCode(n)}${bytes}`
  if (n < 65536) return `\x81\x7e${String.fromCharCode(n >> 8, n & 255)}${bytes}`
  return `\x81\x7f\0\0\0\0${String.fromCharCode(n >>> 24, n >> 16 & 255, n >> 8 & 255, n & 255)}${bytes}`
}
