// What a room is made of while it lives: who is in it, who may be, what was said. And how all are shown a change. Pure.
import { errorReply, Stanza, type AnyStanza, type Element, type Jid, type Message, type Presence, type StanzaError } from '../../server/api.ts'
import { Bucket } from './bucket.ts'
import type { Bounds, RoomConfig } from './config.ts'
import { Wardrobe, type Hat, type Wearer } from './hats.ts'
import { History } from './history.ts'
import { STATUS, type Affiliation, type Role } from './names.ts'
import { nickKey } from './nick.ts'
import { Occupant, note, userX, type Device, type Extras } from './occupant.ts'

/** What outlives a room's time in memory; plain JSON. */
export interface RoomRecord {
  readonly config: RoomConfig
  readonly secret: string // what occupant ids are made with
  readonly affiliations: readonly Affiliate[]
  readonly subject?: Subject
  /** Its vCard's pictures, by SHA-1 (XEP-0486); absent: it has no vCard. */
  readonly card?: readonly string[]
  readonly hats?: readonly Hat[]
  readonly wearers?: readonly Wearer[]
}
export interface Affiliate { readonly jid: string; readonly affiliation: Exclude<Affiliation, 'none'>; readonly nick?: string; readonly reason?: string }
export interface Subject { readonly text: string; readonly by: string; readonly at: number } // `by`: nick, '' = the room itself

export interface Visitor { readonly jid: Jid; readonly nick: string; readonly affiliation: Affiliation }

/** 'reflect': all are told, whatever the role. 'withhold': the speaker alone sees it as said. `undefined`: the room's own rules. */
export type Hearing = 'reflect' | 'withhold' | StanzaError | undefined

/** Who hosts the room: what the core may not know by itself, and where a service sets rules of its own. All answer at once. */
export interface RoomHost {
  /** A new unique id for a stanza. */
  newId(): string
  readonly bounds: Bounds
  /** Lines a second, of one occupant and of the whole room; Infinity = no limit. */
  readonly rates: { readonly occupant: number; readonly room: number }
  /** Namespaces of the archive, which the disco#info of a room that is logged shows. */
  readonly features?: readonly string[]
  /** What disco#info of every room shows beside: features of what the service does for its rooms. */
  readonly also?: readonly string[]
  /** People register nicks with its rooms. */
  readonly registers?: boolean
  /** The affiliation that a bare JID has by other right than the room's lists (admins of the service). */
  affiliation?(bare: string): Affiliation | undefined
  /** Whether this address may know that the room is there; if not, it hears `item-not-found`. */
  known?(jid: Jid): boolean
  /** May refuse one who may enter by the room's rules, or give nick and role. */
  enter?(visitor: Visitor): StanzaError | { readonly nick?: string; readonly role?: Role } | undefined
  /** May refuse a new nick, or give another one. */
  rename?(occupant: Occupant, nick: string): StanzaError | string | undefined
  /** Hears each line before anyone else does; the message is from the occupant and free of forgeries. */
  speak?(occupant: Occupant, message: Message): Hearing
  /** Hats that the service gives an occupant, before those of the room (XEP-0317). */
  hats?(occupant: Occupant): readonly Hat[]
  /** As `speak`, for private messages; 'withhold' = it is taken and nobody is told. */
  whisper?(from: Occupant, to: Occupant, message: Message): Hearing
}

export type Leaving = 'left' | 'kicked' | 'banned' | 'removed' | 'lost' | 'destroyed' | 'shutdown'

/** What happened in a turn, for the shell: to keep, to archive, to act upon. */
export type Fact =
  | { readonly what: 'entered'; readonly occupant: Occupant; readonly device?: Jid; readonly first: boolean }
  | { readonly what: 'left'; readonly occupant: Occupant; readonly device?: Jid; readonly last: boolean; readonly how: Leaving }
  | { readonly what: 'renamed'; readonly occupant: Occupant; readonly from: string }
  | { readonly what: 'line'; readonly occupant?: Occupant; readonly message: Message; readonly id: string; readonly kept: boolean }
  | { readonly what: 'withheld'; readonly occupant: Occupant; readonly device: Jid; readonly message: Message }
  | { readonly what: 'private'; readonly from: Occupant; readonly to: Occupant; readonly message: Message } // to one without device
  | { readonly what: 'subject'; readonly text: string; readonly occupant?: Occupant }
  /** A line is taken back (XEP-0424), `by` the occupant of this id or, without it, a moderator; `mark` stays in its place. */
  | { readonly what: 'retracted'; readonly id: string; readonly by?: string; readonly mark: Element }
  | { readonly what: 'invited'; readonly jid: string; readonly by: Occupant }
  | { readonly what: 'changed' } // the record is no longer what it was
  | { readonly what: 'emptied' } // the last device has left
  | { readonly what: 'destroyed'; readonly reason: string; readonly alternate?: string; readonly unborn?: true } // unborn: nobody had configured it yet

