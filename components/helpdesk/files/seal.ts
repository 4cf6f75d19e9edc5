// Short words that only this desk can have said: signed, and over after a while (shell).
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { DocumentStore } from '../../../server/api.ts'

const SECRETS = 'secret'

export class Seal {
  readonly #secret: Uint8Array
  private constructor(secret: Uint8Array) { this.#secret = secret }

  /** With the desk's own secret, made at the first time. */
  static async open(documents: DocumentStore, desk: string): Promise<Seal> {
    for (;;) {
      const kept = await documents.get<string>(SECRETS, desk, 'files')
      if (kept) return new Seal(Buffer.from(kept.value, 'base64'))
      await documents.put(SECRETS, desk, 'files', randomBytes(32).toString('base64'), 0)
    }
  }

  /** `what` is for: the same words are not taken for another purpose. */
  close(what: string, until: number, said: object): string {
    const body = Buffer.from(JSON.stringify({ ...said, until })).toString('base64url')
    return `${body}.${this.#sign(what, body)}`
  }

  /** What was said, if it was said by us and is not over. */
  read<T extends object>(what: string, word: string, now: number): (T & { readonly until: number }) | undefined {
    const [body, signature, ...rest] = word.split('.')
    if (!body || !signature || rest.length > 0) return undefined
    const [right, given] = [Buffer.from(this.#sign(what, body)), Buffer.from(signature)]
    if (right.length !== given.length || !timingSafeEqual(right, given)) return undefined
    const said = JSON.parse(Buffer.from(body, 'base64url').toString()) as T & { until: number } // signed by us: what we wrote
    return said.until > now ? said : undefined
  }

  #sign(what: string, body: string): string { return createHmac('sha256', this.#secret).update(`${what}\n${body}`).digest('base64url') }
}
