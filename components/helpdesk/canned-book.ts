// The canned replies of a desk: kept one by one, all at hand (shell).
import { randomBytes } from 'node:crypto'
import type { DocumentStore } from '../../server/api.ts'
import { cannedFor, cannedList, readCanned, type Canned } from './canned.ts'
import { commandNamed } from './commands.ts'
import type { Bare } from './facts.ts'

export type KeptCanned = Canned & { readonly id: string }
const COLLECTION = 'desk-canned'
const PAGE = 500
const MOST = 10_000

export class CannedBook {
  readonly #documents: DocumentStore
  readonly #desk: string
  readonly #all = new Map<string, KeptCanned>()
  private constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  static async open(documents: DocumentStore, desk: string): Promise<CannedBook> {
    const book = new CannedBook(documents, desk)
    await book.reread()
    return book
  }

  /** Looks again at the store: somebody else has changed them. */
  async reread(): Promise<void> {
    const all: KeptCanned[] = []
    for (let after: string | undefined; ;) {
      const page = await this.#documents.range<Canned>(COLLECTION, this.#desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      all.push(...page.map(p => ({ ...p.value, id: p.id })))
      after = page.at(-1)?.id
      if (page.length < PAGE) break
    }
    this.#all.clear()
    for (const c of all) this.#all.set(c.id, c)
  }

  get(id: string): KeptCanned | undefined { return this.#all.get(id) }
  /** Everybody's and the operator's own, by group and short-cut. */
  list(who: Bare | undefined, terms = ''): readonly KeptCanned[] { return cannedList([...this.#all.values()].filter(c => c.owner === undefined || c.owner === who), terms) as readonly KeptCanned[] } // the list gives back what it was given
  /** What an operator has in a conversation of this queue, by short-cut. */
  for(who: Bare, queue: string | undefined): ReadonlyMap<string, Canned> { return cannedFor([...this.#all.values()], { operator: who, queue }) }

  /** Keeps a new one, or another text for the one of this id. A short-cut stands once among those for the same people. */
  async put(given: Canned, id = randomBytes(6).toString('hex')): Promise<KeptCanned | { readonly wrong: string }> {
    const read = readCanned(given, word => commandNamed(word) !== undefined)
    if ('wrong' in read) return read
    if (!this.#all.has(id) && this.#all.size >= MOST) return { wrong: `There are ${MOST} already.` }
    const clash = [...this.#all.values()].find(c => c.id !== id && c.shortcut === read.shortcut && c.owner === read.owner && [...c.queues ?? []].sort().join('\n') === [...read.queues ?? []].sort().join('\n'))
    if (clash) return { wrong: `shortcut: ${read.shortcut} is taken by “${clash.title}”` }
    const kept = { ...read, id }
    this.#all.set(id, kept)
    await this.#documents.put(COLLECTION, this.#desk, id, read)
    return kept
  }
  async remove(id: string): Promise<boolean> {
    this.#all.delete(id)
    return await this.#documents.remove(COLLECTION, this.#desk, id) === 'ok'
  }
}
