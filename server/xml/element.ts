// The immutable XML element, and its text. Pure.
import { isName } from './names.ts'

const XML = 'http://www.w3.org/XML/1998/namespace'

/** Attributes by name: as written, `xml:lang` as such; one of another namespace as `p:name` with its declaration `xmlns:p` beside it. */
export type Attrs = Readonly<Record<string, string>>
export type Node = Element | string

/** An object that inherits nothing and yet is a fast one: the attributes of what comes from outside live in it. */
export const Bag = class {} as new () => Record<string, string>
Reflect.deleteProperty(Bag.prototype as object, 'constructor')
Object.freeze(Object.setPrototypeOf(Bag.prototype, null))

/** What an element without attributes, or without children, holds. */
export const NO_ATTRS: Attrs = Object.freeze(new Bag())
export const NO_CHILDREN: readonly Node[] = []

/** An XML element whose namespace is resolved. Never changes after it is built, has no parent, and so may stand in many stanzas. */
export class Element {
  readonly name: string
  readonly ns: string
  readonly attrs: Attrs
  readonly children: readonly Node[]
  #bare: string | undefined
  #full: string | undefined
  #elements: readonly Element[] | undefined

  /** Takes the parts as they are, unchecked; `el` is the checked way. `attrs` and `children` must not change afterwards. */
  constructor(name: string, ns: string, attrs: Attrs = NO_ATTRS, children: readonly Node[] = NO_CHILDREN) {
    this.name = name
    this.ns = ns
    this.attrs = attrs
    this.children = children
  }

  is(name: string, ns: string): boolean {
    return this.name === name && this.ns === ns
  }

  /** The first child element of that name, by default in this element's own namespace. */
  child(name: string, ns: string = this.ns): Element | undefined {
    const children = this.children
    for (let i = 0; i < children.length; i++) {
      const c = children[i]!
      if (typeof c !== 'string' && c.name === name && c.ns === ns) return c
    }
    return undefined
  }

  /** The child elements, without the text between them; the same array on every access. */
  get elements(): readonly Element[] {
    return (this.#elements ??= elementsOf(this.children))
  }

  /** The text directly inside, without that of child elements. */
  get text(): string {
    const children = this.children
    if (children.length === 1 && typeof children[0] === 'string') return children[0]
    let s = ''
    for (const c of children) if (typeof c === 'string') s += c
    return s
  }

  /** The element as text inside a parent of namespace `within`. Written once, then remembered. */
  write(within: string): string {
    if (this.ns === within) return (this.#bare ??= this.#render(within))
    if (this.ns === XML) return this.#render(within)
    return (this.#full ??= this.#render(within)) // whatever is around it: it says its namespace itself
  }

  /** The element as a text that stands by itself. */
  toString(): string {
    return this.write('')
  }

  #render(within: string): string {
    // The xml prefix is bound everywhere, and its namespace may not be a default one.
    const xml = this.ns === XML && within !== XML
    const tag = xml ? `xml:${this.name}` : this.name
    const inside = xml ? within : this.ns
    let s = '<' + tag
    if (inside !== within) s += ` xmlns='${escape(inside)}'`
    const attrs = this.attrs
    if (attrs !== NO_ATTRS) for (const key in attrs) s += ` ${key}='${escape(attrs[key]!)}'`
    const children = this.children
    if (children.length === 0) return s + '/>'
    s += '>'
    for (let i = 0; i < children.length; i++) {
      const c = children[i]!
      // Only what is written by itself remembers its text: a part of a remembered whole would hold it twice.
      s += typeof c === 'string' ? escapeText(c) : (c.#known(inside) ?? c.#render(inside))
    }
    return `${s}</${tag}>`
  }

  #known(within: string): string | undefined {
    return this.ns === within ? this.#bare : this.#full
  }
}

/** An element of our own making. Throws TypeError for a name that XML does not allow, or an attribute's prefix that is not declared beside it. */
export function el(name: string, ns: string, attrs?: Attrs, ...children: Node[]): Element {
  check(name)
  if (name.includes(':')) throw new TypeError('element names carry no prefix')
  if (attrs) for (const key in attrs) checkAttribute(key, attrs)
  return new Element(name, ns, attrs, children)
}

/** Text made safe to stand in an attribute, and so anywhere; characters that XML forbids become U+FFFD. */
export function escape(s: string): string {
  return IN_ATTRIBUTE.test(s) ? legal(s).replace(EACH_IN_ATTRIBUTE, replacement) : s
}

/** Text made safe to stand between tags; characters that XML forbids become U+FFFD. */
export function escapeText(s: string): string {
  return IN_TEXT.test(s) ? legal(s).replace(EACH_IN_TEXT, replacement) : s
}

/* eslint-disable no-control-regex */
const IN_ATTRIBUTE = /[&<>'"\x00-\x1f\ud800-\udfff\ufffe\uffff]/
const EACH_IN_ATTRIBUTE = /[&<>'"\x00-\x1f\ufffe\uffff]/g
const IN_TEXT = /[&<>\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]/
const EACH_IN_TEXT = /[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]/g

const legal = (s: string): string => (s.isWellFormed() ? s : s.toWellFormed())

function replacement(c: string): string {
  switch (c) {
    case '&': return '&amp;'
    case '<': return '&lt;'
    case '>': return '&gt;'
    case "'": return '&apos;'
    case '"': return '&quot;'
    case '\t': return '&#9;'
    case '\n': return '&#10;'
    case '\r': return '&#13;'
    default: return '\ufffd'
  }
}

function elementsOf(children: readonly Node[]): readonly Element[] {
  const only = children.filter(c => typeof c !== 'string')
  return only.length === children.length ? (children as readonly Element[]) : only // the lengths say that none is a text
}

function checkAttribute(key: string, attrs: Attrs): void {
  check(key)
  if (key === 'xmlns') throw new TypeError('an element has its namespace already')
  const prefix = key.slice(0, Math.max(0, key.indexOf(':')))
  if (prefix !== '' && prefix !== 'xml' && prefix !== 'xmlns' && !attrs[`xmlns:${prefix}`]) throw new TypeError('prefix without declaration')
}

const CHECKED = new Set<string>()
const CHECKED_MOST = 4096

function check(name: string): void {
  if (CHECKED.has(name)) return
  const colon = name.indexOf(':')
  if (!(colon < 0 ? isName(name) : isName(name.slice(0, colon)) && isName(name.slice(colon + 1)))) throw new TypeError('not a name in XML')
  if (CHECKED.size < CHECKED_MOST) CHECKED.add(name)
}
