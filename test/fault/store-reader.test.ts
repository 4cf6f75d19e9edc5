// Somebody who reads the embedded store for a long time while it is written: an admin with sqlite3, a copying tool.
import assert from 'node:assert/strict'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { tempFolder } from '../harness/folder.ts'

const MiB = 2 ** 20

describe('a long reader beside the store', function () {
  this.timeout(300_000)

  it('SEC-K10 stops no writer; when it is gone the journal is taken in and used again from its beginning', async () => {
    const folder = tempFolder('reader')
    try {
      const file = join(folder, 'd.sqlite')
      const told: string[] = []
      const note = (_: object, text: string): void => { told.push(text) }
      const s = await openSqlite({ file, journal: 32 * MiB, log: { ...silent, warn: note } })
      let n = 0
      const writes = async (mib: number): Promise<void> => {
        for (let done = 0; done < mib; done++) await Promise.all(Array.from({ length: 64 }, () => s.archive.append({ owner: 'a@x', id: String(n++), at: n, with: 'b@x', stanza: `<message>${'x'.repeat(16_000)}</message>` })))
      }
      const journal = (): number => statSync(`${file}-wal`).size
      await writes(1)

      const reader = new DatabaseSync(file, { readOnly: true })
      reader.exec('BEGIN')
      const seen = Number(reader.prepare('SELECT count(*) AS n FROM archive').get()?.['n'])
      await writes(40)
      assert.equal(Number(reader.prepare('SELECT count(*) AS n FROM archive').get()?.['n']), seen) // it reads what was there
      assert.ok(journal() > 40 * MiB && journal() < 256 * MiB, `the journal has ${journal()} octets`)
      assert.equal(s.work.journal, journal())
      assert.deepEqual(told.map(t => /reads the file and does not end/.test(t)), [true], 'the admin is told once')
      reader.exec('COMMIT')
      reader.close()

      await writes(2)
      const most = journal()
      await writes(40)
      assert.ok(journal() <= Math.max(most, 64 * MiB), `the journal grew from ${most} to ${journal()} octets though nobody reads`)
      assert.equal(await s.archive.count({ owner: 'a@x' }), n)
      await s.close()
      const after = new DatabaseSync(file, { readOnly: true })
      assert.equal(after.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
      after.close()
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })
})
