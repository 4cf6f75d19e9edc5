// What happens at the desk, told to other programs: kept until it is told, in order within a conversation, signed (shell).
import type { Clock, DocumentStore, Jobs, Log } from '../../../server/api.ts'
import { Retries } from '../retries.ts'
import type { Fetcher } from './fetcher.ts'
import { SIGNATURE, signature } from './signature.ts'

export interface Hook {
  /** Letters, digits and `-`. */
  readonly id: string
  readonly url: string
  /** The newest first; two while one is being replaced. */
  readonly secrets: readonly string[]
  /** Types of happenings; `*` = all. */
  readonly types: readonly string[]
  readonly disabled?: boolean
}

/** Something that happened. `id` is the same whenever it is told, and unique on the desk. */
export interface Happening {
  readonly id: string
  readonly type: string
  /** ms since 1970. */
  readonly at: number
  readonly conversation?: number
  readonly data: Readonly<Record<string, unknown>>
}

interface Told { readonly seq: number; readonly hook: string; readonly happening: Happening; readonly attempts: number; readonly due: number }
interface Line { readonly told: Told[]; running: boolean }

const COLLECTION = 'desk-webhooks'
const PAGE = 200
const SECOND = 1000
/** Waits between attempts, in ms: for a day, then it is given up and the next one is told. */
const PAUSES = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800].map(s => s * SECOND)
const MOST = 10_000 // for one hook
const AT_ONCE = 4 // errands to one hook

export interface WebhooksOptions {
  readonly documents: DocumentStore
  readonly desk: string
  readonly clock: Clock
  readonly jobs: Jobs
  readonly log: Log
  readonly fetcher: Fetcher
  /** As they are set now. */
  readonly hooks: () => readonly Hook[]
}

export class Webhooks {
  readonly #o: WebhooksOptions
  /** By hook and conversation: what waits, in order; the first is told until it succeeds or is given up. */
  readonly #lines = new Map<string, Line>()
  readonly #count = new Map<string, number>()
  readonly #busy = new Map<string, number>()
  readonly #running = new Set<Promise<void>>()
  /** Lines whose first is to be told later. */
  readonly #retries: Retries
  #seq = 0
  #closed = false

  private constructor(o: WebhooksOptions) {
    this.#o = o
    this.#retries = new Retries(o, 'webhooks', names => { for (const name of names) this.#step(name); return this.idle() })
  }

