// Invitations: through the room (XEP-0045 section 7.8.2) and straight to somebody (XEP-0249). Pure.
import { CONTENT, el, Jid, refuse, Stanza, type Element, type Message } from '../../server/api.ts'
import type { Floor, Turn } from './floor.ts'
import { CONFERENCE, HINTS, MUC_USER } from './names.ts'
import { userX, type Occupant } from './occupant.ts'
import { atLeast } from './ranks.ts'

const MOST = 10 // people in one invitation

/** An occupant asks the room to invite; whom an admin of a members-only room invites becomes a member. */
export function invite(floor: Floor, turn: Turn, m: Message, x: Element, by: Occupant | undefined): void {
  if (!by) return turn.refuse(m, refuse('forbidden', 'Only occupants invite.'))
  floor.locked = false
  const admin = atLeast(by.affiliation, 'admin')
  const free = admin || (floor.config.invites ? by.affiliation === 'member' || !floor.config.membersOnly : !floor.config.membersOnly && by.role !== 'visitor')
  if (!free) return turn.refuse(m, refuse('forbidden'))
  const asked = x.elements.filter(e => e.is('invite', MUC_USER))
  const people = asked.map(e => Jid.tryParse(e.attrs['to'] ?? ''))
  if (people.length > MOST || people.some(p => p === undefined)) return turn.refuse(m, refuse('jid-malformed'))
  if (!floor.mayChurn(by.bare, turn.now)) return turn.refuse(m, refuse('resource-constraint', 'Too often; wait a little.'))
  for (const [i, to] of people.entries()) {
    if (!to) continue
    if (floor.config.membersOnly && floor.affiliationOf(to) === 'none') {
      floor.affiliates.set(to.bare, { jid: to.bare, affiliation: 'member' })
      turn.changed()
    }
    const inside = asked[i]!.elements.filter(e => e.name === 'reason' || e.name === 'continue')
    turn.send(invitation(floor, by, to, inside, m.head.id))
    turn.facts.push({ what: 'invited', jid: to.bare, by })
  }
}

/** What the room says to somebody who is invited. `inside`: what the inviter says beside. */
export function invitation(floor: Floor, by: Occupant, to: Jid, inside: readonly Element[] = [], id: string = floor.host.newId()): Message {
  // The inviter's real address: whom he invites he tells who he is. COMPAT: Gajim loses an invitation from room/nick.
  const said = [el('invite', MUC_USER, { from: by.bare || by.jid.full }, ...inside)]
  if (floor.config.password !== '') said.push(el('password', MUC_USER, {}, floor.config.password))
  return Stanza.of('message', { type: 'normal', from: floor.jid, to, id }, [userX(said), ...UNSTORED])
}

/** The invited says no; the inviter hears it if he is still there. */
export function decline(floor: Floor, turn: Turn, m: Message, x: Element): void {
  const said = x.child('decline')!
  const inviter = Jid.tryParse(said.attrs['to'] ?? '')
  if (!inviter) return turn.refuse(m, refuse('jid-malformed'))
  if (!floor.mayChurn(m.from!.bare, turn.now)) return turn.refuse(m, refuse('resource-constraint'))
  const inside = said.elements.filter(e => e.name === 'reason')
  const told = Stanza.of('message', { type: 'normal', from: floor.jid, id: m.head.id }, [userX([el('decline', MUC_USER, { from: m.from!.bare }, ...inside)])])
  for (const o of floor.occupants.values()) {
    if (o.bare === inviter.bare || o.jid.full === inviter.full) for (const d of o.devices) turn.send(told.readdress({ to: d.jid }))
  }
}

/**
 * An invitation from a service straight to a device or account (XEP-0249). Never stored: clients show stored ones again and again.
 * `password`: of the room; `text`: a body for clients that know no invitations.
 */
export function directInvitation(room: Jid, from: Jid, to: Jid, id: string, more: { reason?: string; password?: string; text?: string } = {}): Message {
  const { reason, password, text } = more
  const x = el('x', CONFERENCE, { jid: room.bare, ...(reason && { reason }), ...(password && { password }) })
  return Stanza.of('message', { type: 'normal', from, to, id }, [...(text ? [el('body', CONTENT, {}, text)] : []), x, ...UNSTORED])
}

const UNSTORED: readonly Element[] = [el('no-store', HINTS)]
