// Stream management (XEP-0198): what is sent and not acknowledged, what is received and committed.
import type { AnyStanza } from '../stanza/stanza.ts'

export const NS_SM = 'urn:xmpp:sm:3'
const WRAP = 2 ** 32 // counters wrap (section 3)

/** A stanza on its way; `at`: when it was given, in milliseconds since 1970. */
export interface Sent { readonly stanza: AnyStanza; readonly size: number; readonly at: number }

/** Stanzas on their way to the peer, until it says that it has them. */
export class Unacked {
  readonly #limit: { readonly stanzas: number; readonly bytes: number }
  #queue: Sent[] = []
  #first = 0 // the counter of the first one in the queue, less one: what the peer has acknowledged
  #bytes = 0
  #messages = 0 // presence of many contacts comes at once at a login, and is no sign of a peer that does not answer
  /** `first`: how many were acknowledged before. */
  constructor(limit: { readonly stanzas: number; readonly bytes: number }, first = 0) { this.#limit = limit; this.#first = first }

  get length(): number { return this.#queue.length }
  get full(): boolean { return this.#messages > this.#limit.stanzas || this.#bytes > this.#limit.bytes }
  /** How many the peer has. */
  get acknowledged(): number { return this.#first }
  /** How many were sent since the counting began. */
  get sent(): number { return (this.#first + this.#queue.length) % WRAP }
  get all(): readonly Sent[] { return this.#queue }

  push(stanza: AnyStanza, size: number, at = 0): void {
    this.#queue.push({ stanza, size, at })
    this.#bytes += size
    if (stanza.kind === 'message') this.#messages++
  }

  /** The peer has `h`, and with it `each`; false if it was never sent that many (section 4: handled-count-too-high). */
  acknowledge(h: number, each?: (sent: Sent) => void): boolean {
    const n = (h - this.#first + WRAP) % WRAP
    if (n > this.#queue.length) return false
    if (n === 0) return true
    for (let i = 0; i < n; i++) {
      const sent = this.#queue[i]! // i < n ≤ length
      this.#bytes -= sent.size
      if (sent.stanza.kind === 'message') this.#messages--
      each?.(sent)
    }
    if (n === this.#queue.length) this.#queue = []
    else this.#queue.splice(0, n)
    this.#first = h
    return true
  }

  /** Takes out everything. */
  drain(): AnyStanza[] {
    const all = this.#queue.map(sent => sent.stanza)
    this.#first = this.sent
    this.#queue = []
    this.#bytes = this.#messages = 0
    return all
  }
}

/** Stanzas from the peer: how many are handled, and up to which one all are committed. */
export class Handled {
  #count: number
  #open: { readonly at: number; commits: number }[] = [] // the stanzas that wait for commits, and for how many
  #waiting: { at: number; then: () => void }[] = []

  constructor(count = 0) { this.#count = count }

  /** One more is taken up. */
  next(): void { this.#count = (this.#count + 1) % WRAP }

  /** What may be acknowledged: all up to here are committed. */
  get h(): number { return this.#open.length ? (this.#open[0]!.at + WRAP - 1) % WRAP : this.#count } // length says it is there

  /** The stanza taken up last is not handled before `commit` settles; `failed` hears of a rejection first. */
  hold(commit: Promise<unknown>, failed: (err: unknown) => void = () => {}): void {
    const last = this.#open.at(-1)
    const entry = last?.at === this.#count ? last : { at: this.#count, commits: 0 }
    if (entry !== last) this.#open.push(entry)
    entry.commits++
    const settle = (): void => {
      entry.commits--
      while (this.#open[0]?.commits === 0) this.#open.shift()
      while (this.#waiting.length && this.#committed(this.#waiting[0]!.at)) this.#waiting.shift()!.then() // length says they are there
    }
    commit.then(settle, (err: unknown) => { try { failed(err) } finally { settle() } })
  }

  /** Whether all that was taken up is committed. */
  get settled(): boolean { return this.#open.length === 0 }

  /** Calls back, at once if it can, when all that was taken up so far is committed. */
  whenCommitted(then: () => void): void { if (this.#open.length === 0) then(); else this.#waiting.push({ at: this.#count, then }) }

  #committed(at: number): boolean { return this.#open.length === 0 || (this.#open[0]!.at - at + WRAP) % WRAP < WRAP / 2 && this.#open[0]!.at !== at } // length says it is there

  restart(): void { this.#count = 0; this.#open = [] }
}

/** An `h` as the peer wrote it; undefined if it is none. */
export function readH(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const h = Number(text)
  return h < WRAP ? h : undefined
}
