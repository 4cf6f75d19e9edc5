// A backup and its way back, on real files without a server.
import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { perform } from '../../../app/admin.ts'
import { restore } from '../../../app/commands/restore.ts'
import { storeFile } from '../../../app/folder.ts'
import type { Outcome } from '../../../app/office.ts'
import { readConfig, type Config } from '../../../config/load.ts'
import { wallClock } from '../../../server/ports/clock.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { tempFolder } from '../../harness/folder.ts'

describe('app/restore', () => {
  let folder: string
  let config: Config
  beforeEach(() => {
    folder = tempFolder('restore')
    const loaded = readConfig('data: .\nhosts: { a.example: {} }', join(folder, 'deskbell.yaml'))
    assert.ok(loaded.ok)
    config = loaded.config
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  async function run(...args: string[]): Promise<Outcome> {
    const stores = await openSqlite({ file: storeFile(folder) })
    const outcome = await perform(args, { config, stores, clock: wallClock, running: false })
    await stores.close()
    return outcome
  }

  it('SEC-K30 brings back what was backed up and keeps what was there', async () => {
    const backup = join(folder, 'b.db')
    await run('user', 'add', 'anna@a.example', '--password', 'one')
    assert.equal((await run('backup', backup)).code, 0)
    await run('user', 'add', 'ben@a.example', '--password', 'two')
    assert.deepEqual(await restore([backup], config), { code: 0, lines: [`restored from ${backup}; what was there is kept in ${storeFile(folder)}.old`] })
    assert.deepEqual((await run('user', 'list')).lines, ['anna@a.example\t-'])
    assert.ok(existsSync(`${storeFile(folder)}.old`))
  })

  it('brings a damaged store back, and refuses a backup that is none or while a server runs', async () => {
    const backup = join(folder, 'b.db')
    await run('user', 'add', 'anna@a.example', '--password', 'one')
    await run('backup', backup)
    writeFileSync(storeFile(folder), 'damaged')
    writeFileSync(join(folder, 'text'), 'no store at all')
    for (const name of ['none', 'text']) {
      const { code, lines } = await restore([join(folder, name)], config)
      assert.deepEqual([code, lines.length], [1, 1])
      assert.match(lines[0] ?? '', new RegExp(`^${join(folder, name)}: `))
    }
    assert.equal((await restore([backup], config)).code, 0)
    const held = await openSqlite({ file: storeFile(folder) })
    assert.match((await restore([backup], config)).lines[0] ?? '', /another deskbell has this store open/)
    await held.close()
    assert.deepEqual((await run('user', 'list')).lines, ['anna@a.example\t-'])
  })
})