export interface Outcome { readonly out: readonly AnyStanza[]; readonly facts: readonly Fact[] }

/** One turn of a room: what comes in causes what goes out, in this order. */
export class Turn implements Outcome {
  readonly out: AnyStanza[] = []
  readonly facts: Fact[] = []
  readonly now: number
  constructor(now: number) { this.now = now }

  send(stanza: AnyStanza): void { this.out.push(stanza) }

  refuse(stanza: AnyStanza, error: StanzaError): void {
    const reply = errorReply(stanza, error)
    if (reply) this.out.push(reply)
  }

  /** Marks the record as changed, once. */
  changed(): void { if (!this.facts.some(f => f.what === 'changed')) this.facts.push({ what: 'changed' }) }
}

export class Floor {
  readonly jid: Jid
  readonly host: RoomHost
  readonly secret: string
  config: RoomConfig
  subject: Subject | undefined
  readonly affiliates = new Map<string, Affiliate>() // by bare JID or domain
  readonly occupants = new Map<string, Occupant>() // by nickKey
  readonly devices = new Map<string, Occupant>() // by full JID
  readonly history = new History()
  readonly wardrobe: Wardrobe
  card: readonly string[] | undefined
  /** Nobody has entered yet since the room was made. */
  fresh = false
  /** Nobody but owners gets in until one of them has sent or accepted a configuration (section 10.1.1). */
  locked = false
  destroyed = false
  readonly #lines: Bucket
  readonly #churn = new Map<string, Bucket>() // by bare JID: joins, leaves and new nicks

  constructor(jid: Jid, record: RoomRecord, host: RoomHost, now: number) {
    this.jid = jid
    this.host = host
    this.secret = record.secret
    this.config = record.config
    this.subject = record.subject
    this.card = record.card
    this.wardrobe = new Wardrobe(record.hats, record.wearers)
    for (const a of record.affiliations) this.affiliates.set(a.jid, a)
    this.#lines = new Bucket(burst(host.rates.room), now)
  }

  named(nick: string): Occupant | undefined { return this.occupants.get(nickKey(nick)) }

  /** Whether somebody else than `bare` has the nick reserved. */
  isReserved(nick: string, bare: string): boolean {
    const key = nickKey(nick)
    for (const a of this.affiliates.values()) if (a.nick !== undefined && a.jid !== bare && nickKey(a.nick) === key) return true
    return false
  }

  /** By the lists; a domain stands for all its users (section 9.1 allows it for bans). */
  affiliationOf(jid: Jid): Affiliation {
    return this.host.affiliation?.(jid.bare) ?? this.affiliates.get(jid.bare)?.affiliation ?? this.affiliates.get(jid.domain)?.affiliation ?? 'none'
  }

  /** Puts on an occupant the hats that are its own now; false if it wears them already. */
  dress(o: Occupant): boolean {
    const hats = [...(this.host.hats?.(o) ?? []), ...(o.bare === '' ? [] : this.wardrobe.of(o.bare))]
    if (JSON.stringify(hats) === JSON.stringify(o.hats)) return false
    o.hats = hats
    o.renew()
    return true
  }

  /** Shows those whose hats are others now. */
  redress(turn: Turn): void { for (const o of this.occupants.values()) if (this.dress(o)) this.show(turn, o) }

  mayKnow(viewer: Occupant): boolean { return this.config.whois === 'anyone' || viewer.role === 'moderator' }
  shows(role: Role): boolean { return this.config.broadcast.includes(role) }

  /** False: this is one line too many for now (`resource-constraint`). */
  mayLine(occupant: Occupant, now: number): boolean {
    const { rates } = this.host
    occupant.lines ??= new Bucket(burst(rates.occupant), now)
    return occupant.lines.take(rates.occupant, burst(rates.occupant), now) && this.#lines.take(rates.room, burst(rates.room), now)
  }

