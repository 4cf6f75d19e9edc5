// What the main thread and the store's threads say to each other, and how calls are packed for the way. Pure.

/** A thread that holds one connection: the one that writes, or one beside it that only reads. */
export type Part = 'writer' | 'reader'
export interface Start { readonly file: string; readonly part: Part }

/** Every call of a store's thread; on the way it is a place in this list. */
export const CALLS = [
  'archive.append', 'archive.wipe', 'archive.expire', 'archive.remove', 'archive.replace', 'archive.query', 'archive.search', 'archive.count', 'archive.has', 'archive.ends',
  'accounts.find', 'accounts.create', 'accounts.update', 'accounts.remove', 'accounts.list',
  'rosters.load', 'rosters.put', 'rosters.forget',
  'offline.push', 'offline.list', 'offline.clear', 'offline.remove',
  'documents.get', 'documents.put', 'documents.remove', 'documents.range',
  'events.load', 'events.append', 'events.live', 'events.undone', 'events.done',
  'search.put', 'search.remove', 'search.find', 'search.rank', 'search.ids', 'search.count',
] as const
export type CallName = typeof CALLS[number]
const PLACES = new Map<CallName, number>(CALLS.map((name, place) => [name, place]))

/** An argument of a call; undefined is written as NULL. */
export type Arg = string | number | undefined

/** Calls of one tick: all their texts in one, and the marks that take it apart again. That clones in half the time of an array for each call. */
export interface Calls { readonly text: string; readonly marks: readonly number[] }
export type Told = { readonly calls: Calls } | { readonly backup: string } | { readonly tidy: true } | { readonly close: true }

export type Answer =
  | { readonly tag: 'ready'; readonly notes: readonly string[] }
  | { readonly tag: 'refused'; readonly why: string }
  /**
   * How many calls were done, in the order in which they came; their results, unless none has one; the places of those
   * that came to nothing, and why.
   */
  | { readonly tag: 'group'; readonly count: number; readonly results?: readonly unknown[]; readonly failed: readonly (readonly [number, string])[] }
  | { readonly tag: 'backup'; readonly why?: string }

const NUMBER = -1
const NOTHING = -2

/** Gathers calls. A mark is the place of a call, its number of arguments, then each: a text's length, or a number itself. */
export class Packer {
  #texts: string[] = []
  #marks: number[] = []

  add(name: CallName, args: readonly Arg[]): void {
    this.#marks.push(PLACES.get(name) ?? -1, args.length)
    for (const a of args) {
      if (typeof a === 'string') {
        this.#texts.push(a)
        this.#marks.push(a.length)
      } else if (typeof a === 'number') this.#marks.push(NUMBER, a)
      else this.#marks.push(NOTHING)
    }
  }

  /** Gives what was gathered, and begins anew. */
  take(): Calls {
    const calls = { text: this.#texts.join(''), marks: this.#marks }
    this.#texts = []
    this.#marks = []
    return calls
  }
}

export interface Call { readonly name: CallName; readonly args: Arg[] }

/** Takes apart what a Packer put together, adding it to `into`. */
export function unpack({ text, marks }: Calls, into: Call[]): void {
  let at = 0
  for (let i = 0; i < marks.length;) {
    const name = CALLS[marks[i++]!]! // as packed above
    const args: Arg[] = []
    for (let n = marks[i++]!; n > 0; n--) {
      const mark = marks[i++]!
      if (mark >= 0) args.push(text.slice(at, at += mark))
      else args.push(mark === NUMBER ? marks[i++] : undefined)
    }
    into.push({ name, args })
  }
}
