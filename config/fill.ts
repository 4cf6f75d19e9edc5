// From what the file says to what the house reads: defaults filled in, sizes in bytes, spans in milliseconds, kebab-case
// keys in camelCase (pure). The schema alone says what each default is.
import { size, span } from './units.ts'

/** The part of JSON Schema that schemas/config.json uses. */
export interface Schema {
  readonly $ref?: string
  readonly default?: unknown
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly description?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly 'x-unit'?: 'bytes' | 'ms' | 'count'
  readonly 'x-setting'?: boolean
  readonly 'x-is'?: string
}

/** Fills a value that has passed the schema. Maps (`additionalProperties`) keep their keys; absent keys without a default stay absent. */
export function fill(root: Schema, part: Schema, value: unknown): unknown {
  const schema = resolve(root, part)
  const given = value === undefined ? schema.default : value
  if (schema.anyOf) return fillChoice(root, schema, given)
  if (schema['x-unit']) return number(schema['x-unit'], given)
  if (isMap(schema)) return fillMap(root, schema, given)
  return given
}

/** The defaults with all limits lifted; settings (`x-setting`) stay as they are. */
export function lift(root: Schema, part: Schema): unknown {
  const schema = resolve(root, part)
  if (schema['x-unit']) return schema['x-setting'] ? number(schema['x-unit'], schema.default) : Infinity
  return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, sub]) => [camel(key), lift(root, sub)]))
}

/** Follows `$ref`; what stands beside it wins. */
export function resolve(root: Schema, schema: Schema): Schema {
  if (!schema.$ref) return schema
  const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')]
  if (!target) throw new Error(`schemas/config.json: no ${schema.$ref}`)
  const { $ref: _, ...beside } = schema
  return { ...resolve(root, target), ...beside }
}

function fillChoice(root: Schema, schema: Schema, value: unknown): unknown {
  const object = schema.anyOf?.map(choice => resolve(root, choice)).find(isMap)
  if (!object) return value
  if (value === 'unlimited') return lift(root, object)
  return value === undefined || value === false ? value : fillMap(root, object, value)
}

function fillMap(root: Schema, schema: Schema, value: unknown): unknown {
  if (value === undefined) return undefined
  const map = (value ?? {}) as Readonly<Record<string, unknown>> // the schema has seen it: an object or null
  const filled: Record<string, unknown> = {}
  for (const [key, sub] of Object.entries(schema.properties ?? {})) {
    const inner = fill(root, sub, map[key])
    if (inner !== undefined) filled[camel(key)] = inner
  }
  const rest = schema.additionalProperties
  if (typeof rest !== 'object') return filled
  return new Map(Object.entries(map).map(([key, inner]) => [key, fill(root, rest, inner === null ? {} : inner)]))
}

const isMap = (schema: Schema): boolean => schema.properties !== undefined || typeof schema.additionalProperties === 'object'

const number = (unit: 'bytes' | 'ms' | 'count', value: unknown): number | undefined => unit === 'ms' ? span(value) : size(value)

const camel = (key: string): string => key.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
