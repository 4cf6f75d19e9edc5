// REST tokens: made once, shown once, kept as a hash; what one may do is what its account may do, cut by its scopes.
import { createHash, randomBytes } from 'node:crypto'
import type { TokenKeeper, TokenView } from '../server/component/component.ts'
import type { Clock } from '../server/ports/clock.ts'
import type { AccountRecord, Role, Stores } from '../server/ports/store.ts'
import { Jid } from '../server/stanza/jid.ts'
import { everyDocument } from '../server/store/pages.ts'
import { verifyPassword } from '../server/stream/sasl/credentials.ts'

const COLLECTION = 'token' // documents owned by the host, by the token's hash
const BY_OWNER = 'token-of' // which tokens an account has: empty documents owned by the account, by the token's hash
const BORROWED = 3_600_000 // ms that a session may last whose password another keeps: a directory, an issuer
const SESSIONS = 50 // of one account; the oldest makes room

export interface TokenRecord {
  readonly jid: string // bare, prepared
  readonly created: number // ms since 1970
  readonly expires?: number // ms since 1970
  readonly scopes?: readonly string[] // absent: all that the account may do
  readonly label?: string // what its owner calls it
  readonly seal?: string // of the password it was given for: with another one it is over
}

export interface TokenEntry extends TokenRecord { readonly id: string }

/** Makes a token for the account `local@host`; the text is given out here and nowhere again. */
export async function makeToken(stores: Stores, host: string, record: TokenRecord): Promise<{ text: string; id: string }> {
  const text = `dbt_${randomBytes(32).toString('base64url')}`
  const id = hash(text)
  await stores.documents.put(BY_OWNER, record.jid, id, {}) // first: what names no token is harmless
  await stores.documents.put<TokenRecord>(COLLECTION, host, id, record, 0)
  return { text, id }
}

/** All tokens of a host, or those of one of its accounts, among all that there are. */
export async function listTokens(stores: Stores, host: string, jid?: string): Promise<TokenEntry[]> {
  const found: TokenEntry[] = []
  for await (const { id, value } of everyDocument<TokenRecord>(stores.documents, COLLECTION, host)) if (jid === undefined || value.jid === jid) found.push({ ...value, id })
  return found
}

/** Those of one account, of which alone it reads. */
async function tokensOf(stores: Stores, host: string, jid: string): Promise<TokenEntry[]> {
  const found: TokenEntry[] = []
  for await (const { id } of everyDocument(stores.documents, BY_OWNER, jid)) {
    const token = await stores.documents.get<TokenRecord>(COLLECTION, host, id)
    if (token?.value.jid === jid) found.push({ ...token.value, id })
  }
  return found
}

export async function removeToken(stores: Stores, host: string, id: string): Promise<void> {
  const token = await stores.documents.get<TokenRecord>(COLLECTION, host, id)
  await stores.documents.remove(COLLECTION, host, id)
  if (token) await stores.documents.remove(BY_OWNER, token.value.jid, id)
}

/** Says whom a token speaks for at this host; `undefined` for one that is unknown or over, or whose account is gone, disabled or another by now. */
export function tokenReader(stores: Stores, host: string, clock: Clock) {
  return async (text: string): Promise<{ id: string; jid: string; name?: string; role?: Role; scopes?: readonly string[] } | undefined> => {
    const id = hash(text)
    const token = (await stores.documents.get<TokenRecord>(COLLECTION, host, id))?.value
    if (!token || isOver(token, clock)) return undefined
    const account = await stores.accounts.find(host, localOf(token.jid))
    if (!account || account.disabled || account.created > token.created || (token.seal !== undefined && token.seal !== sealOf(account))) return undefined
    const { name, role } = account
    return { id, jid: token.jid, ...(name !== undefined && { name }), ...(role && { role }), ...(token.scopes && { scopes: token.scopes }) }
  }
}

/** Whom an authority outside lets in with a password; undefined: it is the store's affair. */
type Outside = (local: string, password: string) => Promise<{ readonly user: string } | string> | undefined

/** Signs accounts of `host` in. `iterations` of new passwords: what a name without an account costs; `ended` is told when tokens are over. */
export function tokenKeeper(stores: Stores, host: string, clock: Clock, iterations?: number, ended: () => void = () => {}, outside: Outside = () => undefined): TokenKeeper {
  const own = async (jid: string): Promise<TokenEntry[]> => (await tokensOf(stores, host, jid)).filter(t => !isOver(t, clock))
  return {
    async signIn(jid, password) {
      const at = Jid.tryParse(jid)
      const asked = at?.local && at.domain === host ? outside(at.local, password) : undefined
      const entry = await asked
      if (entry === 'unavailable') return entry
      const account = at?.local && at.domain === host ? await stores.accounts.find(host, at.local) : undefined
      const proved = asked ? typeof entry === 'object' : await verifyPassword(account?.credentials, password, iterations)
      if (!proved || !account || !at || account.disabled) return undefined
      return { jid: at.bare, ...(account.role && { role: account.role }), seal: sealOf(account), ...(asked && { longest: BORROWED }) }
    },
    async begin({ jid, seal }, more) {
      const sessions = (await own(jid)).filter(t => t.seal !== undefined).sort((a, b) => b.created - a.created)
      const old = sessions.slice(SESSIONS - 1)
      for (const { id } of old) await removeToken(stores, host, id)
      if (old.length > 0) ended()
      return makeToken(stores, host, { jid, seal, created: clock.now(), ...more })
    },
    list: async jid => (await own(jid)).sort((a, b) => b.created - a.created).map(view),
    async end(jid, id) {
      if ((await stores.documents.get<TokenRecord>(COLLECTION, host, id))?.value.jid !== jid) return false
      await removeToken(stores, host, id)
      ended()
      return true
    },
    async sweep() {
      for (const t of await listTokens(stores, host)) {
        if (isOver(t, clock)) await removeToken(stores, host, t.id)
        else if (!await stores.documents.get(BY_OWNER, t.jid, t.id)) await stores.documents.put(BY_OWNER, t.jid, t.id, {}) // made before there was this list
      }
    },
  }
}

const view = ({ id, created, expires, scopes, label, seal }: TokenEntry): TokenView =>
  ({ id, created, ...(expires !== undefined && { expires }), ...(scopes && { scopes }), ...(label !== undefined && { label }), session: seal !== undefined })
const isOver = ({ expires }: TokenRecord, clock: Clock): boolean => expires !== undefined && expires <= clock.now()
const localOf = (jid: string): string => jid.slice(0, jid.indexOf('@'))
/** Another one with every password. */
const sealOf = ({ credentials, created }: AccountRecord): string => hash(JSON.stringify([credentials, created]))

// A token is 256 random bits: a plain hash keeps it, there is nothing to guess.
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
