// The desk's memory: every open conversation and the ledger of seats, each written by one hand, and kept before it is believed (shell).
import { randomUUID } from 'node:crypto'
import type { Clock, Log, Stores } from '../../server/api.ts'
import { decideLedger, kept, ledgerOf, settle, type KeptLedger, type Ledger, type LedgerCommand, type LedgerEvent } from './assignment.ts'
import { decide, evolve, initial } from './conversation.ts'
import { Refused, type Command, type Event, type State, type Who } from './facts.ts'
import type { FileFacts } from './files/links.ts'
import type { Line, Lines } from './lines.ts'
import { alarms, type Terms, type Unclocked } from './policy.ts'
import { Timers } from './timers.ts'

/** What has just been kept: told to whoever shows or does something about it. */
export interface Commit { readonly n: number; /** the number of the commit in its log, from 1 */ readonly version: number; readonly before: State; readonly after: State; readonly events: readonly { readonly event: Event; readonly before: State; readonly after: State }[]; readonly lines: readonly Line[] }
/** What a `say` carries beside its command: the text, who it came from by name, and the client's id for it. */
export interface Said { readonly body: string; readonly name: string; readonly id?: string | undefined; /** the text is its address */ readonly file?: FileFacts | undefined }

const TRIES = 3 // of a write that met another writer
const PUT_BACK = 60_000 // ms by which a clock may be put back unnoticed
const RETRY = 5_000 // ms until an alarm whose write failed rings again

export class Book {
  readonly states = new Map<number, State>()
  #ledger: KeptLedger = ledgerOf([])
  readonly lines: Lines
  readonly #stores: Stores
  readonly #clock: Clock
  readonly #log: Log
  readonly #desk: string
  readonly #timers: Timers
  readonly #versions = new Map<number, number>()
  readonly #turns = new Map<number, Promise<unknown>>()
  #ledgerVersion = 0
  /** The newest moment in the log. */
  #latest = 0
  /** Seats reserved whose command is not decided yet. */
  readonly #pending = new Set<string>()
  #ledgerTurn: Promise<unknown> = Promise.resolve()
  /** Recognises what a client sends twice: by speaker and the client's id. */
  readonly #seen = new Map<number, Map<string, Line>>()
  /** The words of the desk's own lines; set by who knows the names. */
  words: (e: Extract<Event, { type: 'said' }>) => Said = () => ({ body: '', name: '' })
  /** Runs in the conversation's turn, after the commit: what it sends stays in order. It must not wait for another turn of the same conversation. */
  onCommit: (c: Commit) => void | Promise<void> = () => {}
  /** When the owner of a conversation typed last; forgotten by a restart. */
  readonly typed = new Map<number, number>()
  /** What the settings say about time. */
  terms: () => Omit<Terms, 'typed'> = () => ({})
  /** What is still to be done for a commit, noted with it until `events.done` is called. */
  todo: (n: number, version: number, events: readonly Event[]) => readonly unknown[] | undefined = () => undefined
  /** These operators hold another number of seats. */
  readonly onSeats: ((who: readonly string[]) => void)[] = []
  /** Runs after an alarm was dealt with. */
  afterAlarm: () => Promise<void> = async () => {}

  constructor(stores: Stores, clock: Clock, log: Log, desk: string, lines: Lines) {
    this.#stores = stores
    this.#clock = clock
    this.#log = log
    this.#desk = desk
    this.lines = lines
    this.#timers = new Timers(clock)
  }

