// A stanza: a small head of its own over a payload that copies share. It never changes.
import { Element, escape } from '../xml/element.ts'
import type { Jid } from './jid.ts'
import { StanzaError } from './errors.ts'

/** The content namespace inside the house. Streams of jabber:server and jabber:component:accept are read into it and written out of it. */
export const CONTENT = 'jabber:client'

export interface Types {
  message: 'normal' | 'chat' | 'groupchat' | 'headline' | 'error'
  presence: 'available' | 'unavailable' | 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed' | 'probe' | 'error'
  iq: 'get' | 'set' | 'result' | 'error'
}
export type Kind = keyof Types
export type Message = Stanza<'message'>
export type Presence = Stanza<'presence'>
export type Iq = Stanza<'iq'>
export type AnyStanza = Message | Presence | Iq

export interface Head<K extends Kind = Kind> { type: Types[K]; to?: Jid | undefined; from?: Jid | undefined; id?: string | undefined; lang?: string | undefined }

/** The payload of a stanza, shared by every copy of it and written to text at most once. */
class Payload {
  #text: string | undefined
  readonly elements: readonly Element[]
  constructor(elements: readonly Element[]) { this.elements = elements }
  get text(): string {
    if (this.#text === undefined) { let s = ''; for (const e of this.elements) s += e.write(CONTENT); this.#text = s }
    return this.#text
  }
}

const DEFAULT_TYPE = { message: 'normal', presence: 'available', iq: '' }

/** One message, presence or iq: a small head, which is its own, over a payload that copies share. Never changes. */
export class Stanza<K extends Kind = Kind> {
  readonly kind: K
  readonly head: Readonly<Head<K>>
  private readonly shared: Payload
  private opening: string | undefined // the head as text
  private constructor(kind: K, head: Readonly<Head<K>>, shared: Payload, opening?: string) { this.kind = kind; this.head = head; this.shared = shared; this.opening = opening }
  static of<K extends Kind>(kind: K, head: Head<K>, payload: readonly Element[] = []): Stanza<K> { return new Stanza(kind, head, new Payload(payload)) }

  get type(): Types[K] { return this.head.type }
  get to(): Jid | undefined { return this.head.to }
  get from(): Jid | undefined { return this.head.from }
  get payload(): readonly Element[] { return this.shared.elements }

  child(name: string, ns: string = CONTENT): Element | undefined {
    for (const e of this.payload) if (e.is(name, ns)) return e
    return undefined
  }

  /** The same stanza under another head: costs one small object, however big the payload. */
  readdress(head: Partial<Head<K>>): Stanza<K> { return new Stanza(this.kind, { ...this.head, ...head }, this.shared) }
  with(...more: Element[]): Stanza<K> { return this.#bearing([...this.payload, ...more]) }
  without(name: string, ns: string): Stanza<K> { return this.child(name, ns) ? this.#bearing(this.payload.filter(e => !e.is(name, ns))) : this }

  write(ns?: string): string {
    const opening = this.opening ??= this.#open()
    const inner = this.shared.text
    return `<${this.kind}${ns ? ` xmlns='${ns}'` : ''}${opening}${inner ? `>${inner}</${this.kind}>` : '/>'}`
  }

  #bearing(payload: readonly Element[]): Stanza<K> { return new Stanza(this.kind, this.head, new Payload(payload), this.opening) }

  #open(): string {
    const { type, to, from, id, lang } = this.head
    let s = ''
    if (type !== DEFAULT_TYPE[this.kind]) s += ` type='${type}'`
    if (to) s += ` to='${to.quoted}'`
    if (from) s += ` from='${from.quoted}'`
    if (id !== undefined) s += ` id='${escape(id)}'`
    if (lang) s += ` xml:lang='${escape(lang)}'`
    return s
  }

  /** The stanza as an element, to stand inside another (forwarding, archives). */
  toElement(): Element {
    const { type, to, from, id } = this.head
    const attrs: Record<string, string> = {}
    if (type !== DEFAULT_TYPE[this.kind]) attrs['type'] = type
    if (to) attrs['to'] = to.full
    if (from) attrs['from'] = from.full
    if (id !== undefined) attrs['id'] = id
    return new Element(this.kind, CONTENT, attrs, this.payload)
  }
}

/** The error that answers `s`, or undefined where an answer is forbidden (RFC 6120 section 8.3.1). */
export function errorReply(s: AnyStanza, e: StanzaError): AnyStanza | undefined {
  if (s.type === 'error' || s.type === 'result') return undefined
  const head = { type: 'error' as const, to: s.from, from: s.to, id: s.head.id ?? (s.kind === 'iq' ? '' : undefined) }
  return Stanza.of(s.kind, head, [e.toElement()]) as AnyStanza // Kind and head agree
}

/** The empty or filled result that answers `iq`. */
export const resultOf = (iq: Iq, ...payload: Element[]): Iq => Stanza.of('iq', { type: 'result', to: iq.from, from: iq.to, id: iq.head.id ?? '' }, payload)
