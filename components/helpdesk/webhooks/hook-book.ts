// Which programs are told what: kept in the store, secrets shown once (shell).
import { randomBytes } from 'node:crypto'
import type { DocumentStore } from '../../../server/api.ts'
import { TYPES } from './happenings.ts'
import type { Hook } from './webhooks.ts'

const COLLECTION = 'desk-hooks'
const MOST = 100

/** What may be given of a hook. */
export interface HookNews { readonly url?: string; readonly types?: readonly string[]; readonly disabled?: boolean; /** a new secret beside the old one, which goes with the next */ readonly rotate?: boolean }

export class HookBook {
  readonly #documents: DocumentStore
  readonly #desk: string
  readonly #all = new Map<string, Hook>()
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  async open(): Promise<void> {
    for (const { id, value } of await this.#documents.range<Hook>(COLLECTION, this.#desk, { limit: MOST * 2 })) this.#all.set(id, value)
  }

  list(): readonly Hook[] { return [...this.#all.values()] }
  get(id: string): Hook | undefined { return this.#all.get(id) }

  /** Makes or changes one; `wrong` says what is wrong with an address or a type. */
  async put(news: HookNews, id: string | undefined, wrongUrl: (url: string) => string | undefined): Promise<Hook | { readonly wrong: string }> {
    const old = id === undefined ? undefined : this.#all.get(id)
    const url = news.url ?? old?.url
    if (url === undefined) return { wrong: 'url: where shall it be told?' }
    const wrong = wrongUrl(url)
    if (wrong !== undefined) return { wrong: `url: ${wrong}` }
    const types = news.types ?? old?.types ?? ['*']
    const odd = types.find(t => t !== '*' && !TYPES.includes(t))
    if (odd !== undefined || types.length === 0) return { wrong: `types: * or some of ${TYPES.join(', ')}` }
    if (!old && this.#all.size >= MOST) return { wrong: `there are ${MOST} already` }
    const secrets = !old || news.rotate === true ? [randomBytes(32).toString('base64url'), ...(old?.secrets.slice(0, 1) ?? [])] : old.secrets
    const hook: Hook = { id: id ?? randomBytes(6).toString('hex'), url, types, secrets, disabled: news.disabled ?? old?.disabled ?? false }
    await this.#documents.put(COLLECTION, this.#desk, hook.id, hook)
    this.#all.set(hook.id, hook)
    return hook
  }

  async remove(id: string): Promise<boolean> {
    this.#all.delete(id)
    return await this.#documents.remove(COLLECTION, this.#desk, id) === 'ok'
  }
}
