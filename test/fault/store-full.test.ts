// The embedded store on a full disk: what cannot be written is refused, all else goes on, and writes resume.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import type { Order, Report } from './store-child.ts'
import { tempFolder } from '../harness/folder.ts'

const folder = tempFolder('full')
let child: ChildProcess | undefined
after(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

// The kernel refuses to let any file of that process grow beyond so many bytes: "file too large" where a full disk says "no space".
const disk = (pid: number | undefined, bytes: number | 'unlimited'): void => {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])
}

describe('fault: the disk is full', function () {
  this.timeout(300_000)

  before(function () {
    try { execFileSync('prlimit', ['--version']) } catch { this.skip() } // not Linux
  })

  it('SEC-K04 refuses exactly what it could not write, goes on reading, and writes again when there is room', async () => {
    const file = join(folder, 'full.db')
    const s = await openSqlite({ file })
    await s.accounts.create({ host: 'x', local: 'a', created: 1, credentials: {} })
    await s.close()

    const c = child = fork(new URL('./store-child.ts', import.meta.url), [file], { execArgv: ['--disable-warning=ExperimentalWarning'] })
    const ask = async (order: Order): Promise<Report> => { c.send(order); return (await once(c, 'message') as [Report])[0] }
    const rows = async (from: number, to: number): Promise<Extract<Report, { written: number[] }>> => {
      const report = await ask({ rows: Array.from({ length: to - from }, (_, i) => from + i) })
      assert.ok('written' in report)
      return report
    }
    const count = async (): Promise<number> => {
      const report = await ask({ read: true })
      assert.ok('count' in report && report.found, 'the account is found')
      return report.count
    }
    await once(c, 'message')

    assert.equal((await rows(0, 20)).failed.length, 0)
    disk(c.pid, 700_000)
    const tight = await rows(20, 120)
    assert.ok(tight.failed.length > 0, 'it became too tight')
    assert.ok(tight.failed.every(([, why]) => why === 'StoreError'))
    assert.equal(await count(), 20 + tight.written.length)
    const none = await rows(200, 300)
    assert.equal(await count(), 20 + tight.written.length + none.written.length)

    disk(c.pid, 'unlimited')
    assert.deepEqual((await rows(300, 400)).failed, [])
    const total = 20 + tight.written.length + none.written.length + 100
    assert.equal(await count(), total)
    c.kill('SIGKILL')
    await once(c, 'close')

    const again = await openSqlite({ file })
    const kept = (await again.archive.query({ owner: 'a@x', limit: 1000 })).rows.map(row => Number(row.id)).toSorted((a, b) => a - b)
    const written = [...Array.from({ length: 20 }, (_, i) => i), ...tight.written, ...none.written, ...Array.from({ length: 100 }, (_, i) => 300 + i)]
    assert.deepEqual(kept, written)
    await again.close()
  })
})
