// Where customers come in: plain chat to a queue's address, and what bridges ask in the desk's namespace (shell).
import { el, Jid, refuse, StanzaError, type Element, type Iq, type Message } from '../../server/api.ts'
import type { Addresses } from './addresses.ts'
import { because } from './actions.ts'
import { fillIn } from './acts/marks.ts'
import { CHOICES, choices, choose, read } from './aftermath.ts'
import type { Said } from './book.ts'
import { isOver } from './states.ts'
import type { Customer } from './customers.ts'
import { Refused, type Event, type Present } from './facts.ts'
import { takesFiles } from './files/allowed.ts'
import { bringsFile, fileIn } from './files/links.ts'
import { Taking } from './files/taking.ts'
import { publicLine, type PublicLine } from './lines.ts'
import type { Line } from './lines.ts'
import { Sites } from './intake/identify.ts'
import { Intake } from './intake/intake.ts'
import { shownName } from './intake/shown-name.ts'
import type { Office } from './office.ts'
import { operatorsIn, PATIENCE } from './policy.ts'
import { displayed, readByCustomer } from './reading.ts'
import { MARK, short } from './sentences.ts'
import { chat, chatState, NS } from './stanzas.ts'
import { lineElement, type CustomerView } from './views/customers.ts'
import type { OperatorView } from './views/operators.ts'

const MOST_LINES = 100 // in one answer
type Reply = Element | undefined | StanzaError

export class Reception {
  readonly #office: Office
  readonly #at: Addresses
  readonly #view: CustomerView
  readonly #operators: OperatorView
  readonly #intake: Intake
  readonly #sites: Sites
  readonly #taking: Taking
  constructor(office: Office, at: Addresses, view: CustomerView, operators: OperatorView) {
    this.#office = office
    this.#at = at
    this.#view = view
    this.#operators = operators
    this.#intake = new Intake(office, view)
    this.#sites = new Sites(office)
    this.#taking = new Taking(office)
  }

  // Plain clients

