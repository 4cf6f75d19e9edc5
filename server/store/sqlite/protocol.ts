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
export interface Calls { readonly text: string; readonly marks: Float64Array }
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

const ROOM = 256 // marks that are room for at first
const MOST_ROOM = 65_536 // more are not kept room for
const NUMBER = -1
const NOTHING = -2
const AGAIN = -3 // what the call before ended with

/** Gathers calls. A mark is the place of a call, its number of arguments, then each: a text's length, or a number itself. What two calls in a row end with is brought once: both ends of a talk keep the same text. */
export class Packer {
  #texts: string[] = []
  #marks = new Float64Array(ROOM)
  #used = 0 // of the marks
  #last: Arg // of the call before

  add(name: CallName, args: readonly Arg[]): void {
    if (this.#used + 2 + 2 * args.length > this.#marks.length) this.#widen()
    const marks = this.#marks
    let at = this.#used
    marks[at++] = PLACES.get(name) ?? -1
    marks[at++] = args.length
    for (const a of args) {
      if (typeof a === 'string') {
        if (a === this.#last) { marks[at++] = AGAIN; continue }
        this.#texts.push(a)
        marks[at++] = a.length
      } else if (typeof a === 'number') {
        marks[at++] = NUMBER
        marks[at++] = a
      } else marks[at++] = NOTHING
    }
    this.#used = at
    this.#last = args.at(-1)
  }

  /** Gives what was gathered, and begins anew. */
  take(): Calls {
    const calls = { text: this.#texts.join(''), marks: this.#marks.slice(0, this.#used) }
    this.#texts = []
    if (this.#marks.length > MOST_ROOM) this.#marks = new Float64Array(ROOM)
    this.#used = 0
    this.#last = undefined
    return calls
  }

  #widen(): void {
    const wider = new Float64Array(this.#marks.length * 2)
    wider.set(this.#marks)
    this.#marks = wider
  }
}

export interface Call { readonly name: CallName; readonly args: Arg[] }

/** Takes apart what a Packer put together, adding it to `into`. */
export function unpack({ text, marks }: Calls, into: Call[]): void {
  let at = 0
  let last: Arg
  for (let i = 0; i < marks.length;) {
    const name = CALLS[marks[i++]!]! // as packed above
    const args: Arg[] = []
    for (let n = marks[i++]!; n > 0; n--) {
      const mark = marks[i++]!
      if (mark >= 0) args.push(text.slice(at, at += mark))
      else args.push(mark === NUMBER ? marks[i++] : mark === AGAIN ? last : undefined)
    }
    last = args.at(-1)
    into.push({ name, args })
  }
}
