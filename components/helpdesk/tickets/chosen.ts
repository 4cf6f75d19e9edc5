// The tickets of the desk wherever the settings say they are kept: here, in a system behind REST, or in one that is mailed to (shell).
// What another system was given is kept here, too: lists and links need no errand.
import type { Ground } from '../ground.ts'
import { mailAddress } from '../mail/letter.ts'
import { BuiltinTickets } from './builtin.ts'
import type { Fetcher } from '../webhooks/fetcher.ts'
import type { Article, SplitOff, Ticket, Tickets } from './port.ts'
import { RestTickets } from './rest.ts'

/** What was sent under a key. A started one may have arrived or not. */
interface Sent { readonly is: 'started' | 'done'; readonly number?: number; readonly body: string; /** absent in what was noted long ago */ readonly conversation?: number }
type Head = Pick<Ticket, 'subject' | 'queue' | 'customer' | 'email'>

type Under = Pick<Ground, 'rules' | 'link' | 'domain' | 'mail' | 'now' | 'secret'>
const SENT = 'desk-tickets-sent'
const PAGE = 500

export class ChosenTickets implements Tickets {
  readonly #o: Under
  readonly #own: BuiltinTickets
  readonly #remote: RestTickets
  readonly #turns = new Map<string, Promise<unknown>>()
  constructor(ground: Under, errands: () => Fetcher) {
    this.#o = ground
    this.#own = new BuiltinTickets(ground.link.stores.documents, ground.domain)
    this.#remote = new RestTickets(errands, () => { const t = ground.rules.now.tickets; return { ...t, url: t.url ?? '', authorization: ground.secret(t.authorization) } })
  }

