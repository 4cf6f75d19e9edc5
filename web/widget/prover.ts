// Proves what the bridge asks for before something is sent: by work, or with a captcha that the page shows (SEC-W33).
import type { Challenge } from '../../schemas/webchat.ts'
import { ask } from './host.ts'
import { solve } from './proof.ts'

const PUZZLE = 300_000 // ms that somebody may take for a captcha
const AGAIN = 1000 // ms until the challenge is asked for again

/** What is done with the proof: '' where none is wanted, undefined where there is none. */
export type Proved = (proof: string | undefined) => void

export class Prover {
  readonly #at: HTMLElement
  readonly #send: (m: { type: 'challenge' }) => void
  #then: Proved | undefined
  #work: AbortController | undefined
  #later: ReturnType<typeof setTimeout> | undefined
  constructor(at: HTMLElement, send: (m: { type: 'challenge' }) => void) { this.#at = at; this.#send = send }

  /** Whether something is being proved. */
  get busy(): boolean { return this.#then !== undefined }

  /** Asks for the challenge; what comes of it goes to `then`, unless it is stopped before. */
  prove(then: Proved): void {
    this.stop()
    this.#then = then
    this.#send({ type: 'challenge' })
  }

  async take({ kind, challenge = '', bits = 0, key }: Challenge): Promise<void> {
    if (!this.#then || this.#work) return
    const { signal } = this.#work = new AbortController()
    const proof = kind === 'work' ? await solve(challenge, bits, signal) : kind === 'captcha' ? await ask(this.#at, 'captcha', { key }, PUZZLE) : ''
    if (signal.aborted) return
    const then = this.#then
    this.stop()
    then?.(proof)
  }

  /** The challenge was not given. */
  wait(retry = AGAIN): void { this.#later = setTimeout(() => this.#send({ type: 'challenge' }), retry) }

  stop(): void {
    clearTimeout(this.#later)
    this.#work?.abort()
    this.#work = this.#then = undefined
  }
}
