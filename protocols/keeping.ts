// Which messages of conversations, of an account's or a room's, are worth keeping (XEP-0313 section 6.1.1, XEP-0334). Pure.
import { CONTENT, type AnyStanza, type Element, type Message } from '../server/api.ts'
import { NS_HINTS } from './archive.ts'

const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'
const NS_INVITE = 'jabber:x:conference'

/** What says something though no body stands beside it, by namespace: the elements, or undefined for all of them. */
const TELLING = new Map<string, ReadonlySet<string> | undefined>([
  ['urn:xmpp:receipts', new Set(['received'])], // XEP-0184
  ['urn:xmpp:chat-markers:0', new Set(['received', 'displayed', 'acknowledged'])], // XEP-0333
  ['urn:xmpp:eme:0', undefined], // XEP-0380
  ['eu.siacs.conversations.axolotl', new Set(['encrypted'])], // XEP-0384
  ['urn:xmpp:omemo:2', new Set(['encrypted'])],
  ['urn:xmpp:openpgp:0', new Set(['openpgp'])], // XEP-0373
  ['urn:xmpp:reactions:0', undefined], // XEP-0444
  ['urn:xmpp:message-retract:1', new Set(['retract'])], // XEP-0424
  ['urn:xmpp:fasten:0', undefined], // XEP-0422
])

/** What tells that a line has come or was seen: of use in an archive, not among the last lines of a room. */
const MARKS = new Set(['urn:xmpp:receipts', 'urn:xmpp:chat-markers:0'])

/** Whether an account's archive keeps it: said between people, and not marked as fleeting by who said it. */
export function isWorthKeeping(stanza: AnyStanza): boolean {
  if (stanza.type !== 'chat' && stanza.type !== 'normal') return false // presence and iq have other types
  return isLasting(stanza.payload)
}

/** Where a room keeps a line: in its archive, among those that are told to who enters. */
export interface Kept { readonly archive: boolean; readonly history: boolean }

/** Where a line that somebody said in a room belongs. */
export function keptOfRoom({ payload }: Message): Kept {
  const archive = isLasting(payload)
  return { archive, history: archive && (payload.some(e => e.is('body', CONTENT)) || !payload.some(e => MARKS.has(e.ns))) }
}

function isLasting(payload: readonly Element[]): boolean {
  let worth = false
  for (const e of payload) {
    if (e.ns === CONTENT) {
      if (e.name === 'body') worth = true
    } else if (e.ns === NS_HINTS) {
      if (e.name === 'no-store' || e.name === 'no-permanent-store') return false
      if (e.name === 'store') worth = true
    } else if (e.ns === NS_INVITE || (e.ns === NS_MUC_USER && e.child('invite'))) {
      return false // COMPAT: Gajim and Dino show every invitation in an archive again, for rooms long gone
    } else if (!worth && TELLING.has(e.ns)) worth = TELLING.get(e.ns)?.has(e.name) ?? true
  }
  return worth
}
