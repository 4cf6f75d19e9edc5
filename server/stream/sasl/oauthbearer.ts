// OAUTHBEARER (RFC 7628): a token of an issuer outside (RFC 6750) says who somebody is. Over TLS alone.
import { malformed, mayActAs, NOT_AUTHORIZED, stepFor, utf8, type Mechanism, type Setting, type Step } from './mechanism.ts'

export class OauthBearer implements Mechanism {
  readonly name = 'OAUTHBEARER'
  readonly #setting: Setting
  #state: 'new' | 'waiting' | 'refused' | 'done' = 'new'

  constructor(setting: Setting) {
    this.#setting = setting
  }

  start(initial?: Uint8Array): Step | Promise<Step> {
    if (this.#state !== 'new') return malformed('begun already')
    this.#state = 'waiting'
    return initial ? this.respond(initial) : { challenge: new Uint8Array() } // RFC 6120 section 6.3.10
  }

  respond(data: Uint8Array): Step | Promise<Step> {
    const state = this.#state
    this.#state = 'done'
    if (state === 'refused') return NOT_AUTHORIZED // section 3.2.3: whatever is said to the error
    if (state !== 'waiting') return malformed('nothing was asked')
    const said = read(data)
    return typeof said === 'string' ? malformed(said) : this.#check(said)
  }

  async #check({ authzid, token }: Said): Promise<Step> {
    const entry = token === '' ? 'refused' : await this.#setting.bearer?.(token) ?? 'refused' // section 4.3: an empty one asks what there is
    if (typeof entry === 'object') return mayActAs(entry.user, this.#setting.host, authzid) ? stepFor(entry) : { failure: 'invalid-authzid' }
    if (entry === 'unavailable') return stepFor(entry)
    this.#state = 'refused'
    return { challenge: Buffer.from(JSON.stringify({ status: 'invalid_token' })) } // section 3.2.2
  }
}

interface Said { readonly authzid: string; readonly token: string }

/** Section 3.1: the GS2 header, then key=value pairs, each ended by \x01, and one \x01 more; or what is wrong with it. */
function read(data: Uint8Array): Said | string {
  const text = utf8(data)
  if (text === undefined) return 'not UTF-8'
  const [, authzid = '', pairs] = /^[ny],(?:a=([^,]*))?,\x01((?:[A-Za-z]+=[^\x00\x01]*\x01)*)\x01$/.exec(text) ?? [] // eslint-disable-line no-control-regex -- they are the grammar
  if (pairs === undefined) return 'not gs2-header kvsep *kvpair kvsep'
  if (/=(?!2C|3D)/.test(authzid)) return 'not a saslname'
  const given = pairs.split('\x01').filter(pair => pair.startsWith('auth='))
  const [, token] = /^auth=Bearer +([A-Za-z0-9\-._~+/]*=*)$/i.exec(given[0] ?? '') ?? []
  if (given[0] === 'auth=') return { authzid: '', token: '' }
  return given.length === 1 && token !== undefined ? { authzid: authzid.replaceAll('=2C', ',').replaceAll('=3D', '='), token } : 'not one auth=Bearer and a token'
}
