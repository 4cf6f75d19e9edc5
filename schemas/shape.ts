// Holds data against a JSON Schema (draft 2020-12): the part of the language that our schemas use, and no other. Pure.

/** A schema as JSON gives it. */
export type Schema = boolean | { readonly [keyword: string]: unknown }
type Rules = Exclude<Schema, boolean>

/** One thing that does not fit. */
export interface Misfit {
  /** Where, as a JSON pointer (RFC 6901). */
  readonly pointer: string
  /** The keyword that complains, and the schema that it stands in. */
  readonly keyword: string
  readonly rules: Rules
  /** `additionalProperties`: the key that is too much; `required`: the one that is missing. */
  readonly key?: string
  /** What does not fit is this key of the object at `pointer`, not its value (`propertyNames`). */
  readonly name?: string
  /** In words that go on after the name of the value. */
  readonly because: string
}

/** A schema made ready. */
export interface Shape<T> {
  /** Stops at the first thing that does not fit. */
  fits(value: unknown): value is T
  /** All that does not fit, in no order that matters but the same each time. */
  misfits(value: unknown): readonly Misfit[]
}

/**
 * Makes a schema ready; `part` is a `$ref` of its own to begin with. With `fill`, absent properties that have a `default` are put
 * into the objects that are looked at. Throws for a keyword that it does not know: a rule is never passed over in silence.
 */
export function shapeOf<T>(schema: Rules, { part, fill = false }: { readonly part?: string; readonly fill?: boolean } = {}): Shape<T> {
  const look = new Reader(schema, fill).read(part === undefined ? schema : { $ref: part })
  return {
    fits: (value): value is T => look(value, '', undefined),
    misfits: value => { const found: Misfit[] = []; look(value, '', found); return found },
  }
}

/** Whether a value fits; says what does not, if somebody listens, and else stops at the first. `name`: the value is a key of the object there. */
type Look = (value: unknown, pointer: string, found: Misfit[] | undefined, name?: string) => boolean
type Whole = Record<string, unknown>

const NOTES = new Set(['$schema', '$id', '$defs', 'title', 'description', 'default'])
const READ = new Set([
  '$ref', 'type', 'const', 'enum', 'anyOf', 'oneOf', 'minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'minItems', 'maxItems', 'uniqueItems', 'items',
  'minProperties', 'maxProperties', 'required', 'propertyNames', 'additionalProperties', 'properties',
])
const ANYTHING: Look = () => true

class Reader {
  readonly #root: Rules
  readonly #fill: boolean
  readonly #named = new Map<string, Look>()

