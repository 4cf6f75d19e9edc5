// The settings as ad-hoc commands with forms, for admins in any client (XEP-0050): each group, each queue and the like, operators, canned replies (shell).
import { Commands, type AdHocCommand, type Question, type Stage } from '../../protocols/commands.ts'
import { isTrue, type Element, type Field, type FormValues, type Jid } from '../../server/api.ts'
import { SECTIONS } from '../../schemas/desk-settings.ts'
import { ask, command, one, said, told } from './form-parts.ts'
import { cannedForms, operatorForms } from './forms-people.ts'
import type { Office } from './office.ts'
import { GRANTED, neededFor, PERMISSIONS, type Permission } from './permissions.ts'
import { schema, type Shape } from './settings/check.ts'
import { branch, isTree, type Json, type Tree } from './settings/tree.ts'
import { get, leavesOf, partOf, put, readValue, writeValue, type Leaf } from './settings/words.ts'

/** Every command for admins; who may not run one does not see it. */
export function adminCommands(o: Office): Commands {
  const all = [...groups(o), ...SECTIONS.flatMap(s => section(o, s)), ...operatorForms(o), ...cannedForms(o)]
  return new Commands(o.link.clock, [menu(o, all), ...all])
}

/** The field that keeps which form was chosen in the menu. */
export const CHOSEN = 'form-chosen'
const FEW = 5 // forms that stand in a client's menu themselves

/** What stands in a client's menu of these commands, the first of which leads to the others: a handful themselves, else the first alone. */
export const menuOf = (items: readonly Element[]): readonly Element[] => items.length - 1 > FEW ? items.slice(0, 1) : items.slice(1)

/** One entry from which every form can be reached. */
function menu(o: Office, all: readonly AdHocCommand[]): AdHocCommand {
  /** What follows keeps the choice, for the audit. */
  const kept = (stage: Stage, node: string): Stage => !('submit' in stage) ? stage
    : { ...stage, form: { ...stage.form, fields: [...stage.form.fields ?? [], { var: CHOSEN, type: 'hidden', value: node }] }, submit: async v => kept(await stage.submit(v), node) }
  return command(o, 'menu', 'Administration…', 'chat.serve', who => {
    const mine = all.filter(c => c.may?.(who) ?? true)
    return ask('Administration', [{ var: 'form', type: 'list-single', label: 'What', required: true, options: mine.map(c => ({ value: c.node, label: c.name })), value: mine[0]?.node ?? '' }], async v => {
      const chosen = mine.find(c => c.node === one(v, 'form'))
      return chosen ? kept(await chosen.start(who), chosen.node) : said('There is no such form.', 'error')
    }, undefined, true)
  })
}

function groups(o: Office): AdHocCommand[] {
  return Object.entries(schema.properties ?? {}).filter(([k]) => !(SECTIONS as readonly string[]).includes(k)).map(([group, part]) => command(o, group, `${part.title ?? group}…`, 'settings.manage', who => {
    const { version } = o.rules
    const now = o.rules.shown().settings[group]
    const leaves = leavesOf(part)
    return ask(part.title ?? group, leaves.map(l => asField(l, get(now, l.key), o.rules.isFixed(`/${group}/${l.key.replaceAll('.', '/')}`))), async v => {
      const patch = changes(leaves, v, now)
      if ('wrong' in patch) return said(patch.wrong, 'error')
      return told(await o.rules.change({ [group]: patch.patch }, who.bare, version), 'Saved.')
    }, part.description)
  }))
}

