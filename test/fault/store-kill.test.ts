// The embedded store when its process dies: what was acknowledged is there once, and nothing is there by half.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Stores } from '../../server/ports/store.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import type { Order, Report } from './store-child.ts'
import { tempFolder } from '../harness/folder.ts'

const folder = tempFolder('kill')
const children = new Set<ChildProcess>()
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function start(file: string): ChildProcess {
  const child = fork(new URL('./store-child.ts', import.meta.url), [file], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

const order = (child: ChildProcess, what: Order): void => { child.send(what) }

/** Puts a load on the store until so many things are acknowledged, kills it, gives what was acknowledged. */
async function killed(file: string, after: number): Promise<{ rows: Set<string>; commits: number; roster: number }> {
  const acked = { rows: new Set<string>(), commits: 0, roster: 0 }
  const child = start(file)
  child.on('message', (r: Report) => {
    if ('opened' in r) order(child, { load: true })
    else if ('row' in r) {
      acked.rows.add(r.row)
      if (acked.rows.size === after) child.kill('SIGKILL')
    } else if ('commit' in r) acked.commits = r.commit
    else if ('roster' in r) acked.roster = r.roster
  })
  await once(child, 'close') // all that it told was heard
  return acked
}

/** Nothing is there by half: commits without a gap, a roster of one version. Gives how much there is. */
async function whole(s: Stores): Promise<{ rows: string[]; commits: number; roster: number }> {
  const { version, events } = await s.events.load<number | string>('stream')
  assert.deepEqual(events, Array.from({ length: version }, (_, n) => [n, 'and', n]).flat())
  assert.deepEqual(await s.events.live(''), version > 0 ? ['stream'] : [])
  assert.equal((await s.events.undone('')).length, version)
  const roster = await s.rosters.load('a@x')
  assert.deepEqual([...new Set(roster.items.map(item => item.version))], roster.version > 0 ? [roster.version] : [])
  assert.equal(roster.items.length, roster.version > 0 ? 30 : 0)
  const { rows } = await s.archive.query({ owner: 'a@x', limit: 1e6 })
  return { rows: rows.map(row => row.id), commits: version, roster: roster.version }
}

function check(file: string): void {
  const db = new DatabaseSync(file)
  assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
  db.close()
}

describe('fault: the process that holds the store is killed', function () {
  this.timeout(300_000)

  for (const after of [1, 333, 2000]) {
    it(`SEC-K01 keeps what was acknowledged, once, when kill -9 comes after ${after} rows`, async () => {
      const file = join(folder, `kill-${after}.db`)
      const acked = await killed(file, after)
      assert.ok(acked.rows.size >= after)

      const s = await openSqlite({ file })
      const found = await whole(s)
      assert.deepEqual([...acked.rows].filter(id => !found.rows.includes(id)), [], 'acknowledged rows that are lost')
      assert.equal(new Set(found.rows).size, found.rows.length)
      assert.ok(found.commits >= acked.commits && found.commits <= acked.commits + 1, `${found.commits} commits, ${acked.commits} acknowledged`)
      assert.ok(found.roster >= acked.roster && found.roster <= acked.roster + 1, `roster ${found.roster}, ${acked.roster} acknowledged`)
      assert.equal(await s.events.append('stream', found.commits, ['on']), 'ok')
      await s.close()
      check(file)
    })
  }

  it('SEC-K08 opens at an earlier whole state when its journal is cut anywhere or gone', async () => {
    const file = join(folder, 'torn.db')
    await killed(file, 300)
    const length = statSync(`${file}-wal`).size
    let before = Infinity
    for (const share of [1, 0.93, 0.61, 0.37, 0.11, 0]) {
      const torn = join(folder, `torn-${share}.db`)
      copyFileSync(file, torn)
      copyFileSync(`${file}-wal`, `${torn}-wal`)
      truncateSync(`${torn}-wal`, Math.floor(length * share))
      const s = await openSqlite({ file: torn })
      const { commits } = await whole(s)
      assert.ok(commits <= before, 'a shorter journal holds no more')
      before = commits
      await s.close()
      check(torn)
    }
  })

  it('SEC-K09 refuses a second process with the mend, and lets it in once the first is killed', async () => {
    const file = join(folder, 'lock.db')
    const first = start(file)
    assert.deepEqual((await once(first, 'message'))[0], { opened: true })
    const second = start(file)
    const [report] = await once(second, 'message') as [Report]
    assert.ok('refused' in report && /another deskbell has this store open: stop that one first/.test(report.refused), JSON.stringify(report))
    first.kill('SIGKILL')
    await once(first, 'close')
    const s = await openSqlite({ file })
    assert.equal(await s.documents.put('c', 'o', 'd', 1), 1)
    await s.close()
  })

  it('ends by itself when its store is closed', async () => {
    const child = start(join(folder, 'end.db'))
    await once(child, 'message')
    order(child, { close: true })
    const [code] = await once(child, 'close') as [number | null]
    assert.equal(code, 0)
  })
})
