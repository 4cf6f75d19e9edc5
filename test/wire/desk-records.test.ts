// How long records stay: deleted, purged, erased with a proof, copied for one person; and who did that is on record.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { restore } from '../../app/commands/restore.ts'
import { storeFile } from '../../app/folder.ts'
import { readConfig } from '../../config/load.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { BOT, c, config, DESK, DeskHouse, SUPPORT, type Person } from '../harness/desk.ts'
import { tempFolder } from '../harness/folder.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const numbers = (body: { conversations: { number: number }[] }): number[] => body.conversations.map(s => s.number)

/** Zoe's #1 about a pump with a note, closed; Anna's. */
async function closed(d: DeskHouse, anna?: Person, n = 1, who = 'zoe', words = 'my pump is broken'): Promise<Person> {
  const a = anna ?? await d.comes('anna')
  await serves(d, a, n, who, words)
  a.types(c(n), `!n a secret gasket ${n}`)
  a.types(c(n), '!close')
  await a.reads(c(n), /closed/)
  await d.quiet()
  return a
}
const customerOf = async (d: DeskHouse, n: number): Promise<string> => (await d.rest('GET', `/api/v1/conversations/${n}/customer`, 'mia')).body.id
/** Every document, line and index entry of the store as one text. */
async function everything(d: DeskHouse): Promise<string> {
  const { documents, search } = d.house.stores
  const parts: unknown[] = []
  for (const collection of ['desk-customers', 'desk-customer-ids', 'desk-conversations', 'desk-deleted', 'desk-tickets', 'desk-customer-cards', 'desk-erasures', 'desk-audit', 'desk-dossiers', 'desk-webhooks', 'desk-idempotency']) parts.push(await documents.range(collection, DESK, { limit: 500 }))
  for (let n = 1; n < 5; n++) for (const collection of ['desk-lines', 'desk-ticket-articles']) parts.push(await documents.range(collection, `${DESK}/${n}`, { limit: 500 }))
  parts.push(await search.find(`${DESK}/conversations`, { limit: 100 }))
  return JSON.stringify(parts)
}

describe('deleting conversations', () => {
  it('ST-75 asks for a confirmation, and what is deleted is not there any more', deskWith({}, TEAM, async d => {
    const anna = await closed(d)
    assert.equal((await d.rest('DELETE', '/api/v1/conversations/1', 'mia')).status, 422)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'anna')).status, 200)
    assert.equal((await d.rest('DELETE', '/api/v1/conversations/1?confirm=true', 'anna')).status, 403)
    assert.equal((await d.rest('DELETE', '/api/v1/conversations/1?confirm=true', 'mia')).status, 204)
    for (const [method, path] of [['GET', ''], ['GET', '/lines'], ['GET', '/transcript.txt'], ['GET', '/customer'], ['POST', '/commands/note'], ['DELETE', '?confirm=true']] as const) assert.equal((await d.rest(method, `/api/v1/conversations/1${path}`, 'mia', method === 'POST' ? { text: 'x' } : undefined)).status, 404, path)
    assert.deepEqual(numbers((await d.rest('GET', '/api/v1/conversations', 'mia')).body), [])
    anna.types(BOT, '!done')
    await anna.reads(BOT, /no past conversations/)
  }))

  it('ST-77 deletes none that goes on', deskWith({}, TEAM, async d => {
    const anna = await d.comes('anna')
    const mia = await d.comes('mia')
    await serves(d, anna, 1, 'zoe')
    assert.equal((await d.rest('DELETE', '/api/v1/conversations/1?confirm=true', 'mia')).status, 409)
    mia.types(BOT, '!delete 1 yes')
    await mia.reads(BOT, /close it first/)
    anna.types(c(1), '!close')
    await anna.reads(c(1), /closed/)
    mia.types(BOT, '!delete 1')
    await mia.reads(BOT, /Usage/)
    mia.types(BOT, '!delete 1 yes')
    await mia.reads(BOT, /#1 is deleted/)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'mia')).status, 404)
  }))

  it('ST-76 ST-80 RULE-C19 finds it among the deleted ones on day 89, and nowhere on day 90', deskWith({}, TEAM, async d => {
    const anna = await closed(d)
    await closed(d, anna, 2, 'yan', 'another pump')
    await d.rest('DELETE', '/api/v1/conversations/1?confirm=true', 'mia')
    const search = async (deleted: string, who = 'mia'): Promise<unknown> => { const a = await d.rest('GET', `/api/v1/conversations?q=pump${deleted}`, who); return a.status === 200 ? numbers(a.body) : a.status }
    assert.deepEqual(await search(''), [2])
    assert.deepEqual(await search('&deleted=true'), [1])
    assert.equal(await search('&deleted=true', 'anna'), 403)
    await d.later(89 * DAY)
    assert.deepEqual(await search('&deleted=true'), [1])
    await d.later(DAY)
    assert.deepEqual(await search('&deleted=true'), [])
    assert.deepEqual(await search(''), [2])
    const left = await everything(d)
    assert.ok(!left.includes('my pump') && !left.includes('gasket 1'), 'no word of it is left')
    assert.ok(left.includes('gasket 2'))
  }))

  it('ST-76 a desk that starts anew every ten hours purges on day 90 all the same, and keeps what time has not come for', deskWith({ retention: { conversations: 100 } }, TEAM, async d => {
    const anna = await closed(d)
    await closed(d, anna, 2, 'yan', 'another pump')
    await d.rest('DELETE', '/api/v1/conversations/1?confirm=true', 'mia')
    for (let day = 0; day < 89; day += 10) await d.later(10 * DAY - (day === 80 ? DAY : 0)).then(() => d.restart())
    for (let i = 0; i < 3; i++) { await d.later(10 * HOUR); await d.restart() }
    const left = await everything(d)
    assert.ok(!left.includes('my pump'), 'no word of it is left')
    assert.ok(left.includes('another pump'))
    for (let i = 0; i < 30; i++) { await d.later(10 * HOUR); await d.restart() }
    assert.ok(!(await everything(d)).includes('another pump'), 'nor of what was closed long ago')
  }))

  it('SEC-W30 lets go of closed conversations when their time is over, by queue', deskWith({ retention: { conversations: 30 } }, TEAM, async d => {
    await closed(d)
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { queues: { support: { keep: 5 } } })).status, 200)
    await d.later(4 * DAY)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'mia')).status, 200)
    await d.later(2 * DAY)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'mia')).status, 404)
    assert.ok(!(await everything(d)).includes('pump'))
  }))
})

