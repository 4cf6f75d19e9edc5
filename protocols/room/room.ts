// A chat room (XEP-0045): what comes in, what goes out, and what happened. Shared by the muc component and the desk. Pure.
//
//   const room = new Room(jid, newRecord(secret, config, owner), host, now)
//   const { out, facts } = room.receive(stanza, now)       anything sent to room@service or room@service/nick
//   room.seat / unseat / say / tell / …                    the service's own doing, with the same kind of outcome
//
// The shell sends `out` in its order, acts on `facts`, and stores `room.record()` when 'changed' is among them.
// `RoomHost` (floor.ts) is where a service sets rules of its own: who enters under which nick, and what becomes of a line.
import { CONTENT, el, refuse, type AnyStanza, type Element, type Jid, type Message } from '../../server/api.ts'
import { about, Relay, toRoom } from './asking.ts'
import { defaultConfig, type RoomConfig } from './config.ts'
import { presence, takeNick } from './entering.ts'
import { Floor, Turn, type Affiliate, type Outcome, type RoomHost, type RoomRecord } from './floor.ts'
import type { Hat, Wardrobe } from './hats.ts'
import { STATUS, type Affiliation, type Role } from './names.ts'
import { Occupant } from './occupant.ts'
import { configure, destroy } from './owning.ts'
import { setAffiliation, setRole, type Because } from './ruling.ts'
import { body, EVERYWHERE, ghost, message, moderate, NOWHERE, reflect, said, setSubject } from './talking.ts'

/** The record of a room that nobody has entered. `secret`: unguessable, what occupant ids are made with; `owner`: a bare JID. */
export function newRecord(secret: string, config: Partial<RoomConfig> = {}, owner?: string): RoomRecord {
  return { secret, config: { ...defaultConfig, ...config }, affiliations: owner === undefined ? [] : [{ jid: owner, affiliation: 'owner' }] }
}

export class Room {
  readonly #floor: Floor
  readonly #relay = new Relay()

  /** `jid`: room@service. `fresh`: made just now, so that who enters first hears that he made it (status 201); locked until he has configured it. */
  constructor(jid: Jid, record: RoomRecord, host: RoomHost, now: number, fresh = false) {
    this.#floor = new Floor(jid, record, host, now)
    this.#floor.fresh = this.#floor.locked = fresh
  }

