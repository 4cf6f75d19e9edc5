// REST for the settings: the whole document, its schema, and each queue, department, brand, site, link, role, field and event (shell).
import { randomBytes } from 'node:crypto'
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import { SECTIONS, type Section } from '../../../schemas/desk-settings.ts'
import { isPermission, neededFor, PERMISSIONS, BUILT_IN, roleTitle } from '../permissions.ts'
import { resolved, schema, type Shape } from '../settings/check.ts'
import { branch, isTree, merge, type Json, type Tree } from '../settings/tree.ts'
import { changed, created, Door, expected, gone, nothing, object, ok, page, problem, type Caller, type Route } from './door.ts'
import { count, list, maybe, PAGED, shape, text, texts, yesNo, type Schema } from './shapes.ts'

const ONE: Readonly<Record<Section, string>> = { queues: 'queue', departments: 'department', brands: 'brand', sites: 'site', links: 'link', roles: 'role', fields: 'field', events: 'event', macros: 'macro' }
/** Every operator needs to know of these. */
const OPEN: readonly Section[] = ['queues', 'departments', 'brands', 'fields', 'events', 'macros']

export const settingsRoutes = (door: Door): readonly Route[] => [...whole(door), ...SECTIONS.flatMap(s => section(door, s)), roles(door)]

function whole({ office: { rules } }: Door): readonly Route[] {
  const show = (): HttpResponse => ok({ version: rules.version, fixed: rules.fixed, ...rules.shown() }, { etag: `"${rules.version}"` })
  const document = shape({ version: count, settings: { $ref: SETTINGS }, fixed: { ...texts, description: 'What the config file gives: nobody changes it here.' }, secrets: { ...texts, description: 'Secrets that are set; their values are never shown.' } })
  return [
    { method: 'GET', path: '/settings', id: 'settings', scope: 'settings:read', needs: 'settings.view', summary: 'The settings of the desk', answer: document, handle: show },
    { method: 'GET', path: '/settings/schema', id: 'settingsSchema', scope: 'settings:read', needs: 'settings.view', summary: 'Their JSON Schema: titles, ranges, defaults', answer: { type: 'object' }, handle: () => ok(schema) },
    {
      method: 'PATCH', path: '/settings', id: 'changeSettings', scope: 'settings:write', needs: 'settings.manage', body: { type: 'object' }, answer: document,
      summary: 'Changes settings by a JSON merge patch (RFC 7396); null gives back the default. If-Match: the version that was seen',
      async handle(r, who) {
        const patch = object(r)
        if (!patch) return problem(422, 'An object is needed: a JSON merge patch.')
        return changed(r, await rules.change(patch as Tree, who.jid, expected(r)), show) // what came as JSON is a tree
      },
    },
  ]
}