  open(ticket: Head, article: Article): Promise<number> {
    return this.#inTurn(article.key, async () => {
      switch (this.#o.rules.now.tickets.kind) {
        case 'builtin': return this.#own.open(ticket, article)
        case 'mail': {
          const number = await this.#own.open(ticket, article)
          await this.#mail(number, ticket.subject, article)
          return number
        }
        case 'rest': return this.#create(ticket, article)
      }
    })
  }

  append(number: number, article: Article): Promise<'ok' | 'missing'> {
    return this.#inTurn(article.key, async () => {
      const { kind } = this.#o.rules.now.tickets
      const known = await this.#own.get(number)
      if (kind !== 'rest') {
        if (!known) return 'missing'
        if (kind === 'mail') await this.#mail(number, known.subject, article)
        return this.#own.append(number, article)
      }
      if (!known && !await this.#remote.exists(number)) return 'missing'
      const subject = known?.subject ?? `Ticket ${number}`
      await this.#add(number, subject, article)
      await this.#own.keep(number, { subject, queue: known?.queue ?? '', customer: known?.customer ?? '' }, article)
      return 'ok'
    })
  }

  async get(number: number): Promise<Ticket | undefined> {
    const known = await this.#own.get(number)
    if (known || this.#o.rules.now.tickets.kind !== 'rest') return known
    return await this.#remote.exists(number).catch(() => false) ? { number, subject: `Ticket ${number}`, queue: '', customer: '', opened: this.#o.now, articles: [] } : undefined
  }
  list(page: { before?: number | undefined; limit: number }): Promise<Omit<Ticket, 'articles'>[]> { return this.#own.list(page) }
  change(number: number, news: { readonly subject?: string; readonly status?: string }, expected?: number): Promise<number | 'missing' | 'conflict'> { return this.#own.change(number, news, expected) }
  merge(number: number, into: number): Promise<'ok' | 'missing'> { return this.#own.merge(number, into) }
  async split(number: number, off: SplitOff): Promise<number | 'missing' | 'unknown' | 'all' | 'elsewhere'> { return this.#o.rules.now.tickets.kind === 'builtin' ? this.#own.split(number, off) : 'elsewhere' }
  of(conversation: number): Promise<Ticket[]> { return this.#own.of(conversation) }
  resume(): Promise<void> { return this.#own.resume() }
  async forget(conversation: number, names?: (text: string) => boolean): Promise<number> {
    await this.#forgetSent((s, key) => s.conversation === conversation || key === `end-${conversation}` || ((s.conversation ?? 0) === 0 && names?.(s.body) === true), true)
    return this.#own.forget(conversation, names)
  }
  async about(names: (text: string, about?: number) => boolean, remove: boolean): Promise<number> {
    return await this.#forgetSent(s => (s.conversation ?? 0) === 0 && names(s.body), remove) + await this.#own.about(names, remove)
  }
  /** What was noted of what other systems were given; gives how many there are. */
  async #forgetSent(isTheirs: (s: Sent, key: string) => boolean, remove: boolean): Promise<number> {
    const { documents } = this.#o.link.stores
    let found = 0
    for (let after: string | undefined; ;) {
      const page = await documents.range<Sent>(SENT, this.#o.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) if (isTheirs(value, id)) { found++; if (remove) await documents.remove(SENT, this.#o.domain, id) }
      after = page.at(-1)?.id
      if (page.length < PAGE) return found
    }
  }

  /** Makes a ticket in the other system, once: what was begun under this key is looked for first. */
  async #create(ticket: Head, article: Article): Promise<number> {
    const before = await this.#sent(article.key)
    if (before?.is === 'done' && before.number !== undefined) {
      if (before.body !== article.body) await this.#rest(before.number, ticket.subject, before.body, article)
      await this.#own.keep(before.number, ticket, article)
      return before.number
    }
    const found = before && await this.#remote.find(article.key)
    await this.#note(article.key, { is: 'started', body: article.body, conversation: article.conversation })
    const number = found ?? await this.#remote.create(ticket, article)
    await this.#note(article.key, { is: 'done', number, body: article.body, conversation: article.conversation })
    await this.#own.keep(number, ticket, article)
    return number
  }
  async #add(number: number, subject: string, article: Article): Promise<void> {
    const before = await this.#sent(article.key)
    if (before?.is === 'done') { if (before.body !== article.body) await this.#rest(number, subject, before.body, article); return }
    await this.#note(article.key, { is: 'started', body: article.body, conversation: article.conversation })
    await this.#remote.append(number, subject, article)
    await this.#note(article.key, { is: 'done', number, body: article.body, conversation: article.conversation })
  }
  /** What was said since the article was sent: another system’s articles cannot be taken back. */
  async #rest(number: number, subject: string, before: string, article: Article): Promise<void> {
    const old = before.trimEnd()
    const more = article.body.startsWith(old) ? article.body.slice(old.length).trimStart() : article.body
    await this.#remote.append(number, subject, { ...article, key: `${article.key}-${article.body.length}`, body: more })
    await this.#note(article.key, { is: 'done', number, body: article.body, conversation: article.conversation })
  }

  async #mail(number: number, subject: string, article: Article): Promise<void> {
    const to = mailAddress(this.#o.rules.now.tickets.mailTo)
    if (!this.#o.mail || to === undefined) throw new Error('tickets go by mail, and there is no mail server or no address')
    const before = await this.#sent(article.key)
    if (before?.body === article.body) return
    const key = before ? `ticket-${article.key}-${article.body.length}` : `ticket-${article.key}`
    const posted = await this.#o.mail.send({ kind: 'notice', to, subject: `[#${number}] ${subject}`.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').slice(0, 250), text: article.body, key })
    if (posted.is === 'refused') throw new Error(posted.because)
    await this.#note(article.key, { is: 'done', number, body: article.body, conversation: article.conversation })
  }

  async #sent(key: string): Promise<Sent | undefined> { return (await this.#o.link.stores.documents.get<Sent>(SENT, this.#o.domain, key))?.value }
  async #note(key: string, sent: Sent): Promise<void> { await this.#o.link.stores.documents.put(SENT, this.#o.domain, key, sent) }

  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(work, work)
    this.#turns.set(key, turn)
    void turn.catch(() => {}).finally(() => { if (this.#turns.get(key) === turn) this.#turns.delete(key) })
    return turn
  }
}
