import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parse } from 'ltx'

const docs = new URL('../../../docs/', import.meta.url)
const page = readFileSync(new URL('xeps.md', docs), 'utf8')
const doap = parse(readFileSync(new URL('deskbell.doap', docs), 'utf8').replace(/^<\?xml.*\?>\s*/, ''))

/** Number → version, of the tables' rows that name one. */
function told(): Map<string, string> {
  const rows = new Map<string, string>()
  for (const line of page.split('\n')) {
    const [, names, versions] = /^\| ((?:\d{4}(?:, )?)+)[^|]*\| ([\d., ]+) \|/.exec(line) ?? []
    names?.split(', ').forEach((n, i) => rows.set(n, versions!.split(', ')[i]!)) // the expression has both
  }
  return rows
}

describe('docs/xeps.md', () => {
  it('says what docs/deskbell.doap says', () => {
    const claimed = new Map(doap.getChild('Project')!.getChildren('implements').flatMap(i => {
      const xep = i.getChild('SupportedXep')
      return xep ? [[/xep-(\d{4})/.exec(String(xep.getChild('xep')!.attrs['rdf:resource']))![1]!, xep.getChildText('version')!] as const] : []
    }))
    assert.deepEqual([...claimed].sort(), [...told()].sort())
  })
})
