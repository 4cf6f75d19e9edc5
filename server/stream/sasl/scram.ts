// SCRAM, the server's side (RFC 5802, 7677), with channel binding and the downgrade protection of XEP-0474.
import type { Credentials, ScramKeys } from '../../ports/store.ts'
import { prepareLocal } from '../../stanza/jid.ts'
import { randomText } from '../../net/random.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { DEFAULT_ITERATIONS, digest, hmac, sameOctets, SALT_OCTETS, type Hash } from './credentials.ts'
import { malformed, mayActAs, NOT_AUTHORIZED, utf8, type Mechanism, type Setting, type Step } from './mechanism.ts'
import { readClientFinal, readClientFirst, type ClientFirst } from './scram-message.ts'

export const scramName = (hash: Hash, plus: boolean): string => `SCRAM-${hash.toUpperCase()}${plus ? '-PLUS' : ''}`

/** What is remembered between the client's first and final message. */
interface Exchange {
  readonly user: string
  readonly exists: boolean
  readonly keys: ScramKeys
  readonly nonce: string
  readonly channel: Buffer // what c= has to be: the GS2 header and the channel's data
  readonly soFar: string // client-first-message-bare "," server-first-message
}

export class Scram implements Mechanism {
  readonly name: string
  readonly #hash: Hash
  readonly #plus: boolean
  readonly #setting: Setting
  #state: 'new' | 'waiting' | 'done' | Exchange = 'new'

  constructor(hash: Hash, plus: boolean, setting: Setting) {
    this.name = scramName(hash, plus)
    this.#hash = hash
    this.#plus = plus
    this.#setting = setting
  }

  start(initial?: Uint8Array): Step | Promise<Step> {
    if (this.#state !== 'new') return malformed('begun already')
    this.#state = 'waiting'
    return initial ? this.#first(initial) : { challenge: new Uint8Array() } // RFC 6120 section 6.3.10
  }

  respond(data: Uint8Array): Step | Promise<Step> {
    const state = this.#state
    if (state === 'waiting') return this.#first(data)
    this.#state = 'done'
    return typeof state === 'object' ? this.#final(state, data) : malformed('nothing was asked')
  }

  #first(data: Uint8Array): Step | Promise<Step> {
    this.#state = 'done' // until we have answered
    const text = utf8(data)
    const first = text === undefined ? 'not UTF-8' : readClientFirst(text)
    if (typeof first === 'string') return malformed(first)
    if (this.#plus !== (first.flag === 'p')) {
      // A bare mechanism with p or a -PLUS without it is nothing a client may send; y says that no -PLUS was seen here.
      return first.flag === 'y' ? NOT_AUTHORIZED : malformed('the channel binding flag does not fit the mechanism')
    }
    // RFC 5802 section 6: it was offered, so somebody has cut it out of the list.
    if (first.flag === 'y' && this.#setting.offered.some(name => name.endsWith('-PLUS'))) return NOT_AUTHORIZED
    const channel = this.#channel(first)
    if (!channel) return NOT_AUTHORIZED
    const user = prepareLocal(first.user)
    if (user === undefined) return NOT_AUTHORIZED
    if (!mayActAs(user, this.#setting.host, first.authzid)) return { failure: 'invalid-authzid' }
    const found = this.#setting.lookup(user)
    return found instanceof Promise ? found.then(c => this.#challenge(first, user, channel, c)) : this.#challenge(first, user, channel, found)
  }

  #channel(first: ClientFirst): Buffer | undefined {
    const header = Buffer.from(first.header)
    if (first.flag !== 'p') return header
    const data = this.#setting.bindings.get(first.binding)
    return data && data.length > 0 ? Buffer.concat([header, data]) : undefined
  }

  #challenge(first: ClientFirst, user: string, channel: Buffer, credentials: Credentials | undefined): Step {
    const known = credentials?.[this.#hash]
    const madeUp = this.#madeUp(user) // for those who exist as well: it takes its time
    const keys = known ?? madeUp
    const nonce = first.nonce + (this.#setting.nonce?.() ?? randomText(18))
    const message = `r=${nonce},s=${keys.salt},i=${keys.iterations}` + this.#offerHash()
    this.#state = { user, exists: known !== undefined, keys, nonce, channel, soFar: `${first.bare},${message}` }
    return { challenge: Buffer.from(message) }
  }

  #final(exchange: Exchange, data: Uint8Array): Step {
    const text = utf8(data)
    const final = text === undefined ? 'not UTF-8' : readClientFinal(text)
    if (typeof final === 'string') return malformed(final)
    const channel = decodeBase64(final.binding)
    const proof = decodeBase64(final.proof)
    if (!channel || !proof) return malformed('bad base64 in an attribute')
    if (!sameOctets(channel, exchange.channel) || final.nonce !== exchange.nonce) return NOT_AUTHORIZED
    const message = `${exchange.soFar},${final.withoutProof}`
    const storedKey = Buffer.from(exchange.keys.storedKey, 'base64')
    const signature = hmac(this.#hash, storedKey, message)
    if (proof.length !== signature.length) return NOT_AUTHORIZED
    const clientKey = signature.map((octet, i) => octet ^ (proof[i] ?? 0))
    const proven = sameOctets(digest(this.#hash, clientKey), storedKey)
    const verifier = hmac(this.#hash, Buffer.from(exchange.keys.serverKey, 'base64'), message).toString('base64')
    return proven && exchange.exists ? { success: { user: exchange.user, data: Buffer.from(`v=${verifier}`) } } : NOT_AUTHORIZED
  }

  // Who is not there gets a salt that stays the same and looks like any other; nobody can know the keys to it.
  #madeUp(user: string): ScramKeys {
    const seed = hmac('sha-512', this.#setting.secret, `${this.#hash}\0${this.#setting.host}\0${user}`)
    const key = digest(this.#hash, seed.subarray(SALT_OCTETS)).toString('base64') // the salt tells nothing of it
    return { salt: encodeBase64(seed.subarray(0, SALT_OCTETS)), iterations: this.#setting.iterations ?? DEFAULT_ITERATIONS, storedKey: key, serverKey: key }
  }

  // XEP-0474 section 5.1: what was advertised, signed along with the rest, so that nobody can have shortened it on the way.
  #offerHash(): string {
    const { offered, offeredBindings } = this.#setting
    if (offered.length === 0) return ''
    const lists = offeredBindings ? [offered, offeredBindings] : [offered]
    return `,h=${digest(this.#hash, lists.map(list => [...list].sort().join('\x1E')).join('\x1F')).toString('base64')}`
  }
}
