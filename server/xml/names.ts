// Names and short strings out of bytes: checked once, kept once. Pure, but for caches that nobody can tell from none.

// Documented nowhere, but what toString comes to, without its look at the encoding's name.
interface Slices { latin1Slice(from: number, to: number): string; utf8Slice(from: number, to: number): string }

/** b[from..to), all ASCII, as a string. */
export const ascii = (b: Buffer, from: number, to: number): string => (b as unknown as Slices).latin1Slice(from, to)
/** b[from..to), UTF-8, as a string; what is not becomes U+FFFD. */
export const utf8 = (b: Buffer, from: number, to: number): string => (b as unknown as Slices).utf8Slice(from, to)

/** Classes of bytes, to be OR-ed together over a run of them. */
export const NAME = 1, SPACE = 2, BAD = 4, LT = 8, AMP = 16, BREAK = 32, HIGH = 64, GT = 128
export const CLASS = new Uint8Array(256)
for (let c = 0; c < 32; c++) CLASS[c] = BAD
CLASS[9] = CLASS[10] = CLASS[13] = SPACE | BREAK
CLASS[32] = SPACE
for (let c = 128; c < 256; c++) CLASS[c] = NAME | HIGH
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:') CLASS[c.charCodeAt(0)] = NAME
CLASS[60] = LT
CLASS[62] = GT
CLASS[38] = AMP

// XML 1.0 fifth edition, productions 4 and 4a, without the colon (Namespaces in XML, production 4).
const START = 'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}'
const NC_NAME = new RegExp(`^[${START}][${START}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*$`, 'u')

/** Whether it is a name without a colon (NCName of Namespaces in XML 1.0). */
export const isName = (s: string): boolean => NC_NAME.test(s)

/** What a name means to the parser when it is an attribute's. */
export type Role = 'plain' | 'id' | 'default' | 'declaration' | 'xml' | 'prefixed'

/** A qualified name taken apart. */
export interface QName { readonly text: string; readonly prefix: string; readonly local: string; readonly role: Role }

const SLOTS = 1024
const LONGEST_NAME = 64
const names: (QName | undefined)[] = new Array<QName | undefined>(SLOTS).fill(undefined)

/** The name in b[from..to), whose bytes hash to `hash` (h * 31 + byte) and of which `high` says whether one is not ASCII; undefined if it is none. */
export function nameIn(b: Buffer, from: number, to: number, hash: number, high: boolean): QName | undefined {
  const length = to - from
  if (high || length > LONGEST_NAME) return read(high ? utf8(b, from, to) : ascii(b, from, to))
  const slot = hash & (SLOTS - 1)
  const known = names[slot]
  if (known !== undefined && same(b, from, length, known.text)) return known
  const name = read(ascii(b, from, to))
  if (name !== undefined) names[slot] = name
  return name
}

function read(text: string): QName | undefined {
  const colon = text.indexOf(':')
  if (colon < 0) return isName(text) ? { text, prefix: '', local: text, role: text === 'xmlns' ? 'default' : text === 'id' ? 'id' : 'plain' } : undefined
  const prefix = text.slice(0, colon)
  const local = text.slice(colon + 1)
  if (!isName(prefix) || !isName(local)) return undefined
  return { text, prefix, local, role: prefix === 'xmlns' ? 'declaration' : prefix === 'xml' ? 'xml' : 'prefixed' }
}

const VALUES = 2048
export const LONGEST_VALUE = 56
const values: string[] = new Array<string>(VALUES).fill('')

/** The ASCII string in b[from..to), from the cache or into it: addresses, types and namespaces come again and again. */
export function valueIn(b: Buffer, from: number, to: number, hash: number): string {
  const slot = hash & (VALUES - 1)
  const known = values[slot]!
  if (same(b, from, to - from, known)) return known
  return (values[slot] = ascii(b, from, to))
}

function same(b: Buffer, from: number, length: number, s: string): boolean {
  if (s.length !== length) return false
  for (let i = 0; i < length; i++) if (b[from + i] !== s.charCodeAt(i)) return false
  return true
}
