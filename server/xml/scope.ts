// Which namespace a prefix, or none, means where the parser is (Namespaces in XML 1.0). Pure.
import { fail } from './limits.ts'
import type { QName } from './names.ts'

export const XML = 'http://www.w3.org/XML/1998/namespace'
const XMLNS = 'http://www.w3.org/2000/xmlns/'

/** Whether a tag may declare this; `prefix` is '' for the default namespace. Namespaces in XML 1.0, sections 2.2 and 3. */
export function mayDeclare(prefix: string, ns: string): boolean {
  if (prefix === '') return ns !== XML && ns !== XMLNS
  return ns !== '' && ns !== XMLNS && prefix !== 'xmlns' && (prefix === 'xml') === (ns === XML) // xml is bound for good, xmlns cannot be, none can be unbound
}

export class Scope {
  /** The default namespace, '' for none. */
  default = ''
  #prefixes: Map<string, string> | undefined
  readonly #undo: (string | undefined)[] = [] // prefix and what it meant before, in the order of declaration

  /** What `leave` has to go back to. */
  get mark(): number {
    return this.#undo.length
  }

  declare(prefixes: ReadonlyMap<string, string>): void {
    this.#prefixes ??= new Map()
    for (const [prefix, ns] of prefixes) {
      this.#undo.push(prefix, this.#prefixes.get(prefix))
      this.#prefixes.set(prefix, ns)
    }
  }

  leave(mark: number): void {
    while (this.#undo.length > mark) {
      const before = this.#undo.pop()
      const prefix = this.#undo.pop()! // they come in pairs
      if (before === undefined) this.#prefixes!.delete(prefix)
      else this.#prefixes!.set(prefix, before)
    }
  }

  /** What an element's prefix means. Throws XmlError if nothing. */
  find(prefix: string): string {
    if (prefix === '') return this.default
    if (prefix === 'xml') return XML
    return this.#prefixes?.get(prefix) ?? fail('not-well-formed', 'prefix without declaration') // RFC 6120 section 11.3
  }

  /**
   * Puts the declarations of used prefixes among the attributes, so that their element can stand anywhere, and returns how
   * many characters these are beyond what the tag, which declares `own`, says itself. Throws XmlError for an attribute given twice.
   */
  expand(attrs: Record<string, string>, prefixed: readonly QName[], own: ReadonlyMap<string, string> | undefined): number {
    const seen = new Map<string, string[]>() // the namespaces of each local name: those may be long, so no key is made of them
    let implied = 0
    for (const { prefix, local } of prefixed) {
      const ns = this.find(prefix)
      const before = seen.get(local)
      if (before === undefined) seen.set(local, [ns])
      else if (before.includes(ns)) fail('not-well-formed', 'attribute twice')
      else before.push(ns)
      const key = `xmlns:${prefix}`
      if (attrs[key] !== undefined) continue
      attrs[key] = ns
      if (!own?.has(prefix)) implied += ns.length
    }
    return implied
  }
}
