// One who speaks the desk's own namespace, as bridges do (schemas/desk-namespace.md).
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { DESK, type Person } from './desk.ts'

export const NS_DESK = 'urn:deskbell:desk:0'
const escape = (s: string): string => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;')
let ids = 0

/** Asks in the namespace and gives the answer, an error included; whatever else comes is left. */
export async function ask(p: Person, type: 'get' | 'set', text: string): Promise<Xml> {
  const id = `q${++ids}`
  p.actor.says(`<iq type='${type}' id='${id}' to='${DESK}'>${text}</iq>`)
  const others: Xml[] = []
  try {
    for (;;) { const x = await p.actor.next(() => `${text} should be answered`); if (x.name === 'iq' && x.attrs['id'] === id) return x; others.push(x) }
  } finally { p.actor.unreads(others) }
}

export type Attrs = Readonly<Record<string, string>>
const tag = (name: string, attrs: Attrs, inside: string): string => `<${name} xmlns='${NS_DESK}'${Object.entries(attrs).map(([k, v]) => ` ${k}='${escape(v)}'`).join('')}>${inside}</${name}>`

/** The element of the answer; fails with the error where it is one. */
export const inside = (x: Xml, name: string): Xml => { const e = x.getChild(name, NS_DESK); assert.ok(e, `no ${name} in ${String(x)}`); return e }
/** The condition and the words of a refusal. */
export function refusal(x: Xml): { condition: string; text: string } {
  assert.equal(x.attrs['type'], 'error', String(x))
  const error = x.getChild('error')
  return { condition: String(error?.children.map(e => typeof e === 'string' ? '' : e.name).find(n => n !== 'text')), text: error?.getChildText('text') ?? '' }
}

export interface Opening { readonly body?: string; readonly page?: string; readonly fields?: Attrs; readonly attrs?: Attrs }
/** Asks to be let in. */
export const opens = (p: Person, { body = 'hello', page, fields = {}, attrs = {} }: Opening = {}): Promise<Xml> =>
  ask(p, 'set', tag('open', { queue: 'support', id: `o${++ids}`, name: 'Alice', ...attrs }, `<body>${escape(body)}</body>${page === undefined ? '' : `<page>${escape(page)}</page>`}${Object.entries(fields).map(([k, v]) => `<field name='${k}'>${escape(v)}</field>`).join('')}`))
/** Opens, and gives the number. */
export const begins = async (p: Person, o: Opening = {}): Promise<number> => Number(inside(await opens(p, o), 'conversation').attrs['number'])
export const says = (p: Person, n: number, text: string): Promise<Xml> => ask(p, 'set', tag('say', { conversation: String(n), id: `s${++ids}` }, escape(text)))
export const availability = async (p: Person, attrs: Attrs = {}, page?: string): Promise<Attrs> => inside(await ask(p, 'get', tag('availability', { queue: 'support', ...attrs }, page === undefined ? '' : `<page>${escape(page)}</page>`)), 'availability').attrs as Attrs
export const isOpen = async (p: Person, attrs: Attrs = {}, page?: string): Promise<boolean> => (await availability(p, attrs, page))['open'] === 'true'
export const site = async (p: Person, attrs: Attrs = {}): Promise<Xml> => inside(await ask(p, 'get', tag('site', { queue: 'support', ...attrs }, '')), 'site')
export const newest = async (p: Person): Promise<Attrs> => inside(await ask(p, 'get', tag('conversation', {}, '')), 'conversation').attrs as Attrs
export const leaves = (p: Person, { body = 'Call me', attrs = {} }: Opening = {}): Promise<Xml> => ask(p, 'set', tag('leave', { queue: 'support', name: 'Alice', email: 'alice@example.org', ...attrs }, `<body>${escape(body)}</body>`))
export const sends = (p: Person, type: 'get' | 'set', name: string, attrs: Attrs, body = ''): Promise<Xml> => ask(p, type, tag(name, attrs, body))