  constructor(root: Rules, fill: boolean) { this.#root = root; this.#fill = fill }

  read(schema: Schema): Look {
    if (schema === true) return ANYTHING
    const rules = schema === false ? { enum: [] } : schema
    for (const keyword of Object.keys(rules)) if (!READ.has(keyword) && !NOTES.has(keyword) && !keyword.startsWith('x-')) unknown(keyword)
    const looks = [this.#kind(rules), numbers(rules), texts(rules), this.#either(rules), this.#lists(rules), this.#objects(rules)].flat()
    const [first, ...more] = looks
    if (!first) return ANYTHING
    return more.length === 0 ? first : (value, pointer, found, name) => {
      let fits = true
      for (const look of looks) if (!look(value, pointer, found, name)) { if (!found) return false; fits = false }
      return fits
    }
  }

  #reference(to: string): Look {
    let look = this.#named.get(to)
    if (look) return look
    // a definition may lead back to itself: it is known before it is read
    this.#named.set(to, (value, pointer, found, name) => look!(value, pointer, found, name)) // it is set below, before anything is looked at
    const target = to.startsWith('#/$defs/') ? (this.#root['$defs'] as Record<string, Schema> | undefined)?.[to.slice('#/$defs/'.length)] : undefined
    if (target === undefined) throw new Error(`schema: there is no ${to}`)
    this.#named.set(to, look = this.read(target))
    return look
  }

  #kind(rules: Rules): Look[] {
    const types = rules['type'] === undefined ? [] : [rules['type']].flat() as string[]
    const tests = types.map(type => TYPES[type] ?? unknown(`type ${type}`))
    return tests.length > 0 ? [rule(rules, 'type', value => tests.some(is => is(value)), `must be ${types.join(' or ')}`)] : []
  }

  #either(rules: Rules): Look[] {
    const { $ref, anyOf, oneOf } = rules as { $ref?: string; anyOf?: Schema[]; oneOf?: Schema[] }
    const looks: Look[] = []
    if ($ref !== undefined) looks.push(this.#reference($ref))
    if ('const' in rules) { const only = scalar(rules['const']); looks.push(rule(rules, 'const', value => value === only, `must be ${JSON.stringify(only)}`)) }
    if (rules['enum'] !== undefined) { const choices = (rules['enum'] as unknown[]).map(scalar); looks.push(rule(rules, 'enum', value => choices.includes(value), `must be one of ${choices.join(', ')}`)) }
    if (anyOf) looks.push(among(rules, 'anyOf', anyOf.map(s => this.read(s))))
    if (oneOf) looks.push(among(rules, 'oneOf', oneOf.map(s => this.read(s))))
    return looks
  }

  #lists(rules: Rules): Look[] {
    const { minItems, maxItems, uniqueItems, items } = rules as { minItems?: number; maxItems?: number; uniqueItems?: boolean; items?: Schema }
    const looks: Look[] = []
    if (maxItems !== undefined) looks.push(rule(rules, 'maxItems', v => !Array.isArray(v) || v.length <= maxItems, `must have at most ${maxItems} items`))
    if (minItems !== undefined) looks.push(rule(rules, 'minItems', v => !Array.isArray(v) || v.length >= minItems, `must have at least ${minItems} items`))
    if (uniqueItems) looks.push(rule(rules, 'uniqueItems', v => !Array.isArray(v) || new Set(v.map(same)).size === v.length, 'must not hold the same twice'))
    if (items !== undefined) {
      const each = this.read(items)
      looks.push((value, pointer, found) => {
        if (!Array.isArray(value)) return true
        let fits = true
        for (const [i, item] of value.entries()) if (!each(item, found ? `${pointer}/${i}` : '', found)) { if (!found) return false; fits = false }
        return fits
      })
    }
    return looks
  }

  #objects(rules: Rules): Look[] {
    const { minProperties, maxProperties, required, propertyNames, additionalProperties, properties = {} } =
      rules as { minProperties?: number; maxProperties?: number; required?: string[]; propertyNames?: Schema; additionalProperties?: Schema; properties?: Record<string, Schema> }
    const looks: Look[] = []
    const parts = Object.entries(properties).map(([key, sub]) => [key, this.read(sub), escaped(key)] as const)
    const known = new Set(Object.keys(properties))
    const defaults = this.#fill ? Object.entries(properties).flatMap(([key, sub]) => typeof sub === 'object' && 'default' in sub ? [[key, sub['default']] as const] : []) : []
    if (defaults.length > 0) looks.push(value => { if (isObject(value)) for (const [key, given] of defaults) if (!has(value, key)) value[key] = structuredClone(given); return true })
    if (maxProperties !== undefined) looks.push(rule(rules, 'maxProperties', v => !isObject(v) || Object.keys(v).length <= maxProperties, `must have at most ${maxProperties} entries`))
    if (minProperties !== undefined) looks.push(rule(rules, 'minProperties', v => !isObject(v) || Object.keys(v).length >= minProperties, `must have at least ${minProperties} entries`))
    if (required) looks.push(each(rules, 'required', value => required.filter(key => !has(value, key)), key => `must have ${key}`))
    if (propertyNames !== undefined) {
      const named = this.read(propertyNames)
      looks.push((value, pointer, found) => {
        let fits = true
        if (isObject(value)) for (const key of Object.keys(value)) if (!named(key, pointer, found, key)) { if (!found) return false; fits = false }
        return fits
      })
    }
    if (additionalProperties === false) looks.push(each(rules, 'additionalProperties', value => Object.keys(value).filter(key => !known.has(key)), key => `has nothing called ${key}`))
    const others = additionalProperties === undefined || typeof additionalProperties === 'boolean' ? undefined : this.read(additionalProperties)
    if (others || parts.length > 0) {
      looks.push((value, pointer, found) => {
        if (!isObject(value)) return true
        let fits = true
        if (others) for (const key of Object.keys(value)) if (!known.has(key) && !others(value[key], found ? `${pointer}/${escaped(key)}` : '', found)) { if (!found) return false; fits = false }
        for (const [key, look, path] of parts) if (has(value, key) && !look(value[key], found ? `${pointer}/${path}` : '', found)) { if (!found) return false; fits = false }
        return fits
      })
    }
    return looks
  }
}

