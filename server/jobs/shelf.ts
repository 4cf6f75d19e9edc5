// Agenda's jobs in the embedded store: all in memory, each change written through. The file is ours alone, so is the shelf.
import { randomUUID } from 'node:crypto'
import { setImmediate as breathe } from 'node:timers/promises'
import type { JobId, JobParameters, JobRepository, JobsOverview, JobsQueryOptions, JobsResult, JobState, RemoveJobsOptions } from 'agenda'
import type { Clock } from '../ports/clock.ts'
import { wallClock } from '../ports/clock.ts'
import type { DocumentStore } from '../ports/store.ts'

/** A job as it is kept. Times in ms of the house's clock, which a test moves; agenda knows the machine's alone. */
export interface Kept {
  readonly id: string
  readonly name: string
  readonly type: 'normal' | 'single'
  readonly priority: number
  readonly data: unknown
  next: number | null
  locked?: number
  started?: number
  finished?: number
  failed?: number
  failures?: number
  why?: string
  every?: string | number
  /** Set anew while it runs: the end of the run must not overwrite when it is next. */
  anew?: true
  off?: true
}

const COLLECTION = 'jobs'
const PAGE = 200

export class Shelf implements JobRepository {
  readonly #documents: DocumentStore
  readonly #owner: string
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #kept = new Map<string, Kept>()
  #writes = 0

  constructor(documents: DocumentStore, owner: string, clock: Clock, changed: () => void) {
    this.#documents = documents
    this.#owner = owner
    this.#clock = clock
    this.#changed = changed
  }

