// Who listens to the desk over HTTP: each token's streams, kept alive, looked at again when rights change, ended when their token or the server ends (shell).
import { Streamed, type Clock, type HttpRequest, type HttpResponse, type HttpRouter } from '../../../server/api.ts'
import { problem, type Caller, type Door } from '../api/door.ts'
import { reaches, type Scope } from '../api/scopes.ts'
import type { Commit } from '../book.ts'
import type { Bare, State } from '../facts.ts'
import type { View } from '../ground.ts'
import type { Told } from '../notices.ts'
import type { Office, Sign } from '../office.ts'
import type { Thread } from '../threads.ts'
import { Feed } from './feed.ts'
import { Tape } from './tape.ts'

/** What one stream tells. */
export interface Source {
  /** The id up to which all has been told; undefined: the last event bears it. */
  readonly mark?: string
  commit?(c: Commit): void
  agent?(jid: Bare): void
  sign?(n: number, sign: Sign): void
  told?(t: Told): void
  talk?(t: Thread): void
  settings?(): void
  /** Who may see what may have changed: ends or narrows what is told, at once. */
  look(): void
  /** Time has passed. */
  tick?(): void
}
/** What it says first, or why there is none. */
export type Opened = { readonly first: AsyncIterable<string> | Iterable<string> } | HttpResponse

interface Stream {
  readonly feed: Feed
  readonly text: string
  readonly scope: Scope
  /** Its reader counts as here. */
  readonly here: boolean
  /** When its token asked for something last. */
  heard: number
  source: Source | undefined
}

const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }
const WAIT = '30' // seconds until one who has too many may ask again
const SILENT = 120_000 // ms without a request of its token, after which who counts as here does no more: TCP takes a quarter of an hour to notice a peer that is gone

export class Live implements View {
  readonly #o: Office
  readonly tape = new Tape()
  /** Every open conversation as the tape has it: a commit is in the book a moment before it is told. */
  readonly states: Map<number, State>
  readonly #streams = new Set<Stream>()
  readonly #of = new Map<string, Set<Stream>>() // by the token's id
  #beat: Disposable | undefined

