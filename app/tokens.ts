// REST tokens: made once, shown once, kept as a hash; what one may do is what its account may do, cut by its scopes.
import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../server/ports/clock.ts'
import type { Role, Stores } from '../server/ports/store.ts'

const COLLECTION = 'token' // documents owned by the host, by the token's hash
const PAGE = 500

export interface TokenRecord {
  readonly jid: string // bare, prepared
  readonly created: number // ms since 1970
  readonly expires?: number // ms since 1970
  readonly scopes?: readonly string[] // absent: all that the account may do
}

export interface TokenEntry extends TokenRecord { readonly id: string }

/** Makes a token for the account `local@host`; the text is given out here and nowhere again. */
export async function makeToken(stores: Stores, host: string, record: TokenRecord): Promise<{ text: string; id: string }> {
  const text = `dbt_${randomBytes(32).toString('base64url')}`
  const id = hash(text)
  await stores.documents.put<TokenRecord>(COLLECTION, host, id, record, 0)
  return { text, id }
}

/** All tokens of a host, or those of one of its accounts. */
export async function listTokens(stores: Stores, host: string, jid?: string): Promise<TokenEntry[]> {
  const found: TokenEntry[] = []
  for (let after = ''; ;) {
    const page = await stores.documents.range<TokenRecord>(COLLECTION, host, { ...(after && { after }), limit: PAGE })
    for (const { id, value } of page) if (jid === undefined || value.jid === jid) found.push({ ...value, id })
    const last = page.at(-1)
    if (!last || page.length < PAGE) return found
    after = last.id
  }
}

export async function removeToken(stores: Stores, host: string, id: string): Promise<void> {
  await stores.documents.remove(COLLECTION, host, id)
}

/** Says whom a token speaks for at this host; `undefined` for one that is unknown or over, or whose account is gone, disabled or another by now. */
export function tokenReader(stores: Stores, host: string, clock: Clock) {
  return async (text: string): Promise<{ jid: string; name?: string; role?: Role; scopes?: readonly string[] } | undefined> => {
    const token = (await stores.documents.get<TokenRecord>(COLLECTION, host, hash(text)))?.value
    if (!token || (token.expires !== undefined && token.expires <= clock.now())) return undefined
    const account = await stores.accounts.find(host, token.jid.slice(0, token.jid.indexOf('@')))
    if (!account || account.disabled || account.created > token.created) return undefined
    const { name, role } = account
    return { jid: token.jid, ...(name !== undefined && { name }), ...(role && { role }), ...(token.scopes && { scopes: token.scopes }) }
  }
}

// A token is 256 random bits: a plain hash keeps it, there is nothing to guess.
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
