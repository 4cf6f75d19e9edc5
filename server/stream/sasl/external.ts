// EXTERNAL (RFC 4422 appendix A) for clients with certificates, by the addresses in them (RFC 6120 section 13.7.2.1, XEP-0178 section 2).
import { Jid } from '../../stanza/jid.ts'
import { malformed, NOT_AUTHORIZED, utf8, type Mechanism, type Setting, type Step } from './mechanism.ts'

export class External implements Mechanism {
  readonly name = 'EXTERNAL'
  readonly #setting: Setting
  #state: 'new' | 'waiting' | 'done' = 'new'

  constructor(setting: Setting) {
    this.#setting = setting
  }

  start(initial?: Uint8Array): Step {
    if (this.#state !== 'new') return malformed('begun already')
    this.#state = 'waiting'
    return initial ? this.respond(initial) : { challenge: new Uint8Array() } // RFC 6120 section 6.3.10
  }

  respond(data: Uint8Array): Step {
    if (this.#state !== 'waiting') return malformed('nothing was asked')
    this.#state = 'done'
    const authzid = utf8(data)
    if (authzid === undefined || authzid.includes('\0')) return malformed('not UTF-8')
    const named = this.#setting.certified ?? []
    const [user] = named
    if (user === undefined) return NOT_AUTHORIZED
    if (authzid === '') return named.length === 1 ? { success: { user } } : { failure: 'invalid-authzid', text: 'The certificate names several addresses: say which.' }
    const jid = Jid.tryParse(authzid)
    return jid?.isBare && jid.domain === this.#setting.host && named.includes(jid.local) ? { success: { user: jid.local } } : { failure: 'invalid-authzid' }
  }
}
