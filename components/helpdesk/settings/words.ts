// Settings as people write them, `key=value` on a command line or the fields of a form: to JSON by the schema, and back. Pure.

import { resolved, schema, type Shape } from './check.ts'
import { isTree, type Json, type Tree } from './tree.ts'

/** One setting that a form or a line can hold: `closed.after` of `handOff`. */
export interface Leaf { readonly key: string; readonly shape: Shape; /** title of the group within the group */ readonly of?: string | undefined }

/** The leaves of a group or of one queue, department and the like, in the order of the schema. */
export function leavesOf(part: Shape, before = '', of?: string): readonly Leaf[] {
  return Object.entries(resolved(part).properties ?? {}).flatMap(([k, p]) => {
    const shape = resolved(p)
    return shape.properties && !JSON_ONLY.has(p.$ref ?? '') && k !== 'permissions' ? leavesOf(shape, `${before}${k}.`, shape.title) : [{ key: `${before}${k}`, shape, of }]
  })
}
const JSON_ONLY = new Set(['#/$defs/hours'])

/** What a written value means; `wrong` says how it is written. */
export function readValue(shape: Shape, text: string): { readonly value: Json } | { readonly wrong: string } {
  const t = text.trim()
  if (shape.enum) return shape.enum.includes(t) ? { value: t } : { wrong: `write one of ${shape.enum.join(', ')}` }
  switch (shape.type) {
    case 'boolean': return /^(true|yes|on|1)$/i.test(t) ? { value: true } : /^(false|no|off|0)$/i.test(t) ? { value: false } : { wrong: 'write true or false' }
    case 'integer': return /^-?\d{1,12}$/.test(t) ? { value: Number(t) } : { wrong: 'write a whole number' }
    case 'string': return { value: text }
    case 'array': return t.startsWith('[') ? json(t) : { value: t.split(shape['x-lines'] ? '\n' : /[,\n]/).map(x => x.trim()).filter(x => x !== '') } // `x-lines`: a comma belongs to the text
    case 'object': return json(t)
    default: return t === 'all' ? { value: t } : t.startsWith('[') ? json(t) : { value: t.split(/[,\n]/).map(x => x.trim()).filter(x => x !== '') } // `agents`: all, or a list
  }
}
function json(text: string): { readonly value: Json } | { readonly wrong: string } {
  try { return { value: JSON.parse(text) as Json } } catch { return { wrong: 'write JSON' } }
}

/** A value as it is written. */
export const writeValue = (v: Json | undefined): string =>
  v === undefined || v === null ? '' : Array.isArray(v) && v.every(x => typeof x === 'string') ? v.join(', ') : typeof v === 'object' ? JSON.stringify(v) : String(v)

/** Puts a value at `a.b` of a tree. */
export function put(tree: Tree, key: string, value: Json): Tree {
  const [first = '', ...rest] = key.split('.')
  const inner = tree[first]
  return { ...tree, [first]: rest.length === 0 ? value : put(isTree(inner) ? inner : {}, rest.join('.'), value) }
}
export function get(tree: Json | undefined, key: string): Json | undefined {
  let found = tree
  for (const k of key.split('.')) found = isTree(found) ? found[k] : undefined
  return found
}

/** Reads `key=value` words for a part of the settings; a word without `=` is wrong, `key=` gives the default back. */
export function readWords(part: Shape, words: readonly string[]): { readonly patch: Tree } | { readonly wrong: string } {
  const known = new Map(leavesOf(part).map(l => [l.key, l.shape]))
  let patch: Tree = {}
  for (const word of words) {
    const m = /^([\w.]+)=([\s\S]*)$/.exec(word)
    const shape = m && known.get(m[1] ?? '')
    if (!m || !shape) return { wrong: `${word}: write key=value; the keys are ${[...known.keys()].join(', ')}` }
    const [, key = '', text = ''] = m
    const read = text === '' ? { value: null } : readValue(shape, text)
    if ('wrong' in read) return { wrong: `${key}: ${read.wrong}` }
    patch = put(patch, key, read.value)
  }
  return { patch }
}

/** The part of the schema for one of a section. */
export const partOf = (one: string): Shape => schema.$defs?.[one] ?? {}
