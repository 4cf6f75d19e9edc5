// The agent's side of a workgroup: his presence there, what is offered to him, and how the queue stands (XEP-0142 section 4; shell).
import { randomUUID } from 'node:crypto'
import { el, Jid, refuse, resultOf, Stanza, StanzaError, type Element, type Iq, type Message, type Presence } from '../../../server/api.ts'
import { act } from '../actions.ts'
import { conditionOf, mayAnswer, visible, type Answer } from '../answers.ts'
import { recordOf } from '../assignment.ts'
import { capacityOf, isReceiving } from '../availability.ts'
import type { Addresses } from '../addresses.ts'
import type { Commit } from '../book.ts'
import { commandNamed } from '../commands.ts'
import { queueName } from '../config.ts'
import { inLine } from '../dispatch.ts'
import type { Bare, Event, Offer, PassReason, Present, State } from '../facts.ts'
import type { Office } from '../office.ts'
import { pendingOffers } from '../states.ts'
import { Pulse } from './pulse.ts'
import { FORESEEN, type Visitors } from './visitors.ts'
import { agentStatus, invitation, JIVE, maxChats, notifyAgents, notifyDetails, notifyQueue, offer, offerMark, revoke, session, sessionOf, stamp, WG } from './words.ts'

type Stand = 'ready' | 'away' | 'off'
const WHY: Readonly<Record<PassReason, string>> = { declined: 'You passed it on.', lapsed: 'Offer timed out', revoked: 'It is not offered to you any more.' }

