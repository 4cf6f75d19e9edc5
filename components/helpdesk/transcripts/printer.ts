// Has transcripts drawn as PDF, one after another, in threads beside the server's (shell).
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../../server/api.ts'
import { printed, type Recorded } from './record.ts'

const MOST = 50 // that wait
const WITHIN = 30_000 // ms for one
const MEMORY = 256 // MiB for one

export class Printer {
  readonly #clock: Clock
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #thread: Worker | undefined
  #closed = false
  constructor(clock: Clock) { this.#clock = clock }

  /** The bytes of a PDF with details, custom fields and the public lines; `busy` when too many wait. Rejects if it cannot be drawn. */
  async pdf(recorded: Recorded): Promise<Buffer | 'busy'> {
    if (this.#waiting >= MOST || this.#closed) return 'busy'
    this.#waiting++
    const draw = (): Promise<Buffer> => this.#draw(recorded)
    const mine = this.#last.then(draw, draw).finally(() => { this.#waiting-- })
    this.#last = mine.catch(() => {})
    return mine
  }

  /** Breaks off what is being drawn. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#thread?.terminate()
    await this.#last
  }

  async #draw(recorded: Recorded): Promise<Buffer> {
    if (this.#closed) throw new Error('the printer is closed')
    const at = this.#clock.now()
    const thread = this.#thread = new Worker(new URL('./pdf-thread.ts', import.meta.url), { workerData: { page: printed(recorded), at }, resourceLimits: { maxOldGenerationSizeMb: MEMORY } })
    using _alarm = this.#clock.alarm(at + WITHIN, () => { void thread.terminate() })
    return await new Promise<Buffer>((resolve, reject) => {
      thread.once('message', (bytes: Uint8Array) => resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
      thread.once('error', reject)
      thread.once('exit', () => reject(new Error('the PDF was broken off')))
    })
  }
}
