// What both ends of a server's stream share: names, domains, and the keys of dialback (XEP-0220, XEP-0185). Pure.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { el, escape, type Element } from '../../xml/element.ts'
import { Jid } from '../../stanza/jid.ts'
import { CONTENT } from '../../stanza/stanza.ts'
import { refuse, type Condition } from '../../stanza/errors.ts'

export const NS_SERVER = 'jabber:server'
export const NS_DIALBACK = 'jabber:server:dialback'
export const NS_DIALBACK_FEATURE = 'urn:xmpp:features:dialback'
export const NS_BIDI = 'urn:xmpp:bidi'
export const NS_BIDI_FEATURE = 'urn:xmpp:features:bidi'
export const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
export const NS_LIMITS = 'urn:xmpp:stream-limits:0'

/** A domain as a header or dialback writes it, prepared; undefined: absent, or no domain. */
export function domainOf(text: string | undefined): string | undefined {
  const jid = text === undefined ? undefined : Jid.tryParse(text)
  return jid && jid.full === jid.domain ? jid.domain : undefined
}

/** A pair of domains as a key: ours first. No domain holds a space. */
export const pairOf = (local: string, remote: string): string => `${local} ${remote}`

/** The key that proves to `receiving` that a stream with this `id` comes from `originating`. `secret` is at least 32 octets (XEP-0185). */
export function dialbackKey(secret: Uint8Array, receiving: string, originating: string, id: string): string {
  const key = createHash('sha256').update(secret).digest('hex')
  return createHmac('sha256', key).update(`${receiving} ${originating} ${id}`).digest('hex') // domains hold no space: the fields cannot shift
}

export function sameKey(a: string, b: string): boolean {
  const x = Buffer.from(a), y = Buffer.from(b)
  return x.length === y.length && timingSafeEqual(x, y)
}

export interface Dialback { readonly from: string; readonly to: string; readonly id?: string | undefined; readonly type?: 'valid' | 'invalid' | 'error'; readonly key?: string; readonly error?: Condition }

/** A dialback element as text, with the prefix that old servers insist on. */
export function dialback(name: 'result' | 'verify', { from, to, id, type, key, error }: Dialback): string {
  const attrs = `from='${escape(from)}' to='${escape(to)}'${id === undefined ? '' : ` id='${escape(id)}'`}${type === undefined ? '' : ` type='${type}'`}`
  const inside = error ? refuse(error).toElement().write(CONTENT) : key ?? '' // <error/> is of the stream's own namespace
  return inside ? `<db:${name} ${attrs}>${inside}</db:${name}>` : `<db:${name} ${attrs}/>`
}

/** The condition of a stream error, a SASL failure or a dialback error, and its text, in one line. */
export function saidWhy(e: Element): string {
  const condition = e.elements.find(c => c.name !== 'text')?.name ?? 'undefined-condition'
  const text = e.elements.find(c => c.name === 'text')?.text.slice(0, 200)
  return text ? `${condition} (${text})` : condition
}

/** Elements of both kinds of stream: what is offered for multiplexing, and what a stanza may weigh (XEP-0478). */
export const dialbackFeature = (): Element => el('dialback', NS_DIALBACK_FEATURE, {}, el('errors', NS_DIALBACK_FEATURE))
export const limitsFeature = (bytes: number): Element[] => Number.isFinite(bytes) ? [el('limits', NS_LIMITS, {}, el('max-bytes', NS_LIMITS, {}, String(bytes)))] : []
