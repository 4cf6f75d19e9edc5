// Hits in an order of what their documents keep for it: the best so many of all, found piece by piece in bounded memory. Pure.
import type { Order } from '../../ports/search.ts'

/** What a document keeps under a name. */
export type Key = number | string
/** One hit: its row, what it is ordered by, and by what among equals. */
export type Keyed = readonly [no: number, by: Key, then: Key]

/** What a piece of the walk has found: its best, how many matched, and where the next piece begins. */
export interface Ranked { readonly best: readonly Keyed[]; readonly count: number; readonly next?: number }

const of = (a: Key, b: Key): number => a === b ? 0 : typeof a === typeof b ? a < b ? -1 : 1 : typeof a === 'number' ? -1 : 1
const rising = (a: Keyed, b: Keyed): number => of(a[1], b[1]) || of(a[2], b[2]) || a[0] - b[0]
export const compareBy = ({ descending }: Order): (a: Keyed, b: Keyed) => number => descending ? (a, b) => rising(b, a) : rising

/** Keeps the first `most` of all that are put in, those behind `after` alone. */
export class Best {
  readonly #compare: (a: Keyed, b: Keyed) => number
  readonly #most: number
  readonly #after: Keyed | undefined
  #all: Keyed[] = []
  #worst: Keyed | undefined
  constructor(order: Order, most: number, after: Keyed | undefined) { this.#compare = compareBy(order); this.#most = most; this.#after = after }

  put(k: Keyed): void {
    if (this.#after && this.#compare(k, this.#after) <= 0) return
    if (this.#worst && this.#compare(k, this.#worst) >= 0) return
    this.#all.push(k)
    if (this.#all.length >= 2 * this.#most + 100) this.#cut()
  }

  get list(): readonly Keyed[] {
    this.#cut()
    return this.#all
  }

  #cut(): void {
    this.#all.sort(this.#compare)
    if (this.#all.length < this.#most) return
    this.#all.length = this.#most
    this.#worst = this.#all.at(-1)
  }
}

const sign = (o: Order): string => `${o.by} ${o.descending ? 'down' : 'up'} ${o.then ?? ''}`
export const cursorOf = (o: Order, [no, by, then]: Keyed): string => Buffer.from(JSON.stringify([sign(o), by, then, no])).toString('base64url')
/** undefined for a cursor that is not of this order. */
export function readKeyed(o: Order, cursor: string): Keyed | undefined {
  try {
    const [signed, by, then, no] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    return signed === sign(o) && isKey(by) && isKey(then) && Number.isSafeInteger(no) ? [no as number, by, then] : undefined
  } catch { return undefined }
}
const isKey = (v: unknown): v is Key => typeof v === 'string' || typeof v === 'number'
