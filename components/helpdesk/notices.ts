// What the bot tells an operator: to his clients, and to whoever listens for him elsewhere (shell).
import { el, Jid, type Link } from '../../server/api.ts'
import { RESOURCE } from './addresses.ts'
import type { Bare } from './facts.ts'
import { MARK } from './sentences.ts'
import { chat } from './stanzas.ts'

export interface Told { readonly to: Bare; readonly text: string; readonly urgent: boolean }

export class Notices {
  readonly #link: Link
  readonly #bot: Jid
  readonly onTold: ((t: Told) => void)[] = []
  constructor(link: Link) { this.#link = link; this.#bot = Jid.of('desk', link.domain, RESOURCE) }

  /** `keep`: also for who is not there now; `urgent`: with a buzz (XEP-0224). */
  tell(to: Bare, text: string, { keep = true, urgent = false }: { readonly keep?: boolean; readonly urgent?: boolean } = {}): void {
    this.#link.send(chat(this.#bot, Jid.parse(to), MARK + text, { keep, ...(urgent ? { more: [el('attention', 'urn:xmpp:attention:0')] } : {}) }))
    for (const f of this.onTold) f({ to, text, urgent })
  }
}
