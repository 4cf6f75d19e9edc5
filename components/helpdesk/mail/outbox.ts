// Mails on their way: checked, counted, kept in the store until a server has taken them, and tried again until then (shell).
import { randomUUID } from 'node:crypto'
import type { Clock, DocumentStore, Jobs, Limits, Log } from '../../../server/api.ts'
import { Retries } from '../retries.ts'
import { readLetter, type Letter } from './letter.ts'
import type { Carrier } from './port.ts'
import { DAY, HOUR, Rates } from './rates.ts'

export type Posted =
  | { readonly is: 'queued'; readonly key: string }
  /** `until`: the moment (ms since 1970) from which it is no more too many. */
  | { readonly is: 'refused'; readonly why: 'wrong' | 'unverified' | 'limited' | 'full'; readonly because: string; readonly until?: number }

interface Waiting { readonly letter: Letter; readonly attempts: number; readonly due: number }

const COLLECTION = 'desk-mails'
const SENT = 'desk-mails-sent' // keys given by others, that the same mail is not sent again
const MOST = 10_000 // letters
const AT_ONCE = 4
const PAGE = 200
const REMEMBERED = 7 * DAY
const MINUTE = 60_000
/** Waits between attempts, in ms; after the last the letter is given up. */
const PAUSES = [1, 5, 15, 60, 240, 720, 1440, 1440, 1440].map(m => m * MINUTE)

export interface OutboxOptions {
  readonly documents: DocumentStore
  readonly desk: string
  readonly clock: Clock
  readonly jobs: Jobs
  readonly log: Log
  readonly carrier: Carrier
  readonly limits: Limits['mail']
}

export class Outbox {
  readonly #o: OutboxOptions
  readonly #rates: Rates
  readonly #waiting = new Map<string, Waiting>()
  readonly #retries: Retries
  readonly #ready: string[] = []
  readonly #running = new Set<Promise<void>>()
  #closed = false

  private constructor(o: OutboxOptions) {
    this.#o = o
    this.#rates = new Rates(o.documents, o.desk)
    this.#retries = new Retries(o, 'mails', keys => { this.#ready.push(...keys); this.#next(); return this.idle() })
  }

  /** Goes on with what an earlier run left. */
  static async open(o: OutboxOptions): Promise<Outbox> {
    const box = new Outbox(o)
    for (let after: string | undefined; ;) {
      const page = await o.documents.range<Waiting>(COLLECTION, o.desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) box.#wait(id, value)
      after = page.at(-1)?.id
      if (page.length < PAGE) return box
    }
  }

