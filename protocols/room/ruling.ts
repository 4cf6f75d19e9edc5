// Moderators and admins at work: roles, affiliations, and the lists of them (XEP-0045 sections 8, 9, 10.3 to 10.8). Pure.
import { el, Jid, refuse, resultOf, Stanza, StanzaError, type Element, type Iq } from '../../server/api.ts'
import type { Floor, Turn } from './floor.ts'
import { invitation } from './inviting.ts'
import { isAffiliation, isRole, MUC_ADMIN, MUC_USER, STATUS, type Affiliation, type Role } from './names.ts'
import { userX, whyOf, type Occupant } from './occupant.ts'
import { above, atLeast, initialRole, mayChangeAffiliation, mayChangeRole, type Rank } from './ranks.ts'

export interface Because { readonly reason?: string; readonly actor?: string }

/** `muc#admin`, get and set. */
export function admin(floor: Floor, turn: Turn, iq: Iq): void {
  const items = iq.payload[0]!.elements.filter(e => e.is('item', MUC_ADMIN))
  const occupant = floor.devices.get(iq.from!.full)
  const by: Rank = { affiliation: floor.affiliationOf(iq.from!), role: occupant?.role ?? 'none' }
  if (items.length === 0 || items.length > MOST) return turn.refuse(iq, refuse('bad-request'))
  if (iq.type === 'get') {
    const list = listed(floor, by, items[0]!)
    if (list instanceof StanzaError) return turn.refuse(iq, list)
    return turn.send(resultOf(iq, el('query', MUC_ADMIN, {}, ...list)))
  }
  // All are checked before any is done.
  const todo: Change[] = []
  for (const item of items) {
    const change = read(floor, by, iq.from!, item)
    if (change instanceof StanzaError) return turn.refuse(iq, change)
    todo.push(change)
  }
  if (losesLastOwner(floor, todo)) return turn.refuse(iq, refuse('conflict', 'A room keeps at least one owner.'))
  turn.send(resultOf(iq))
  for (const change of todo) {
    const why: Because = { ...(change.reason && { reason: change.reason }), ...(occupant && { actor: occupant.nick }) }
    if (change.what === 'role') setRole(floor, turn, change.occupant, change.role, why)
    else {
      const joins = change.affiliation === 'member' && floor.config.membersOnly && floor.affiliationOf(change.jid) === 'none'
      setAffiliation(floor, turn, change.jid, change.affiliation, { ...why, ...(change.nick !== undefined && { nick: change.nick }) })
      if (joins && occupant && floor.mayChurn(occupant.bare, turn.now)) turn.send(invitation(floor, occupant, change.jid)) // section 9.5
    }
  }
}

const MOST = 100 // items in one request

type Change =
  | { readonly what: 'role'; readonly occupant: Occupant; readonly role: Role; readonly reason: string | undefined }
  | { readonly what: 'affiliation'; readonly jid: Jid; readonly affiliation: Affiliation; readonly nick: string | undefined; readonly reason: string | undefined }

function read(floor: Floor, by: Rank, asker: Jid, item: Element): Change | StanzaError {
  const { affiliation, role, nick, jid: address } = item.attrs
  const reason = item.child('reason')?.text
  if (affiliation !== undefined) {
    if (!isAffiliation(affiliation)) return refuse('bad-request')
    const named = address === undefined && nick !== undefined ? floor.named(nick)?.bare : undefined
    const jid = Jid.tryParse(address ?? named ?? '')?.toBare()
    if (!jid) return address === undefined && nick !== undefined ? refuse('item-not-found') : refuse('jid-malformed')
    if (affiliation === 'outcast' && jid.bare === asker.bare && atLeast(by.affiliation, 'admin')) return refuse('conflict', 'Nobody bans himself.') // section 9.1
    const refused = mayChangeAffiliation(by.affiliation, floor.affiliationOf(jid), affiliation)
    if (refused) return refused
    if (address !== undefined && nick && floor.isReserved(nick, jid.bare)) return refuse('conflict')
    return { what: 'affiliation', jid, affiliation, nick: address === undefined ? undefined : nick, reason }
  }
  if (!isRole(role) || nick === undefined) return refuse('bad-request')
  const occupant = floor.named(nick)
  if (!occupant) return by.role === 'moderator' ? refuse('item-not-found') : refuse('forbidden')
  return mayChangeRole(by, occupant, role) ?? { what: 'role', occupant, role, reason }
}

function losesLastOwner(floor: Floor, todo: readonly Change[]): boolean {
  const owners = new Set([...floor.affiliates.values()].filter(a => a.affiliation === 'owner').map(a => a.jid))
  if (owners.size === 0) return false
  for (const c of todo) {
    if (c.what !== 'affiliation') continue
    if (c.affiliation === 'owner') owners.add(c.jid.bare)
    else owners.delete(c.jid.bare)
  }
  return owners.size === 0
}

/**
 * Lists are for admins, roles for moderators: to all others they tell real addresses (rows U07, U08). Where addresses are no secret,
 * members are told who else belongs to the room (sections 9.5, 10.5, 10.8): whom they invite, and for whom they encrypt.
 */
