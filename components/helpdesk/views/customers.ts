// What customers are told: public lines, and what they may know of their conversation. A bridge gets it in the desk's namespace, a plain client as text (shell).
import { el, Jid, Stanza, type Element } from '../../../server/api.ts'
import type { Addresses } from '../addresses.ts'
import type { Commit } from '../book.ts'
import { choices, hint } from '../aftermath.ts'
import { isOver, isQueued } from '../conversation.ts'
import type { Customer } from '../customers.ts'
import type { Present, State } from '../facts.ts'
import { oobOf } from '../files/links.ts'
import { publicLine, type PublicLine } from '../lines.ts'
import type { Line } from '../lines.ts'
import type { View } from '../ground.ts'
import type { Office } from '../office.ts'
import { queueText, queueWords } from '../entrance.ts'
import { markable } from '../reading.ts'
import { BY_WRITING, MARK } from '../sentences.ts'
import { chat, noStore, NS, typing } from '../stanzas.ts'

const CLIENT = 'jabber:client'
/** The last public line that a plain client was given; a bridge asks by number. */
const COLLECTION = 'desk-told'
const USUAL = 'People ahead of you: {ahead}' // the widget has its own words for it
const PAUSE = 1000 // ms between two tellings of a line
const FRONT = 50 // who is told each time in a line that is longer
const EACH = 3 // ms of pause for each who waits, where all are told
const STILL = 30_000 // ms without anybody there until who waits is told
const NOBODY = 'Nobody is here right now; you keep your place.'

export class CustomerView implements View {
  readonly #office: Office
  readonly #at: Addresses
  readonly #told = new Map<number, string>()
  /** What a plain client was told of its place. */
  readonly #positions = new Map<number, string>()
  /** Queues where nobody is: the alarm until those in line hear of it, or that they have. */
  readonly #still = new Map<string, Disposable | 'told'>()
  readonly #due = new Map<string, Disposable>()
  /** When the whole line was told last, and the alarm for when it is again. */
  readonly #whole = new Map<string, number>()
  readonly #later = new Map<string, Disposable>()
  /** Whether he reads it in a room of his own. */
  elsewhere: (n: number) => boolean = () => false
  readonly #last = new Map<string, number>()

