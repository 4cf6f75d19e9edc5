// From what somebody asks for to a query of the search store: every field of the search page (ST-81, ST-82). Pure.
import type { Mark, Marks, SearchQuery } from '../../../server/api.ts'

/** A search as people and programs give it; all must fit (ST-79). Times in ms since 1970. */
export interface Wanted {
  readonly text?: string | undefined
  readonly number?: number | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
  readonly username?: string | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly queues?: readonly string[] | undefined
  readonly agent?: string | undefined
  readonly status?: readonly string[] | undefined
  readonly label?: string | undefined
  readonly deleted: boolean
  readonly fields: Readonly<Record<string, string>>
  readonly sort?: 'weight' | 'newest' | 'oldest' | undefined
  readonly limit: number
  readonly after?: string | undefined
}

export function queryOf(w: Wanted, within: readonly Marks[]): SearchQuery {
  const where: Record<string, Mark | readonly Mark[]> = { deleted: w.deleted }
  const set = (name: string, value: Mark | readonly Mark[] | undefined): void => { if (value !== undefined) where[name] = value }
  set('number', w.number)
  set('email', w.email)
  set('username', w.username)
  set('queue', w.queues)
  set('agents', w.agent)
  set('status', w.status)
  set('labels', w.label)
  for (const [name, value] of Object.entries(w.fields)) where[`field:${name}`] = value
  return {
    where, within, limit: w.limit, ...(w.text === undefined ? {} : { text: w.text }), ...(w.name === undefined ? {} : { sections: { names: w.name } }),
    ...(w.since === undefined ? {} : { since: w.since }), ...(w.until === undefined ? {} : { until: w.until }), ...(w.sort === undefined ? {} : { sort: w.sort }), ...(w.after === undefined ? {} : { after: w.after }),
  }
}

/** Parameters that make a list a search. */
export const SEARCHES: readonly string[] = ['q', 'number', 'email', 'name', 'username', 'since', 'until', 'group', 'department', 'agent', 'status', 'label', 'deleted', 'sort']
const SORTS = ['weight', 'newest', 'oldest'] as const
const STATES = ['waiting', 'offered', 'active', 'ended', 'closed']

/** Reads the query of a URL; `wrong` names the parameter. `departments` gives a department's queues. */
export function readWanted(q: URLSearchParams, departments: (name: string) => readonly string[] | undefined, fields: (name: string) => boolean): Wanted | { readonly wrong: string } {
  const text = (name: string): string | undefined => { const v = q.get(name)?.trim(); return v === '' ? undefined : v }
  const whole = (name: string): number | undefined | 'wrong' => { const v = text(name); return v === undefined ? undefined : /^\d{1,9}$/.test(v) ? Number(v) : 'wrong' }
  const moment = (name: string, end: boolean): number | undefined | 'wrong' => {
    const v = text(name)
    if (v === undefined) return undefined
    const day = /^\d{4}-\d{2}-\d{2}$/.test(v)
    const at = /^\d{4}-\d{2}-\d{2}/.test(v) ? Date.parse(v) : NaN // a date of ISO 8601, read and not asked of the clock
    return Number.isNaN(at) ? 'wrong' : day && end ? at + 86_400_000 - 1 : at
  }
  const [number, since, until, limit] = [whole('number'), moment('since', false), moment('until', true), whole('limit')]
  if (number === 'wrong') return { wrong: 'number: give the number of a conversation.' }
  if (since === 'wrong' || until === 'wrong') return { wrong: `${since === 'wrong' ? 'since' : 'until'}: give a date such as 2026-11-20 or 2026-11-20T10:00:00Z.` }
  if (limit === 'wrong' || limit === 0 || (limit ?? 1) > 100) return { wrong: 'limit: give 1 to 100.' }
  const sort = text('sort')
  const isSort = (s: string): s is typeof SORTS[number] => (SORTS as readonly string[]).includes(s)
  if (sort !== undefined && !isSort(sort)) return { wrong: `sort: give one of ${SORTS.join(', ')}.` }
  const status = text('status') ?? text('state')
  const states = status === undefined ? undefined : status.split(',')
  const odd = states?.find(s => !STATES.includes(s))
  if (odd !== undefined) return { wrong: `status: give one of ${STATES.join(', ')}.` }
  const department = text('department') ?? text('group')
  const own = department === undefined ? undefined : departments(department)
  if (department !== undefined && own === undefined) return { wrong: `department: there is no ${department}.` }
  const queue = text('queue')
  const deleted = text('deleted')
  if (deleted !== undefined && deleted !== 'true' && deleted !== 'false') return { wrong: 'deleted: true (only deleted ones) or false.' }
  const criteria: Record<string, string> = {}
  for (const [k, v] of q) {
    if (!k.startsWith('field.')) continue
    const name = k.slice('field.'.length)
    if (!fields(name)) return { wrong: `${k}: there is no such custom field.` }
    criteria[name] = v
  }
  return {
    text: text('q'), number, email: text('email'), name: text('name'), username: text('username'), since, until, agent: text('agent'), status: states, label: text('label'), after: text('after'),
    queues: queue === undefined ? own : own === undefined || own.includes(queue) ? [queue] : [], deleted: deleted === 'true', fields: criteria, sort, limit: limit ?? 50,
  }
}
