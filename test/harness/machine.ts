// What this machine has and what it lacks. Tests that need more than npm brings say so; what is lacking is named in one closing line.
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import type { Context, Suite } from 'mocha'

const lacking = new Map<string, number>() // what → how many tests were skipped for it

/** The path of a command of this machine, or undefined. */
export function find(command: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const path = join(folder, command)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch { /* not there */ }
  }
  return undefined
}

/**
 * A hook for `before`: skips its suite where `what` is not here. `there` says whether it is; by default, whether a command of
 * that name is. At the end of the run: `skipped here: chromium (3 tests)`.
 */
export function needs(what: string, there: boolean = find(what) !== undefined): (this: Context) => void {
  return function (): void {
    if (there) return
    const suite = this.test?.parent
    lacking.set(what, (lacking.get(what) ?? 0) + (suite ? count(suite) : 1))
    this.skip()
  }
}

const count = (s: Suite): number => s.tests.length + s.suites.reduce((sum, inner) => sum + count(inner), 0)

process.once('exit', () => {
  if (lacking.size === 0) return
  console.log(`skipped here: ${[...lacking].map(([what, n]) => `${what} (${n} ${n === 1 ? 'test' : 'tests'})`).join(', ')}`)
})
