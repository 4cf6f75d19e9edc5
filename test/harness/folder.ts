// Folders for tests: each of its own, and none is left when the run ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made: string[] = []

/** A new empty folder; it goes at the end of the run, if its test has not removed it. */
export function tempFolder(name: string): string {
  if (made.length === 0) process.once('exit', () => { for (const path of made) rmSync(path, { recursive: true, force: true, maxRetries: 3 }) })
  const path = mkdtempSync(join(tmpdir(), `deskbell-${name}-`))
  made.push(path)
  return path
}
