// Who changed what, from where, and how it was before: added to, never altered (shell).
import type { DocumentStore } from '../../../server/api.ts'
import type { Ground } from '../ground.ts'
import { leaves, same, type Json } from '../settings/tree.ts'

/** One thing that somebody did who manages the desk. */
export interface Deed {
  readonly at: number
  readonly by: string
  /** The network address; absent: not over the network. */
  readonly from?: string
  readonly what: string
  /** What it was done to. */
  readonly on: string
  readonly changes?: readonly { readonly at: string; readonly before: Json; readonly after: Json }[]
  readonly detail?: Json
}

/** What an audit stands on; the command line has no more than this of a desk that does not run. */
interface Under { readonly link: { readonly stores: { readonly documents: DocumentStore } }; readonly domain: string; readonly now: number }
/** What the command line does. */
export type CommandLineDeed = Pick<Deed, 'what' | 'on' | 'changes'>

const COLLECTION = 'desk-audit'
const MOST = 2_000 // characters of one value

export class Audit {
  readonly #o: Under
  #seq = 0
  #turn: Promise<unknown> = Promise.resolve()
  constructor(ground: Under) { this.#o = ground }

  async open(): Promise<void> {
    const [last] = await this.#o.link.stores.documents.range(COLLECTION, this.#o.domain, { limit: 1, reverse: true })
    this.#seq = last === undefined ? 0 : Number(last.id)
  }

  /** Resolves when it is kept. Nothing that stands there is ever written over. */
  note(deed: Omit<Deed, 'at'>): Promise<unknown> {
    const work = async (): Promise<void> => {
      const whole: Deed = { at: this.#o.now, ...deed, on: clean(deed.on) }
      while (await this.#o.link.stores.documents.put(COLLECTION, this.#o.domain, key(++this.#seq), cleaned(whole as unknown as Json), 0) === 'conflict'); // another node was quicker
    }
    this.#turn = this.#turn.then(work, work)
    return this.#turn
  }

  /** Does something that an admin asks for, and notes it with what it has changed of the settings and of operators: all of them, or one. */
  async around<T>(o: Pick<Ground, 'rules' | 'operators'>, whose: string | 'all' | undefined, work: () => Promise<T>, deed: (outcome: T) => Omit<Deed, 'at' | 'changes'> | undefined): Promise<T> {
    const before = picture(o, whose)
    const outcome = await work()
    const done = deed(outcome)
    if (!done) return outcome
    const changes = differences(before, picture(o, whose))
    await this.note({ ...done, ...(changes.length > 0 ? { changes } : {}) })
    return outcome
  }

  /** The newest first; `before` is the number of the last that was seen. */
  async list(page: { before?: number | undefined; limit: number }): Promise<(Deed & { id: number })[]> {
    const found = await this.#o.link.stores.documents.range<Deed>(COLLECTION, this.#o.domain, { limit: page.limit, reverse: true, ...(page.before === undefined ? {} : { before: key(page.before) }) })
    return found.map(f => ({ id: Number(f.id), ...f.value }))
  }
}

function picture({ rules, operators }: Pick<Ground, 'rules' | 'operators'>, whose: string | 'all' | undefined): Json {
  const one = (jid: string): object => ({ ...operators.record(jid), role: operators.holds(jid) })
  const them = whose === 'all' ? { operators: Object.fromEntries(operators.all().map(p => [p.jid, one(p.jid)])) } : whose === undefined || !operators.has(whose) ? {} : { operator: one(whose) }
  return JSON.parse(JSON.stringify({ settings: rules.shown().settings, ...them })) as Json // JSON
}

/** What differs between two trees, leaf by leaf. */
export function differences(before: Json, after: Json): { readonly at: string; readonly before: Json; readonly after: Json }[] {
  const [a, b] = [new Map(leaves(before).map(l => [l.pointer, l.value])), new Map(leaves(after).map(l => [l.pointer, l.value]))]
  return [...new Set([...a.keys(), ...b.keys()])].filter(p => !same(a.get(p), b.get(p))).map(p => ({ at: p, before: a.get(p) ?? null, after: b.get(p) ?? null }))
}

// No sign that moves a terminal's cursor or begins a new line gets into what admins read.
const clean = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).slice(0, MOST)
/** Names of what nobody may read again. */
export const SECRET = /pass|secret|token|confirm|apikey|authori[sz]ation/i
function cleaned(value: Json): Json {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map(v => cleaned(v as Json)) // a list of JSON
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => [clean(k), SECRET.test(k) && v !== null && typeof v !== 'object' ? '…' : cleaned(v as Json)])) // of an object of JSON
}
const key = (n: number): string => String(n).padStart(12, '0')
