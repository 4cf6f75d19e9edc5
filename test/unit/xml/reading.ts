// What a parser makes of bytes, as plain values to compare.
import { SaxesParser, type SaxesTagNS } from 'saxes'
import { Parser, XmlError, type HeaderInfo, type ParserOptions } from '../../../server/xml/parser.ts'
import type { Element } from '../../../server/xml/element.ts'

const XML = 'http://www.w3.org/XML/1998/namespace'
const XMLNS = 'http://www.w3.org/2000/xmlns/'

export const HEADER = "<stream:stream to='desk.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

export interface Reading {
  header: Element | undefined
  info: HeaderInfo | undefined
  elements: Element[]
  closed: boolean
  error: XmlError | undefined
}

/** Feeds it in pieces of `step` bytes, up to the first error. */
export function read(input: string | Uint8Array, options: ParserOptions = {}, step = Infinity): Reading {
  const r: Reading = { header: undefined, info: undefined, elements: [], closed: false, error: undefined }
  const parser = new Parser({ open(h, i) { r.header = h; r.info = i }, element(e) { r.elements.push(e) }, close() { r.closed = true } }, options)
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  try {
    if (step === Infinity) parser.write(bytes)
    else for (let i = 0; i < bytes.length; i += step) parser.write(bytes.subarray(i, i + step))
  } catch (e) {
    if (!(e instanceof XmlError)) throw e
    r.error = e
  }
  return r
}

/** What is inside a stream, behind a header for clients. */
export function inside(input: string | Uint8Array, options: ParserOptions = {}, step = Infinity): Reading {
  return read(Buffer.concat([Buffer.from(HEADER), Buffer.from(input)]), options, step)
}

/** The condition of the error that it ends with; undefined for none. */
export const condition = (input: string | Uint8Array, options: ParserOptions = {}): string | undefined => inside(input, options).error?.condition

export type Plain = string | { name: string; attrs: Record<string, string>; children: Plain[] }

/** The infoset: expanded names, no declarations, no order of attributes. */
export function plain(e: Element): Plain {
  const attrs: Record<string, string> = {}
  for (const key of Object.keys(e.attrs).sort()) {
    const colon = key.indexOf(':')
    const prefix = colon < 0 ? '' : key.slice(0, colon)
    if (prefix === 'xmlns') continue
    const ns = prefix === '' ? '' : prefix === 'xml' ? XML : e.attrs[`xmlns:${prefix}`]!
    attrs[expanded(ns, key.slice(colon + 1))] = e.attrs[key]!
  }
  return { name: expanded(e.ns, e.name), attrs: sorted(attrs), children: e.children.map(c => (typeof c === 'string' ? c : plain(c))) }
}

/** The infoset of the document's root as saxes reads it; undefined for what is not well-formed, 'restricted' for what XMPP forbids. */
export function bySaxes(text: string): Plain | 'restricted' | undefined {
  const parser = new SaxesParser({ xmlns: true })
  const open: Exclude<Plain, string>[] = []
  let root: Plain | undefined
  let wrong = false
  let restricted = false
  parser.on('error', () => { wrong = true })
  for (const kind of ['comment', 'processinginstruction', 'doctype'] as const) parser.on(kind, () => { restricted = true })
  parser.on('opentag', (tag: SaxesTagNS) => {
    const attrs: Record<string, string> = {}
    for (const a of Object.values(tag.attributes)) if (a.uri !== XMLNS) attrs[expanded(a.uri, a.local)] = a.value
    open.push({ name: expanded(tag.uri, tag.local), attrs: sorted(attrs), children: [] })
  })
  const text_ = (s: string): void => {
    const children = open.at(-1)?.children
    if (children === undefined || s === '') return
    const last = children.at(-1)
    if (typeof last === 'string') children[children.length - 1] = last + s
    else children.push(s)
  }
  parser.on('text', text_)
  parser.on('cdata', text_)
  parser.on('closetag', () => {
    const e = open.pop()
    if (e === undefined) return
    if (open.length > 0) open.at(-1)!.children.push(e)
    else root = e
  })
  try {
    parser.write(text).close()
  } catch {
    return undefined // it throws where its own state broke, after an error
  }
  return wrong ? undefined : restricted ? 'restricted' : root
}

const expanded = (ns: string, local: string): string => `{${ns}}${local}`
const sorted = (attrs: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1)))