function numbers(rules: Rules): Look[] {
  const { minimum, maximum } = rules as { minimum?: number; maximum?: number }
  const looks: Look[] = []
  if (maximum !== undefined) looks.push(rule(rules, 'maximum', v => typeof v !== 'number' || v <= maximum, `must be at most ${maximum}`))
  if (minimum !== undefined) looks.push(rule(rules, 'minimum', v => typeof v !== 'number' || v >= minimum, `must be at least ${minimum}`))
  return looks
}

function texts(rules: Rules): Look[] {
  const { minLength, maxLength, pattern } = rules as { minLength?: number; maxLength?: number; pattern?: string }
  const looks: Look[] = []
  if (maxLength !== undefined) looks.push(rule(rules, 'maxLength', v => typeof v !== 'string' || v.length <= maxLength || points(v) <= maxLength, `must have at most ${maxLength} characters`))
  if (minLength !== undefined) looks.push(rule(rules, 'minLength', v => typeof v !== 'string' || (v.length >= minLength && points(v) >= minLength), `must have at least ${minLength} characters`))
  if (pattern !== undefined) { const written = new RegExp(pattern, 'u'); looks.push(rule(rules, 'pattern', v => typeof v !== 'string' || written.test(v), `must match ${pattern}`)) }
  return looks
}

const rule = (rules: Rules, keyword: string, holds: (value: unknown) => boolean, because: string): Look => (value, pointer, found, name) => {
  if (holds(value)) return true
  found?.push({ pointer, keyword, rules, because, ...(name !== undefined && { name }) })
  return false
}

/** A rule that complains of keys. */
const each = (rules: Rules, keyword: string, wrong: (value: Whole) => readonly string[], because: (key: string) => string): Look => (value, pointer, found) => {
  if (!isObject(value)) return true
  const keys = wrong(value)
  if (found) for (const key of keys) found.push({ pointer, keyword, rules, key, because: because(key) })
  return keys.length === 0
}

/** If no branch fits, what is wrong with each of them is told, and then the choice itself. */
const among = (rules: Rules, keyword: 'anyOf' | 'oneOf', branches: readonly Look[]): Look => (value, pointer, found, name) => {
  const wrong: Misfit[] | undefined = found && []
  let fitting = 0
  for (const look of branches) if (look(value, pointer, wrong, name) && ++fitting === (keyword === 'anyOf' ? 1 : 2)) break
  if (fitting === 1) return true
  found?.push(...wrong ?? [], { pointer, keyword, rules, because: fitting === 0 ? 'fits none of the choices' : 'fits more than one of the choices', ...(name !== undefined && { name }) })
  return false
}

const isObject = (value: unknown): value is Whole => typeof value === 'object' && value !== null && !Array.isArray(value)
const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: v => v === null,
  object: isObject,
  array: Array.isArray,
  number: Number.isFinite,
  integer: Number.isInteger,
  string: v => typeof v === 'string',
  boolean: v => typeof v === 'boolean',
}
const has = (value: Whole, key: string): boolean => Object.hasOwn(value, key) && value[key] !== undefined
const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
// Two that are written alike are one.
const same = (value: unknown): unknown => typeof value === 'object' ? JSON.stringify(value) : `${typeof value} ${String(value)}`

function scalar(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? unknown('const or enum of anything but plain values') : value
}

function unknown(what: string): never { throw new Error(`schema: ${what} is not understood`) }

/** Characters as people count them in code: code points, not the halves of a pair. */
function points(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) { count--; i++ }
  return count
}
