// Names and short strings out of bytes: checked once, kept once. Pure, but for a memory that nobody can tell from none.
import type { Buffer } from 'node:buffer'
import { HIGH, ascii, decode } from './bytes.ts'

// XML 1.0 fifth edition, productions 4 and 4a, without the colon (Namespaces in XML, production 4).
const START = 'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}'
const NC_NAME = new RegExp(`^[${START}][${START}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*$`, 'u')

/** Whether it is a name without a colon (NCName of Namespaces in XML 1.0). */
export const isName = (s: string): boolean => NC_NAME.test(s)

/** What a name means to the parser when it is an attribute's. */
export type Role = 'plain' | 'id' | 'declaration' | 'xml' | 'prefixed'

/** A qualified name taken apart. */
export interface QName { readonly text: string; readonly prefix: string; readonly local: string; readonly role: Role }

/** What was read before, found again by its bytes: a slot each, the newer one wins. Bounded, so nothing a peer sends makes it grow. */
class Memory<T> {
  readonly #values: (T | undefined)[]
  readonly #bytes: Uint8Array
  readonly #lengths: Uint8Array
  readonly #make: (text: string) => T | undefined

  constructor(slots: number, make: (text: string) => T | undefined) {
    this.#values = Array.from({ length: slots }, () => undefined)
    this.#bytes = new Uint8Array(slots * LONGEST)
    this.#lengths = new Uint8Array(slots)
    this.#make = make
  }

  /** What `make` makes of the ASCII in b[from..to), at least 1 and at most LONGEST bytes. */
  get(b: Buffer, from: number, to: number): T | undefined {
    const length = to - from
    const quarter = length >> 2
    // Five bytes tell most names and addresses apart; those that collide cost a conversion, no more.
    let hash = Math.imul(b[from]!, 31) + b[to - 1]!
    hash = Math.imul(hash, 31) + b[from + quarter]!
    hash = Math.imul(hash, 31) + b[from + (length >> 1)]!
    hash = Math.imul(hash, 31) + b[to - 1 - quarter]!
    hash = Math.imul(hash, 31) + length
    const slot = (hash ^ (hash >>> 12)) & (this.#lengths.length - 1)
    const bytes = this.#bytes
    const at = slot * LONGEST
    if (this.#lengths[slot] === length) {
      let i = 0
      while (i < length && bytes[at + i] === b[from + i]) i++
      if (i === length) return this.#values[slot]
    }
    const made = this.#make(ascii(b, from, to))
    if (made !== undefined) {
      this.#values[slot] = made
      this.#lengths[slot] = length
      for (let i = 0; i < length; i++) bytes[at + i] = b[from + i]!
    }
    return made
  }
}

const LONGEST = 64
const names = new Memory<QName>(1024, read)
const values = new Memory<string>(2048, text => text)

/** The name in b[from..to), whose classes of bytes OR to `classes`; undefined if it is none. Throws XmlError for bad UTF-8. */
export function nameIn(b: Buffer, from: number, to: number, classes: number): QName | undefined {
  if ((classes & HIGH) !== 0) return read(decode(b, from, to, classes))
  if (to - from > LONGEST) return read(ascii(b, from, to))
  return to > from ? names.get(b, from, to) : undefined
}

function read(text: string): QName | undefined {
  const colon = text.indexOf(':')
  if (colon < 0) return isName(text) ? { text, prefix: '', local: text, role: text === 'xmlns' ? 'declaration' : text === 'id' ? 'id' : 'plain' } : undefined
  const prefix = text.slice(0, colon)
  const local = text.slice(colon + 1)
  if (!isName(prefix) || !isName(local)) return undefined
  return { text, prefix, local, role: prefix === 'xmlns' ? 'declaration' : prefix === 'xml' ? 'xml' : 'prefixed' }
}

/** The ASCII in b[from..to) as a string, the same one as before where it can be: addresses, types and namespaces come again and again. */
export function valueIn(b: Buffer, from: number, to: number): string {
  if (to === from) return ''
  return to - from <= LONGEST ? values.get(b, from, to)! : ascii(b, from, to) // get gives what make makes: a string
}
