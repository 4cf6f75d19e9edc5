// The desk at work: makes the services on the ground and lets them answer to what happens (shell).
import type { Link } from '../../server/api.ts'
import { bestShow, isGone, isReceiving } from './availability.ts'
import type { Commit, Said } from './book.ts'
import type { CannedBook } from './canned-book.ts'
import { isOver, isQueued } from './conversation.ts'
import { kindOf, type Customer } from './customers.ts'
import { Distribution } from './distribution.ts'
import type { Request } from './dispatch.ts'
import { barred, isWithinHours, wayIn } from './entrance.ts'
import { Refused, type Bare, type Event, type Present } from './facts.ts'
import type { UploadLinks } from './files/links.ts'
import { Filing } from './filing.ts'
import { Ground } from './ground.ts'
import { Hands } from './hands.ts'
import { Bans } from './intake/bans.ts'
import { Articles, Knowledge } from './intake/knowledge.ts'
import { Opening } from './intake/opening.ts'
import { Paces } from './intake/paces.ts'
import { Quota } from './intake/quota.ts'
import { RemoteKnowledge } from './intake/remote-knowledge.ts'
import { wishesOf } from './intake/wishes.ts'
import type { Summary } from './past.ts'
import { PresentCustomers } from './present.ts'
import { Records } from './records/records.ts'
import type { Rulebook } from './settings/rulebook.ts'
import { StandingRooms } from './standing-rooms.ts'
import type { Related, Thread } from './threads.ts'
import { Translation } from './translate/translation.ts'

/** What passes in a conversation and is no line: somebody types, or the customer's client has shown a line. */
export type Sign = { readonly is: 'typing'; readonly by: Bare | 'customer'; readonly state: string } | { readonly is: 'read'; readonly seq: number }
/** What an operator does that is no command, from wherever he does it. */
export interface Doings {
  typing(by: Bare, n: number, state: string): void
  read(by: Bare, n: number, seq: number): Promise<void>
  /** Writes into a talk with colleagues, and comes in with it. */
  write(by: Bare, talk: number, text: string, id?: string): Promise<void>
  /** Comes into a talk, or passes. */
  stand(by: Bare, talk: number, as: 'in' | 'out'): Promise<void>
}

export class Office extends Ground {
  readonly distribution: Distribution
  readonly hands = new Hands()
  readonly filing: Filing
  readonly bans: Bans
  readonly quota: Quota
  readonly paces: Paces
  readonly knowledge: Knowledge
  readonly remoteKnowledge: RemoteKnowledge
  readonly translation: Translation
  readonly present: PresentCustomers
  readonly rooms: StandingRooms
  readonly records: Records
  /** Absent: files go by agents' own clients only. */
  handing: UploadLinks | undefined
  readonly opening: Opening
  /** The last line that a customer's client has shown, since the start. */
  readonly readUpTo = new Map<number, number>()
  /** When an operator was heard of last. */
  readonly heard = new Map<Bare, number>()
  /** Conversations whose owner has closed their window, though he is there. */
  readonly closedBy = new Map<number, Bare>()
  readonly #byCustomer = new Map<string, Promise<unknown>>()

  // What stands above answers to these.

  /** Begins a talk among agents. */
  talk: (by: Bare, who: readonly Bare[], text: string, related: Related | undefined, id?: string) => Promise<Thread> = async () => { throw new Error('no talks before the start') }
  /** An operator's contact list has changed: soon, or at once. */
  touchRoster: (jid: Bare) => void = () => {}
  rosterNow: (jid: Bare) => Promise<void> = async () => {}
  brief: (n: number, jid: Bare) => Promise<void> = async () => {}
  onTyping: (n: number) => void = () => {}
  /** Called when somebody in a conversation types or has read; kept by nobody. */
  readonly onSign: ((n: number, sign: Sign) => void)[] = []
  /** What an operator does beside commands. */
  doings: Doings = { typing: () => {}, read: async () => {}, write: async () => {}, stand: async () => {} }
  /** Called when an operator chose another view. */
  onView: (jid: Bare) => void = () => {}
  /** Reads anew who serves. */
  onPeople: () => Promise<void> = async () => {}

