// Makes conversations findable: live ones soon after each change, closed ones for good; what a crash left out is caught up (shell).
import type { SearchDocument } from '../../../server/api.ts'
import type { Commit } from '../book.ts'
import type { Customer } from '../customers.ts'
import type { Present } from '../facts.ts'
import type { Ground, View } from '../ground.ts'
import type { Line } from '../lines.ts'
import { pendingOffers } from '../states.ts'
import { localOf } from '../words.ts'

/** What stands with a conversation besides its lines. */
export interface Beside { readonly subject?: string; readonly labels?: readonly string[]; /** only agents read them */ readonly notes?: readonly string[]; readonly fields?: Readonly<Record<string, string>> }

type Under = Pick<Ground, 'book' | 'customers' | 'lines' | 'summaries' | 'link' | 'domain' | 'now' | 'later'>
const PENDING = 'desk-unindexed'
const SOON = 2_000 // ms from a line to where it can be found
const PAGE = 500
const MOST = 200_000 // characters of one section that can be found

export class Catalogue implements View {
  readonly #o: Under
  readonly #space: string
  /** Conversations that have changed since they were written down. */
  readonly #stale = new Set<number>()
  readonly #pending = new Set<number>()
  #alarm: Disposable | undefined
  #turn: Promise<void> = Promise.resolve()
  /** What others keep of a conversation. */
  beside: (n: number) => Promise<Beside> = async () => ({})
  constructor(ground: Under) { this.#o = ground; this.#space = `${ground.domain}/conversations` }

  get space(): string { return this.#space }

  /** Catches up with what an earlier run left. */
  async open(): Promise<void> {
    const { documents } = this.#o.link.stores
    for (let after: string | undefined; ;) {
      const page = await documents.range<number>(PENDING, this.#o.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { value } of page) { this.#pending.add(value); this.#stale.add(value) }
      after = page.at(-1)?.id
      if (page.length < PAGE) break
    }
    for (const n of this.#o.book.states.keys()) this.#stale.add(n)
    if (this.#stale.size > 0) this.#o.later(() => this.flush())
  }
  stop(): void { this.#alarm?.[Symbol.dispose]() }

  async onCommit({ n, after, events }: Commit): Promise<void> {
    if (after.is === 'absent') return
    this.#stale.add(n)
    if (!this.#pending.has(n)) {
      this.#pending.add(n)
      await this.#o.link.stores.documents.put(PENDING, this.#o.domain, key(n), n)
    }
    if (events.some(e => e.event.type !== 'said')) this.#o.later(() => this.flush())
    else this.#alarm ??= this.#o.link.clock.alarm(this.#o.now + SOON, () => this.flush())
  }

  /** Something that stands beside the conversation has changed. */
  touch(n: number): void {
    this.#stale.add(n)
    this.#o.later(() => this.flush())
  }

  /** Writes down all that has changed; resolves when it can be found. */
  flush(): Promise<void> {
    this.#alarm?.[Symbol.dispose]()
    this.#alarm = undefined
    const work = async (): Promise<void> => { for (const n of [...this.#stale]) { this.#stale.delete(n); await this.write(n) } }
    this.#turn = this.#turn.then(work, work)
    return this.#turn
  }

  /** Writes one conversation down as it is now. */
  async write(n: number): Promise<void> {
    const { book, customers, link } = this.#o
    const s = await book.state(n)
    if (s.is === 'absent') return
    const customer = await customers.byId(s.customer)
    await this.#o.summaries.note(n, s, customer?.name ?? '')
    if (s.purged !== undefined) await link.stores.search.remove(this.#space, key(n))
    else await link.stores.search.put(this.#space, documentOf(n, s, customer, await this.#o.lines.all(n, s.lines), await this.beside(n)))
    if (s.is !== 'closed' || this.#stale.has(n)) return
    this.#pending.delete(n)
    await link.stores.documents.remove(PENDING, this.#o.domain, key(n))
  }
}

/** The conversation as it can be found. Internal chats of two are nobody else's to find. */
export function documentOf(n: number, s: Present, customer: Customer | undefined, lines: readonly Line[], beside: Beside): SearchDocument {
  const words = (all: readonly (string | undefined)[]): string => all.filter(w => w !== undefined && w !== '').join('\n').slice(0, MOST)
  const said = lines.filter(l => l.chat === undefined && l.by !== 'desk' && l.as !== 'command')
  const { subject, labels = [], notes = [], fields = {} } = beside
  return {
    id: key(n), at: s.opened,
    text: {
      heading: words([subject, ...labels]), names: words([customer?.name, customer && localOf(customer.jid), customer?.email]),
      notes: words([...said.filter(l => l.as !== 'public').map(l => l.body), ...notes, ...Object.values(fields)]), body: words(said.filter(l => l.as === 'public').map(l => l.body)),
    },
    marks: {
      number: n, queue: s.queue, status: s.is, customer: s.customer, deleted: s.deleted !== undefined, agents: s.owners, labels,
      crew: Object.entries(s.crew).flatMap(([jid, role]) => role === 'invited' ? [] : [jid]), asked: pendingOffers(s).map(p => p.to),
      ...(customer ? { username: [customer.jid, localOf(customer.jid)] } : {}), ...(customer?.email === undefined ? {} : { email: customer.email }),
      ...Object.fromEntries(Object.entries(fields).map(([k, v]) => [`field:${k}`, v])),
    },
  }
}
export const key = (n: number): string => String(n).padStart(10, '0')
