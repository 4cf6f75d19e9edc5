// `deskbell restore FILE`: puts a backup in the place of the store; what was there is kept beside it.
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../../config/load.ts'
import { StoreError } from '../../server/ports/store.ts'
import { takeLock } from '../../server/store/sqlite/boot.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { socketPath, storeFile } from '../folder.ts'
import { done, failed, type Outcome } from '../office.ts'
import { askServer } from '../socket.ts'
import { isOutcome, read } from './words.ts'

export async function restore(args: readonly string[], config: Config): Promise<Outcome> {
  const words = read(args, {}, 1, 'restore FILE')
  if (isOutcome(words)) return words
  const backup = resolve(words.positionals[0] ?? '')
  if (!existsSync(backup)) return failed(`${backup} is not there: give the file that deskbell backup wrote`)
  if (await askServer(socketPath(config.data), ['user', 'list'])) return failed('the server runs: stop it first, then restore')
  mkdirSync(config.data, { recursive: true, mode: 0o700 })
  const store = storeFile(config.data)
  const beside = `${store}.restoring`
  try {
    copyFileSync(backup, beside)
    await (await openSqlite({ file: beside })).close() // whole, and ours
  } catch (error) {
    for (const end of ['', '-wal', '-shm', '.lock']) rmSync(beside + end, { force: true })
    if (error instanceof StoreError) return failed(`${backup} is no whole backup: ${error.message}`)
    throw error
  }
  let lock: Disposable
  try {
    const held = takeLock(store)
    lock = { [Symbol.dispose]: () => held.close() }
  } catch (error) {
    return failed((error as Error).message) // takeLock's refusal names file and mend
  }
  using _lock = lock
  const kept = existsSync(store) || existsSync(`${store}-wal`)
  for (const end of ['', '-wal', '-shm']) {
    rmSync(`${store}.before${end}`, { force: true })
    if (existsSync(store + end)) renameSync(store + end, `${store}.before${end}`)
  }
  renameSync(beside, store)
  for (const end of ['-wal', '-shm', '.lock']) rmSync(beside + end, { force: true })
  return done(`restored from ${backup}${kept ? `; what was there is kept in ${store}.before` : ''}`)
}