function section({ office: { rules, operators } }: Door, name: Section): readonly Route[] {
  const one = ONE[name]
  const entry = shapeOf(one, name === 'roles')
  const shown = (id: string): Tree => {
    const value = ((rules.shown().settings[name] as Tree)[id] ?? { title: roleTitle({}, id), permissions: {} }) as Tree // without secrets; a built-in role need not stand there
    return { id, ...(name === 'roles' ? grants(id) : {}), ...value, fixed: rules.isFixed(`/${name}/${id}`) }
  }
  const grants = (id: string): Tree => ({ granted: [...operators.rights(id)].sort() })
  const built = name === 'roles' ? BUILT_IN as readonly string[] : []
  const has = (id: string): boolean => Object.hasOwn(rules.now[name], id) || built.includes(id)
  const manage = neededFor(name)
  const view = OPEN.includes(name) ? {} : { needs: 'settings.view' as const }
  const base = `/${name}`
  const capital = one.slice(0, 1).toUpperCase() + one.slice(1)
  const idOf = (r: HttpRequest): string => r.params['id'] ?? ''
  const put = async (r: HttpRequest, who: Caller, id: string, value: Tree, answer: () => HttpResponse, fresh = false): Promise<HttpResponse> => {
    const clash = fresh ? [] : rules.fixed.filter(f => f.startsWith(`/${name}/${id}/`) && JSON.stringify(lookup(value, f)) !== JSON.stringify(lookup(shown(id), f)) && lookup(value, f) !== undefined)
    if (clash.length > 0) return problem(409, `The config file gives ${clash.join(', ')}: change it there.`)
    const outcome = await rules.edit(now => merge(merge(now, branch(`/${name}/${pointer(id)}`, null)), branch(`/${name}/${pointer(id)}`, value)) as Tree, who.jid, expected(r))
    return changed(r, outcome, answer)
  }
  return [
    { method: 'GET', path: base, id: name, scope: 'settings:read', ...view, summary: `All ${name}`, query: PAGED, answer: shape({ version: count, items: list(entry), next: maybe(text) }), handle: r => { const p = page([...new Set([...built, ...Object.keys(rules.now[name])])].sort(), id => id, r); return ok({ version: rules.version, items: p.items.map(shown), next: p.next }) } },
    {
      method: 'POST', path: base, id: `make${capital}`, scope: 'settings:write', needs: manage, summary: `Makes a ${one}`, body: name === 'sites' ? { type: 'object', properties: { id: { ...text, minLength: 1, description: 'The key; a random one is made if it is absent.' } } } : { type: 'object', required: ['id'], properties: { id: { ...text, minLength: 1 } } }, answer: entry, status: 201,
      async handle(r, who) {
        const given = object(r)
        if (!given) return problem(422, 'An object is needed.')
        const { id = name === 'sites' ? randomBytes(12).toString('hex') : undefined, ...value } = given
        if (typeof id !== 'string' || id === '') return problem(422, 'id: a name is needed.', { errors: [{ pointer: '/id', detail: 'a name is needed' }] })
        if (has(id)) return problem(409, `There is a ${one} ${id} already.`)
        return put(r, who, id, value as Tree, () => created(`${base}/${encodeURIComponent(id)}`, shown(id)), true) // what came as JSON is a tree
      },
    },
    { method: 'GET', path: `${base}/{id}`, id: one, scope: 'settings:read', ...view, summary: `One ${one}`, answer: entry, handle: r => has(idOf(r)) ? ok(shown(idOf(r)), { etag: `"${rules.version}"` }) : nothing() },
    {
      method: 'PUT', path: `${base}/{id}`, id: `replace${capital}`, scope: 'settings:write', needs: manage, summary: `Replaces a ${one}, or makes it`, body: { type: 'object' }, answer: entry,
      handle(r, who) {
        const { id: _, fixed: __, granted: ___, ...value } = object(r) ?? {}
        return object(r) ? put(r, who, idOf(r), value as Tree, () => ok(shown(idOf(r))), !has(idOf(r))) : problem(422, 'An object is needed.') // what came as JSON is a tree
      },
    },
    {
      method: 'PATCH', path: `${base}/{id}`, id: `change${capital}`, scope: 'settings:write', needs: manage, summary: `Changes a ${one} by a JSON merge patch`, body: { type: 'object' }, answer: entry,
      async handle(r, who) {
        const patch = object(r)
        if (!has(idOf(r))) return nothing()
        if (!patch) return problem(422, 'An object is needed.')
        return changed(r, await rules.change(branch(`/${name}/${pointer(idOf(r))}`, patch as Json), who.jid, expected(r)), () => ok(shown(idOf(r)))) // what came as JSON is a tree
      },
    },
    {
      method: 'DELETE', path: `${base}/{id}`, id: `delete${capital}`, scope: 'settings:write', needs: manage, summary: `Deletes a ${one}; nothing may name it any more`, ...(['queues', 'departments', 'sites'].includes(name) ? { refuses: [422] } : {}), answer: {}, status: 204,
      async handle(r, who) {
        if (!has(idOf(r))) return nothing()
        return changed(r, await rules.change(branch(`/${name}/${pointer(idOf(r))}`, null), who.jid, expected(r)), gone)
      },
    },
  ]
}

/** Where the schema of the settings stands in the description of the interface. */
const SETTINGS = '#/components/schemas/Settings'
/** A part of that schema with its references as they are there. A secret is answered as null. */
const inDocument = (part: object): object => JSON.parse(JSON.stringify(part, (_, v: unknown) => isSecret(v) ? maybe(v) : v).replaceAll('"$ref":"#/', `"$ref":"${SETTINGS}/`)) as object // what was an object is one
const isSecret = (v: unknown): v is Schema => v !== null && typeof v === 'object' && 'x-secret' in v
/** The schema of the settings as a part of that description. */
export function settingsSchema(): object {
  const { $schema: _, $id: __, ...rest } = schema as Readonly<Record<string, unknown>> // the file has both
  return inDocument(rest)
}

/** One of a section as it is answered: what the schema says of it, by its name. */
function shapeOf(one: string, isRole: boolean): Schema {
  const { title, properties } = resolved({ $ref: `#/$defs/${one}` })
  const own = inDocument(properties ?? {}) as Readonly<Record<string, Schema>> // as JSON Schema has it
  return { title, ...shape({ id: text, fixed: { ...yesNo, description: 'The config file gives it, or a part of it.' }, ...(isRole ? { granted: { ...texts, description: 'All that the role may do.' } } : {}), ...own }, ...Object.entries(own).flatMap(([k, s]) => s['default'] === undefined || (isRole && k === 'base') ? [k] : [])) } // a built-in role begins with nothing
}

/** FP-22, FP-23: every permission there is, and what each role has of them. */
function roles({ office: { rules, operators } }: Door): Route {
  const titles = (resolved({ $ref: '#/$defs/role' }).properties?.['permissions']?.properties ?? {}) as Readonly<Record<string, Shape>>
  return {
    method: 'GET', path: '/permissions', id: 'permissions', scope: 'settings:read', summary: 'All permissions, and which role has which', answer: shape({ permissions: list(shape({ id: text, title: text })), roles: list(shape({ id: text, title: text, builtIn: yesNo, granted: texts })) }),
    handle: () => ok({
      permissions: PERMISSIONS.filter(isPermission).map(id => ({ id, title: titles[id]?.title ?? id })),
      roles: [...new Set([...BUILT_IN, ...Object.keys(rules.now.roles)])].map(id => ({ id, title: roleTitle(rules.now.roles, id), builtIn: (BUILT_IN as readonly string[]).includes(id), granted: [...operators.rights(id)].sort() })),
    }),
  }
}

const pointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
const lookup = (entry: Tree, fixed: string): Json | undefined => { let x: Json | undefined = entry; for (const k of fixed.split('/').slice(3)) x = isTree(x) ? x[k] : undefined; return x }
