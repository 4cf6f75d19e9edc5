// Whether settings can be followed: their shape by schemas/desk-settings.json, and what no schema sees.
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { Jid } from '../../../server/api.ts'
import schemaFile from '../../../schemas/desk-settings.json' with { type: 'json' }
import type { DeskSettings } from '../../../schemas/desk-settings.ts'
import { readHours } from '../hours/hours.ts'
import { readHeaders } from './headers.ts'
import { flawOf } from '../words.ts'
import type { Json, Tree } from './tree.ts'

/** What is wrong, and where; the words name the mend. */
export interface Fault { readonly pointer: string; readonly because: string }

/** A part of the schema, as forms and descriptions need it. */
export interface Shape {
  readonly type?: string; readonly enum?: readonly string[]; readonly title?: string; readonly description?: string; readonly default?: Json; readonly minimum?: number; readonly maximum?: number
  readonly properties?: Readonly<Record<string, Shape>>; readonly required?: readonly string[]; readonly additionalProperties?: boolean | Shape; readonly items?: Shape; readonly $ref?: string; readonly anyOf?: readonly Shape[]
  readonly $defs?: Readonly<Record<string, Shape>>; readonly 'x-secret'?: boolean; readonly 'x-lines'?: boolean; readonly 'x-unit'?: string; readonly 'x-row'?: string
}
export const schema = schemaFile as unknown as Shape // the file is a JSON Schema of these keywords

/** Follows a reference. */
export const resolved = (s: Shape): Shape => s.$ref === undefined ? s : { ...schema.$defs?.[s.$ref.replace('#/$defs/', '')], ...s }

// for a rare use: to weave the definitions into one polished function takes twice the time and memory. A test has looked at the schema
const validate = new Ajv2020({ validateSchema: false, allErrors: true, useDefaults: true, verbose: true, strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false, inlineRefs: false, code: { optimize: false } })
  .addVocabulary(['x-row', 'x-unit', 'x-secret', 'x-lines']).compile(schemaFile)

/** The settings with their defaults filled in, or every fault. */
export function check(given: Tree): { readonly settings: DeskSettings } | { readonly faults: readonly Fault[] } {
  const filled: unknown = structuredClone(given)
  if (!validate(filled)) return { faults: faultsOf(validate.errors ?? []).map(fault) }
  const settings = filled as DeskSettings // as the schema says
  // What people name themselves: nothing is found under `constructor` that nobody has set.
  for (const [section, entries] of Object.entries(settings)) if (isNaming(schema.properties?.[section])) Object.setPrototypeOf(entries, null)
  const faults = [...meaning(settings)]
  return faults.length > 0 ? { faults } : { settings }
}

const isNaming = (s: Shape | undefined): boolean => typeof s?.additionalProperties === 'object'

/** What is said of a name is said once, where the name stands. */
function faultsOf(all: readonly ErrorObject[]): ErrorObject[] {
  const named = new Set(all.filter(e => e.keyword === 'propertyNames').map(e => e.instancePath))
  return all.filter(e => e.keyword !== 'anyOf' && !(e.keyword !== 'propertyNames' && named.has(e.instancePath) && typeof e.data === 'string')) // of a name, not of what bears it
}

function fault(e: ErrorObject): Fault {
  const pointer = e.instancePath
  const p = e.params as Record<string, unknown>
  switch (e.keyword) {
    case 'minimum': return { pointer, because: `is below ${String(p['limit'])}: ${range(e)}` }
    case 'maximum': return { pointer, because: `is above ${String(p['limit'])}: ${range(e)}` }
    case 'enum': return { pointer, because: `give one of ${(p['allowedValues'] as readonly unknown[]).join(', ')}` }
    case 'additionalProperties': return { pointer: `${pointer}/${String(p['additionalProperty'])}`, because: 'is no setting: the schema at /api/v1/settings/schema lists them' }
    case 'required': return { pointer: `${pointer}/${String(p['missingProperty'])}`, because: 'is missing' }
    case 'propertyNames': return { pointer: `${pointer}/${String(p['propertyName'])}`, because: 'is no name: use small letters, digits, dots and dashes' }
    case 'pattern': return { pointer, because: 'is not written as it must be: see the schema' }
    default: return { pointer, because: e.message ?? 'is wrong' }
  }
}
function range(e: ErrorObject): string {
  const s = e.parentSchema as Shape | undefined // verbose: ajv gives the schema that complains
  return s?.minimum === undefined || s.maximum === undefined ? 'give another number' : `give a number from ${s.minimum} to ${s.maximum}`
}

