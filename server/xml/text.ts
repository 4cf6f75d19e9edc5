// Text and attribute values out of bytes: decoded, checked, line ends and references resolved. Pure.
import { isUtf8 } from 'node:buffer'
import { AMP, BAD, BREAK, HIGH, ascii, utf8 } from './names.ts'
import { XmlError } from './limits.ts'

/** The characters in b[from..to), whose byte classes OR to `classes`. Throws XmlError for what is no UTF-8 or no XML character. */
export function decode(b: Buffer, from: number, to: number, classes: number): string {
  if ((classes & BAD) !== 0) throw new XmlError('not-well-formed', 'control character')
  if ((classes & HIGH) === 0) return ascii(b, from, to)
  const s = utf8(b, from, to)
  if (s.includes('\ufffd') && !isUtf8(b.subarray(from, to))) throw new XmlError('unsupported-encoding', 'bad UTF-8')
  if (s.includes('\ufffe') || s.includes('\uffff')) throw new XmlError('not-well-formed', 'character that is none')
  return s
}

/** Character data between tags. */
export function textOf(b: Buffer, from: number, to: number, classes: number): string {
  let s = decode(b, from, to, classes)
  if ((classes & BREAK) !== 0) s = lines(s)
  return (classes & AMP) !== 0 ? resolve(s) : s
}

/** What stands in a CDATA section. */
export function cdataOf(b: Buffer, from: number, to: number, classes: number): string {
  const s = decode(b, from, to, classes)
  return (classes & BREAK) !== 0 ? lines(s) : s
}

/** An attribute's value, normalised as XML 1.0 section 3.3.3 says for CDATA. */
export function valueOf(b: Buffer, from: number, to: number, classes: number): string {
  let s = decode(b, from, to, classes)
  if ((classes & BREAK) !== 0) s = s.replace(/\r\n|[\t\n\r]/g, ' ')
  return (classes & AMP) !== 0 ? resolve(s) : s
}

// XML 1.0 section 2.11
const lines = (s: string): string => (s.includes('\r') ? s.replace(/\r\n?/g, '\n') : s)

function resolve(s: string): string {
  let out = ''
  let done = 0
  for (let at = s.indexOf('&'); at >= 0; at = s.indexOf('&', done)) {
    const end = s.indexOf(';', at)
    if (end < 0) throw new XmlError('not-well-formed', 'reference without end')
    out += s.slice(done, at) + reference(s.slice(at + 1, end))
    done = end + 1
  }
  return out + s.slice(done)
}

function reference(name: string): string {
  switch (name) {
    case 'amp': return '&'
    case 'lt': return '<'
    case 'gt': return '>'
    case 'quot': return '"'
    case 'apos': return "'"
  }
  const code = /^#[0-9]+$/.test(name) ? parseInt(name.slice(1), 10) : /^#x[0-9A-Fa-f]+$/.test(name) ? parseInt(name.slice(2), 16) : undefined
  if (code === undefined) {
    if (name.startsWith('#') || !/^[^\s&<>'"#%/=]+$/.test(name)) throw new XmlError('not-well-formed', 'malformed reference')
    throw new XmlError('restricted-xml', 'entity reference') // RFC 6120 section 11.1
  }
  const legal = code >= 0x20 ? code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff) : code === 9 || code === 10 || code === 13
  if (!legal) throw new XmlError('not-well-formed', 'reference to no character')
  return String.fromCodePoint(code)
}