function section(o: Office, name: typeof SECTIONS[number]): AdHocCommand[] {
  const single = name.slice(0, -1)
  const part = partOf(single)
  const title = (part.title ?? single).toLowerCase()
  const needs = neededFor(name)
  const all = (): Readonly<Record<string, Tree>> => o.rules.now[name] as unknown as Readonly<Record<string, Tree>> // settings are JSON
  const leaves = leavesOf(part).filter(l => l.key !== 'permissions')
  const rights = (id: string | undefined): Field[] => name !== 'roles' ? [] : [{ var: 'granted', type: 'list-multi', label: 'Permissions', options: PERMISSIONS.map(p => ({ value: p, label: partOf('role').properties?.['permissions']?.properties?.[p]?.title ?? p })), value: [...o.operators.rights(id ?? 'agent')] }]
  const body = (id: string, v: FormValues, now: Tree | undefined): { patch: Tree } | { wrong: string } => {
    const patch = changes(leaves, v, now)
    if ('wrong' in patch || name !== 'roles' || !v.values.has('granted')) return patch
    const base = id in GRANTED ? id : get(patch.patch, 'base') ?? get(now, 'base') ?? 'agent'
    return { patch: { ...patch.patch, permissions: difference(GRANTED[base as keyof typeof GRANTED], v.values.get('granted') ?? []) } } // the schema knows no other base
  }
  const edit = (id: string, who: Jid): Question => {
    const { version } = o.rules
    const now = all()[id]
    return ask(`${part.title ?? single}: ${id}`, [...leaves.map(l => asField(l, get(now, l.key), o.rules.isFixed(`/${name}/${id}/${l.key.replaceAll('.', '/')}`))), ...rights(id)], async v => {
      const patch = body(id, v, now)
      return 'wrong' in patch ? said(patch.wrong, 'error') : told(await o.rules.change(branch(`/${name}/${id}`, patch.patch), who.bare, version), `The ${title} ${id} is saved.`)
    })
  }
  const pick = (then: (id: string) => Stage | Promise<Stage>, more: boolean, ids = Object.keys(all())): Stage => ids.length === 0 ? said(`There is no ${title} yet.`)
    : ask(`Which ${title}?`, [{ var: 'id', type: 'list-single', label: part.title ?? single, required: true, options: ids.sort(), value: ids[0] ?? '' }], v => { const id = one(v, 'id'); return id !== undefined && ids.includes(id) ? then(id) : said(`There is no such ${title}.`, 'error') }, undefined, more)
  return [
    command(o, `add-${single}`, `Add a ${title}…`, needs, who => ask(`Add a ${title}`, [{ var: 'id', label: 'Name (small letters)', required: true }, ...leaves.map(l => asField(l, undefined, false)), ...rights(undefined)], async v => {
      const id = one(v, 'id')?.trim()
      if (id === undefined) return said('A name is needed.', 'error')
      if (all()[id]) return said(`There is a ${title} ${id} already.`, 'error')
      const patch = body(id, v, undefined)
      return 'wrong' in patch ? said(patch.wrong, 'error') : told(await o.rules.change(branch(`/${name}/${id}`, patch.patch), who.bare), `The ${title} ${id} is made.`)
    })),
    command(o, `change-${single}`, `Change a ${title}…`, needs, who => pick(id => edit(id, who), true, name === 'roles' ? [...new Set([...Object.keys(GRANTED), ...Object.keys(all())])] : undefined)),
    command(o, `delete-${single}`, `Delete a ${title}…`, needs, who => pick(async id => told(await o.rules.change(branch(`/${name}/${id}`, null), who.bare), `The ${title} ${id} is deleted.`), false)),
  ]
}

/** What a role has beside what it begins with, and what it lacks of it. */
function difference(base: readonly Permission[], wanted: readonly string[]): Tree {
  return Object.fromEntries(PERMISSIONS.filter(p => base.includes(p) !== wanted.includes(p)).map(p => [p, wanted.includes(p)]))
}

function asField({ key, shape, of }: Leaf, now: Json | undefined, fixed: boolean): Field {
  const value = now ?? shape.default
  const unit = shape['x-unit'] === 's' ? ' (seconds)' : shape['x-unit'] === 'd' ? ' (days)' : ''
  const base = { var: key, label: `${of === undefined ? '' : `${of}: `}${shape.title ?? key}${unit}${fixed ? ' (given by the config file)' : ''}`, ...(shape.description === undefined ? {} : { desc: shape.description }) }
  if (shape.enum) return { ...base, type: 'list-single', options: shape.enum, value: String(value ?? shape.enum[0]) }
  switch (shape.type) {
    case 'boolean': return { ...base, type: 'boolean', value: value === true }
    case 'array': return { ...base, type: 'text-multi', value: Array.isArray(value) && value.every(x => typeof x === 'string') ? value : writeValue(value) }
    case 'object': return { ...base, type: 'text-multi', value: writeValue(value) }
    default: return { ...base, type: shape['x-secret'] ? 'text-private' : shape['x-lines'] ? 'text-multi' : 'text-single', value: shape['x-secret'] ? '' : writeValue(value) }
  }
}

/** The fields that came back with another value; an empty one gives the default back, an empty secret changes nothing. */
function changes(leaves: readonly Leaf[], v: FormValues, now: Json | undefined): { readonly patch: Tree } | { readonly wrong: string } {
  let patch: Tree = {}
  for (const { key, shape } of leaves) {
    const given = v.values.get(key)
    if (given === undefined) continue
    const text = shape.type === 'boolean' ? String(isTrue(given) ?? given[0] ?? '') : given.join('\n')
    if (text === '' && shape['x-secret']) continue
    if (same(shape, text, get(now, key))) continue
    const read = text.trim() === '' ? { value: null } : readValue(shape, text)
    if ('wrong' in read) return { wrong: `${shape.title ?? key}: ${read.wrong}.` }
    patch = put(patch, key, read.value)
  }
  return { patch }
}
function same(shape: Shape, text: string, now: Json | undefined): boolean {
  const value = now ?? shape.default
  if (text.trim() === '') return value === undefined || value === '' || (Array.isArray(value) && value.length === 0) || (isTree(value) && Object.keys(value).length === 0)
  const read = readValue(shape, text)
  return 'value' in read && JSON.stringify(read.value) === JSON.stringify(value)
}
