// Tokens that stand in for a password (XEP-0484): one or two for each client of an account, for one mechanism each.
import { createHash, randomBytes } from 'node:crypto'
import { el, type Element } from '../../xml/element.ts'
import type { AccountRecord, DocumentStore } from '../../ports/store.ts'
import { digest } from './credentials.ts'
import { hashedTokens } from './ht.ts'

export const NS_FAST = 'urn:xmpp:fast:0'
const COLLECTION = 'fast' // of the documents: by bare JID and client
const DAY = 86_400_000 // ms
const LIFE = 21 * DAY
const FRESH = DAY // after which a token that is used is replaced
const MOST = 25 // clients of an account

interface Token {
  readonly token: string
  readonly mechanism: string
  /** The account's password and role when it was made, as a hash: with others it is worth nothing (SEC-T22). */
  readonly seal: string
  readonly issued: number // ms since 1970
  readonly until: number
  readonly count?: number // the highest that was used
}

/** Section 5.1: a token that was given and never used, and the one before it. */
interface Slots { readonly fresh?: Token; readonly current?: Token }

/** What a client says of the token that it logs in with. */
export interface Brought { readonly count: number | undefined; readonly invalidate: boolean }

/** <fast/> among what can be asked for inline. There is no `tls-0rtt`: this server has no early data. */
export const fastFeature = (bindings: readonly string[]): Element =>
  el('fast', NS_FAST, {}, ...hashedTokens(bindings).map(m => el('mechanism', NS_FAST, {}, m)))

export const tokenElement = ({ token, until }: { token: string; until: number }): Element =>
  el('token', NS_FAST, { token, expiry: new Date(until).toISOString() })

/** <fast/> as a client sent it; undefined if it is not to be understood. */
export function readBrought(e: Element): Brought | undefined {
  const { count, invalidate } = e.attrs
  if (count !== undefined && !/^\d{1,10}$/.test(count)) return undefined
  return { count: count === undefined ? undefined : Number(count), invalidate: invalidate === 'true' || invalidate === '1' }
}

/** The tokens of one client, by the id that it gives itself, of one account. */
export class Tokens {
  readonly #documents: DocumentStore
  readonly #owner: string // bare JID
  readonly #client: string
  constructor(documents: DocumentStore, owner: string, agent: string) {
    this.#documents = documents
    this.#owner = owner
    this.#client = createHash('sha256').update(agent).digest('base64url')
  }

  /** The token that `proves` holds for; from then on the one before it is worth nothing. 'expired': its time is over. Undefined: none, or it was used already. */
  async use(mechanism: string, { count, invalidate }: Brought, seal: () => Promise<string | undefined>, now: number, proves: (token: string) => boolean): Promise<string | 'expired' | undefined> {
    const kept = await this.#documents.get<Slots>(COLLECTION, this.#owner, this.#client)
    const { fresh, current } = kept?.value ?? {}
    const fits = (t: Token | undefined): t is Token => t?.mechanism === mechanism && proves(t.token)
    const found = fits(fresh) ? fresh : fits(current) ? current : undefined
    if (!kept || !found) return undefined
    if (count !== undefined && found.count !== undefined && count <= found.count) return undefined
    if (found.until <= now || found.seal !== await seal()) return 'expired'
    if (invalidate) return await this.#documents.remove(COLLECTION, this.#owner, this.#client, kept.version) === 'ok' ? found.token : undefined
    if (found === fresh || count !== undefined) {
      const used = { ...found, ...(count !== undefined && { count }) }
      const left = found === current && fresh ? { fresh } : {}
      if (await this.#documents.put<Slots>(COLLECTION, this.#owner, this.#client, { ...left, current: used }, kept.version) === 'conflict') return undefined // somebody else uses it in this moment
    }
    return found.token
  }

  /** A new token for `mechanism`. */
  async issue(mechanism: string, seal: string, now: number): Promise<{ token: string; until: number } | undefined> {
    const kept = await this.#documents.get<Slots>(COLLECTION, this.#owner, this.#client)
    if (!kept) await this.#makeRoom(now)
    const fresh: Token = { token: `fast-${randomBytes(24).toString('base64url')}`, mechanism, seal, issued: now, until: now + LIFE }
    const current = kept?.value.current
    const put = await this.#documents.put<Slots>(COLLECTION, this.#owner, this.#client, { fresh, ...(current && { current }) }, kept?.version ?? 0)
    return put === 'conflict' ? undefined : fresh
  }

  /** A new one for a token that was used and is not of today. */
  async rotate(seal: string, now: number): Promise<{ token: string; until: number } | undefined> {
    const kept = await this.#documents.get<Slots>(COLLECTION, this.#owner, this.#client)
    const used = kept?.value.current
    return used && now - used.issued >= FRESH ? await this.issue(used.mechanism, seal, now) : undefined
  }

  // A client that gives itself another name at each login shall not fill the store.
  async #makeRoom(now: number): Promise<void> {
    const all = await this.#documents.range<Slots>(COLLECTION, this.#owner, { limit: 2 * MOST })
    if (all.length < MOST) return
    const ends = ({ fresh, current }: Slots): number => (fresh ?? current)?.until ?? 0
    const [first] = all.toSorted((a, b) => ends(a.value) - ends(b.value))
    const old = all.filter(d => ends(d.value) <= now)
    await Promise.all((old.length || !first ? old : [first]).map(d => this.#documents.remove(COLLECTION, this.#owner, d.id)))
  }
}

/** What a token depends on. */
export const sealOf = ({ credentials, role, created }: AccountRecord): string =>
  digest('sha-256', JSON.stringify([credentials, role ?? '', created])).toString('base64url')

/** No token of the account is worth anything any more. */
export async function revokeTokens(documents: DocumentStore, owner: string): Promise<void> {
  for (const { id } of await documents.range(COLLECTION, owner, { limit: 2 * MOST })) await documents.remove(COLLECTION, owner, id)
}
