// The embedded store: the contract in memory and on a file, then what only a file can do.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setFlagsFromString } from 'node:v8'
import type { Log } from '../../../server/ports/log.ts'
import { silent } from '../../../server/ports/log.ts'
import { StoreError } from '../../../server/ports/store.ts'
import { between } from '../../../server/store/sqlite/ids.ts'
import { journalOf } from '../../../server/store/sqlite/journal.ts'
import { restoreSqlite } from '../../../server/store/sqlite/restore.ts'
import { migrate, SCHEMA, schemaOf } from '../../../server/store/sqlite/schema.ts'
import type { SqliteStores } from '../../../server/store/sqlite/sqlite.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { storesContract } from './contract.ts'
import { tempFolder } from '../../harness/folder.ts'

const folder = tempFolder('store')
let count = 0
const fresh = (): string => join(folder, `${++count}.db`)
after(() => rmSync(folder, { recursive: true, force: true }))

storesContract('sqlite in memory', () => openSqlite({ file: ':memory:' }))
storesContract('sqlite on a file', () => openSqlite({ file: fresh() }))

/** A closed store with some hundred pages in it. */
async function filled(): Promise<string> {
  const file = fresh()
  const s = await openSqlite({ file })
  await Promise.all(Array.from({ length: 1000 }, (_, i) => s.archive.append({ owner: `u${i % 7}@x`, id: String(i).padStart(5, '0'), at: i, with: 'a@b/c', stanza: `<message>${'x'.repeat(300)}</message>` })))
  await s.accounts.create({ host: 'x', local: 'ann', created: 1, credentials: {} })
  await s.close()
  return file
}

async function refusal(file: string): Promise<string> {
  let opened: SqliteStores
  try { opened = await openSqlite({ file }) } catch (e) {
    assert.ok(e instanceof StoreError, String(e))
    return e.message
  }
  await opened.close()
  return assert.fail('was opened')
}

