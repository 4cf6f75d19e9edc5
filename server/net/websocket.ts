// XMPP over WebSocket (RFC 7395): one message is one element.
import type { WebSocket } from 'ws'
import type { Clock } from '../ports/clock.ts'
import type { Transport } from './transport.ts'

const LINGER = 5_000 // ms that a peer has to close its side
const NO_BINDINGS: ReadonlyMap<string, Uint8Array> = new Map()

export class WebSocketTransport implements Transport {
  readonly framing = 'frames'
  readonly remote: string
  readonly secure: boolean
  readonly bindings = NO_BINDINGS // a browser cannot bind to its channel
  onData: (data: Uint8Array | string) => void = () => {}
  onClose: () => void = () => {}
  readonly #ws: WebSocket
  readonly #clock: Clock
  #closed = false

  /** `secure`: the WebSocket came over TLS, or through a trusted proxy that says so. */
  constructor(ws: WebSocket, remote: string, secure: boolean, clock: Clock) {
    this.#ws = ws
    this.remote = remote
    this.secure = secure
    this.#clock = clock
    ws.on('message', (data, binary) => {
      if (binary) { ws.close(1003, 'text only'); return }
      this.onData(String(data))
    })
    ws.on('error', () => {}) // 'close' follows and is heard
    ws.on('close', () => { if (!this.#closed) { this.#closed = true; this.onClose() } })
  }

  get backlog(): number { return this.#ws.bufferedAmount }
  write(text: string): void { if (!this.#closed) this.#ws.send(text) }
  pause(): void { if (!this.#closed) this.#ws.pause() }
  resume(): void { if (!this.#closed) this.#ws.resume() }
  close(): void {
    if (this.#closed) return
    this.#ws.close(1000)
    const linger = this.#clock.alarm(this.#clock.now() + LINGER, () => this.#ws.terminate())
    this.#ws.once('close', () => linger[Symbol.dispose]())
  }
  destroy(): void { this.#ws.terminate() }
}
