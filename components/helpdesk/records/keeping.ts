// How long records stay: deleted ones for a while, closed ones as the settings say; then their words go for good (shell).
import type { Event, Who } from '../facts.ts'
import { Refused } from '../facts.ts'
import type { Held } from '../files/storage.ts'
import type { Ground } from '../ground.ts'
import type { Teller } from '../webhooks/teller.ts'
import type { Catalogue } from './catalogue.ts'

type Under = Pick<Ground, 'storage' | 'book' | 'customers' | 'lines' | 'dossiers' | 'summaries' | 'rules' | 'link' | 'now' | 'later'>
/** What else knows of a conversation. */
interface With { readonly catalogue: Pick<Catalogue, 'flush'>; readonly hooks: Pick<Teller, 'forget'> | undefined }

const DAY = 86_400_000
const PAGE = 200

/** What was removed, by kind. */
export interface Removed { readonly files: number; readonly lines: number; readonly dossiers: number; readonly hooks: number }

export class Keeping {
  readonly #o: Under
  readonly #with: With
  #stopped = false
  /** What else is done once a day; to do it twice is to do it once. */
  readonly daily: (() => Promise<unknown>)[] = []
  constructor(ground: Under, beside: With) { this.#o = ground; this.#with = beside }

  /** Looks every day, and at the moment at which the next deleted one has to go. */
  async open(): Promise<void> {
    const { jobs } = this.#o.link
    jobs.define('retention', async () => {
      await this.sweep()
      for (const work of this.daily) if (!this.#stopped) await work()
    })
    jobs.define('purge', async () => { await this.#purgeDue(); await this.#wind() })
    await jobs.every('retention', DAY)
  }
  stop(): void { this.#stopped = true }

  /** Puts a closed conversation out of every list; it can be found among the deleted ones until it is purged. */
  async delete(n: number, by: Who): Promise<readonly Event[] | Refused> {
    const outcome = await this.#o.book.give(n, { do: 'delete', by })
    if (outcome instanceof Refused || outcome.length === 0) return outcome
    await this.#with.catalogue.flush()
    this.#o.later(() => this.#wind())
    return outcome
  }

  /** Purges what is due (ST-76), and lets go of what was kept long enough; gives how many conversations went. */
  async sweep(): Promise<number> {
    let gone = await this.#purgeDue()
    for (let after: number | undefined; ;) {
      const page = await this.#o.summaries.oldest({ after, limit: PAGE })
      for (const s of page) {
        if (this.#stopped) return gone
        const keep = this.#keeps(s.queue)
        if (keep === Infinity || s.closed === undefined || s.closed + keep > this.#o.now) continue
        await this.#o.book.give(s.number, { do: 'delete', by: 'desk' })
        await this.purge(s.number)
        gone++
      }
      after = page.at(-1)?.number
      if (page.length < PAGE) return gone
    }
  }

  async #purgeDue(): Promise<number> {
    let gone = 0
    for (const d of await this.#deleted()) if (!this.#stopped && d.deleted + this.#purgeAfter <= this.#o.now) { await this.purge(d.number); gone++ }
    return gone
  }

  /** The words of a deleted conversation go for good: lines, notes, index, what waits to be told of it. Its log knows no words. */
  async purge(n: number): Promise<Removed> {
    const removed = await this.wipe(n)
    await this.#o.book.give(n, { do: 'purge' }) // a crash before this wipes again
    await this.#with.catalogue.flush()
    return removed
  }

  async wipe(n: number): Promise<Removed> {
    const files = await this.#o.storage?.remove(await this.#files(n)) ?? 0
    const lines = await this.#o.lines.wipe(n)
    const dossiers = await this.#o.dossiers.remove(n)
    return { files, lines, dossiers, hooks: await this.#with.hooks?.forget(n) ?? 0 }
  }

  /** Its files, each of who brought it: who names somebody else's file does not take it along. */
  async #files(n: number): Promise<Held[]> {
    const { storage, book, customers, lines, dossiers } = this.#o
    if (!storage) return []
    const s = await book.state(n)
    const customer = s.is === 'absent' ? undefined : (await customers.byId(s.customer))?.jid
    const said = (await lines.all(n, Number.MAX_SAFE_INTEGER)).flatMap(l => l.file === undefined ? [] : { url: l.body.trim(), by: l.by })
    const all = new Map([...said, ...(await dossiers.get(n)).files].map(f => [`${f.url} ${f.by}`, f]))
    return [...all.values()].flatMap(({ url, by }) => { const of = by === 'customer' ? customer : by; return of === undefined ? [] : { url, of } })
  }

  get #purgeAfter(): number { return this.#o.rules.now.retention.purgeAfter * DAY }
  #keeps(queue: string): number {
    const days = this.#o.rules.now.queues[queue]?.keep || this.#o.rules.now.retention.conversations
    return days === 0 ? Infinity : days * DAY
  }
  async #deleted(): Promise<{ readonly number: number; readonly deleted: number }[]> {
    const all: { number: number; deleted: number }[] = []
    for (let after: number | undefined; ;) {
      const page = await this.#o.summaries.deleted({ after, limit: PAGE })
      for (const s of page) if (s.deleted !== undefined) all.push({ number: s.number, deleted: s.deleted })
      after = page.at(-1)?.number
      if (page.length < PAGE) return all
    }
  }

  /** Sets when the next deleted one goes. */
  async #wind(): Promise<void> {
    const next = Math.min(...(await this.#deleted()).map(d => Math.max(this.#o.now + 1, d.deleted + this.#purgeAfter)))
    if (next === Infinity) await this.#o.link.jobs.cancel('purge')
    else await this.#o.link.jobs.once('purge', '', next)
  }
}
