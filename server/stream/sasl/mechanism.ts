// What a SASL mechanism is to the stream that carries it (RFC 4422, RFC 6120 section 6): octets in, the next step out.
import type { Bindings } from '../../net/transport.ts'
import { Jid } from '../../stanza/jid.ts'
import type { Credentials } from '../../ports/store.ts'

/** One run of a mechanism. It knows no socket, no element and no store; a failed or finished run is thrown away. */
export interface Mechanism {
  readonly name: string
  /** Begins: with the client's initial response, `undefined` if it sent none (an empty one is an empty array). */
  start(initial?: Uint8Array): Step | Promise<Step>
  /** Goes on with the client's answer to the last challenge. */
  respond(data: Uint8Array): Step | Promise<Step>
}

/** A promise of a step rejects only as the look-up does: the stream then answers `temporary-auth-failure`. */
export type Step =
  | { readonly challenge: Uint8Array }
  | { readonly success: Success }
  | { readonly failure: SaslCondition; readonly text?: string }

export interface Success {
  readonly user: string // prepared localpart
  readonly data?: Uint8Array // additional data with success
  readonly outside?: boolean // an authority outside has said so
}

/** RFC 6120 section 6.5. */
export type SaslCondition =
  | 'aborted' | 'account-disabled' | 'credentials-expired' | 'encryption-required' | 'incorrect-encoding' | 'invalid-authzid'
  | 'invalid-mechanism' | 'malformed-request' | 'mechanism-too-weak' | 'not-authorized' | 'temporary-auth-failure'

/** What a mechanism is given of the stream and the host. */
export interface Setting {
  readonly host: string // prepared domain of the accounts
  /** What is kept for an account's password; `undefined` if there is no such account. */
  lookup(local: string): Credentials | undefined | Promise<Credentials | undefined>
  /** Secret of this server, the same after a restart, at least 32 octets: makes up salts for accounts that do not exist. */
  readonly secret: Uint8Array
  /** Iterations said to accounts that do not exist: those of `makeCredentials`, where other than its default. */
  readonly iterations?: number
  /** Mechanisms as advertised on this stream. */
  readonly offered: readonly string[]
  /** What this connection can be bound to; nothing without TLS. */
  readonly bindings: Bindings
  /** Channel-binding types as advertised on this stream (XEP-0440); absent where none were. */
  readonly offeredBindings?: readonly string[]
  /** Localparts of this host that the client's certificate speaks for; absent where it showed none, empty where it showed one that is no good. */
  readonly certified?: readonly string[]
  /** Makes a guest's account and gives its localpart, undefined where there are too many; absent where the host has no guests. */
  guest?(): Promise<string | undefined>
  /** What an authority outside says of a password; undefined: the store decides. Absent where there is none. */
  password?(local: string, password: string): Promise<Entry> | undefined
  /** What an authority outside says of a bearer token; absent where none takes such. */
  bearer?(token: string): Promise<Entry>
  /** Judges a token of XEP-0484; absent where none is brought. */
  readonly token?: TokenJudge
  /** The server's part of the nonce, printable ASCII without a comma; 144 random bits if absent. */
  nonce?(): string
}

/** Whom an authority outside lets in, or why nobody. */
export type Entry = { readonly user: string } | 'refused' | 'expired' | 'unavailable'

/** What comes of it. */
export function stepFor(entry: Entry): Step {
  if (typeof entry === 'object') return { success: { user: entry.user, outside: true } }
  return { failure: entry === 'refused' ? 'not-authorized' : entry === 'expired' ? 'credentials-expired' : 'temporary-auth-failure' }
}

/**
 * Looks for the token of `user` (prepared) that `proves` holds for, and that is for this mechanism. 'expired': there is one, but its
 * time is over. A promise of it uses the token up as far as its rules have it.
 */
export type TokenJudge = (user: string, mechanism: string, proves: (token: string) => boolean) => Promise<string | 'expired' | undefined>

export const NOT_AUTHORIZED: Step = { failure: 'not-authorized' }
export const malformed = (text: string): Step => ({ failure: 'malformed-request', text })

/** May `user` act as `authzid`? Only as himself, by his bare JID (RFC 6120 section 6.3.8); empty means just that. */
export function mayActAs(user: string, host: string, authzid: string): boolean {
  if (authzid === '') return true
  const jid = Jid.tryParse(authzid)
  return jid !== undefined && jid.isBare && jid.local === user && jid.domain === host
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of UTF-8 octets, or `undefined` if they are none. */
export function utf8(octets: Uint8Array): string | undefined {
  try {
    return UTF8.decode(octets)
  } catch {
    return undefined
  }
}
