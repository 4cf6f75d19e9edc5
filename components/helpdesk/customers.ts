// Who the customers are: erasable records behind the ids that the log knows (shell).
import { randomUUID } from 'node:crypto'
import type { DocumentStore } from '../../server/api.ts'
import type { Bare, Priority } from './facts.ts'

export interface Customer {
  readonly id: string
  readonly jid: string
  readonly name: string
  /** Speaks the desk's own namespace (schemas/desk-namespace.md): a bridge speaks for him. */
  readonly bridged: boolean
  /** A plain client without an account (XEP-0175): one of the public. */
  readonly guest?: boolean
  /** The queue's address he wrote to with a plain client: answers come from there. */
  readonly contact?: string
  readonly page?: string
  /** The network address he came from last, and the language of his browser. */
  readonly address?: string
  readonly language?: string
  /** What his site has signed about him beside. */
  readonly claims?: Readonly<Record<string, string>>
  readonly email?: string
  /** Who looks after this customer, and how urgent all of the customer's conversations are: from the card. */
  readonly manager?: Bare
  readonly priority?: Priority
  /** When he began his last conversation, in ms since 1970. */
  readonly seen?: number
  /** The site has signed who this is. */
  readonly verified?: boolean
  /** His newest conversation, and who served the last one. */
  readonly last?: number
  readonly agent?: string
}

/** Who is logged in somewhere is a customer: an XMPP account, or a page whose site has signed who it is; others are the public. */
export const kindOf = (c: Customer): 'customer' | 'public' => c.guest === true || (c.bridged && c.verified !== true) ? 'public' : 'customer'

const BY_ID = 'desk-customers'
const BY_JID = 'desk-customer-ids'
const LOOKS = 20 // at remembered ones, for one that nobody needs
const REMEMBERED = 10_000

export class Customers {
  readonly #documents: DocumentStore
  readonly #desk: string
  readonly #known = new Map<string, Customer>()
  readonly #ids = new Map<string, string>()
  /** Whose records must stay at hand: those of open conversations. */
  inUse: (id: string) => boolean = () => false
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  async byId(id: string): Promise<Customer | undefined> {
    const known = this.#known.get(id)
    if (known) return known
    const found = await this.#documents.get<Customer>(BY_ID, this.#desk, id)
    if (found) this.#remember(found.value)
    return found?.value
  }
  /** Of those loaded or seen since the start; conversations that are open have theirs loaded. */
  known(id: string): Customer | undefined { return this.#known.get(id) }

  async byJid(jid: string): Promise<Customer | undefined> {
    const known = this.#ids.get(jid)
    if (known !== undefined && this.#known.has(known)) return this.#known.get(known)
    const id = await this.#documents.get<string>(BY_JID, this.#desk, jid)
    return id && this.byId(id.value)
  }

  /** Finds or makes the record of who has this address, and keeps what is new about him. */
  async meet(jid: string, news: Partial<Omit<Customer, 'id' | 'jid'>> & { name: string; bridged: boolean }): Promise<Customer> {
    const old = await this.byJid(jid)
    if (old && !differs(old, news)) return old
    return this.#keep({ ...(old ?? { id: randomUUID(), jid }), ...news }, old === undefined)
  }
  async note(id: string, news: Partial<Omit<Customer, 'id' | 'jid'>>): Promise<void> {
    const old = await this.byId(id)
    if (old && differs(old, news)) await this.#keep({ ...old, ...news }, false)
  }

  /** In the order of their ids. */
  async page({ after, limit }: { after?: string | undefined; limit: number }): Promise<Customer[]> {
    return (await this.#documents.range<Customer>(BY_ID, this.#desk, { limit, ...(after === undefined ? {} : { after }) })).map(f => f.value)
  }

  /** Forgets one; gives how many records went. */
  async remove(id: string): Promise<number> {
    const old = await this.byId(id)
    if (!old) return 0
    this.#known.delete(id)
    this.#ids.delete(old.jid)
    const gone = await Promise.all([this.#documents.remove(BY_ID, this.#desk, id), this.#documents.remove(BY_JID, this.#desk, old.jid)])
    return gone.filter(g => g === 'ok').length
  }

  async #keep(c: Customer, isNew: boolean): Promise<Customer> {
    this.#remember(c)
    await Promise.all([this.#documents.put(BY_ID, this.#desk, c.id, c), ...(isNew ? [this.#documents.put(BY_JID, this.#desk, c.jid, c.id)] : [])])
    return c
  }
  #remember(c: Customer): void {
    this.#known.delete(c.id)
    this.#known.set(c.id, c)
    this.#ids.set(c.jid, c.id)
    if (this.#known.size <= REMEMBERED) return
    let looks = LOOKS
    for (const [id, one] of this.#known) {
      this.#known.delete(id)
      if (!this.inUse(id)) { this.#ids.delete(one.jid); break }
      this.#known.set(id, one) // to the end: others are looked at next time
      if (--looks === 0) break
    }
  }
}

const differs = (old: Customer, news: Partial<Customer>): boolean => Object.entries(news).some(([k, v]) => old[k as keyof Customer] !== v)
