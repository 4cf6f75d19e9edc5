// What is asked of a ticket system over HTTP: a path and a JSON text with {{names}} in them. Pure.
import { isTree, type Json } from '../settings/tree.ts'

export type Values = Readonly<Record<string, string>>

/** A path with its names put in, each as one segment. */
export const pathOf = (template: string, values: Values): string => template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))

/** A body with its names put in: only inside texts, so that no value becomes structure. A text that is one name of a number alone becomes that number. */
export function bodyOf(template: string, values: Values): Json | { readonly wrong: string } {
  try { return filled(JSON.parse(template) as Json, values) } catch { return { wrong: 'the template is no JSON' } }
}
function filled(value: Json, values: Values): Json {
  if (typeof value === 'string') {
    const count = /^\{\{(number|limit)\}\}$/.exec(value)?.[1]
    if (count !== undefined && /^\d+$/.test(values[count] ?? '')) return Number(values[count])
    return value.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '')
  }
  if (Array.isArray(value)) return value.map(v => filled(v as Json, values)) // a list of JSON
  return isTree(value) ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, values)])) : value
}
