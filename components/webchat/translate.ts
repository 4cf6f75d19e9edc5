// Between the widget's JSON and the desk's stanzas, both ways (pure). Namespace: schemas/desk-namespace.md.
import { el, Stanza, type Element, type Iq, type Message, type Presence } from '../../server/api.ts'
import { NS_DESK, type Ends } from './namespace.ts'
import { pageOf, proofOf, whereAttrs, type Where } from './form.ts'
import type { ChatState, ConversationState, ConversationView, FromBridge, LineView, Open, Refusal, Say, SendFile, Slot } from '../../schemas/webchat.ts'

export { NS_DESK, type Ends } from './namespace.ts'
const NS_CHATSTATES = 'http://jabber.org/protocol/chatstates'
const NS_HINTS = 'urn:xmpp:hints'
const NS_STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

const STATES: ReadonlySet<string> = new Set<ConversationState>(['waiting', 'offered', 'active', 'ended', 'closed'])
const CHAT_STATES: readonly ChatState[] = ['composing', 'paused', 'active']


const iq = (ends: Ends, type: 'get' | 'set', payload: Element): Iq => Stanza.of('iq', { type, ...ends, id: '' }, [payload]) // `ask` gives the id

export const askAvailability = (ends: Ends, queue: string): Iq => iq(ends, 'get', el('availability', NS_DESK, { queue }))
export const askConversation = (ends: Ends): Iq => iq(ends, 'get', el('conversation', NS_DESK))
export const askLines = (ends: Ends, conversation: number, after: number, max: number): Iq =>
  iq(ends, 'get', el('lines', NS_DESK, { conversation: String(conversation), after: String(after), max: String(max) }))
/** Of the browser: where from, and in which language. */
interface Visit { readonly address: string; readonly lang?: string | undefined }
const visitAttrs = ({ address, lang }: Visit): Record<string, string> => ({ address, ...(lang === undefined ? {} : { lang }) })
export const open = (ends: Ends, where: Where, visit: Visit, m: Open): Iq =>
  iq(ends, 'set', el('open', NS_DESK, { ...whereAttrs(where), id: m.id, name: m.name, ...visitAttrs(visit), ...(m.department === undefined ? {} : { department: m.department }), ...(m.operator === undefined ? {} : { operator: m.operator }) },
    el('body', NS_DESK, {}, m.text), ...pageOf({ ...where, page: m.page ?? where.page }), ...Object.entries(m.fields ?? {}).map(([name, text]) => el('field', NS_DESK, { name }, cleanText(text))), ...proofOf(m)))
/** A line; with the page it is typed on, for a conversation that it may begin. */
export const say = (ends: Ends, { site, link, page }: Omit<Where, 'queue'>, visit: Visit, m: Say): Iq =>
  iq(ends, 'set', el('say', NS_DESK, { conversation: String(m.conversation), id: m.id, ...(m.file === undefined ? {} : { file: m.file }), ...(site === undefined ? {} : { site }), ...(link === undefined ? {} : { link }), ...visitAttrs(visit) }, m.text, ...pageOf({ queue: '', page })))
export const askFile = (ends: Ends, site: string | undefined, m: SendFile): Iq =>
  iq(ends, 'set', el('file', NS_DESK, { conversation: String(m.conversation), name: m.name, size: String(m.size), ...(m.mime === undefined ? {} : { type: m.mime }), ...(site === undefined ? {} : { site }) }))
/** A place for a file. */
export function readSlot(answer: Iq, id: string): Slot | undefined {
  const e = answer.child('slot', NS_DESK)
  const { put, file } = e?.attrs ?? {}
  return e && put !== undefined && file !== undefined ? { type: 'slot', id, put, file, headers: Object.fromEntries(e.elements.filter(h => h.is('header', NS_DESK)).map(h => [h.attrs['name'] ?? '', h.text])) } : undefined
}
/** `end`, `gone` or `back`. */
export const tell = (ends: Ends, what: 'end' | 'gone' | 'back' | 'accept' | 'decline', conversation: number): Iq => iq(ends, 'set', el(what, NS_DESK, { conversation: String(conversation) }))

/** Whether he is on a page. */
export const presence = (ends: Ends, here: boolean): Presence => Stanza.of('presence', { type: here ? 'available' : 'unavailable', ...ends })

/** The customer's typing, to the conversation. */
export const typing = (ends: Ends, state: ChatState): Message => Stanza.of('message', { type: 'chat', ...ends }, [el(state, NS_CHATSTATES), el('no-store', NS_HINTS)])

/** How often a page that polls should ask, in seconds: while the chat is in front, and else. */
export function readPace(answer: Iq): Pace {
  const attrs = answer.child('availability', NS_DESK)?.attrs
  return { active: whole(attrs?.['active']) || 1, idle: whole(attrs?.['idle']) || 5 }
}
export interface Pace { readonly active: number; readonly idle: number }

/** Whether anybody receives. */
export const readAvailability = (answer: Iq): boolean => answer.child('availability', NS_DESK)?.attrs['open'] === 'true'

