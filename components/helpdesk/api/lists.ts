// REST for the lists of conversations: columns, filters, order and pages (shell).
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import { Refused } from '../facts.ts'
import { COLUMNS, LISTS, rows, type Column, type Row, type Wanted } from '../lists.ts'
import { csv } from '../transcripts/csv.ts'
import { count, list, maybe, moment, PAGED, shape, text, yesNo, type Schema } from './shapes.ts'
import { ok, problem, time, wantsTable, whole, type Caller, type Door, type Route } from './door.ts'

const COLOUR = { enum: ['grey', 'green', 'yellow', 'red'] }
const CELLS: Readonly<Record<Column, Schema>> = {
  number: count, status: { enum: ['waiting', 'offered', 'active', 'ended', 'closed', 'invited'] }, followUp: yesNo, user: text, kind: { enum: ['customer', 'public', 'agent'] }, group: text, started: moment, queueTime: count, idle: count,
  messages: count, agent: maybe(text), agentName: maybe(text), duration: count, idleColour: COLOUR, durationColour: COLOUR,
}
/** All columns, or those that were asked for. */
const ROW = shape(CELLS, ...COLUMNS)
const most = 200

export function listRoutes(door: Door): readonly Route[] {
  const o = door.office
  return [{
    method: 'GET', path: '/lists/{list}', id: 'list', scope: 'conversations:read', summary: `A list of conversations: ${LISTS.join(', ')}. Times in seconds. Equal rows stand by \`idle\`. As text/csv (by Accept, or /lists/{list}.csv) it is whole, for a spreadsheet, and nothing in it is a formula.`, table: true,
    query: { dept: text, queue: text, agent: text, channels: { enum: ['all', 'mine'] }, fields: { ...text, description: 'The columns wanted, with commas between.' }, sort: { enum: COLUMNS.flatMap(c => [c, `-${c}`]), description: 'A column; with a - before it from the most to the least.' }, ...PAGED }, refuses: [403, 422],
    answer: shape({ rows: list(ROW), total: { ...count, description: 'On all pages.' }, next: maybe(text) }),
    async handle(r, who) {
      const q = readQuery(r, who)
      if ('status' in q) return q
      const found = await rows(o, who.jid, q.wanted)
      if (found instanceof Refused) return problem(found.forbidden ? 403 : 422, found.because)
      const shown = (row: Row): [Column, string | number | boolean | null][] => q.fields.map(f => [f, f === 'started' ? time(row.started) : row[f]])
      if (wantsTable(r)) {
        const cells = found.map(row => shown(row).map(([, v]) => typeof v === 'boolean' ? String(v) : v ?? undefined))
        return { status: 200, headers: { 'content-type': 'text/csv; charset=utf-8; header=present', 'content-disposition': `attachment; filename="${q.wanted.list}.csv"` }, body: csv([q.fields, ...cells]) }
      }
      const after = r.query.get('after')
      const from = after === null ? 0 : found.findIndex(x => String(x.number) === after) + 1
      const page = found.slice(from, from + Math.max(1, whole(r.query.get('limit'), 50, most)))
      const last = page.at(-1)
      return ok({ rows: page.map(row => Object.fromEntries(shown(row))), total: found.length, next: last !== undefined && from + page.length < found.length ? String(last.number) : null })
    },
  }]
}

/** What the address asks for, or what is wrong with it. */
export function readQuery(r: HttpRequest, who: Caller): { readonly wanted: Wanted; readonly fields: readonly Column[] } | HttpResponse {
  const list = LISTS.find(l => l === r.params['list']?.replace(/\.csv$/, ''))
  if (!list) return problem(404, `There is no such list. There are: ${LISTS.join(', ')}.`)
  const sort = r.query.get('sort') ?? undefined
  const column = sort === undefined ? undefined : COLUMNS.find(c => c === sort.replace(/^-/, ''))
  if (sort !== undefined && column === undefined) return wrong('sort', `one of ${COLUMNS.join(', ')}`)
  const names = r.query.get('fields')?.split(',').map(f => f.trim()).filter(f => f !== '')
  const unknown = names?.find(f => !(COLUMNS as readonly string[]).includes(f))
  if (unknown !== undefined) return wrong('fields', `there is no column ${unknown}`)
  const channels = r.query.get('channels') ?? undefined
  if (channels !== undefined && channels !== 'all' && channels !== 'mine') return wrong('channels', 'all or mine')
  const agent = r.query.get('agent') ?? undefined
  return {
    wanted: { list, department: r.query.get('dept') ?? undefined, queue: r.query.get('queue') ?? undefined, agent: agent === 'me' ? who.jid : agent, channels, sort: column, descending: sort?.startsWith('-') === true },
    fields: names === undefined ? COLUMNS : COLUMNS.filter(c => names.includes(c)),
  }
}
const wrong = (key: string, because: string): HttpResponse => problem(422, `${key}: ${because}`, { errors: [{ pointer: `/${key}`, detail: because }] })
