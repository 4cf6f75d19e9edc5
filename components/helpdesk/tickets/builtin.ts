// Tickets in deskbell's own store: a numbered record, and a document for each article (shell).
import type { DocumentStore } from '../../../server/api.ts'
import type { Article, SplitOff, Ticket, Tickets } from './port.ts'

/** `seq`: its place among all articles of the desk, in the order of their arrival; older ones have none. */
type Kept = Article & { readonly seq?: number }
type Head = Omit<Ticket, 'articles'> & { /** where its articles have gone */ readonly merged?: number }
const HEADS = 'desk-tickets'
const ARTICLES = 'desk-ticket-articles'
const KEYS = 'desk-ticket-keys'
const OF = 'desk-ticket-conversations' // which tickets hold articles of a conversation
const COUNTERS = 'desk-counters'
const MERGES = 'desk-ticket-merges' // begun: which into which
const SPLITS = 'desk-ticket-splits' // begun: which articles of which ticket go into a new one
const MOVED = 'desk-ticket-moved' // where an article was split off to, by its key
const PAGE = 500
const ERASED = 'Erased' // in the place of a subject, a customer

interface Begun { readonly from: number; readonly articles: readonly string[]; readonly head: Head }

export class BuiltinTickets implements Tickets {
  readonly #documents: DocumentStore
  readonly #desk: string
  /** Merges, splits and erasures go one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  // The number is bound to the key first, so that a call that comes again after a crash goes on where the first one fell.
  async open(ticket: Pick<Ticket, 'subject' | 'queue' | 'customer' | 'email'>, article: Article): Promise<number> {
    const known = await this.#documents.get<number>(KEYS, this.#desk, article.key)
    let number = known?.value
    if (number === undefined) {
      number = await this.#next()
      if (await this.#documents.put(KEYS, this.#desk, article.key, number, 0) === 'conflict') return this.open(ticket, article)
    }
    const head: Head = { number, subject: ticket.subject, queue: ticket.queue, customer: ticket.customer, opened: article.at }
    await this.#documents.put(HEADS, this.#desk, id(number), head, 0) // a conflict says that it is there
    await this.#add(number, article)
    return number
  }

  /** Keeps what another system numbered. */
  async keep(number: number, ticket: Pick<Ticket, 'subject' | 'queue' | 'customer'>, article: Article): Promise<void> {
    await this.#documents.put<Head>(HEADS, this.#desk, id(number), { number, subject: ticket.subject, queue: ticket.queue, customer: ticket.customer, opened: article.at }, 0) // a conflict says that it is there
    await this.#add(number, article)
  }

  async append(number: number, article: Article): Promise<'ok' | 'missing'> {
    if (!await this.#documents.get(HEADS, this.#desk, id(number))) return 'missing'
    await this.#add(number, article)
    return 'ok'
  }

  async get(number: number): Promise<Ticket | undefined> {
    const head = await this.#documents.get<Head>(HEADS, this.#desk, id(number))
    if (!head) return undefined
    const { merged: _, ...shown } = head.value
    const inOrder = (await this.#articles(number)).sort((a, b) => a.at - b.at || (a.seq ?? 0) - (b.seq ?? 0))
    return { ...shown, version: head.version, articles: inOrder.map(a => { const { seq: _, ...article } = a; return article }) }
  }
  async #articles(number: number): Promise<Kept[]> {
    const articles: Kept[] = []
    for (let after = ''; ;) {
      const page = await this.#documents.range<Kept>(ARTICLES, this.#owner(number), { limit: PAGE, ...(after ? { after } : {}) })
      articles.push(...page.map(p => p.value))
      const last = page.at(-1)
      if (page.length < PAGE || !last) return articles
      after = last.id
    }
  }

  async list(page: { before?: number | undefined; limit: number }): Promise<Omit<Ticket, 'articles'>[]> {
    const found = await this.#documents.range<Head>(HEADS, this.#desk, { limit: page.limit, reverse: true, ...(page.before === undefined ? {} : { before: id(page.before) }) })
    return found.map(f => ({ ...f.value, merged: undefined }))
  }

  async change(number: number, news: { readonly subject?: string; readonly status?: string }, expected?: number): Promise<number | 'missing' | 'conflict'> {
    const head = await this.#documents.get<Head>(HEADS, this.#desk, id(number))
    if (!head) return 'missing'
    if (expected !== undefined && expected !== head.version) return 'conflict'
    const put = await this.#documents.put<Head>(HEADS, this.#desk, id(number), { ...head.value, ...news }, head.version)
    return put === 'conflict' && expected === undefined ? this.change(number, news) : put
  }

  // The head says first where its articles go: what is added meanwhile finds them there, or follows them.
  merge(number: number, into: number): Promise<'ok' | 'missing'> {
    const turn = this.#inTurn(async () => {
      const head = await this.#documents.get<Head>(HEADS, this.#desk, id(number))
      const to = await this.#standing(into)
      if (!head || to === undefined || to === number) return 'missing'
      if (head.value.merged === undefined) {
        await this.#documents.put(MERGES, this.#desk, id(number), to)
        if (await this.#documents.put<Head>(HEADS, this.#desk, id(number), { ...head.value, merged: to, status: `merged into ${to}` }, head.version) === 'conflict') return 'again'
      }
      await this.#follow(number, head.value.merged ?? to)
      return 'ok'
    })
    return turn.then(outcome => outcome === 'again' ? this.merge(number, into) : outcome)
  }