  /** False: this account comes, goes and renames too often (row U12). */
  mayChurn(bare: string, now: number): boolean {
    let bucket = this.#churn.get(bare)
    if (bucket) this.#churn.delete(bare)
    else bucket = new Bucket(CHURN_BURST, now)
    this.#churn.set(bare, bucket)
    if (this.#churn.size > CHURN_KNOWN) this.#churn.delete(this.#churn.keys().next().value!)
    return this.host.rates.room === Infinity || bucket.take(CHURN_RATE, CHURN_BURST, now)
  }

  /** Sends every device in the room its copy: one payload, a head each. */
  toAll(turn: Turn, stanza: AnyStanza): void {
    const { out } = turn
    for (const o of this.occupants.values()) for (const d of o.devices) out.push(stanza.readdress({ to: d.jid }) as AnyStanza)
  }

  /** Shows `o`'s presence to all others, and to itself last (section 7.2.3). `was`: the role before, if it changed. */
  show(turn: Turn, o: Occupant, more: { extras?: Extras; codes?: readonly string[]; was?: Role; asked?: Presence } = {}): void {
    this.showOthers(turn, o, more.extras, more.was)
    for (const d of o.devices) this.showSelf(turn, o, d, more.codes ?? [], more.extras, more.asked)
  }

  showOthers(turn: Turn, o: Occupant, extras?: Extras, was?: Role): void {
    const open = extras ? o.presence(true, extras) : o.view(true)
    const plain = extras ? o.presence(false, extras) : o.view(false)
    const shown = this.shows(o.role)
    const hide = !shown && was !== undefined && this.shows(was) ? o.absence(false, {}) : undefined
    for (const viewer of this.occupants.values()) {
      if (viewer === o) continue
      const seen = shown || viewer.role === 'moderator' ? (this.mayKnow(viewer) ? open : plain) : hide
      if (seen) for (const d of viewer.devices) turn.out.push(seen.readdress({ to: d.jid }))
    }
  }

  showSelf(turn: Turn, o: Occupant, d: Device, codes: readonly string[], extras?: Extras, asked?: Presence): void {
    const id = asked?.from?.full === d.jid.full ? asked.head.id : undefined
    turn.send(o.presence(true, { ...extras, codes: [STATUS.self, ...codes, ...(extras?.codes ?? [])] }, d).readdress({ to: d.jid, id }))
  }

  /** Tells all that `o` is gone from under its nick, itself included, and takes it off the floor. */
  remove(turn: Turn, o: Occupant, how: Leaving, extras: Extras, payload: readonly Element[] = []): void {
    this.occupants.delete(o.key)
    for (const d of o.devices) {
      this.devices.delete(d.jid.full)
      turn.send(o.absence(true, { ...extras, codes: [STATUS.self, ...(extras.codes ?? [])] }, payload).readdress({ to: d.jid }))
    }
    if (how !== 'destroyed' && how !== 'shutdown') this.hide(turn, o, extras, payload)
    turn.facts.push({ what: 'left', occupant: o, last: true, how })
    this.#checkEmpty(turn)
  }

  /** Takes one device off; true if the occupant is still there by another one. */
  removeDevice(turn: Turn, o: Occupant, d: Device, how: Leaving, extras: Extras, payload: readonly Element[] = []): void {
    if (o.devices.length === 1) return this.remove(turn, o, how, extras, payload)
    this.devices.delete(d.jid.full)
    const primary = o.devices[0] === d
    o.devices.splice(o.devices.indexOf(d), 1)
    o.renew()
    turn.send(o.absence(true, { ...extras, codes: [STATUS.self, ...(extras.codes ?? [])] }, payload).readdress({ to: d.jid }))
    if (primary) this.showOthers(turn, o)
    turn.facts.push({ what: 'left', occupant: o, device: d.jid, last: false, how })
  }

  /** The others' view of somebody going. */
  hide(turn: Turn, o: Occupant, extras: Extras, payload: readonly Element[] = []): void {
    const open = o.absence(true, extras, payload)
    const plain = o.absence(false, extras, payload)
    for (const viewer of this.occupants.values()) {
      if (viewer === o || !(this.shows(o.role) || viewer.role === 'moderator')) continue
      const seen = this.mayKnow(viewer) ? open : plain
      for (const d of viewer.devices) turn.out.push(seen.readdress({ to: d.jid }))
    }
  }

  /** The room itself says something by numbers to all (section 10.2.1). */
  announce(turn: Turn, codes: readonly string[]): void {
    this.toAll(turn, Stanza.of('message', { type: 'groupchat', from: this.jid, id: this.host.newId() }, [userX(codes.map(note))]))
  }

  #checkEmpty(turn: Turn): void {
    if (this.devices.size === 0 && !this.destroyed) turn.facts.push({ what: 'emptied' })
  }
}

const CHURN_RATE = 2 // a second, in the long run
const CHURN_BURST = 20
const CHURN_KNOWN = 500 // accounts remembered
const burst = (rate: number): number => (rate === Infinity ? Infinity : Math.max(1, rate * 3))

