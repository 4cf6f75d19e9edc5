// From a first-level element to a stanza, or to what is wrong with it.
import type { Element } from '../xml/element.ts'
import { Jid } from './jid.ts'
import { CONTENT, errorReply, Stanza, type AnyStanza, type Kind, type Types } from './stanza.ts'
import { refuse, type StanzaError } from './errors.ts'

const TYPES: { readonly [K in Kind]: ReadonlySet<string> } = {
  message: new Set(['normal', 'chat', 'groupchat', 'headline', 'error']),
  presence: new Set(['available', 'unavailable', 'subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe', 'error']),
  iq: new Set(['get', 'set', 'result', 'error']),
}

/** A stanza that cannot be taken as it is: `reply` is its error, absent where none may be sent. */
export class Unreadable {
  readonly error: StanzaError
  readonly reply: AnyStanza | undefined
  constructor(error: StanzaError, reply: AnyStanza | undefined) { this.error = error; this.reply = reply }
}

export const isStanza = (e: Element): boolean => e.ns === CONTENT && (e.name === 'message' || e.name === 'iq' || e.name === 'presence')

/**
 * Reads a message, presence or iq (see `isStanza`). `from` overrides the element's own (RFC 6120 section 8.1.2.1); `lang` is the
 * stream's, for a stanza without one (section 8.1.5).
 */
export function readStanza(e: Element, from?: Jid, lang?: string): AnyStanza | Unreadable {
  const kind = e.name as Kind // isStanza says so
  const { attrs } = e
  const id = attrs['id']
  const broken = (error: StanzaError): Unreadable => new Unreadable(error, errorReply(Stanza.of(kind, { type: KIND_DEFAULT[kind], from, id }) as AnyStanza, error))
  let to: Jid | undefined
  if (attrs['to'] !== undefined) {
    to = Jid.tryParse(attrs['to'])
    if (!to) return attrs['type'] === 'error' || attrs['type'] === 'result' ? new Unreadable(refuse('jid-malformed'), undefined) : broken(refuse('jid-malformed'))
  }
  if (!from && attrs['from'] !== undefined) {
    from = Jid.tryParse(attrs['from'])
    if (!from) return new Unreadable(refuse('jid-malformed'), undefined)
  }
  let type = attrs['type'] ?? KIND_ABSENT[kind]
  if (!TYPES[kind].has(type)) {
    if (kind === 'message') type = 'normal' // RFC 6121 section 5.2.2
    else return broken(refuse('bad-request', `There is no ${kind} of type '${type}'.`))
  }
  const payload = e.elements
  if (kind === 'iq') {
    if (id === undefined) return broken(refuse('bad-request', 'An iq needs an id.')) // RFC 6120 section 8.2.3
    if ((type === 'get' || type === 'set') && payload.length !== 1) return broken(refuse('bad-request', 'A get or set has exactly one child.'))
  }
  return Stanza.of(kind, { type: type as Types[Kind], from, to, id, lang: attrs['xml:lang'] ?? lang }, payload) as AnyStanza // checked above
}

const KIND_ABSENT: { readonly [K in Kind]: string } = { message: 'normal', presence: 'available', iq: '' }
const KIND_DEFAULT = { message: 'normal', presence: 'available', iq: 'get' } as const
