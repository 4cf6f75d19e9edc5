// Which mechanisms a stream offers, and the run of the one that the client picks.
import { Anonymous } from './anonymous.ts'
import { HASHES } from './credentials.ts'
import { External } from './external.ts'
import { HashedToken, hashedTokens } from './ht.ts'
import { OauthBearer } from './oauthbearer.ts'
import type { Mechanism, Setting } from './mechanism.ts'
import { Plain } from './plain.ts'
import { Scram, scramName } from './scram.ts'

export interface OfferTerms {
  readonly tls: boolean
  readonly bindings: Iterable<string> // channel-binding types whose data this connection has
  readonly allowPlain: boolean
  readonly plainInClear?: boolean // PLAIN without TLS too: loopback under `require-tls: false`
  readonly certified?: boolean // the client's certificate speaks for an account here
  readonly guests?: boolean // guests and nobody else
  readonly passwordsElsewhere?: boolean // no mechanism that needs keys of ours, and no password in the clear
  readonly bearer?: boolean // somebody takes tokens
}

/** Names of the mechanisms to offer, strongest first: EXTERNAL, with channel binding, without, then tokens and PLAIN (RFC 6120 sections 6.3.3 and 13.8). A host of guests has ANONYMOUS alone (SEC-T13). */
export function offered(terms: OfferTerms): string[] {
  if (terms.guests) return ['ANONYMOUS']
  const bearer = terms.bearer && terms.tls ? ['OAUTHBEARER'] : [] // RFC 7628 section 4
  if (terms.passwordsElsewhere) return terms.tls ? [...bearer, 'PLAIN'] : []
  const names: string[] = []
  if (terms.certified) names.push('EXTERNAL')
  if (terms.tls && [...terms.bindings].length > 0) names.push(...HASHES.map(hash => scramName(hash, true)))
  names.push(...HASHES.map(hash => scramName(hash, false)), ...bearer)
  if (terms.allowPlain && (terms.tls || terms.plainInClear)) names.push('PLAIN')
  return names
}

/**
 * A new run of the named mechanism, or `undefined` if it is not one of `setting.offered`: the stream answers `invalid-mechanism`.
 * A certificate that is no good makes EXTERNAL fail, not unknown; a token may come where one is brought.
 */
export function begin(name: string, setting: Setting): Mechanism | undefined {
  if (name === 'EXTERNAL' && setting.certified && !setting.guest) return new External(setting)
  if (setting.token && hashedTokens([...setting.bindings.keys()]).includes(name)) return new HashedToken(name, setting)
  if (!setting.offered.includes(name)) return undefined
  if (name === 'PLAIN') return new Plain(setting)
  if (name === 'OAUTHBEARER') return new OauthBearer(setting)
  if (name === 'ANONYMOUS') return new Anonymous(setting)
  for (const hash of HASHES) {
    if (name === scramName(hash, false)) return new Scram(hash, false, setting)
    if (name === scramName(hash, true)) return new Scram(hash, true, setting)
  }
  return undefined
}
