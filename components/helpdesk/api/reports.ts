// REST for reports: what managers ask of past conversations, as numbers (shell).
import type { HttpResponse } from '../../../server/api.ts'
import { queueName } from '../config.ts'
import type { Summary } from '../past.ts'
import { readWanted } from '../records/finding.ts'
import { BY, Report, type By } from '../records/report.ts'
import { csv } from '../transcripts/csv.ts'
import { count as number, list, maybe, moment, shape, text } from './shapes.ts'
import { ok, problem, time, wantsTable, type Door, type Route } from './door.ts'

const seconds = maybe(number)
const ROW = shape({ key: text, name: text, conversations: number, served: number, lost: { ...number, description: 'Over, and never had an agent.' }, messages: number, waitAverage: seconds, waitLongest: seconds, durationAverage: seconds })
const PAGE = 500
const DAY = 86_400_000 // ms
const COLUMNS = ['key', 'name', 'conversations', 'served', 'lost', 'messages', 'waitAverage', 'waitLongest', 'durationAverage'] as const

export function reportRoutes({ office: o }: Door): readonly Route[] {
  const wrong = (key: string, detail: string): HttpResponse => problem(422, `${key}: ${detail}`, { errors: [{ pointer: `/${key}`, detail }] })
  const name = (by: By, key: string): string => by === 'queue' ? queueName(o.config, key) : by === 'department' ? o.rules.now.departments[key]?.name ?? key : by === 'agent' && key !== '' ? o.operators.name(key) : key
  const keysOf: Readonly<Record<By, (s: Summary) => readonly string[]>> = {
    queue: s => [s.queue], agent: s => [s.owners.at(-1) ?? ''], day: s => [new Date(s.opened).toISOString().slice(0, 10)],
    department: s => Object.entries(o.rules.now.departments).filter(([, d]) => d.queues.includes(s.queue)).map(([id]) => id),
  }

  /** Counts those begun in that time which `fits` lets through, a page at a time: others have their turn between, and memory holds a page and the sums. Ends early where nobody waits for it any more. */
  async function count(sums: Report, since: number, until: number, fits: (s: Summary) => boolean, gone: AbortSignal): Promise<void> {
    await o.records.catalogue.flush()
    const first = await o.link.stores.search.find(o.records.catalogue.space, { where: { deleted: false }, until, sort: 'newest', limit: 1 })
    let before = 'wrong' in first || !first.hits[0] ? 0 : Number(first.hits[0].id) + 1
    while (before > 0 && !gone.aborted) {
      const page = await o.summaries.newest({ before, limit: PAGE })
      for (const s of page) {
        if (s.opened < since) return
        if (s.opened <= until && fits(s)) sums.add(s)
      }
      before = page.length < PAGE ? 0 : page.at(-1)?.number ?? 0
    }
  }
  /** One at a time: they read much. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  return [{
    method: 'GET', path: '/reports', id: 'report', scope: 'conversations:read', needs: 'reports.view', table: true,
    summary: 'How many conversations there were, how many had an agent, how long they waited and lasted (seconds), of those begun in that time; the last 30 days unless told otherwise',
    query: { by: { enum: BY, description: 'A line for each queue (unless told otherwise), department, agent (the last one) or day (UTC).' }, since: { ...text, description: 'A date, or a moment.' }, until: { ...text, description: 'A date, which counts whole, or a moment.' } },
    refuses: [422], answer: shape({ by: { enum: BY }, since: moment, until: moment, rows: list(ROW) }),
    async handle(r, who) {
      const by = BY.find(b => b === (r.query.get('by') ?? 'queue'))
      if (!by) return wrong('by', `one of ${BY.join(', ')}`)
      const times = new URLSearchParams([...r.query].filter(([k]) => k === 'since' || k === 'until'))
      const wanted = readWanted(times, () => undefined, () => false)
      if ('wrong' in wanted) return problem(422, wanted.wrong)
      const until = wanted.until ?? Math.floor(o.now / DAY) * DAY + DAY - 1 // whole days, as dates are
      const since = wanted.since ?? until + 1 - 30 * DAY
      if (since > until) return wrong('since', 'not after until')
      const sums = new Report(keysOf[by])
      await inTurn(() => count(sums, since, until, s => o.operators.may(who.jid, 'reports.view', s.queue), r.gone))
      const rows = sums.lines.map(l => ({ ...l, name: name(by, l.key) }))
      if (wantsTable(r)) return { status: 200, headers: { 'content-type': 'text/csv; charset=utf-8; header=present', 'content-disposition': `attachment; filename="report-${by}.csv"` }, body: csv([COLUMNS, ...rows.map(x => COLUMNS.map(c => x[c] ?? undefined))]) }
      return ok({ by, since: time(since), until: time(until), rows })
    },
  }]
}
