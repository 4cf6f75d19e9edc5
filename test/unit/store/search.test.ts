// Search in the embedded store: the contract, and that no word outlives its document.
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { termsOf, wordsOf } from '../../../server/store/words.ts'
import { searchContract } from './search.ts'
import { tempFolder } from '../../harness/folder.ts'

const folder = tempFolder('search')
after(() => rmSync(folder, { recursive: true, force: true }))

searchContract('sqlite in memory', () => openSqlite({ file: ':memory:' }))
searchContract('sqlite on a file', () => openSqlite({ file: join(folder, 'search.db') }))

describe('search: words', () => {
  it('ST-81 are the same in a document and in a query', () => {
    assert.deepEqual(wordsOf('Ärger, l’été: 2026-17!'), ['arger', 'l', 'ete', '2026', '17'])
    assert.deepEqual(wordsOf('ＦＵＬＬ ﬁne 東京 tower'), ['full', 'fine', '東', '京', 'tower'])
    assert.deepEqual(termsOf('one "two three" ann@x.org "open'), [['one'], ['two', 'three'], ['ann', 'x', 'org'], ['open']])
  })
})

describe('search: the file', () => {
  it('SEC-W27 no word is left in the file when a document is removed or changed', async () => {
    const file = join(folder, 'erase.db')
    const s = await openSqlite({ file })
    for (let n = 0; n < 300; n++) await s.search.put('d', { id: `${n}`, at: n, marks: {}, text: { heading: 'kept', body: `common words and zzprivate${n} to fill the pages with ${n * 7919} more` } })
    await s.search.put('d', { id: 'gone', at: 5, order: { user: 'qqsecretuser' }, marks: { email: 'secretmark' }, text: { names: 'qqsecretname', body: 'qqsecretbody common' } })
    await s.search.put('d', { id: 'changed', at: 6, order: { user: 'qqsecretother' }, marks: {}, text: { notes: 'qqsecretnote' } })
    await s.search.put('d', { id: 'changed', at: 6, order: { user: 'a' }, marks: {}, text: { notes: 'harmless' } })
    await s.search.remove('d', 'gone')
    await s.close()
    assert.doesNotMatch(readFileSync(file, 'latin1'), /qqsecret|secretname|secretbody|secretnote/)
    const again = await openSqlite({ file })
    const found = await again.search.find('d', { text: 'common', limit: 100, sort: 'oldest' })
    assert.ok('hits' in found && found.hits.length === 100 && found.next !== undefined)
    await again.close()
  })
})
