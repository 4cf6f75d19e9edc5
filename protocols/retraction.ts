// Messages taken back (XEP-0424), by who wrote them or by a moderator (XEP-0425): what an archive keeps in their place. Pure.
import { el, Stanza, type AnyStanza, type Element, type Message } from '../server/api.ts'

export const NS_RETRACT = 'urn:xmpp:message-retract:1'
export const NS_MODERATE = 'urn:xmpp:message-moderate:1'
export const NS_TOMBSTONE = `${NS_RETRACT}#tombstone`
const NS_OCCUPANT = 'urn:xmpp:occupant-id:0' // XEP-0421

/** The id of the message that `m` takes back; undefined if it takes back none. */
export const retracts = (m: AnyStanza): string | undefined => m.kind === 'message' && m.type !== 'error' ? m.child('retract', NS_RETRACT)?.attrs['id'] || undefined : undefined

/** Whether `m` can be taken back: it says something, and is neither what is left of a message nor the taking back of another. */
export const isRetractable = (m: AnyStanza): boolean => !m.child('retracted', NS_RETRACT) && !m.child('retract', NS_RETRACT)

/** `<retracted/>`: `id` is that of the message that took it back, `at` when (ms since 1970). */
export const retracted = (id: string | undefined, at: number, ...inside: Element[]): Element =>
  el('retracted', NS_RETRACT, { ...(id !== undefined && { id }), stamp: new Date(at).toISOString() }, ...inside)

/** What is left of `m`: who, when, to whom, and `mark` in the place of all it said. */
export const tombstone = (m: Message, mark: Element): Message =>
  Stanza.of('message', m.head, [...m.payload.filter(e => e.ns === NS_OCCUPANT), mark])
