// Reads of the archive: pages of rows, counts, and where in an owner's rows a time lies.
import type { ArchiveQuery, ArchiveRow } from '../../ports/store.ts'
import type { Arg } from './protocol.ts'
import type { Call, Prepare } from './statements.ts'
import { bind } from './statements.ts'

const ROW = `SELECT owner, id, at, iif(resource IS NULL, peer, peer || '/' || resource) AS "with", stanza FROM archive`

/** The calls that read the archive; `query` and `count` take the query as JSON. */
export function archiveReads(sql: Prepare): Readonly<Record<string, Call>> {
  const end = (owner: Arg, order: 'ASC' | 'DESC'): unknown => sql(`${ROW} WHERE owner = ? ORDER BY id ${order} LIMIT 1`).get(bind(owner))
  return {
    'archive.query': a => {
      const q = read(a)
      const { where, args } = filter(sql, q)
      args.push(q.limit + 1)
      const rows = sql(`${ROW} WHERE ${where} ORDER BY id ${q.last ? 'DESC' : 'ASC'} LIMIT ?${args.length}`).all(...args.map(bind))
      const complete = rows.length <= q.limit
      if (!complete) rows.pop()
      if (q.last) rows.reverse()
      return { rows, complete }
    },
    'archive.count': a => {
      const { where, args } = filter(sql, read(a))
      return sql(`SELECT count(*) AS n FROM archive WHERE ${where}`).get(...args.map(bind))?.['n']
    },
    'archive.has': a => sql('SELECT 1 FROM archive WHERE owner = ? AND id = ?').get(...a.map(bind)) !== undefined,
    'archive.ends': a => {
      const first = end(a[0], 'ASC')
      return first ? { first, last: end(a[0], 'DESC') } : {}
    },
  }
}

/** A full JID in its two parts: the bare JID and the resource. */
export function split(jid: ArchiveRow['with']): [string, string | undefined] {
  const slash = jid.indexOf('/')
  return slash < 0 ? [jid, undefined] : [jid.slice(0, slash), jid.slice(slash + 1)]
}

// Written by `JSON.stringify` of a query, in the store's own face.
const read = (a: Arg[]): ArchiveQuery => JSON.parse(String(a[0])) as ArchiveQuery

function filter(sql: Prepare, q: ArchiveQuery): { where: string; args: Arg[] } {
  const args: Arg[] = [q.owner]
  let where = 'owner = ?1'
  const and = (text: string, value: Arg): void => { args.push(value); where += ` AND ${text}${args.length}` }
  if (q.with !== undefined) {
    const [peer, resource] = split(q.with)
    and('peer = ?', peer)
    if (resource !== undefined) and('resource = ?', resource)
  }
  if (q.start !== undefined) {
    and('at >= ?', q.start)
    const first = firstSince(sql, q.owner, q.start)
    if (first === undefined) where += ' AND 0'
    else and('id >= ?', first)
  }
  if (q.end !== undefined) {
    and('at <= ?', q.end)
    const beyond = firstSince(sql, q.owner, q.end + 1)
    if (beyond !== undefined) and('id < ?', beyond)
  }
  if (q.afterId !== undefined) and('id > ?', q.afterId)
  if (q.beforeId !== undefined) and('id < ?', q.beforeId)
  if (q.ids) { args.push(JSON.stringify(q.ids)); where += ` AND id IN (SELECT value FROM json_each(?${args.length}))` }
  return { where, args }
}

/**
 * The first id of the owner's rows whose time is `at` or later, undefined if there is none. Ids sort by time, so it is
 * found by halving the ids' range, some 20 to 60 seeks, and writes need no third index.
 */
function firstSince(sql: Prepare, owner: string, at: number): string | undefined {
  type Seen = { id: string; at: number }
  // Columns named here, of the types of a strict table.
  const seek = (where: string, ...key: string[]): Seen | undefined =>
    sql(`SELECT id, at FROM archive WHERE owner = ? ${where} LIMIT 1`).get(owner, ...key) as Seen | undefined

  let low = seek('ORDER BY id')
  if (!low || low.at >= at) return low?.id
  const top = seek('ORDER BY id DESC')
  if (!top || top.at < at) return undefined
  let high = top.id
  for (;;) { // low.at < at <= the first at or after high
    const next = seek('AND id > ? ORDER BY id', low.id)
    if (!next || next.at >= at) return next?.id
    low = next
    const middle = between(low.id, high)
    if (middle <= low.id || middle >= high) continue // no more to halve: step by step
    const found = seek('AND id >= ? ORDER BY id', middle)
    if (found && found.at < at) low = found
    else high = middle
  }
}

const BASE = 128n

/** A string about halfway between two of ASCII characters. */
export function between(low: string, high: string): string {
  const length = Math.max(low.length, high.length) + 1
  let middle = (digits(low, length) + digits(high, length)) / 2n
  let text = ''
  for (let i = 0; i < length; i++) {
    text = String.fromCharCode(Math.max(1, Number(middle % BASE))) + text
    middle /= BASE
  }
  return text
}

function digits(text: string, length: number): bigint {
  let n = 0n
  for (let i = 0; i < length; i++) n = n * BASE + BigInt(i < text.length ? Math.min(127, text.charCodeAt(i)) : 0)
  return n
}