function listed(floor: Floor, by: Rank, { attrs }: Element): Element[] | StanzaError {
  const { affiliation, role } = attrs
  if (affiliation !== undefined) {
    if (!isAffiliation(affiliation) || affiliation === 'none') return refuse('bad-request')
    const least = affiliation !== 'outcast' && floor.config.whois === 'anyone' ? 'member' : atLeast(affiliation, 'admin') ? 'owner' : 'admin'
    if (!atLeast(by.affiliation, least)) return refuse('forbidden')
    return [...floor.affiliates.values()].filter(a => a.affiliation === affiliation).map(a =>
      el('item', MUC_ADMIN, { affiliation, jid: a.jid, ...(a.nick !== undefined && { nick: a.nick }) }, ...(a.reason ? [el('reason', MUC_ADMIN, {}, a.reason)] : [])))
  }
  if (!isRole(role) || role === 'none') return refuse('bad-request')
  if (by.role !== 'moderator' && !atLeast(by.affiliation, 'admin')) return refuse('forbidden')
  return [...floor.occupants.values()].filter(o => o.role === role).map(o =>
    el('item', MUC_ADMIN, { affiliation: o.affiliation, role, nick: o.nick, ...(o.devices[0] && { jid: o.devices[0].jid.full }) }))
}

/** Gives a role; 'none' is a kick (section 8.2). */
export function setRole(floor: Floor, turn: Turn, o: Occupant, role: Role, why: Because = {}): void {
  if (role === 'none') return floor.remove(turn, o, 'kicked', { ...why, codes: [STATUS.kicked] })
  if (role === o.role) return
  const was = o.role
  o.role = role
  o.renew()
  floor.show(turn, o, { extras: why, was })
  // Who becomes a moderator in a semi-anonymous room now sees whom he talks to.
  if (role === 'moderator') reveal(floor, turn, o)
}

function reveal(floor: Floor, turn: Turn, viewer: Occupant): void {
  if (floor.config.whois === 'anyone') return
  for (const o of floor.occupants.values()) if (o !== viewer) for (const d of viewer.devices) turn.send(o.view(true).readdress({ to: d.jid }))
}

/** Gives an affiliation to a bare JID (or a domain), whether in the room or not. `nick`: reserved from now on, '' = none; absent: as before (section 9.5). */
export function setAffiliation(floor: Floor, turn: Turn, jid: Jid, affiliation: Affiliation, why: Because & { readonly nick?: string } = {}): void {
  const before = floor.affiliationOf(jid)
  const { nick = affiliation === 'outcast' ? undefined : floor.affiliates.get(jid.bare)?.nick, ...because } = why
  if (affiliation === 'none') floor.affiliates.delete(jid.bare)
  else floor.affiliates.set(jid.bare, { jid: jid.bare, affiliation, ...(nick && { nick }), ...(affiliation === 'outcast' && because.reason && { reason: because.reason }) })
  turn.changed()
  const here = [...floor.occupants.values()].filter(o => o.bare !== '' && (o.bare === jid.bare || (jid.local === '' && domainOf(o.bare) === jid.domain)))
  for (const o of here) rerank(floor, turn, o, jid, because, before)
  if (here.length === 0 && before !== affiliation) tellAbsent(floor, turn, jid, affiliation, because)
}

function rerank(floor: Floor, turn: Turn, o: Occupant, jid: Jid, because: Because, before: Affiliation): void {
  const now = floor.affiliationOf(jid)
  const was = o.role
  o.affiliation = now
  const role = initialRole(now, floor.config)
  if (role === 'none') {
    const banned = now === 'outcast'
    return floor.remove(turn, o, banned ? 'banned' : 'removed', { ...because, codes: [banned ? STATUS.banned : STATUS.noLongerMember] })
  }
  // A role given by hand survives, unless the new affiliation brings a greater one or took the moderator's away.
  if (role === 'moderator' || (was === 'moderator' && above(before, now)) || was === 'visitor' && atLeast(now, 'member')) o.role = role
  o.renew()
  floor.show(turn, o, { extras: because, was })
  if (o.role === 'moderator' && was !== 'moderator') reveal(floor, turn, o)
}

/** Section 9.3 and others: occupants hear of a change to somebody who is not there, if they may know addresses. */
function tellAbsent(floor: Floor, turn: Turn, jid: Jid, affiliation: Affiliation, because: Because): void {
  const told = Stanza.of('message', { type: 'normal', from: floor.jid, id: floor.host.newId() }, [
    userX([el('item', MUC_USER, { affiliation, role: 'none', jid: jid.bare }, ...whyOf(because))]),
  ])
  for (const o of floor.occupants.values()) {
    if (floor.config.whois === 'anyone' || o.role === 'moderator') for (const d of o.devices) turn.send(told.readdress({ to: d.jid }))
  }
}

/** Throws out who may not be in any more after the rules changed. */
export function enforceMembers(floor: Floor, turn: Turn): void {
  for (const o of floor.occupants.values()) {
    if (o.affiliation === 'none' && o.bare !== '') floor.remove(turn, o, 'removed', { codes: [STATUS.nowMembersOnly] })
  }
}

const domainOf = (bare: string): string => bare.slice(bare.indexOf('@') + 1)
