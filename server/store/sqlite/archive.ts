// The archive in SQL: rows appended and removed; pages, counts and ends read.
import type { ArchiveQuery, ArchiveRow } from '../../ports/store.ts'
import { finder } from '../said.ts'
import { firstSince } from './ids.ts'
import type { Names } from './names.ts'
import type { Arg } from './protocol.ts'
import { bind, type Prepare, type Reads, type Writes } from './calls.ts'

const PIECE = 2000 // rows that one call looks at

/** What one look at a piece of an archive finds; `next`: where the next piece begins, if there is one. */
export interface Piece { readonly rows: ArchiveRow[]; readonly next?: string }

const SLACK = 2 * 3_600_000 // ms that a clock may be set back, and no row is missed

const NO = '(SELECT no FROM owners WHERE owner = ?1)'

export function archiveWrites(sql: Prepare, names: Names): Writes {
  const append = sql('INSERT INTO archive VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
  return {
    'archive.append': { // owner, id, at, with, stanza
      run: a => {
        const [peer, resource] = split(String(a[3]))
        const no = names.of(String(a[0]), peer, String(a[1]), Number(a[2]))
        append.run(no.owner, bind(a[1]), bind(a[2]), no.peer, resource ?? null, bind(a[4]))
      },
    },
    'archive.remove': { // owner, ids as JSON
      run: a => Number(sql(`DELETE FROM archive WHERE owner = ${NO} AND id IN (SELECT value FROM json_each(?2))`).run(...a.map(bind)).changes),
    },
    'archive.replace': { // owner, id, stanza
      run: a => sql(`UPDATE archive SET stanza = ?3 WHERE owner = ${NO} AND id = ?2`).run(...a.map(bind)).changes ? 'ok' : 'missing',
    },
    'archive.wipe': { // owner, at most so many
      run: a => Number(sql(`DELETE FROM archive WHERE rowid IN (SELECT rowid FROM archive WHERE owner = ${NO} LIMIT ?2)`).run(...a.map(bind)).changes),
    },
    'archive.expire': { // owner, before, at most so many: the oldest ids are the oldest rows
      several: true,
      run: a => {
        const removed = Number(sql(`DELETE FROM archive WHERE rowid IN (SELECT rowid FROM
          (SELECT rowid, at FROM archive WHERE owner = ${NO} ORDER BY id LIMIT ?3) WHERE at < ?2)`).run(...a.map(bind)).changes)
        if (removed < Number(a[2]) && sql(`DELETE FROM peers WHERE owner = ${NO} AND until <= ?2`).run(bind(a[0]), bind(a[1])).changes) names.forget()
        return removed
      },
    },
  }
}

/** Removes all of an owner's rows, and his name with those he wrote with. */
export function eraseArchive(sql: Prepare, names: Names, owner: string): void {
  sql(`DELETE FROM archive WHERE owner = ${NO}`).run(owner)
  sql(`DELETE FROM peers WHERE owner = ${NO}`).run(owner)
  sql('DELETE FROM owners WHERE owner = ?').run(owner)
  names.forget()
}

// Without statistics SQLite cannot know that few rows bear one owner: `CROSS JOIN` keeps it from beginning with the peers.
const FROM = 'FROM archive a CROSS JOIN peers p ON p.no = a.peer'
const ROW = `SELECT a.id, a.at, iif(a.resource IS NULL, p.peer, p.peer || '/' || a.resource) AS "with", a.stanza ${FROM}`

/** The calls that read; `query` and `count` take the query as JSON. */
export function archiveReads(sql: Prepare): Reads {
  const number = (owner: Arg): number | undefined => sql('SELECT no FROM owners WHERE owner = ?').get(bind(owner))?.['no'] as number | undefined
  // The columns are those of ROW.
  const rowsOf = (owner: string, rows: unknown[]): ArchiveRow[] => (rows as Omit<ArchiveRow, 'owner'>[]).map(row => ({ owner, ...row }))

  return {
    'archive.query': a => {
      const q = read(a)
      const no = number(q.owner)
      const found = no === undefined ? undefined : filter(sql, no, q)
      if (!found) return { rows: [], complete: true }
      const { where, args } = found
      args.push(q.limit + 1)
      const rows = sql(`${ROW} WHERE ${where} ORDER BY a.id ${q.last ? 'DESC' : 'ASC'} LIMIT ?${args.length}`).all(...args)
      const complete = rows.length <= q.limit
      if (!complete) rows.pop()
      if (q.last) rows.reverse()
      return { rows: rowsOf(q.owner, rows), complete }
    },
    'archive.search': a => {
      const q = read(a)
      const no = number(q.owner)
      const found = no === undefined ? undefined : filter(sql, no, q)
      if (!found) return { rows: [] }
      const { where, args } = found
      const says = q.text === undefined ? () => true : finder(q.text)
      const { holds = '' } = q
      const rows: ArchiveRow[] = []
      let seen = 0
      let at: string | undefined
      for (const row of sql(`${ROW} WHERE ${where} ORDER BY a.id ${q.last ? 'DESC' : 'ASC'} LIMIT ?${args.push(PIECE)}`).iterate(...args)) {
        seen++
        at = String(row['id'])
        const text = String(row['stanza'])
        if (text.includes(holds) && says(text)) rows.push(...rowsOf(q.owner, [row]))
        if (rows.length > q.limit) break
      }
      return (seen === PIECE || rows.length > q.limit) && at !== undefined ? { rows, next: at } : { rows } satisfies Piece
    },
    'archive.count': a => {
      const q = read(a)
      const no = number(q.owner)
      const found = no === undefined ? undefined : filter(sql, no, q)
      return found ? sql(`SELECT count(*) AS n FROM archive a WHERE ${found.where}`).get(...found.args)?.['n'] : 0
    },
    'archive.has': a => sql(`SELECT 1 FROM archive WHERE owner = ${NO} AND id = ?2`).get(...a.map(bind)) !== undefined,
    'archive.ends': a => {
      const end = (order: 'ASC' | 'DESC'): unknown[] => sql(`${ROW} WHERE a.owner = ${NO} ORDER BY a.id ${order} LIMIT 1`).all(bind(a[0]))
      const [first] = rowsOf(String(a[0]), end('ASC'))
      const [last] = rowsOf(String(a[0]), end('DESC'))
      return first ? { first, last } : {}
    },
  }
}

// Written by `JSON.stringify` of a query, in the store's own face.
const read = (a: Arg[]): ArchiveQuery => JSON.parse(String(a[0])) as ArchiveQuery

/** The condition for what a query asks, undefined if nothing can meet it. */
function filter(sql: Prepare, owner: number, q: ArchiveQuery): { where: string; args: (string | number)[] } | undefined {
  const args: (string | number)[] = [owner]
  const arg = (value: string | number): string => `?${args.push(value)}`
  let where = 'a.owner = ?1'
  const from: string[] = [] // the id's bounds: from inside, to outside
  const to: string[] = []
  const before = (at: number): void => {
    const beyond = firstSince(sql, owner, at + SLACK)
    if (beyond !== undefined) to.push(arg(beyond))
  }
  if (q.with !== undefined) {
    const [peer, resource] = split(q.with)
    // Columns of a strict table.
    const p = sql('SELECT no, first, until FROM peers WHERE owner = ? AND peer = ?').get(owner, peer) as { no: number; first: string; until: number } | undefined
    if (!p) return undefined
    where += ` AND a.peer = ${arg(p.no)}`
    from.push(arg(p.first))
    before(p.until)
    if (resource !== undefined) where += ` AND a.resource = ${arg(resource)}`
  }
  if (q.start !== undefined) {
    const first = firstSince(sql, owner, q.start - SLACK)
    if (first === undefined) return undefined
    from.push(arg(first))
    where += ` AND a.at >= ${arg(q.start)}`
  }
  if (q.end !== undefined) {
    where += ` AND a.at <= ${arg(q.end)}`
    before(q.end)
  }
  if (q.afterId !== undefined) {
    const after = arg(q.afterId)
    from.push(after)
    where += ` AND +a.id > ${after}` // with +, not a bound for the index: it takes one only, and is to take the narrowest
  }
  if (q.beforeId !== undefined) to.push(arg(q.beforeId))
  if (from.length > 0) where += ` AND a.id >= ${from.length > 1 ? `max(${from.join()})` : from.join()}`
  if (to.length > 0) where += ` AND a.id < ${to.length > 1 ? `min(${to.join()})` : to.join()}`
  if (q.ids) where += ` AND a.id IN (SELECT value FROM json_each(${arg(JSON.stringify(q.ids))}))`
  return { where, args }
}

// A full JID in its two parts: the bare JID and the resource.
function split(jid: ArchiveRow['with']): [string, string | undefined] {
  const slash = jid.indexOf('/')
  return slash < 0 ? [jid, undefined] : [jid.slice(0, slash), jid.slice(slash + 1)]
}
