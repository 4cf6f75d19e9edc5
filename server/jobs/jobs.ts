// Jobs in the embedded store: the shelf keeps them, the house's clock says when to look, agenda runs them. It is loaded when the first is due (adapter).
import { type Clock } from '../ports/clock.ts'
import type { JobOptions, Jobs, Waiting, Work } from '../ports/jobs.ts'
import type { Log } from '../ports/log.ts'
import type { DocumentStore } from '../ports/store.ts'
import type { Engine, Kind } from './agenda.ts'
import { keyOf, Shelf } from './shelf.ts'

/** Jobs kept in the documents of `owner`, for one process. */
export async function openJobs({ documents, owner, clock, log }: { documents: DocumentStore; owner: string; clock: Clock; log: Log }): Promise<Jobs> {
  let alarm: Disposable | undefined
  let engine: Promise<Engine> | undefined
  let waiting = Promise.withResolvers<void>()
  let started = false
  let closing: Promise<void> | undefined
  const kinds = new Map<string, Kind>()
  const shelf = new Shelf(documents, owner, clock, changed)
  await shelf.connect()

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
    if (closing) return
    engine ??= import('./agenda.ts').then(({ startAgenda }) => startAgenda(shelf, kinds, log))
    const { ring } = await engine
    for (const name of new Set(shelf.all.filter(k => k.next !== null && k.next <= clock.now()).map(k => k.name))) ring(name)
    while (!closing && (!shelf.isWritten || shelf.all.some(k => kinds.has(k.name) && !k.off && (k.locked !== undefined || (k.next ?? 0) <= clock.now())))) await waiting.promise
    changed() // a timer may ring a moment too early: then nothing was due, and it is wound again
  }

  return {
    define(name: string, work: Work, options: JobOptions = {}) {
      kinds.set(name, { work, options })
      void engine?.then(e => e.define(name))
      changed()
    },
    async every(name, interval, data) {
      const known = shelf.find(name)
      if (known?.every === interval && known.next !== null) return // it keeps its turn, or a server that is often restarted would never come to it
      await shelf.keep({ name, type: 'single', priority: 0, data: { key: '', data }, every: interval, next: clock.now() + interval }, known)
    },
    async once(name, key, at, data) { await shelf.keep({ name, type: 'normal', priority: 0, data: { key, data }, next: at }, shelf.find(name, key)) },
    async cancel(name, key = '') { return await shelf.removeJobs({ name, data: { key } }) > 0 },
    list: async () => shelf.all.map((k): Waiting => ({ name: k.name, key: keyOf(k), next: k.next ?? undefined, running: k.locked !== undefined, failures: k.failures ?? 0, ...(k.why === undefined ? {} : { why: k.why }) })),
    async start() {
      started = true
      changed()
    },
    close: () => closing ??= (async () => {
      alarm?.[Symbol.dispose]()
      waiting.resolve()
      await (await engine)?.stop()
    })(),
  }
}
