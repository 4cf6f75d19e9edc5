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

interface Kept { readonly form?: number; /** the form in which they are being written down, and up to which number */ readonly towards?: number; readonly done?: number | undefined }

type Under = Pick<Ground, 'book' | 'customers' | 'lines' | 'summaries' | 'link' | 'domain' | 'now' | 'later'>
const PENDING = 'desk-unindexed'
const KEPT = 'desk-index' // in which form they are written down
const FORM = 2 // with what lists are put in order by
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
  #stopped = false
  #again: Promise<void> = Promise.resolve()
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
    const before = (await documents.get<Kept>(KEPT, this.#o.domain, 'conversations'))?.value
    // Beside all else: nothing waits for it.
    if (before?.form !== FORM) this.#again = this.#anew(before).catch((error: unknown) => this.#o.link.log.error({ err: error }, 'conversations could not be written down again'))
  }
  stop(): Promise<void> {
    this.#stopped = true
    this.#alarm?.[Symbol.dispose]()
    return this.#again
  }

  /** Writes all down again that an older deskbell wrote down in another form; goes on where it was after a start. */
  async #anew(before: Kept | undefined): Promise<void> {
    const { documents } = this.#o.link.stores
    const note = (kept: Kept): Promise<unknown> => documents.put(KEPT, this.#o.domain, 'conversations', kept)
    for (let after = before?.towards === FORM ? before.done : undefined; ;) {
      const page = await this.#o.summaries.oldest({ after, limit: PAGE })
      for (const { number } of page) {
        if (this.#stopped) return
        if (!this.#pending.has(number)) await this.#inTurn(() => this.#write(number)) // what is pending is written anyway
      }
      after = page.at(-1)?.number
      if (page.length < PAGE) break
      await note({ towards: FORM, done: after })
    }
    for (let after: number | undefined; ;) {
      const page = await this.#o.summaries.deleted({ after, limit: PAGE })
      for (const { number } of page) {
        if (this.#stopped) return
        await this.#inTurn(() => this.#write(number))
      }
      after = page.at(-1)?.number
      if (page.length < PAGE) break
    }
    await note({ form: FORM })
  }

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
    return this.#inTurn(async () => { for (const n of [...this.#stale]) { this.#stale.delete(n); await this.#write(n) } })
  }
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work, work)
    return this.#turn
  }

  /** Writes one conversation down as it is now. */
  async #write(n: number): Promise<void> {
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
      number: n, queue: s.queue, status: s.is, customer: s.customer, deleted: s.deleted !== undefined, agents: s.owners, owner: s.owners.at(-1) ?? '', labels,
      crew: Object.entries(s.crew).flatMap(([jid, role]) => role === 'invited' ? [] : [jid]), asked: pendingOffers(s).map(p => p.to),
      ...(customer ? { username: [customer.jid, localOf(customer.jid)] } : {}), ...(customer?.email === undefined ? {} : { email: customer.email }),
      ...Object.fromEntries(Object.entries(fields).map(([k, v]) => [`field:${k}`, v])),
    },
    ...(s.is === 'closed' ? { order: orderOf(n, s, customer?.name ?? '') } : {}),
  }
}

/** What lists of what is over are put in order by; the same seconds that they show. */
const orderOf = (n: number, s: Present & { readonly is: 'closed' }, user: string): Readonly<Record<string, number | string>> => ({
  number: n, user: sortable(user), queue: s.queue, agent: s.owners.at(-1) ?? '', started: s.opened, queueTime: seconds(s.waited ?? 0), idle: seconds(s.at - (s.clocks.idle ?? s.opened)),
  duration: seconds(s.at - s.opened), messages: s.messages, followUp: Number(s.followUp !== undefined),
})
const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000))
/** A text as it stands in an order: without accents, in small letters. */
export const sortable = (text: string): string => text.normalize('NFKD').replace(/[\u0300-\u036F]/g, '').toLowerCase()
export const key = (n: number): string => String(n).padStart(10, '0')
