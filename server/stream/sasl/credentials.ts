// What is kept instead of a password (RFC 5802 section 3): salted keys for every SCRAM hash, made and checked off the event loop.
import { hash as hashOnce, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Credentials, ScramKeys } from '../../ports/store.ts'
import { whenNeeded } from '../../stanza/rare.ts'

const rfc4013 = whenNeeded<typeof import('@mongodb-js/saslprep')>('@mongodb-js/saslprep')

/** The hashes of the SCRAM mechanisms, strongest first. */
export const HASHES = ['sha-512', 'sha-256', 'sha-1'] as const
export type Hash = (typeof HASHES)[number]

export const DEFAULT_ITERATIONS = 10_000
export const MINIMUM_ITERATIONS = 4_096 // RFC 5802 section 5.1
export const SALT_OCTETS = 16

/** Octets that each hash gives. */
export const HASH_OCTETS: Readonly<Record<Hash, number>> = { 'sha-1': 20, 'sha-256': 32, 'sha-512': 64 }

/** Keys for a new password, each hash with its own random salt. Throws `TypeError` for a password that cannot be one, `RangeError` below 4,096 iterations. */
export async function makeCredentials(password: string, { iterations = DEFAULT_ITERATIONS } = {}): Promise<Credentials> {
  const prepared = preparePassword(password)
  if (prepared === undefined) throw new TypeError('a password is 1 to 1023 octets without control characters')
  if (!Number.isInteger(iterations) || iterations < MINIMUM_ITERATIONS) throw new RangeError(`fewer than ${MINIMUM_ITERATIONS} iterations`)
  const entries = await Promise.all(HASHES.map(async hash => [hash, await makeKeys(hash, prepared, randomBytes(SALT_OCTETS), iterations)] as const))
  return Object.fromEntries(entries)
}

/** The keys of one hash for a prepared password. */
export async function makeKeys(hash: Hash, prepared: string, salt: Uint8Array, iterations: number): Promise<ScramKeys> {
  const salted = await stretch(prepared, salt, iterations, HASH_OCTETS[hash], digestName(hash))
  return {
    salt: Buffer.from(salt).toString('base64'),
    iterations,
    storedKey: digest(hash, hmac(hash, salted, 'Client Key')).toString('base64'),
    serverKey: hmac(hash, salted, 'Server Key').toString('base64'),
  }
}

/**
 * Is this the password? The work is that of one hash, done in the thread pool. Without credentials, for an account that does not
 * exist, the answer is no and costs the same (with `iterations`, the default of new passwords).
 */
export async function verifyPassword(credentials: Credentials | undefined, password: string, iterations = DEFAULT_ITERATIONS): Promise<boolean> {
  const prepared = preparePassword(password)
  if (prepared === undefined) return false
  const hash = CHECKED.find(h => credentials?.[h]) ?? CHECKED[0]
  const keys = credentials?.[hash] ?? { salt: NO_SALT, iterations, storedKey: '', serverKey: '' }
  const found = await makeKeys(hash, prepared, Buffer.from(keys.salt, 'base64'), keys.iterations)
  return sameOctets(Buffer.from(found.storedKey, 'base64'), Buffer.from(keys.storedKey, 'base64'))
}

/** A password as it is hashed, or `undefined` where it cannot be one. SASLprep as a query: characters newer than Unicode 3.2 are let through. */
export function preparePassword(password: string): string | undefined {
  let prepared = password
  if (/[^\x20-\x7E]/.test(password)) {
    try {
      prepared = rfc4013().saslprep(password, { allowUnassigned: true })
    } catch {
      return undefined
    }
  }
  return prepared !== '' && Buffer.byteLength(prepared) <= 1023 ? prepared : undefined
}

/** Compares secrets in a time that tells nothing of them, but for their lengths. */
export const sameOctets = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)

/** RFC 2104. By hand, as two one-shot hashes: node's own HMAC objects cost four times as much, and a login makes several. */
export function hmac(hash: Hash, key: Uint8Array, data: string | Uint8Array): Buffer {
  const block = hash === 'sha-512' ? 128 : 64
  const text = typeof data === 'string' ? Buffer.from(data) : data
  const short = key.length > block ? digest(hash, key) : key
  const inner = Buffer.alloc(block + text.length, 0x36)
  const outer = Buffer.alloc(block + HASH_OCTETS[hash], 0x5c)
  for (let i = 0; i < short.length; i++) { inner[i] = short[i]! ^ 0x36; outer[i] = short[i]! ^ 0x5c } // i < length
  inner.set(text, block)
  outer.set(digest(hash, inner), block)
  return digest(hash, outer)
}
export const digest = (hash: Hash, data: string | Uint8Array): Buffer => hashOnce(digestName(hash), data, 'buffer')

const stretch = promisify(pbkdf2)
const digestName = (hash: Hash): string => hash.replace('-', '')
const CHECKED: readonly [Hash, ...Hash[]] = ['sha-256', 'sha-1', 'sha-512'] // the quickest first: all are kept alike
const NO_SALT = Buffer.alloc(SALT_OCTETS).toString('base64')
