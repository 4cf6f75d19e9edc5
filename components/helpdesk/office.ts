// The desk at work: brings customers, operators and conversations together, and asks the next one (shell).
import type { Link } from '../../server/api.ts'
import type { Candidate } from './assigner.ts'
import { recordOf } from './assignment.ts'
import { bestShow, capacityOf, isGone, isOfferable, isReceiving } from './availability.ts'
import { Book, type Commit, type Said } from './book.ts'
import type { CannedBook } from './canned-book.ts'
import { assigns, current, queueName, type Current } from './config.ts'
import { isOver, isQueued } from './conversation.ts'
import { Customers, kindOf, type Customer } from './customers.ts'
import { nextStep, positions, startOf, type Request } from './dispatch.ts'
import { Dossiers } from './dossier.ts'
import { Refused, type Bare, type Event, type Offered, type Present, type State, type Waiting } from './facts.ts'
import { Filing } from './filing.ts'
import { Past, type Summary } from './past.ts'
import { Bans } from './intake/bans.ts'
import { Lines } from './lines.ts'
import { Articles, Knowledge } from './intake/knowledge.ts'
import { Opening } from './intake/opening.ts'
import { Paces } from './intake/paces.ts'
import type { Outbox } from './mail/outbox.ts'
import { Records } from './records/records.ts'
import { Operators } from './operators.ts'
import { PresentCustomers } from './present.ts'
import { barred, isWithinHours, limitsFor, wayIn } from './entrance.ts'
import type { Rulebook } from './settings/rulebook.ts'
import { deskLine, short, type Scene } from './sentences.ts'
import { StandingRooms } from './standing-rooms.ts'
import { Threads, type Related, type Thread } from './threads.ts'
import { Translation } from './translate/translation.ts'


/** Sees every commit, in order for each conversation, and must not wait for another turn of it. */
export interface View { onCommit(c: Commit): void | Promise<void> }

export class Office {
  readonly link: Link
  readonly rules: Rulebook
  readonly canned: CannedBook
  /** What holds now; another object after each change. */
  config: Current
  readonly book: Book
  readonly lines: Lines
  readonly customers: Customers
  readonly operators: Operators
  readonly filing: Filing
  readonly bans: Bans
  readonly paces: Paces
  readonly knowledge: Knowledge
  readonly translation: Translation
  /** Absent: the desk sends no mails. */
  mail: Outbox | undefined
  readonly dossiers: Dossiers
  readonly threads: Threads
  /** Begins a talk among agents. */
  talk: (by: Bare, who: readonly Bare[], text: string, related: Related | undefined, id?: string) => Promise<Thread> = async () => { throw new Error('no talks before the start') }
  /** An operator's contact list has changed: soon, or at once. */
  touchRoster: (jid: Bare) => void = () => {}
  rosterNow: (jid: Bare) => Promise<void> = async () => {}
  brief: (n: number, jid: Bare) => Promise<void> = async () => {}
  readonly present: PresentCustomers
  readonly rooms: StandingRooms
  readonly #past: Past
  readonly records: Records
  readonly views: View[] = []
  /** Called when how a queue looks from outside may have changed. */
  readonly onQueues: (() => void)[] = []
  /** Called when settings have changed. */
  readonly onRules: (() => void)[] = []
  /** Called when how an operator's own world looks may have changed. */
  readonly onOperator: ((jid: Bare) => void)[] = []
  /** The last line that a customer's client has shown, since the start. */
  readonly readUpTo = new Map<number, number>()
  /** When an operator was heard of last. */
  readonly heard = new Map<Bare, number>()
  /** Conversations whose owner has closed their window, though he is there. */
  readonly closedBy = new Map<number, Bare>()
  onTyping: (n: number) => void = () => {}
  /** Called when an operator chose another view. */

  onView: (jid: Bare) => void = () => {}
  readonly #offerable = new Map<Bare, ReadonlySet<string>>()
  readonly #background = new Set<Promise<unknown>>()
  readonly #byCustomer = new Map<string, Promise<unknown>>()
  /** By queue; forgotten whenever the line changes. */
  readonly #positions = new Map<string, ReadonlyMap<number, number>>()
  #dispatching: Promise<void> | undefined
  #again = false
  #stopped = false
  readonly opening = new Opening(this)
  /** Reads anew who serves. */
  onPeople: () => Promise<void> = async () => {}

