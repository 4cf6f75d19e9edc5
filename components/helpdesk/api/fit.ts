// Whether what came with a request is what the description says: the kinds of values, and no names that it does not know (pure).
import type { Fault } from '../settings/check.ts'
import type { Schema } from './shapes.ts'

/** What is wrong with a body's keys and the kinds of its values; what else is wrong the route itself sees. `undefined`: there was none. */
export function misfits(schema: Schema, body: unknown): readonly Fault[] {
  if (body === undefined) return []
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return [{ pointer: '', because: 'must be an object' }]
  const properties = propertiesOf(schema)
  return Object.entries(body).flatMap(([k, v]) => {
    const of = Object.hasOwn(properties, k) ? properties[k] : undefined
    if (of === undefined) return schema['additionalProperties'] === false ? [{ pointer: `/${k}`, because: 'is nothing that belongs here' }] : []
    const types = of['enum'] === undefined ? [of['type'] ?? []].flat() as string[] : ['string', 'number', 'boolean'] // as JSON Schema has it
    return v === null || types.length === 0 || types.some(t => isOf(t, v)) ? [] : [{ pointer: `/${k}`, because: `must be ${types.join(' or ')}` }]
  })
}

/** What is wrong with the parameters behind the `?`. */
export function oddities(query: Readonly<Record<string, Schema>>, given: URLSearchParams): readonly Fault[] {
  return Object.entries(query).flatMap(([name, schema]) => given.getAll(name).flatMap(value => {
    const because = odd(schema, value)
    return because === undefined ? [] : [{ pointer: `/${name}`, because }]
  }))
}

/** Whether a parameter can be wrong: not every text is one of its values. */
export const isNarrow = (s: Schema): boolean => s['enum'] !== undefined || s['type'] !== 'string'

function odd(schema: Schema, value: string): string | undefined {
  const [all, least, most] = [schema['enum'] as readonly unknown[] | undefined, schema['minimum'] as number | undefined, schema['maximum'] as number | undefined] // as JSON Schema has it
  if (all !== undefined) return all.includes(value) ? undefined : `one of ${all.join(', ')}`
  if (schema['type'] === 'boolean') return value === 'true' || value === 'false' ? undefined : 'true or false'
  if (schema['type'] !== 'integer') return undefined
  const n = /^\d{1,15}$/.test(value) ? Number(value) : NaN
  return n >= (least ?? 0) && n <= (most ?? Infinity) ? undefined : `a whole number${least === undefined ? '' : ` from ${least}`}${most === undefined ? '' : ` to ${most}`}`
}

const propertiesOf = (s: Schema): Readonly<Record<string, Schema>> => (s['properties'] ?? {}) as Readonly<Record<string, Schema>> // as JSON Schema has it
const isOf = (type: string, v: unknown): boolean => type === 'integer' ? Number.isInteger(v) : type === 'array' ? Array.isArray(v) : type === typeof v && !Array.isArray(v)
