// A client made with @xmpp/client, the library that most bots on Node use.
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { client, type Client } from '@xmpp/client'
import { parse, type Element } from 'ltx'
import { PATIENCE } from '../harness/patience.ts'
import type { Server } from './server.ts'

/** Somebody logged in over STARTTLS, whose lines are kept until a test asks for them. */
export class Script implements AsyncDisposable {
  readonly #client: Client
  readonly #heard: Element[] = []
  readonly #waiting = new Set<() => void>()

  private constructor(c: Client) {
    this.#client = c
    c.on('stanza', s => { this.#heard.push(s); for (const look of this.#waiting) look() })
    c.on('error', () => {}) // what it fails at, the test will miss
  }

  static async login(server: Server, local: string, password: string): Promise<Script> {
    tls.setDefaultCACertificates([readFileSync(server.certificate, 'utf8')]) // the library takes no certificates itself
    const c = client({ service: `xmpp://127.0.0.1:${server.port}`, domain: 'localhost', username: local, password, resource: 'script', timeout: 120_000 }) // unless told otherwise it waits two seconds for each answer
    c.reconnect.stop()
    const script = new Script(c)
    await c.start()
    await script.says('<presence/>')
    return script
  }

  async says(xml: string): Promise<void> { await this.#client.send(parse(xml)) }

  async writes(to: string, text: string): Promise<void> {
    const message = parse(`<message type='chat' to='${to}'><body/></message>`)
    message.getChild('body')!.t(text)
    await this.#client.send(message)
  }

  /** The first message not asked for yet whose body fits. */
  async hears(text: RegExp | string): Promise<Element> {
    return this.finds(s => { const body = s.getChildText('body'); return body !== null && (typeof text === 'string' ? body === text : text.test(body)) }, String(text))
  }

  async finds(fits: (stanza: Element) => boolean, what: string, patience = PATIENCE): Promise<Element> {
    return new Promise((found, missed) => {
      const look = (): boolean => {
        const i = this.#heard.findIndex(fits)
        if (i < 0) return false
        clearTimeout(late)
        this.#waiting.delete(look)
        found(this.#heard.splice(i, 1)[0]!)
        return true
      }
      const late = setTimeout(() => { this.#waiting.delete(look); missed(new Error(`should hear ${what}, but heard:\n${this.#heard.map(String).join('\n')}`)) }, patience)
      if (!look()) this.#waiting.add(look)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> { await this.#client.stop().catch(() => {}) }
}