describe('sqlite store: the file', () => {
  it('keeps everything over a close and an open', async () => {
    const file = await filled()
    const s = await openSqlite({ file })
    assert.equal(await s.archive.count({ owner: 'u3@x' }), 143)
    assert.equal((await s.accounts.find('x', 'ann'))?.created, 1)
    await s.close()
  })

  it('gives memory back in the midst of work, and nothing is lost or told in another order', async () => {
    setFlagsFromString('--expose-gc')
    for (const file of [fresh(), ':memory:']) {
      const s = await openSqlite({ file })
      const puts = Array.from({ length: 200 }, (_, i) => {
        if (i % 50 === 0) s.tidy()
        return s.documents.put('c', 'o', `d${i}`, i)
      })
      s.tidy()
      const read = s.documents.range<number>('c', 'o', { limit: 500 })
      assert.deepEqual(new Set(await Promise.all(puts)), new Set([1]))
      assert.equal((await read).length, 200)
      s.tidy()
      await s.close()
      s.tidy()
    }
    setFlagsFromString('--no-expose-gc')
  })

  it('is for its owner’s eyes only, and leaves no journal behind', async () => {
    const file = await filled()
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual([existsSync(`${file}-wal`), existsSync(`${file}-shm`), existsSync(`${file}.new`)], [false, false, false])
  })

  it('goes on where the size of its journal cannot be told', () => { assert.equal(journalOf(join(folder, 'x'.repeat(5000))), 0) })

  it('SEC-K09 is refused to a second opener, and given again after the close', async () => {
    const file = fresh()
    const s = await openSqlite({ file })
    assert.match(await refusal(file), /another deskbell has this store open: stop that one first/)
    await s.documents.put('c', 'o', 'd', 1)
    await s.close()
    const again = await openSqlite({ file })
    assert.equal((await again.documents.get('c', 'o', 'd'))?.value, 1)
    await again.close()
  })

  it('SEC-K06 is refused with the mend when its folder is missing or cannot be written', async () => {
    assert.match(await refusal(join(folder, 'none', 'deskbell.db')), /none: there is no such folder: make it, or correct "data"/)
    assert.match(await refusal('/proc/deskbell.db'), /\/proc.*cannot be (opened for writing|written).*"data"/)
  })

  for (const [what, harm] of [
    ['cut to half', file => truncateSync(file, statSync(file).size / 2)],
    ['cut to nothing', file => truncateSync(file, 0)],
    ['overwritten with text', file => writeFileSync(file, 'hello '.repeat(1000))],
    ['with one page flipped', file => {
      const bytes = readFileSync(file)
      const page = Math.floor(bytes.length / 4096 / 2) * 4096
      for (let i = page; i < page + 4096; i++) bytes[i] = ~(bytes[i] ?? 0)
      writeFileSync(file, bytes)
    }],
    ['with its first page flipped', file => {
      const bytes = readFileSync(file)
      for (let i = 100; i < 4096; i++) bytes[i] = ~(bytes[i] ?? 0)
      writeFileSync(file, bytes)
    }],
  ] satisfies [string, (file: string) => void][]) {
    it(`SEC-K07 is refused when ${what}, naming the file and the command that restores`, async () => {
      const file = await filled()
      harm(file)
      const size = statSync(file).size
      const text = await refusal(file)
      assert.ok(text.startsWith(`${file}: is damaged`), text)
      assert.match(text, /deskbell restore FILE/)
      assert.equal(statSync(file).size, size, 'it is left as it was')
    })
  }

  it('SEC-K07 is refused when it is gone and its journal is left', async () => {
    const file = fresh()
    writeFileSync(`${file}-wal`, 'x'.repeat(5000))
    assert.match(await refusal(file), /the file is gone.*deskbell restore FILE/)
    assert.equal(existsSync(file), false)
  })

  it('SEC-K29 is refused when a newer deskbell wrote it, or another program', async () => {
    const file = await filled()
    let db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    db.close()
    assert.match(await refusal(file), new RegExp(`newer deskbell \\(schema 99, this one knows ${SCHEMA}\\): start the newer one again, or bring back`))
    db = new DatabaseSync(file)
    assert.equal(schemaOf(db), 99)
    db.close()

    const other = fresh()
    db = new DatabaseSync(other)
    db.exec('CREATE TABLE mine (a)')
    db.close()
    assert.match(await refusal(other), /not a store of deskbell/)
  })

  it('leaves no name and no text behind when an account is removed or rows expire', async () => {
    const file = fresh()
    const s = await openSqlite({ file })
    await s.accounts.create({ host: 'x', local: 'secretowner', created: 1, credentials: {} })
    for (const owner of ['secretowner@x', 'kept@x']) {
      await s.archive.append({ owner, id: '1', at: 1, with: 'secretpeer@y/r', stanza: '<message>secretbody</message>' })
    }
    await s.accounts.remove('x', 'secretowner')
    assert.equal((await s.archive.query({ owner: 'kept@x', limit: 9, with: 'secretpeer@y' })).rows.length, 1)
    assert.equal(await s.archive.expire('kept@x', 86_400_001), 1)
    await s.archive.append({ owner: 'kept@x', id: '2', at: 86_400_002, with: 'next@y', stanza: '<message/>' })
    await s.close()
    assert.doesNotMatch(readFileSync(file, 'latin1'), /secret/)
    const again = await openSqlite({ file })
    assert.equal((await again.archive.ends('kept@x')).last?.with, 'next@y')
    await again.close()
  })

  it('begins again after a start that was killed while it made the file', async () => {
    const file = fresh()
    writeFileSync(`${file}.new`, 'half of it')
    const s = await openSqlite({ file })
    assert.equal(await s.documents.put('c', 'o', 'd', 1), 1)
    await s.close()
  })

  it('says once that writes fail, and once that they succeed again', async () => {
    const lines: string[] = []
    const log: Log = { ...silent, error: (_, text) => lines.push(text), info: (_, text) => lines.push(text) }
    const s = await openSqlite({ file: fresh(), log })
    const row = { owner: 'o', id: '1', at: 1, with: 'a@b', stanza: undefined as unknown as string } // what no caller should do
    for (let i = 0; i < 3; i++) await assert.rejects(s.archive.append(row))
    for (let i = 0; i < 3; i++) await s.archive.append({ ...row, stanza: '<message/>' })
    await s.close()
    assert.deepEqual(lines, ['store: made a new store', 'store: writes fail', 'store: writes succeed again'])
  })
})

describe('sqlite store: migrations', () => {
  const steps = ['CREATE TABLE a (x INTEGER) STRICT', 'ALTER TABLE a ADD COLUMN y TEXT; INSERT INTO a VALUES (1, \'two\')', 'CREATE TABLE b (z)']

  it('SEC-K29 leads an older file on, step by step, each once', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, 0, steps.slice(0, 1))
    assert.equal(schemaOf(db), 1)
    migrate(db, schemaOf(db), steps)
    migrate(db, schemaOf(db), steps)
    assert.equal(schemaOf(db), 3)
    assert.deepEqual(db.prepare('SELECT count(*) AS n FROM a').get()?.['n'], 1)
    db.close()
  })

  it('SEC-K29 leaves nothing of a step that fails, and goes on from there', () => {
    const db = new DatabaseSync(':memory:')
    assert.throws(() => migrate(db, 0, [steps[0] ?? '', 'CREATE TABLE half (x); SELECT * FROM nowhere']))
    assert.equal(schemaOf(db), 1)
    assert.equal(db.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get('half'), undefined)
    migrate(db, schemaOf(db), steps)
    assert.equal(schemaOf(db), 3)
    db.close()
  })
})

