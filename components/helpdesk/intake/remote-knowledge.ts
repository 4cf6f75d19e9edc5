// Answers from a system of the admin's, asked over HTTP by a template (adapter). It never makes anybody wait longer than the settings say, and is left alone while it fails.
import type { Clock, Log } from '../../../server/api.ts'
import type { DeskSettings } from '../../../schemas/desk-settings.ts'
import { readHeaders } from '../settings/headers.ts'
import { bodyOf, pathOf } from '../tickets/template.ts'
import { failed, isOpen, trying, whole, type Breaker } from './breaker.ts'
import type { Fetcher } from '../webhooks/fetcher.ts'
import type { Found, KnowledgeSource } from './knowledge.ts'

type Settings = DeskSettings['knowledge']

const TITLE = 200 // characters
const TEXT = 2000
const ADDRESS = 2000
const AT_ONCE = 8 // questions under way; what comes beyond goes without its answers

/** How it stands, for admins. */
export interface Standing { readonly on: boolean; readonly failures: number; readonly until: number | undefined; readonly because: string | undefined }

export class RemoteKnowledge implements KnowledgeSource {
  readonly #settings: () => Settings
  readonly #secret: (text: string | undefined) => string
  readonly #fetcher: () => Fetcher
  readonly #clock: Clock
  readonly #log: Log
  #asked: Settings | undefined
  #breaker: Breaker = whole
  #because: string | undefined
  #busy = 0
  constructor(o: { readonly settings: () => Settings; readonly secret: (text: string | undefined) => string; readonly fetcher: () => Fetcher; readonly clock: Clock; readonly log: Log }) {
    this.#settings = o.settings
    this.#secret = o.secret
    this.#fetcher = o.fetcher
    this.#clock = o.clock
    this.#log = o.log
  }

  get forCustomers(): boolean { const s = this.#settings(); return s.url !== '' && s.customers }
  get standing(): Standing {
    const on = this.#settings().url !== ''
    return { on, failures: this.#breaker.failures, until: isOpen(this.#breaker, this.#clock.now()) ? this.#breaker.until : undefined, because: on ? this.#because : undefined }
  }

  async suggest(question: string, { queue, open, limit }: { readonly queue?: string | undefined; readonly open: boolean; readonly limit: number }): Promise<readonly Found[]> {
    const s = this.#settings()
    if (this.#asked !== s) { this.#asked = s; this.#breaker = whole; this.#because = undefined } // other settings, another chance
    const now = this.#clock.now()
    if (s.url === '' || (open && !s.customers) || question.trim() === '' || isOpen(this.#breaker, now) || this.#busy >= AT_ONCE) return []
    this.#breaker = trying(this.#breaker, now, s.timeout * 1000)
    this.#busy++
    try {
      const found = await this.#ask(s, { question: question.trim(), queue: queue ?? '', limit: String(limit) })
      if (this.#asked === s) { this.#breaker = whole; this.#because = undefined }
      return found.slice(0, limit)
    } catch (error) {
      if (this.#asked === s) {
        this.#breaker = failed(this.#breaker, this.#clock.now())
        this.#because = error instanceof Error ? error.message : String(error)
        this.#log.warn({ why: this.#because, failures: this.#breaker.failures }, 'knowledge base: no answer')
      }
      return []
    } finally { this.#busy-- }
  }

  async #ask(s: Settings, values: { readonly question: string; readonly queue: string; readonly limit: string }): Promise<Found[]> {
    const read = readHeaders(s.headers)
    const body = s.method === 'POST' ? bodyOf(s.body, values) : undefined
    if ('wrong' in read || (body !== null && typeof body === 'object' && 'wrong' in body)) throw new Error('the settings cannot be followed')
    const authorization = this.#secret(s.authorization)
    const got = await this.#fetcher().fetch({
      method: s.method, url: pathOf(s.url, values), within: s.timeout * 1000, most: s.size * 1024, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...read.headers, ...(authorization === '' ? {} : { Authorization: authorization }) },
    })
    if (got.is !== 'answer') throw new Error(got.why)
    if (got.status === 404) return [] // many say so where nothing fits
    if (got.status < 200 || got.status > 299) throw new Error(`it answered ${got.status}`)
    const all = place(json(got.body), s.itemsAt)
    if (!Array.isArray(all)) throw new Error(`its answer holds no list at “${s.itemsAt}”`)
    return all.slice(0, Number(values.limit)).flatMap(item => found(item, s))
  }
}

/** One article of an answer; none without a title. */
function found(item: unknown, s: Settings): Found[] {
  const text = (pointer: string, most: number): string => { const v = pointer === '' ? undefined : place(item, pointer); return typeof v === 'string' || typeof v === 'number' ? plain(String(v)).slice(0, most) : '' }
  const title = text(s.titleAt, TITLE)
  const address = s.urlAt === '' ? undefined : place(item, s.urlAt)
  const url = typeof address === 'string' ? URL.parse(address, pathOf(s.url, {})) : undefined
  const isLink = url && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.href.length <= ADDRESS
  return title === '' ? [] : [{ title, text: text(s.textAt, TEXT), ...(isLink ? { url: url.href } : {}) }]
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'', nbsp: ' ', '#39': '\'' }
/** Words without markup, on one line. */
const plain = (text: string): string => text.slice(0, 100_000).replace(/<[^<>]{0,2000}>/g, ' ').replace(/&(amp|lt|gt|quot|apos|nbsp|#39);/g, (_, name: string) => ENTITIES[name] ?? '').replace(/[\p{Cc}\p{Zs}\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu, ' ').trim()

/** What stands at a JSON pointer, in lists too; undefined: nothing. */
function place(value: unknown, pointer: string): unknown {
  let here = value
  for (const key of pointer.split('/').slice(1)) {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~')
    here = here !== null && typeof here === 'object' && Object.hasOwn(here, name) ? (here as Record<string, unknown>)[name] : undefined // an object that has it
  }
  return here
}
function json(text: string): unknown { try { return JSON.parse(text) } catch { throw new Error('its answer is no JSON') } }