  // Each article says first where it goes: what is added meanwhile under its key follows it.
  split(number: number, off: SplitOff): Promise<number | 'missing' | 'unknown' | 'all'> {
    return this.#inTurn(async () => {
      const head = await this.#documents.get<Head>(HEADS, this.#desk, id(number))
      if (!head || head.value.merged !== undefined) return 'missing'
      const begun = (await this.#documents.get<number>(KEYS, this.#desk, off.key))?.value
      if (begun !== undefined && await this.#documents.get(HEADS, this.#desk, id(begun))) return begun
      const here = (await this.#articles(number)).map(a => a.key)
      if (off.articles.length === 0 || !off.articles.every(k => here.includes(k))) return 'unknown'
      if (here.every(k => off.articles.includes(k))) return 'all'
      const to = begun ?? await this.#next()
      if (begun === undefined && await this.#documents.put(KEYS, this.#desk, off.key, to, 0) === 'conflict') return 'missing' // another node was quicker
      const { queue, customer } = head.value
      const work: Begun = { from: number, articles: off.articles, head: { number: to, subject: off.subject, queue, customer, opened: off.at } }
      await this.#documents.put(SPLITS, this.#desk, id(to), work)
      await this.#part(work)
      return to
    })
  }

  async #part({ from, articles, head }: Begun): Promise<void> {
    await this.#documents.put<Head>(HEADS, this.#desk, id(head.number), head, 0) // a conflict says that it is there
    for (const key of articles) {
      await this.#documents.put(MOVED, this.#desk, key, head.number)
      const article = await this.#documents.get<Kept>(ARTICLES, this.#owner(from), key)
      if (article) await this.#move(article.value, from, head.number, true)
    }
    await this.#documents.remove(SPLITS, this.#desk, id(head.number))
  }

  resume(): Promise<void> { return this.#inTurn(() => this.#end()) }
  /** Ends merges and splits that were begun. */
  async #end(): Promise<void> {
    for (const { value } of await this.#documents.range<Begun>(SPLITS, this.#desk, { limit: PAGE })) await this.#part(value)
    for (const { id: from } of await this.#documents.range<number>(MERGES, this.#desk, { limit: PAGE })) {
      const to = (await this.#documents.get<Head>(HEADS, this.#desk, from))?.value.merged
      if (to === undefined) await this.#documents.remove(MERGES, this.#desk, from)
      else await this.#follow(Number(from), to)
    }
  }

  /** Brings every article of a merged ticket to where the others are. */
  async #follow(number: number, to: number): Promise<void> {
    for (const a of await this.#articles(number)) await this.#move(a, number, to, true)
    await this.#documents.remove(MERGES, this.#desk, id(number))
  }
  /** `kept`: as it was; what was written there meanwhile under its key is newer, and stays. */
  async #move(a: Kept, number: number, to: number, kept: boolean): Promise<void> {
    if (await this.#add(to, a, kept) !== number) await this.#documents.remove(ARTICLES, this.#owner(number), a.key)
  }

  /** The ticket that has the articles of this one now; undefined: there is none of this number. */
  async #standing(number: number): Promise<number | undefined> {
    const merged = await this.#documents.get<Head>(HEADS, this.#desk, id(number))
    return merged?.value.merged === undefined ? merged && number : this.#standing(merged.value.merged)
  }

  async of(conversation: number): Promise<Ticket[]> {
    const held = await this.#documents.range<number>(OF, this.#of(conversation), { limit: PAGE })
    return (await Promise.all(held.map(h => this.get(Number(h.id))))).filter(t => t !== undefined)
  }

  // In turn with merges and splits, and after those that a crash cut short: an article that is on its way to another ticket is missed in both, and what is noted of a split comes back with it.
  forget(conversation: number, names: (text: string) => boolean = () => false): Promise<number> {
    return this.#inTurn(async () => {
      await this.#end()
      let gone = 0
      for (const { id: ticket } of await this.#documents.range<number>(OF, this.#of(conversation), { limit: PAGE })) {
        const number = Number(ticket)
        const left = (await this.get(number))?.articles ?? []
        const isTheirs = (a: Article): boolean => a.conversation === conversation || (a.conversation === 0 && names(a.body))
        gone += await this.#take(number, left.filter(isTheirs))
        await this.#head(ticket, head => ({ ...head, ...(left.every(isTheirs) || names(head.subject) ? { subject: ERASED } : {}), customer: ERASED }))
        await this.#documents.remove(OF, this.#of(conversation), ticket)
      }
      return gone
    })
  }

