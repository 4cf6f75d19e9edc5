// The room that a customer of a workgroup is invited into: a picture of his conversation made of public lines. The agents' room is another one, and he is never in it (shell).
import { randomBytes, randomUUID } from 'node:crypto'
import { el, Jid, refuse, Stanza, StanzaError, type AnyStanza, type Element, type Iq, type Message, type Presence } from '../../../server/api.ts'
import { newRecord, Room } from '../../../protocols/room/room.ts'
import type { Fact, Outcome, RoomHost } from '../../../protocols/room/floor.ts'
import type { Addresses } from '../addresses.ts'
import { queueName } from '../config.ts'
import { isOver } from '../states.ts'
import type { Present, State } from '../facts.ts'
import { oobOf } from '../files/links.ts'
import type { Line } from '../lines.ts'
import type { Office } from '../office.ts'
import { PATIENCE } from '../policy.ts'
import { MARK } from '../sentences.ts'
import { NS, objection } from '../stanzas.ts'

const BOT = 'Helpdesk'
const CLIENT = 'jabber:client'
const HISTORY = 100 // lines shown to who enters
const UNLIMITED = { occupant: Infinity, room: Infinity } // streams are limited already

export class TalkRooms {
  readonly #office: Office
  readonly #at: Addresses
  readonly #rooms = new Map<number, Room>()
  readonly #said = new Map<string, readonly Element[]>()
  /** Takes a customer's line as if it came from his chat window. */
  hear: (m: Message, n: number) => Promise<void | StanzaError> = async () => refuse('service-unavailable')
  constructor(office: Office, at: Addresses) { this.#office = office; this.#at = at }

  jid(n: number): Jid { return this.#at.talk(n) }

  /** What somebody sent to the room's address; `mine` = the conversation has such a room. */
  async receive(stanza: AnyStanza, n: number, mine: boolean): Promise<void | StanzaError> {
    const s = this.#office.book.states.get(n)
    const { from, to } = stanza
    if (!from || !to) return
    if (!mine || !s || s.is === 'absent' || this.#office.customerOf(s)?.jid !== from.bare) return stanza.kind === 'presence' && stanza.type !== 'available' ? undefined : refuse('item-not-found', 'There is no such conversation.')
    const room = await this.#ensure(n, s)
    if (stanza.kind === 'message' && stanza.type === 'groupchat' && to.resource === '' && room.occupantBy(from)) return this.#heard(room, stanza, from, n)
    const outcome = room.receive(stanza, this.#office.now)
    this.#send(outcome)
    for (const f of outcome.facts) await this.#follow(n, room, f)
  }

  async #heard(room: Room, m: Message, from: Jid, n: number): Promise<void | StanzaError> {
    const body = m.child('body')?.text
    const refused = objection(m)
    if (refused !== undefined) { const me = room.occupantBy(from); if (me) this.#send(room.tell(me.nick, BOT, MARK + refused, this.#office.now)); return }
    if (body === undefined || body.trim() === '') return m.child('subject') ? refuse('not-allowed', 'The subject is the desk’s.') : this.hear(m, n) // he types
    const key = `${n}\n${m.head.id ?? ''}`
    this.#said.set(key, m.payload.filter(e => e.ns !== NS.delay && e.ns !== NS.mucUser && !(e.ns === NS.sid && e.name === 'stanza-id')))
    const error = await this.hear(m, n)
    this.#said.delete(key)
    return error
  }

  async #follow(n: number, room: Room, f: Fact): Promise<void> {
    const s = this.#office.book.states.get(n)
    if (!s || s.is === 'absent' || isOver(s)) return
    if (f.what === 'entered' && f.first && s.gone !== undefined) await this.#office.book.give(n, { do: 'customer back' })
    if (f.what === 'left' && f.last && f.how !== 'shutdown' && f.how !== 'destroyed') await this.#office.book.give(n, { do: 'customer gone', until: this.#office.now + PATIENCE.gone })
    if (room.empty) this.#seat(room, s)
  }

  /** A public line, under its speaker's name. */
  line(n: number, s: Present, l: Line): void {
    const room = this.#rooms.get(n)
    if (!room || l.as !== 'public') return
    const key = `${n}\n${l.id ?? ''}`
    const own = l.by === 'customer' ? this.#said.get(key) : undefined
    this.#said.delete(key)
    const nick = this.#nick(s, l.by)
    if (!room.occupant(nick)) this.#send(room.seat(nick, this.#office.now, { role: 'participant' }))
    this.#send(room.say(nick, own ?? [el('body', CLIENT, {}, l.body), ...oobOf(l)], this.#office.now, l.id !== undefined && own ? l.id : `w${n}-${l.shown ?? 0}`))
  }

  /** Those in the room are those whom the customer may know. */
  sync(n: number, s: State): void {
    const room = this.#rooms.get(n)
    if (!room) return
    if (s.is !== 'absent' && s.is !== 'closed') { this.#seat(room, s); return }
    this.#send(room.destroy('The conversation is closed.', this.#office.now))
    this.#rooms.delete(n)
  }

  stop(): void { for (const room of this.#rooms.values()) this.#send(room.shutdown(this.#office.now)) }

  async #ensure(n: number, s: Present): Promise<Room> {
    const known = this.#rooms.get(n)
    if (known) return known
    const lines = await this.#office.lines.all(n, s.lines)
    const meanwhile = this.#rooms.get(n)
    if (meanwhile) return meanwhile
    const { now } = this.#office
    const title = queueName(this.#office.config, s.queue)
    const config = { name: title, membersOnly: true, moderated: true, public: false, persistent: true, archived: false, whois: 'moderators' as const, history: HISTORY, whispers: 'none' as const }
    const room = new Room(this.jid(n), newRecord(randomBytes(16).toString('hex'), config), this.#host(n), now)
    this.#rooms.set(n, room)
    room.seat(BOT, now, { role: 'moderator', affiliation: 'admin' })
    room.setSubject(title, now, BOT)
    this.#seat(room, s)
    for (const l of lines) if (l.as === 'public') room.remember(Stanza.of('message', { type: 'groupchat', from: room.jid.withResource(this.#nick(s, l.by)), id: `w${n}-${l.shown ?? 0}` }, [el('body', CLIENT, {}, l.body), ...oobOf(l)]), l.at)
    return room
  }

  #host(n: number): RoomHost {
    const customer = (): { jid: string; nick: string } | undefined => {
      const s = this.#office.book.states.get(n)
      const c = s && this.#office.customerOf(s)
      return s && s.is !== 'absent' && c ? { jid: c.jid, nick: this.#nick(s, 'customer') } : undefined
    }
    return {
      newId: () => randomUUID(),
      bounds: { users: 50, history: HISTORY },
      rates: UNLIMITED,
      affiliation: bare => bare === customer()?.jid ? 'member' : undefined,
      enter: visitor => { const c = customer(); return c?.jid === visitor.jid.bare ? { nick: c.nick, role: 'participant' } : refuse('registration-required') },
      rename: () => refuse('not-acceptable', 'The desk gives the names here.'),
      speak: () => refuse('not-allowed'),
      whisper: () => refuse('not-allowed', 'There are no private messages here.'),
    }
  }

  #seat(room: Room, s: Present): void {
    const { now, operators } = this.#office
    const speaking = [...(s.is === 'active' && !s.proposal ? [s.owner] : []), ...Object.keys(s.crew).filter(j => s.crew[j] === 'participant')]
    const wanted = new Set([BOT, ...speaking.map(j => operators.name(j))])
    for (const o of [...room.occupants]) if (o.devices.length === 0 && !wanted.has(o.nick)) this.#send(room.unseat(o.nick, now))
    for (const nick of wanted) if (!room.occupant(nick)) this.#send(room.seat(nick, now, nick === BOT ? { role: 'moderator', affiliation: 'admin' } : { role: 'participant', affiliation: 'member' }))
  }

  #nick(s: Present, who: string): string {
    if (who === 'desk') return BOT
    if (who !== 'customer') return this.#office.operators.name(who)
    const name = this.#office.customerOf(s)?.name.trim() ?? ''
    const nick = name === '' || Jid.tryParse(`a@b.example/${name}`) === undefined ? 'Customer' : name
    return [BOT, ...this.#office.operators.all().map(p => this.#office.operators.name(p.jid))].some(x => x.toLowerCase() === nick.toLowerCase()) ? `${nick} (customer)` : nick
  }

  #send(o: Outcome): void { for (const stanza of o.out) this.#office.link.send(stanza as Message | Presence | Iq) } // a room sends nothing else
}
