// The <body/> in which BOSH wraps what both sides say (XEP-0124 section 6, XEP-0206), read and written. Pure.
import { Element, el, escape, type Attrs } from '../../xml/element.ts'
import { Parser, XmlError, type Limits } from '../../xml/parser.ts'

export const NS_BOSH = 'http://jabber.org/protocol/httpbind'
export const NS_XBOSH = 'urn:xmpp:xbosh'
const NS_STREAM = 'http://etherx.jabber.org/streams'
const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams'
const CLIENT = 'jabber:client'

/** The terminal binding conditions (XEP-0124 section 17.2) that are said here. */
export type BindingCondition =
  | 'bad-request' | 'host-unknown' | 'improper-addressing' | 'item-not-found' | 'policy-violation'
  | 'remote-connection-failed' | 'remote-stream-error' | 'system-shutdown'

export interface Body {
  readonly attrs: Attrs
  readonly size: number // bytes
  /** Stanzas and the like, their namespace jabber:client even where the client left it out. */
  readonly payloads: readonly Element[]
  /** What is wrong with it; then `payloads` holds nothing. */
  readonly flaw: XmlError | undefined
}

/** Reads the body of a request; undefined if not even the wrapper can be read. `limits` hold for each payload by itself. */
export function readBody(bytes: Uint8Array, limits: Partial<Limits>): Body | undefined {
  let wrapper: Element | undefined
  const payloads: Element[] = []
  const parser = new Parser({ open(e) { wrapper = e }, element(e) { payloads.push(athome(e)) }, close() {} }, { limits })
  let flaw: XmlError | undefined
  try {
    parser.write(bytes)
    if (!parser.complete) flaw = new XmlError('not-well-formed', 'the body ends too early')
  } catch (e) {
    if (!(e instanceof XmlError)) throw e
    flaw = e
  }
  if (!wrapper?.is('body', NS_BOSH)) return undefined
  return { attrs: wrapper.attrs, size: bytes.length, payloads: flaw ? [] : payloads, flaw }
}

/** An attribute of XEP-0206, whatever prefix the client gave it. */
export function xmppAttr(attrs: Attrs, name: string): string | undefined {
  for (const key in attrs) {
    if (key.endsWith(`:${name}`) && attrs[`xmlns:${key.slice(0, -name.length - 1)}`] === NS_XBOSH) return attrs[key]
  }
  return undefined
}

/** A whole number in an attribute: undefined if there is none, NaN for what is no number or above 2^53 - 1. */
export function numberIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const n = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN
  return n <= Number.MAX_SAFE_INTEGER ? n : NaN
}

/** `inner` is text of whole elements, each with its namespace. */
export function writeBody(attrs: Readonly<Record<string, string | number | undefined>> = {}, inner = ''): string {
  let s = `<body xmlns='${NS_BOSH}'`
  if (inner.includes('<stream:')) s += ` xmlns:stream='${NS_STREAM}'` // XEP-0206 section 2
  for (const [key, value] of Object.entries(attrs)) if (value !== undefined) s += ` ${key}='${escape(String(value))}'`
  return inner === '' ? `${s}/>` : `${s}>${inner}</body>`
}

/** The stream error that a payload earns by its XML. */
export const streamError = (flaw: XmlError): string =>
  `<stream:error xmlns:stream='${NS_STREAM}'>${el(flaw.condition, NS_ERRORS).write('')}</stream:error>`

// XEP-0206 section 2: many clients let stanzas inherit the wrapper's namespace.
function athome(e: Element): Element {
  if (e.ns !== NS_BOSH) return e
  return new Element(e.name, CLIENT, e.attrs, e.children.map(c => typeof c === 'string' ? c : athome(c)))
}
