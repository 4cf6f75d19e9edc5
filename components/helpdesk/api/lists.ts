// REST for the lists of conversations: columns, filters, order and pages (shell).
import { Streamed, type HttpRequest, type HttpResponse } from '../../../server/api.ts'
import { Refused } from '../facts.ts'
import { COLUMNS, comparison, isPast, LISTS, rows, type Column, type Placed, type Row, type Wanted } from '../lists.ts'
import { pastPage, type PastPage } from '../past-lists.ts'
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
/** The same in a stream, where the number always comes. */
export const NUMBERED = shape(CELLS, ...COLUMNS.filter(c => c !== 'number'))
const MOST = 200

export function listRoutes(door: Door): readonly Route[] {
  const o = door.office
  return [{
    method: 'GET', path: '/lists/{list}', id: 'list', scope: 'conversations:read', summary: `A list of conversations: ${LISTS.join(', ')}. Times in seconds. Equal rows stand by \`idle\`; without \`sort\` they come by their numbers, of what is over the newest first. As text/csv (by Accept, or /lists/{list}.csv) it is whole, for a spreadsheet, and nothing in it is a formula.`, table: true,
    query: { dept: text, queue: text, agent: text, channels: { enum: ['all', 'mine'] }, fields: { ...text, description: 'The columns wanted, with commas between.' }, sort: { enum: COLUMNS.flatMap(c => [c, `-${c}`]), description: 'A column; with a - before it from the most to the least.' }, ...PAGED }, refuses: [403, 422],
    answer: shape({ rows: list(ROW), total: { ...count, description: 'On all pages.' }, next: maybe(text) }),
    async handle(r, who) {
      const q = readQuery(r, who)
      if ('status' in q) return q
      const refused = (because: Refused): HttpResponse => problem(because.forbidden ? 403 : 422, because.because)
      const shown = (row: Row): [Column, string | number | boolean | null][] => q.fields.map(f => [f, f === 'started' ? time(row.started) : row[f]])
      const cells = (all: readonly Row[]): string => csv(all.map(row => shown(row).map(([, v]) => typeof v === 'boolean' ? String(v) : v ?? undefined)))
      const answer = (all: readonly Row[], total: number, next: string | undefined): HttpResponse => ok({ rows: all.map(row => Object.fromEntries(shown(row))), total, next: next ?? null })
      const table = (body: string | Streamed): HttpResponse => ({ status: 200, headers: { 'content-type': 'text/csv; charset=utf-8; header=present', 'content-disposition': `attachment; filename="${q.wanted.list}.csv"` }, body })
      const [after, limit] = [r.query.get('after') ?? undefined, whole(r.query.get('limit'), 50, MOST)]

      if (isPast(q.wanted.list)) {
        if (!wantsTable(r)) {
          const page = await pastPage(o, who.jid, q.wanted, { after, limit: Math.min(limit, q.wanted.sort === undefined ? 100 : MOST) })
          return page instanceof Refused ? refused(page) : answer(page.rows, page.total, page.next)
        }
        const size = q.wanted.sort === undefined ? 100 : 10_000 // by a column each page costs a look at all
        const first = await pastPage(o, who.jid, q.wanted, { limit: size })
        if (first instanceof Refused) return refused(first)
        return table(new Streamed(undefined, pieces(csv([q.fields]), first, page => cells(page.rows), next => pastPage(o, who.jid, q.wanted, { after: next, limit: size }))))
      }
      const found = await rows(o, who.jid, q.wanted)
      if (found instanceof Refused) return refused(found)
      if (wantsTable(r)) return table(csv([q.fields]) + cells(found))
      const from = after === undefined ? 0 : placeOf(found, q.wanted, after, o.now)
      if (from === undefined) return wrong('after', 'is no place where a page of this list ended')
      const page = found.slice(from, from + limit)
      const last = page.at(-1)
      return answer(page, found.length, last !== undefined && from + page.length < found.length ? markOf(last, q.wanted, o.now) : undefined)
    },
  }]
}

/** A list of what is over as a table, page by page as it is read. */
async function* pieces(head: string, first: PastPage, shown: (page: PastPage) => string, more: (after: string) => Promise<PastPage | Refused>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(head + shown(first))
  for (let after = first.next; after !== undefined;) {
    const page = await more(after)
    if (page instanceof Refused) return // he may not any more
    yield Buffer.from(shown(page))
    after = page.next
  }
}

/** Where a page ended: the number, and in an order what the row stood by, and when. */
function markOf(row: Row, { sort, descending = false }: Wanted, now: number): string {
  return sort === undefined ? String(row.number) : Buffer.from(JSON.stringify([sort, descending, row[sort], row.idle, row.number, now])).toString('base64url')
}

/** The first row behind that place, though the row that stood there has gone; undefined for what is no place in this order. */
function placeOf(found: readonly Row[], { sort, descending = false }: Wanted, mark: string, now: number): number | undefined {
  const behind = (at: Placed): number => { const compare = comparison(sort, descending); const i = found.findIndex(r => compare(r, at) > 0); return i < 0 ? found.length : i }
  if (sort === undefined) return /^\d{1,9}$/.test(mark) ? behind({ number: Number(mark), idle: 0 }) : undefined
  const read = readMark(mark)
  if (read?.sort !== sort || read.descending !== descending) return undefined
  const { value, idle, number, at } = read
  const passed = Math.floor((now - at) / 1000)
  const grown = (v: unknown): unknown => typeof v === 'number' && GROWING.includes(sort) ? v + passed : v
  const same = found.findIndex(r => r.number === number && (r[sort] === value || near(r[sort], grown(value))) && (r.idle === idle || near(r.idle, idle + passed)))
  return same >= 0 ? same + 1 : behind({ number, idle: idle + passed, [sort]: grown(value) })
}
/** They grow by themselves while a page is read. */
const GROWING: readonly Column[] = ['queueTime', 'idle', 'duration']
const near = (a: unknown, b: unknown): boolean => typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= 1
function readMark(mark: string): { readonly sort: unknown; readonly descending: unknown; readonly value: unknown; readonly idle: number; readonly number: number; readonly at: number } | undefined {
  try {
    const [sort, descending, value, idle, number, at] = JSON.parse(Buffer.from(mark, 'base64url').toString()) as unknown[]
    return Number.isInteger(idle) && Number.isInteger(number) && Number.isSafeInteger(at) ? { sort, descending, value, idle: idle as number, number: number as number, at: at as number } : undefined
  } catch { return undefined }
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
