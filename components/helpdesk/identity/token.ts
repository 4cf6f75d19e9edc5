// Who a customer is, as his site says it: a signed token (JWT, RFC 7519) that names the site and ends (shell).
import type { CryptoKey, JWTPayload } from 'jose'
import type { Limits } from '../../../server/api.ts'
import { mailAddress } from '../mail/letter.ts'

/** How a site signs. The algorithm belongs to the key: what a token says of itself is never believed. */
export type SiteKey =
  | { readonly alg: 'HS256'; /** At least 32 bytes. */ readonly secret: string }
  /** SPKI in PEM. */
  | { readonly alg: 'ES256' | 'RS256' | 'EdDSA'; readonly publicKey: string }

export interface Identity {
  /** Who he is to the site: the same person has the same one for ever. */
  readonly subject: string
  readonly name?: string
  /** Verified: the site vouches for it. */
  readonly email?: string
  readonly fields: Readonly<Record<string, string>>
  /** When the token ends, in ms since 1970. */
  readonly until: number
  /** The token's own id, if it has one. */
  readonly id?: string
}

export interface Expected {
  /** What `aud` must hold: the site. */
  readonly audience: string
  /** Two while one is being replaced. */
  readonly keys: readonly SiteKey[]
  /** ms since 1970. */
  readonly now: number
  readonly limits: Limits['visitor']
}

const SIZE = 4096 // characters of a token
const LONGEST = 86_400 // seconds from now to its end
const SKEW = 30 // seconds that the site's clock may be ahead
const SECRET = 32 // bytes

/** Says what is wrong with a key, for who enters it. */
export async function wrongKey(key: SiteKey): Promise<string | undefined> {
  if (key.alg === 'HS256') return Buffer.byteLength(key.secret) < SECRET ? `secret: must have at least ${SECRET} bytes` : undefined
  try { await keyOf(key) } catch { return `publicKey: is no public key for ${key.alg}: give it as PEM (BEGIN PUBLIC KEY)` }
  return undefined
}

/** The identity that a token proves. `wrong` is for the log: whoever sent the token hears 401 and nothing else. */
export async function readIdentity(token: string, { audience, keys, now, limits }: Expected): Promise<Identity | { readonly wrong: string }> {
  if (token.length > SIZE) return { wrong: 'the token is too long' }
  let wrong = 'the site has no key'
  for (const key of keys) {
    if (await wrongKey(key) !== undefined) { wrong = 'a key of the site is too weak or no key'; continue }
    try {
      const { jwtVerify } = await import('jose') // when the first token comes: many desks never see one
      const { payload } = await jwtVerify(token, await keyOf(key), { algorithms: [key.alg], audience, requiredClaims: ['exp', 'sub', 'aud'], currentDate: new Date(now), clockTolerance: 0 })
      return read(payload, now, limits)
    } catch (e) {
      wrong = e instanceof Error ? e.message : String(e)
    }
  }
  return { wrong }
}

const keyOf = async (key: SiteKey): Promise<CryptoKey | Uint8Array> => key.alg === 'HS256' ? new TextEncoder().encode(key.secret) : await (await import('jose')).importSPKI(key.publicKey, key.alg)

function read(claims: JWTPayload, now: number, limits: Limits['visitor']): Identity | { readonly wrong: string } {
  const { sub, exp, iat, jti, name, email, email_verified: verified, fields } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > 255) return { wrong: 'sub must have 1 to 255 characters' }
  if (exp === undefined || exp > now / 1000 + LONGEST) return { wrong: 'exp must lie within a day' }
  if (iat !== undefined && iat > now / 1000 + SKEW) return { wrong: 'iat lies ahead' }
  if (name !== undefined && (typeof name !== 'string' || name.trim() === '' || name.length > limits.name)) return { wrong: `name must have 1 to ${limits.name} characters` }
  const address = typeof email === 'string' ? mailAddress(email) : undefined
  if (email !== undefined && address === undefined) return { wrong: 'email is no mail address' }
  const pairs = readFields(fields, limits)
  if (!pairs) return { wrong: `fields must be at most ${limits.variables} texts of at most ${limits.variable} characters` }
  return {
    subject: sub, until: exp * 1000, fields: pairs,
    ...(typeof name === 'string' ? { name } : {}), ...(address !== undefined && verified !== false ? { email: address } : {}), ...(typeof jti === 'string' && jti !== '' ? { id: jti } : {}),
  }
}

function readFields(fields: unknown, limits: Limits['visitor']): Record<string, string> | undefined {
  if (fields === undefined) return {}
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) return undefined
  const pairs = Object.entries(fields).map(([k, v]): [string, unknown] => [k, typeof v === 'number' || typeof v === 'boolean' ? String(v) : v])
  const fit = pairs.length <= limits.variables && pairs.every((p): p is [string, string] => typeof p[1] === 'string' && p[1].length <= limits.variable && p[0].length > 0 && p[0].length <= limits.name)
  return fit ? Object.fromEntries(pairs) as Record<string, string> : undefined // looked at one by one
}
