// Gives memory back to the machine: V8 by itself keeps what a start or a rush of logins has left behind as long as it is quiet.
import { performance } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from '../server/ports/clock.ts'
import type { Log } from '../server/ports/log.ts'

const LOOK = 5_000 // ms
const QUIET = 0.1 // of the time that the event loop may have been at work since the last look
const GROWN = 8 * 2 ** 20 // bytes more than after the last collection
const LARGE = 256 * 2 ** 20 // bytes of living objects: to walk through more would keep people waiting

/** To be called before threads are started that shall be able to collect, too. */
export const exposeCollector = (): void => setFlagsFromString('--expose-gc')

type Collect = (how: { readonly type: 'major'; readonly flavor: 'last-resort'; readonly execution: 'sync' }) => void

/** Collects once at the start, and then whenever the server is quiet and holds more than it did; that takes some 50 ms. */
export class Tidying implements Disposable {
  readonly #clock: Clock
  readonly #collect: Collect
  readonly #others: () => void
  #least = 0
  #load = performance.eventLoopUtilization()
  #alarm: Disposable

  /** `others` has the threads do the same. */
  constructor(clock: Clock, others: () => void = () => {}) {
    this.#clock = clock
    this.#others = others
    exposeCollector()
    this.#collect = runInNewContext('gc') as Collect // V8's own, seen in contexts made from now on
    setFlagsFromString('--no-expose-gc')
    this.#tidy()
    this.#alarm = this.#wind()
  }

  [Symbol.dispose](): void { this.#alarm[Symbol.dispose]() }

  #wind(): Disposable { return this.#clock.alarm(this.#clock.now() + LOOK, () => this.#look()) }

  #look(): void {
    const { utilization } = performance.eventLoopUtilization(this.#load)
    this.#load = performance.eventLoopUtilization()
    const size = getHeapStatistics().used_heap_size
    if (utilization < QUIET && size < LARGE && size > this.#least + GROWN) this.#tidy()
    this.#alarm = this.#wind()
  }

  #tidy(): void {
    this.#others()
    this.#collect({ type: 'major', flavor: 'last-resort', execution: 'sync' })
    this.#least = getHeapStatistics().used_heap_size
  }
}

/** How much of the heap is used, and where it ends; bytes. */
export interface Heap { readonly used: number; readonly limit: number }
const heap = (): Heap => { const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics(); return { used, limit } }

const FULL = 0.85 // of the heap: nobody new is let in
const ROOM = 0.8 // below which they are again
const STALE = 250 // ms between two looks

/** Says whether the heap is so full that whoever is here shall not have to share it with more (SEC-K27). */
export function crowding(clock: Clock, log: Log, measure: () => Heap = heap): () => boolean {
  let [full, lookAt] = [false, -Infinity]
  return () => {
    const now = clock.now()
    if (now < lookAt) return full
    lookAt = now + STALE
    const { used, limit } = measure()
    const was = full
    full = used >= limit * (was ? ROOM : FULL)
    if (full !== was) log.warn({ used, limit }, full ? 'memory runs out: nobody new is let in' : 'there is memory again: whoever comes is let in')
    return full
  }
}
