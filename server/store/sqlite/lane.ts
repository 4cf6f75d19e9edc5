// The main thread's side of one thread of the store: gathers the calls of a tick, answers them in order.
import { Worker } from 'node:worker_threads'
import { StoreError } from '../../ports/store.ts'
import type { Answer, Arg, CallName, Start, Told } from './protocol.ts'
import { Packer } from './protocol.ts'

const AHEAD = 2 // groups sent and not answered: one at work, one that it finds when it is done
const LIMIT = 200_000 // calls that wait; past it the store is not keeping up and says so

interface Asked { resolve(result: unknown): void; reject(why: StoreError): void }

export class Lane {
  /** How many calls were made, and how many of them are answered. */
  asked = 0
  answered = 0
  /** How many groups, each one commit, and how many calls came to nothing. */
  groups = 0
  failed = 0
  /** Hears of every group whether calls of it failed, and why the first of them did. */
  heard: (why: string | undefined) => void = () => {}
  readonly #worker: Worker
  readonly #packer = new Packer()
  #waiting: Asked[] = [] // for what is packed
  readonly #sent: Asked[][] = []
  #due = false // a flush is coming
  #end: StoreError | undefined
  #backup: ((why: string | undefined) => void) | undefined
  #idle: (() => void)[] = []
  readonly #gone: Promise<void>

  private constructor(worker: Worker) {
    this.#worker = worker
    this.#gone = new Promise(resolve => worker.once('exit', () => {
      this.#fail(new StoreError('the store is closed'))
      resolve()
    }))
    worker.on('error', e => this.#fail(new StoreError(`the store's thread broke down: ${String(e)}`)))
    worker.on('message', (answer: Answer) => this.#hear(answer))
  }

  /** Starts the thread; `notes` are what it has to say to the admin. Rejects with StoreError if the file is refused. */
  static async open(start: Start): Promise<{ lane: Lane; notes: readonly string[] }> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: start, name: `store-${start.part}` })
    const first = await new Promise<Answer>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', e => reject(new StoreError(`${start.file}: the store's thread broke down: ${String(e)}`)))
    })
    if (first.tag === 'ready') return { lane: new Lane(worker), notes: first.notes }
    throw new StoreError(first.tag === 'refused' ? first.why : first.tag)
  }

  /** Sends a call with the others of this tick. */
  ask(name: CallName, args: readonly Arg[]): Promise<unknown> {
    if (this.#end) return Promise.reject(this.#end)
    if (this.asked - this.answered >= LIMIT) return Promise.reject(new StoreError(`the store does not keep up: ${LIMIT} calls wait`))
    this.asked++
    this.#packer.add(name, args)
    if (!this.#due && this.#sent.length < AHEAD) {
      this.#due = true
      setImmediate(() => { this.#due = false; this.#flush() })
    }
    const asked = Promise.withResolvers<unknown>()
    this.#waiting.push(asked)
    return asked.promise
  }

  /** Resolves when nothing waits for an answer. */
  idle(): Promise<void> {
    return this.asked === this.answered || this.#end ? Promise.resolve() : new Promise(resolve => { this.#idle.push(resolve) })
  }

  /** Gives memory back that is not needed; calls wait for it some 10 ms. */
  tidy(): void { if (!this.#end) this.#tell({ tidy: true }) }

  /** Writes the whole store to another file; gives the reason if that fails. One at a time. */
  backup(to: string): Promise<string | undefined> {
    if (this.#end) return Promise.resolve(this.#end.message)
    return new Promise(resolve => { this.#backup = resolve; this.#tell({ backup: to }) })
  }

  /** Resolves when the thread has let go of its files and ended. */
  async close(): Promise<void> {
    await this.idle()
    this.#tell({ close: true })
    await this.#gone
  }

  #flush(): void {
    if (this.#waiting.length === 0 || this.#sent.length >= AHEAD || this.#end) return
    this.#tell({ calls: this.#packer.take() })
    this.#sent.push(this.#waiting)
    this.#waiting = []
  }

  #tell(told: Told): void { this.#worker.postMessage(told) }

  // One answer may be for several groups: the thread puts what it finds waiting into one transaction.
  #hear(answer: Answer): void {
    if (answer.tag === 'backup') {
      this.#backup?.(answer.why)
      this.#backup = undefined
    }
    if (answer.tag !== 'group') return
    const { count, results } = answer
    const failed = new Map(answer.failed)
    this.groups++
    this.failed += failed.size
    let i = 0
    while (i < count) {
      const group = this.#sent.shift()
      if (!group) break
      for (const asked of group) {
        const why = failed.size > 0 ? failed.get(i) : undefined
        if (why === undefined) asked.resolve(results?.[i])
        else asked.reject(new StoreError(why))
        i++
      }
    }
    this.answered += i
    this.heard(answer.failed[0]?.[1])
    this.#flush()
    if (this.asked === this.answered) this.#rest()
  }

  #fail(why: StoreError): void {
    if (this.#end) return
    this.#end = why
    for (const group of [...this.#sent, this.#waiting]) for (const asked of group) asked.reject(why)
    this.#sent.length = 0
    this.#waiting = []
    this.#backup?.(why.message)
    this.answered = this.asked
    this.#rest()
  }

  #rest(): void { for (const resolve of this.#idle.splice(0)) resolve() }
}