describe('sqlite store: backup', () => {
  it('SEC-K30 writes a whole store under load, which opens elsewhere', async () => {
    const file = fresh()
    const to = fresh()
    const s = await openSqlite({ file })
    const writes: Promise<unknown>[] = []
    const acked = new Set<number>()
    for (let i = 0; i < 500; i++) writes.push(s.events.append('s', i, [i]).then(() => acked.add(i)))
    await writes[99]
    const atLeast = acked.size
    const backup = s.backup(to)
    for (let i = 500; i < 1000; i++) writes.push(s.events.append('s', i, [i]))
    await Promise.all([backup, ...writes])
    await s.close()
    assert.equal(existsSync(`${to}.part`), false)
    assert.equal(statSync(to).mode & 0o777, 0o600)

    const copy = await openSqlite({ file: to })
    const { version, events } = await copy.events.load('s')
    assert.ok(version >= atLeast, `${version} commits`)
    assert.deepEqual(events, Array.from({ length: version }, (_, i) => i))
    await copy.close()
  })

  it('replaces an older backup only with a whole one, and never the store itself', async () => {
    const file = fresh()
    const to = fresh()
    const s = await openSqlite({ file })
    await s.documents.put('c', 'o', 'd', 1)
    await s.backup(to)
    await s.documents.put('c', 'o', 'd', 2)
    await assert.rejects(s.backup(file), /that is the store itself/)
    await assert.rejects(s.backup(join(folder, 'none', 'b.db')), StoreError)
    await s.backup(to)
    assert.equal((await s.documents.get('c', 'o', 'd'))?.value, 2)
    await s.close()
    const copy = await openSqlite({ file: to })
    assert.equal((await copy.documents.get('c', 'o', 'd'))?.value, 2)
    await copy.close()
  })

  it('can be taken of a store in memory', async () => {
    const to = fresh()
    const s = await openSqlite({ file: ':memory:' })
    await s.documents.put('c', 'o', 'd', 1)
    await s.backup(to)
    await s.close()
    const copy = await openSqlite({ file: to })
    assert.equal((await copy.documents.get('c', 'o', 'd'))?.value, 1)
    await copy.close()
  })
})

describe('sqlite store: restore', () => {
  it('brings a backup back in place of a damaged store, and keeps that beside it', async () => {
    const file = fresh()
    const backup = fresh()
    const s = await openSqlite({ file })
    await s.documents.put('c', 'o', 'd', 'then')
    await s.backup(backup)
    await s.documents.put('c', 'o', 'd', 'later')
    await s.close()
    truncateSync(file, 5000)
    assert.match(await refusal(file), /is damaged/)

    restoreSqlite({ from: backup, file })
    const again = await openSqlite({ file })
    assert.equal((await again.documents.get('c', 'o', 'd'))?.value, 'then')
    assert.throws(() => restoreSqlite({ from: backup, file }), /another deskbell has this store open/)
    await again.close()
    assert.equal(statSync(`${file}.old`).size, 5000)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  it('changes nothing when the backup is missing, damaged, no store or the store itself', async () => {
    const file = await filled()
    const before = readFileSync(file)
    const bad = fresh()
    for (const [content, words] of [[before.subarray(0, 9000), /is damaged.*take another backup/], [Buffer.from('hello'), /is damaged/]] as const) {
      writeFileSync(bad, content)
      assert.throws(() => restoreSqlite({ from: bad, file }), (e: unknown) => e instanceof StoreError && e.message.startsWith(bad) && words.test(e.message))
    }
    const other = fresh()
    const db = new DatabaseSync(other)
    db.exec('CREATE TABLE mine (a)')
    db.close()
    assert.throws(() => restoreSqlite({ from: other, file }), /not a store of deskbell/)
    assert.throws(() => restoreSqlite({ from: join(folder, 'none'), file }), /no such file/)
    assert.throws(() => restoreSqlite({ from: file, file }), /the store itself/)
    assert.ok(readFileSync(file).equals(before))
    assert.deepEqual([existsSync(`${file}.new`), existsSync(`${file}.old`)], [false, false])
  })

  it('SEC-K29 refuses to start on a restore that was broken off, and does it again', async () => {
    const file = await filled()
    const backup = fresh()
    copyFileSync(file, backup)
    copyFileSync(file, `${file}.restoring`)
    assert.match(await refusal(file), /broken off.*deskbell restore FILE/)
    restoreSqlite({ from: backup, file })
    const s = await openSqlite({ file })
    assert.equal((await s.accounts.find('x', 'ann'))?.created, 1)
    await s.close()
  })
})

describe('sqlite store: where in the ids a time lies', () => {
  it('halves between two ids', () => {
    for (const [low, high] of [['a', 'c'], ['a', 'b'], ['0190', '0190zzzz'], ['', 'a'], ['0000', '9999']] as const) {
      const middle = between(low, high)
      assert.ok(low < middle && middle < high, `${low} ${JSON.stringify(middle)} ${high}`)
    }
  })
})