/** The element `<conversation/>` of an answer or a message; undefined where it is none that can be read. */
export function readConversation(s: Iq | Message): ConversationView | undefined {
  const attrs = s.child('conversation', NS_DESK)?.attrs
  const number = whole(attrs?.['number'])
  const state = attrs?.['state']
  if (!attrs || !number || state === undefined || !STATES.has(state)) return undefined
  const [position, minutes] = [whole(attrs['position']), whole(attrs['minutes'])]
  const can = (attrs['can'] ?? '').split(' ').filter(c => c === 'say' || c === 'end' || c === 'accept' || c === 'decline')
  const after = (attrs['after'] ?? '').split(' ').filter(c => c === 'survey' || c === 'mail' || c === 'ticket')
  return {
    number,
    state: state as ConversationState, // one of STATES
    ...(position !== undefined && { position }),
    ...(minutes && { minutes }),
    ...(attrs['text'] && { text: attrs['text'] }),
    ...(attrs['agent'] && { agent: attrs['agent'] }),
    seq: whole(attrs['seq']) ?? 0,
    can,
    ...(after.length > 0 && { after }),
  }
}

/** The record's answer to a line said. */
export function readSaid(answer: Iq): { conversation: number; seq: number; at: string } | undefined {
  const attrs = answer.child('said', NS_DESK)?.attrs
  const conversation = whole(attrs?.['conversation'])
  const seq = whole(attrs?.['seq'])
  return conversation && seq ? { conversation, seq, at: attrs?.['at'] ?? '' } : undefined
}

export function readLines(answer: Iq): { complete: boolean; lines: LineView[] } | undefined {
  const e = answer.child('lines', NS_DESK)
  if (!e) return undefined
  const lines = e.elements.map(readLine).filter(l => l !== undefined)
  return { complete: e.attrs['complete'] !== 'false', lines }
}

function readLine(e: Element): LineView | undefined {
  if (!e.is('line', NS_DESK)) return undefined
  const { conversation, seq, at, who, name, id, file, size, type } = e.attrs
  const number = whole(conversation)
  const place = whole(seq)
  if (!number || !place || at === undefined || (who !== 'customer' && who !== 'agent' && who !== 'desk')) return undefined
  return { conversation: number, seq: place, at, who, ...(name && { name }), ...(id && { id }), text: e.text, ...(file && { file: { name: file, ...(whole(size) !== undefined && { size: whole(size)! }), ...(type && { type }) } }) }
}

/** What a message from a conversation tells the customer; undefined: nothing. */
export function readTold(m: Message): Extract<FromBridge, { type: 'line' | 'conversation' | 'typing' }> | undefined {
  const line = m.child('line', NS_DESK)
  if (line) {
    const view = readLine(line)
    return view && { type: 'line', ...view }
  }
  const conversation = readConversation(m)
  if (conversation) return { type: 'conversation', conversation }
  const number = whole(/^c([0-9]+)$/.exec(m.from?.local ?? '')?.[1])
  const state = CHAT_STATES.find(s => m.child(s, NS_CHATSTATES))
  return number && state ? { type: 'typing', conversation: number, state } : undefined
}

const WORDS: Readonly<Record<string, string>> = {
  'item-not-found': 'There is no such conversation.',
  'not-acceptable': 'This cannot be sent.',
  'service-unavailable': 'Nobody is available right now.',
  'resource-constraint': 'That was too much at once.',
}
const PASSING: Readonly<Record<string, number>> = {
  'internal-server-error': 3000, 'remote-server-timeout': 1000, 'remote-server-not-found': 5000, 'recipient-unavailable': 5000,
}

/** The refusal in an error that answered the browser's message `of`. What will pass is worth trying again. */
export function readRefusal(answer: Iq, of: string, id?: string): Refusal {
  const error = answer.child('error')
  const reason = error?.elements.find(e => e.ns === NS_STANZAS && e.name !== 'text')?.name ?? 'undefined-condition'
  return refusal(reason, error?.child('text', NS_STANZAS)?.text || WORDS[reason] || 'This did not work.', { of, ...(id !== undefined && { id }) }, PASSING[reason])
}

export const refusal = (reason: string, text: string, of: { of?: string; id?: string }, retry?: number): Refusal =>
  ({ type: 'refused', reason, text, ...of, ...(retry !== undefined && { retry }) })

/** A line as it may stand in XML: without control characters, with line feeds only. */
export const cleanText = (text: string): string => text.replace(/\r\n?/g, '\n').replace(CONTROLS, '').toWellFormed()

/** A name in one line, without what could turn or hide it. */
export const cleanName = (name: string): string => name.replace(/\s+/g, ' ').replace(INVISIBLE, '').toWellFormed().trim()

/* eslint-disable no-control-regex */
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]/g
const INVISIBLE = /[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffe\uffff]/g

function whole(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,15}$/.test(text)) return undefined
  return Number(text)
}