  constructor(link: Link, rules: Rulebook, canned: CannedBook) {
    this.link = link
    this.rules = rules
    this.canned = canned
    this.config = current(rules.now)
    rules.guard = (before, after) => Object.keys(before.queues).filter(q => !Object.hasOwn(after.queues, q)).flatMap(q => {
      const n = [...this.book.states.values()].filter(s => s.is !== 'absent' && s.is !== 'closed' && s.queue === q).length
      return n > 0 ? [{ pointer: `/queues/${q}`, because: `${n} of its conversations ${n === 1 ? 'is' : 'are'} not closed: transfer or close ${n === 1 ? 'it' : 'them'} first` }] : []
    })
    rules.onChange.push((_, now) => { this.config = current(now) })
    const { documents } = link.stores
    this.lines = new Lines(documents, link.domain)
    this.customers = new Customers(documents, link.domain)
    this.operators = new Operators(link, rules)
    this.book = new Book(link.stores, link.clock, link.log, link.domain, this.lines)
    this.customers.inUse = id => [...this.book.ledger.open.values()].includes(id)
    this.#past = new Past(documents, link.domain)
    this.dossiers = new Dossiers(documents, link.domain)
    this.threads = new Threads(documents, link.domain)
    this.filing = new Filing(this)
    this.present = new PresentCustomers(this)
    this.rooms = new StandingRooms(this)
    this.bans = new Bans(documents, link.domain)
    this.paces = new Paces(this)
    this.knowledge = new Knowledge(new Articles(link.stores, link.domain, link.clock))
    this.records = new Records(this)
    this.translation = new Translation(this)
    this.book.words = e => ({ body: e.line ? deskLine(e.line, who => this.operators.name(who)) : '', name: 'Helpdesk' })
    this.book.terms = () => ({ handOff: rules.now.handOff, autoClose: rules.now.conversation.autoClose })
    this.book.onCommit = c => this.#committed(c)
    this.book.afterAlarm = () => this.idle()
  }

  get now(): number { return this.link.clock.now() }
  get domain(): string { return this.link.domain }

