// What is known already: articles of the desk with full-text search, and other places where answers stand (ST-02, ST-05, ST-49) (shell).
import { randomUUID } from 'node:crypto'
import type { Clock, DocumentStore, SearchStore } from '../../../server/api.ts'
import type { Bare } from '../facts.ts'

/** Something that may answer a question. */
export interface Found { readonly title: string; readonly text: string; readonly url?: string }
/** Where answers stand: the desk's own articles, or a system of the admin's. */
export interface KnowledgeSource {
  /** The best first; `open`: only what customers may read. Never rejects. */
  suggest(question: string, o: { readonly queue?: string | undefined; readonly open: boolean; readonly limit: number }): Promise<readonly Found[]>
  /** Whether customers may be shown anything of it. */
  readonly forCustomers: boolean
}

export interface Article {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly url?: string
  /** For agents only. */
  readonly internal: boolean
  /** Those it is about; empty: all. */
  readonly queues: readonly string[]
  readonly at: number
  readonly by: Bare
}
export type Given = Omit<Article, 'id' | 'at' | 'by'>

const COLLECTION = 'desk-articles'
const PAGE = 500
const WORDS = 10 // of a question
const HITS = 20 // looked at for each word
/** Of all articles. */
export const MOST = 5000

export class Articles implements KnowledgeSource {
  readonly #documents: DocumentStore
  readonly #search: SearchStore
  readonly #desk: string
  readonly #clock: Clock
  readonly #all = new Map<string, Article>()
  constructor(stores: { readonly documents: DocumentStore; readonly search: SearchStore }, desk: string, clock: Clock) {
    this.#documents = stores.documents
    this.#search = stores.search
    this.#desk = desk
    this.#clock = clock
  }

  async open(): Promise<void> {
    for (let after: string | undefined; ;) {
      const page = await this.#documents.range<Article>(COLLECTION, this.#desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) this.#all.set(id, value)
      after = page.at(-1)?.id
      if (page.length < PAGE) return
    }
  }

  get all(): readonly Article[] { return [...this.#all.values()].sort((a, b) => a.id < b.id ? -1 : 1) }
  /** Whether there is anything that customers may read. */
  get forCustomers(): boolean { for (const a of this.#all.values()) if (!a.internal) return true; return false }
  get(id: string): Article | undefined { return this.#all.get(id) }

  /** Keeps an article; `id`: in the place of that one. Resolves when it is durable and can be found. */
  async put(given: Given, by: Bare, id: string = randomUUID()): Promise<Article> {
    const article = { ...given, id, at: this.#clock.now(), by }
    await this.#documents.put(COLLECTION, this.#desk, id, article)
    await this.#search.put(this.#space, { id, at: article.at, text: { heading: article.title, body: article.text }, marks: { internal: article.internal } })
    this.#all.set(id, article)
    return article
  }
  async remove(id: string): Promise<boolean> {
    if (!this.#all.delete(id)) return false
    await this.#search.remove(this.#space, id)
    await this.#documents.remove(COLLECTION, this.#desk, id)
    return true
  }

  /** Articles in which all the words stand, the best first. */
  async find(words: string, limit: number): Promise<readonly Article[]> {
    const found = await this.#search.find(this.#space, { text: words, limit })
    return 'wrong' in found ? [] : found.hits.flatMap(h => this.#all.get(h.id) ?? [])
  }

  /** Articles in which most of the question's words stand. */
  async suggest(question: string, { queue, open, limit }: { readonly queue?: string | undefined; readonly open: boolean; readonly limit: number }): Promise<readonly Found[]> {
    if (this.#all.size === 0) return []
    const score = new Map<string, number>()
    for (const word of wordsOf(question)) {
      const found = await this.#search.find(this.#space, { text: word, limit: HITS, ...(open ? { where: { internal: false } } : {}) })
      if (!('wrong' in found)) for (const h of found.hits) score.set(h.id, (score.get(h.id) ?? 0) + 1 + h.weight / 1000)
    }
    return [...score].sort((a, b) => b[1] - a[1]).flatMap(([id]) => this.#all.get(id) ?? []).filter(a => !(open && a.internal) && (queue === undefined || a.queues.length === 0 || a.queues.includes(queue))).slice(0, limit)
  }

  get #space(): string { return `${this.#desk} articles` }
}

/** The desk's own articles, and whatever else was added. */
export class Knowledge {
  readonly articles: Articles
  readonly sources: readonly KnowledgeSource[]
  constructor(articles: Articles, ...others: readonly KnowledgeSource[]) { this.articles = articles; this.sources = [articles, ...others] }

  /** The best of each place, in turns; each address once. */
  async suggest(question: string, o: { readonly queue?: string | undefined; readonly open: boolean; readonly limit: number }): Promise<readonly Found[]> {
    const all = await Promise.all(this.sources.map(s => s.suggest(question, o)))
    const inTurns = Array.from({ length: Math.max(0, ...all.map(a => a.length)) }, (_, i) => all.flatMap(a => a[i] ?? [])).flat()
    return inTurns.filter((f, i) => f.url === undefined || inTurns.findIndex(x => x.url === f.url) === i).slice(0, o.limit)
  }
  /** Whether customers can be shown anything. */
  get suggests(): boolean { return this.sources.some(s => s.forCustomers) }
}

/** The words of a question that say what it is about: the longer ones, each once. */
export const wordsOf = (question: string): readonly string[] => [...new Set(question.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu) ?? [])].filter(w => !COMMON.has(w)).slice(0, WORDS)
const COMMON = new Set(['what', 'when', 'where', 'which', 'with', 'that', 'this', 'have', 'does', 'your', 'from', 'hello', 'please', 'cannot', 'could', 'would', 'about', 'there', 'want', 'need', 'help', 'they', 'will', 'been', 'then', 'some', 'just', 'into', 'know', 'like'])
