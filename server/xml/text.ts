// Text and attribute values out of bytes: decoded, checked, line ends and references resolved. Pure.
import type { Buffer } from 'node:buffer'
import { AMP, BREAK, ODD, ascii, decode, isLegal } from './bytes.ts'
import { fail } from './limits.ts'
import { valueIn } from './names.ts'

const SHORT = 7 // words like away; too short for what is secret, which should not be remembered

/** Character data between tags: b[from..to), whose classes of bytes OR to `classes`. Throws XmlError, as all here. */
export function textOf(b: Buffer, from: number, to: number, classes: number): string {
  if ((classes & ODD) === 0) return to - from <= SHORT ? valueIn(b, from, to) : ascii(b, from, to)
  const s = cdataOf(b, from, to, classes)
  return (classes & AMP) !== 0 ? resolve(s) : s
}

/** What stands in a CDATA section. */
export function cdataOf(b: Buffer, from: number, to: number, classes: number): string {
  const s = decode(b, from, to, classes)
  return (classes & BREAK) !== 0 && s.includes('\r') ? s.replace(/\r\n?/g, '\n') : s // XML 1.0 section 2.11
}

/** An attribute's value, normalised as XML 1.0 section 3.3.3 wants; `once` if the like will hardly come again. */
export function valueOf(b: Buffer, from: number, to: number, classes: number, once: boolean): string {
  if ((classes & ODD) === 0) return once ? ascii(b, from, to) : valueIn(b, from, to)
  let s = decode(b, from, to, classes)
  if ((classes & BREAK) !== 0) s = s.replace(/\r\n|[\t\n\r]/g, ' ')
  return (classes & AMP) !== 0 ? resolve(s) : s
}

function resolve(s: string): string {
  let out = ''
  let done = 0
  for (let at = s.indexOf('&'); at >= 0; at = s.indexOf('&', done)) {
    const end = s.indexOf(';', at)
    if (end < 0) fail('not-well-formed', 'reference without end')
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
  if (!name.startsWith('#')) {
    if (!/^[^\s&<>'"#%/=!?]+$/.test(name)) fail('not-well-formed', 'malformed reference')
    fail('restricted-xml', 'entity reference') // RFC 6120 section 11.1
  }
  const code = /^#[0-9]+$/.test(name) ? parseInt(name.slice(1), 10) : /^#x[0-9A-Fa-f]+$/.test(name) ? parseInt(name.slice(2), 16) : -1
  if (!isLegal(code)) fail('not-well-formed', 'reference to no character')
  return String.fromCodePoint(code)
}

// XML 1.0 production 23; `standalone` means nothing without a document type and is passed over (RFC 6120 section 11.5).
const S = '[ \\t\\r\\n]'
const quoted = (value: string): string => `${S}*=${S}*(?:"${value}"|'${value}')`
const DECLARATION = new RegExp(`^<\\?xml${S}+version${quoted('1\\.[0-9]+')}(?:${S}+encoding${quoted('([A-Za-z][A-Za-z0-9._-]*)')})?(?:${S}+standalone${quoted('(?:yes|no)')})?${S}*\\?>$`)

/** Checks an XML declaration, from its `<?xml` to its `?>`. Throws XmlError. */
export function checkDeclaration(text: string): void {
  const parts = DECLARATION.exec(text)
  if (parts === null) fail('not-well-formed', 'malformed XML declaration')
  const encoding = parts[1] ?? parts[2]
  if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') fail('unsupported-encoding', 'encoding other than UTF-8') // RFC 6120 section 11.6
}
