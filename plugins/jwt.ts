// JWT and OpenID Connect: tokens of an issuer let in, by OAUTHBEARER (RFC 7628) or in a password's place.
import type { JSONWebKeySet, JWTPayload, JWTVerifyOptions } from 'jose'
import { Jid, note, plugin, prepareLocal, type Authority, type Finding, type Host, type Role } from '../server/api.ts'

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] // with a public key
const SHARED = ['HS256', 'HS384', 'HS512'] // with a shared secret: never with a key that everybody may read
const TOLERANCE = 60_000 // ms that clocks may differ
const PATIENCE = 5_000 // ms for an answer
const FRESH = 600_000 // ms after which the keys are read again
const PAUSE = 30_000 // ms between two readings of the keys, however many tokens name one that is not among them
const SESSION = 86_400_000 // ms after a login for which its session is good
const MINUTE = 60_000 // ms
const LOOKS = 24 // at sessions, while one of them lasts
const OLD = 'old logins' // the job
const LARGEST = 262_144 // octets of what is fetched
const LONGEST = 16_384 // characters of a token
const TRIED = 8 // keys, where a token does not say which is its own
const ROLES: readonly Role[] = ['admin', 'manager', 'agent'] // the highest that fits is taken

type Jose = typeof import('jose') // read where a host has an issuer: most have none
type Keys = ReturnType<Jose['createLocalJWKSet']>

/** As the config has it. */
interface Options {
  readonly issuer: string
  readonly audience: string
  /** Where the keys are; absent: where the issuer's discovery document says (OpenID Connect Discovery 1.0 section 4). */
  readonly keys?: string
  /** Shared with the issuer instead of keys. */
  readonly secret?: string
  readonly algorithms?: readonly string[]
  /** The claim that holds the name before the @, or the whole address. */
  readonly user?: string
  readonly name?: string
  readonly roles?: { readonly claim?: string } & Readonly<Partial<Record<Role, string>>>
  readonly tolerance?: number // ms
  readonly password?: boolean
  readonly create?: boolean
  readonly session?: number // ms; Infinity: without end
}

const provedAt = note<number | undefined>('proved at', undefined) // on a device: ms since 1970

/** Authentication by tokens of one issuer, beside the host's passwords. */
export const jwt = plugin('jwt', async (host, options) => {
  if (typeof options['issuer'] !== 'string') return
  const wanted = options as unknown as Options // the config's schema has looked at it
  const jose = await import('jose')
  const issuer = new Issuer(host, wanted, jose)
  const authority: Authority = {
    name: 'jwt', keepsPasswords: false, enrols: wanted.create !== false,
    bearer: token => issuer.judge(token),
    ...(wanted.password !== false && {
      password: (local, password) => looksLikeToken(password, jose)
        ? issuer.judge(password).then(found => typeof found === 'object' && found.local !== local ? 'refused' : found)
        : undefined,
    }),
  }
  host.authorities.push(authority)

  // An issuer is not asked whether it still knows somebody: whoever is here by its word alone has to show a new token in time.
  const { session = SESSION } = wanted
  if (!Number.isFinite(session)) { await host.jobs.cancel(OLD); return }
  for (const moment of ['bound', 'attached'] as const) host.when(moment, device => device.set(provedAt, host.clock.now()))
  host.jobs.define(OLD, async () => {
    const now = host.clock.now()
    for (const account of host.accounts.all) {
      if (account.record.authority !== authority.name) continue
      for (const device of [...account.resources.values()]) {
        const at = device.get(provedAt) ?? now // what slept over a restart counts from here
        device.set(provedAt, at)
        if (now - at >= session) device.end('not-authorized', 'Your login is too old: log in again.')
      }
    }
  })
  await host.jobs.every(OLD, Math.max(MINUTE, Math.ceil(session / LOOKS)))
})

class Issuer {
  readonly #host: Host
  readonly #o: Options
  readonly #jose: Jose
  readonly #verify: JWTVerifyOptions
  #keys: { readonly at: number; readonly find: Keys } | undefined
  #reading: Promise<void> | undefined
  #triedAt = -Infinity
  constructor(host: Host, options: Options, jose: Jose) {
    this.#host = host
    this.#o = options
    this.#jose = jose
    const { issuer, audience, secret, algorithms = secret === undefined ? ALGORITHMS : SHARED, tolerance = TOLERANCE } = options
    const mine = secret === undefined ? ALGORITHMS : SHARED // RFC 8725 sections 3.1 and 3.2: never the algorithm that the token would like
    this.#verify = { issuer, audience, algorithms: algorithms.filter(a => mine.includes(a)), clockTolerance: tolerance / 1000, requiredClaims: ['exp'] }
  }

  async judge(token: string): Promise<Finding> {
    const { errors } = this.#jose
    if (token.length > LONGEST) return 'refused'
    try {
      return this.#whom(await this.#claims(token))
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired'
      if (error instanceof errors.JOSEError || error instanceof TypeError) return 'refused'
      this.#host.log.error({ domain: this.#host.domain, err: error }, 'the issuer of tokens cannot be asked for its keys')
      return 'unavailable'
    }
  }

