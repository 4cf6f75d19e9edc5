// Data against schemas: ajv is the oracle, on our own schemas and on values that nearly fit them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { parse } from 'yaml'
import { shapeOf } from '../../../schemas/shape.ts'

const ROOT = join(import.meta.dirname, '../../..')
type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
const json = (file: string): { [key: string]: Json } => JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as { [key: string]: Json }

const config = json('schemas/config.json')
const settings = json('schemas/desk-settings.json')
const webchat = json('schemas/webchat.json')
const CONFIG = parse(readFileSync(join(ROOT, 'config/deskbell.yaml'), 'utf8')) as Json
const SETTINGS: Json = {
  queues: { support: { agents: ['anna@a.example', 'bob@a.example'], skills: ['de', 'en'] }, billing: { agents: 'all' } },
  departments: { sales: { queues: ['support'] } }, sites: { shop: { origins: ['https://a.example'], texts: { title: 'Hi' } } },
  quality: { idleWarning: 60 }, fields: { name: { label: 'Name', kind: 'text' } },
}
const MESSAGES: Json[] = [
  { type: 'hello', token: 'x'.repeat(43), conversation: 1, after: 2, page: 'https://a.example/', lang: 'de' },
  { type: 'open', id: 'a1', text: 'Hello 👋', name: 'Ann', fields: { age: '7' } },
  { type: 'say', id: 'a2', conversation: 3, text: 'x' }, { type: 'typing', conversation: 3, state: 'composing' }, { type: 'nothing' }, [], 7, null,
]

const ODD = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -1, 1, 1.5, 65536, 1e9, '', 'all', 'x', '5s', '1MiB', 'unlimited', 'a b', '😀😀', 'x'.repeat(600), [], {}, ['x', 'x'], [1, '1'], { a: 1 }, { toString: 1 }, [{ a: 1 }, { a: 1 }]),
  fc.jsonValue({ maxDepth: 2 }).map(v => JSON.parse(JSON.stringify(v)) as Json),
)
const KEY = fc.oneof(fc.constantFrom('port', 'agents', 'queues', 'type', 'text', 'id', 'c2s', 'limits', 'a/b', 'm~n', 'constructor', '-', 'Ä', 'mam', 'enabled'), fc.string({ maxLength: 5 }).filter(k => k !== '__proto__'))

/** A value with something changed somewhere. */
function changed(value: Json, path: readonly number[], key: string, odd: Json | undefined): Json {
  const [here = 0, ...rest] = path
  if (Array.isArray(value)) {
    if (value.length === 0 || rest.length === 0) return odd === undefined ? value.slice(1) : [...value, odd]
    return value.map((v, i) => i === here % value.length ? changed(v, rest, key, odd) : v)
  }
  if (typeof value !== 'object' || value === null) return odd ?? null
  const keys = Object.keys(value)
  const at = keys[here % Math.max(keys.length, 1)]
  if (at === undefined || path.length === 0) return odd === undefined ? {} : { ...value, [key]: odd }
  if (rest.length === 0 && odd === undefined) { const { [at]: _, ...others } = value; return others }
  return { ...value, [at]: changed(value[at]!, rest, key, odd) } // it is one of its keys
}

const CHANGES = fc.array(fc.tuple(fc.array(fc.nat(40), { maxLength: 6 }), KEY, fc.option(ODD, { nil: undefined })), { maxLength: 3 })

/** What both say is wrong, without order. ajv has one more for a name, beside what is wrong with it, and compares items only if they are of the right type. */
const told = (all: readonly (readonly [string, string, string | undefined])[]): string[] => [...new Set(all.filter(([, keyword]) => keyword !== 'propertyNames' && keyword !== 'uniqueItems').map(e => JSON.stringify(e)))].sort()

function agree(schema: { [key: string]: Json }, samples: readonly Json[], part?: string): void {
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: false, inlineRefs: false, validateSchema: false })
  ajv.addSchema(schema)
  const oracle = ajv.getSchema(`${String(schema['$id'])}${part ?? ''}`)!
  const ours = shapeOf(schema, { fill: true, ...(part !== undefined && { part }) })
  fc.assert(fc.property(fc.constantFrom(...samples), CHANGES, (sample, changes) => {
    const value = changes.reduce<Json>((v, [path, key, odd]) => changed(v, path, key, odd), sample)
    const [theirs, mine] = [structuredClone(value), structuredClone(value)]
    const fits = oracle(theirs)
    const misfits = ours.misfits(mine)
    assert.equal(misfits.length === 0, fits)
    assert.equal(ours.fits(structuredClone(value)), fits)
    if (fits) assert.deepEqual(mine, theirs, 'defaults')
    assert.deepEqual(
      told(misfits.map(m => [m.pointer, m.keyword, m.key])),
      told((oracle.errors ?? []).map(e => [e.instancePath, e.keyword, e.params['additionalProperty'] as string | undefined ?? e.params['missingProperty'] as string | undefined])))
  }), { numRuns: 300 })
}

describe('a shape', () => {
  it('fits the config as ajv says', () => agree(config, [CONFIG]))
  it('fits the settings of a desk as ajv says, defaults filled in', () => agree(settings, [SETTINGS, {}]))
  it('fits what browsers and the bridge say as ajv says', () => { for (const part of ['#/$defs/fromBrowser', '#/$defs/request', '#/$defs/fromBridge']) agree(webchat, MESSAGES, part) })

  it('counts characters as code points, and takes a pair that is broken for two', () => {
    const two = shapeOf({ minLength: 2, maxLength: 2 })
    for (const [text, fits] of [['ab', true], ['😀😀', true], ['😀', false], ['😀😀😀', false], ['\ud83d\ud83d', true], ['a😀', true], ['a', false]] as const) assert.equal(two.fits(text), fits, JSON.stringify(text))
  })

  it('names the key of which it complains, and writes pointers by RFC 6901', () => {
    const shape = shapeOf({ propertyNames: { pattern: '^[a-z/~]+$' }, additionalProperties: { type: 'number' } })
    assert.deepEqual(shape.misfits({ 'a/b~c': 'x', Q: 1 }).map(({ pointer, keyword, name }) => [pointer, keyword, name]), [['', 'pattern', 'Q'], ['/a~1b~0c', 'type', undefined]])
  })

  it('finds what is there twice, by value', () => {
    const set = shapeOf({ uniqueItems: true })
    for (const [list, fits] of [[['a', 'b'], true], [['a', 'a'], false], [[1, '1', true, 'true', null, 'null'], true], [[{ a: 1 }, { a: 1 }], false], [[[], {}], true]] as const) assert.equal(set.fits(list), fits, JSON.stringify(list))
    assert.deepEqual(set.misfits([1, 1]).map(m => m.keyword), ['uniqueItems'])
  })

  it('follows a definition that leads back to itself', () => {
    const tree = shapeOf({ $ref: '#/$defs/tree', $defs: { tree: { type: 'object', additionalProperties: { $ref: '#/$defs/tree' } } } })
    assert.ok(tree.fits({ a: { b: {} } }))
    assert.ok(!tree.fits({ a: { b: 1 } }))
  })

  it('is not made of a schema with a word that it does not know', () => {
    for (const schema of [{ if: {} }, { items: { format: 'email' } }, { type: 'text' }, { $ref: '#/$defs/none' }, { const: {} }, { properties: { a: { $ref: 'other.json' } } }]) assert.throws(() => shapeOf(schema), /schema: /, JSON.stringify(schema))
  })
})