  /** A message from somebody who is no operator, to a queue or to his conversation. Resolves when it is kept. */
  async message(m: Message, queue: string | undefined, n: number | undefined): Promise<void | StanzaError> {
    const from = m.from
    if (!from) return
    const body = m.child('body')?.text
    const state = chatState(m)
    if (body === undefined || body.trim() === '') {
      if (state !== undefined) await this.#typing(from, state)
      const [read, reader] = [displayed(m), await this.#office.customers.byJid(from.bare)]
      const now = read === undefined || !reader ? undefined : this.#office.current(reader)
      if (read !== undefined && now) await readByCustomer(this.#office, this.#at, now.n, now.s, read)
      return
    }
    return this.#office.inTurnOf(from.bare, async () => {
      const known = await this.#office.customers.byJid(from.bare)
      if (this.#office.bans.bans(from.bare, undefined, this.#office.now)) return refuse('forbidden', 'You may not chat here.')
      if (queue === undefined && (!known || !await this.#owns(known, n))) return refuse('item-not-found')
      const isGuest = this.#office.link.privileges?.isForGuests?.(from.domain) === true
      const name = await shownName(this.#office, from, known, short(m.child('nick', NS.nick)?.text ?? '', 80))
      const customer = await this.#office.customers.meet(from.bare, { name, bridged: known?.bridged ?? false, ...(isGuest ? { guest: true } : {}), ...(queue === undefined ? {} : { contact: queue }) })
      const id = m.head.id
      const current = this.#office.current(customer)
      if (customer.last !== undefined && (await this.#office.book.sent(customer.last, 'customer', id))?.body === body) return // Pidgin sends again what was not acknowledged
      const mayBring = takesFiles(this.#office.rules.now)
      const said = { body, name: customer.name, id, file: mayBring ? fileIn(m, body, this.#office.storage?.base()) : undefined }
      if (bringsFile(m) && !mayBring) { this.#office.link.send(chat(this.#at.queue(queue ?? customer.contact ?? ''), from, `${MARK}Files are not taken here.`, { keep: false })); return undefined }
      const last = customer.last
      if (last !== undefined && await this.#afterwards(customer, last, body, (text: string) => this.#office.link.send(chat(this.#at.queue(queue ?? customer.contact ?? ''), from, MARK + text, { keep: false })))) return undefined
      if (current?.s.is === 'active' && current.s.proposal && /^!?(?:no|r)\.?$/i.test(body.trim())) { await this.#office.book.give(current.n, { do: 'answer', yes: false }); return undefined }
      const no = current ? undefined : this.#office.quota.begins(from)
      if (no) return no
      const outcome = current ? await this.#heard(customer, current, said) : await this.#office.begin(customer, queue ?? await this.#queueOf(n), said)
      if (outcome instanceof Refused) this.#office.link.send(chat(queue === undefined ? this.#at.bot : this.#at.queue(queue), from, MARK + because(this.#office, outcome), { keep: false }))
      return undefined
    })
  }
  /** A plain client has no buttons: `!end` ends the talk, and after the end the choices are typed. True if it was one of these. */
  async #afterwards(customer: Customer, n: number, body: string, answer: (text: string) => void): Promise<boolean> {
    if (!body.trimStart().startsWith('!')) return false
    const s = await this.#office.book.state(n)
    if (/^!end$/i.test(body.trim()) && s.is !== 'absent' && !isOver(s)) { await this.#office.book.give(n, { do: 'end', by: 'customer' }); return true }
    const wanted = read(body)
    if (s.is !== 'absent' && isOver(s) && /^!end$/i.test(body.trim())) { answer('The chat has ended already.'); return true }
    if (!wanted || s.is === 'absent' || !isOver(s)) return false
    if (!choices(this.#office, s).includes(wanted.choice)) { answer('That is not possible for the chat that is over.'); return true }
    answer((await choose(this.#office, customer, n, wanted.choice, wanted.text)).text)
    return true
  }
  async #queueOf(n: number | undefined): Promise<string> {
    const s = n === undefined ? undefined : await this.#office.book.state(n)
    return s === undefined || s.is === 'absent' ? '' : s.queue
  }

  async #typing(from: Jid, state: string): Promise<void> {
    const customer = await this.#office.customers.byJid(from.bare)
    const current = customer && this.#office.current(customer)
    if (!current || current.s.is !== 'active') return
    const shown = state === 'inactive' || state === 'gone' ? 'paused' : state
    for (const jid of operatorsIn(current.s)) this.#operators.window(jid, current.s).typing(current.n, jid, shown)
    for (const f of this.#office.onSign) f(current.n, { is: 'typing', by: 'customer', state: shown })
  }

  // The desk's namespace

  /** Answers a bridge (or any client that speaks for itself) in `urn:deskbell:desk:0`. */
  async answer(iq: Iq, query: Element): Promise<Reply> {
    const from = iq.from
    if (!from) return refuse('bad-request')
    const key = `${iq.type} ${query.name}`
    if (key === 'get availability') return this.#intake.availability(query)
    if (key === 'get site') return this.#intake.site(query)
    if (key === 'get suggest') return this.#intake.suggest(from, query)
    if (key === 'get challenge') return this.#intake.challenge(from, query)
    if (key === 'get sites') return this.#sites.ask(from)
    if (key === 'set identify') return this.#sites.identify(from, query)
    return this.#office.inTurnOf(from.bare, async () => {
      switch (key) {
        case 'set open': return this.#intake.open(from, query, text => this.#wrongText(text))
        case 'set leave': return this.#intake.leave(from, query, text => this.#wrongText(text))
        case 'set say': return this.#say(from, query)
        case 'set file': return this.#file(from, query)
        case 'get lines': return this.#lines(from, query)
        case 'get conversation': return this.#newest(from)
        case 'set keep': case 'set survey': return this.#choose(from, query)
        case 'set field': return this.#field(from, query)
        case 'set accept': case 'set decline': return this.#on(from, query, async n => this.#office.book.give(n, { do: 'answer', yes: key === 'set accept' }))
        case 'set end': return this.#on(from, query, async n => this.#office.book.give(n, { do: 'end', by: 'customer' }))
        case 'set gone': return this.#on(from, query, async n => this.#office.book.give(n, { do: 'customer gone', until: this.#office.now + PATIENCE.gone }))
        case 'set back': return this.#on(from, query, async n => this.#office.book.give(n, { do: 'customer back' }))
        default: return refuse('feature-not-implemented')
      }
    })
  }

  async #say(from: Jid, q: Element): Promise<Reply> {
    const body = q.text
    const wrong = this.#wrongText(body)
    if (wrong) return wrong
    const customer = await this.#office.customers.byJid(from.bare)
    const n = numberOf(q)
    if (!customer || n === undefined || !await this.#owns(customer, n)) return refuse('item-not-found', 'There is no such conversation.')
    const id = q.attrs['id']
    for (const at of new Set([n, customer.last ?? n])) {
      const before = await this.#office.book.sent(at, 'customer', id)
      if (before) return saidElement(at, before, id)
    }
    const file = q.attrs['file'] === undefined ? undefined : await this.#taking.said(customer, n, q.attrs['file'])
    if (file instanceof StanzaError) return file
    const said = { body, name: customer.name, id, ...file }
    const state = this.#office.book.states.get(n)
    const current = state && state.is !== 'absent' ? { n, s: state } : this.#office.current(customer)
    const no = current ? this.#intake.banned(from, customer.address) : await this.#intake.again(from, q, customer)
    if (no) return no
    const heard = current ? await this.#heard(customer, current, said) : await this.#office.begin(customer, await this.#queueOf(n), said)
    if (heard instanceof Refused) return this.#refused(heard)
    if (heard.n !== current?.n) await this.#intake.carry(from, q, customer, heard.n)
    return this.#said(heard.n, heard.events, id)
  }

  /** A line to what goes on. Where that was closed while the line was on its way, it begins the next: nothing said is lost. */
  async #heard(customer: Customer, { n, s }: { readonly n: number; readonly s: Present }, said: Said): Promise<{ readonly n: number; readonly events: readonly Event[] } | Refused> {
    const outcome = await this.#office.hear(n, said)
    if (!(outcome instanceof Refused)) return { n, events: outcome }
    return this.#office.book.states.has(n) ? outcome : this.#office.begin(customer, s.queue, said)
  }

  /** A place for a file. */
  async #file(from: Jid, q: Element): Promise<Reply> {
    const customer = await this.#office.customers.byJid(from.bare)
    const n = numberOf(q)
    if (!customer || n === undefined || !await this.#owns(customer, n)) return refuse('item-not-found', 'There is no such conversation.')
    return this.#taking.slot(customer, n, q)
  }

  #said(n: number, events: readonly Event[], id: string | undefined): Reply {
    const e = events.find(x => x.type === 'said' && x.by === 'customer')
    return e?.type === 'said' ? saidElement(n, { seq: e.seq, at: e.at, ...(e.shown === undefined ? {} : { shown: e.shown }) }, id) : refuse('internal-server-error')
  }

  async #lines(from: Jid, q: Element): Promise<Reply> {
    const customer = await this.#office.customers.byJid(from.bare)
    const n = numberOf(q)
    if (!customer || n === undefined || !await this.#owns(customer, n)) return refuse('item-not-found', 'There is no such conversation.')
    const after = Math.max(0, Number(q.attrs['after'] ?? 0) || 0)
    const max = Math.min(MOST_LINES, Math.max(1, Number(q.attrs['max'] ?? MOST_LINES) || MOST_LINES))
    const s = await this.#office.book.state(n)
    const shown = s.is === 'absent' ? 0 : s.shown
    // A public line's number among all lines is never smaller than its number among the public ones.
    const found: PublicLine[] = []
    for (let from = after; found.length < max;) {
      const page = await this.#office.lines.after(n, from, 200)
      found.push(...page.flatMap(publicLine).filter(l => l.shown > after && l.shown <= shown))
      const last = page.at(-1)
      if (!last || page.length < 200) break
      from = last.seq
    }
    const answer = found.slice(0, max)
    return el('lines', NS.desk, { conversation: String(n), complete: String((answer.at(-1)?.shown ?? after) >= shown) }, ...answer.map(l => lineElement(n, l)))
  }

  async #choose(from: Jid, q: Element): Promise<Reply> {
    const customer = await this.#office.customers.byJid(from.bare)
    const n = numberOf(q)
    const choice = CHOICES.find(c => c === (q.name === 'keep' ? q.attrs['as'] : q.name))
    if (!customer || n === undefined || !choice || !await this.#owns(customer, n)) return refuse('item-not-found', 'There is no such conversation.')
    const done = await choose(this.#office, customer, n, choice, choice === 'survey' ? `${q.attrs['rating'] ?? ''} ${q.text}` : q.attrs['email'] ?? '')
    return done.ok ? el('done', NS.desk, { conversation: String(n) }, done.text) : refuse(done.over ? 'conflict' : 'not-acceptable', done.text)
  }

  /** The customer fills in a custom field. */
  async #field(from: Jid, q: Element): Promise<Reply> {
    const customer = await this.#office.customers.byJid(from.bare)
    const n = numberOf(q)
    if (!customer || n === undefined || !await this.#owns(customer, n)) return refuse('item-not-found', 'There is no such conversation.')
    const answer = await fillIn(this.#office, n, 'customer', true, q.attrs['name'] ?? '', q.text.slice(0, 4000).trim())
    return answer.ok ? undefined : refuse('not-acceptable', answer.text)
  }

  async #newest(from: Jid): Promise<Reply> {
    const customer = await this.#office.customers.byJid(from.bare)
    if (customer?.last === undefined) return refuse('item-not-found', 'There is no conversation yet.')
    return this.#view.conversation(customer.last, await this.#office.book.state(customer.last))
  }

  async #on(from: Jid, q: Element, work: (n: number) => Promise<readonly Event[] | Refused>): Promise<Reply> {
    const customer = await this.#office.customers.byJid(from.bare)
    const n = numberOf(q)
    if (!customer || n === undefined || !await this.#owns(customer, n)) return refuse('item-not-found', 'There is no such conversation.')
    const outcome = await work(n)
    return outcome instanceof Refused ? this.#refused(outcome) : undefined
  }

  async #owns(customer: Customer, n: number | undefined): Promise<boolean> {
    if (n === undefined) return false
    const s = await this.#office.book.state(n)
    return s.is !== 'absent' && s.customer === customer.id
  }

  #wrongText(body: string): StanzaError | undefined {
    const most = this.#office.link.limits.visitor.text
    if (body.trim() === '') return refuse('not-acceptable', 'Please write something.')
    return [...body].length > most ? refuse('not-acceptable', `A message has at most ${most} characters.`) : undefined
  }
  #refused(r: Refused): StanzaError { return refuse('service-unavailable', because(this.#office, r)) }
}

const saidElement = (n: number, l: Pick<Line, 'shown' | 'seq' | 'at'>, id: string | undefined): Element =>
  el('said', NS.desk, { conversation: String(n), seq: String(l.shown ?? l.seq), at: new Date(l.at).toISOString(), ...(id === undefined ? {} : { id }) })
const numberOf = (q: Element): number | undefined => { const t = q.attrs['conversation'] ?? ''; return /^[1-9]\d{0,8}$/.test(t) ? Number(t) : undefined }