  /** Resolves when the letter is safe in the store. Rejects with StoreError alone. */
  async send(given: Letter): Promise<Posted> {
    const letter = readLetter(given)
    if ('wrong' in letter) return { is: 'refused', why: 'wrong', because: letter.wrong }
    const key = letter.key ?? randomUUID()
    if (this.#waiting.has(key) || (letter.key !== undefined && await this.#o.documents.get(SENT, this.#o.desk, key))) return { is: 'queued', key }
    if (letter.kind === 'auto-reply' && letter.verified !== true) return { is: 'refused', why: 'unverified', because: 'Nobody has proved that this address is the customer’s: no automatic reply goes there.' }
    if (this.#waiting.size >= MOST || this.#closed) return { is: 'refused', why: 'full', because: 'Too many mails wait to be sent.' }
    const until = await this.#count(letter)
    if (until !== undefined) return { is: 'refused', why: 'limited', because: 'Too many mails have gone there already.', until }
    const waiting: Waiting = { letter, attempts: 0, due: this.#o.clock.now() }
    if (await this.#o.documents.put(COLLECTION, this.#o.desk, key, waiting, 0) !== 'conflict' && !this.#waiting.has(key)) this.#wait(key, waiting)
    return { is: 'queued', key }
  }

  /** Letters that wait to be sent, and those being sent. */
  get size(): number { return this.#waiting.size }

  /** Resolves when nothing is being sent at the moment. */
  async idle(): Promise<void> { while (this.#running.size > 0) await Promise.all(this.#running) }

  /** Letters that wait and fit. */
  waiting(fits: (l: Letter) => boolean): readonly Letter[] { return [...this.#waiting.values()].flatMap(w => fits(w.letter) ? [w.letter] : []) }
  /** Erases letters that wait and fit; gives how many went. */
  async erase(fits: (l: Letter) => boolean): Promise<number> {
    const mine = [...this.#waiting].filter(([, w]) => fits(w.letter))
    for (const [key] of mine) await this.#drop(key)
    return mine.length
  }
  /** Erases what waits for this address, and what was counted of it or of who caused letters; gives how many letters went. */
  async forget(address: string | undefined, from?: string): Promise<number> {
    const names = [...address === undefined ? [] : [`to:${address.toLowerCase()}`, `auto:${address.toLowerCase()}`], ...from === undefined ? [] : [`from:${from}`]]
    for (const name of names) await this.#rates.forget(name)
    // Keys that name somebody: end-DESK-12-ADDRESS, left-TIME-JID ID-READER.
    const own = (key: string): boolean => address !== undefined && key.toLowerCase().endsWith(address.toLowerCase()) && /^end-.*-\d+-$/.test(key.slice(0, -address.length))
    await this.#eachSent(key => own(key) || (from !== undefined && /^left-\d+-/.test(key) && key.replace(/^left-\d+-/, '').startsWith(`${from} `)))
    return address === undefined ? 0 : this.erase(l => l.to.toLowerCase() === address.toLowerCase())
  }

  /** For a daily job: lets go of old counts and old keys; gives how many went. */
  async sweep(): Promise<number> {
    const now = this.#o.clock.now()
    return await this.#rates.sweep(now) + await this.#eachSent((_, at) => at <= now - REMEMBERED)
  }
  /** Forgets the keys that fit; gives how many. */
  async #eachSent(fits: (key: string, at: number) => boolean): Promise<number> {
    const { documents, desk } = this.#o
    let gone = 0
    for (let after: string | undefined; ;) {
      const page = await documents.range<number>(SENT, desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) if (fits(id, value) && await documents.remove(SENT, desk, id) === 'ok') gone++
      after = page.at(-1)?.id
      if (page.length < PAGE) return gone
    }
  }

  /** Waits for what is being sent; the rest stays in the store for the next start. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#retries.close()
    await this.idle()
    this.#o.carrier.close()
  }

  async #count(letter: Letter): Promise<number | undefined> {
    const { limits, clock } = this.#o
    const to = letter.to.toLowerCase()
    const counts: [string, number, number][] = letter.kind === 'notice' ? [] : letter.kind === 'auto-reply' ? [[`auto:${to}`, limits.autoReplies, DAY]] : [[`to:${to}`, limits.perRecipient, HOUR]]
    if (letter.kind !== 'notice' && letter.from !== undefined) counts.unshift([`from:${letter.from}`, limits.perAddress, HOUR])
    for (const [name, most, window] of counts) {
      const taken = await this.#rates.take(name, most, window, clock.now())
      if (taken !== 'ok') return taken
    }
    return undefined
  }

  #wait(key: string, w: Waiting): void {
    this.#waiting.set(key, w)
    if (this.#closed) return
    if (w.due <= this.#o.clock.now()) { this.#ready.push(key); this.#next() }
    else this.#retries.at(key, w.due)
  }

  #next(): void {
    while (this.#running.size < AT_ONCE && !this.#closed) {
      const key = this.#ready.shift()
      if (key === undefined) return
      const w = this.#waiting.get(key)
      if (!w) continue
      const run = this.#try(key, w).catch((err: unknown) => this.#o.log.error({ err, key }, 'mail: the store failed; it is tried again after the next start'))
        .finally(() => { this.#running.delete(run); this.#next() })
      this.#running.add(run)
    }
  }

  async #try(key: string, w: Waiting): Promise<void> {
    const { carrier, log, clock, documents, desk } = this.#o
    const carried = await carrier.carry(w.letter, key)
    if (carried.is === 'sent') {
      if (w.letter.key !== undefined) await documents.put(SENT, desk, key, clock.now())
      return this.#drop(key)
    }
    const pause = PAUSES[w.attempts]
    if (carried.is === 'never' || pause === undefined) {
      log.warn({ key, why: carried.why, attempts: w.attempts + 1 }, 'mail: given up')
      return this.#drop(key)
    }
    const next = { ...w, attempts: w.attempts + 1, due: clock.now() + pause }
    log.info({ key, why: carried.why, attempts: next.attempts }, 'mail: not sent, tried again later')
    if (!this.#waiting.has(key)) return // forgotten meanwhile
    await documents.put(COLLECTION, desk, key, next)
    this.#wait(key, next)
  }

  async #drop(key: string): Promise<void> {
    this.#retries.cancel(key)
    this.#waiting.delete(key)
    await this.#o.documents.remove(COLLECTION, this.#o.desk, key)
  }
}
