// HT-SHA-256-*, hashed tokens (draft-schmaus-kitten-sasl-ht-09), which XEP-0484 logs in with: one message, mutual proof, no password.
import { prepareLocal } from '../../stanza/jid.ts'
import { hmac, sameOctets } from './credentials.ts'
import { malformed, NOT_AUTHORIZED, utf8, type Mechanism, type Setting, type Step } from './mechanism.ts'

// Strongest first: '' is no binding at all, for browsers.
const BINDINGS: Readonly<Record<string, string>> = { 'HT-SHA-256-EXPR': 'tls-exporter', 'HT-SHA-256-ENDP': 'tls-server-end-point', 'HT-SHA-256-NONE': '' }

/** The mechanisms that a connection with these channel-binding types can have, strongest first. */
export const hashedTokens = (bindings: readonly string[]): string[] =>
  Object.keys(BINDINGS).filter(name => BINDINGS[name] === '' || bindings.includes(BINDINGS[name]!)) // a key of it

export class HashedToken implements Mechanism {
  readonly name: string
  readonly #setting: Setting
  #state: 'new' | 'waiting' | 'done' = 'new'

  constructor(name: string, setting: Setting) {
    this.name = name
    this.#setting = setting
  }

  start(initial?: Uint8Array): Step | Promise<Step> {
    if (this.#state !== 'new') return malformed('begun already')
    this.#state = 'waiting'
    return initial ? this.respond(initial) : { challenge: new Uint8Array() }
  }

  respond(data: Uint8Array): Step | Promise<Step> {
    if (this.#state !== 'waiting') return malformed('nothing was asked')
    this.#state = 'done'
    const end = data.indexOf(0)
    const authcid = end > 0 ? utf8(data.subarray(0, end)) : undefined
    if (authcid === undefined || end + 1 >= data.length) return malformed('not authcid NUL hashed-token')
    const user = prepareLocal(authcid)
    return user === undefined ? NOT_AUTHORIZED : this.#check(user, data.subarray(end + 1))
  }

  async #check(user: string, claimed: Uint8Array): Promise<Step> {
    const type = BINDINGS[this.name] ?? ''
    const channel = type === '' ? new Uint8Array() : this.#setting.bindings.get(type)
    if (channel === undefined) return NOT_AUTHORIZED
    const of = (side: 'Initiator' | 'Responder', token: string): Buffer => hmac('sha-256', Buffer.from(token), Buffer.concat([Buffer.from(side), channel]))
    const found = await this.#setting.token?.(user, this.name, token => sameOctets(of('Initiator', token), claimed))
    if (found === undefined) return NOT_AUTHORIZED
    return found === 'expired' ? { failure: 'credentials-expired' } : { success: { user, data: of('Responder', found) } } // XEP-0484 section 4.2
  }
}
