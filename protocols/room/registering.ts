// Who registers with a room reserves a nick there and becomes a member (XEP-0045 sections 7.10 and 7.12). Pure.
import { el, form, readForm, refuse, resultOf, StanzaError, type Element, type Iq } from '../../server/api.ts'
import type { Floor, Turn } from './floor.ts'
import { DISCO_INFO, MUC } from './names.ts'
import { nickKey } from './nick.ts'
import { setAffiliation } from './ruling.ts'

export const NS_REGISTER = 'jabber:iq:register'
const FORM = `${MUC}#register`
const NICK = 'muc#register_roomnick'
const MOST = 1000 // who has a nick in a room; more are for its owners to name

/** Whether strangers may: not where membership is more than a name. */
export const takesMembers = ({ config }: Floor): boolean => !config.membersOnly && !config.moderated

/** `jabber:iq:register`, get and set. */
export function register(floor: Floor, turn: Turn, iq: Iq): void {
  const { bare } = iq.from!
  const known = floor.affiliates.get(bare)
  const affiliation = floor.affiliationOf(iq.from!)
  if (affiliation === 'outcast') return turn.refuse(iq, refuse('forbidden'))
  if (affiliation === 'none' && !takesMembers(floor)) return turn.refuse(iq, refuse('not-allowed', 'Here the admins name the members.'))
  if (iq.type === 'get') {
    const told = known?.nick === undefined ? [asked()] : [el('registered', NS_REGISTER), el('username', NS_REGISTER, {}, known.nick)]
    return turn.send(resultOf(iq, el('query', NS_REGISTER, {}, ...told)))
  }
  const query = iq.payload[0]! // a set has one
  if (query.child('remove')) {
    if (known?.nick === undefined && affiliation !== 'member') return turn.refuse(iq, refuse('registration-required'))
    turn.send(resultOf(iq))
    if (known?.affiliation === 'member') return setAffiliation(floor, turn, iq.from!.toBare(), 'none') // registering made him one
    if (known) floor.affiliates.set(bare, { jid: bare, affiliation: known.affiliation })
    return turn.changed()
  }
  if (!floor.mayChurn(bare, turn.now)) return turn.refuse(iq, refuse('resource-constraint', 'Too often; wait a little.'))
  const nick = wanted(floor, bare, query)
  if (nick instanceof StanzaError) return turn.refuse(iq, nick)
  turn.send(resultOf(iq))
  if (affiliation === 'none') return setAffiliation(floor, turn, iq.from!.toBare(), 'member', { nick })
  floor.affiliates.set(bare, { jid: bare, affiliation: known?.affiliation ?? affiliation, nick })
  turn.changed()
}

const asked = (): Element => form({
  type: 'form', formType: FORM, title: 'Registration', instructions: 'The nick will be yours in this room, and you a member of it.',
  fields: [{ var: NICK, type: 'text-single', label: 'Nick', required: true }],
})

function wanted(floor: Floor, bare: string, query: Element): string | StanzaError {
  const read = readForm(query.child('x', 'jabber:x:data'))
  const nick = read?.type === 'submit' && (read.formType === undefined || read.formType === FORM) ? read.values.get(NICK)?.[0]?.trim() : undefined
  if (!nick) return refuse('bad-request', 'A nick is needed.')
  const key = nickKey(nick)
  if (key === '' || nick.length > 200) return refuse('not-acceptable', 'This cannot be a nick.')
  const holder = floor.occupants.get(key)
  if (holder && holder.bare !== bare) return refuse('conflict')
  if (floor.isReserved(nick, bare)) return refuse('conflict')
  let named = 0
  for (const a of floor.affiliates.values()) if (a.nick !== undefined && a.jid !== bare) named++
  return named >= MOST ? refuse('resource-constraint') : nick
}

/** The answer to disco#info of the node x-roomuser-item: the asker's reserved nick, if he has one. */
export function reserved(floor: Floor, iq: Iq, node: string): Element {
  const nick = floor.affiliates.get(iq.from!.bare)?.nick
  return el('query', DISCO_INFO, { node }, ...(nick === undefined ? [] : [el('identity', DISCO_INFO, { category: 'conference', type: 'text', name: nick })]))
}
