// The stanzas that the desk sends: the pieces that every view needs, in one place. Pure.
import { el, Stanza, type Element, type Jid, type Message, type Presence } from '../../server/api.ts'
import { retracts } from '../../protocols/retraction.ts'
import { ENCRYPTED, UNSAID } from './sentences.ts'

const CLIENT = 'jabber:client'
export const NS = {
  desk: 'urn:deskbell:desk:0', states: 'http://jabber.org/protocol/chatstates', hints: 'urn:xmpp:hints', delay: 'urn:xmpp:delay', caps: 'http://jabber.org/protocol/caps',
  commands: 'http://jabber.org/protocol/commands', info: 'http://jabber.org/protocol/disco#info', items: 'http://jabber.org/protocol/disco#items', nick: 'http://jabber.org/protocol/nick',
  replace: 'urn:xmpp:message-correct:0', sid: 'urn:xmpp:sid:0', muc: 'http://jabber.org/protocol/muc', mucUser: 'http://jabber.org/protocol/muc#user', direct: 'jabber:x:conference',
  receipts: 'urn:xmpp:receipts',
} as const

/** How a message is to be treated on its way: kept by nobody, or shown as of an earlier time. */
export interface Manner { readonly id?: string | undefined; readonly keep?: boolean; readonly delayed?: number | undefined; readonly nick?: string | undefined; readonly more?: readonly Element[] }

/** A chat message with a body. COMPAT: Pidgin sends typing only to who has sent a chat state. */
export function chat(from: Jid, to: Jid, body: string, m: Manner = {}): Message {
  return Stanza.of('message', { type: 'chat', from, to, id: m.id }, [
    el('body', CLIENT, {}, body),
    el('active', NS.states),
    ...(m.nick === undefined ? [] : [el('nick', NS.nick, {}, m.nick)]),
    ...(m.delayed === undefined ? [] : [el('delay', NS.delay, { from: from.domain, stamp: new Date(m.delayed).toISOString() })]),
    ...(m.keep === false ? [noStore()] : []),
    ...m.more ?? [],
  ])
}
export const noStore = (): Element => el('no-store', NS.hints)

/** A chat state without a body. */
export const typing = (from: Jid, to: Jid, state: string): Message => Stanza.of('message', { type: 'chat', from, to }, [el(state, NS.states), noStore()])

/** What was written for one reader's keys (OMEMO, OpenPGP, OTR, and what XEP-0380 marks as such): its body, if any, only excuses itself. */
const isEncrypted = (m: Message): boolean => m.payload.some(e => e.ns === 'urn:xmpp:eme:0' || (e.name === 'encrypted' && (e.ns === 'eu.siacs.conversations.axolotl' || e.ns.startsWith('urn:xmpp:omemo:')))
  || (e.name === 'x' && e.ns === 'jabber:x:encrypted') || (e.name === 'openpgp' && e.ns.startsWith('urn:xmpp:openpgp:')) || (e.name === 'body' && e.text.startsWith('?OTR')))

/** Why a message cannot be taken as it is, in words for who wrote it; undefined if it can. */
export const objection = (m: Message): string | undefined => isEncrypted(m) ? ENCRYPTED : retracts(m) === undefined ? undefined : UNSAID

export const CHAT_STATES = ['active', 'composing', 'paused', 'inactive', 'gone'] as const
export const chatState = (m: Message): string | undefined => m.payload.find(e => e.ns === NS.states && (CHAT_STATES as readonly string[]).includes(e.name))?.name

/** Presence with the words that contact lists show. */
export function presence(from: Jid, to: Jid, p: { readonly show?: 'away' | 'xa' | 'dnd' | 'chat' | undefined; readonly status?: string; readonly caps?: Element } = {}): Presence {
  return Stanza.of('presence', { type: 'available', from, to }, [
    ...(p.show ? [el('show', CLIENT, {}, p.show)] : []),
    ...(p.status ? [el('status', CLIENT, {}, p.status)] : []),
    ...(p.caps ? [p.caps] : []),
  ])
}
export const absence = (from: Jid, to: Jid): Presence => Stanza.of('presence', { type: 'unavailable', from, to })