  constructor({ office, onAsked }: Door, http: HttpRouter) {
    this.#o = office
    onAsked.push(who => this.#hears(who))
    this.states = new Map(office.book.states)
    office.views.push(this)
    office.onOperator.push(jid => this.#agents([jid]))
    office.book.onSeats.push(who => this.#agents(who))
    office.operators.onRights = () => this.#rights()
    const each = (tell: (s: Source) => void): void => { for (const s of this.#streams) this.#safely(s, () => { if (s.source) tell(s.source) }) }
    office.onSign.push((n, sign) => each(s => s.sign?.(n, sign)))
    office.notices.onTold.push(t => each(s => s.told?.(t)))
    office.rules.onChange.push(() => each(s => s.settings?.()))
    office.threads.onKept.push(t => each(s => s.talk?.(t)))
    const { privileges } = office.link
    const again = (): void => { for (const s of this.#streams) void this.#admit(s) }
    const heard = privileges ? [privileges.onTokens(again), privileges.onPeople(again)] : []
    http.onLeave(() => {
      for (const h of heard) h[Symbol.dispose]()
      for (const s of [...this.#streams]) s.feed.end('stopping')
    })
  }

  /** Answers with a stream; `make` gives what it tells, or refuses. `here`: only as long as something is heard of its token. */
  async open(r: HttpRequest, who: Caller, scope: Scope, make: (feed: Feed, seen: string | undefined, began: (s: Source) => void) => Promise<Opened>, here = false): Promise<HttpResponse> {
    const { events } = this.#o.link.limits
    const key = keyOf(who)
    const own = this.#of.get(key) ?? new Set()
    if (own.size >= events.perToken) return problem(429, `One token has at most ${events.perToken} streams at once.`, {}, { 'retry-after': WAIT })
    if (r.method === 'HEAD') return { status: 200, headers: HEADERS }
    const feed = new Feed(events.buffer)
    const stream: Stream = { feed, text: /^Bearer +(\S+)$/i.exec(r.headers.authorization ?? '')?.[1] ?? '', scope, here, heard: this.#clock.now(), source: undefined }
    this.#of.set(key, own.add(stream))
    feed.onOver = () => {
      feed.onOver = () => {}
      this.#streams.delete(stream)
      own.delete(stream)
      if (own.size === 0) this.#of.delete(key)
      if (this.#streams.size === 0) { this.#beat?.[Symbol.dispose](); this.#beat = undefined }
    }
    r.gone.addEventListener('abort', () => feed.left())
    const seen = r.headers['last-event-id']
    this.#streams.add(stream)
    if (r.gone.aborted) feed.left() // while the token was looked at
    const began = (s: Source): void => { stream.source = s } // from here on it hears of everything
    const made = await make(feed, typeof seen === 'string' ? seen : undefined, began).catch((error: unknown) => { feed.left(); throw error })
    if ('status' in made) { feed.left(); return made }
    this.#wind()
    return { status: 200, headers: HEADERS, body: new Streamed(undefined, feed.pieces(this.#whole(feed, made.first))) }
  }

  async *#whole(feed: Feed, first: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
    try { yield* first } catch (error) {
      this.#o.link.log.error({ err: error, domain: this.#o.domain }, 'a live stream met a bug')
      feed.end('broken')
    }
  }

  onCommit(c: Commit): void {
    this.tape.note({ is: 'conversation', n: c.n, before: c.before, after: c.after })
    if (c.after.is === 'closed' || c.after.is === 'absent') this.states.delete(c.n)
    else this.states.set(c.n, c.after)
    for (const s of this.#streams) this.#safely(s, () => s.source?.commit?.(c))
    const [was, is] = [c.before, c.after].map(s => s.is === 'active' ? s.owner : undefined)
    if (was !== is) this.#agents([was, is].filter(jid => jid !== undefined))
  }
  #agents(who: readonly Bare[]): void {
    for (const jid of new Set(who)) {
      this.tape.note({ is: 'agent', jid })
      for (const s of this.#streams) this.#safely(s, () => s.source?.agent?.(jid))
    }
  }
  #rights(): void {
    this.tape.note({ is: 'rights' })
    for (const s of [...this.#streams]) {
      this.#safely(s, () => s.source?.look())
      void this.#admit(s)
    }
  }
  #safely(s: Stream, work: () => void): void {
    try { if (s.feed.isOpen) work() } catch (error) {
      this.#o.link.log.error({ err: error, domain: this.#o.domain }, 'a live stream met a bug')
      s.feed.end('broken')
    }
  }

  get #clock(): Clock { return this.#o.link.network ?? this.#o.link.clock }

  #hears(who: Caller): void {
    for (const s of this.#of.get(keyOf(who)) ?? []) s.heard = this.#clock.now()
  }

  /** Whether the token still lets its bearer in. */
  async #admit({ feed, text, scope }: Stream): Promise<void> {
    const found = await this.#o.link.privileges?.token(text).catch(() => undefined)
    if (!found || !reaches(found.scopes, scope)) feed.end('token')
  }

  #wind(): void {
    const clock = this.#clock
    const { beat } = this.#o.link.limits.events
    if (this.#beat || this.#streams.size === 0 || !Number.isFinite(beat)) return
    this.#beat = clock.alarm(clock.now() + beat, async () => {
      this.#beat = undefined
      const all = [...this.#streams]
      for (const s of all) {
        this.#safely(s, () => s.source?.tick?.())
        if (s.here && clock.now() - s.heard > SILENT) s.feed.end('silent')
        s.feed.beat(s.source?.mark)
      }
      await Promise.all(all.map(s => this.#admit(s)))
      this.#wind()
    })
  }
}

const keyOf = (who: Caller): string => who.token ?? who.jid
