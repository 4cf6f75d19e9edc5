// Data forms (XEP-0004): made from plain values, and read back from what clients really send (pure).
import { el, type Element } from '../xml/element.ts'

export const NS_DATA = 'jabber:x:data'

export type FormKind = 'form' | 'submit' | 'cancel' | 'result'
export type FieldType =
  | 'boolean' | 'fixed' | 'hidden' | 'jid-multi' | 'jid-single' | 'list-multi' | 'list-single' | 'text-multi' | 'text-private' | 'text-single'

export interface Field {
  readonly var?: string // only a fixed field has none
  readonly type?: FieldType // text-single if absent
  readonly label?: string
  readonly desc?: string
  readonly value?: string | boolean | readonly string[] // in text-multi, lines may also stand in one string
  readonly options?: readonly (string | { readonly label: string; readonly value: string })[]
  readonly required?: boolean
}

export interface Form {
  readonly type: FormKind
  readonly formType?: string // FORM_TYPE, XEP-0068
  readonly title?: string
  readonly instructions?: string // a line each
  readonly fields?: readonly Field[]
}

/** The `<x/>` of a form. */
export function form({ type, formType, title, instructions, fields = [] }: Form): Element {
  const children: Element[] = []
  if (title) children.push(el('title', NS_DATA, {}, oneLine(title)))
  if (instructions) for (const line of lines(instructions)) children.push(el('instructions', NS_DATA, {}, line))
  if (formType) children.push(field({ var: 'FORM_TYPE', type: 'hidden', value: formType }))
  for (const f of fields) children.push(field(f))
  return el('x', NS_DATA, { type }, ...children)
}

export interface FormValues {
  readonly type: FormKind
  readonly formType: string | undefined // FORM_TYPE, XEP-0068
  /** By `var`, without FORM_TYPE. A field that came without a value is there with an empty list. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

/**
 * What was filled in, or `undefined` if the element is no form. Clients send back whole forms (titles, options, fixed fields), and
 * leave out `required` fields: nothing here is checked but the shape. Of two fields with one name the first counts.
 */
export function readForm(x: Element | undefined): FormValues | undefined {
  const type = x?.is('x', NS_DATA) ? KINDS.find(kind => kind === x.attrs['type']) : undefined
  if (!x || !type) return undefined
  const values = new Map<string, readonly string[]>()
  for (const f of x.elements) {
    const name = f.attrs['var']
    if (f.is('field', NS_DATA) && name && !values.has(name)) values.set(name, valuesOf(f))
  }
  const formType = values.get('FORM_TYPE')?.[0]
  values.delete('FORM_TYPE')
  return { type, formType, values }
}

/** A boolean field's value: `undefined` if it was not sent or is no boolean (XML Schema: 1, true, 0, false). */
export function isTrue(values: readonly string[] | undefined): boolean | undefined {
  const value = values?.[0]?.trim()
  if (value === '1' || value === 'true') return true
  return value === '0' || value === 'false' ? false : undefined
}

const KINDS: readonly FormKind[] = ['form', 'submit', 'cancel', 'result']

function field({ var: name, type = 'text-single', label, desc, value, options = [], required }: Field): Element {
  const children: Element[] = []
  if (desc) children.push(el('desc', NS_DATA, {}, desc))
  if (required) children.push(el('required', NS_DATA))
  for (const v of written(type, value)) children.push(el('value', NS_DATA, {}, v))
  for (const option of options) {
    const { label: shown, value: sent } = typeof option === 'string' ? { label: option, value: option } : option
    children.push(el('option', NS_DATA, { label: shown }, el('value', NS_DATA, {}, sent)))
  }
  return el('field', NS_DATA, { ...(name !== undefined && { var: name }), type, ...(label !== undefined && { label }) }, ...children)
}

function written(type: FieldType, value: Field['value']): readonly string[] {
  if (value === undefined) return []
  if (typeof value === 'boolean') return [value ? '1' : '0']
  const given = typeof value === 'string' ? [value] : value
  return type === 'text-multi' ? given.flatMap(lines) : given.map(oneLine)
}

function valuesOf(f: Element): string[] {
  const values = f.elements.filter(e => e.is('value', NS_DATA)).map(e => e.text)
  // COMPAT: Pidgin ends each text-multi with an empty value.
  while (values.length > 1 && values.at(-1) === '') values.pop()
  return values
}

const lines = (text: string): string[] => text.split(/\r\n|\r|\n/)
const oneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ')
