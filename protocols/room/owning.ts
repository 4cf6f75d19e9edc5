// Owners at work: configuring and destroying (XEP-0045 sections 10.1, 10.2, 10.9). Pure.
import { el, Jid, refuse, resultOf, StanzaError, type Iq } from '../../server/api.ts'
import { configForm, isLogged, readConfig, type RoomConfig } from './config.ts'
import type { Floor, Turn } from './floor.ts'
import { MUC_OWNER, MUC_USER, STATUS } from './names.ts'
import { enforceMembers } from './ruling.ts'

const DATA = 'jabber:x:data'

/** `muc#owner`, get and set. */
export function owner(floor: Floor, turn: Turn, iq: Iq): void {
  if (floor.affiliationOf(iq.from!) !== 'owner') return turn.refuse(iq, refuse('forbidden'))
  const query = iq.payload[0]!
  if (iq.type === 'get') return turn.send(resultOf(iq, el('query', MUC_OWNER, {}, configForm(floor.config, floor.host.bounds))))
  const destruction = query.child('destroy')
  if (destruction) {
    const alternate = destruction.attrs['jid'] === undefined ? undefined : Jid.tryParse(destruction.attrs['jid'])
    destroy(floor, turn, destruction.child('reason')?.text ?? '', alternate?.bare)
    return turn.send(resultOf(iq))
  }
  const x = query.child('x', DATA)
  if (!x) return turn.refuse(iq, refuse('bad-request'))
  if (x.attrs['type'] === 'cancel') return turn.send(resultOf(iq)) // section 10.2.1; our rooms are never locked, so nothing is undone
  if (x.attrs['type'] !== 'submit') return turn.refuse(iq, refuse('bad-request'))
  const config = readConfig(x, floor.config, floor.host.bounds)
  if (config instanceof StanzaError) return turn.refuse(iq, config)
  turn.send(resultOf(iq))
  configure(floor, turn, config)
}

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

/** Ends the room: all are told and put out. `alternate`: the bare JID of where to go instead. */
export function destroy(floor: Floor, turn: Turn, reason: string, alternate?: string): void {
  const end = el('destroy', MUC_USER, { ...(alternate && { jid: alternate }) }, ...(reason ? [el('reason', MUC_USER, {}, reason)] : []))
  floor.destroyed = true
  for (const o of floor.occupants.values()) {
    o.affiliation = 'none' // section 10.9
    floor.remove(turn, o, 'destroyed', { destroy: end })
  }
  floor.history.clear()
  turn.facts.push({ what: 'destroyed', reason, ...(alternate && { alternate }) })
}
