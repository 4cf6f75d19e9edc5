// Threads of agents as contacts: each is an address to which its members write (shell).
import { Jid, type Message } from '../../server/api.ts'
import type { Addresses } from './addresses.ts'
import type { Bare } from './facts.ts'
import type { Office } from './office.ts'
import { MARK, short } from './sentences.ts'
import { chat } from './stanzas.ts'
import { relatedText, type Related, type Thread, type ThreadLine } from './threads.ts'
import { parse } from './words.ts'

export class Talks {
  readonly #office: Office
  readonly #at: Addresses
  constructor(office: Office, at: Addresses) { this.#office = office; this.#at = at }

  /** Begins, or goes on; who has not accepted yet hears that he is asked. */
  async begin(by: Bare, who: readonly Bare[], text: string, related: Related | undefined, id?: string): Promise<Thread> {
    const t = await this.#office.threads.begin(by, who, related, this.#office.now)
    for (const jid of Object.keys(t.members)) this.#office.touchRoster(jid)
    await this.#office.rosterNow(by)
    await this.#say(t.n, by, text, id)
    for (const [jid, as] of Object.entries(t.members)) {
      if (jid === by || as === 'in') continue
      await this.#office.rosterNow(jid)
      const about = relatedText(t.related)
      this.#tell(t.n, jid, `${this.#office.operators.name(by)} wants to talk with ${people(this.#office, t, jid)}${about === '' ? '' : ` (${about})`}: “${short(text, 500)}” — write back or !a to accept, !r to pass${t.related ? ', !review to read it' : ''}`)
    }
    return t
  }

  /** What a member writes to the thread's address. */
  async message(m: Message, n: number): Promise<'unknown' | undefined> {
    const by = m.from?.bare
    const body = m.child('body')?.text ?? ''
    const t = this.#office.threads.get(n)
    if (by === undefined || t?.members[by] === undefined) return 'unknown'
    if (body.trim() === '') return undefined
    const parsed = parse(body, 'bot')
    if (/^[!/]{1,2}review$/i.test(body.trim())) { this.#tell(n, by, await this.#review(t)); return undefined }
    if (parsed.is === 'refused') { this.#tell(n, by, parsed.because); return undefined }
    if (parsed.is === 'command') {
      if (parsed.command.handler === 'accept') await this.stand(n, by, 'in')
      else if (parsed.command.handler === 'decline') await this.stand(n, by, 'out')
      else this.#tell(n, by, 'Here one talks with colleagues: !a accepts, !r passes, !review reads what it is about. Other commands go to the bot.')
      return undefined
    }
    await this.write(n, by, parsed.text, m.head.id)
    return undefined
  }

  /** A member writes, and comes in with it. */
  async write(n: number, by: Bare, text: string, id: string | undefined): Promise<void> {
    await this.#enter(n, by)
    await this.#say(n, by, text, id)
  }
  /** A member accepts, or passes. */
  async stand(n: number, by: Bare, as: 'in' | 'out'): Promise<void> {
    if (as === 'in') return this.#enter(n, by)
    if (await this.#office.threads.stand(n, by, 'out')) { this.#tell(n, by, 'Passed on. Write here whenever you want to come in all the same.'); this.#others(n, by, `${this.#office.operators.name(by)} has passed.`) }
  }

  /** Who comes in reads what was said before. */
  async #enter(n: number, by: Bare): Promise<void> {
    if (!await this.#office.threads.stand(n, by, 'in')) return
    this.#office.touchRoster(by)
    const t = this.#office.threads.get(n)
    for (const l of await this.#office.threads.lines(n)) if (t && l.by !== by) this.#line(t, by, l, true)
    this.#others(n, by, `${this.#office.operators.name(by)} has accepted.`)
  }

  async #say(n: number, by: Bare, text: string, id: string | undefined): Promise<void> {
    const line = await this.#office.threads.say(n, { at: this.#office.now, by, name: this.#office.operators.name(by), body: text, ...(id === undefined ? {} : { id }) })
    const t = this.#office.threads.get(n)
    if (!line || !t) return
    const others = Object.entries(t.members).filter(([jid]) => jid !== by)
    for (const [jid, as] of others) if (as === 'in') this.#line(t, jid, line, false)
    if (line.seq > 1 && !others.some(([, as]) => as === 'in')) this.#tell(n, by, 'Kept; nobody has accepted yet.')
  }

  #line(t: Thread, to: Bare, l: ThreadLine, late: boolean): void {
    const text = Object.keys(t.members).length > 2 ? `${l.name}: ${l.body}` : l.body
    this.#office.link.send(chat(this.#at.thread(t.n), Jid.parse(to), text, { id: `im${t.n}-${l.seq}`, delayed: late ? l.at : undefined }))
  }
  #others(n: number, by: Bare, text: string): void { for (const [jid, as] of Object.entries(this.#office.threads.get(n)?.members ?? {})) if (jid !== by && as === 'in') this.#tell(n, jid, text) }
  #tell(n: number, to: Bare, text: string): void { this.#office.link.send(chat(this.#at.thread(n), Jid.parse(to), MARK + text)) }

  async #review(t: Thread): Promise<string> {
    if (t.related?.kind === 'conversation') return (await this.#office.filing.text(t.related.number)) || `There is no conversation #${t.related.number}.`
    const ticket = t.related ? await this.#office.filing.tickets.get(t.related.number) : undefined
    return ticket ? `Ticket ${ticket.number}: ${ticket.subject}\n${ticket.articles.map(a => a.body).join('\n')}` : 'It is about nothing in particular.'
  }
}
/** The others of a thread, as one of them reads it. */
export const people = (o: Office, t: Thread, jid: Bare): string => { const others = Object.keys(t.members).filter(m => m !== jid && m !== t.by).map(m => o.operators.name(m)); return others.length > 0 ? `you and ${others.join(', ')}` : 'you' }
