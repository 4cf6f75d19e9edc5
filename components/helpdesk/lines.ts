// The records of what was said: one erasable document a line, which the log points to by its number (shell).
import type { DocumentStore } from '../../server/api.ts'
import type { Visibility, Who } from './facts.ts'
import type { FileFacts } from './files/links.ts'

/** One line as it is kept. `shown` = its number among the public ones; `id` = the client's own, for recognising it when it comes again. */
export interface Line {
  readonly seq: number
  readonly shown?: number
  readonly at: number
  readonly by: Who
  /** The shown name of who spoke, as it was then. */
  readonly name: string
  readonly as: Visibility
  readonly body: string
  readonly id?: string
  /** An internal chat: the id of its invitation. */
  readonly chat?: string
  /** The body is the address of a file. */
  readonly file?: FileFacts
}

const COLLECTION = 'desk-lines'
const PAGE = 500

export class Lines {
  readonly #documents: DocumentStore
  readonly #desk: string
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  /** Written before the event that points to it, and so there when the event is. A torn one is overwritten by the next with its number. */
  put(n: number, line: Line): Promise<unknown> { return this.#documents.put(COLLECTION, this.#owner(n), key(line.seq), line) }

  /** Lines with a number above `after`, in order. */
  async after(n: number, after: number, limit: number): Promise<Line[]> {
    const found = await this.#documents.range<Line>(COLLECTION, this.#owner(n), { after: key(after), limit })
    return found.map(f => f.value)
  }

  /** Every line up to number `to`: a torn write may have left one above. */
  async all(n: number, to: number): Promise<Line[]> {
    const all: Line[] = []
    for (;;) {
      const page = await this.after(n, all.at(-1)?.seq ?? 0, PAGE)
      all.push(...page.filter(l => l.seq <= to))
      if (page.length < PAGE) return all
    }
  }

  /** Removes every line; gives how many went. */
  async wipe(n: number): Promise<number> {
    for (let gone = 0; ;) {
      const page = await this.#documents.range<Line>(COLLECTION, this.#owner(n), { limit: PAGE })
      for (const l of page) if (await this.#documents.remove(COLLECTION, this.#owner(n), l.id) === 'ok') gone++
      if (page.length < PAGE) return gone
    }
  }

  #owner(n: number): string { return `${this.#desk}/${n}` }
}
const key = (seq: number): string => String(seq).padStart(10, '0')

/** A line as the customer may know it. */
export interface PublicLine { readonly shown: number; readonly at: number; readonly who: 'customer' | 'agent' | 'desk'; readonly name: string; readonly body: string; readonly id?: string; readonly file?: FileFacts }
export const sideOf = (by: Who): PublicLine['who'] => by === 'customer' || by === 'desk' ? by : 'agent'
/** None if it is not public. */
export const publicLine = (l: Line): PublicLine[] =>
  l.shown === undefined ? [] : [{ shown: l.shown, at: l.at, who: sideOf(l.by), name: l.name, body: l.body, ...(l.by === 'customer' && l.id !== undefined ? { id: l.id } : {}), ...(l.file === undefined ? {} : { file: l.file }) }]
