// Customers who keep a queue as a contact see by its presence whether somebody is there (shell).
import { Jid, Stanza } from '../../server/api.ts'
import type { Addresses } from './addresses.ts'
import { queueName } from './config.ts'
import type { Office } from './office.ts'
import { absence, presence } from './stanzas.ts'

const COLLECTION = 'desk-watchers'
const PAGE = 1000
const MOST = 100_000 // of one queue

export class Watchers {
  readonly #office: Office
  readonly #at: Addresses
  readonly #of = new Map<string, Set<string>>()
  readonly #told = new Map<string, boolean>()
  constructor(office: Office, at: Addresses) { this.#office = office; this.#at = at }

  async open(): Promise<void> {
    for (const queue of this.#office.config.queues.keys()) {
      if (this.#of.has(queue)) continue
      const all = new Set<string>()
      for (let after: string | undefined; ;) {
        const page = await this.#office.link.stores.documents.range<true>(COLLECTION, this.#owner(queue), { limit: PAGE, ...(after === undefined ? {} : { after }) })
        for (const d of page) all.add(d.id)
        after = page.at(-1)?.id
        if (page.length < PAGE) break
      }
      this.#of.set(queue, all)
    }
  }
  #owner(queue: string): string { return `${this.#office.domain}/${queue}` }

  /** Everybody may look; the answer comes when it is kept. */
  async add(queue: string, who: Jid): Promise<void> {
    const all = this.#of.get(queue)
    const answer = (type: 'subscribed' | 'unsubscribed'): void => this.#office.link.send(Stanza.of('presence', { type, from: this.#at.queue(queue).toBare(), to: who.toBare() }))
    if (!all || (!all.has(who.bare) && all.size >= MOST)) { answer('unsubscribed'); return }
    all.add(who.bare)
    await this.#office.link.stores.documents.put(COLLECTION, this.#owner(queue), who.bare, true)
    answer('subscribed')
    // Who lets the desk see when he is here can be begun with.
    if (this.#office.operators.all().some(p => this.#office.operators.may(p.jid, 'chat.start.customer'))) this.#office.link.send(Stanza.of('presence', { type: 'subscribe', from: this.#at.queue(queue).toBare(), to: who.toBare() }))
    this.greet(queue, who.toBare())
  }
  async remove(queue: string, who: Jid): Promise<void> {
    if (!this.#of.get(queue)?.delete(who.bare)) return
    await this.#office.link.stores.documents.remove(COLLECTION, this.#owner(queue), who.bare)
    this.#office.link.send(Stanza.of('presence', { type: 'unsubscribed', from: this.#at.queue(queue).toBare(), to: who.toBare() }))
  }

  /** Somebody looks at no queue any more. */
  async forget(jid: string): Promise<void> { for (const queue of this.#of.keys()) await this.remove(queue, Jid.parse(jid)) }

  has(queue: string, who: Jid): boolean { return this.#of.get(queue)?.has(who.bare) === true }
  greet(queue: string, to: Jid): void {
    if (!this.#of.get(queue)?.has(to.bare) && !(this.#office.operators.has(to.bare) && this.#office.rules.now.roster.queues)) return
    const from = this.#at.queue(queue)
    this.#office.link.send(this.#office.isOpen(queue) ? presence(from, to, { status: queueName(this.#office.config, queue) }) : absence(from, to))
  }

  /** Tells those who look at a queue that has opened or closed. */
  tell(): void {
    for (const [queue, all] of this.#of) {
      if (!this.#office.hasQueue(queue)) { this.#of.delete(queue); continue }
      const open = this.#office.isOpen(queue)
      if (this.#told.get(queue) === open) continue
      this.#told.set(queue, open)
      for (const jid of all) this.greet(queue, Jid.parse(jid))
      if (this.#office.rules.now.roster.queues) for (const jid of this.#office.operators.of(queue)) if (!all.has(jid) && this.#office.operators.devices(jid).length > 0) this.greet(queue, Jid.parse(jid))
    }
  }
}
