// The room view: a conversation is a members-only room that the desk hosts. Nobody's line is shown before it is kept, and the customer is never in it (shell).
import { randomBytes, randomUUID } from 'node:crypto'
import { el, Jid, refuse, StanzaError, type AnyStanza, type Element, type Iq, type Message, type Presence } from '../../../server/api.ts'
import { ARCHIVE_FEATURES, NS_MAM } from '../../../protocols/archive.ts'
import { directInvitation } from '../../../protocols/room/inviting.ts'
import { newRecord, Room } from '../../../protocols/room/room.ts'
import type { Fact, Outcome, RoomHost } from '../../../protocols/room/floor.ts'
import type { Hat } from '../../../protocols/room/hats.ts'
import type { Occupant } from '../../../protocols/room/occupant.ts'
import type { Addresses } from '../addresses.ts'
import { act } from '../actions.ts'
import { queueName } from '../config.ts'
import { commandNamed } from '../commands.ts'
import type { Control } from '../control.ts'
import { roleOf } from '../conversation.ts'
import type { Bare, Present, State } from '../facts.ts'
import { oobOf } from '../files/links.ts'
import type { Line } from '../lines.ts'
import type { Office } from '../office.ts'
import { PATIENCE } from '../policy.ts'
import { MARK } from '../sentences.ts'
import { chat, chatState, NS, objection } from '../stanzas.ts'
import type { Window } from './contact.ts'
import { BOT_HATS, CUSTOMER_HATS, operatorHats } from './room-hats.ts'
import { answerArchive, archiveId, isShown, lineOf } from './room-archive.ts'

const BOT = 'Helpdesk'
const CLIENT = 'jabber:client'
const JUST_NOW = 10_000 // ms in which nobody is asked twice into the same room for coming back
const HISTORY = 100 // lines shown to who enters
const UNLIMITED = { occupant: Infinity, room: Infinity } // streams are limited already

export class RoomWindow implements Window {
  readonly #office: Office
  readonly #at: Addresses
  readonly #control: Control
  readonly #rooms = new Map<number, Room>()
  /** When somebody was asked into a conversation's room, by `jid n`. */
  readonly #asked = new Map<string, number>()
  /** What a speaker's client sent beside the text: it is reflected whole (COMPAT: Profanity shows a line twice without its origin-id). */
  readonly #said = new Map<string, readonly Element[]>()

  constructor(office: Office, at: Addresses, control: Control) {
    this.#office = office
    this.#at = at
    this.#control = control
  }

  /** Whether his client knows conversations as rooms only, and how it is invited then. */
  asRoom: (jid: Bare, s: Present) => boolean = () => false
  invitation: (n: number, s: Present, room: Jid, device: Jid) => Message | undefined = () => undefined

