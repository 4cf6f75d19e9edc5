// What is kept beside a conversation's lines: subject, labels, tasks, times, links, calls, files, custom fields, resolutions. Erasable, and pointed to by marks in its log (shell).
import { randomBytes } from 'node:crypto'
import type { DocumentStore } from '../../server/api.ts'
import type { Bare, Who } from './facts.ts'

/** Who added it and when (ms since 1970); `id` is short enough to be typed. */
export interface Entry { readonly id: string; readonly at: number; readonly by: Who }
export interface Task extends Entry { readonly text: string; readonly done?: number; readonly doneBy?: Bare }
export interface TimeLog extends Entry { readonly minutes: number; readonly text: string }
export interface Item extends Entry { readonly kind: 'ticket' | 'conversation' | 'link'; readonly ref: string }
export interface CallLog extends Entry { readonly number: string; readonly minutes: number; readonly text: string }
export interface Attachment extends Entry { readonly name: string; readonly url: string }
export interface Remark extends Entry { readonly text: string }
/** A custom field and who filled it in; `app`: over REST, for another program. */
export interface Filled { readonly value: string; readonly by: Who; readonly at: number; readonly app?: boolean }

export interface Dossier {
  readonly subject?: string
  /** Where the customer came from: the site, a saved link, the page, the department he chose. */
  readonly source?: { readonly site?: string; readonly link?: string; readonly page?: string; readonly department?: string }
  readonly labels: readonly string[]
  readonly pinned: readonly Bare[]
  readonly tasks: readonly Task[]
  readonly times: readonly TimeLog[]
  readonly items: readonly Item[]
  readonly calls: readonly CallLog[]
  readonly files: readonly Attachment[]
  readonly resolutions: readonly Remark[]
  readonly fields: Readonly<Record<string, Filled>>
  /** What the customer said of it; 1 to 5. */
  readonly survey?: Entry & { readonly rating: number; readonly text: string }
}
export const emptyDossier: Dossier = { labels: [], pinned: [], tasks: [], times: [], items: [], calls: [], files: [], resolutions: [], fields: {} }

const COLLECTION = 'desk-dossiers'
const CACHED = 2000
/** Of each list in one dossier. */
export const MOST = 500

export class Dossiers {
  readonly #documents: DocumentStore
  readonly #desk: string
  readonly #known = new Map<number, Dossier>()
  readonly #turns = new Map<number, Promise<unknown>>()
  /** Told after a change is kept. */
  readonly onChange: ((n: number, d: Dossier) => void | Promise<void>)[] = []
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  async get(n: number): Promise<Dossier> {
    const known = this.#known.get(n)
    if (known) return known
    const found = (await this.#documents.get<Partial<Dossier>>(COLLECTION, this.#desk, key(n)))?.value
    return this.#remember(n, { ...emptyDossier, ...found })
  }

  /** Changes one; `change` gives the new one, or anything else to leave it as it is, which is given back. One change after the other. */
  edit<R>(n: number, change: (d: Dossier) => Promise<{ readonly dossier: Dossier } | R>): Promise<R | undefined> {
    const work = async (): Promise<R | undefined> => {
      const outcome = await change(await this.get(n))
      if (!isChange(outcome)) return outcome
      await this.#documents.put(COLLECTION, this.#desk, key(n), outcome.dossier)
      this.#remember(n, outcome.dossier)
      for (const f of this.onChange) await f(n, outcome.dossier)
      return undefined
    }
    const turn = (this.#turns.get(n) ?? Promise.resolve()).then(work, work)
    this.#turns.set(n, turn)
    void turn.catch(() => {}).finally(() => { if (this.#turns.get(n) === turn) this.#turns.delete(n) })
    return turn
  }

  /** Lets go of one; gives how many there were. */
  async remove(n: number): Promise<number> {
    this.#known.delete(n)
    return await this.#documents.remove(COLLECTION, this.#desk, key(n)) === 'ok' ? 1 : 0
  }

  #remember(n: number, d: Dossier): Dossier {
    this.#known.delete(n)
    this.#known.set(n, d)
    if (this.#known.size > CACHED) for (const old of this.#known.keys()) { this.#known.delete(old); break }
    return d
  }
}

const isChange = (x: unknown): x is { readonly dossier: Dossier } => typeof x === 'object' && x !== null && 'dossier' in x
const key = (n: number): string => String(n).padStart(10, '0')
export const entry = (by: Who, at: number): Entry => ({ id: randomBytes(3).toString('hex'), at, by })
