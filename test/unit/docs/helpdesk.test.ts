import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../..')
const COUNT = { FP: 24, OT: 54, OM: 32, ST: 109, SS: 39 } as const

/** The rows of docs/helpdesk.md: id → how. */
const documented = new Map([...readFileSync(join(ROOT, 'docs/helpdesk.md'), 'utf8').matchAll(/^\| ((?:FP|OT|OM|ST|SS)-\d+) \|[^|]*\| (.*) \|$/gm)].map(m => [m[1]!, m[2]!])) // the pattern has two groups

/** The ids with which test titles begin. */
const tested = new Set(readdirSync(join(ROOT, 'test'), { recursive: true, withFileTypes: true })
  .filter(e => e.isFile() && e.name.endsWith('.test.ts'))
  .flatMap(e => [...readFileSync(join(e.parentPath, e.name), 'utf8').matchAll(/\b(?:it|describe)\(\s*['"`]((?:(?:[A-Z]{2,4})-[A-Z]?\d+[ ,:…/]*)+)/g)])
  .flatMap(m => m[1]!.match(/[A-Z]{2,4}-[A-Z]?\d+/g) ?? []))

describe('docs/helpdesk.md', () => {
  it('has a line for each row of the manuals', () => {
    const missing = Object.entries(COUNT).flatMap(([p, n]) => Array.from({ length: n }, (_, i) => `${p}-${String(i + 1).padStart(2, '0')}`)).filter(id => !documented.has(id))
    assert.deepEqual(missing, [])
  })

  it('says that a row works only where a test begins with its id', () => {
    const claimed = [...documented].filter(([id, how]) => !/^(not yet|\(UI\)|n\/a)/i.test(how) && !tested.has(id)).map(([id]) => id)
    assert.deepEqual(claimed, [])
  })

  it('does not keep silent about a row that is tested', () => {
    const silent = [...documented].filter(([id, how]) => /^not yet$/i.test(how) && tested.has(id)).map(([id]) => id)
    assert.deepEqual(silent, [])
  })
})
