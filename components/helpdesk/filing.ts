// From a conversation to a ticket: the whole public transcript, exactly once, and closed only when it is there (shell).
import { randomUUID } from 'node:crypto'
import { queueName } from './config.ts'
import { Refused, type Bare, type Filing as Filed, type Present } from './facts.ts'
import type { Ground } from './ground.ts'
import { publicLine } from './lines.ts'
import type { Notice } from './policy.ts'
import { short } from './sentences.ts'
import { ChosenTickets } from './tickets/chosen.ts'
import type { Tickets } from './tickets/port.ts'
import { articleText } from './transcripts/text.ts'
import type { Fetcher } from './webhooks/fetcher.ts'

type Under = Pick<Ground, 'book' | 'config' | 'customers' | 'operators' | 'rules' | 'link' | 'domain' | 'mail' | 'now' | 'later' | 'secret'>

export class Filing {
  readonly #o: Under
  tickets: Tickets
  constructor(ground: Under, errands: () => Fetcher) {
    this.#o = ground
    this.tickets = new ChosenTickets(ground, errands)
  }

  /** Gives the ticket's number, or says why the conversation stays open. */
  async file(n: number, by: Bare, target: number | undefined): Promise<number | Refused> {
    if (target !== undefined && !await this.tickets.get(target)) return new Refused(`There is no ticket ${target}; the conversation stays open.`)
    const failed = this.#failed(n)
    // Tried again, it is the same attempt: what arrived without an answer is not made twice.
    const started = await this.#o.book.give(n, { do: 'file', by, key: failed && failed.target === target ? failed.key : randomUUID(), ticket: target, force: this.#o.operators.may(by, 'chat.act.others', this.#queueOf(n)) })
    return started instanceof Refused ? started : this.#write(n)
  }

  /** The public transcript as it stands now. */
  async text(n: number): Promise<string> {
    const { book, customers } = this.#o
    const s = await book.state(n)
    if (s.is === 'absent') return ''
    return articleText({ number: n, queue: queueName(this.#o.config, s.queue), customer: (await customers.byId(s.customer))?.name ?? 'Customer' }, (await book.lines.all(n, s.lines)).flatMap(publicLine))
  }

  #failed(n: number): Filed | undefined { const s = this.#o.book.states.get(n); return s && s.is !== 'absent' && s.filing?.is === 'failed' ? s.filing : undefined }
  #queueOf(n: number): string | undefined { const s = this.#o.book.states.get(n); return s && s.is !== 'absent' ? s.queue : undefined }

  /** After a start: goes on with what a crash cut short, and tells who asked for it. */
  resume(tell: (n: number, s: Present, to: Bare, what: Notice) => void): void {
    this.#o.later(() => this.tickets.resume())
    for (const [n, s] of this.#o.book.states) {
      if (s.is === 'absent' || s.filing?.is !== 'started') continue
      const { by } = s.filing
      this.#o.later(async () => {
        const ticket = await this.#write(n)
        tell(n, s, by, ticket instanceof Refused ? { is: 'filing failed' } : { is: 'filed', ticket })
      })
    }
  }

  async #write(n: number): Promise<number | Refused> {
    const { book, customers, link } = this.#o
    const s = book.states.get(n)
    if (!s || s.is === 'absent' || s.filing?.is !== 'started') return new Refused('No ticket is being written.')
    const { key, by, target } = s.filing
    const customer = await customers.byId(s.customer)
    const name = customer?.name ?? 'Customer'
    try {
      for (;;) {
        const now = book.states.get(n)
        if (!now || now.is === 'absent') return new Refused('The conversation is closed.')
        const lines = (await book.lines.all(n, now.lines)).flatMap(publicLine)
        const article = { key, at: this.#o.now, by, conversation: n, body: articleText({ number: n, queue: queueName(this.#o.config, s.queue), customer: name }, lines) }
        const subject = short(lines.find(l => l.who === 'customer')?.body ?? `Conversation ${n}`)
        const ticket = target ?? await this.tickets.open({ subject, queue: s.queue, customer: name, ...(customer?.email === undefined ? {} : { email: customer.email }) }, article)
        if (target !== undefined && await this.tickets.append(target, article) === 'missing') throw new Error(`there is no ticket ${target}`)
        const done = await book.give(n, { do: 'filed', key, ticket, through: now.shown })
        if (!(done instanceof Refused)) return ticket // else the customer has said more, and it belongs into the ticket too
      }
    } catch (error) {
      link.log.warn({ err: error, conversation: n }, 'a ticket could not be written')
      await book.give(n, { do: 'filing failed', key })
      return new Refused('The ticket could not be written; the conversation stays open.')
    }
  }
}
