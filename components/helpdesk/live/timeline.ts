// One conversation as it goes on: its lines and what is done with it, read from its log, in order and each once (shell).
import { nameOf } from '../acts/marks.ts'
import { time } from '../api/door.ts'
import { actorOf, happened } from '../chronicle.ts'
import type { Commit } from '../book.ts'
import type { Bare, Event, Present, State } from '../facts.ts'
import type { Line } from '../lines.ts'
import type { Office, Sign } from '../office.ts'
import { written, type Feed } from './feed.ts'
import type { Source } from './live.ts'

/** What a reader needs to know of how a conversation is shown to him. */
export interface Shown {
  /** Whether he may read it now. */
  mayRead(s: Present): boolean
  /** Whether this line is for him. */
  isHis(s: Present, l: Line): boolean
  line(l: Line): object
  /** The conversation as it stands. */
  picture(s: Present): Promise<object>
}

const PAGE = 200 // events read at once

export class TimelineSource implements Source {
  readonly #o: Office
  readonly #n: number
  readonly #who: Bare
  readonly #shown: Shown
  readonly #feed: Feed
  #held: Commit[] | undefined = []
  /** Of the last event that was told or is about to be. */
  #last = 0
  #state: State = { is: 'absent' }
  /** The commit up to which all was told. */
  #version = 0

  constructor(o: Office, n: number, who: Bare, shown: Shown, feed: Feed) { this.#o = o; this.#n = n; this.#who = who; this.#shown = shown; this.#feed = feed }

  /** The conversation as it stands, and what came after the event with the number `seen`; 0: everything. */
  async first(found: Present, seen: string | undefined): Promise<AsyncIterable<string>> {
    const { version, events } = await this.#o.link.stores.events.load<Event>(this.#o.book.stream(this.#n))
    const after = seen !== undefined && /^\d{1,9}$/.test(seen) && Number(seen) <= events.length ? Number(seen) : 0
    const now = await this.#o.book.state(this.#n)
    const s = now.is === 'absent' ? found : now
    this.#state = s
    const picture = await this.#shown.picture(s)
    this.#last = events.length
    this.#version = version
    const held = this.#held ?? []
    this.#held = undefined
    for (const c of held) this.commit(c)
    return this.#log(picture, s, events, after, seen !== undefined && String(after) !== seen)
  }

  async *#log(picture: object, s: Present, events: readonly Event[], after: number, isLost: boolean): AsyncGenerator<string> {
    if (isLost) yield written('reset', {})
    yield written('conversation', picture)
    for (let from = after; from < events.length; from += PAGE) {
      const some = events.slice(from, from + PAGE)
      const said = some.flatMap(e => e.type === 'said' ? [e.seq] : [])
      const [low, high] = [said[0], said.at(-1)]
      const lines = low === undefined || high === undefined ? [] : await this.#o.lines.after(this.#n, low - 1, high - low + 1)
      for (const [i, e] of some.entries()) {
        const text = this.#told(s, e, from + i + 1, lines)
        if (text) yield written(...text)
      }
    }
    yield written('ready', { lines: s.lines }, String(events.length))
  }

  commit(c: Commit): void {
    if (c.n !== this.#n) return
    if (this.#held) { this.#held.push(c); return }
    if (c.version <= this.#version) return // it stood in the log when that was read
    this.#version = c.version
    const { after } = c
    this.#state = after
    if (after.is === 'absent' || after.deleted !== undefined) { this.#feed.end('gone'); return }
    if (!this.#shown.mayRead(after)) { this.#feed.end('forbidden'); return }
    for (const { event } of c.events) {
      const told = this.#told(after, event, ++this.#last, c.lines)
      if (told) this.#feed.send(...told)
    }
    if (c.events.some(e => e.event.type !== 'said')) this.#o.later(async () => { const picture = await this.#shown.picture(after); if (this.#state === after) this.#feed.send('conversation', picture) })
  }

  /** What nobody keeps bears no number. */
  sign(n: number, sign: Sign): void {
    if (n !== this.#n || this.#held || this.#state.is === 'absent' || (sign.is === 'typing' && sign.by === this.#who)) return
    const by = sign.is === 'typing' && sign.by !== 'customer' ? { by: 'agent', jid: sign.by, name: this.#o.operators.name(sign.by) } : { by: 'customer' }
    this.#feed.send(sign.is, sign.is === 'typing' ? { ...by, state: sign.state } : { ...by, seq: sign.seq })
  }

  look(): void {
    if (this.#state.is === 'absent') return
    if (!this.#o.operators.has(this.#who) || !this.#shown.mayRead(this.#state)) this.#feed.end('forbidden')
  }

  /** An event of the log for this reader; undefined: it is nothing to him, or its words were erased. */
  #told(s: Present, e: Event, id: number, lines: readonly Line[]): [string, object, string] | undefined {
    if (e.type === 'said') {
      const line = lines.find(l => l.seq === e.seq)
      return line && this.#shown.isHis(s, line) ? ['line', this.#shown.line(line), String(id)] : undefined
    }
    const text = happened(e, w => nameOf(this.#o, w))
    return text === undefined ? undefined : ['happened', { at: time(e.at), type: e.type, by: actorOf(e) ?? null, text }, String(id)]
  }
}
