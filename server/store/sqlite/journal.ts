// How large the journal has become: it is used again from its beginning, unless somebody reads the store and does not end.
import { statSync } from 'node:fs'
import type { Log } from '../../ports/log.ts'
import { MEMORY } from './boot.ts'

const OFTEN = 8 // groups between two looks

/** Bytes of the journal of the store in `file`; 0 where it cannot be looked at: that holds nobody up. */
export function journalOf(file: string): number {
  if (file === MEMORY) return 0
  try { return statSync(`${file}-wal`).size } catch { return 0 }
}

/** To be called after every group: the log hears when the journal has passed `most` bytes, and when it is small again. */
export function watchJournal(file: string, most: number, log: Log): () => void {
  let groups = 0
  let large = false
  return () => {
    if (++groups % OFTEN !== 0) return
    const bytes = journalOf(file)
    if (bytes > most && !large) log.warn({ file, bytes }, 'store: its journal grows, for somebody reads the file and does not end: an sqlite3 shell, a tool that copies it. End that reader, or the disk fills up')
    if (bytes <= most && large) log.info({ file, bytes }, 'store: its journal is small again')
    large = bytes > most
  }
}
