// Questions to a room and, through it, to its occupants (XEP-0045 sections 6.4 to 6.6, XEP-0410). Pure.
import { el, form, refuse, resultOf, Stanza, type Element, type Iq } from '../../server/api.ts'
import { isLogged } from './config.ts'
import { NS_HATS } from './hats.ts'
import type { Floor, Turn } from './floor.ts'
import { DISCO_INFO, DISCO_ITEMS, MUC, MUC_ADMIN, MUC_INFO, MUC_OWNER, OCCUPANT_ID, PING, STANZA_ID } from './names.ts'
import type { Occupant } from './occupant.ts'
import { owner } from './owning.ts'
import { NS_REGISTER, register, reserved, takesMembers } from './registering.ts'
import { admin } from './ruling.ts'

const VCARD = 'vcard-temp'

/** An iq get or set to the room itself. */
export function toRoom(floor: Floor, turn: Turn, iq: Iq): void {
  const query = iq.payload[0]!
  switch (query.ns) {
    case MUC_ADMIN: return admin(floor, turn, iq)
    case MUC_OWNER: return owner(floor, turn, iq)
    case DISCO_INFO: return info(floor, turn, iq, query)
    case DISCO_ITEMS: return items(floor, turn, iq)
    case NS_REGISTER: if (floor.host.registers && query.name === 'query') return register(floor, turn, iq); break
    case PING: if (iq.type === 'get') return turn.send(resultOf(iq))
  }
  turn.refuse(iq, refuse('service-unavailable'))
}

function info(floor: Floor, turn: Turn, iq: Iq, query: Element): void {
  if (iq.type !== 'get') return turn.refuse(iq, refuse('service-unavailable'))
  const { node } = query.attrs
  if (node === 'x-roomuser-item') return floor.host.registers ? turn.send(resultOf(iq, reserved(floor, iq, node))) : turn.refuse(iq, refuse('feature-not-implemented')) // section 7.12
  if (node === `${MUC}#traffic`) return turn.refuse(iq, refuse('service-unavailable')) // section 17.5: all namespaces pass
  if (node !== undefined && node !== '') return turn.refuse(iq, refuse('item-not-found'))
  turn.send(resultOf(iq, el('query', DISCO_INFO, {}, ...about(floor))))
}

/** What a room says of itself: also for a service that lists it. */
export function about(floor: Floor): Element[] {
  const { config: c, subject, wardrobe: { hash } } = floor
  const features = [
    DISCO_INFO, DISCO_ITEMS, MUC, `${MUC}#request`, `${MUC}#stable_id`, `${MUC}#self-ping-optimization`, OCCUPANT_ID, STANZA_ID, PING, NS_HATS, ...(floor.host.registers && takesMembers(floor) ? [NS_REGISTER] : []), ...(floor.host.also ?? []),
    c.public ? 'muc_public' : 'muc_hidden', c.persistent ? 'muc_persistent' : 'muc_temporary', c.membersOnly ? 'muc_membersonly' : 'muc_open',
    c.moderated ? 'muc_moderated' : 'muc_unmoderated', c.whois === 'anyone' ? 'muc_nonanonymous' : 'muc_semianonymous',
    c.password === '' ? 'muc_unsecured' : 'muc_passwordprotected', ...(isLogged(c) ? (floor.host.features ?? []) : []),
  ]
  return [
    el('identity', DISCO_INFO, { category: 'conference', type: 'text', name: c.name || floor.jid.local }),
    ...features.map(f => el('feature', DISCO_INFO, { var: f })),
    form({
      type: 'result', formType: MUC_INFO,
      fields: [
        { var: 'muc#roomconfig_roomname', type: 'text-single', value: c.name },
        { var: 'muc#roominfo_description', type: 'text-single', value: c.description },
        { var: 'muc#roominfo_lang', type: 'text-single', value: c.language },
        { var: 'muc#roominfo_occupants', type: 'text-single', value: String(floor.occupants.size) },
        { var: 'muc#roominfo_subject', type: 'text-single', value: c.public ? (subject?.text ?? '') : '' },
        { var: 'muc#roomconfig_changesubject', type: 'boolean', value: c.changeSubject },
        { var: 'muc#roomconfig_allowinvites', type: 'boolean', value: c.invites },
        { var: 'muc#maxhistoryfetch', type: 'text-single', value: String(c.history) },
        ...(floor.card?.length ? [{ var: 'muc#roominfo_avatarhash', type: 'text-multi' as const, value: floor.card }] : []),
        ...(hash === undefined ? [] : [{ var: 'hats#hash', type: 'text-single' as const, value: hash }]),
      ],
    }),
  ]
}

/** Who is in: for occupants, and for all where the room is public (section 6.5). */
function items(floor: Floor, turn: Turn, iq: Iq): void {
  if (iq.type !== 'get') return turn.refuse(iq, refuse('service-unavailable'))
  const asker = floor.devices.get(iq.from!.full)
  const open = asker !== undefined || (floor.config.public && !floor.config.membersOnly)
  const seen = open ? [...floor.occupants.values()].filter(o => floor.shows(o.role) || asker?.role === 'moderator') : []
  turn.send(resultOf(iq, el('query', DISCO_ITEMS, {}, ...seen.map(o => el('item', DISCO_ITEMS, { jid: o.jid.full })))))
}

interface Asked { readonly asker: string; readonly id: string; readonly by: Iq['from']; readonly as: string; readonly whom: string }

const MOST_ASKED = 500

/** Questions on their way through a room: the answer finds back without anyone's real address being told (row U08). */
export class Relay {
  readonly #asked = new Map<string, Asked>()

  /** An iq get or set to room/nick. */
  ask(floor: Floor, turn: Turn, iq: Iq): void {
    const from = floor.devices.get(iq.from!.full)
    const query = iq.payload[0]!
    const isDisco = query.ns === DISCO_INFO || query.ns === DISCO_ITEMS
    if (!from) return turn.refuse(iq, refuse(isDisco ? 'bad-request' : 'not-acceptable', 'You are not in the room.')) // section 6.6; XEP-0410 section 3
    const to = floor.named(iq.to!.resource)
    if (!to) return turn.refuse(iq, refuse('item-not-found'))
    if (to === from && query.ns === PING) return turn.send(resultOf(iq)) // XEP-0410 section 3.3: the room answers for him
    const device = to.devices[0]
    if (!device) return turn.refuse(iq, refuse('service-unavailable'))
    if (this.#asked.size >= MOST_ASKED) this.#asked.delete(this.#asked.keys().next().value!)
    const id = floor.host.newId()
    // A vCard is kept by the account's server, not by the device.
    const whom = query.ns === VCARD && iq.type === 'get' ? device.jid.toBare() : device.jid
    this.#asked.set(id, { asker: from.key, id: iq.head.id ?? '', by: iq.from, as: iq.to!.full, whom: whom.full })
    turn.send(iq.readdress({ from: from.jid, to: whom, id }))
  }

  /** A result or error to room/nick. */
  answer(floor: Floor, turn: Turn, iq: Iq): void {
    const asked = this.#asked.get(iq.head.id ?? '')
    if (!asked || asked.whom !== iq.from!.full) return
    this.#asked.delete(iq.head.id ?? '')
    const still: Occupant | undefined = asked.by && floor.devices.get(asked.by.full)
    if (!still || !asked.by) return
    const as = floor.named(asked.as.slice(floor.jid.bare.length + 1))?.jid ?? iq.to!
    turn.send(Stanza.of('iq', { type: iq.type, from: as, to: asked.by, id: asked.id }, iq.payload))
  }
}