describe('one person’s data', () => {
  it('SEC-W27 erases everything of one, nothing of others, and proves it by counts', deskWith({}, TEAM, async d => {
    const anna = await closed(d)
    await closed(d, anna, 2, 'yan', 'an invoice of mine')
    await serves(d, anna, 3, 'zoe', 'a second pump')
    anna.types(c(3), '!ticket')
    await anna.reads(c(3), /stands in ticket 1/)
    const zoe = await serves(d, anna, 4, 'zoe', 'a third pump')
    await d.later(3)
    const id = await customerOf(d, 1)
    assert.equal((await d.rest('POST', `/api/v1/customers/${id}/erase`, 'mia', { confirm: id })).status, 403)
    const yans = await d.rest('GET', '/api/v1/conversations/2/lines', 'mia')
    const done = await d.rest('POST', `/api/v1/customers/${id}/erase`, 'adam', { confirm: id })
    assert.equal(done.status, 200)
    const { counts, left, proof } = done.body
    assert.equal(left, 0)
    assert.match(proof, /^[0-9a-f]{64}$/)
    assert.equal(counts.conversations, 3)
    assert.equal(counts.articles, 1)
    assert.ok(counts.lines >= 6)
    await d.later(3)
    const all = await everything(d)
    for (const word of ['pump', 'gasket 1', 'Zoe', 'zoe@']) assert.ok(!all.includes(word), `${word} is left`)
    const archived = JSON.stringify(await d.house.stores.archive.query({ owner: 'anna@localhost', limit: 1000 }))
    assert.ok(archived.includes('an invoice of mine'))
    for (const word of ['pump', 'Zoe', 'gasket 1']) assert.ok(!archived.includes(word), `the archive of an agent has ${word}`)
    assert.deepEqual((await d.rest('GET', '/api/v1/conversations/2/lines', 'mia')).body, yans.body)
    assert.equal((await d.rest('GET', '/api/v1/conversations/4', 'mia')).status, 404)
    assert.equal((await d.rest('GET', `/api/v1/customers/${id}`, 'mia')).status, 404)
    await zoe.all()
    zoe.types(SUPPORT, 'here I am again')
    await anna.reads(BOT, /#5/)
    assert.notEqual(await customerOf(d, 5), id, 'whoever comes back is new')
  }))

  it('SEC-W30 erases again, after an older store was brought back, who was erased since', async () => {
    const folder = tempFolder('erased')
    try {
      const read = readConfig(`data: .\nhosts: { localhost: {} }\ncomponents: { ${DESK}: { helpdesk: { enabled: true, queues: { support: {} } } } }`, join(folder, 'deskbell.yaml'))
      assert.ok(read.ok)
      const file = storeFile(folder)
      const stores = await openSqlite({ file })
      {
        await using d = await DeskHouse.open(TEAM, config({ support: {} }), stores)
        await closed(d)
        await d.later(3)
        await stores.backup(join(folder, 'backup'))
        const id = await customerOf(d, 1)
        assert.equal((await d.rest('POST', `/api/v1/customers/${id}/erase`, 'adam', { confirm: id })).status, 200)
      }
      assert.equal((await restore([join(folder, 'backup')], read.config)).code, 0)
      await using back = await DeskHouse.open({}, config({ support: {} }), await openSqlite({ file }))
      await back.later(3)
      const left = await everything(back)
      for (const word of ['pump', 'gasket', 'Zoe']) assert.ok(!left.includes(word), `${word} is back`)
      assert.equal((await back.rest('GET', '/api/v1/conversations/1', 'mia')).status, 404)
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })

  it('SEC-W28 erases nobody for a pattern, nothing or somebody else’s id', deskWith({}, TEAM, async d => {
    await closed(d)
    const id = await customerOf(d, 1)
    const before = await everything(d)
    for (const [path, body] of [[id, {}], [id, null], [id, { confirm: '*' }], [id, { confirm: { $gt: '' } }], ['*', { confirm: '*' }], ['', { confirm: '' }], ['.*', { confirm: '.*' }], ['adam@localhost', { confirm: 'adam@localhost' }]] as const) {
      assert.ok([400, 404, 405, 422].includes((await d.rest('POST', `/api/v1/customers/${encodeURIComponent(path)}/erase`, 'adam', body)).status), JSON.stringify([path, body]))
    }
    assert.equal(await everything(d), before)
  }))

  it('SEC-W29 gives a copy of one person’s data once, within a day, without what agents said among themselves', deskWith({}, TEAM, async d => {
    const anna = await closed(d)
    await closed(d, anna, 2, 'yan', 'an invoice of mine')
    const id = await customerOf(d, 1)
    assert.equal((await d.rest('POST', `/api/v1/customers/${id}/export`, 'mia', {})).status, 403)
    const { body: { link } } = await d.rest('POST', `/api/v1/customers/${id}/export`, 'adam', {})
    const copy = await d.rest('GET', link)
    assert.equal(copy.status, 200)
    assert.equal(copy.body.person.name, 'Zoe')
    assert.deepEqual(copy.body.conversations.map((s: { number: number }) => s.number), [1])
    assert.ok(JSON.stringify(copy.body).includes('my pump is broken'))
    assert.ok(!/gasket|invoice/.test(JSON.stringify(copy.body)))
    assert.equal((await d.rest('GET', link)).status, 404)
    const second = await d.rest('POST', `/api/v1/customers/${id}/export`, 'adam', {})
    await d.later(DAY + 1)
    assert.equal((await d.rest('GET', second.body.link)).status, 404)
  }))
})

describe('the audit', () => {
  it('SEC-A13 says who changed what, from where, with before and after, and nobody alters it', deskWith({}, TEAM, async d => {
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { conversation: { selectionText: 'Pick\r\n\u001b[2Jone' } })).status, 200)
    assert.equal((await d.rest('PATCH', '/api/v1/operators/anna@localhost', 'adam', { alias: 'Annie', password: 'hidden-words-7' })).status, 200)
    assert.equal((await d.rest('GET', '/api/v1/audit', 'anna')).status, 403)
    const { body } = await d.rest('GET', '/api/v1/audit', 'mia')
    const [denied, second, first] = body.items
    assert.deepEqual([denied.by, denied.what, denied.on], ['anna@localhost', 'denied', 'GET /api/v1/audit'])
    assert.equal(first.by, 'adam@localhost')
    assert.equal(first.from, '127.0.0.1')
    assert.deepEqual(first.changes, [{ at: '/settings/conversation/selectionText', before: first.changes[0].before, after: 'Pick\\u000d\\u000a\\u001b[2Jone' }])
    assert.ok(second.changes.some((x: { at: string; after: string }) => x.at === '/operator/alias' && x.after === 'Annie'))
    assert.ok(!JSON.stringify(body).includes('hidden-words-7'))
    const paged = await d.rest('GET', '/api/v1/audit?limit=1', 'mia')
    assert.equal((await d.rest('GET', `/api/v1/audit?limit=1&before=${paged.body.next}`, 'mia')).body.items[0].id, second.id)
    for (const method of ['PUT', 'PATCH', 'POST', 'DELETE']) assert.ok([404, 405].includes((await d.rest(method, '/api/v1/audit', 'adam', method === 'DELETE' ? undefined : {})).status))
    await d.restart()
    await d.rest('PATCH', '/api/v1/settings', 'adam', { conversation: { selectionText: 'Pick one' } })
    assert.deepEqual((await d.rest('GET', '/api/v1/audit', 'mia')).body.items.map((x: { id: number }) => x.id), [4, 3, 2, 1])
  }))
})