  get all(): readonly Kept[] { return [...this.#kept.values()] }
  get(id: string): Kept | undefined { return this.#kept.get(id) }
  /** Whether what it says is in the store, too. */
  get isWritten(): boolean { return this.#writes === 0 }
  get now(): number { return this.#clock.now() }

  /** Loads what is kept. What ran when the last process ended runs again. */
  async connect(): Promise<void> {
    for (let after: string | undefined; ;) {
      const page = await this.#documents.range<Kept>(COLLECTION, this.#owner, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) {
        const { locked, ...job } = value
        this.#kept.set(id, locked === undefined ? job : { ...job, next: Math.min(job.next ?? this.now, this.now) })
      }
      after = page.at(-1)?.id
      if (page.length < PAGE) return
    }
  }

  /** The job of this kind, and of this key if there is one. */
  find(name: string, key?: string): Kept | undefined { return this.all.find(k => k.name === name && (key === undefined ? k.type === 'single' : k.type === 'normal' && keyOf(k) === key)) }

  /** Keeps a job, in place of `old` if there is one; a run under way goes on and leaves it be. */
  async keep(job: Pick<Kept, 'name' | 'type' | 'priority' | 'data' | 'next' | 'every'>, old?: Kept): Promise<Kept> {
    const kept: Kept = { ...job, id: old?.id ?? randomUUID(), ...(old?.locked === undefined ? {} : { locked: old.locked, anew: true, ...(old.started === undefined ? {} : { started: old.started }) }) }
    await this.#put(kept)
    return kept
  }

  async saveJob<D>(job: JobParameters<D>): Promise<JobParameters<D>> {
    const { name, type, priority, data, repeatInterval } = job
    const kept = await this.keep({ name, type, priority, data, next: this.#house(job.nextRunAt), ...(repeatInterval === undefined ? {} : { every: repeatInterval }) }, job._id === undefined ? undefined : this.get(job._id))
    return { ...job, ...this.#outside(kept) } as JobParameters<D> // the same data
  }

  async saveJobState(job: JobParameters): Promise<void> {
    const old = job._id === undefined ? undefined : this.#kept.get(job._id)
    if (!old) return // cancelled while it ran
    const { locked: _l, anew, started: _s, finished: _e, failed: _f, failures: _n, why: _w, ...rest } = old
    const set = <K extends string>(name: K, value: number | string | null | undefined): Partial<Record<K, number | string>> => value === null || value === undefined ? {} : { [name]: value } as Record<K, number | string>
    const ended = !job.lockedAt
    await this.#put({
      ...rest, next: anew ? old.next : this.#house(job.nextRunAt), ...(anew && !ended ? { anew } : {}),
      ...set('locked', this.#house(job.lockedAt ?? null)), ...set('started', this.#house(job.lastRunAt ?? null)), ...set('finished', this.#house(job.lastFinishedAt ?? null)),
      ...set('failed', this.#house(job.failedAt ?? null)), ...set('failures', job.failCount), ...set('why', job.failReason),
    } as Kept)
  }

  async lockJob(job: JobParameters): Promise<JobParameters | undefined> {
    const kept = job._id === undefined ? undefined : this.#kept.get(job._id)
    return kept && kept.locked === undefined && !kept.off ? this.#lock(kept) : undefined
  }

  /** Only what is due now: agenda would hold the rest in its own memory, where nothing can be set anew. */
  async getNextJobToRun(name: string, _until: Date, deadline: Date): Promise<JobParameters | undefined> {
    await breathe() // agenda asks again at once: others are to have their turn
    const dead = this.#house(deadline) ?? 0
    let first: Kept | undefined
    for (const k of this.#kept.values()) {
      if (k.name !== name || k.off) continue
      const ready = k.locked === undefined ? k.next !== null && k.next <= this.now : k.locked <= dead
      if (ready && (!first || (k.next ?? 0) < (first.next ?? 0) || (k.next === first.next && k.priority > first.priority))) first = k
    }
    return first && this.#lock(first)
  }

  async unlockJob(job: JobParameters): Promise<void> { if (job._id !== undefined) await this.unlockJobs([job._id]) }
  async unlockJobs(ids: (JobId | string)[]): Promise<void> {
    for (const id of ids) {
      const kept = this.#kept.get(id)
      if (kept?.locked === undefined) continue
      const { locked: _, ...rest } = kept
      await this.#put(rest)
    }
  }

  /** Forgets what is done. At once: who sets the same job again in this moment makes a new one. */
  clear(): Promise<number> { return this.#remove(this.all.filter(k => k.next === null && k.locked === undefined)) }

  async removeJobs(options: RemoveJobsOptions): Promise<number> { return this.#remove(this.#matching(options)) }
  async #remove(found: readonly Kept[]): Promise<number> {
    for (const k of found) this.#kept.delete(k.id)
    await this.#written(async () => { for (const k of found) await this.#documents.remove(COLLECTION, this.#owner, k.id) })
    return found.length
  }
  disableJobs(options: RemoveJobsOptions): Promise<number> { return this.#switch(options, true) }
  enableJobs(options: RemoveJobsOptions): Promise<number> { return this.#switch(options, false) }
  async purgeAllJobs(): Promise<number> { return this.removeJobs({ notNames: [''] }) }

  async getJobById(id: string): Promise<JobParameters | null> {
    const kept = this.#kept.get(id)
    return kept ? this.#outside(kept) : null
  }
  async getDistinctJobNames(): Promise<string[]> { return [...new Set(this.all.map(k => k.name))] }
  async getQueueSize(): Promise<number> { return this.all.filter(k => k.next !== null && k.next < this.now).length }

  async queryJobs(o: JobsQueryOptions = {}): Promise<JobsResult> {
    const found = this.#matching({ ...o, ...(o.name === undefined && o.names === undefined && o.id === undefined && o.ids === undefined ? { notNames: [''] } : {}) })
      .filter(k => (o.state === undefined || this.#state(k) === o.state) && (o.search === undefined || k.name.includes(o.search)) && (o.includeDisabled !== false || !k.off))
    const jobs = found.slice(o.skip ?? 0, o.limit ? (o.skip ?? 0) + o.limit : undefined).map(k => ({ ...this.#outside(k), _id: k.id as JobId, state: this.#state(k) })) // our ids are theirs
    return { jobs, total: found.length }
  }
  async getJobsOverview(): Promise<JobsOverview[]> {
    return Object.entries(Object.groupBy(this.all, k => k.name)).map(([name, jobs = []]) => {
      const o: JobsOverview = { name, total: jobs.length, running: 0, scheduled: 0, queued: 0, completed: 0, failed: 0, repeating: 0, paused: 0 }
      for (const k of jobs) o[this.#state(k)]++
      return o
    })
  }

  async #lock(kept: Kept): Promise<JobParameters> {
    const locked = { ...kept, locked: this.now }
    await this.#put(locked)
    return this.#outside(locked)
  }
  async #switch(options: RemoveJobsOptions, off: boolean): Promise<number> {
    const found = this.#matching(options)
    for (const { off: _, ...k } of found) await this.#put(off ? { ...k, off: true } : k)
    return found.length
  }
  /** None if nothing is named: nobody shall remove all by mistake. */
  #matching(o: RemoveJobsOptions): Kept[] {
    const { data } = o
    const wanted = data !== null && typeof data === 'object' ? Object.entries(data) : []
    if (o.id === undefined && !o.ids && o.name === undefined && !o.names && !o.notNames && wanted.length === 0) return []
    return this.all.filter(k => (o.id === undefined || k.id === o.id) && (!o.ids || o.ids.includes(k.id)) && (o.name === undefined || k.name === o.name)
      && (!o.names || o.names.includes(k.name)) && !o.notNames?.includes(k.name)
      && wanted.every(([name, value]) => k.data !== null && typeof k.data === 'object' && (k.data as Record<string, unknown>)[name] === value)) // a plain object, as it was saved
  }
  async #put(kept: Kept): Promise<void> {
    this.#kept.set(kept.id, kept) // at once: a second asker must not be given the same
    await this.#written(() => this.#documents.put(COLLECTION, this.#owner, kept.id, kept))
  }
  /** Told twice: what is true has changed, and then that it is kept. */
  async #written(write: () => Promise<unknown>): Promise<void> {
    this.#writes++
    this.#changed()
    try { await write() } finally { this.#writes--; this.#changed() }
  }
  #state(k: Kept): JobState {
    if (k.off) return 'paused'
    if (k.locked !== undefined) return 'running'
    if (k.failed !== undefined && k.failed >= (k.finished ?? 0)) return 'failed'
    if (k.every !== undefined) return 'repeating'
    return k.next === null ? 'completed' : k.next > this.now ? 'scheduled' : 'queued'
  }

  #outside(k: Kept): JobParameters {
    const date = (ms: number | undefined): Date | undefined => ms === undefined ? undefined : new Date(ms - this.#shift)
    const dates = Object.entries({ lockedAt: date(k.locked), lastRunAt: date(k.started), lastFinishedAt: date(k.finished), failedAt: date(k.failed) }).filter(([, d]) => d)
    return {
      _id: k.id as JobId, name: k.name, priority: k.priority, type: k.type, data: k.data, nextRunAt: k.next === null ? null : new Date(k.next - this.#shift), // our ids are theirs
      ...(k.every === undefined ? {} : { repeatInterval: k.every }), ...(k.failures === undefined ? {} : { failCount: k.failures }), ...(k.off ? { disabled: true } : {}), ...Object.fromEntries(dates),
    }
  }
  #house(date: Date | null): number | null { return date === null ? null : date.getTime() + this.#shift }
  get #shift(): number { return this.#clock.now() - wallClock.now() }
}

/** The key that a single job was given. */
export function keyOf(k: Kept): string {
  return k.data !== null && typeof k.data === 'object' && 'key' in k.data ? String(k.data.key) : ''
}