/** What no schema sees. */
function* meaning(s: DeskSettings): Iterable<Fault> {
  const on = (['departments', 'urls', 'agents', 'generic'] as const).filter(k => s.routing[k])
  if (on.length > 1) yield { pointer: `/routing/${on[1]}`, because: `${on[0]} routing is on: turn one of the two off` }
  const seen = new Set<string>()
  for (const [i, r] of s.routing.rules.entries()) {
    const address = r.address.toLowerCase()
    if (seen.has(address)) yield { pointer: `/routing/rules/${i}/address`, because: 'has a rule already' }
    seen.add(address)
    yield* people(r.operators, `/routing/rules/${i}/operators`)
  }
  const { quality } = s
  for (const k of ['idle', 'duration'] as const) {
    const [warning, critical] = [quality[`${k}Warning`], quality[`${k}Critical`]]
    if (warning > 0 && critical > 0 && critical <= warning) yield { pointer: `/quality/${k}Critical`, because: `must be more than the warning (${warning})` }
  }
  yield* people(s.offline.operators, '/offline/operators')
  yield* knowledge(s.knowledge)
  if (s.hours.default) yield* hours(s.hours.default, '/hours/default')
  for (const [name, q] of Object.entries(s.queues)) {
    const pointer = `/queues/${name}`
    if (/^(desk|c\d+)$/.test(name)) yield { pointer, because: 'is an address of the desk itself: take another name' }
    if (q.agents !== 'all') yield* people(q.agents, `${pointer}/agents`)
    if (q.overflow !== '') {
      if (s.queues[q.overflow] === undefined) yield { pointer: `${pointer}/overflow`, because: `there is no queue ${q.overflow}` }
      else if (circles(s, name)) yield { pointer: `${pointer}/overflow`, because: 'leads back to this queue' }
    }
    if (q.hours) yield* hours(q.hours, `${pointer}/hours`)
  }
  for (const [name, d] of Object.entries(s.departments)) {
    yield* known(d.queues, s.queues, 'queue', `/departments/${name}/queues`)
    yield* people(d.offline, `/departments/${name}/offline`)
    if (d.hours) yield* hours(d.hours, `/departments/${name}/hours`)
  }
  for (const [name, b] of Object.entries(s.brands)) yield* known(b.sites, s.sites, 'site', `/brands/${name}/sites`)
  for (const [name, site] of Object.entries(s.sites)) {
    if (site.queue !== undefined) yield* known([site.queue], s.queues, 'queue', `/sites/${name}/queue`)
    yield* known(site.departments, s.departments, 'department', `/sites/${name}/departments`)
  }
  for (const section of ['links', 'fields'] as const) for (const [name, x] of Object.entries(s[section])) yield* known(x.departments, s.departments, 'department', `/${section}/${name}/departments`)
  for (const [name, x] of Object.entries(s.events)) yield* known(x.queues, s.queues, 'queue', `/events/${name}/queues`)
  if ([s.proof.kind, ...Object.values(s.brands).map(b => b.proof), ...Object.values(s.sites).map(x => x.proof)].includes('captcha')) {
    for (const k of ['url', 'secret'] as const) if (s.proof[k] === undefined) yield { pointer: `/proof/${k}`, because: 'is needed where the proof is a captcha' }
  }
  for (const [name, m] of Object.entries(s.macros)) {
    yield* known(m.queues, s.queues, 'queue', `/macros/${name}/queues`)
    for (const [i, line] of m.steps.entries()) { const flaw = flawOf(line); if (flaw !== undefined) yield { pointer: `/macros/${name}/steps/${i}`, because: flaw } }
  }
  for (const p of ['settings.manage', 'operators.manage', 'roles.manage']) if (s.roles['admin']?.permissions[p] === false) yield { pointer: `/roles/admin/permissions/${p}`, because: 'admins keep this: nobody could undo it' }
}

function* knowledge(k: DeskSettings['knowledge']): Iterable<Fault> {
  if (k.url !== '') {
    const [origin = ''] = /^[a-z]+:\/\/[^/?#]*/i.exec(k.url) ?? []
    const url = URL.parse(k.url.replaceAll(/\{\{\w+\}\}/g, 'x'))
    if (!url || !/^https?:$/.test(url.protocol)) yield { pointer: '/knowledge/url', because: 'is no http or https address' }
    else if (origin.includes('{{')) yield { pointer: '/knowledge/url', because: 'must name its host: put {{question}} behind it' }
    else if (url.username !== '' || url.password !== '') yield { pointer: '/knowledge/url', because: 'must hold no name and password: give them as authorization' }
    yield* names(k.url, '/knowledge/url')
  }
  if (k.method === 'POST') {
    try { JSON.parse(k.body) } catch { yield { pointer: '/knowledge/body', because: 'is no JSON' } }
    yield* names(k.body, '/knowledge/body')
  }
  const headers = readHeaders(k.headers)
  if ('wrong' in headers) yield { pointer: '/knowledge/headers', because: headers.wrong }
}
function* names(template: string, pointer: string): Iterable<Fault> {
  for (const [, name] of template.matchAll(/\{\{(\w+)\}\}/g)) if (!['question', 'queue', 'limit'].includes(name ?? '')) yield { pointer, because: `{{${name}}} is nothing that can be put in: there are question, queue and limit` }
}
function* people(list: readonly string[], pointer: string): Iterable<Fault> {
  for (const [i, text] of list.entries()) {
    const jid = Jid.tryParse(text)
    if (!jid?.local || jid.resource) yield { pointer: `${pointer}/${i}`, because: `"${text}" is no bare JID: write one such as anna@example.org` }
  }
}
function* known(names: readonly string[], all: Readonly<Record<string, unknown>>, what: string, pointer: string): Iterable<Fault> {
  for (const n of names) if (!Object.hasOwn(all, n)) yield { pointer, because: `there is no ${what} ${n}` }
}
function* hours(setting: Parameters<typeof readHours>[0], pointer: string): Iterable<Fault> {
  const read = readHours(setting)
  if ('wrong' in read) yield { pointer, because: read.wrong }
}
function circles(s: DeskSettings, from: string): boolean {
  const seen = new Set<string>()
  for (let q: string | undefined = from; q; q = s.queues[q]?.overflow) { if (seen.has(q)) return true; seen.add(q) }
  return false
}
