// The jobs port on agenda: agenda locks, runs and tries again; the house's clock says when to look (adapter).
import { Agenda, type AgendaBackend, type JobNotification, type NotificationChannel, type NotificationHandler } from 'agenda'
import { wallClock, type Clock } from '../ports/clock.ts'
import type { JobOptions, Jobs, Waiting, Work } from '../ports/jobs.ts'
import type { Log } from '../ports/log.ts'
import type { DocumentStore } from '../ports/store.ts'
import { keyOf, Shelf } from './shelf.ts'

const MINUTE = 60_000
const PAUSES = [1, 5, 30, 120].map(m => m * MINUTE)
const LONGEST = 60 * MINUTE
const LOOK = '5 minutes' // agenda's own look round: for runs that died

interface Envelope { readonly key: string; readonly data: unknown }

/** Jobs kept in the documents of `owner`, for one process. */
export async function openJobs({ documents, owner, clock, log }: { documents: DocumentStore; owner: string; clock: Clock; log: Log }): Promise<Jobs> {
  const bell = new Bell()
  let alarm: Disposable | undefined
  let waiting = Promise.withResolvers<void>()
  let started = false
  let closing: Promise<void> | undefined
  const kinds = new Set<string>()
  const shelf = new Shelf(documents, owner, clock, changed)
  const backend: AgendaBackend = { name: 'documents', repository: shelf, notificationChannel: bell, ownsConnection: true, connect: () => shelf.connect(), disconnect: async () => {} }
  const agenda = new Agenda({ backend, processEvery: LOOK, defaultLockLimit: 0, maxConcurrency: 20 })
  await agenda.ready

  function changed(): void {
    waiting.resolve()
    waiting = Promise.withResolvers()
    if (!started || closing) return
    alarm?.[Symbol.dispose]()
    const next = Math.min(...shelf.all.filter(k => k.locked === undefined && !k.off && k.next !== null && kinds.has(k.name)).map(k => k.next ?? Infinity))
    alarm = next === Infinity ? undefined : clock.alarm(next, look)
  }

  /** Resolves when all that was due has run: a test clock waits for it. */
  async function look(): Promise<void> {
    for (const name of new Set(shelf.all.filter(k => k.next !== null && k.next <= clock.now()).map(k => k.name))) bell.ring(name)
    while (!closing && shelf.all.some(k => kinds.has(k.name) && !k.off && (k.locked !== undefined || (k.next ?? 0) <= clock.now()))) await waiting.promise
  }

  agenda.on('fail', (err: Error, job: { attrs: { name: string } }) => log.warn({ err, job: job.attrs.name }, 'job: an attempt failed'))
  agenda.on('retry exhausted', (err: Error, job: { attrs: { name: string } }) => log.error({ err, job: job.attrs.name }, 'job: given up'))
  agenda.on('error', (err: Error) => log.error({ err }, 'job: the store failed'))
  agenda.on('complete', () => {
    for (const k of shelf.all) if (k.next === null && k.locked === undefined) void agenda.cancel({ id: k.id }).catch((err: unknown) => log.error({ err }, 'job: the store failed'))
  })

  return {
    define(name: string, work: Work, options: JobOptions = {}) {
      kinds.add(name)
      const pauses = options.pauses ?? PAUSES
      agenda.define<Envelope>(name, async job => {
        const kept = job.attrs._id && shelf.get(job.attrs._id)
        if (kept && !kept.anew) await work(job.attrs.data.data, job.attrs.data.key) // else it was cancelled or set anew while agenda held it
      }, {
        concurrency: options.atOnce ?? 1, lockLifetime: options.longest ?? LONGEST, backoff: ({ attempt }) => pauses[attempt - 1] ?? null,
      })
    },
    every: async (name, interval, data) => { await agenda.every(interval, name, { key: '', data }, { skipImmediate: true }) },
    // Agenda knows the machine's time alone; the shelf leads it back.
    once: async (name, key, at, data) => { await agenda.create(name, { key, data }).unique({ 'data.key': key }).schedule(new Date(at - clock.now() + wallClock.now())).save() },
    cancel: async (name, key = '') => await agenda.cancel({ name, data: { key } }) > 0,
    list: async () => shelf.all.map((k): Waiting => ({ name: k.name, key: keyOf(k), next: k.next ?? undefined, running: k.locked !== undefined, failures: k.failures ?? 0, ...(k.why === undefined ? {} : { why: k.why }) })),
    start: async () => {
      await agenda.start()
      started = true
      changed()
    },
    close: () => closing ??= (async () => {
      alarm?.[Symbol.dispose]()
      await agenda.drain()
    })(),
  }
}

/** Wakes agenda for one kind of job: what it calls a notification channel, within this process. */
class Bell implements NotificationChannel {
  state: NotificationChannel['state'] = 'disconnected'
  #handler: NotificationHandler | undefined
  async connect(): Promise<void> { this.state = 'connected' }
  async disconnect(): Promise<void> { this.state = 'disconnected' }
  subscribe(handler: NotificationHandler): () => void {
    this.#handler = handler
    return () => { this.#handler = undefined }
  }
  async publish(): Promise<void> {} // a change of the shelf has set the alarm already
  on(): this { return this }
  off(): this { return this }

  ring(jobName: string): void {
    void this.#handler?.({ jobId: '' as JobNotification['jobId'], jobName, nextRunAt: null, priority: 0, timestamp: new Date() }) // of no job in particular
  }
}