  /** Whether he sees conversations of this queue as rooms: as he chose, else as the queue says. */
  isRoom = (jid: Bare, s: Present): boolean => this.asRoom(jid, s) || (this.#office.operators.record(jid).view ?? this.#office.config.queues.get(s.queue)?.view ?? 'contact') === 'room'

  // As a window

  async opens(n: number, s: Present, to: Bare): Promise<void> {
    const room = await this.#ensure(n, s)
    this.#seat(room, s)
    this.#asked.set(`${to} ${n}`, this.#office.now)
    const customer = this.#office.customerOf(s)?.name ?? 'Customer'
    // To every device: a bare address reaches one only, and that may be asleep. Beside it a plain line: invitations get lost.
    for (const device of this.#office.operators.devices(to)) {
      if (!room.occupantBy(Jid.parse(device))) this.#office.link.send(this.invitation(n, s, room.jid, Jid.parse(device)) ?? directInvitation(room.jid, this.#at.bot, Jid.parse(device), randomUUID(), { reason: `${customer}, ${queueName(this.#office.config, s.queue)} (#${n})` }))
    }
    this.#office.link.send(chat(this.#at.bot, Jid.parse(to), `${MARK}#${n} ${customer}: the room is ${room.jid.bare} · xmpp:${room.jid.bare}?join`, { keep: false }))
  }
  /** Lines are said in the room for all who are in it, see `spread`; who enters later has the room's history. */
  line(): void {}
  notice(n: number, to: Bare, text: string): void {
    const room = this.#rooms.get(n)
    const here = room && [...room.occupants].find(o => o.bare === to && o.devices.length > 0)
    if (room && here) this.#send(room.tell(here.nick, BOT, MARK + text, this.#office.now))
    else this.#office.link.send(chat(this.#at.bot, Jid.parse(to), MARK + text))
  }
  typing(): void {} // no room member would know whose

  /** A line for all in the room, under its speaker's name. Internal chats have a window of their own. */
  spread(n: number, s: Present, l: Line): void {
    const room = this.#rooms.get(n)
    if (!room || !isShown(l) || l.by === 'desk') return
    const key = `${n}\n${l.by}\n${l.id ?? ''}`
    const own = this.#said.get(key)
    this.#said.delete(key)
    const nick = this.#nick(s, l.by)
    const extras = own?.filter(e => !(e.name === 'body' && e.ns === CLIENT)) ?? []
    if (!room.occupant(nick)) this.#send(room.seat(nick, this.#office.now, { role: 'participant' }))
    this.#send(room.say(nick, [el('body', CLIENT, {}, bodyOf(l)), ...oobOf(l, extras), ...extras], this.#office.now, l.id !== undefined && own ? l.id : `c${n}-${l.seq}`, archiveId(l)))
  }

  /** Those in the room are those of the conversation; called after each commit, when all was told. */
  sync(n: number, s: State): void {
    const room = this.#rooms.get(n)
    if (!room) return
    if (s.is === 'absent' || s.is === 'closed') {
      this.#send(room.destroy('The conversation is closed.', this.#office.now))
      this.#rooms.delete(n)
      for (const key of this.#asked.keys()) if (key.endsWith(` ${n}`)) this.#asked.delete(key)
      return
    }
    this.#seat(room, s)
    for (const o of [...room.occupants]) {
      if (o.devices.length === 0) continue
      const role = this.#roleFor(o.bare, s)
      if (role === undefined) this.#send(room.expel(o.nick, this.#office.now, 'The conversation goes on without you.'))
      else if (!this.isRoom(o.bare, s)) this.#send(room.expel(o.nick, this.#office.now, 'You see the conversation as a contact now.'))
      else if (o.role !== role) this.#send(room.setRole(o.nick, role, this.#office.now))
    }
    this.#send(room.redress(this.#office.now))
  }

  /** He chose the other view: what is open moves at once, and nobody but him hears of it. */
  async switched(jid: Bare): Promise<void> {
    for (const [n, s] of [...this.#office.book.states]) {
      if (s.is === 'absent' || this.#roleFor(jid, s) === undefined) continue
      if (this.isRoom(jid, s)) await this.opens(n, s, jid)
      else if (this.#rooms.has(n)) {
        this.#office.closedBy.delete(n)
        await this.#office.book.give(n, { do: 'attach', who: jid })
        this.sync(n, s)
        this.#office.link.send(chat(this.#at.conversation(n), Jid.parse(jid), `${MARK}#${n} is shown here now.`, { keep: false }))
      }
    }
  }

  /** He has logged in: his rooms that he is not in are opened to him again. */
  async comesBack(jid: Bare): Promise<void> {
    for (const [n, s] of [...this.#office.book.states]) {
      if (s.is === 'absent' || this.#roleFor(jid, s) === undefined || !this.isRoom(jid, s)) continue
      if (this.#office.now - (this.#asked.get(`${jid} ${n}`) ?? -Infinity) <= JUST_NOW) continue // he has not answered yet
      const room = this.#rooms.get(n)
      if (!room || ![...room.occupants].some(o => o.bare === jid && o.devices.length > 0)) await this.opens(n, s, jid)
    }
  }

  stop(): void { for (const room of this.#rooms.values()) this.#send(room.shutdown(this.#office.now)) }

  // As the host of its rooms

  /** What somebody sent to a room's address. */
  async receive(stanza: AnyStanza, n: number): Promise<void | StanzaError> {
    const s = this.#office.book.states.get(n)
    const { from, to } = stanza
    if (!from || !to) return
    const nothing = stanza.kind === 'presence' && stanza.type !== 'available' ? undefined : refuse('item-not-found', 'There is no such conversation.')
    if (!s || s.is === 'absent' || s.is === 'closed' || this.#jid(n, s).bare !== to.bare || !this.#knows(from, n, s)) return nothing
    const room = await this.#ensure(n, s)
    this.#seat(room, s)
    if (stanza.kind === 'message' && room.occupantBy(from)) {
      const asked = stanza.child('x', NS.mucUser)?.child('invite')?.attrs['to']
      if (asked !== undefined) return this.#invite(n, room, from, asked) // COMPAT: Pidgin's /invite
      if (to.resource === '' && stanza.type === 'groupchat') return this.#heard(n, room, stanza, from)
    }
    if (stanza.kind === 'iq' && to.resource === '' && stanza.payload[0]?.ns === NS_MAM && (stanza.type === 'get' || stanza.type === 'set')) {
      return this.#office.inTurnOf(from.bare, () => this.#recall(n, s, room, stanza))
    }
    return this.#act(n, room, room.receive(stanza, this.#office.now))
  }

  /** What was said before: clients that keep an archive of their own ask for it (COMPAT: Gajim and Dino want no history on entering). */
  async #recall(n: number, s: Present, room: Room, iq: Iq): Promise<void | StanzaError> {
    const { link, lines } = this.#office
    const said = await lines.all(n, s.lines)
    return answerArchive(link, room.jid, iq, said.filter(isShown).map(l => [l, lineOf(n, l, room.jid.withResource(this.#nick(s, l.by)), bodyOf(l))]))
  }

  /** A line to the room: a command, or text that is said when it is kept. */
  async #heard(n: number, room: Room, m: Message, from: Jid): Promise<void | StanzaError> {
    const body = m.child('body')?.text
    const refused = objection(m)
    if (refused !== undefined) { this.notice(n, from.bare, refused); return }
    if (body === undefined || body.trim() === '') {
      if (m.child('subject')) return refuse('not-allowed', 'The subject is the desk’s.')
      this.#control.typing(from.bare, n, chatState(m))
      return
    }
    const id = m.head.id ?? randomUUID()
    const key = `${n}\n${from.bare}\n${id}`
    this.#said.set(key, m.payload.filter(e => e.ns !== NS.delay && e.ns !== NS.mucUser && !(e.ns === NS.sid && e.name === 'stanza-id')))
    const me = room.occupantBy(from)
    await this.#office.inTurnOf(from.bare, () => this.#control.inRoom(n, from.bare, body, id, m, {
      /** He alone sees what he wrote: clients show a room's text only when it comes back. */
      echo: () => { if (me) this.#send(room.tell(me.nick, me.nick, m.payload, this.#office.now, id)) },
      answer: text => { if (me) this.notice(n, from.bare, text) },
    }))
    this.#said.delete(key)
  }

  async #invite(n: number, room: Room, from: Jid, asked: string): Promise<void> {
    const invite = commandNamed('i')
    if (!invite) return
    const answer = await this.#office.inTurnOf(from.bare, () => act(this.#office, invite, { by: from.bare, n: undefined, here: n, args: { who: Jid.tryParse(asked)?.bare ?? asked } }))
    const me = room.occupantBy(from)
    if (me) this.#send(room.tell(me.nick, BOT, MARK + answer.text, this.#office.now))
  }

  async #act(n: number, room: Room, outcome: Outcome): Promise<void> {
    this.#send(outcome)
    for (const f of outcome.facts) await this.#follow(n, room, f)
  }
  async #follow(n: number, room: Room, f: Fact): Promise<void> {
    const s = this.#office.book.states.get(n)
    if (!s || s.is !== 'active') return
    if (f.what === 'entered' && f.first && f.occupant.bare === s.owner) {
      this.#office.closedBy.delete(n)
      await this.#office.book.give(n, { do: 'attach', who: s.owner })
    }
    // Who leaves his conversation's room is away from it (C12), unless it was the desk that put him out.
    if (f.what === 'left' && f.last && f.how !== 'shutdown' && f.occupant.bare === s.owner && this.isRoom(s.owner, s)) {
      this.#office.closedBy.set(n, s.owner)
      await this.#office.book.give(n, { do: 'detach', who: s.owner, until: this.#office.now + PATIENCE.detached })
    }
    if (f.what === 'withheld') this.notice(n, f.occupant.bare, 'Not sent: there are no private messages here.')
    if (room.empty) this.#seat(room, s)
  }

  async #ensure(n: number, s: Present): Promise<Room> {
    const known = this.#rooms.get(n)
    if (known) return known
    const customer = this.#office.customerOf(s)?.name ?? 'Customer'
    const title = `${customer} · ${queueName(this.#office.config, s.queue)} · #${n}`
    const lines = await this.#office.lines.all(n, s.lines)
    const meanwhile = this.#rooms.get(n)
    if (meanwhile) return meanwhile
    const { now } = this.#office
    const config = { name: title, membersOnly: true, moderated: true, public: false, persistent: true, archived: true, whois: 'anyone' as const, history: HISTORY, whispers: 'none' as const }
    const room = new Room(this.#jid(n, s), newRecord(randomBytes(16).toString('hex'), config), this.#host(n), now)
    this.#rooms.set(n, room)
    room.seat(BOT, now, { role: 'moderator', affiliation: 'admin' })
    room.setSubject(title, now, BOT)
    this.#seat(room, s)
    for (const l of lines) {
      if (isShown(l)) room.remember(lineOf(n, l, room.jid.withResource(this.#nick(s, l.by)), bodyOf(l)).with(el('stanza-id', NS.sid, { by: room.jid.bare, id: archiveId(l) })), l.at)
    }
    return room
  }

  #host(n: number): RoomHost {
    const state = (): Present | undefined => { const s = this.#office.book.states.get(n); return s && s.is !== 'absent' ? s : undefined }
    return {
      newId: () => randomUUID(),
      bounds: { users: 200, history: HISTORY },
      rates: UNLIMITED,
      features: ARCHIVE_FEATURES,
      affiliation: bare => { const s = state(); return s && this.#roleFor(bare, s) !== undefined ? 'member' : undefined },
      enter: visitor => {
        const s = state()
        const role = s && this.#roleFor(visitor.jid.bare, s)
        return role === undefined ? refuse('registration-required') : { nick: this.#office.operators.name(visitor.jid.bare), role }
      },
      rename: () => refuse('not-acceptable', 'The desk gives the names here.'),
      hats: o => { const s = state(); return s ? this.#hats(s, o) : [] },
      speak: () => refuse('not-allowed'),
      whisper: () => 'withhold',
    }
  }

  /** The desk's own occupants: the bot, the customer, and the agents who see it as a contact. */
  #seat(room: Room, s: Present): void {
    const { now } = this.#office
    const wanted = new Map<string, 'participant' | 'visitor' | 'moderator'>([[BOT, 'moderator'], [this.#nick(s, 'customer'), 'participant']])
    for (const jid of this.#members(s)) if (!this.isRoom(jid, s)) wanted.set(this.#office.operators.name(jid), this.#roleFor(jid, s) ?? 'visitor')
    for (const o of [...room.occupants]) if (o.devices.length === 0 && wanted.get(o.nick) !== o.role) this.#send(room.unseat(o.nick, now))
    for (const [nick, role] of wanted) if (!room.occupant(nick)) this.#send(room.seat(nick, now, { role, affiliation: role === 'moderator' ? 'admin' : 'member' }))
  }

  #hats(s: Present, o: Occupant): readonly Hat[] {
    if (o.devices.length === 0 && o.nick === BOT) return BOT_HATS
    const { operators } = this.#office
    const jid = o.bare || this.#members(s).find(j => operators.name(j) === o.nick)
    return jid ? operatorHats(roleOf(s, jid), operators.holds(jid)) : o.nick === this.#nick(s, 'customer') ? CUSTOMER_HATS : []
  }

  #members(s: Present): Bare[] { return [...(s.is === 'active' || s.is === 'ended' ? [s.owner] : []), ...Object.keys(s.crew).filter(j => s.crew[j] !== 'invited')] }
  #roleFor(jid: Bare, s: Present): 'participant' | 'visitor' | undefined {
    const role = roleOf(s, jid)
    return role === 'owner' || role === 'participant' ? 'participant' : role === 'observer' ? 'visitor' : undefined
  }
  #knows(from: Jid, n: number, s: Present): boolean {
    return (this.#office.operators.has(from.bare) && this.#roleFor(from.bare, s) !== undefined && this.isRoom(from.bare, s)) || this.#rooms.get(n)?.occupantBy(from) !== undefined
  }

  #jid(n: number, s: Present): Jid { return this.#at.room(n, this.#office.customerOf(s)?.name ?? '') }

  /** The customer's name, if no agent bears it and it can stand in an address. */
  #nick(s: Present, who: string): string {
    if (who === 'desk') return BOT
    if (who !== 'customer') return this.#office.operators.name(who)
    const name = this.#office.customerOf(s)?.name.trim() ?? ''
    const taken = name.toLowerCase() === BOT.toLowerCase() || this.#members(s).some(j => this.#office.operators.name(j).toLowerCase() === name.toLowerCase())
    const nick = name === '' || Jid.tryParse(`a@b.example/${name}`) === undefined ? 'Customer' : name
    return taken ? `${nick} (customer)` : nick
  }

  #send(o: Outcome): void { for (const stanza of o.out) this.#office.link.send(stanza as Message | Presence | Iq) }
}

const bodyOf = (l: Line): string => l.by === 'desk' ? MARK + l.body : l.as === 'coaching' ? `(coaching) ${l.body}` : l.as === 'internal' ? `(note) ${l.body}` : l.body
