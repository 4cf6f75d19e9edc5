// The customer's side of a workgroup: to join its queue, to hear how it goes, to depart, and to be invited (XEP-0142 section 3; shell).
import { randomUUID } from 'node:crypto'
import { el, Jid, refuse, Stanza, StanzaError, type Element, type Message } from '../../../server/api.ts'
import { act, because } from '../actions.ts'
import type { Addresses } from '../addresses.ts'
import type { Commit } from '../book.ts'
import { commandNamed } from '../commands.ts'
import { queueName } from '../config.ts'
import { kindOf } from '../customers.ts'
import { Refused, type Present } from '../facts.ts'
import { asked, fill } from '../intake/fields.ts'
import { shownName } from '../intake/shown-name.ts'
import type { Office } from '../office.ts'
import { PATIENCE } from '../policy.ts'
import { short } from '../sentences.ts'
import { isQueued } from '../states.ts'
import { noStore } from '../stanzas.ts'
import { Pulse } from './pulse.ts'
import { TalkRooms } from './talks.ts'
import { answers, departed, invitation, JIVE, questions, queueStatus, session } from './words.ts'

const COLLECTION = 'desk-workgroup'
const PAGE = 500
/** Beyond so many nobody is told how long it lasts. */
export const FORESEEN = 100
type Reply = Element | undefined | StanzaError

/** One join: which device came by which address, whether it wants to hear how it goes, and whether it was invited. */
export interface Visit { readonly jid: string; readonly queue: string; readonly notify: boolean; readonly invited: boolean }

export class Visitors {
  readonly rooms: TalkRooms
  readonly #office: Office
  readonly #at: Addresses
  readonly #visits = new Map<number, Visit>()
  /** Who is joining now, by the customer's id, and what is sent to him when he has his answer. */
  readonly #joining = new Map<string, { readonly visit: Visit; readonly held: Message[] }>()
  readonly #told = new Map<number, string>()
  readonly #pulse: Pulse
  constructor(office: Office, at: Addresses) {
    this.#office = office
    this.#at = at
    this.rooms = new TalkRooms(office, at)
    this.#pulse = new Pulse(office, queue => this.#push(queue))
  }