  /** Goes on with what an earlier run left. */
  static async open(o: WebhooksOptions): Promise<Webhooks> {
    const all = new Webhooks(o)
    for (let after: string | undefined; ;) {
      const page = await o.documents.range<Told>(COLLECTION, o.desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { value } of page) {
        all.#seq = Math.max(all.#seq, value.seq)
        all.#counted(value.hook, 1)
        all.#add(value)
      }
      after = page.at(-1)?.id
      if (page.length < PAGE) break
    }
    for (const key of all.#lines.keys()) all.#step(key)
    return all
  }

  /** Resolves when it is safe in the store for every hook that wants it. `full`: a hook has too much waiting, and does not hear of it. */
  async tell(happening: Happening): Promise<'ok' | 'full'> {
    let result: 'ok' | 'full' = 'ok'
    const puts: Promise<void>[] = []
    for (const hook of this.#o.hooks()) {
      if (hook.disabled === true || !(hook.types.includes('*') || hook.types.includes(happening.type))) continue
      if ((this.#count.get(hook.id) ?? 0) >= MOST) {
        this.#o.log.warn({ hook: hook.id, type: happening.type }, 'webhook: too much waits for it; this is not told')
        result = 'full'
        continue
      }
      const told: Told = { seq: ++this.#seq, hook: hook.id, happening, attempts: 0, due: this.#o.clock.now() }
      this.#counted(hook.id, 1)
      puts.push(this.#o.documents.put(COLLECTION, this.#o.desk, key(told), told).then(() => { this.#step(this.#add(told)) }, (error: unknown) => {
        this.#counted(hook.id, -1)
        throw error
      }))
    }
    await Promise.all(puts)
    return result
  }

  /** Happenings that wait to be told. */
  get size(): number { return [...this.#count.values()].reduce((a, b) => a + b, 0) }

  /** Erases what waits to be told of a conversation; gives how many went. */
  async forget(conversation: number): Promise<number> {
    let gone = 0
    for (const [name, line] of this.#lines) {
      for (const t of line.told.filter(x => x.happening.conversation === conversation)) {
        await this.#drop(name, t)
        gone++
      }
    }
    return gone
  }

  /** Resolves when no errand is under way. */
  async idle(): Promise<void> { while (this.#running.size > 0) await Promise.all(this.#running) }

  /** Waits for the errands under way; the rest stays in the store for the next start. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#retries.close()
    await this.idle()
  }

  #add(told: Told): string {
    const name = `${told.hook}/${told.happening.conversation ?? ''}`
    const line = this.#lines.get(name) ?? { told: [], running: false }
    this.#lines.set(name, line)
    const at = line.told.findLastIndex(t => t.seq < told.seq) + 1
    line.told.splice(at, 0, told)
    return name
  }

  #counted(hook: string, by: 1 | -1): void { this.#count.set(hook, (this.#count.get(hook) ?? 0) + by) }

  /** Tells the first of a line if its time has come and nothing keeps it back. */
  #step(name: string): void {
    const line = this.#lines.get(name)
    const first = line?.told[0]
    if (!line || !first || line.running || this.#closed) return
    this.#retries.cancel(name)
    if (first.due > this.#o.clock.now()) { this.#retries.at(name, first.due); return }
    const busy = this.#busy.get(first.hook) ?? 0
    if (busy >= AT_ONCE) return // the next that ends looks round
    line.running = true
    this.#busy.set(first.hook, busy + 1)
    const run = this.#tell(name, first).catch((err: unknown) => this.#o.log.error({ err, hook: first.hook }, 'webhook: the store failed')).finally(() => {
      this.#running.delete(run)
      line.running = false
      this.#busy.set(first.hook, (this.#busy.get(first.hook) ?? 1) - 1)
      for (const [other, l] of this.#lines) {
        if ((this.#busy.get(first.hook) ?? 0) >= AT_ONCE) break
        if (!l.running && !this.#retries.has(other) && other.startsWith(`${first.hook}/`)) this.#step(other)
      }
    })
    this.#running.add(run)
  }

  async #tell(name: string, t: Told): Promise<void> {
    const { clock, log, fetcher, hooks, documents, desk } = this.#o
    const hook = hooks().find(h => h.id === t.hook)
    if (!hook || hook.disabled === true) return this.#drop(name, t)
    const { id, type, at, conversation, data } = t.happening
    const body = JSON.stringify({ id, type, at: new Date(at).toISOString(), ...(conversation === undefined ? {} : { conversation }), data })
    const got = await fetcher.fetch({
      method: 'POST', url: hook.url, body,
      headers: { 'Content-Type': 'application/json', [SIGNATURE]: signature(hook.secrets, clock.now(), body), 'Deskbell-Delivery': `${hook.id}.${id}`, 'Deskbell-Attempt': String(t.attempts + 1) },
    })
    if (got.is === 'answer' && got.status >= 200 && got.status < 300) return this.#drop(name, t)
    const why = got.is === 'answer' ? `it answered ${got.status}` : got.why
    const pause = PAUSES[t.attempts]
    if (pause === undefined) {
      log.warn({ hook: hook.id, id, why, attempts: t.attempts + 1 }, 'webhook: given up')
      return this.#drop(name, t)
    }
    log.info({ hook: hook.id, id, why, attempts: t.attempts + 1 }, 'webhook: not told, tried again later')
    const line = this.#lines.get(name)
    if (line?.told[0] !== t) return // forgotten meanwhile
    const next = { ...t, attempts: t.attempts + 1, due: clock.now() + pause }
    line.told[0] = next
    await documents.put(COLLECTION, desk, key(t), next)
  }

  async #drop(name: string, t: Told): Promise<void> {
    const line = this.#lines.get(name)
    const at = line?.told.findIndex(x => x.seq === t.seq) ?? -1
    if (line && at >= 0) {
      line.told.splice(at, 1)
      this.#counted(t.hook, -1)
      if (line.told.length === 0) { this.#retries.cancel(name); this.#lines.delete(name) }
    }
    await this.#o.documents.remove(COLLECTION, this.#o.desk, key(t))
  }
}

const key = (t: Told): string => String(t.seq).padStart(14, '0')
