// `deskbell restore FILE`: puts a backup in the place of the store; what was there is kept beside it.
import { existsSync, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../../config/load.ts'
import { StoreError } from '../../server/ports/store.ts'
import { restoreSqlite } from '../../server/store/sqlite/restore.ts'
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
  return done(`restored from ${from}${kept}`)
}