  get jid(): Jid { return this.#floor.jid }
  get config(): RoomConfig { return this.#floor.config }
  get subject(): string { return this.#floor.subject?.text ?? '' }
  get occupants(): Iterable<Occupant> { return this.#floor.occupants.values() }
  get size(): number { return this.#floor.occupants.size }
  /** Whether it waits for its first configuration; nobody else knows of it so long. */
  get locked(): boolean { return this.#floor.locked }
  /** True if no client is in the room; occupants of the service's own do not count. */
  get empty(): boolean { return this.#floor.devices.size === 0 }
  get affiliates(): Iterable<Affiliate> { return this.#floor.affiliates.values() }

  occupant(nick: string): Occupant | undefined { return this.#floor.named(nick) }
  occupantBy(device: Jid): Occupant | undefined { return this.#floor.devices.get(device.full) }
  affiliation(jid: Jid): Affiliation { return this.#floor.affiliationOf(jid) }
  /** disco#info, without its `<query/>`. */
  about(): Element[] { return about(this.#floor) }

  record(): RoomRecord {
    const { secret, config, affiliates, subject, card, wardrobe } = this.#floor
    return { secret, config, affiliations: [...affiliates.values()], ...(subject && { subject }), ...(card && { card }), ...wardrobe.record() }
  }

  /** Takes what somebody sent to the room or to an occupant; its `from` and `to` must be there. */
  receive(stanza: AnyStanza, now: number): Outcome {
    const turn = new Turn(now)
    const floor = this.#floor
    const { from, to } = stanza
    if (!from || !to) return turn
    const hidden = floor.locked ? floor.affiliationOf(from) !== 'owner' : floor.host.known?.(from) === false && !floor.devices.has(from.full)
    if (floor.destroyed || hidden) {
      if (stanza.kind !== 'presence' || stanza.type === 'available') turn.refuse(stanza, refuse('item-not-found'))
      return turn
    }
    switch (stanza.kind) {
      case 'message': message(floor, turn, stanza); break
      case 'presence':
        if (stanza.type === 'error') ghost(floor, turn, from)
        else presence(floor, turn, stanza)
        break
      case 'iq':
        if (stanza.type === 'result' || stanza.type === 'error') this.#relay.answer(floor, turn, stanza)
        else if (to.resource === '') toRoom(floor, turn, stanza)
        else this.#relay.ask(floor, turn, stanza)
    }
    return turn
  }

  /** Seats an occupant of the service's own: it has no device, speaks by `say`, and what is whispered to it is a 'private' fact. */
  seat(nick: string, now: number, as: { role?: Role; affiliation?: Affiliation; payload?: readonly Element[] } = {}): Outcome {
    return this.#turn(now, (turn, floor) => {
      if (floor.named(nick)) return
      const o = new Occupant(floor.jid, nick, '', floor.secret, as.affiliation ?? 'none', as.role ?? 'participant')
      floor.occupants.set(o.key, o)
      floor.dress(o)
      floor.showOthers(turn, o)
      turn.facts.push({ what: 'entered', occupant: o, first: true })
    })
  }

  /** Takes off an occupant of the service's own. */
  unseat(nick: string, now: number): Outcome {
    return this.#on(nick, now, (turn, floor, o) => floor.remove(turn, o, 'left', {}))
  }

  /** Puts out who does not belong here any more, by the host's word (status 321: COMPAT Gajim, without a number it believes to be in the room still). */
  expel(nick: string, now: number, reason: string): Outcome {
    return this.#on(nick, now, (turn, floor, o) => {
      o.affiliation = 'none'
      floor.remove(turn, o, 'removed', { reason, codes: [STATUS.noLongerMember] })
    })
  }

  /** A line to all, from the occupant `by` or, without it, from the room. `id`: of the message; `archiveId`: under which it is kept. History keeps lines with a body. */
  say(by: string | undefined, payload: string | readonly Element[], now: number, id: string = this.#floor.host.newId(), archiveId?: string): Outcome {
    return this.#turn(now, (turn, floor) => {
      const elements = typeof payload === 'string' ? [body(payload)] : payload
      const o = by === undefined ? undefined : floor.named(by)
      reflect(floor, turn, said(floor, o, elements, id), o, elements.some(e => e.name === 'body') ? EVERYWHERE : NOWHERE, archiveId)
    })
  }

  /** A line of the room's talk that only one hears: all devices of an occupant, or one device. Neither kept nor archived. `id`: of the message. */
  tell(to: string | Jid, by: string | undefined, payload: string | readonly Element[], now: number, id: string = this.#floor.host.newId()): Outcome {
    return this.#turn(now, (turn, floor) => {
      const whom = typeof to === 'string' ? floor.named(to)?.devices.map(d => d.jid) : [to]
      const line: Message = said(floor, by === undefined ? undefined : floor.named(by), typeof payload === 'string' ? [body(payload)] : payload, id)
      for (const jid of whom ?? []) turn.send(line.readdress({ to: jid }))
    })
  }

  /** Puts a line into the history that was said before the room was in memory. `message`: as reflected, from room/nick, without `to`. */
  remember(line: Message, at: number): void { this.#floor.history.add(line, at, this.#floor.config.history) }

  /** The line of this id in the archive, if it is among those that the room remembers. */
  remembered(id: string): Message | undefined { return this.#floor.history.find(id, this.jid.bare) }

  /** The moderator `by` takes a line back, which is known to be there (XEP-0425). */
  moderate(by: string, id: string, reason: string, now: number): Outcome {
    return this.#on(by, now, (turn, floor, o) => moderate(floor, turn, o, id, reason))
  }

  setSubject(text: string, now: number, by?: string): Outcome {
    return this.#turn(now, (turn, floor) => {
      const o = by === undefined ? undefined : floor.named(by)
      setSubject(floor, turn, text, o)
      reflect(floor, turn, said(floor, o, [el('subject', CONTENT, {}, ...(text ? [text] : []))], floor.host.newId()), o, NOWHERE)
    })
  }

  /** Whether it has a vCard (XEP-0486). */
  get hasCard(): boolean { return this.#floor.card !== undefined }
  /** The vCard is another one, with these pictures, or none. */
  setCard(hashes: readonly string[] | undefined, now: number): Outcome {
    return this.#turn(now, (turn, floor) => {
      floor.card = hashes
      turn.changed()
      floor.announce(turn, [STATUS.configChanged])
    })
  }

  /** The room's hats by URI (XEP-0317). */
  get hats(): ReadonlyMap<string, Hat> { return this.#floor.wardrobe.hats }
  /** Who wears which of them, by bare JID. */
  get wearers(): ReadonlyMap<string, ReadonlySet<string>> { return this.#floor.wardrobe.worn }
  /** Changes hats or heads; all are shown who is dressed otherwise now. `listed`: the list itself is another. */
  wardrobe(change: (w: Wardrobe) => void, listed: boolean, now: number): Outcome {
    return this.#turn(now, (turn, floor) => {
      change(floor.wardrobe)
      turn.changed()
      if (listed) floor.announce(turn, [STATUS.configChanged])
      floor.redress(turn)
    })
  }
  /** The service may give other hats now. */
  redress(now: number): Outcome { return this.#turn(now, (turn, floor) => floor.redress(turn)) }

  rename(nick: string, to: string, now: number): Outcome {
    return this.#on(nick, now, (turn, floor, o) => { if ((floor.named(to) ?? o) === o && to !== o.nick) takeNick(floor, turn, o, to) })
  }

  /** 'none' is a kick. */
  setRole(nick: string, role: Role, now: number, why: Because = {}): Outcome {
    return this.#on(nick, now, (turn, floor, o) => setRole(floor, turn, o, role, why))
  }

  setAffiliation(jid: Jid, affiliation: Affiliation, now: number, why: Because & { readonly nick?: string } = {}): Outcome {
    return this.#turn(now, (turn, floor) => setAffiliation(floor, turn, jid.toBare(), affiliation, why))
  }

  configure(config: Partial<RoomConfig>, now: number): Outcome {
    return this.#turn(now, (turn, floor) => configure(floor, turn, { ...floor.config, ...config }))
  }

  destroy(reason: string, now: number, alternate?: Jid): Outcome {
    return this.#turn(now, (turn, floor) => destroy(floor, turn, reason, alternate?.bare))
  }

  /** The service goes down: all are put out with status 332; the room stays as it is recorded. */
  shutdown(now: number): Outcome {
    return this.#turn(now, (turn, floor) => {
      for (const o of floor.occupants.values()) floor.remove(turn, o, 'shutdown', { codes: [STATUS.shutdown] })
    })
  }

  #turn(now: number, act: (turn: Turn, floor: Floor) => void): Outcome {
    const turn = new Turn(now)
    if (!this.#floor.destroyed) act(turn, this.#floor)
    return turn
  }

  #on(nick: string, now: number, act: (turn: Turn, floor: Floor, o: Occupant) => void): Outcome {
    return this.#turn(now, (turn, floor) => { const o = floor.named(nick); if (o) act(turn, floor, o) })
  }
}
