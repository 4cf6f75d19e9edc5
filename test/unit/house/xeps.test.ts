import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
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

  it('claims all that the compliance suites ask for, and each row stands in a file that is there', () => {
    const suite = page.slice(page.indexOf('## The compliance suites'), page.indexOf('Of the documents that it only recommends')).split('\n').filter(l => /^\| (?:Core|Web|IM|Mobile|Calling) \|/.test(l))
    const rows = told()
    assert.deepEqual(suite.flatMap(l => [...l.matchAll(/XEP-(\d{4})/g)].map(m => m[1]!)).filter(n => !rows.has(n)), [])
    assert.deepEqual(suite.flatMap(l => [...l.matchAll(/`([a-z]+\/[\w./-]+)`/g)].map(m => m[1]!)).filter(path => !existsSync(new URL(`../${path}`, docs))), [])
    assert.equal(suite.length, 25)
  })
})