  constructor(office: Office, at: Addresses) { this.#office = office; this.#at = at }

  async onCommit({ n, before, after, lines }: Commit): Promise<void> {
    if (after.is === 'absent') return
    const customer = this.elsewhere(n) ? undefined : await this.#office.customers.byId(after.customer)
    if (customer) {
      for (const l of lines) this.#line(n, after, customer, l, false)
      if (!customer.bridged && lines.some(l => l.shown !== undefined)) this.#mark(n, after)
      this.#news(n, after, customer)
    }
    if (customer && !customer.bridged && isOver(after) && !isOver(before) && before.is !== 'absent') this.#offer(n, after, customer)
    if (after.is === 'closed') { this.#told.delete(n); this.#positions.delete(n) }
    // Who joins the line at its end moves nobody.
    const queues = new Set([before, after].flatMap(s => isQueued(s) ? [s.queue] : []))
    if ((isQueued(before) && !isQueued(after)) || queues.size > 1 || (isQueued(after) && (isQueued(before) ? before.priority !== after.priority : after.place.head))) for (const q of queues) this.#moves(q)
  }

  stop(): void {
    for (const d of [...this.#due.values(), ...this.#later.values(), ...this.#still.values()]) if (d !== 'told') d[Symbol.dispose]()
    this.#due.clear()
  }

  /** Queues may have opened or closed: who waits is told when nobody has been there for a while, and when somebody is back. */
  look(): void {
    const { config, link, now } = this.#office
    for (const queue of config.queues.keys()) {
      const still = this.#still.get(queue)
      if (this.#office.isOpen(queue)) {
        this.#still.delete(queue)
        if (still === 'told') this.#moves(queue)
        else still?.[Symbol.dispose]()
      } else if (!still) this.#still.set(queue, link.clock.alarm(now + STILL, () => { this.#still.set(queue, 'told'); this.#moves(queue); return this.#office.idle() }))
    }
  }

  /** Those in line are told where they stand now, at most once a second. */
  #moves(queue: string): void {
    if (this.#due.has(queue)) return
    const { clock } = this.#office.link
    const now = clock.now()
    const last = this.#last.get(queue)
    const move = (): Promise<void> => { this.#last.set(queue, clock.now()); return this.#moveUp(queue) }
    if (last === undefined || now - last >= PAUSE) { this.#last.set(queue, now); this.#office.later(move) }
    else this.#due.set(queue, clock.alarm(last + PAUSE, () => { this.#due.delete(queue); this.#office.later(move) }))
  }

  /** After a start: what a plain client was not given yet. */
  async resume(): Promise<void> {
    for (const [n, s] of [...this.#office.book.states]) {
      if (s.is === 'absent') continue
      const customer = await this.#office.customers.byId(s.customer)
      if (!customer || this.elsewhere(n)) continue
      if (isQueued(s)) this.#positions.set(n, this.#place(n, s.queue))
      this.#told.set(n, this.conversation(n, s).toString())
      if (customer.bridged) continue
      const told = (await this.#office.link.stores.documents.get<number>(COLLECTION, this.#office.domain, String(n)))?.value ?? 0
      if (told >= s.shown) continue
      for (const l of await this.#office.lines.all(n, s.lines)) if ((l.shown ?? 0) > told) this.#line(n, s, customer, l, true)
      this.#mark(n, s)
    }
  }

  /** A plain client reads what is still possible after the end. */
  #offer(n: number, s: Present, c: Customer): void {
    const text = hint(choices(this.#office, s))
    if (text !== undefined) this.#office.link.send(chat(this.#contact(c, s), Jid.parse(c.jid), MARK + text, { keep: false, id: `e${n}-${s.shown}` }))
  }

  #mark(n: number, s: Present): void {
    const { documents } = this.#office.link.stores
    this.#office.later(async () => { await (s.is === 'closed' ? documents.remove(COLLECTION, this.#office.domain, String(n)) : documents.put(COLLECTION, this.#office.domain, String(n), s.shown)) })
  }

  #line(n: number, s: Present, c: Customer, l: Line, late: boolean): void {
    if (l.as !== 'public') return
    const to = Jid.parse(c.jid)
    const { link } = this.#office
    if (c.bridged) {
      link.send(Stanza.of('message', { type: 'chat', from: this.#at.conversation(n), to }, [el('body', CLIENT, {}, onPage(l.by, l.body)), ...publicLine(l).map(p => lineElement(n, p)), noStore()]))
    } else if (l.by !== 'customer') {
      const text = l.by === 'desk' ? MARK + l.body : s.is === 'active' && s.owner !== l.by ? `${l.name}: ${l.body}` : l.body
      link.send(chat(this.#contact(c, s), to, text, { id: `s${n}-${l.shown ?? 0}`, delayed: late ? l.at : undefined, ...(l.by === 'desk' ? {} : { more: [markable(), ...oobOf(l)] }) }))
    }
  }

  /** Tells what changed of what he may know. */
  #news(n: number, s: Present, c: Customer): void {
    if (c.bridged) {
      const e = this.conversation(n, s)
      const text = e.toString()
      if (this.#told.get(n) === text) return
      this.#told.set(n, text)
      this.#office.link.send(Stanza.of('message', { type: 'chat', from: this.#at.conversation(n), to: Jid.parse(c.jid) }, [e, noStore()]))
      return
    }
    if (!isQueued(s)) { this.#positions.delete(n); return }
    const place = this.#place(n, s.queue)
    if (this.#positions.get(n) === place) return
    this.#positions.set(n, place)
    this.#office.link.send(chat(this.#contact(c, s), Jid.parse(c.jid), MARK + this.#queueText(n, s.queue), { keep: false }))
  }

  /** In a long line those at its front are told at once, all of them not so often: nobody far back counts them. */
  async #moveUp(queue: string): Promise<void> {
    const { link: { clock }, distribution } = this.#office
    const next = (this.#whole.get(queue) ?? -Infinity) + Math.max(PAUSE, distribution.waiting(queue) * EACH)
    const isWhole = clock.now() >= next || distribution.waiting(queue) <= FRONT
    if (isWhole) this.#whole.set(queue, clock.now())
    else if (!this.#later.has(queue)) this.#later.set(queue, clock.alarm(next, () => { this.#later.delete(queue); this.#office.later(() => this.#moveUp(queue)) }))
    for (const { n } of isWhole ? distribution.line(queue) : distribution.front(queue, FRONT)) {
      const s = this.#office.book.states.get(n)
      const customer = s && s.is !== 'absent' && !this.elsewhere(n) ? await this.#office.customers.byId(s.customer) : undefined
      if (s && s.is !== 'absent' && customer) this.#news(n, s, customer)
    }
  }

  /** What the customer may know of it (schemas/desk-namespace.md). */
  conversation(n: number, s: State): Element {
    if (s.is === 'absent') return el('conversation', NS.desk, { number: String(n), state: 'closed', seq: '0', can: '' })
    return el('conversation', NS.desk, {
      number: String(n), state: s.is,
      ...(isQueued(s) ? this.#waiting(n, s.queue) : {}),
      ...(s.is === 'active' && (!s.proposal || this.#office.rules.now.conversation.aliasOnInvitations) ? { agent: this.#office.operators.name(s.owner) } : {}),
      ...(choices(this.#office, s).length > 0 ? { after: choices(this.#office, s).join(' ') } : {}),
      seq: String(s.shown), can: s.is === 'closed' ? '' : s.is === 'ended' ? 'say' : s.is === 'active' && s.proposal ? 'say end accept decline' : 'say end',
    })
  }

  /** What is news to who waits: his place, and whether anybody is there. */
  #place(n: number, queue: string): string { return `${this.#office.position(n)} ${this.#still.get(queue) === 'told'}` }
  #queueText(n: number, queue: string): string {
    const text = queueText(this.#office.rules.now, queue, this.#office.position(n), this.#office.paces.minutes(n))
    return this.#still.get(queue) === 'told' ? `${NOBODY} ${text}` : text
  }

  /** His place, how long it may last where that can be said, and the words where they are not the usual ones. */
  #waiting(n: number, queue: string): Record<string, string> {
    const s = this.#office.rules.now
    const [position, minutes] = [this.#office.position(n), this.#office.paces.minutes(n)]
    return { position: String(position), ...(minutes === undefined ? {} : { minutes: String(minutes) }), ...(queueWords(s, queue) === USUAL && this.#still.get(queue) !== 'told' ? {} : { text: this.#queueText(n, queue) }) }
  }

  /** An agent types. */
  typing(n: number, s: Present, state: string): void {
    const c = this.#office.customerOf(s)
    if (c && !this.elsewhere(n)) this.#office.link.send(typing(c.bridged ? this.#at.conversation(n) : this.#contact(c, s), Jid.parse(c.jid), state))
  }

  #contact(c: Customer, s: Present): Jid { return this.#at.queue(c.contact !== undefined && this.#office.hasQueue(c.contact) ? c.contact : s.queue) }
}

/** A public line in the desk's namespace. */
export const lineElement = (n: number, l: PublicLine): Element =>
  el('line', NS.desk, { conversation: String(n), seq: String(l.shown), at: new Date(l.at).toISOString(), who: l.who, name: l.name, ...(l.id === undefined ? {} : { id: l.id }), ...(l.file === undefined ? {} : { file: l.file.name, ...(l.file.size === undefined ? {} : { size: String(l.file.size) }), ...(l.file.type === undefined ? {} : { type: l.file.type }) }) }, onPage(l.who, l.body))
/** A page has buttons for what others answer by writing. */
const onPage = (by: string, body: string): string => by === 'desk' && body.endsWith(BY_WRITING) ? body.slice(0, -BY_WRITING.length) : body
