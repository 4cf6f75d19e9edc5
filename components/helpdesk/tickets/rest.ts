// Tickets of another system over its REST interface, by the admin's templates (adapter). The defaults fit Zammad.
import { at, type Json } from '../settings/tree.ts'
import type { Fetched, Fetcher } from '../webhooks/fetcher.ts'
import type { Article, Ticket } from './port.ts'
import { bodyOf, pathOf, type Values } from './template.ts'

/** As the settings have it. Paths and bodies hold {{subject}}, {{queue}}, {{customer}}, {{email}}, {{body}}, {{key}}, {{number}}, {{conversation}}, {{by}}. */
export interface RestSettings {
  readonly url: string
  /** The whole value of the header. */
  readonly authorization: string
  readonly createPath: string
  readonly createBody: string
  readonly appendPath: string
  readonly appendBody: string
  /** 200: the ticket is there, 404: it is not. */
  readonly showPath: string
  /** Gives the ticket that holds {{key}}, if a crash left it open whether it was made; empty: the system honours Idempotency-Key. */
  readonly findPath: string
  /** Where the number stands in an answer (JSON pointer). */
  readonly numberAt: string
}

const MOST = 1024 * 1024 // bytes of an answer

export class RestTickets {
  readonly #fetcher: () => Fetcher
  readonly #settings: () => RestSettings
  constructor(fetcher: () => Fetcher, settings: () => RestSettings) { this.#fetcher = fetcher; this.#settings = settings }

  /** Rejects with why it could not be made. */
  async create(ticket: Pick<Ticket, 'subject' | 'queue' | 'customer' | 'email'>, article: Article): Promise<number> {
    const { createPath, createBody } = this.#settings()
    return this.#number(await this.#post(createPath, createBody, { ...valuesOf(article), subject: ticket.subject, queue: ticket.queue, customer: ticket.customer, email: ticket.email ?? '' }, article.key))
  }
  async append(number: number, subject: string, article: Article): Promise<void> {
    const { appendPath, appendBody } = this.#settings()
    await this.#post(appendPath, appendBody, { ...valuesOf(article), subject, number: String(number) }, article.key)
  }
  async exists(number: number): Promise<boolean> {
    const got = await this.#ask('GET', pathOf(this.#settings().showPath, { number: String(number) }), undefined, {})
    if (got.is === 'answer' && got.status === 404) return false
    return well(got) !== undefined
  }
  /** The ticket that was made under this key; undefined: none that could be found. */
  async find(key: string): Promise<number | undefined> {
    const { findPath, numberAt } = this.#settings()
    if (findPath === '') return undefined
    const got = await this.#ask('GET', pathOf(findPath, { key }), undefined, {})
    if (got.is === 'answer' && got.status === 404) return undefined
    const found = json(well(got))
    const one = Array.isArray(found) ? found[0] as Json | undefined : found // a list of JSON
    const number = one === undefined || one === null ? undefined : Number(at(one, numberAt))
    return number !== undefined && Number.isSafeInteger(number) && number > 0 ? number : undefined
  }

  async #post(path: string, template: string, values: Values, key: string): Promise<string> {
    const body = bodyOf(template, values)
    if (body !== null && typeof body === 'object' && 'wrong' in body) throw new Error(`ticket system: ${String(body.wrong)}`)
    return well(await this.#ask('POST', pathOf(path, values), JSON.stringify(body), { 'Content-Type': 'application/json', 'Idempotency-Key': key }))
  }
  #ask(method: 'GET' | 'POST', path: string, body: string | undefined, headers: Readonly<Record<string, string>>): Promise<Fetched> {
    const { url, authorization } = this.#settings()
    return this.#fetcher().fetch({ method, url: `${url.replace(/\/+$/, '')}${path}`, most: MOST, ...(body === undefined ? {} : { body }), headers: { ...headers, ...(authorization === '' ? {} : { Authorization: authorization }) } })
  }
  #number(answer: string): number {
    const number = Number(at(json(answer) ?? null, this.#settings().numberAt))
    if (!Number.isSafeInteger(number) || number < 1) throw new Error('ticket system: its answer holds no number where the settings look for it')
    return number
  }
}

const valuesOf = (a: Article): Values => ({ body: a.body, key: a.key, by: a.by, conversation: String(a.conversation) })
function well(got: Fetched): string {
  if (got.is !== 'answer') throw new Error(`ticket system: ${got.why}`)
  if (got.status < 200 || got.status > 299) throw new Error(`ticket system: it answered ${got.status}`)
  return got.body
}
function json(text: string): Json | undefined { try { return JSON.parse(text) as Json } catch { return undefined } }
