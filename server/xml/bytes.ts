// What bytes may be in XML, and strings out of them. Pure.
import { isUtf8, type Buffer } from 'node:buffer'
import { fail } from './limits.ts'

/** Classes of bytes, to be OR-ed together over a run of them; BREAK is tab, line feed or carriage return. */
export const NAME = 1, SPACE = 2, BAD = 4, LT = 8, AMP = 16, BREAK = 32, HIGH = 64, GT = 128
/** What makes a run of bytes other than the string that it looks like. */
export const ODD = BAD | AMP | BREAK | HIGH

/** The classes of each byte. */
export const CLASS = new Uint8Array(256)
for (let c = 0; c < 32; c++) CLASS[c] = BAD
CLASS[9] = CLASS[10] = CLASS[13] = SPACE | BREAK
CLASS[32] = SPACE
CLASS[38] = AMP
CLASS[60] = LT
CLASS[62] = GT
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:') CLASS[c.charCodeAt(0)] = NAME
for (let c = 128; c < 256; c++) CLASS[c] = NAME | HIGH

// Documented nowhere, but what toString comes to, without its look at the encoding's name.
interface Slices { latin1Slice(from: number, to: number): string; utf8Slice(from: number, to: number): string }

/** b[from..to), all ASCII, as a string. */
export const ascii = (b: Buffer, from: number, to: number): string => (b as unknown as Slices).latin1Slice(from, to)

/** The characters in b[from..to), whose classes OR to `classes`. Throws XmlError for what is no UTF-8 or no character of XML. */
export function decode(b: Buffer, from: number, to: number, classes: number): string {
  if ((classes & BAD) !== 0) fail('not-well-formed', 'control character')
  if ((classes & HIGH) === 0) return ascii(b, from, to)
  const s = (b as unknown as Slices).utf8Slice(from, to)
  // What is no UTF-8 became U+FFFD; but that may have been sent, too.
  if (s.includes('\ufffd') && !isUtf8(b.subarray(from, to))) fail('unsupported-encoding', 'bad UTF-8') // RFC 6120 section 11.6
  if (s.includes('\ufffe') || s.includes('\uffff')) fail('not-well-formed', 'no character')
  return s
}

/** Whether the code point is a character of XML (XML 1.0 production 2). */
export const isLegal = (code: number): boolean =>
  code >= 0x20 ? code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff) : code === 9 || code === 10 || code === 13

/** Where the run of name bytes ends that begins at b[p]; n if it goes on. */
export function endOfName(b: Buffer, p: number, n: number): number {
  while (p < n && (CLASS[b[p]!]! & NAME) !== 0) p++
  return p
}

/** Whether `]]>` is in b[from..to). */
export function holdsSectionEnd(b: Buffer, from: number, to: number): boolean {
  for (let p = from + 2; p < to; p++) if (b[p] === 62 && b[p - 1] === 93 && b[p - 2] === 93) return true
  return false
}