  constructor(link: Link, rules: Rulebook, canned: CannedBook) {
    super(link, rules, canned)
    rules.guard = (before, after) => Object.keys(before.queues).filter(q => !Object.hasOwn(after.queues, q)).flatMap(q => {
      const n = [...this.book.states.values()].filter(s => s.is !== 'absent' && s.is !== 'closed' && s.queue === q).length
      return n > 0 ? [{ pointer: `/queues/${q}`, because: `${n} of its conversations ${n === 1 ? 'is' : 'are'} not closed: transfer or close ${n === 1 ? 'it' : 'them'} first` }] : []
    })
    const { documents } = link.stores
    const errands = () => this.records.fetcher
    this.distribution = new Distribution(this)
    this.opening = new Opening(this)
    this.filing = new Filing(this, errands)
    this.present = new PresentCustomers(this)
    this.rooms = new StandingRooms(this)
    this.bans = new Bans(documents, link.domain)
    this.quota = new Quota(link)
    this.paces = new Paces(this, this.distribution)
    this.remoteKnowledge = new RemoteKnowledge({ settings: () => rules.now.knowledge, secret: text => this.secret(text), fetcher: errands, clock: link.network ?? link.clock, log: link.log })
    this.knowledge = new Knowledge(new Articles(link.stores, link.domain, link.clock), this.remoteKnowledge)
    this.records = new Records(this, () => this.filing.tickets, () => this.bans, () => this.rooms)
    this.translation = new Translation(this, errands)
    this.book.onCommit = c => this.#committed(c)
    this.book.onSeats.push(who => this.distribution.freed(who))
    rules.onChange.push(() => this.distribution.renew())
    this.book.afterAlarm = () => this.idle()
  }

  override stop(): Promise<void> {
    this.opening[Symbol.dispose]()
    return super.stop()
  }