  about(names: (text: string, about?: number) => boolean, remove: boolean): Promise<number> { return this.#inTurn(() => this.#about(names, remove)) }
  async #about(names: (text: string, about?: number) => boolean, remove: boolean): Promise<number> {
    if (remove) await this.#end()
    let found = 0
    for (let after: string | undefined; ;) {
      const page = await this.#documents.range<number>(OF, this.#of(0), { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id: ticket } of page) {
        const head = (await this.#documents.get<Head>(HEADS, this.#desk, ticket))?.value
        if (!head) continue
        const all = await this.#articles(head.number)
        const other = all.find(a => a.conversation !== 0)?.conversation
        const whole = other === undefined && names(head.customer)
        const own = all.filter(a => a.conversation === 0 && (whole || names(a.body, other)))
        const isHeaded = whole || (other === undefined && names(head.subject))
        found += own.length + (isHeaded ? 1 : 0)
        if (!remove) continue
        await this.#take(head.number, own)
        if (isHeaded) await this.#head(ticket, h => ({ ...h, subject: ERASED, ...(whole ? { customer: ERASED } : {}) }))
      }
      after = page.at(-1)?.id
      if (page.length < PAGE) return found
    }
  }
  /** Removes articles; gives how many went. */
  async #take(number: number, articles: readonly Article[]): Promise<number> {
    let gone = 0
    for (const a of articles) if (await this.#documents.remove(ARTICLES, this.#owner(number), a.key) === 'ok') gone++
    return gone
  }
  async #head(ticket: string, change: (h: Head) => Head): Promise<void> {
    for (;;) {
      const head = await this.#documents.get<Head>(HEADS, this.#desk, ticket)
      if (!head || await this.#documents.put<Head>(HEADS, this.#desk, ticket, change(head.value), head.version) !== 'conflict') return
    }
  }

  /** Gives the ticket in which it stands at last. */
  async #add(number: number, article: Kept, kept = false): Promise<number> {
    const to = await this.#place(number, article.key)
    await this.#documents.put(OF, this.#of(article.conversation), id(to), to)
    const numbered = kept ? article : { ...article, seq: await this.#seq(to, article) }
    await this.#documents.put(ARTICLES, this.#owner(to), article.key, numbered, ...(kept ? [0] : []))
    const now = await this.#place(number, article.key)
    if (now !== to) await this.#move(numbered, to, now, kept) // merged or split off meanwhile
    return now
  }
  /** What replaces an article stays in its place. */
  async #seq(number: number, { key, seq }: Kept): Promise<number> {
    return (await this.#documents.get<Kept>(ARTICLES, this.#owner(number), key))?.value.seq ?? seq ?? await this.#next('ticket-articles')
  }
  /** Where an article belongs that is meant for this ticket: where it was split off to, and where that one's articles are. */
  async #place(number: number, key: string): Promise<number> {
    const at = (await this.#documents.get<number>(MOVED, this.#desk, key))?.value ?? number
    return await this.#standing(at) ?? at
  }
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => {})
    return turn
  }
  #owner(number: number): string { return `${this.#desk}/${number}` }
  #of(conversation: number): string { return `${this.#desk}/c${conversation}` }

  async #next(what: 'tickets' | 'ticket-articles' = 'tickets'): Promise<number> {
    for (;;) {
      const last = await this.#documents.get<number>(COUNTERS, this.#desk, what)
      const number = (last?.value ?? 0) + 1
      if (await this.#documents.put(COUNTERS, this.#desk, what, number, last?.version ?? 0) !== 'conflict') return number
    }
  }
}
const id = (n: number): string => String(n).padStart(10, '0')