  /** What the device is called, where the customer of this conversation came through the workgroup. */
  visit(n: number): Visit | undefined { return this.#visits.get(n) }
  fastpath(queue: string): boolean { return this.#office.config.queues.get(queue)?.fastpath === true }

  /** After a start: who was in his room is asked into it again. */
  async resume(): Promise<void> {
    const { documents } = this.#office.link.stores
    for (let after: string | undefined; ;) {
      const page = await documents.range<Visit>(COLLECTION, this.#office.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) {
        const n = Number(id)
        const s = this.#office.book.states.get(n)
        if (!s || s.is === 'absent' || s.is === 'closed') { await this.#forget(n); continue }
        this.#visits.set(n, value)
        if (s.is === 'active') this.#invite(n, s, value)
      }
      after = page.at(-1)?.id
      if (page.length < PAGE) break
    }
  }
  stop(): void { this.#pulse.stop(); this.rooms.stop() }

  /** He writes as plain clients do: from now on he is answered so. */
  async plain(bare: string): Promise<void> {
    const customer = this.#visits.size === 0 ? undefined : await this.#office.customers.byJid(bare)
    if (customer?.last !== undefined && this.#visits.has(customer.last)) await this.#forget(customer.last)
  }

  /** The device that waits has told the queue that it is here, or is not any more: then the place is kept for a while only. */
  async seen(from: Jid, here: boolean): Promise<void> {
    if (this.#visits.size === 0) return
    const n = (await this.#office.customers.byJid(from.bare))?.last
    const s = n === undefined ? undefined : this.#office.book.states.get(n)
    if (n === undefined || !s || !isQueued(s) || this.#visits.get(n)?.jid !== from.full || here === (s.gone === undefined)) return
    await this.#office.book.give(n, here ? { do: 'customer back' } : { do: 'customer gone', until: this.#office.now + PATIENCE.gone })
  }

  form(queue: string): Element | undefined { return questions(queueName(this.#office.config, queue), this.#asked(queue)) }
  #asked(queue: string): ReturnType<typeof asked> { const s = this.#office.rules.now; return asked(s, Object.entries(s.departments).flatMap(([id, d]) => d.queues.includes(queue) ? [id] : [])) }

  /** Section 3.2.1. `done` is called when he stands in the queue, before anything else is told him. */
  join(from: Jid, q: Element, queue: string, done: () => void): Promise<StanzaError | undefined> {
    const { operators, customers, bans, rules } = this.#office
    if (operators.has(from.bare)) return Promise.resolve(refuse('not-authorized', 'Operators do not wait in the queue.'))
    return this.#office.inTurnOf(from.bare, async () => {
      const known = await customers.byJid(from.bare)
      const isGuest = this.#office.link.privileges?.isForGuests?.(from.domain) === true
      const no = bans.bans(from.bare, known?.address, this.#office.now) || known?.bridged === true ? new Refused('You may not chat here.') : this.#office.barred(known ? kindOf(known) : isGuest ? 'public' : 'customer')
      if (no) return refuse('not-authorized', because(this.#office, no))
      const current = known && this.#office.current(known)
      if (current && current.s.is !== 'ended') return refuse('conflict', isQueued(current.s) ? 'You wait already.' : 'You are in a conversation already.')
      const given = answers(q)
      const filled = fill(this.#asked(queue), given)
      if ('wrong' in filled) return refuse('not-acceptable', filled.wrong)
      const question = given['question'] ?? ''
      if ([...question].length > this.#office.link.limits.visitor.text) return refuse('not-acceptable', 'The question is too long.')
      const typed = short(given['username'] ?? given['name'] ?? '', 80)
      const name = await shownName(this.#office, from, known, typed)
      const many = this.#office.quota.begins(from)
      if (many) return many
      const customer = await customers.meet(from.bare, { name, bridged: false, ...(isGuest ? { guest: true } : {}), contact: queue, ...(given['email'] ? { email: short(given['email'], 254) } : {}) })
      const joining = { visit: { jid: from.full, queue, notify: q.child('queue-notifications') !== undefined, invited: false }, held: [] as Message[] }
      this.#joining.set(customer.id, joining)
      try {
        const begun = await this.#office.begin(customer, queue, question === '' ? undefined : { body: question, name, id: undefined })
        if (begun instanceof Refused) return refuse(begun.forbidden ? 'not-authorized' : 'service-unavailable', because(this.#office, begun))
        const { n } = begun
        await this.#keep(n)
        if (Object.keys(filled.fields).length > 0) await this.#office.dossiers.edit(n, async d => ({ dossier: { ...d, fields: { ...d.fields, ...Object.fromEntries(Object.entries(filled.fields).map(([k, value]) => [k, { value, by: 'customer' as const, at: this.#office.now }])) } } }))
        done()
        return undefined
      } finally {
        this.#joining.delete(customer.id)
        for (const m of joining.held) this.#office.link.send(m)
        if (rules.now.queues[queue]) this.#pulse.touch(queue)
      }
    })
  }

  /** Section 3.2.2: one's own place, or another's for who may close his conversation. */
  async depart(from: Jid, q: Element): Promise<Reply> {
    const other = q.child('jid')?.text.trim()
    const whom = other === undefined || other === '' ? from : Jid.tryParse(other)
    const bare = whom?.bare ?? ''
    if (bare !== from.bare && !this.#office.operators.has(from.bare)) return refuse('not-authorized', 'You may take only yourself out of the queue.')
    const customer = await this.#office.customers.byJid(bare)
    const current = customer && this.#office.current(customer)
    const isThere = current !== undefined && isQueued(current.s)
    if (bare === from.bare) {
      if (!isThere) return refuse('item-not-found', 'You do not wait.')
      return this.#office.inTurnOf(bare, async () => { await this.#office.book.give(current.n, { do: 'end', by: 'customer' }); return undefined })
    }
    const close = commandNamed('close')
    if (!close || !this.#office.operators.may(from.bare, 'chat.act.others', current?.s.queue)) return refuse('not-authorized', 'You may not do that.')
    if (!isThere) return refuse('item-not-found', 'Nobody of this address waits.')
    const answer = await this.#office.inTurnOf(from.bare, () => act(this.#office, close, { by: from.bare, n: current.n, here: undefined, args: {} }))
    return answer.ok ? undefined : refuse(answer.forbidden ? 'not-authorized' : 'item-not-found', answer.text)
  }

  /** Section 3.2.3, asked for. */
  async status(from: Jid): Promise<Reply> {
    const customer = await this.#office.customers.byJid(from.bare)
    const current = customer && this.#office.current(customer)
    if (!current || !isQueued(current.s)) return refuse('not-authorized', 'You do not wait.')
    return this.#status(current.n, current.s.queue)
  }
  #status(n: number, queue: string): Element {
    const ahead = this.#office.position(n)
    const minutes = ahead < FORESEEN ? this.#office.paces.minutes(n) : undefined
    return queueStatus(ahead, minutes === undefined ? undefined : minutes * 60, { fastpath: this.fastpath(queue), session: session(n, this.#at.queue(queue)) })
  }

  onCommit({ n, before, after, lines }: Commit): void {
    if (after.is === 'absent') return
    const joining = this.#joining.get(after.customer)
    if (before.is === 'absent' && joining) this.#visits.set(n, joining.visit)
    for (const s of [before, after]) if (isQueued(s)) this.#pulse.touch(s.queue)
    const v = this.#visits.get(n)
    if (!v) return
    if (after.is === 'active' && !v.invited) this.#invite(n, after, v)
    else if (isQueued(before) && !isQueued(after) && after.is !== 'active') this.#tell(after.customer, v, departed(this.fastpath(v.queue), after.by === 'customer'))
    for (const l of lines) this.rooms.line(n, after, l)
    this.rooms.sync(n, after)
    if (after.is === 'closed') void this.#office.later(() => this.#forget(n))
  }

  /** Those in line hear where they stand, when it has changed; nobody who was invited does. */
  #push(queue: string): void {
    for (const { n } of this.#office.line(queue)) {
      const v = this.#visits.get(n)
      const s = this.#office.book.states.get(n)
      if (!v || !v.notify || v.invited || !s || s.is === 'absent') continue
      const status = this.#status(n, queue)
      if (this.#told.get(n) === status.toString()) continue
      this.#told.set(n, status.toString())
      this.#tell(s.customer, v, status)
    }
  }

  /** Section 3.2.4. */
  #invite(n: number, s: Present, v: Visit): void {
    this.#visits.set(n, { ...v, invited: true })
    this.#told.delete(n)
    const queue = this.#at.queue(v.queue)
    const beside = this.fastpath(v.queue) ? [el('workgroup', JIVE, { jid: queue.bare }), session(n, queue)] : []
    this.#send(s.customer, invitation(this.rooms.jid(n), queue, Jid.parse(v.jid), `${queueName(this.#office.config, s.queue)} is ready to talk with you.`, randomUUID(), beside))
    this.#office.later(() => this.#keep(n))
  }

  #tell(customer: string, v: Visit, e: Element): void { this.#send(customer, Stanza.of('message', { type: 'normal', from: this.#at.queue(v.queue).toBare(), to: Jid.parse(v.jid) }, [e, noStore()])) }
  #send(customer: string, m: Message): void {
    const joining = this.#joining.get(customer)
    if (joining) joining.held.push(m)
    else this.#office.link.send(m)
  }

  async #keep(n: number): Promise<void> {
    const v = this.#visits.get(n)
    if (v) await this.#office.link.stores.documents.put(COLLECTION, this.#office.domain, String(n), v)
  }
  async #forget(n: number): Promise<void> {
    this.#visits.delete(n)
    this.#told.delete(n)
    await this.#office.link.stores.documents.remove(COLLECTION, this.#office.domain, String(n))
  }
}
