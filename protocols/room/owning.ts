// Owners at work: configuring and destroying (XEP-0045 sections 10.1, 10.2, 10.9). Pure.
import { el, Jid, readForm, refuse, resultOf, StanzaError, type Element, type Iq } from '../../server/api.ts'
import { configForm, isLogged, readConfig, type RoomConfig } from './config.ts'
import type { Floor, Turn } from './floor.ts'
import { MUC_OWNER, MUC_USER, STATUS, type Affiliation } from './names.ts'
import { enforceMembers, setAffiliation, type Because } from './ruling.ts'

const DATA = 'jabber:x:data'

/** `muc#owner`, get and set. */
export function owner(floor: Floor, turn: Turn, iq: Iq): void {
  if (floor.affiliationOf(iq.from!) !== 'owner') return turn.refuse(iq, refuse('forbidden'))
  const query = iq.payload[0]!
  if (iq.type === 'get') return turn.send(resultOf(iq, el('query', MUC_OWNER, {}, configForm(floor.config, floor.host.bounds, listed(floor, 'owner'), listed(floor, 'admin')))))
  const destruction = query.child('destroy')
  if (destruction) {
    const alternate = destruction.attrs['jid'] === undefined ? undefined : Jid.tryParse(destruction.attrs['jid'])
    destroy(floor, turn, destruction.child('reason')?.text ?? '', alternate?.bare, destruction.child('password')?.text)
    return turn.send(resultOf(iq))
  }
  const x = query.child('x', DATA)
  if (!x) return turn.refuse(iq, refuse('bad-request'))
  if (x.attrs['type'] === 'cancel') {
    turn.send(resultOf(iq))
    if (floor.locked) destroy(floor, turn, '') // section 10.1.1; later a cancellation changes nothing (section 10.2.1)
    return
  }
  if (x.attrs['type'] !== 'submit') return turn.refuse(iq, refuse('bad-request'))
  const config = readConfig(x, floor.config, floor.host.bounds)
  if (config instanceof StanzaError) return turn.refuse(iq, config)
  const ranks = readRanks(floor, x)
  if (ranks instanceof StanzaError) return turn.refuse(iq, ranks)
  turn.send(resultOf(iq))
  floor.locked = false
  const by = floor.devices.get(iq.from!.full)
  const why: Because = by ? { actor: by.nick } : {}
  for (const [jid, affiliation] of ranks) setAffiliation(floor, turn, jid, affiliation, why)
  configure(floor, turn, config)
}

const listed = (floor: Floor, affiliation: Affiliation): string[] => [...floor.affiliates.values()].filter(a => a.affiliation === affiliation).map(a => a.jid)

/** What becomes of whom, where the form gives the owners or the admins in full (section 10.2). */
function readRanks(floor: Floor, x: Element): (readonly [Jid, Affiliation])[] | StanzaError {
  const values = readForm(x)?.values
  const named = (name: string): (Jid | undefined)[] | undefined => values?.get(`muc#roomconfig_room${name}`)?.flatMap(v => v.split('\n')).map(v => v.trim()).filter(v => v !== '').map(v => Jid.tryParse(v)?.toBare())
  const lists = { owner: named('owners'), admin: named('admins') }
  const wanted = new Map<string, Affiliation>()
  for (const rank of ['admin', 'owner'] as const) { // who is on both lists is an owner
    for (const jid of lists[rank] ?? []) {
      if (!jid) return refuse('jid-malformed')
      wanted.set(jid.bare, rank)
    }
  }
  if (wanted.size > MOST) return refuse('resource-constraint')
  if (lists.owner?.length === 0) return refuse('conflict', 'A room keeps at least one owner.')
  const changes: (readonly [Jid, Affiliation])[] = []
  for (const [bare, rank] of wanted) {
    const now = floor.affiliates.get(bare)?.affiliation
    if (now !== rank && !(now === 'owner' && lists.owner === undefined)) changes.push([Jid.parse(bare), rank])
  }
  for (const { jid, affiliation } of floor.affiliates.values()) {
    if ((affiliation === 'owner' || affiliation === 'admin') && lists[affiliation] && !wanted.has(jid)) changes.push([Jid.parse(jid), 'none'])
  }
  return changes
}

const MOST = 100 // owners and admins in a form

/** Puts a configuration into force and tells what it means to those present. */
export function configure(floor: Floor, turn: Turn, config: RoomConfig): void {
  const old = floor.config
  floor.config = config
  if (JSON.stringify(old) === JSON.stringify(config)) return
  turn.changed()
  const codes: string[] = []
  if (isLogged(config) !== isLogged(old)) codes.push(isLogged(config) ? STATUS.logged : STATUS.notLogged)
  if (config.whois !== old.whois) codes.push(config.whois === 'anyone' ? STATUS.nowNonAnonymous : STATUS.nowSemiAnonymous)
  if (codes.length === 0 || otherwiseChanged(old, config)) codes.unshift(STATUS.configChanged)
  if (config.membersOnly && !old.membersOnly) enforceMembers(floor, turn)
  floor.announce(turn, codes)
}

function otherwiseChanged(old: RoomConfig, now: RoomConfig): boolean {
  return JSON.stringify({ ...old, archived: 0, whois: 0 }) !== JSON.stringify({ ...now, archived: 0, whois: 0 })
}

/** Ends the room: all are told and put out. `alternate`: the bare JID of where to go instead, `password`: of that room. */
export function destroy(floor: Floor, turn: Turn, reason: string, alternate?: string, password?: string): void {
  const inside = [...(password ? [el('password', MUC_USER, {}, password)] : []), ...(reason ? [el('reason', MUC_USER, {}, reason)] : [])]
  const end = el('destroy', MUC_USER, { ...(alternate && { jid: alternate }) }, ...inside)
  floor.destroyed = true
  for (const o of floor.occupants.values()) {
    o.affiliation = 'none' // section 10.9
    floor.remove(turn, o, 'destroyed', { destroy: end })
  }
  floor.history.clear()
  turn.facts.push({ what: 'destroyed', reason, ...(alternate && { alternate }), ...(floor.locked && { unborn: true }) })
}
