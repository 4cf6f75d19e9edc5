// Instant messages among agents: threads of two or more, kept, and tied to a chat or a ticket (ST-51, ST-83 to ST-88, OT-06 to OT-09; shell).
import type { DocumentStore } from '../../server/api.ts'
import type { Bare } from './facts.ts'

export interface Related { readonly kind: 'conversation' | 'ticket'; readonly number: number }
/** `asked`: not accepted yet; `out`: passed, and may come in later all the same. */
export type Standing = 'in' | 'asked' | 'out'
export interface Thread {
  readonly n: number
  readonly by: Bare
  readonly members: Readonly<Record<Bare, Standing>>
  readonly related?: Related
  readonly begun: number
  /** When something was said last, and by whom; ms since 1970. */
  readonly last: number
  readonly lastBy: Bare
  readonly lines: number
}
export interface ThreadLine { readonly seq: number; readonly at: number; readonly by: Bare; readonly name: string; readonly body: string; readonly id?: string }

const THREADS = 'desk-threads'
const LINES = 'desk-thread-lines'
const PAGE = 500
const MEMBERS = 50
const SHOWN = 20 // in a contact list
const FRESH = 7 * 86_400_000 // ms
/** What stands where a line was about somebody who was erased. */
export const ERASED = '(erased)'

export class Threads {
  readonly #documents: DocumentStore
  readonly #desk: string
  readonly #all = new Map<number, Thread>()
  #turn: Promise<unknown> = Promise.resolve()
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  async open(): Promise<void> {
    for (let after: string | undefined; ;) {
      const page = await this.#documents.range<Thread>(THREADS, this.#desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { value } of page) this.#all.set(value.n, value)
      after = page.at(-1)?.id
      if (page.length < PAGE) return
    }
  }

  /** Called when one has changed. */
  readonly onKept: ((t: Thread) => void)[] = []
  get(n: number): Thread | undefined { return this.#all.get(n) }
  all(): readonly Thread[] { return [...this.#all.values()] }
  /** Those of a member, the newest on top. */
  of(jid: Bare): Thread[] { return [...this.#all.values()].filter(t => t.members[jid] !== undefined).sort((a, b) => b.last - a.last || b.n - a.n) }
  /** Those that stand in his contact list. */
  shown(jid: Bare, now: number): Thread[] { return this.of(jid).filter(t => now - t.last < FRESH && t.members[jid] !== 'out').slice(0, SHOWN) }
  /** Who talks with colleagues about a chat may read it (ST-108). */
  reviews(jid: Bare, conversation: number): boolean {
    for (const t of this.#all.values()) if (t.members[jid] === 'in' && t.related?.kind === 'conversation' && t.related.number === conversation) return true
    return false
  }

  /** Begins a thread, or goes on with the one of the same people about the same. */
  begin(by: Bare, who: readonly Bare[], related: Related | undefined, now: number): Promise<Thread> {
    return this.#inTurn(async () => {
      const people = [...new Set([by, ...who])].sort().slice(0, MEMBERS)
      const same = [...this.#all.values()].find(t => Object.keys(t.members).sort().join('\n') === people.join('\n') && t.related?.kind === related?.kind && t.related?.number === related?.number)
      if (same) return this.#keep({ ...same, members: { ...same.members, [by]: 'in' } })
      const n = Math.max(0, ...this.#all.keys()) + 1
      return this.#keep({ n, by, members: Object.fromEntries(people.map(p => [p, p === by ? 'in' : 'asked'])), begun: now, last: now, lastBy: by, lines: 0, ...(related ? { related } : {}) })
    })
  }
  /** Adds a line; undefined: it came before with this id. */
  say(n: number, line: Omit<ThreadLine, 'seq'>): Promise<ThreadLine | undefined> {
    return this.#inTurn(async () => {
      const t = this.#all.get(n)
      if (!t) return undefined
      if (line.id !== undefined && (await this.lines(n, Math.max(0, t.lines - 20))).some(l => l.by === line.by && l.id === line.id && l.body === line.body)) return undefined
      const kept: ThreadLine = { ...line, seq: t.lines + 1 }
      await this.#documents.put(LINES, `${this.#desk}/im${n}`, key(kept.seq), kept)
      await this.#keep({ ...t, lines: kept.seq, last: line.at, lastBy: line.by })
      return kept
    })
  }
  stand(n: number, jid: Bare, as: Standing): Promise<boolean> {
    return this.#inTurn(async () => {
      const t = this.#all.get(n)
      if (!t || t.members[jid] === undefined || t.members[jid] === as) return false
      await this.#keep({ ...t, members: { ...t.members, [jid]: as } })
      return true
    })
  }
  async lines(n: number, after = 0, limit = PAGE): Promise<ThreadLine[]> {
    const most = this.#all.get(n)?.lines ?? 0
    return (await this.#documents.range<ThreadLine>(LINES, `${this.#desk}/im${n}`, { after: key(after), limit })).map(d => d.value).filter(l => l.seq <= most)
  }

  /** All its lines. */
  async everything(n: number): Promise<ThreadLine[]> {
    const all: ThreadLine[] = []
    for (;;) {
      const page = await this.lines(n, all.at(-1)?.seq ?? 0)
      all.push(...page)
      if (page.length < PAGE) return all
    }
  }
  /** Takes the words out of a line. */
  blank(n: number, l: ThreadLine): Promise<unknown> { return this.#inTurn(() => this.#documents.put(LINES, `${this.#desk}/im${n}`, key(l.seq), { ...l, body: ERASED })) }

  async #keep(t: Thread): Promise<Thread> {
    await this.#documents.put(THREADS, this.#desk, key(t.n), t)
    this.#all.set(t.n, t)
    for (const f of this.onKept) f(t)
    return t
  }
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}
const key = (n: number): string => String(n).padStart(10, '0')
export const relatedText = (r: Related | undefined): string => r === undefined ? '' : r.kind === 'ticket' ? `Related ticket ${r.number}` : `Related #${r.number}`
