// Tells webhooks what was committed: noted with the commit itself, so that a crash between the two loses nothing (shell).
import type { Commit } from '../book.ts'
import type { Event } from '../facts.ts'
import type { Ground, View } from '../ground.ts'
import type { Fetcher } from './fetcher.ts'
import { happeningsOf } from './happenings.ts'
import { HookBook } from './hook-book.ts'
import { Webhooks, type Happening } from './webhooks.ts'

type Under = Pick<Ground, 'book' | 'link' | 'later'>

export class Teller implements View {
  readonly #o: Under
  readonly hooks: HookBook
  readonly #webhooks: Webhooks
  private constructor(o: Under, hooks: HookBook, webhooks: Webhooks) { this.#o = o; this.hooks = hooks; this.#webhooks = webhooks }

  static async open(o: Under, fetcher: Fetcher): Promise<Teller> {
    const { stores, clock, jobs, log, domain } = o.link
    const hooks = new HookBook(stores.documents, domain)
    await hooks.open()
    const webhooks = await Webhooks.open({ documents: stores.documents, desk: domain, clock, jobs, log, fetcher, hooks: () => hooks.list() })
    const teller = new Teller(o, hooks, webhooks)
    o.book.todo = (n, version, events) => teller.#todo(n, version, events)
    for (const { stream, version, todo } of await stores.events.undone(`${domain}/c`)) await teller.#tell(stream, version, todo as Happening[]) // written by #todo
    return teller
  }

  #todo(n: number, version: number, events: readonly Event[]): readonly Happening[] | undefined {
    const wanted = this.hooks.list().filter(h => h.disabled !== true).flatMap(h => h.types)
    const all = wanted.length === 0 ? [] : happeningsOf(n, version, events).filter(h => wanted.includes('*') || wanted.includes(h.type))
    return all.length > 0 ? all : undefined
  }

  onCommit({ n, version, events }: Commit): void {
    const todo = this.#todo(n, version, events.map(e => e.event))
    if (todo) this.#o.later(() => this.#tell(this.#o.book.stream(n), version, todo))
  }

  async #tell(stream: string, version: number, todo: readonly Happening[]): Promise<void> {
    await Promise.all(todo.map(h => this.#webhooks.tell(h))) // each takes its place before the first waits
    await this.#o.link.stores.events.done(stream, version)
  }

  forget(n: number): Promise<number> { return this.#webhooks.forget(n) }
  idle(): Promise<void> { return this.#webhooks.idle() }
  close(): Promise<void> { return this.#webhooks.close() }
}
