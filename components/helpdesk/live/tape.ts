// The newest changes of a desk in one order, so that who was away for a moment can be told what has changed, and nothing twice. (shell: the epoch is random).
import { randomBytes } from 'node:crypto'
import type { Bare, State } from '../facts.ts'

export type Change =
  | { readonly is: 'conversation'; readonly n: number; readonly before: State; readonly after: State }
  | { readonly is: 'agent'; readonly jid: Bare }
  /** Who may see what has changed: who was away meanwhile begins anew. */
  | { readonly is: 'rights' }

const KEPT = 2000 // changes

export class Tape {
  /** Another one after each start. */
  readonly epoch = randomBytes(4).toString('hex')
  readonly #changes: Change[] = []
  #first = 1

  get seq(): number { return this.#first + this.#changes.length - 1 }

  note(change: Change): void {
    this.#changes.push(change)
    if (this.#changes.length > KEPT) { this.#changes.shift(); this.#first++ }
  }

  /** Where a reader stands who was told everything of `what`. */
  mark(what: string): string { return `${this.epoch}-${this.seq}-${what}` }

  /** What has changed since this mark; undefined: that cannot be told. */
  since(mark: string | undefined, what: string): readonly Change[] | undefined {
    const m = /^([0-9a-f]{8})-(\d{1,15})-([0-9a-f]+)$/.exec(mark ?? '')
    const seq = Number(m?.[2])
    if (!m || m[1] !== this.epoch || m[3] !== what || seq > this.seq || seq < this.#first - 1) return undefined
    const changes = this.#changes.slice(seq - this.#first + 1)
    return changes.some(c => c.is === 'rights') ? undefined : changes
  }
}
