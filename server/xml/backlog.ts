// Bytes that came while nobody read. Pure.
import { Buffer } from 'node:buffer'

const MOST = 1_048_576

export class Backlog {
  #waiting: Buffer[] = []
  #bytes = 0

  get empty(): boolean {
    return this.#waiting.length === 0
  }

  /** Keeps a copy, behind what waits already; false if that would be more than 1 MiB. */
  add(b: Buffer): boolean {
    if (this.#bytes + b.length > MOST) return false
    this.#waiting.push(Buffer.from(b))
    this.#bytes += b.length
    return true
  }

  /** What waits longest; never when empty. */
  take(): Buffer {
    const b = this.#waiting.shift()! // not empty
    this.#bytes -= b.length
    return b
  }

  /** Keeps b[from..], before all that waits; `own` says that b was taken from here, and need not be copied again. */
  putBack(b: Buffer, from: number, own: boolean): void {
    const rest = b.subarray(from)
    this.#waiting.unshift(own ? rest : Buffer.from(rest))
    this.#bytes += rest.length
  }

  clear(): void {
    this.#waiting = []
    this.#bytes = 0
  }
}
