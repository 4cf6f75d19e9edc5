// A list of conversations as it changes: rows that come and change, rows that go (shell).
import { time } from '../api/door.ts'
import type { Commit } from '../book.ts'
import { Refused, type Bare, type State } from '../facts.ts'
import { isPast, rows, sight, type Column, type Row, type Sight, type Wanted } from '../lists.ts'
import type { Office } from '../office.ts'
import { written, type Feed } from './feed.ts'
import type { Live, Source } from './live.ts'
import type { Change } from './tape.ts'

/** They grow by themselves: a row is not told again for them. */
const GROWING: readonly Column[] = ['queueTime', 'idle', 'duration']
const COLOURED = 1000 // rows that are looked at again as time passes

export interface ListQuery { readonly wanted: Wanted; readonly fields: readonly Column[]; /** the same for the same query of the same operator */ readonly key: string }

export class ListSource implements Source {
  readonly #o: Office
  readonly #live: Pick<Live, 'tape' | 'states'>
  readonly #who: Bare
  readonly #q: ListQuery
  readonly #feed: Feed
  #sight: Sight
  /** What the reader knows, without what grows. */
  readonly #known = new Map<number, string>()
  #held: { n: number; before: State; after: State }[] | undefined = []
  #looked = false

  private constructor(o: Office, live: Pick<Live, 'tape' | 'states'>, who: Bare, q: ListQuery, feed: Feed, seen: Sight) { this.#o = o; this.#live = live; this.#who = who; this.#q = q; this.#feed = feed; this.#sight = seen }

  /** Gives the source and what it says first: everything, or what has changed since `mark`. */
  static async open(o: Office, live: Pick<Live, 'tape' | 'states'>, who: Bare, q: ListQuery, feed: Feed, mark: string | undefined, began: (s: ListSource) => void): Promise<{ first: Iterable<string> } | Refused> {
    const seen = sight(o, who, q.wanted)
    if (seen instanceof Refused) return seen
    const source = new ListSource(o, live, who, q, feed, seen)
    began(source)
    const { mark: from } = source // what is held from here on comes behind `ready`: who leaves between them is told it again
    const all = isPast(q.wanted.list) ? await rows(o, who, { ...q.wanted, sort: undefined }) : source.#rows()
    if (all instanceof Refused) return all
    const changes = live.tape.since(mark, q.key)
    for (const r of all) source.#known.set(r.number, source.#stamp(r))
    const first = changes ? source.#missed(changes, from) : source.#everything(all, from)
    const held = source.#held ?? []
    source.#held = undefined
    for (const h of held) source.#apply(h.n, h.before, h.after)
    if (source.#looked) source.look()
    return { first }
  }

  get mark(): string { return this.#live.tape.mark(this.#q.key) }

  commit({ n, before, after }: Commit): void {
    if (this.#held) this.#held.push({ n, before, after })
    else this.#apply(n, before, after)
  }

  look(): void {
    const seen = this.#o.operators.has(this.#who) ? sight(this.#o, this.#who, this.#q.wanted) : undefined
    if (!seen || seen instanceof Refused) { this.#feed.end('forbidden'); return }
    this.#sight = seen
    if (this.#held) { this.#looked = true; return }
    if (isPast(this.#q.wanted.list)) this.#o.later(async () => { const all = await rows(this.#o, this.#who, this.#q.wanted); if (!(all instanceof Refused)) this.#again(all) })
    else this.#again(this.#rows())
  }

  /** Colours change with time alone. A long list is left to the reader, who has the times. */
  tick(): void {
    if (!this.#held && !isPast(this.#q.wanted.list) && this.#known.size <= COLOURED) this.#again(this.#rows())
  }

  #rows(): readonly Row[] { return [...this.#live.states].sort(([a], [b]) => a - b).flatMap(([n, s]) => this.#sight.row(n, s) ?? []) }

  #again(all: readonly Row[]): void {
    const { mark } = this
    const left = new Set(this.#known.keys())
    for (const r of all) {
      left.delete(r.number)
      if (this.#known.get(r.number) !== this.#stamp(r)) this.#tell(r, mark)
    }
    for (const n of left) this.#gone(n, mark)
  }

  #apply(n: number, before: State, after: State): void {
    const { mark } = this
    const now = this.#sight.row(n, after)
    if (!now) { if (this.#known.has(n)) this.#gone(n, mark); return }
    const old = this.#known.get(n)
    if (old !== undefined && old === this.#stamp(now) && !this.#differs(n, before, now)) return
    this.#tell(now, mark)
  }
  /** Also in what grows: an agent's line makes `idle` begin anew. */
  #differs(n: number, before: State, now: Row): boolean {
    const was = this.#sight.row(n, before)
    return was !== undefined && JSON.stringify(this.#shown(was)) !== JSON.stringify(this.#shown(now))
  }

  #tell(r: Row, mark: string): void {
    this.#known.set(r.number, this.#stamp(r))
    this.#feed.send('row', this.#shown(r), mark)
  }
  #gone(n: number, mark: string): void {
    this.#known.delete(n)
    this.#feed.send('gone', { number: n }, mark)
  }

  *#everything(all: readonly Row[], from: string): Generator<string> {
    yield written('reset', {})
    for (const r of all) yield written('row', this.#shown(r))
    yield written('ready', { total: all.length }, from)
  }
  /** One event for each conversation that looks another way than when the reader left. */
  #missed(changes: readonly Change[], from: string): string[] {
    const firstOf = new Map<number, { before: State; after: State }>()
    for (const c of changes) if (c.is === 'conversation') firstOf.set(c.n, { before: firstOf.get(c.n)?.before ?? c.before, after: c.after })
    const told = [...firstOf].flatMap(([n, { before, after }]) => {
      const [was, now] = [this.#sight.row(n, before), this.#sight.row(n, after)]
      if (!now) return was ? [written('gone', { number: n })] : []
      return was && JSON.stringify(this.#shown(was)) === JSON.stringify(this.#shown(now)) ? [] : [written('row', this.#shown(now))]
    })
    return [...told, written('ready', { total: this.#known.size }, from)]
  }

  /** The columns wanted, and always the number. */
  #shown(r: Row): Record<string, unknown> { return Object.fromEntries([...new Set<Column>(['number', ...this.#q.fields])].map(f => [f, f === 'started' ? time(r.started) : r[f]])) }
  #stamp(r: Row): string { return JSON.stringify(this.#shown({ ...r, ...Object.fromEntries(GROWING.map(k => [k, 0])) })) }
}