export class Agents {
  readonly #office: Office
  readonly #at: Addresses
  readonly #visitors: Visitors
  /** How each device stands to each queue, where its client has said so. */
  readonly #stands = new Map<string, Map<string, Stand>>()
  /** Devices that hold an offer, by its id. */
  readonly #holding = new Map<string, Set<string>>()
  readonly #told = new Map<string, string>()
  readonly #pulse: Pulse
  constructor(office: Office, at: Addresses, visitors: Visitors) {
    this.#office = office
    this.#at = at
    this.#visitors = visitors
    this.#pulse = new Pulse(office, queue => this.#notify(queue))
    office.operators.stands = jid => this.#standsOf(jid)
  }
  stop(): void { this.#pulse.stop() }
  touch(): void { for (const q of this.#stands.keys()) this.#pulse.touch(q) }

  /** Whether he works with this queue in a client of its kind. */
  has(jid: Bare, queue: string): boolean { return this.#devices(jid, queue).length > 0 }
  #devices(jid: Bare, queue: string): string[] { return this.#office.operators.devices(jid).filter(d => { const stand = this.#stands.get(queue)?.get(d); return stand !== undefined && stand !== 'off' }) }

  /** Where all his devices stand back from a queue. One that said nothing to it is there as ever. */
  #standsOf(jid: Bare): Readonly<Record<string, 'away' | 'off'>> | undefined {
    const devices = this.#office.operators.devices(jid)
    const back: Record<string, 'away' | 'off'> = {}
    for (const [queue, all] of this.#stands) {
      const stands = devices.map(d => all.get(d) ?? 'ready')
      if (stands.length > 0 && !stands.includes('ready')) back[queue] = stands.includes('away') ? 'away' : 'off'
    }
    return back
  }

  /** Section 4.2.1; without `<agent-status/>` only the end of it, which his server tells. */
  async presence(p: Presence, from: Jid, queue: string): Promise<StanzaError | undefined> {
    const status = p.child('agent-status', WG)
    if (!this.#office.operators.has(from.bare) || !this.#office.operators.of(queue).includes(from.bare)) return status ? refuse('forbidden', 'You do not serve this queue.') : undefined
    const all = this.#stands.get(queue) ?? new Map<string, Stand>()
    this.#stands.set(queue, all)
    const before = this.has(from.bare, queue)
    if (p.type === 'unavailable') {
      if (status) all.set(from.full, 'off')
      else all.delete(from.full)
      this.#told.delete(`${queue} ${from.full}`)
      this.#office.operatorChanged(from.bare)
      return undefined
    }
    const show = p.child('show')?.text.trim() ?? ''
    all.set(from.full, show === 'dnd' ? 'off' : show === 'away' || show === 'xa' ? 'away' : 'ready')
    const most = status && maxChats(status)
    const max = commandNamed('max')
    const o = this.#office.operators.operator(from.bare)
    if (most !== undefined && max && Math.min(most, o.capacity) !== capacityOf(o)) await this.#office.inTurnOf(from.bare, () => act(this.#office, max, { by: from.bare, n: undefined, here: undefined, args: { number: String(Math.min(most, o.capacity)) } }))
    this.#office.operatorChanged(from.bare)
    this.#send(queue, from, [agentStatus(this.#at.queue(queue), recordOf(this.#office.book.ledger, from.bare).load, capacityOf(this.#office.operators.operator(from.bare)))])
    if (all.get(from.full) !== 'off') {
      for (const [n, s] of this.#office.book.states) if (s.is !== 'absent' && s.queue === queue) for (const x of pendingOffers(s)) if (x.to === from.bare && x.until > this.#office.now) await this.#offer(n, s, x, [from.full])
      if (!before && this.has(from.bare, queue)) this.#office.onView(from.bare)
    }
    this.#pulse.touch(queue)
    return undefined
  }
  /** The device has logged out. */
  gone(device: Jid): void { for (const all of this.#stands.values()) for (const d of [...all.keys()]) if (d === device.full || (device.isBare && Jid.parse(d).bare === device.bare)) all.delete(d) }

  // Offers

  async onCommit({ n, before, after, events }: Commit): Promise<void> {
    for (const s of [before, after]) if (s.is !== 'absent') this.#pulse.touch(s.queue)
    if (this.#stands.size === 0) return
    const were = pendingOffers(before)
    const are = pendingOffers(after)
    for (const o of are) if (after.is !== 'absent' && !were.some(w => w.id === o.id)) await this.#offer(n, after, o, this.#devices(o.to, after.queue))
    for (const o of were) if (!are.some(a => a.id === o.id)) this.#over(n, before, o, events.map(e => e.event))
  }

  async #offer(n: number, s: Present, o: Offer, devices: readonly string[]): Promise<void> {
    if (devices.length === 0) return
    const known = await this.#known(n, s)
    const asked = offer({ n, s, o, now: this.#office.now, queue: this.#at.queue(s.queue), customer: this.#customer(n, s), room: this.#room(n, s), fastpath: this.#visitors.fastpath(s.queue), known })
    const holding = this.#holding.get(o.id) ?? new Set<string>()
    this.#holding.set(o.id, holding)
    for (const d of devices) {
      holding.add(d)
      this.#ask(s.queue, d, asked)
    }
  }
  #over(n: number, before: State, o: Offer, events: readonly Event[]): void {
    const holding = this.#holding.get(o.id)
    this.#holding.delete(o.id)
    if (!holding || before.is === 'absent') return
    const accepted = events.some(e => (e.type === 'accepted' && e.id === o.id) || (e.type === 'transferred' && e.id === o.id) || (e.type === 'invitation accepted' && e.id === o.id) || (e.type === 'taken' && e.by === o.to))
    if (accepted) return
    const passed = events.find(e => (e.type === 'passed' || e.type === 'transfer passed' || e.type === 'invitation passed') && e.id === o.id)
    const why = passed && 'why' in passed && (passed.why === 'declined' || passed.why === 'lapsed') ? passed.why : 'revoked'
    for (const d of holding) this.#ask(before.queue, d, revoke(o.id, this.#customer(n, before), WHY[why]))
  }

  /** Sections 4.2.6: the same as `!a` and `!r`. The answer is a result; what came too late is taken back. */
  async answer(iq: Iq, q: Element, from: Jid, queue: string): Promise<void | StanzaError> {
    const { operators, link } = this.#office
    const command = commandNamed(q.name === 'offer-accept' ? 'a' : 'r')
    if (!operators.has(from.bare) || !command || !operators.may(from.bare, command.permission)) return refuse('forbidden', 'You may not do that.')
    const id = q.attrs['id']
    const jid = q.attrs['jid'] ?? ''
    const found = [...this.#office.book.states].flatMap(([n, s]) => s.is === 'absent' ? [] : pendingOffers(s).filter(o => o.to === from.bare && (id === undefined ? this.#customer(n, s) === jid : o.id === id)).map(o => ({ n, o })))
    const it = found[0]
    const lacks = it && q.name === 'offer-accept' ? mayAnswer(this.#office, it.n, from.bare) : undefined
    if (lacks) return refuse('forbidden', lacks.text)
    const reply = resultOf(iq)
    if (reply) link.send(reply)
    if (it) this.#holding.get(it.o.id)?.delete(from.full)
    const done: Answer = it ? await this.#office.inTurnOf(from.bare, () => act(this.#office, command, { by: from.bare, n: it.n, here: undefined, args: {} })) : { ok: false, text: 'It is not offered to you any more.' }
    if (!done.ok && q.name === 'offer-accept') this.#ask(queue, from.full, revoke(it?.o.id ?? id ?? '', jid, done.text))
  }

  /** Fastpath's `<transfer/>` and `<invite/>`: the same as `!t` and `!i`. */
  async hand(q: Element, from: Jid): Promise<StanzaError | undefined> {
    if (!this.#office.operators.has(from.bare)) return refuse('forbidden', 'You may not do that.')
    const n = sessionOf(q)
    const invitee = Jid.tryParse(q.child('invitee')?.text.trim() ?? '')
    const toQueue = q.attrs['type'] === 'queue' || q.attrs['type'] === 'workgroup'
    const command = commandNamed(q.name === 'transfer' ? 't' : 'i')
    if (n === undefined || !visible(this.#office, from.bare, n) || !this.#office.book.states.has(n)) return refuse('item-not-found', 'There is no such conversation.')
    if (!invitee || !command || (toQueue && q.name === 'invite')) return refuse('bad-request')
    const comment = q.child('reason')?.text.trim() ?? ''
    const args: Record<string, string> = q.name === 'invite' ? { who: invitee.bare } : { to: toQueue ? `group:${invitee.resource || invitee.local}` : invitee.bare, ...(comment === '' ? {} : { comment }) }
    const answer = await this.#office.inTurnOf(from.bare, () => act(this.#office, command, { by: from.bare, n, here: undefined, args }))
    return answer.ok ? undefined : refuse(conditionOf(answer), answer.text)
  }

  /** Section 4.2.8: for a device of this kind, in place of the usual invitation. */
  invitation(n: number, s: Present, room: Jid, device: Jid): Message | undefined {
    if (!this.#devices(device.bare, s.queue).includes(device.full)) return undefined
    const queue = this.#at.queue(s.queue)
    const beside = this.#visitors.fastpath(s.queue) ? [session(n, queue), el('user', JIVE, { id: this.#customer(n, s) })] : []
    return invitation(room, queue, device, `${this.#office.customerOf(s)?.name ?? 'Customer'}, ${queueName(this.#office.config, s.queue)} (#${n})`, randomUUID(), [offerMark(this.#customer(n, s)), ...beside])
  }

  /** Section 4.2.4: the list alone; how colleagues are, contact lists show. */
  colleagues(from: Jid, queue: string): Element | StanzaError {
    const board = commandNamed('board')
    if (!board || !this.#office.operators.has(from.bare) || !this.#office.operators.may(from.bare, board.permission)) return refuse('forbidden', 'You may not see who serves.')
    return el('agent-status-request', WG, {}, ...this.#office.operators.of(queue).filter(j => j !== from.bare).map(jid => el('agent', WG, { jid })))
  }

  // How the queue stands

  /** Sections 4.2.2 and 4.2.3, to each device that is there, when it has changed for it. */
  #notify(queue: string): void {
    const { operators, book } = this.#office
    const all = this.#stands.get(queue)
    if (!all || all.size === 0 || !this.#office.hasQueue(queue)) return
    const fastpath = this.#visitors.fastpath(queue)
    const serving = operators.of(queue).map(j => operators.operator(j)).filter(o => isReceiving(o, queue))
    const agents = notifyAgents(serving.length, serving.reduce((sum, o) => sum + recordOf(book.ledger, o.id).load, 0), serving.reduce((sum, o) => sum + capacityOf(o), 0))
    const line = this.#office.line(queue).sort(inLine)
    const first = line.length === 0 ? undefined : Math.min(...line.map(r => r.place.since))
    const time = (n: number | undefined): number | undefined => { const minutes = n === undefined || this.#office.position(n) >= FORESEEN ? undefined : this.#office.paces.minutes(n); return minutes === undefined ? undefined : minutes * 60 }
    const status = this.#office.isOpen(queue) ? 'open' : line.length > 0 ? 'active' : 'closed'
    const overview = notifyQueue(line.length, first === undefined ? undefined : stamp(first, fastpath), time(line.at(-1)?.n), status)
    // Who stands further back is in the count alone.
    const users = line.slice(0, FORESEEN).map(r => { const s = book.states.get(r.n); return { only: r.only, user: { jid: s && s.is !== 'absent' ? this.#customer(r.n, s) : '', position: this.#office.position(r.n), time: time(r.n), joined: stamp(r.place.since, fastpath) } } })
    for (const [device, stand] of all) {
      const to = Jid.parse(device)
      if (stand === 'off' || !operators.has(to.bare)) continue
      const details = notifyDetails(users.filter(u => u.only === undefined || u.only.includes(to.bare) || operators.may(to.bare, 'chat.view.others', queue)).map(u => u.user))
      const parts = [agents, overview, details]
      const text = parts.map(String).join('')
      const key = `${queue} ${device}`
      if (this.#told.get(key) === text) continue
      this.#told.set(key, text)
      for (const part of parts) this.#send(queue, to, [part], part === overview && fastpath && status === 'closed')
    }
  }

  /** What an agent decides by: the name, the first line, and what was filled in. */
  async #known(n: number, s: Present): Promise<Record<string, string>> {
    const customer = this.#office.customerOf(s)
    const { fields } = await this.#office.dossiers.get(n)
    const question = (await this.#office.lines.after(n, 0, 5)).find(l => l.by === 'customer')?.body
    return {
      ...Object.fromEntries(Object.entries(fields).map(([k, f]) => [k, f.value])), username: customer?.name ?? 'Customer',
      ...(customer?.email === undefined ? {} : { email: customer.email }), ...(question === undefined ? {} : { question: question.slice(0, 1000) }), ...(customer?.page === undefined ? {} : { page: customer.page }),
    }
  }
  #customer(n: number, s: Present): string { return this.#visitors.visit(n)?.jid ?? this.#office.customerOf(s)?.jid ?? this.#at.conversation(n).bare }
  #room(n: number, s: Present): Jid { return this.#at.room(n, this.#office.customerOf(s)?.name ?? '') }
  #ask(queue: string, device: string, e: Element): void { this.#office.link.send(Stanza.of('iq', { type: 'set', id: randomUUID(), from: this.#at.queue(queue).toBare(), to: Jid.parse(device) }, [e])) }
  /** Fastpath's clients look for the queue's name in the resource. */
  #send(queue: string, to: Jid, payload: readonly Element[], gone = false): void {
    const bare = this.#at.queue(queue).toBare()
    const from = this.#visitors.fastpath(queue) && payload.some(e => e.name === 'notify-queue' || e.name === 'notify-queue-details') ? bare.withResource(queue) : bare
    this.#office.link.send(Stanza.of('presence', { type: gone ? 'unavailable' : 'available', from, to }, payload))
  }
}
