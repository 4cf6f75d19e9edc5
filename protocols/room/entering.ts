// Coming into a room, being seen in it, taking another nick, going (XEP-0045 sections 7.1 to 7.3, 7.6, 7.14). Pure.
import { CONTENT, el, refuse, Stanza, type Element, type Jid, type Message, type Presence, type StanzaError } from '../../server/api.ts'
import { clean } from './clean.ts'
import { isLogged } from './config.ts'
import type { Floor, Turn } from './floor.ts'
import { DELAY, MUC, MUC_USER, STATUS } from './names.ts'
import { nickKey } from './nick.ts'
import { note, Occupant, userX, type Device } from './occupant.ts'
import { atLeast, initialRole } from './ranks.ts'

const LARGEST = 4096 // characters inside a presence: it is copied to every occupant

/** Presence sent to room@service/nick, of any type but error. */
export function presence(floor: Floor, turn: Turn, p: Presence): void {
  const from = p.from!
  const nick = p.to!.resource
  const occupant = floor.devices.get(from.full)
  const device = occupant?.device(from)
  if (p.type === 'unavailable') {
    if (occupant && device) leave(floor, turn, occupant, device, p)
    return
  }
  if (p.type === 'probe') return probe(floor, turn, p, occupant)
  if (p.type !== 'available') return // subscriptions to a room: nothing to say (RFC 6121 section 3.1.3 asks for no answer)
  if (nick === '') return turn.refuse(p, refuse('jid-malformed', 'A nick is missing.'))
  if (p.payload.reduce((sum, e) => sum + e.write(CONTENT).length, 0) > LARGEST) return turn.refuse(p, refuse('not-acceptable', 'Too much for a presence that all are shown.'))
  const join = p.child('x', MUC)
  if (!occupant || !device) {
    if (join) enter(floor, turn, p)
    else turn.send(notHere(p)) // section 7.2.1, of old "groupchat 1.0": its sender believes to be in the room
    return
  }
  const same = nick === device.asked || nickKey(nick) === occupant.key
  if (!same) return rename(floor, turn, occupant, device, p, nick)
  if (!floor.mayChurn(from.bare, turn.now)) return turn.refuse(p, refuse('resource-constraint', 'Too often; wait a little.'))
  const before = device.payload
  device.payload = clean(p.payload, floor.jid.bare)
  occupant.renew()
  if (occupant.devices[0] === device && !(join && isSame(before, device.payload))) floor.showOthers(turn, occupant)
  if (join) return again(floor, turn, occupant, device, p)
  floor.showSelf(turn, occupant, device, [], undefined, p)
}

/** Somebody asks how an occupant is (section 17.2). Servers ask in the name of a bare address, which is in no room: they hear nothing. */
function probe(floor: Floor, turn: Turn, p: Presence, asker: Occupant | undefined): void {
  if (p.from!.isBare) return
  if (!asker) return turn.refuse(p, refuse('not-acceptable', 'You are not in the room.'))
  if (!floor.mayChurn(asker.bare, turn.now)) return turn.refuse(p, refuse('resource-constraint', 'Too often; wait a little.'))
  const o = floor.named(p.to!.resource)
  if (o === asker) return floor.showSelf(turn, o, o.device(p.from!)!, [], undefined, p)
  if (!o || !(floor.shows(o.role) || asker.role === 'moderator')) return turn.refuse(p, refuse('item-not-found'))
  turn.send(o.view(floor.mayKnow(asker)).readdress({ to: p.from }))
}

function enter(floor: Floor, turn: Turn, p: Presence): void {
  const from = p.from!
  if (!floor.mayChurn(from.bare, turn.now)) return turn.refuse(p, refuse('resource-constraint', 'Too often; wait a little.'))
  const found = admit(floor, from, p)
  if (!('nick' in found)) return turn.refuse(p, found)
  const { nick, role, affiliation, there } = found
  const occupant = there ?? new Occupant(floor.jid, nick, from.bare, floor.secret, affiliation, role)
  const device: Device = { jid: from, asked: p.to!.resource, payload: clean(p.payload, floor.jid.bare) }
  const codes = entryCodes(floor)
  if (floor.fresh) codes.push(STATUS.created)
  if (occupant.nick !== p.to!.resource) codes.push(STATUS.nickAssigned)
  floor.fresh = false
  occupant.devices.push(device)
  if (!floor.dress(occupant)) occupant.renew()
  tellOccupants(floor, turn, occupant, from)
  floor.occupants.set(occupant.key, occupant)
  floor.devices.set(from.full, occupant)
  if (!there) floor.showOthers(turn, occupant)
  floor.showSelf(turn, occupant, device, codes, undefined, p)
  tellPast(floor, turn, from, p)
  turn.facts.push({ what: 'entered', occupant, device: from, first: !there })
}

/** A join of a device that is in already: it is told all that is told at a join (section 17.2). */
function again(floor: Floor, turn: Turn, o: Occupant, device: Device, p: Presence): void {
  tellOccupants(floor, turn, o, device.jid)
  const codes = entryCodes(floor)
  if (o.nick !== p.to!.resource) codes.push(STATUS.nickAssigned)
  floor.showSelf(turn, o, device, codes, undefined, p)
  tellPast(floor, turn, device.jid, p)
}

function tellPast(floor: Floor, turn: Turn, to: Jid, p: Presence): void {
  const history = p.child('x', MUC)!.child('history')
  for (const line of floor.history.tell(history, floor.config.history, turn.now, floor.jid.bare)) turn.send(line.readdress({ to }))
  turn.send(subjectOf(floor).readdress({ to }))
}

