// Agenda over the shelf: it locks, runs, and tries again what failed (adapter).
import { Agenda, type AgendaBackend, type JobNotification, type NotificationChannel, type NotificationHandler } from 'agenda'
import type { JobOptions, Work } from '../ports/jobs.ts'
import type { Log } from '../ports/log.ts'
import type { Shelf } from './shelf.ts'

const MINUTE = 60_000
const PAUSES = [1, 5, 30, 120].map(m => m * MINUTE)
const LONGEST = 60 * MINUTE
const LOOK = '5 minutes' // agenda's own look round: for runs that died

export interface Kind { readonly work: Work; readonly options: JobOptions }
export interface Engine {
  /** Takes in a kind that has become known. */
  define(name: string): void
  /** Something of this kind is due. */
  ring(name: string): void
  /** Waits for the runs under way. */
  stop(): Promise<void>
}
interface Envelope { readonly key: string; readonly data: unknown }

/** Runs what stands on `shelf`, which has been read already, by these kinds as they are when a job begins. */
export async function startAgenda(shelf: Shelf, kinds: ReadonlyMap<string, Kind>, log: Log): Promise<Engine> {
  const bell = new Bell()
  const backend: AgendaBackend = { name: 'documents', repository: shelf, notificationChannel: bell, ownsConnection: true, connect: async () => {}, disconnect: async () => {} }
  const agenda = new Agenda({ backend, processEvery: LOOK, defaultLockLimit: 0, maxConcurrency: 20 })
  await agenda.ready

  agenda.on('fail', (err: Error, job: { attrs: { name: string } }) => log.warn({ err, job: job.attrs.name }, 'job: an attempt failed'))
  agenda.on('retry exhausted', (err: Error, job: { attrs: { name: string } }) => log.error({ err, job: job.attrs.name }, 'job: given up'))
  agenda.on('error', (err: Error) => log.error({ err }, 'job: the store failed'))
  agenda.on('complete', () => { void shelf.clear().catch((err: unknown) => log.error({ err }, 'job: the store failed')) })

  const define = (name: string): void => {
    const { pauses = PAUSES, atOnce = 1, longest = LONGEST } = kinds.get(name)?.options ?? {}
    agenda.define<Envelope>(name, async job => {
      const kept = job.attrs._id && shelf.get(job.attrs._id)
      if (kept && !kept.anew) await kinds.get(name)?.work(job.attrs.data.data, job.attrs.data.key) // else it was cancelled or set anew while agenda held it
    }, { concurrency: atOnce, lockLifetime: longest, backoff: ({ attempt }) => pauses[attempt - 1] ?? null })
  }
  for (const name of kinds.keys()) define(name)
  await agenda.start()
  return { define, ring: name => bell.ring(name), stop: async () => { await agenda.drain() } }
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