  async #claims(token: string): Promise<JWTPayload> {
    const verify = { ...this.#verify, currentDate: new Date(this.#host.clock.now()) }
    const { secret } = this.#o
    if (secret !== undefined) return (await this.#jose.jwtVerify(token, Buffer.from(secret), verify)).payload
    const now = this.#host.network.now()
    if (!this.#keys || now - this.#keys.at > FRESH) await this.#read()
    const ours = this.#keys
    try {
      return await verified(token, ours!.find, verify, this.#jose) // reading rejects where there are none
    } catch (error) {
      if (!(error instanceof this.#jose.errors.JWKSNoMatchingKey) || now - ours!.at < PAUSE) throw error
      await this.#read() // the issuer has changed them
      return verified(token, this.#keys!.find, verify, this.#jose)
    }
  }

  /** Reads the keys, once for all who wait. Where that fails those we have serve on; rejects where there are none. */
  async #read(): Promise<void> {
    const { network, log, domain } = this.#host
    if (!this.#reading && network.now() - this.#triedAt >= (this.#keys ? PAUSE : 0)) {
      this.#triedAt = network.now()
      this.#reading = this.#fetchKeys().finally(() => { this.#reading = undefined })
    }
    try { await this.#reading } catch (error) {
      if (!this.#keys) throw error
      log.warn({ domain, err: error }, 'the keys of the issuer of tokens cannot be read again: those of before count on')
    }
  }

  async #fetchKeys(): Promise<void> {
    const { issuer, keys } = this.#o
    const set = await this.#get(keys ?? await this.#discovered(issuer)) as JSONWebKeySet // createLocalJWKSet looks at it
    this.#keys = { at: this.#host.network.now(), find: publicKeys(set, this.#jose) }
  }

  async #discovered(issuer: string): Promise<string> {
    const document = await this.#get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`) as { issuer?: unknown; jwks_uri?: unknown } | null
    if (document?.issuer !== issuer) throw new Error('the discovery document is of another issuer') // section 4.3
    if (typeof document.jwks_uri !== 'string' || !isTrustworthy(document.jwks_uri)) throw new Error('the discovery document names no jwks_uri that begins with https')
    return document.jwks_uri
  }

  async #get(url: string): Promise<unknown> {
    const { network } = this.#host
    const stop = new AbortController()
    const late = network.alarm(network.now() + PATIENCE, () => stop.abort(new Error(`${url} does not answer`)))
    try {
      const answer = await fetch(url, { redirect: 'error', signal: stop.signal, headers: { accept: 'application/json' } })
      if (!answer.ok || !answer.body) throw new Error(`${url} answers ${answer.status}`)
      const parts: Uint8Array[] = []
      let size = 0
      for await (const part of answer.body) {
        if ((size += part.length) > LARGEST) throw new Error(`${url} gives more than ${LARGEST} octets`)
        parts.push(part)
      }
      return JSON.parse(Buffer.concat(parts).toString()) as unknown
    } catch (error) {
      throw new Error(`${url} cannot be read`, { cause: error }) // never a TypeError: that would be the token's fault
    } finally { late[Symbol.dispose]() }
  }

  #whom(claims: JWTPayload): Finding {
    const { user = 'sub', name, roles } = this.#o
    const text = claims[user]
    const local = typeof text === 'string' ? localOf(text, this.#host.domain) : undefined
    if (local === undefined) return 'refused'
    const called = name === undefined ? undefined : claims[name]
    return { local, ...(typeof called === 'string' && called.trim() && { name: called.trim().slice(0, 80) }), ...(roles && { role: roleOf(claims[roles.claim ?? 'groups'], roles) ?? null }) }
  }
}

/** 'anna', or 'anna@' and this host; nobody else's address. */
function localOf(text: string, domain: string): string | undefined {
  if (!text.includes('@')) return prepareLocal(text)
  const jid = Jid.tryParse(text)
  return jid?.isBare && jid.domain === domain && jid.local !== '' ? jid.local : undefined
}

function roleOf(claim: unknown, roles: Readonly<Partial<Record<Role, string>>>): Role | undefined {
  const held: readonly unknown[] = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(' ') : []
  return ROLES.find(role => roles[role] !== undefined && held.includes(roles[role]))
}

/** The keys that anybody may have: a shared one in such a list would not be one (RFC 8725 section 2.1). */
function publicKeys(set: JSONWebKeySet, { createLocalJWKSet }: Jose): Keys {
  try {
    return createLocalJWKSet({ keys: set.keys.filter(key => key.kty !== 'oct') })
  } catch (error) { throw new Error('this is no list of keys', { cause: error }) }
}

/** By the key that the token names, or by one of those that fit its algorithm (RFC 7515 section 6: `kid` is optional). */
async function verified(token: string, find: Keys, verify: JWTVerifyOptions, { jwtVerify, errors }: Jose): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, find, verify)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    let left = TRIED
    for await (const key of error) {
      if (left-- === 0) break
      try { return (await jwtVerify(token, key, verify)).payload } catch (e) { if (!(e instanceof errors.JWSSignatureVerificationFailed)) throw e }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** By TLS, or on this machine. */
const isTrustworthy = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))
}

/** Three parts, of which the first is a header: nobody chooses such a password. */
function looksLikeToken(text: string, { decodeProtectedHeader }: Jose): boolean {
  if (text.split('.').length !== 3) return false
  try { return decodeProtectedHeader(text).alg !== undefined } catch { return false }
}