const isSame = (a: readonly Element[], b: readonly Element[]): boolean => a.map(String).join('') === b.map(String).join('')

interface Admission { readonly nick: string; readonly role: Occupant['role']; readonly affiliation: Occupant['affiliation']; readonly there: Occupant | undefined }

function admit(floor: Floor, from: Jid, p: Presence): Admission | StanzaError {
  const { config, host } = floor
  const affiliation = floor.affiliationOf(from)
  if (affiliation === 'outcast') return refuse('forbidden')
  if (config.membersOnly && affiliation === 'none') return refuse('registration-required')
  if (config.password !== '' && affiliation !== 'owner' && p.child('x', MUC)!.child('password')?.text !== config.password) return refuse('not-authorized')
  const word = host.enter?.({ jid: from, nick: p.to!.resource, affiliation })
  if (word && 'condition' in word) return word
  const nick = word?.nick ?? p.to!.resource
  const there = floor.named(nick)
  const refused = nickRefused(floor, nick, from.bare)
  if (refused) return refused
  if (!there && floor.occupants.size >= Math.min(config.users ?? Infinity, host.bounds.users) && (host.bounds.users === 0 || !atLeast(affiliation, 'admin'))) return refuse('service-unavailable', 'The room is full.')
  return { nick, affiliation, role: word?.role ?? initialRole(affiliation, config), there }
}

/** Whether somebody else has the nick, or has it reserved (section 7.2.8). */
function nickRefused(floor: Floor, nick: string, bare: string): StanzaError | undefined {
  const key = nickKey(nick)
  if (key === '') return refuse('not-acceptable', 'This nick cannot be seen.')
  const holder = floor.occupants.get(key)
  if (holder && (holder.bare !== bare || holder.devices.length === 0)) return refuse('conflict')
  return floor.isReserved(nick, bare) ? refuse('conflict') : undefined
}

function entryCodes(floor: Floor): string[] {
  const codes: string[] = []
  if (floor.config.whois === 'anyone') codes.push(STATUS.nonAnonymous)
  if (isLogged(floor.config)) codes.push(STATUS.logged)
  return codes
}

function tellOccupants(floor: Floor, turn: Turn, viewer: Occupant, to: Jid): void {
  const open = floor.mayKnow(viewer)
  for (const o of floor.occupants.values()) {
    if (o !== viewer && (floor.shows(o.role) || viewer.role === 'moderator')) turn.send(o.view(open).readdress({ to }))
  }
}

/** The subject as who enters is told it: always, even where there is none (section 7.2.15). */
export function subjectOf(floor: Floor): Message {
  const { subject, jid } = floor
  const payload = [el('subject', CONTENT, {}, ...(subject?.text ? [subject.text] : []))]
  if (subject) payload.push(el('delay', DELAY, { from: jid.bare, stamp: new Date(subject.at).toISOString() }))
  return Stanza.of('message', { type: 'groupchat', from: subject?.by ? jid.withResource(subject.by) : jid, id: floor.host.newId() }, payload)
}

function rename(floor: Floor, turn: Turn, o: Occupant, device: Device, p: Presence, asked: string): void {
  if (!floor.mayChurn(o.bare, turn.now)) return turn.refuse(p, refuse('resource-constraint', 'Too often; wait a little.'))
  const word = floor.host.rename?.(o, asked)
  if (typeof word === 'object') return turn.refuse(p, word)
  const nick = word ?? asked
  const holder = floor.named(nick)
  const refused = holder && holder !== o ? refuse('conflict') : nickRefused(floor, nick, o.bare)
  if (refused) return turn.refuse(p, refused)
  if (nick === o.nick) return floor.showSelf(turn, o, device, [STATUS.nickAssigned], undefined, p)
  device.payload = clean(p.payload, floor.jid.bare)
  takeNick(floor, turn, o, nick, p)
}

/** Moves an occupant to a nick that is free. */
export function takeNick(floor: Floor, turn: Turn, o: Occupant, nick: string, asked?: Presence): void {
  const from = o.nick
  const extras = { codes: [STATUS.newNick], nick }
  floor.hide(turn, o, extras)
  for (const d of o.devices) turn.send(o.absence(true, { ...extras, codes: [STATUS.self, STATUS.newNick] }).readdress({ to: d.jid }))
  floor.occupants.delete(o.key)
  o.name(nick)
  floor.occupants.set(o.key, o)
  floor.show(turn, o, { ...(asked && { asked }), ...(asked && asked.to!.resource !== nick && { codes: [STATUS.nickAssigned] }) })
  turn.facts.push({ what: 'renamed', occupant: o, from })
}

function leave(floor: Floor, turn: Turn, o: Occupant, device: Device, p: Presence): void {
  floor.mayChurn(o.bare, turn.now) // leaving is never refused, but it counts
  floor.removeDevice(turn, o, device, 'left', {}, clean(p.payload, floor.jid.bare))
}

/** To a client that believes to be in the room: it is not (section 7.2.1). */
function notHere(p: Presence): Presence {
  const item = el('item', MUC_USER, { affiliation: 'none', role: 'none' }, el('reason', MUC_USER, {}, 'You are not in the room.'))
  const codes = [STATUS.self, STATUS.kicked, STATUS.technical].map(note)
  return Stanza.of('presence', { type: 'unavailable', from: p.to, to: p.from, id: p.head.id }, [userX([item, ...codes])])
}