  /** Work that follows and that nobody waits for but `idle`. A failure is a bug, and is logged. */
  later(work: () => Promise<unknown>): void {
    if (this.#stopped) return
    const p = Promise.resolve().then(work).catch((error: unknown) => this.link.log.error({ err: error, domain: this.domain }, 'the desk met a bug'))
    this.#background.add(p)
    void p.finally(() => this.#background.delete(p))
  }
  /** Nothing new is begun; what is under way ends. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.opening[Symbol.dispose]()
    await this.mail?.close()
    await this.idle()
    this.book.stop()
  }
  /** Resolves when nothing follows any more. */
  async idle(): Promise<void> { while (this.#background.size > 0) await Promise.all(this.#background) }

  async #committed(c: Commit): Promise<void> {
    if (isQueued(c.before) || isQueued(c.after)) this.#positions.clear()
    if (c.after.is === 'closed') this.readUpTo.delete(c.n)
    if (c.after.is !== 'active' || c.after.owner !== this.closedBy.get(c.n)) this.closedBy.delete(c.n)
    for (const v of this.views) {
      try { await v.onCommit(c) } catch (error) { this.link.log.error({ err: error, conversation: c.n }, 'a view met a bug') }
    }
    const { before, after } = c
    if (c.events.some(e => e.event.type === 'opened') && after.is !== 'absent') this.later(() => this.customers.note(after.customer, { last: c.n, seen: after.opened }))
    if (after.is === 'active' && before.is !== 'active') this.later(() => this.customers.note(after.customer, { agent: after.owner }))
    else if (after.is === 'active' && before.is === 'active' && after.owner !== before.owner) this.later(() => this.customers.note(after.customer, { agent: after.owner }))
    const freed = before.is === 'active' && (after.is !== 'active' || after.owner !== before.owner) ? before.owner : undefined
    if (c.events.some(e => e.event.type !== 'said')) {
      this.later(async () => {
        await this.book.settle(c.n)
        if (freed !== undefined) await this.#stir(freed, q => this.#mayBeAsked(freed, q))
        await this.dispatch()
      })
    }
    if (isQueued(before) !== isQueued(after)) for (const f of this.onQueues) f()
  }

  // What is known

  customerOf(s: State): Customer | undefined { return s.is === 'absent' ? undefined : this.customers.known(s.customer) }

  /** What sentences about a conversation need. */
  scene(n: number, s: Present, opening = ''): Scene {
    const customer = this.customerOf(s)?.name ?? 'Customer'
    return {
      n, customer, queue: queueName(this.config, s.queue), now: this.now, opening: short(opening),
      name: who => who === 'customer' ? customer : who === 'desk' ? 'Helpdesk' : this.operators.name(who),
    }
  }

  hasQueue(queue: string): boolean { return this.config.queues.has(queue) }
  /** Those who may be asked about it, or take it: who serves the queue, or whom alone it is for. */
  eligible(s: Pick<Present, 'queue' | 'only'>): readonly Bare[] {
    const left = s.only?.filter(j => this.operators.may(j, 'chat.with.customers')) ?? []
    return left.length > 0 ? left : this.operators.of(s.queue) // who was deleted serves nobody: then the queue does
  }

  isOpen(queue: string, only?: readonly Bare[]): boolean { return this.opening.isOpen(queue, only) }
  takesNew(queue: string, only?: readonly Bare[]): boolean { return this.opening.takesNew(queue, only) }

  /** Everybody in line, asked about or not, as customers count. */
  line(queue?: string): Request[] {
    const all: Request[] = []
    for (const [n, s] of this.book.states) if (isQueued(s) && (queue === undefined || s.queue === queue)) all.push(this.#request(n, s))
    return all
  }
  /** How many stand before it; 0 also for one that does not wait. */
  position(n: number): number {
    const s = this.book.states.get(n)
    if (!s || !isQueued(s)) return 0
    let all = this.#positions.get(s.queue)
    if (!all) this.#positions.set(s.queue, all = positions(this.line(s.queue)))
    return all.get(n) ?? 0
  }

  /** Conversations that an operator owned at some time, the newest first (ST-06). */
  async past(jid: Bare, limit: number): Promise<Summary[]> { await this.records.catalogue.flush(); return this.#past.of(jid, limit) }
  /** All conversations there ever were, the newest first. */
  async everything(page: { before?: number | undefined; limit: number }): Promise<Summary[]> { await this.records.catalogue.flush(); return this.#past.newest(page) }
  summary(n: number): Promise<Summary | undefined> { return this.#past.get(n) }
  deleted(page: { after?: number | undefined; limit: number }): Promise<Summary[]> { return this.#past.deleted(page) }
  oldest(page: { after?: number | undefined; limit: number }): Promise<Summary[]> { return this.#past.oldest(page) }
  async note(n: number, s: Present): Promise<void> { await this.#past.note(n, s, (await this.customers.byId(s.customer))?.name ?? '') }
  /** Writes the transcript into a ticket and closes; gives the ticket's number. */
  file(n: number, by: Bare, ticket: number | undefined): Promise<number | Refused> { return this.filing.file(n, by, ticket) }

  /** The owner types. */
  types(n: number): void {
    this.book.types(n)
    this.onTyping(n)
  }

  // Asking agents

  /** How many conversations the operator may hold when the next is one of this queue: the limit of all, and those of the queue and its departments. */
  room(jid: Bare, queue: string): number {
    const all = capacityOf(this.operators.operator(jid))
    const limits = limitsFor(this.rules.now, queue, this.operators.record(jid).perQueue?.[queue])
    if (limits.length === 0) return all
    const seats = [...this.book.ledger.seats.values()].filter(x => x.agent === jid)
    const { load } = recordOf(this.book.ledger, jid)
    return Math.min(all, ...limits.map(l => load + l.most - seats.filter(x => { const s = this.book.states.get(x.n); return s && s.is !== 'absent' && l.queues.includes(s.queue) }).length))
  }

  #request(n: number, s: Waiting | Offered): Request {
    return { n, queue: s.queue, place: s.place, only: s.only, start: startOf(s.priority, this.config.queues.get(s.queue)?.priority ?? 0), language: this.customerOf(s)?.language }
  }
  /** One for each of the queue's skills, one for the customer's language. */
  #fit(jid: Bare, queue: string, language: string | undefined): number {
    const { skills = [], languages = [] } = this.operators.record(jid)
    const own = language?.slice(0, 2).toLowerCase()
    return (this.config.queues.get(queue)?.skills ?? []).filter(k => skills.includes(k)).length + (own !== undefined && languages.some(l => l.toLowerCase().startsWith(own)) ? 1 : 0)
  }
  #candidates(queue: string, only: readonly Bare[] | undefined, language: string | undefined): Candidate[] {
    return this.eligible({ queue, only }).flatMap(jid => {
      const o = this.operators.operator(jid)
      if (!isOfferable(o, queue, this.rules.now.distribution.offersAway)) return []
      const { load, lastEnded, lastAssigned } = recordOf(this.book.ledger, jid)
      if (this.room(jid, queue) <= load) return []
      return [{ id: jid, load, capacity: capacityOf(o), fit: this.#fit(jid, queue, language), lastEnded, lastAssigned, show: bestShow(o.devices) ?? 'available' }]
    })
  }

  /** Asks whoever can be asked for those who wait. One run at a time; a call during a run makes it look again. */
  dispatch(): Promise<void> {
    this.#again = true
    this.#dispatching ??= this.#run().finally(() => { this.#dispatching = undefined })
    return this.#dispatching
  }
  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      const stuck = new Set<number>()
      for (;;) {
        const waiting: Request[] = []
        for (const [n, s] of this.book.states) if (s.is === 'waiting' && !stuck.has(n) && assigns(this.config, s.queue) === 'round-robin') waiting.push(this.#request(n, s))
        const step = nextStep(waiting, (q, only, language) => this.#candidates(q, only, language), this.now)
        if (!step) break
        if (!await this.#take(step.do === 'rest' ? { n: step.n } : { n: step.n, to: step.to })) stuck.add(step.n)
      }
    }
  }
  /** One step; false if it came to nothing, because the conversation or the agent was quicker. */
  async #take({ n, to }: { n: number; to?: Bare }): Promise<boolean> {
    if (to === undefined) return did(await this.book.give(n, { do: 'exhaust', until: this.now + this.rules.now.distribution.rest * 1000 }))
    const s = this.book.states.get(n)
    const automatic = s !== undefined && s.is !== 'absent' && this.config.queues.get(s.queue)?.accept === 'automatic'
    return did(await this.book.withSeat(n, to, this.room(to, s && s.is !== 'absent' ? s.queue : ''), id => ({ do: 'offer', id, to, until: this.now + this.rules.now.distribution.offer * 1000, automatic })))
  }

  #mayBeAsked(jid: Bare, queue: string): boolean { return this.operators.of(queue).includes(jid) && isOfferable(this.operators.operator(jid), queue, this.rules.now.distribution.offersAway) }

  /** Somebody's state has changed: who rests in his queues is looked at again. */
  async #stir(who: Bare, queue: (q: string) => boolean): Promise<void> {
    for (const [n, s] of [...this.book.states]) if (s.is === 'waiting' && queue(s.queue) && (s.place.rest !== undefined || s.place.passed.includes(who))) await this.book.give(n, { do: 'stir', who })
  }

  /** The settings have changed: everybody and everything looks again. */
  async settingsChanged(): Promise<void> {
    await this.onPeople()
    this.opening.look()
    this.opening.watch()
    this.book.wind()
    for (const f of this.onRules) f()
    for (const { jid } of this.operators.all()) {
      const o = this.operators.operator(jid)
      this.#offerable.set(jid, new Set(this.operators.queuesOf(jid).filter(q => isOfferable(o, q))))
    }
    this.later(async () => {
      for (const [n, s] of [...this.book.states]) {
        if (s.is === 'offered' && !(isReceiving(this.operators.operator(s.offer.to), s.queue) && this.eligible(s).includes(s.offer.to))) await this.book.give(n, { do: 'revoke', id: s.offer.id })
        else if (s.is === 'waiting' && s.place.rest !== undefined) await this.book.give(n, { do: 'stir', who: 'desk' })
      }
      await this.dispatch()
    })
    for (const f of this.onQueues) f()
  }

  /** An operator's presence, intake, limit or role has changed: follows it up in his conversations and in the queues. */
  operatorChanged(jid: Bare): void {
    const o = this.operators.operator(jid)
    // Who logged out did not close it on purpose: he is back when he is here again.
    if (isGone(o)) for (const [n, by] of this.closedBy) if (by === jid) this.closedBy.delete(n)
    this.opening.changed(jid, o)
    const offerable = new Set(this.operators.queuesOf(jid).filter(q => isOfferable(o, q)))
    const old = this.#offerable.get(jid)
    this.#offerable.set(jid, offerable)
    const fresh = [...offerable].filter(q => !old?.has(q))
    this.later(async () => {
      for (const [n, s] of [...this.book.states]) {
        if (s.is === 'offered' && s.offer.to === jid && !(isReceiving(o, s.queue) && this.eligible(s).includes(jid))) await this.book.give(n, { do: 'revoke', id: s.offer.id })
        if (s.is === 'active' && s.owner === jid) await this.book.give(n, this.rules.now.handOff.closed.enabled && (isGone(o) || this.closedBy.get(n) === jid) ? { do: 'detach', who: jid, until: this.#awayUntil(this.now) } : { do: 'attach', who: jid })
      }
      if (fresh.length > 0) await this.#stir(jid, q => fresh.includes(q))
      await this.dispatch()
    })
    for (const f of this.onQueues) f()
    for (const f of this.onOperator) f(jid)
  }
  #awayUntil(since: number): number { return since + this.rules.now.handOff.closed.after * 1000 }

  /** After a start: the owners who have not come back. */
  missing(since: number): void {
    this.later(async () => {
      for (const [n, s] of [...this.book.states]) {
        if (s.is === 'active' && s.detached === undefined && this.rules.now.handOff.closed.enabled && isGone(this.operators.operator(s.owner))) await this.book.give(n, { do: 'detach', who: s.owner, until: this.#awayUntil(since) })
      }
    })
  }

  // Customers

  /** One customer's doings go one after the other. */
  inTurnOf<T>(customer: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#byCustomer.get(customer) ?? Promise.resolve()).then(work, work)
    this.#byCustomer.set(customer, turn)
    void turn.catch(() => {}).finally(() => { if (this.#byCustomer.get(customer) === turn) this.#byCustomer.delete(customer) })
    return turn
  }

  /** Why people of this kind may not chat at all. */
  barred(kind: 'customer' | 'public'): Refused | undefined { return barred(this.rules.now, { kind, grants: role => this.operators.grants(role, 'chat.with.agents') }) }

  /** Begins a conversation, with its first line if there is one. Refused if nobody is there. */
  async begin(customer: Customer, queue: string, said: Said | undefined, only?: readonly Bare[]): Promise<{ n: number; events: readonly Event[] } | Refused> {
    const place = wayIn(this.rules.now, queue, {
      kind: kindOf(customer), grants: role => this.operators.grants(role, 'chat.with.agents'), takesNew: q => this.takesNew(q, only), within: q => isWithinHours(this.rules.now, q, this.now),
      waiting: q => this.line(q).length, open: queues => [...this.book.states.values()].filter(s => s.is !== 'absent' && !isOver(s) && queues.includes(s.queue)).length,
    })
    if (place instanceof Refused) return place
    const n = await this.book.number(customer.id)
    const preferred = customer.agent !== undefined && this.operators.has(customer.agent) ? customer.agent : undefined
    await this.customers.note(customer.id, { last: n })
    const events = await this.book.give(n, { do: 'open', queue: place, customer: customer.id, preferred, only, line: said !== undefined, number: this.rules.now.conversation.showNumber ? n : undefined }, said)
    return events instanceof Refused ? events : { n, events }
  }

  /** Adds a customer's line; one to an ended conversation opens it again, with the same agent if he can. */
  async hear(n: number, said: Said): Promise<readonly Event[] | Refused> {
    const s = this.book.states.get(n)
    if (s?.is === 'ended') {
      const o = this.operators.operator(s.owner)
      if (this.operators.has(s.owner) && !isGone(o) && bestShow(o.devices) !== 'dnd') {
        const events = await this.book.withSeat(n, s.owner, this.room(s.owner, s.queue), again => ({ do: 'say', by: 'customer', as: 'public', again }), said)
        if (!(events instanceof Refused)) return events
      }
    }
    return this.book.give(n, { do: 'say', by: 'customer', as: 'public' }, said)
  }

  /** The customer's conversation that goes on or may be opened again. */
  current(customer: Customer): { n: number; s: Present } | undefined {
    const s = customer.last === undefined ? undefined : this.book.states.get(customer.last)
    return s && s.is !== 'absent' && s.is !== 'closed' && customer.last !== undefined ? { n: customer.last, s } : undefined
  }

  /** Who is no operator any more loses his chairs. */
  async removed(jid: Bare): Promise<void> {
    for (const [n, s] of [...this.book.states]) if (!isOver(s)) await this.book.give(n, { do: 'remove operator', who: jid })
    await this.dispatch()
  }
}

const did = (outcome: readonly Event[] | Refused): boolean => !(outcome instanceof Refused) && outcome.length > 0
