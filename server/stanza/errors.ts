// Stanza errors as values: what a handler refuses with, and the reply that carries it (RFC 6120 section 8.3).
import { el, type Element } from '../xml/element.ts'

export const NS_STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const CONTENT = 'jabber:client'

export type ErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait'

/** Each condition of RFC 6120 section 8.3.3 with the type that usually goes with it. */
const TYPE = {
  'bad-request': 'modify', conflict: 'cancel', 'feature-not-implemented': 'cancel', forbidden: 'auth', gone: 'cancel',
  'internal-server-error': 'cancel', 'item-not-found': 'cancel', 'jid-malformed': 'modify', 'not-acceptable': 'modify',
  'not-allowed': 'cancel', 'not-authorized': 'auth', 'policy-violation': 'modify', 'recipient-unavailable': 'wait',
  redirect: 'modify', 'registration-required': 'auth', 'remote-server-not-found': 'cancel', 'remote-server-timeout': 'wait',
  'resource-constraint': 'wait', 'service-unavailable': 'cancel', 'subscription-required': 'auth',
  'undefined-condition': 'cancel', 'unexpected-request': 'wait',
} as const satisfies Record<string, ErrorType>
export type Condition = keyof typeof TYPE

/** A refusal: handlers return it, and the house turns it into the error stanza. */
export class StanzaError {
  readonly condition: Condition
  readonly text: string | undefined
  readonly type: ErrorType
  readonly detail: Element | undefined
  constructor(condition: Condition, text?: string, detail?: Element, type: ErrorType = TYPE[condition]) {
    this.condition = condition
    this.text = text
    this.detail = detail
    this.type = type
  }

  toElement(): Element {
    const children = [el(this.condition, NS_STANZAS)]
    if (this.text) children.push(el('text', NS_STANZAS, { 'xml:lang': 'en' }, this.text))
    if (this.detail) children.push(this.detail)
    return el('error', CONTENT, { type: this.type }, ...children)
  }
}

/** `detail` is the application's own element (RFC 6120 section 8.3.4). */
export const refuse = (condition: Condition, text?: string, detail?: Element): StanzaError => new StanzaError(condition, text, detail)
