// What each call of the stores does in SQL. Every write is whole within the transaction that the thread has open.
import { archiveReads, archiveWrites, eraseArchive } from './archive.ts'
import type { Names } from './names.ts'
import { bind, type Prepare, type Reads, type Writes } from './calls.ts'
import type { Arg } from './protocol.ts'
import { searchReads, searchWrites } from './search.ts'

const UNDER = '>= ?1 AND stream < ?1 || char(0x10ffff)' // begins with

export function writesOf(sql: Prepare, names: Names): Writes {
  const run = (text: string, args: Arg[]): number => Number(sql(text).run(...args.map(bind)).changes)
  const text = (a: Arg): string => String(a)

  return {
    ...archiveWrites(sql, names),
    ...searchWrites(sql),
    'accounts.create': { run: a => run('INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT DO NOTHING', a) ? 'ok' : 'conflict' },
    'accounts.update': { run: a => run('UPDATE accounts SET record = ?3 WHERE host = ?1 AND local = ?2', a) ? 'ok' : 'missing' },
    'accounts.remove': {
      several: true,
      run: a => {
        if (!run('DELETE FROM accounts WHERE host = ? AND local = ?', a)) return 'missing'
        const owner = `${text(a[1])}@${text(a[0])}`
        eraseArchive(sql, names, owner)
        for (const table of ['offline', 'documents', 'rosters']) run(`DELETE FROM ${table} WHERE owner = ?`, [owner])
        return 'ok'
      },
    },

    'rosters.put': {
      several: true,
      run: a => {
        run('INSERT INTO rosters VALUES (?, ?) ON CONFLICT DO UPDATE SET version = excluded.version', a.slice(0, 2))
        run(`INSERT INTO roster_items SELECT ?1, value ->> 'jid', value FROM json_each(?2) WHERE true
          ON CONFLICT DO UPDATE SET record = excluded.record`, [a[0], a[2]])
      },
    },
    'rosters.forget': { run: a => { run('DELETE FROM roster_items WHERE owner = ? AND jid = ?', a) } },

    'offline.push': {
      run: a => run(`INSERT INTO offline (owner, at, stanza) SELECT ?1, ?2, ?3
        WHERE (SELECT count(*) FROM (SELECT 1 FROM offline WHERE owner = ?1 LIMIT ?4)) < ?4`, a) ? 'ok' : 'full',
    },
    'offline.remove': { run: a => run('DELETE FROM offline WHERE owner = ? AND id IN (SELECT value FROM json_each(?))', a) }, // owner, ids as JSON
    'offline.clear': { run: a => { run('DELETE FROM offline WHERE owner = ? AND id <= ?', a) } },

    'documents.put': { // owner, collection, id, value, expected
      run: a => {
        const expected = a[4]
        const key = a.slice(0, 4)
        if (expected === undefined) {
          return sql(`INSERT INTO documents VALUES (?1, ?2, ?3, 1, ?4)
            ON CONFLICT DO UPDATE SET version = version + 1, value = excluded.value RETURNING version`).get(...key.map(bind))?.['version']
        }
        if (expected === 0) return run('INSERT INTO documents VALUES (?1, ?2, ?3, 1, ?4) ON CONFLICT DO NOTHING', key) ? 1 : 'conflict'
        return run(`UPDATE documents SET version = version + 1, value = ?4
          WHERE owner = ?1 AND collection = ?2 AND id = ?3 AND version = ?5`, a) ? Number(expected) + 1 : 'conflict'
      },
    },
    'documents.remove': { // owner, collection, id, expected
      run: a => {
        const key = a.slice(0, 3)
        const THIS = 'owner = ?1 AND collection = ?2 AND id = ?3'
        if (a[3] === undefined) return run(`DELETE FROM documents WHERE ${THIS}`, key) ? 'ok' : 'missing'
        if (run(`DELETE FROM documents WHERE ${THIS} AND version = ?4`, a)) return 'ok'
        return sql(`SELECT 1 FROM documents WHERE ${THIS}`).get(...key.map(bind)) ? 'conflict' : 'missing'
      },
    },

    'events.append': { // stream, expected, events, live, todo
      several: true,
      run: a => {
        const moved = a[1] === 0
          ? run('INSERT INTO streams VALUES (?, 1, ?) ON CONFLICT DO NOTHING', [a[0], a[3]])
          : run('UPDATE streams SET version = version + 1, live = ?3 WHERE stream = ?1 AND version = ?2', [a[0], a[1], a[3]])
        if (!moved) return 'conflict'
        run('INSERT INTO commits VALUES (?1, ?2 + 1, ?3, ?4)', [a[0], a[1], a[2], a[4]])
        return 'ok'
      },
    },
    'events.done': { run: a => { run('UPDATE commits SET todo = NULL WHERE stream = ? AND version = ?', a) } },
  }
}

export function readsOf(sql: Prepare): Reads {
  const all = (text: string, args: Arg[]): Record<string, unknown>[] => sql(text).all(...args.map(bind))
  const one = (text: string, args: Arg[]): Record<string, unknown> | undefined => sql(text).get(...args.map(bind))

  /** Reads a row and gives another, so that an account that is not there takes as long as one that is (SEC-T18). */
  const nobody = (): string => { one('SELECT record FROM accounts LIMIT 1', []); return NOBODY }

  return {
    ...archiveReads(sql),
    ...searchReads(sql),
    'accounts.find': a => one('SELECT record FROM accounts WHERE host = ? AND local = ?', a)?.['record'] ?? nobody(),
    'accounts.list': a => all('SELECT record FROM accounts WHERE host = ? AND local > ? ORDER BY local LIMIT ?', a).map(row => row['record']),
    'rosters.load': a => [
      one('SELECT version FROM rosters WHERE owner = ?', a)?.['version'] ?? 0,
      ...all('SELECT record FROM roster_items WHERE owner = ? ORDER BY jid', a).map(row => row['record']),
    ],
    'offline.list': a => all('SELECT id, at, stanza FROM offline WHERE owner = ? ORDER BY id', a),
    'documents.get': a => one('SELECT id, version, value FROM documents WHERE owner = ? AND collection = ? AND id = ?', a),
    'documents.range': a => { // owner, collection, limit, after, before, reverse
      const [owner, collection, limit, after, before, reverse] = a
      const args = [owner, collection, limit]
      let where = ''
      if (after !== undefined) { args.push(after); where += ` AND id > ?${args.length}` }
      if (before !== undefined) { args.push(before); where += ` AND id < ?${args.length}` }
      return all(`SELECT id, version, value FROM documents WHERE owner = ?1 AND collection = ?2${where}
        ORDER BY id ${reverse ? 'DESC' : 'ASC'} LIMIT ?3`, args)
    },
    'events.load': a => all('SELECT events FROM commits WHERE stream = ? ORDER BY version', a).map(row => row['events']),
    'events.live': a => all(`SELECT stream FROM streams WHERE live = 1 AND stream ${UNDER} ORDER BY stream`, a).map(row => row['stream']),
    'events.undone': a => all(`SELECT stream, version, todo FROM commits WHERE todo IS NOT NULL AND stream ${UNDER} ORDER BY stream, version`, a),
  }
}

/** As SQLite takes it: no undefined. */

/** The record of an account that is not there, as long as any. */
const NOBODY = JSON.stringify({
  host: '', local: '', created: 0,
  credentials: Object.fromEntries([['sha-512', 88], ['sha-256', 44], ['sha-1', 28]].map(([hash, length]) => [hash, { salt: '='.repeat(24), iterations: 10_000, storedKey: '='.repeat(Number(length)), serverKey: '='.repeat(Number(length)) }])),
})
