// Puts a backup in the place of the embedded store, for the command line: nobody else may have the store open.
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { StoreError } from '../../ports/store.ts'
import { checkBackup, reachable, Refusal, RESTORING, syncFolder, takeLock } from './boot.ts'

/**
 * Replaces the store with a backup, which is looked through first; what was there is kept beside it with the ending
 * ".old". Throws StoreError with the file, the fault and the mend, and then nothing has changed.
 */
export function restoreSqlite({ from, file }: { from: string; file: string }): void {
  const to = resolve(file)
  const source = resolve(from)
  try {
    if (!existsSync(source)) throw new Refusal(`${source}: there is no such file: name a file that "deskbell backup" wrote`)
    if (source === to) throw new Refusal(`${source}: is the store itself: name a file that "deskbell backup" wrote`)
    reachable(to)
    const lock = takeLock(to)
    try {
      const fresh = `${to}.new`
      remove(fresh)
      try {
        closeSync(openSync(fresh, 'wx', 0o600))
        copyFileSync(source, fresh)
        checkBackup(fresh, source)
        const fd = openSync(fresh, 'r+')
        try { fsyncSync(fd) } finally { closeSync(fd) }
      } catch (e) {
        remove(fresh)
        throw e
      }
      // From here to the last step a start is refused: the store's files are not all in their place.
      renameSync(fresh, to + RESTORING)
      if (existsSync(to)) remove(`${to}.old`)
      for (const end of ENDINGS) if (existsSync(to + end)) renameSync(to + end, `${to}.old${end}`)
      renameSync(to + RESTORING, to)
      syncFolder(to)
    } finally { lock.close() }
  } catch (e) {
    if (e instanceof Refusal) throw new StoreError(e.message)
    throw new StoreError(`${to}: the backup was not brought back (${e instanceof Error ? e.message : String(e)}): look at the folder and its free space`)
  }
}

const ENDINGS = ['', '-wal', '-shm']
const remove = (path: string): void => { for (const end of ENDINGS) rmSync(path + end, { force: true }) }
