// `deskbell restore FILE`: puts a backup in the place of the store; what was there is kept beside it.
import { existsSync, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../../config/load.ts'
import { StoreError } from '../../server/ports/store.ts'
import { restoreSqlite } from '../../server/store/sqlite/restore.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { storeFile } from '../folder.ts'
import { done, failed, type Outcome } from '../office.ts'
import { isOutcome, read } from './words.ts'

/** Needs the store for itself: refused while a server runs. */
export async function restore(args: readonly string[], config: Config): Promise<Outcome> {
  const words = read(args, {}, 1, 'restore FILE')
  if (isOutcome(words)) return words
  const from = resolve(words.positionals[0] ?? '')
  mkdirSync(config.data, { recursive: true, mode: 0o700 })
  const file = storeFile(config.data)
  const kept = existsSync(file) ? `; what was there is kept in ${file}.old` : ''
  try {
    restoreSqlite({ from, file })
  } catch (error) {
    if (error instanceof StoreError) return failed(error.message)
    throw error
  }
  if (existsSync(`${file}.old`)) await carryErasures(`${file}.old`, file, [...config.components].filter(([, c]) => c.kind === 'helpdesk').map(([domain]) => domain))
  return done(`restored from ${from}${kept}`)
}

/** Whom desks have erased since the backup is erased again at the next start: the list of them goes along. A store that cannot be read has none. */
async function carryErasures(from: string, to: string, desks: readonly string[]): Promise<void> {
  if (desks.length === 0) return
  const old = await openSqlite({ file: from }).catch(() => undefined)
  if (!old) return
  const now = await openSqlite({ file: to })
  try {
    for (const desk of desks) {
      for (let after: string | undefined; ;) {
        const page = await old.documents.range('desk-erasures', desk, { limit: 500, ...(after === undefined ? {} : { after }) })
        for (const { id, value } of page) await now.documents.put('desk-erasures', desk, id, value, 0)
        after = page.at(-1)?.id
        if (page.length < 500) break
      }
    }
  } finally {
    await old.close()
    await now.close()
  }
}
