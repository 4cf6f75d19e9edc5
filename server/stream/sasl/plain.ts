// PLAIN (RFC 4616), checked against the keys that SCRAM uses, or by whoever keeps the passwords: they themselves are nowhere kept.
import { prepareLocal } from '../../stanza/jid.ts'
import { verifyPassword } from './credentials.ts'
import { malformed, mayActAs, NOT_AUTHORIZED, stepFor, utf8, type Mechanism, type Setting, type Step } from './mechanism.ts'

export class Plain implements Mechanism {
  readonly name = 'PLAIN'
  readonly #setting: Setting
  #state: 'new' | 'waiting' | 'done' = 'new'

  constructor(setting: Setting) {
    this.#setting = setting
  }

  start(initial?: Uint8Array): Step | Promise<Step> {
    if (this.#state !== 'new') return malformed('begun already')
    this.#state = 'waiting'
    return initial ? this.respond(initial) : { challenge: new Uint8Array() } // RFC 6120 section 6.3.10
  }

  respond(data: Uint8Array): Step | Promise<Step> {
    if (this.#state !== 'waiting') return malformed('nothing was asked')
    this.#state = 'done'
    const parts = utf8(data)?.split('\0')
    if (!parts) return malformed('not UTF-8')
    const [authzid, authcid, password] = parts
    if (parts.length !== 3 || authzid === undefined || !authcid || !password) return malformed('not [authzid] NUL authcid NUL passwd')
    const user = prepareLocal(authcid)
    if (user === undefined) return NOT_AUTHORIZED
    if (!mayActAs(user, this.#setting.host, authzid)) return { failure: 'invalid-authzid' }
    return this.#check(user, password)
  }

  async #check(user: string, password: string): Promise<Step> {
    const outside = this.#setting.password?.(user, password)
    if (outside) return stepFor(await outside)
    const credentials = await this.#setting.lookup(user)
    return (await verifyPassword(credentials, password, this.#setting.iterations)) ? { success: { user } } : NOT_AUTHORIZED
  }
}
