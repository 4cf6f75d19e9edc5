// docs/guarantees.md has a line for each row of group D of the security requirements, and each row a test whose title bears its id.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../..')
const rows = Array.from({ length: 32 }, (_, i) => `SEC-D${String(i + 1).padStart(2, '0')}`)
const page = readFileSync(join(ROOT, 'docs/guarantees.md'), 'utf8')
const titles = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter(f => f.endsWith('.test.ts')).flatMap(f => [...readFileSync(join(ROOT, 'test', f), 'utf8').matchAll(/\bit\([`']((?:[A-Z]+-[A-Z]?\d+ )+)/g)].flatMap(m => (m[1] ?? '').trim().split(' ')))

describe('docs/guarantees.md', () => {
  it('has a line for each row', () => assert.deepEqual([...page.matchAll(/^\| (SEC-D\d\d) \|/gm)].map(m => m[1]), rows))
  it('says nothing that no test says, too', () => assert.deepEqual(rows.filter(id => !titles.includes(id)), []))
})
