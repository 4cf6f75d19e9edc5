// The elements of XEP-0142 and of what Fastpath's clients expect beside them: read and made (section numbers are the XEP's). Pure.
import { el, form, Jid, Stanza, type Element, type Field, type Message } from '../../../server/api.ts'
import type { FieldSetting } from '../../../schemas/desk-settings.ts'
import type { Offer, Present } from '../facts.ts'
import { NS } from '../stanzas.ts'

export const WG = 'http://jabber.org/protocol/workgroup'
/** What Fastpath and the clients made for it speak beside the XEP. */
export const JIVE = 'http://jivesoftware.com/protocol/workgroup'
const FORMS = ['jabber:x:data', 'jabber:iq:data'] // section 3.2.1 prints the second by mistake

export const isWorkgroup = (e: Element): boolean => e.ns === WG || e.ns === JIVE
const leaf = (name: string, text: string | number): Element => el(name, WG, {}, String(text))
const seconds = (s: number | undefined): Element[] => s === undefined ? [] : [leaf('time', s)]
/** XEP-0082, or as Smack reads dates. */
export const stamp = (at: number, fastpath: boolean): string => fastpath ? new Date(at).toISOString().replace(/-|\.\d+Z$/g, '') : new Date(at).toISOString()

/** What was filled in: the form's fields and Fastpath's metadata; never a password. */
export function answers(join: Element): Record<string, string> {
  const found: [string, string][] = []
  for (const e of join.elements) {
    if (e.name === 'x' && FORMS.includes(e.ns)) found.push(...e.elements.filter(f => f.name === 'field').map((f): [string, string] => [f.attrs['var'] ?? '', f.elements.filter(v => v.name === 'value').map(v => v.text).join('\n')]))
    if (e.is('metadata', JIVE)) found.push(...e.elements.filter(v => v.name === 'value').map((v): [string, string] => [v.attrs['name'] ?? '', v.text]))
  }
  return Object.fromEntries(found.filter(([k]) => k !== '' && k !== 'password' && k !== 'FORM_TYPE').map(([k, v]) => [k, v.trim()]))
}

const TYPES = { text: 'text-single', lines: 'text-multi', number: 'text-single', 'yes-no': 'list-single', choice: 'list-single' } as const
/** The form before the queue; undefined where nothing is asked. */
export function questions(title: string, asking: readonly (readonly [string, FieldSetting])[]): Element | undefined {
  if (asking.length === 0) return undefined
  const fields = asking.map(([name, f]): Field => ({
    var: name, type: TYPES[f.kind], label: f.label, required: f.required,
    ...(f.kind === 'choice' ? { options: f.choices } : f.kind === 'yes-no' ? { options: ['yes', 'no'] } : {}),
  }))
  return form({ type: 'form', title, fields })
}

/** Section 3.2.3: how many are ahead, and about how many seconds it lasts. Fastpath counts from 1. */
export const queueStatus = (ahead: number, wait: number | undefined, more: { fastpath: boolean; session: Element }): Element =>
  el('queue-status', WG, {}, leaf('position', more.fastpath ? ahead + 1 : ahead), ...seconds(wait), ...(more.fastpath ? [more.session] : []))
export const departed = (fastpath: boolean, found: boolean): Element =>
  el('depart-queue', WG, {}, ...(fastpath ? [el(found ? 'departure-requested' : 'agent-not-found', JIVE)] : []))
export const session = (n: number, queue: Jid): Element => el('session', JIVE, { id: String(n), workgroup: queue.bare })
/** The conversation that a `<session/>` names. */
export const sessionOf = (q: Element): number | undefined => { const id = q.child('session', JIVE)?.attrs['id'] ?? ''; return /^[1-9]\d{0,8}$/.test(id) ? Number(id) : undefined }

/** Sections 3.2.4 and 4.2.8: from the room, and in the workgroup's name. */
export const invitation = (room: Jid, queue: Jid, to: Jid, reason: string, id: string, beside: readonly Element[]): Message =>
  Stanza.of('message', { type: 'normal', from: room, to, id }, [el('x', NS.mucUser, {}, el('invite', NS.mucUser, { from: queue.bare }, el('reason', NS.mucUser, {}, reason))), ...beside])

export interface Asked { readonly n: number; readonly s: Present; readonly o: Offer; readonly now: number; readonly queue: Jid; readonly customer: string; readonly room: Jid; readonly fastpath: boolean; readonly known: Readonly<Record<string, string>> }
/** Section 4.2.5, with an id: one customer may be offered twice. */
export function offer(a: Asked): Element {
  const { n, s, o } = a
  const kind = s.is === 'offered' ? undefined : s.is === 'active' && s.transfer?.id === o.id ? 'transfer' : 'invite'
  return el('offer', WG, { id: o.id, jid: a.customer },
    leaf('timeout', Math.max(0, Math.ceil((o.until - a.now) / 1000))),
    el('metadata', JIVE, {}, ...Object.entries(a.known).map(([name, value]) => el('value', JIVE, { name }, value))),
    ...(a.fastpath ? [session(n, a.queue)] : []),
    kind === undefined ? el('user-request', JIVE) : el(kind, WG, { type: 'user' }, session(n, a.queue), leaf('inviter', o.by ?? a.queue.bare), leaf('room', a.room.bare)))
}
export const offerMark = (jid: string): Element => el('offer', WG, { jid })
export const revoke = (id: string, jid: string, reason: string): Element => el('offer-revoke', WG, { id, jid }, leaf('reason', reason))

/** Section 4.2.1: the limit that really holds. */
export const agentStatus = (queue: Jid, load: number, most: number): Element => el('agent-status', WG, { jid: queue.bare }, leaf('current-chats', load), leaf('max-chats', most))
/** Smack writes it with an underscore. */
export function maxChats(status: Element): number | undefined {
  const text = status.elements.find(e => e.name === 'max-chats' || e.name === 'max_chats')?.text.trim() ?? ''
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined
}
export const notifyAgents = (available: number, load: number, most: number): Element => el('notify-agents', WG, {}, leaf('available', available), leaf('current-chats', load), leaf('max-chats', most))
export const notifyQueue = (count: number, oldest: string | undefined, time: number | undefined, status: 'open' | 'active' | 'closed'): Element =>
  el('notify-queue', WG, {}, leaf('count', count), ...(oldest === undefined ? [] : [leaf('oldest', oldest)]), ...seconds(time), leaf('status', status))
export const notifyDetails = (users: readonly { jid: string; position: number; time: number | undefined; joined: string }[]): Element =>
  el('notify-queue-details', WG, {}, ...users.map(u => el('user', WG, { jid: u.jid }, leaf('position', u.position), ...seconds(u.time), leaf('join-time', u.joined))))

/** Section 5. */
export const described = (name: string, open: boolean): readonly Element[] => [
  el('identity', NS.info, { category: 'collaboration', type: 'workgroup', name }), el('feature', NS.info, { var: WG }),
  form({ type: 'result', formType: `${WG}#workgroupinfo`, fields: [{ var: 'workgroup#description', label: 'Description', value: name }, { var: 'workgroup#online', label: 'Status', value: open ? 'ready' : 'closed' }] }),
]
