// Which mechanisms a stream offers, and the run of the one that the client picks.
import { HASHES } from './credentials.ts'
import type { Mechanism, Setting } from './mechanism.ts'
import { Plain } from './plain.ts'
import { Scram, scramName } from './scram.ts'

export interface OfferTerms {
  readonly tls: boolean
  readonly bindings: Iterable<string> // channel-binding types whose data this connection has
  readonly allowPlain: boolean
  readonly plainInClear?: boolean // PLAIN without TLS too: loopback under `require-tls: false`
}

/** Names of the mechanisms to offer, strongest first: with channel binding, without, then PLAIN (RFC 6120 section 13.8). */
export function offered(terms: OfferTerms): string[] {
  const names: string[] = []
  if (terms.tls && [...terms.bindings].length > 0) names.push(...HASHES.map(hash => scramName(hash, true)))
  names.push(...HASHES.map(hash => scramName(hash, false)))
  if (terms.allowPlain && (terms.tls || terms.plainInClear)) names.push('PLAIN')
  return names
}

/** A new run of the named mechanism, or `undefined` if it is not one of `setting.offered`: the stream answers `invalid-mechanism`. */
export function begin(name: string, setting: Setting): Mechanism | undefined {
  if (!setting.offered.includes(name)) return undefined
  if (name === 'PLAIN') return new Plain(setting)
  for (const hash of HASHES) {
    if (name === scramName(hash, false)) return new Scram(hash, false, setting)
    if (name === scramName(hash, true)) return new Scram(hash, true, setting)
  }
  return undefined
}
