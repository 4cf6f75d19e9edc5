// What occupants say: to all, to one, the subject, asking for voice (XEP-0045 sections 7.4, 7.5, 7.13, 8.1, 8.6). Pure.
import { CONTENT, el, form, readForm, refuse, Stanza, StanzaError, type Element, type Jid, type Message } from '../../server/api.ts'
import { keptOfRoom, type Kept } from '../keeping.ts'
import { isRetractable, moderation, retracted, retracts } from '../retraction.ts'
import { clean } from './clean.ts'
import type { Floor, Turn } from './floor.ts'
import { decline, invite } from './inviting.ts'
import { MUC_REQUEST, MUC_USER, OCCUPANT_ID, STANZA_ID, STATUS } from './names.ts'
import { userX, type Occupant } from './occupant.ts'
import { setRole } from './ruling.ts'
import { roleAtLeast } from './ranks.ts'

const DATA = 'jabber:x:data'

export function message(floor: Floor, turn: Turn, m: Message): void {
  const from = m.from!
  const occupant = floor.devices.get(from.full)
  if (m.type === 'error') { // a line that came back
    if (m.child('error')?.elements.some(e => UNREACHABLE.has(e.name))) ghost(floor, turn, from)
    return
  }
  if (m.to!.resource !== '') return whisper(floor, turn, m, occupant)
  if (m.type === 'groupchat') {
    if (!occupant) return turn.refuse(m, refuse('not-acceptable', 'You are not in the room.'))
    floor.locked = false // COMPAT: bots that never configure: who talks or invites has accepted the room as it is
    return line(floor, turn, m, occupant)
  }
  const x = m.child('x', MUC_USER)
  if (x?.child('invite')) return invite(floor, turn, m, x, occupant)
  if (x?.child('decline')) return decline(floor, turn, m, x)
  const request = m.child('x', DATA)
  if (request) return voice(floor, turn, m, request, occupant)
  turn.refuse(m, occupant ? refuse('bad-request', 'To the room itself one speaks with type groupchat.') : refuse('not-acceptable'))
}

function line(floor: Floor, turn: Turn, m: Message, o: Occupant): void {
  const room = floor.jid.bare
  if (!floor.mayLine(o, turn.now)) return turn.refuse(m, refuse('resource-constraint', 'Too many lines; wait a little.'))
  const cleaned = clean(m.payload, room)
  const said: Message = Stanza.of('message', { type: 'groupchat', from: o.jid, id: m.head.id, lang: m.head.lang }, [...cleaned, o.mark])
  const hearing = floor.host.speak?.(o, said)
  if (hearing instanceof StanzaError) return turn.refuse(m, hearing)
  if (hearing === 'withhold') {
    for (const d of o.devices) turn.send(said.readdress({ to: d.jid }))
    turn.facts.push({ what: 'withheld', occupant: o, device: m.from!, message: said })
    return
  }
  const subject = m.child('subject')
  const aboutSubject = subject !== undefined && !m.child('body') && !m.child('thread')
  if (hearing === undefined) {
    if (o.role === 'visitor' || o.role === 'none') return turn.refuse(m, refuse('forbidden', 'You have no voice here.'))
    if (aboutSubject && o.role !== 'moderator' && !floor.config.changeSubject) return turn.refuse(m, refuse('forbidden'))
  }
  if (aboutSubject) {
    setSubject(floor, turn, subject.text, o)
    reflect(floor, turn, said, o, NOWHERE)
    return
  }
  const taken = retracts(said)
  if (taken !== undefined && !takesBack(floor, turn, said, o, taken)) return turn.refuse(m, refuse('forbidden', 'What others said is not yours to take back.'))
  reflect(floor, turn, said, o, taken === undefined ? keptOfRoom(said) : EVERYWHERE)
}

/** Somebody takes back a line (XEP-0424); false if it is another's. What the room does not remember, the archive looks at. */
function takesBack(floor: Floor, turn: Turn, said: Message, o: Occupant, id: string): boolean {
  const line = floor.history.find(id, floor.jid.bare)
  if (line && (line.child('occupant-id', OCCUPANT_ID)?.attrs['id'] !== o.id || !isRetractable(line))) return false
  floor.history.remove(id, floor.jid.bare)
  turn.facts.push({ what: 'retracted', id, by: o.id, mark: retracted(said.head.id, turn.now) })
  return true
}

/** A moderator takes back somebody's line (XEP-0425), which the caller has found. */
export function moderate(floor: Floor, turn: Turn, o: Occupant, id: string, reason: string): void {
  const { told: payload, inside } = moderation(id, o.jid.full, o.mark, reason)
  const told = said(floor, undefined, payload, floor.host.newId())
  floor.history.remove(id, floor.jid.bare)
  reflect(floor, turn, told, undefined, EVERYWHERE)
  turn.facts.push({ what: 'retracted', id, mark: retracted(told.head.id, turn.now, ...inside) })
}

