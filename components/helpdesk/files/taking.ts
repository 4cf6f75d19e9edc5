// Files of customers on web pages: a place for one of a conversation that goes on, and the line by which it is handed over (SS-08, ST-55; shell).
import { el, refuse, StanzaError, type Element } from '../../../server/api.ts'
import type { Customer } from '../customers.ts'
import type { Office } from '../office.ts'
import { isOver } from '../states.ts'
import { NS } from '../stanzas.ts'
import { fits, takesFiles } from './allowed.ts'
import type { FileFacts } from './links.ts'
import { Seal } from './seal.ts'

const LIFE = 3_600_000 // ms from the slot to the line
const NAME = 500 // characters; storage makes it plain

/** What was promised a place: for whom, in which conversation, and where it lies. */
interface Promised { readonly customer: string; readonly n: number; readonly url: string; readonly name: string; readonly size: number; readonly type?: string }

export class Taking {
  readonly #o: Office
  #seal: Promise<Seal> | undefined
  constructor(office: Office) { this.#o = office }

  /** A place for one file of this customer. */
  async slot(customer: Customer, n: number, q: Element): Promise<Element | StanzaError> {
    const { storage, rules, book, bans, now } = this.#o
    const { name = '', size = '', type, site } = q.attrs
    const s = await book.state(n)
    if (bans.bans(customer.jid, customer.address, now)) return refuse('forbidden', 'You may not chat here.')
    const source = (await this.#o.dossiers.get(n)).source
    if (!storage || !takesFiles(rules.now, source?.site ?? site)) return refuse('not-allowed', 'Files are not taken here.')
    if (s.is === 'absent' || isOver(s)) return refuse('not-acceptable', 'The conversation is over.')
    if (name === '' || name.length > NAME || !/^[1-9]\d{0,14}$/.test(size)) return refuse('bad-request', 'A name and a size are needed.')
    if (!fits(type ?? 'application/octet-stream', rules.now.conversation.fileTypes)) return refuse('not-acceptable', 'Files of this type are not taken here.')
    const slot = await storage.slot({ jid: customer.jid, as: 'visitor', address: customer.address }, { name, size: Number(size), type })
    if ('wrong' in slot) return refuse('not-acceptable', slot.wrong)
    const file = (await this.#sealed()).close('customer', now + LIFE, { customer: customer.id, n, url: slot.get, name, size: Number(size), ...(type === undefined ? {} : { type }) } satisfies Promised)
    return el('slot', NS.desk, { conversation: String(n), put: slot.put, file }, ...Object.entries(slot.headers).map(([header, value]) => el('header', NS.desk, { name: header }, value)))
  }

  /** The line that hands over what lies there now. */
  async said(customer: Customer, n: number, word: string): Promise<{ readonly body: string; readonly file: FileFacts } | StanzaError> {
    const promised = (await this.#sealed()).read<Promised>('customer', word, this.#o.now)
    if (!promised || promised.customer !== customer.id || promised.n !== n) return refuse('item-not-found', 'There is no such file.')
    const { url, name, size, type } = promised
    const there = await this.#o.storage?.file(url)
    if (there === undefined || there === 'not there') return refuse('not-acceptable', 'The file did not arrive whole.')
    return { body: url, file: typeof there === 'object' ? there : { name, size, ...(type === undefined ? {} : { type }) } }
  }

  #sealed(): Promise<Seal> { return this.#seal ??= Seal.open(this.#o.link.stores.documents, this.#o.domain) }
}
