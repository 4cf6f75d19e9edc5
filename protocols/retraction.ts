// Messages taken back (XEP-0424), by who wrote them or by a moderator (XEP-0425): what an archive keeps in their place. Pure.
import { el, Stanza, type AnyStanza, type Element, type Message } from '../server/api.ts'

export const NS_RETRACT = 'urn:xmpp:message-retract:1'
export const NS_MODERATE = 'urn:xmpp:message-moderate:1'
/** COMPAT: Gajim 1.x and others know moderation as its version 0.2 had it. */
export const NS_MODERATE_0 = 'urn:xmpp:message-moderate:0'
export const NS_FASTEN = 'urn:xmpp:fasten:0' // XEP-0422
const NS_RETRACT_0 = 'urn:xmpp:message-retract:0'
export const NS_TOMBSTONE = `${NS_RETRACT}#tombstone`
const NS_OCCUPANT = 'urn:xmpp:occupant-id:0' // XEP-0421

/** The id of the message that `m` takes back; undefined if it takes back none. */
export const retracts = (m: AnyStanza): string | undefined => m.kind === 'message' && m.type !== 'error' ? m.child('retract', NS_RETRACT)?.attrs['id'] || undefined : undefined

/** Whether `m` can be taken back: it says something, and is neither what is left of a message nor the taking back of another. */
export const isRetractable = (m: AnyStanza): boolean => !m.child('retracted', NS_RETRACT) && !m.child('retract', NS_RETRACT)

/** `<retracted/>`: `id` is that of the message that took it back, `at` when (ms since 1970). */
export const retracted = (id: string | undefined, at: number, ...inside: Element[]): Element =>
  el('retracted', NS_RETRACT, { ...(id !== undefined && { id }), stamp: new Date(at).toISOString() }, ...inside)

/** What a moderator's client asks for, in either version; undefined if it is no such thing, or names no line. */
export function readModeration(asked: Element): { readonly id: string; readonly reason: string } | undefined {
  const moderate = asked.is('apply-to', NS_FASTEN) ? asked.child('moderate', NS_MODERATE_0) : asked.is('moderate', NS_MODERATE) ? asked : undefined
  const { id } = asked.attrs
  if (!id || !moderate?.child('retract', moderate === asked ? NS_RETRACT : NS_RETRACT_0)) return undefined
  return { id, reason: moderate.child('reason')?.text ?? '' }
}

/** What a room tells of it, to clients of either version. `by`: the moderator's address in the room, `mark`: its occupant id. */
export function moderation(id: string, by: string, mark: Element, reason: string): { readonly told: readonly Element[]; readonly inside: readonly Element[] } {
  const inside = [el('moderated', NS_MODERATE, { by }, mark), ...(reason ? [el('reason', NS_RETRACT, {}, reason)] : [])]
  const old = el('moderated', NS_MODERATE_0, { by }, el('retract', NS_RETRACT_0), ...(reason ? [el('reason', NS_MODERATE_0, {}, reason)] : []))
  return { told: [el('retract', NS_RETRACT, { id }, ...inside), el('apply-to', NS_FASTEN, { id }, old)], inside }
}

/** What is left of `m`: who, when, to whom, and `mark` in the place of all it said. */
export const tombstone = (m: Message, mark: Element): Message =>
  Stanza.of('message', m.head, [...m.payload.filter(e => e.ns === NS_OCCUPANT), mark])