export function setSubject(floor: Floor, turn: Turn, text: string, by?: Occupant): void {
  floor.subject = { text, by: by?.nick ?? '', at: turn.now }
  turn.facts.push({ what: 'subject', text, ...(by && { occupant: by }) })
  turn.changed()
}

/** Gives the line its id in the archive and every device its copy: one payload, written once. */
export function reflect(floor: Floor, turn: Turn, said: Message, occupant: Occupant | undefined, kept: Kept, id = floor.host.newId()): void {
  const marked = said.with(el('stanza-id', STANZA_ID, { by: floor.jid.bare, id }))
  if (kept.history) floor.history.add(marked, turn.now, floor.config.history)
  floor.toAll(turn, marked)
  turn.facts.push({ what: 'line', ...(occupant && { occupant }), message: marked, id, kept: kept.archive })
}

export const EVERYWHERE: Kept = { archive: true, history: true }
export const NOWHERE: Kept = { archive: false, history: false }

function whisper(floor: Floor, turn: Turn, m: Message, from: Occupant | undefined): void {
  if (m.type === 'groupchat') return turn.refuse(m, refuse('bad-request', 'To one occupant one speaks with type chat.'))
  if (!from) return turn.refuse(m, refuse('not-acceptable', 'You are not in the room.'))
  const to = floor.named(m.to!.resource)
  if (!to) return turn.refuse(m, refuse('item-not-found'))
  if (!floor.mayLine(from, turn.now)) return turn.refuse(m, refuse('resource-constraint', 'Too many lines; wait a little.'))
  const { whispers } = floor.config
  const free = whispers === 'anyone' || (whispers !== 'none' && roleAtLeast(from.role, whispers === 'moderators' ? 'moderator' : 'participant'))
  const said: Message = Stanza.of('message', { type: m.type, from: from.jid, id: m.head.id, lang: m.head.lang }, [...clean(m.payload, floor.jid.bare), userX(), from.mark])
  const hearing = floor.host.whisper?.(from, to, said) ?? (free ? undefined : refuse('forbidden', 'No private messages here.'))
  if (hearing instanceof StanzaError) return turn.refuse(m, hearing)
  if (hearing === 'withhold') { turn.facts.push({ what: 'withheld', occupant: from, device: m.from!, message: said }); return }
  for (const d of to.devices) turn.send(said.readdress({ to: d.jid }))
  if (to.devices.length === 0) turn.facts.push({ what: 'private', from, to, message: said })
}

const UNREACHABLE = new Set([
  'gone', 'item-not-found', 'recipient-unavailable', 'redirect', 'remote-server-not-found', 'remote-server-timeout', 'service-unavailable',
])

/** Takes off a device that is not there any more, whatever it believes (section 17.4, ghost users). */
export function ghost(floor: Floor, turn: Turn, from: Jid): void {
  const occupant = floor.devices.get(from.full)
  const device = occupant?.device(from)
  if (occupant && device) floor.removeDevice(turn, occupant, device, 'lost', { codes: [STATUS.technical] })
}

/** A visitor asks for voice, or a moderator answers such a request (section 8.6). */
function voice(floor: Floor, turn: Turn, m: Message, x: Element, by: Occupant | undefined): void {
  const read = readForm(x)
  if (read?.formType !== MUC_REQUEST || read.type !== 'submit') return turn.refuse(m, refuse('bad-request'))
  if (!by) return turn.refuse(m, refuse('not-acceptable'))
  const allow = read.values.get('muc#request_allow')?.[0]
  if (by.role === 'moderator' && allow !== undefined) {
    const nick = read.values.get('muc#roomnick')?.[0] ?? ''
    const who = floor.named(nick)
    if (!who) return turn.refuse(m, refuse('item-not-found'))
    if ((allow === '1' || allow === 'true') && who.role === 'visitor') setRole(floor, turn, who, 'participant', { actor: by.nick })
    return
  }
  if (by.role !== 'visitor') return
  const asked = form({
    type: 'form', formType: MUC_REQUEST, title: 'Voice request', instructions: 'To let this person speak, tick the box and submit.',
    fields: [
      { var: 'muc#role', type: 'list-single', label: 'Requested role', value: 'participant', options: ['participant'] },
      { var: 'muc#jid', type: 'jid-single', label: 'Address', value: by.bare },
      { var: 'muc#roomnick', type: 'text-single', label: 'Nick', value: by.nick },
      { var: 'muc#request_allow', type: 'boolean', label: 'Let this person speak?', value: false },
    ],
  })
  const told: Message = Stanza.of('message', { type: 'normal', from: floor.jid, id: floor.host.newId() }, [asked])
  for (const o of floor.occupants.values()) if (o.role === 'moderator') for (const d of o.devices) turn.send(told.readdress({ to: d.jid }))
}

/** A line of the service's own: from an occupant of its, or from the room. */
export function said(floor: Floor, by: Occupant | undefined, payload: readonly Element[], id: string): Message {
  return Stanza.of('message', { type: 'groupchat', from: by?.jid ?? floor.jid, id }, by ? [...payload, by.mark] : payload)
}

export const body = (text: string): Element => el('body', CONTENT, {}, text)
