// Bodies that pass through without being held in memory, and the pace that both sides owe (SEC-H18, SEC-F07).
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../ports/clock.ts'

const SLOWEST = 1024 // bytes a second, looked at once in a window

/** The body as it comes. A client that sends less than 1 KiB a second is cut off, and the reader hears an error. */
export async function* paced(message: IncomingMessage, clock: Clock, window: number): AsyncGenerator<Uint8Array> {
  const pace = new Pace(clock, window, () => message.destroy(new Error('the client is too slow')))
  try {
    for await (const piece of message as AsyncIterable<Uint8Array>) { // its encoding is never set: it gives bytes
      pace.moved(piece.length)
      yield piece
    }
  } finally { pace.stop() }
}

/** Sends `pieces` as the client takes them, and ends; one that takes less than 1 KiB a second is cut off. */
export async function carry(pieces: AsyncIterable<Uint8Array>, response: ServerResponse, clock: Clock, window: number): Promise<void> {
  const pace = new Pace(clock, window, () => response.destroy())
  try {
    for await (const piece of pieces) {
      if (response.destroyed) return
      if (!response.write(piece)) await drained(response)
      pace.moved(piece.length)
    }
    response.end()
  } catch {
    response.destroy() // the length was promised: the client sees that it is not all
  } finally { pace.stop() }
}

/** Sends `pieces` whenever they come, and ends with them; a client that takes nothing of what waits for a whole `window` is cut off. */
export async function flow(pieces: AsyncIterable<Uint8Array>, response: ServerResponse, clock: Clock, window: number): Promise<void> {
  try {
    response.flushHeaders() // the first piece may be long in coming
    for await (const piece of pieces) {
      if (response.destroyed) return
      if (response.write(piece)) continue
      using _late = Number.isFinite(window) ? clock.alarm(clock.now() + window, () => { response.destroy() }) : undefined
      await drained(response)
    }
    using _late = Number.isFinite(window) ? clock.alarm(clock.now() + window, () => { response.destroy() }) : undefined
    if (!response.closed) await new Promise<void>(done => { response.once('close', done); response.end(done) })
  } catch {
    response.destroy()
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(done => {
    const go = (): void => {
      response.off('drain', go)
      response.off('close', go)
      done()
    }
    response.once('drain', go)
    response.once('close', go)
  })
}

class Pace {
  readonly #clock: Clock
  readonly #window: number
  readonly #tooSlow: () => void
  #bytes = 0
  #alarm: Disposable | undefined

  constructor(clock: Clock, window: number, tooSlow: () => void) {
    this.#clock = clock
    this.#window = window
    this.#tooSlow = tooSlow
    if (Number.isFinite(window)) this.#watch()
  }

  moved(bytes: number): void { this.#bytes += bytes }
  stop(): void { this.#alarm?.[Symbol.dispose]() }

  #watch(): void {
    this.#alarm = this.#clock.alarm(this.#clock.now() + this.#window, () => {
      if (this.#bytes < (SLOWEST * this.#window) / 1000) { this.#tooSlow(); return }
      this.#bytes = 0
      this.#watch()
    })
  }
}