  async #committed(c: Commit): Promise<void> {
    this.distribution.committed(c)
    this.hands.note(c.n, c.after)
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
        if (freed !== undefined) await this.distribution.stir(freed)
        if (after.is === 'active' && !(before.is === 'active' && before.owner === after.owner)) await this.#attended(c.n)
        await this.dispatch()
      })
    }
    if (isQueued(before) !== isQueued(after)) for (const f of this.onQueues) f()
  }

  /** The books have been read. */
  begun(): void {
    this.distribution.renew()
    for (const [n, s] of this.book.states) this.hands.note(n, s)
  }

  // What the services know, asked here

  /** How many conversations an operator serves now; what is offered only does not count (ST-33). */
  serves(jid: Bare): number { return [...this.hands.of(jid)].filter(n => { const s = this.book.states.get(n); return s?.is === 'active' && s.owner === jid }).length }

  isOpen(queue: string, only?: readonly Bare[]): boolean { return this.opening.isOpen(queue, only) }
  takesNew(queue: string, only?: readonly Bare[]): boolean { return this.opening.takesNew(queue, only) }
  line(queue?: string): Request[] { return this.distribution.line(queue) }
  position(n: number): number { return this.distribution.position(n) }
  room(jid: Bare, queue: string): number { return this.distribution.room(jid, queue) }
  dispatch(): Promise<void> { return this.distribution.dispatch() }
  /** Conversations that an operator owned at some time, the newest first (ST-06). */
  async past(jid: Bare, limit: number): Promise<Summary[]> { return this.records.newest({ agents: jid }, limit) }
  /** All conversations there ever were, the newest first. */
  async everything(page: { before?: number | undefined; limit: number }): Promise<Summary[]> { await this.records.catalogue.flush(); return this.summaries.newest(page) }
  summary(n: number): Promise<Summary | undefined> { return this.summaries.get(n) }
  /** Writes the transcript into a ticket and closes; gives the ticket's number. */
  file(n: number, by: Bare, ticket: number | undefined): Promise<number | Refused> { return this.filing.file(n, by, ticket) }

  /** The owner types. */
  types(n: number): void {
    this.book.types(n)
    this.onTyping(n)
  }

  /** The settings have changed: everybody and everything looks again. */
  async settingsChanged(): Promise<void> {
    await this.onPeople()
    this.opening.look()
    this.opening.watch()
    this.book.wind()
    for (const f of this.onRules) f()
    for (const { jid } of this.operators.all()) this.distribution.changed(jid)
    this.later(async () => {
      for (const [n, s] of [...this.book.states]) {
        if (s.is === 'offered' && !(isReceiving(this.operators.operator(s.offer.to), s.queue) && this.eligible(s).includes(s.offer.to))) await this.book.give(n, { do: 'revoke', id: s.offer.id })
        else if (s.is === 'waiting' && s.place.rest !== undefined) await this.book.give(n, { do: 'stir', who: 'desk' })
        else if (s.is === 'active' && s.detached !== undefined && !this.rules.now.handOff.closed.enabled) await this.book.give(n, { do: 'attach', who: s.owner })
        else await this.#attended(n)
      }
      await this.#unseat()
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
    const changed = this.distribution.changed(jid)
    const since = this.now
    this.later(async () => {
      for (const n of [...this.hands.of(jid)]) {
        const s = this.book.states.get(n)
        if (!s) continue
        if (s.is === 'offered' && s.offer.to === jid && !(isReceiving(o, s.queue) && this.eligible(s).includes(jid))) await this.book.give(n, { do: 'revoke', id: s.offer.id })
        if (s.is === 'active' && s.owner === jid) await this.book.give(n, this.rules.now.handOff.closed.enabled && (isGone(o) || this.closedBy.get(n) === jid) ? { do: 'detach', who: jid, until: await this.#awayUntil(jid, since) } : { do: 'attach', who: jid })
      }
      await this.#unseat(jid)
      if (changed) await this.distribution.stir(jid)
      await this.dispatch()
    })
    for (const f of this.onQueues) f()
    for (const f of this.onOperator) f(jid)
  }
  /** Who is in a conversation by a permission alone, and not invited, is out when the permission is gone. */
  async #unseat(only?: Bare): Promise<void> {
    for (const n of only === undefined ? [...this.book.states.keys()] : [...this.hands.of(only)]) {
      const s = this.book.states.get(n)
      if (!s || s.is === 'absent') continue
      for (const jid of only === undefined ? Object.keys(s.crew) : [only]) {
        const role = s.crew[jid]
        if (role !== undefined && role !== 'invited' && !s.invitations.some(i => i.who === jid) && !this.operators.may(jid, 'chat.view.others', s.queue)) await this.book.give(n, { do: 'leave', by: jid })
      }
    }
  }
  /** When an absence that began then hands a conversation on: later for who is not connected, and whom a push reaches (RULE-C12). */
  async #awayUntil(jid: Bare, since: number): Promise<number> {
    const { after, pushGrace } = this.rules.now.handOff.closed
    const isReached = pushGrace > 0 && !this.operators.operator(jid).devices.some(d => d.attached) && await this.link.privileges?.wakes?.(jid) === true
    return since + (isReached ? after + pushGrace : after) * 1000
  }

  /** After a start: the owners who have not come back. */
  missing(since: number): void { this.later(async () => { for (const n of [...this.book.states.keys()]) await this.#attended(n, since) }) }

  /** An owner who is not here, because he logged out while his acceptance was on its way or has not come back since a start: the clock of his absence runs (SS-05). */
  async #attended(n: number, since = this.now): Promise<void> {
    const s = this.book.states.get(n)
    if (s?.is === 'active' && s.detached === undefined && this.rules.now.handOff.closed.enabled && isGone(this.operators.operator(s.owner))) await this.book.give(n, { do: 'detach', who: s.owner, until: await this.#awayUntil(s.owner, since) })
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
      waiting: q => this.distribution.waiting(q), open: queues => [...this.book.states.values()].filter(s => s.is !== 'absent' && !isOver(s) && queues.includes(s.queue)).length,
    })
    if (place instanceof Refused) return place
    const n = await this.book.number(customer.id)
    await this.customers.note(customer.id, { last: n })
    const events = await this.book.give(n, { do: 'open', queue: place, customer: customer.id, ...wishesOf(this, customer), only, line: said !== undefined, number: this.rules.now.conversation.showNumber ? n : undefined }, said)
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
