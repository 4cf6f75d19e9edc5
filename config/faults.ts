// What is wrong with a config file, in words an admin can act on: `key: what is wrong: the mend`, all faults at once.
import type { ErrorObject } from 'ajv/dist/2020.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import schemaFile from '../schemas/config.json' with { type: 'json' }
import { resolve, type Schema } from './fill.ts'

export const schema = schemaFile as unknown as Schema // the file is a JSON Schema; fill.ts says which part of one it uses

/** One fault: `line` is all after the file's name. */
export interface Fault { readonly path: readonly string[]; readonly line: string }

// one function for each definition, as they come: to weave and polish a single one takes twice the time and memory, and it runs once. A test has looked at the schema
const validate = new Ajv2020({ validateSchema: false, allErrors: true, verbose: true, strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false, inlineRefs: false, code: { optimize: false } })
  .addVocabulary(['x-is', 'x-unit', 'x-setting'])
  .compile(schemaFile)

/** Checks the shape of what the file says. */
export function shapeFaults(value: unknown): Fault[] {
  if (validate(value)) return []
  const faults = new Map<string, Fault>()
  const errors = validate.errors ?? []
  for (const error of errors) {
    if (hidden(error, errors)) continue
    const fault = describe(error, value)
    if (!faults.has(fault.path.join('\0'))) faults.set(fault.path.join('\0'), fault)
  }
  return [...faults.values()]
}

/** `key: what is wrong: the mend`. */
export function fault(path: readonly string[], wrong: string, mend: string): Fault {
  return { path, line: `${path.length ? path.join('.') : 'the whole file'}: ${wrong}: ${mend}` }
}

/** The nearest of the known words, if it is near enough to be what was meant. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const far = distance(word.toLowerCase(), candidate)
    if (far < least) { best = candidate; least = far }
  }
  return best
}

// A choice's branches complain as well as the choice: its own `x-is` says it better, unless a branch complains of something deeper.
function hidden(error: ErrorObject, all: readonly ErrorObject[]): boolean {
  if (error.keyword === 'propertyNames') return true // the error inside names the rule
  if (error.keyword === 'anyOf') return all.some(other => deeper(other, error))
  return error.keyword !== 'additionalProperties' && all.some(other => other.keyword === 'anyOf' && other.instancePath === error.instancePath)
}

function deeper(error: ErrorObject, than: ErrorObject): boolean {
  return error.instancePath.startsWith(`${than.instancePath}/`)
    || (error.keyword === 'additionalProperties' && error.instancePath === than.instancePath)
}

function describe(error: ErrorObject, value: unknown): Fault {
  const path = error.instancePath.split('/').slice(1).map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const parent = resolve(schema, (error.parentSchema ?? {}) as Schema) // verbose: ajv gives the schema that complains
  if (error.propertyName !== undefined) {
    return fault([...path, error.propertyName], 'is a name that cannot stand here', `use ${parent['x-is'] ?? 'another name'}`)
  }
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params['additionalProperty'])
    const known = Object.keys(parent.properties ?? {})
    const meant = nearest(key, known)
    return fault([...path, key], 'unknown key', meant ? `did you mean ${meant}?` : known.length ? `known here: ${known.join(', ')}` : 'leave it out')
  }
  if (error.keyword === 'required') {
    const key = String(error.params['missingProperty'])
    return fault([...path, key], 'is missing', `give ${words(parent.properties?.[key])}`)
  }
  return fault(path, `cannot be ${shown(at(value, path))}`, `give ${parent['x-is'] ?? error.message ?? 'something else'}`)
}

const words = (part: Schema | undefined): string => (part && resolve(schema, part)['x-is']) ?? 'it'

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value)

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return Object.keys(value).length ? `a map of ${Object.keys(value).join(', ').slice(0, 60)}` : 'an empty map'
  return JSON.stringify(value).slice(0, 80)
}

// Edits between two words, a swap of neighbours counted as one.
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)])
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? Infinity
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, cell(i - 2, j - 2) + 1)
      rows[i]![j] = least
    }
  }
  return cell(a.length, b.length)
}
