// Reads one start tag out of bytes. Pure.
import type { Buffer } from 'node:buffer'
import { Bag } from './element.ts'
import { CLASS, LT, NAME, SPACE } from './bytes.ts'
import { fail, type Limits } from './limits.ts'
import { nameIn, type QName } from './names.ts'
import { mayDeclare } from './scope.ts'
import { valueOf } from './text.ts'

const FEW = 8
const seen = Array.from({ length: FEW + 1 }, () => '')

/** A start tag as written, its prefixes not looked up yet; one object serves for tag after tag. */
export class Tag {
  name: QName = { text: '', prefix: '', local: '', role: 'plain' }
  attrs: Record<string, string> | undefined
  /** Names of attributes with a prefix, `xml:` ones aside. */
  prefixed: QName[] | undefined
  /** The default namespace it declares, '' for none, undefined if it stays as it was. */
  ns: string | undefined
  /** The prefixes it declares. */
  prefixes: Map<string, string> | undefined
  empty = false

  /** Reads the tag that begins at b[from] and returns where it ended, or -1 if b[..n) holds only a part. Throws XmlError. */
  read(b: Buffer, from: number, n: number, limits: Limits): number {
    this.attrs = undefined
    this.prefixed = undefined
    this.ns = undefined
    this.prefixes = undefined
    this.empty = false
    let count = 0
    let declarations = 0

    let p = from + 1
    let c = 0
    let k = 0
    let classes = 0
    for (; ; p++) {
      if (p === n) return -1
      c = b[p]!
      k = CLASS[c]!
      if ((k & NAME) === 0) break
      classes |= k
    }
    this.name = nameIn(b, from + 1, p, classes) ?? fail('not-well-formed', 'no name')

    for (;;) {
      if (c === 62) return p + 1
      if (c === 47) {
        if (p + 1 === n) return -1
        if (b[p + 1] !== 62) fail('not-well-formed', 'stray slash')
        this.empty = true
        return p + 2
      }
      if ((k & SPACE) === 0) fail('not-well-formed', 'no space between attributes')
      do {
        if (++p === n) return -1
        c = b[p]!
        k = CLASS[c]!
      } while ((k & SPACE) !== 0)
      if (c === 62 || c === 47) continue

      const start = p
      classes = 0
      while ((k & NAME) !== 0) {
        classes |= k
        if (++p === n) return -1
        c = b[p]!
        k = CLASS[c]!
      }
      const name = nameIn(b, start, p, classes) ?? fail('not-well-formed', 'no attribute name')
      while ((k & SPACE) !== 0) {
        if (++p === n) return -1
        c = b[p]!
        k = CLASS[c]!
      }
      if (c !== 61) fail('not-well-formed', 'attribute without value')
      do {
        if (++p === n) return -1
        c = b[p]!
      } while ((CLASS[c]! & SPACE) !== 0)
      if (c !== 34 && c !== 39) fail('not-well-formed', 'attribute without quotes')

      const quote = c
      const first = ++p
      classes = 0
      for (; ; p++) {
        if (p === n) return -1
        c = b[p]!
        if (c === quote) break
        classes |= CLASS[c]!
      }
      if ((classes & LT) !== 0) fail('not-well-formed', '< in an attribute')
      if (p - first > limits.attributeBytes) fail('policy-violation', 'attribute too long', 'attributeBytes')
      const value = valueOf(b, first, p, classes, name.role === 'id')
      if (++p === n) return -1
      c = b[p]!
      k = CLASS[c]!

      if (name.role === 'declaration') {
        if (++declarations > limits.namespaces) fail('policy-violation', 'too many namespace declarations', 'namespaces')
        this.#declare(name, value)
        continue
      }
      if (++count > limits.attributes) fail('policy-violation', 'too many attributes', 'attributes')
      const attrs = (this.attrs ??= new Bag())
      if (count > FEW ? attrs[name.text] !== undefined : isRepeated(name.text, count)) fail('not-well-formed', 'attribute twice')
      attrs[name.text] = value
      if (name.role === 'prefixed') (this.prefixed ??= []).push(name)
    }
  }

  #declare({ prefix, local }: QName, ns: string): void {
    if (prefix === '' ? this.ns !== undefined : this.prefixes?.has(local)) fail('not-well-formed', 'namespace declared twice')
    if (!mayDeclare(prefix === '' ? '' : local, ns)) fail('not-well-formed', 'namespace that may not be declared so')
    if (prefix === '') this.ns = ns
    else (this.prefixes ??= new Map()).set(local, ns)
  }
}

/** Whether the count-th attribute has the name of one before: for few that is quicker than to ask the object. */
function isRepeated(name: string, count: number): boolean {
  for (let i = 1; i < count; i++) if (seen[i] === name) return true
  seen[count] = name
  return false
}