  stop(): void { this.#timers.close() }

  get ledger(): Ledger { return this.#ledger }
  /** The name of a conversation's log. */
  stream(n: number): string { return this.#stream(n) }
  #stream(n: number): string { return `${this.#desk}/c${n}` }
  get #ledgerStream(): string { return `${this.#desk}/assignment` }

  /** The time for the log: as the clock says, but never before what stands in the log already, where the clock was put back a little. */
  get now(): number {
    const now = this.#clock.now()
    if (now < this.#latest && this.#latest - now <= PUT_BACK) return this.#latest
    return this.#latest = now
  }

  /** Reads the logs and lets go of reservations that nobody followed. */
  async open(): Promise<void> {
    const { version, events } = await this.#stores.events.load<LedgerEvent>(this.#ledgerStream)
    this.#ledgerVersion = version
    this.#ledger = ledgerOf(events)
    this.#latest = Math.max(this.#latest, events.at(-1)?.at ?? 0)
    for (const n of this.ledger.open.keys()) {
      await this.#load(n)
      const s = this.states.get(n)
      if (s && s.is !== 'absent') await this.#recall(n, s.lines)
    }
    for (const n of new Set([...this.ledger.open.keys(), ...[...this.ledger.seats.values()].map(s => s.n)])) await this.settle(n)
  }

  /** Sets every alarm; called when the desk is ready to act on them. */
  wind(): void { for (const n of this.states.keys()) this.#wind(n) }
  /** Its owner types: that restarts the clock of SS-03. */
  types(n: number): void { this.typed.set(n, this.now); this.#wind(n) }

  async #load(n: number): Promise<State> {
    const { version, events } = await this.#stores.events.load<Event>(this.#stream(n))
    const s = events.reduce(evolve, initial)
    this.#latest = Math.max(this.#latest, events.at(-1)?.at ?? 0)
    this.#versions.set(n, version)
    if (s.is !== 'closed' && s.is !== 'absent') this.states.set(n, s)
    return s
  }

  async #recall(n: number, to: number): Promise<void> {
    const seen = new Map<string, Line>()
    for (const l of await this.lines.all(n, to)) if (l.id !== undefined) seen.set(mark(l.by, l.id), l)
    this.#seen.set(n, seen)
  }

  /** The state of any conversation, closed ones included. */
  async state(n: number): Promise<State> {
    return this.states.get(n) ?? (await this.#stores.events.load<Event>(this.#stream(n))).events.reduce(evolve, initial)
  }
  async history(n: number): Promise<Event[]> { return (await this.#stores.events.load<Event>(this.#stream(n))).events }

  /** The line that `by` sent under this id before, if he did. */
  async sent(n: number, by: Who, id: string | undefined): Promise<Line | undefined> {
    if (id === undefined) return undefined
    if (!this.#seen.has(n)) {
      const s = await this.state(n)
      if (s.is === 'absent') return undefined
      await this.#recall(n, s.lines)
    }
    const line = this.#seen.get(n)?.get(mark(by, id))
    if (!this.states.has(n)) this.#seen.delete(n)
    return line
  }

  /** Gives the next conversation its number. */
  async number(customer: string): Promise<number> {
    const events = await this.#book({ do: 'number', now: this.now, customer })
    const numbered = events instanceof Refused ? undefined : events.find(e => e.type === 'numbered')
    if (!numbered) throw new Error('a number is never refused')
    return numbered.n
  }

  /** Reserves a seat for `agent` and gives the command that uses it; lets the seat go again if that came to nothing. */
  async withSeat(n: number, agent: string, capacity: number, command: (seat: string) => Unclocked, said?: Said): Promise<readonly Event[] | Refused> {
    const key = randomUUID().slice(0, 13)
    this.#pending.add(key)
    try {
      const outcome = await this.#book({ do: 'reserve', now: this.now, key, n, agent, capacity })
      return outcome instanceof Refused ? outcome : await this.give(n, command(key), said)
    } finally {
      this.#pending.delete(key)
      await this.settle(n)
    }
  }

  /** Brings the ledger in line with conversation `n`, but for seats whose command is still on its way. */
  async settle(n: number): Promise<void> {
    for (const c of settle(this.ledger, n, this.states.get(n) ?? await this.state(n), this.now)) {
      if (c.do === 'release' && this.#pending.has(c.key)) continue
      await this.#book(c)
    }
  }

  /** Carries out commands in the conversation's turn, as one commit; resolves when it is kept and its commit was told. `said` belongs to the line spoken. */
  give(n: number, command: Unclocked, said?: Said): Promise<readonly Event[] | Refused> {
    return this.#inTurn(n, () => this.#give(n, command, said))
  }

  #inTurn<T>(n: number, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(n) ?? Promise.resolve()).then(work, work)
    this.#turns.set(n, turn)
    void turn.catch(() => {}).finally(() => { if (this.#turns.get(n) === turn) this.#turns.delete(n) })
    return turn
  }

  async #give(n: number, command: Unclocked, said: Said | undefined): Promise<readonly Event[] | Refused> {
    for (let tries = 1; ; tries++) {
      const before = this.states.get(n) ?? await this.#load(n)
      const now = this.now
      const events = decide(before, { ...command, now } as Command) // the clock was all that was missing
      if (events instanceof Refused || events.length === 0) return events
      const steps: { event: Event; before: State; after: State }[] = []
      let after = before
      for (const event of events) { const next = evolve(after, event); steps.push({ event, before: after, after: next }); after = next }
      const lines = events.flatMap(e => e.type === 'said' ? [this.#line(e, said)] : [])
      const version = this.#versions.get(n) ?? 0
      const written = lines.map(l => this.lines.put(n, l))
      const todo = this.todo(n, version + 1, events)
      const kept = this.#stores.events.append(this.#stream(n), version, events, { live: after.is !== 'closed', ...(todo ? { todo } : {}) })
      const [outcome] = await Promise.all([kept, ...written])
      if (outcome === 'conflict') {
        if (tries >= TRIES) throw new Error(`conversation ${n}: another writer was quicker ${TRIES} times`)
        await this.#load(n)
        continue
      }
      this.#versions.set(n, version + 1)
      if (after.is === 'closed') { this.states.delete(n); this.typed.delete(n) }
      else this.states.set(n, after)
      this.#notice(n, lines, after)
      this.#wind(n, after)
      try {
        await this.onCommit({ n, version: version + 1, before, after, events: steps, lines })
      } catch (error) { this.#log.error({ err: error, conversation: n }, 'what follows from a commit met a bug') }
      if (after.is === 'closed') this.#versions.delete(n)
      await this.settle(n)
      return events
    }
  }

  #line(e: Extract<Event, { type: 'said' }>, said: Said | undefined): Line {
    const { body, name, id, file } = (e.by === 'desk' && e.line?.is !== 'asked') || !said ? this.words(e) : said
    return {
      seq: e.seq, at: e.at, by: e.by, as: e.as, name, body,
      ...(e.shown === undefined ? {} : { shown: e.shown }), ...(id === undefined ? {} : { id }), ...(e.chat === undefined ? {} : { chat: e.chat }), ...(file === undefined ? {} : { file }),
    }
  }

  #notice(n: number, lines: readonly Line[], after: State): void {
    if (after.is === 'closed') { this.#seen.delete(n); return }
    for (const l of lines) {
      if (l.id === undefined) continue
      let seen = this.#seen.get(n)
      if (!seen) this.#seen.set(n, seen = new Map())
      seen.set(mark(l.by, l.id), l)
    }
  }

  #wind(n: number, s: State = this.states.get(n) ?? initial): void {
    this.#timers.set(n, alarms(s, { ...this.terms(), typed: this.typed.get(n) }).map(a => ({ at: a.at, ring: () => this.#ring(n, a.command) })))
  }

  async #ring(n: number, command: Unclocked): Promise<void> {
    try {
      await this.give(n, command)
      await this.afterAlarm()
    } catch (error) {
      this.#log.error({ err: error, conversation: n }, 'an alarm could not be kept, and rings again')
      this.#timers.set(n, [{ at: this.#clock.now() + RETRY, ring: () => this.#ring(n, command) }])
    }
  }

  #book(c: LedgerCommand): Promise<readonly LedgerEvent[] | Refused> {
    const work = async (): Promise<readonly LedgerEvent[] | Refused> => {
      for (let tries = 1; ; tries++) {
        const events = decideLedger(this.ledger, c)
        if (events instanceof Refused || events.length === 0) return events
        if (await this.#stores.events.append(this.#ledgerStream, this.#ledgerVersion, events) === 'ok') {
          this.#ledgerVersion++
          const moved = events.flatMap(e => e.type === 'reserved' ? [e.agent] : e.type === 'released' ? this.ledger.seats.get(e.key)?.agent ?? [] : [])
          for (const e of events) kept(this.#ledger, e)
          if (moved.length > 0) for (const f of this.onSeats) f(moved)
          return events
        }
        if (tries >= TRIES) throw new Error(`the ledger of ${this.#desk}: another writer was quicker ${TRIES} times`)
        const now = await this.#stores.events.load<LedgerEvent>(this.#ledgerStream)
        this.#ledgerVersion = now.version
        this.#ledger = ledgerOf(now.events)
      }
    }
    const turn = this.#ledgerTurn.then(work, work)
    this.#ledgerTurn = turn.catch(() => {})
    return turn
  }
}

const mark = (by: Who, id: string): string => `${by}\n${id}`
