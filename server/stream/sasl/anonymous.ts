// ANONYMOUS (RFC 4505, XEP-0175): whoever comes is a guest with a name of ours. What the client says of itself is read for its form only.
import { malformed, utf8, type Mechanism, type Setting, type Step } from './mechanism.ts'

export class Anonymous implements Mechanism {
  readonly name = 'ANONYMOUS'
  readonly #setting: Setting
  #done = false

  constructor(setting: Setting) {
    this.#setting = setting
  }

  /** Nothing is asked for where nothing came: XEP-0175 section 4 has no challenge. */
  start(trace: Uint8Array = new Uint8Array()): Step | Promise<Step> {
    if (this.#done) return malformed('begun already')
    this.#done = true
    const text = utf8(trace)
    if (text === undefined || [...text].length > LONGEST || /\p{Cc}/u.test(text)) return malformed('no trace information')
    return this.#welcome()
  }

  respond(): Step { return malformed('nothing was asked') }

  async #welcome(): Promise<Step> {
    const user = await this.#setting.guest?.()
    return user === undefined ? { failure: 'temporary-auth-failure', text: 'Too many guests.' } : { success: { user } }
  }
}

const LONGEST = 255 // characters (section 2)
