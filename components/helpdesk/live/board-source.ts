// The board of agents as it changes: state, chats, groups (shell).
import type { Bare } from '../facts.ts'
import type { Office } from '../office.ts'
import { People } from '../people.ts'
import { written, type Feed } from './feed.ts'
import type { Source } from './live.ts'
import type { Tape } from './tape.ts'

export class BoardSource implements Source {
  readonly #o: Office
  readonly #people: People
  readonly #tape: Tape
  readonly #who: Bare
  readonly #queue: string | null
  readonly #key: string
  readonly #feed: Feed
  readonly #known = new Map<Bare, string>()

  constructor(o: Office, tape: Tape, who: Bare, queue: string | null, key: string, feed: Feed) {
    this.#o = o
    this.#people = new People(o)
    this.#tape = tape
    this.#who = who
    this.#queue = queue
    this.#key = key
    this.#feed = feed
  }

  get mark(): string { return this.#tape.mark(this.#key) }

  /** Everything, or what has changed since `mark`. */
  first(mark: string | undefined): readonly string[] {
    const changes = this.#tape.since(mark, this.#key)
    const all = this.#all()
    for (const jid of all) this.#known.set(jid, JSON.stringify(this.#people.row(jid)))
    const wanted = changes ? new Set(changes.flatMap(c => c.is === 'agent' ? [c.jid] : [])) : undefined
    return [...(wanted ? [] : [written('reset', {})]), ...all.filter(j => wanted?.has(j) ?? true).map(j => written('agent', this.#people.row(j))), written('ready', { total: all.length }, this.mark)]
  }

  agent(jid: Bare): void {
    if (!this.#known.has(jid)) return // who comes and goes is seen by `look`
    const row = this.#people.row(jid)
    const text = JSON.stringify(row)
    if (this.#known.get(jid) === text) return
    this.#known.set(jid, text)
    this.#feed.send('agent', row, this.mark)
  }

  look(): void {
    if (!this.#o.operators.has(this.#who)) { this.#feed.end('forbidden'); return }
    const now = new Set(this.#all())
    for (const jid of [...this.#known.keys()]) if (!now.has(jid)) { this.#known.delete(jid); this.#feed.send('gone', { jid }, this.mark) }
    for (const jid of now) { if (!this.#known.has(jid)) this.#known.set(jid, ''); this.agent(jid) }
  }

  #all(): Bare[] { return (this.#queue === null ? this.#o.operators.all().map(p => p.jid) : [...this.#o.operators.of(this.#queue)]).sort() }
}
