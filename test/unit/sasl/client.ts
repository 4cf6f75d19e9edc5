// The client's side of SCRAM as the RFC's formulas have it, and the setting of a server: what the tests of this folder share.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { makeCredentials, type Hash } from '../../../server/stream/sasl/credentials.ts'
import type { Setting, Step } from '../../../server/stream/sasl/mechanism.ts'
import type { Credentials } from '../../../server/ports/store.ts'

export const octets = (text: string): Buffer => Buffer.from(text)

/** The challenge or the success data of a step, as text. */
export const said = (step: Step): string =>
  'challenge' in step ? Buffer.from(step.challenge).toString() : 'success' in step ? Buffer.from(step.success.data ?? []).toString() : ''

/** The condition of a failure; 'none' if it is none. */
export const failure = (step: Step): string => ('failure' in step ? step.failure : 'none')

let anna: Promise<Credentials> | undefined

/** A server with the one account anna, password "pencil". */
export async function setting(change: Partial<Setting> = {}): Promise<Setting> {
  const credentials = await (anna ??= makeCredentials('pencil', { iterations: 4096 }))
  return {
    host: 'example.org',
    lookup: local => (local === 'anna' ? credentials : undefined),
    secret: octets('a secret that is the same after a restart'),
    iterations: 4096,
    offered: ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'],
    bindings: new Map(),
    ...change,
  }
}

/** The client's final message for what the server said, and the server's signature that it expects. */
export function finish(hash: Hash, bare: string, serverFirst: string, cbind: Uint8Array, password: string, extra = ''): { final: string; verifier: string } {
  const name = hash.replace('-', '')
  const hmac = (key: Uint8Array, data: string): Buffer => createHmac(name, key).update(data).digest()
  const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(serverFirst) ?? []
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), createHash(name).digest().length, name)
  const withoutProof = `c=${Buffer.from(cbind).toString('base64')},r=${nonce}${extra}`
  const message = `${bare},${serverFirst},${withoutProof}`
  const clientKey = hmac(salted, 'Client Key')
  const signature = hmac(createHash(name).update(clientKey).digest(), message)
  const proof = Buffer.from(clientKey.map((octet, i) => octet ^ signature[i]!))
  return { final: `${withoutProof},p=${proof.toString('base64')}`, verifier: `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}` }
}
