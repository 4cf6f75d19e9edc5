// Reports: past conversations as numbers, for who may see them.
import assert from 'node:assert/strict'
import { BOT, c, config, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 }, handOff: { closed: { enabled: false } }, departments: { help: { queues: ['support'] }, money: { queues: ['billing'], name: 'Money' } } }
const PULL = config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })
const BILLING = 'billing@help.localhost'
const DAY = 86_400

const asks = async (d: DeskHouse, query = '', who = 'mia') => (await d.rest('GET', `/api/v1/reports${query}`, who)).body // JSON of any shape

describe('reports', () => {
  it('ST-04 count conversations by queue, department, agent and day, with how long they waited and lasted, for who manages there', deskWith(CALM, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /#1/)
    await d.later(30)
    anna.types(BOT, '!take 1')
    await zoe.reads(SUPPORT, / joined\.$/)
    await d.later(60)
    anna.types(c(1), '!close')
    await anna.reads(c(1), /closed/)
    await d.later(DAY)
    await serves(d, ben, 2, 'yan', 'money', BILLING)
    const xenia = await d.comes('xenia')
    xenia.types(BILLING, 'never mind')
    await ben.reads(BOT, /#3/)
    xenia.types(BILLING, '!end')
    await d.later(2 * DAY)
    const { rows } = await asks(d)
    assert.deepEqual(rows.map((r: object) => Object.values(r)), [['billing', 2, 1, 1, rows[0].messages, 0, 0, rows[0].durationAverage, 'Billing'], ['support', 1, 1, 0, 1, 30, 30, 90, 'Support']])
    const keys = async (query: string): Promise<[string, number][]> => (await asks(d, query)).rows.map((r: { key: string; conversations: number }) => [r.key, r.conversations])
    assert.deepEqual(await keys('?by=department'), [['help', 1], ['money', 2]])
    assert.deepEqual(await keys('?by=agent'), [['', 1], ['anna@localhost', 1], ['ben@localhost', 1]])
    const days = await keys('?by=day')
    assert.deepEqual(days.map(([, n]) => n), [1, 2])
    assert.deepEqual(await keys(`?since=${String(days[1]?.[0])}`), [['billing', 2]])
    assert.deepEqual(await keys(`?until=${String(days[0]?.[0])}`), [['support', 1]])
    await d.rest('PATCH', '/api/v1/operators/mia@localhost', 'adam', { departments: ['help'] })
    assert.deepEqual(await keys(''), [['support', 1]])
    assert.equal((await d.rest('GET', '/api/v1/reports', 'anna')).status, 403)
    for (const bad of ['?by=moon', '?since=soon', '?since=2026-12-02&until=2026-12-01']) assert.equal((await d.rest('GET', `/api/v1/reports${bad}`, 'mia')).status, 422, bad)
    const table = await fetch(`${await d.url()}/api/v1/reports?by=department`, { headers: { authorization: `Bearer ${(await d.address('adam')).token}`, accept: 'text/csv' } })
    assert.match(await table.text(), /^"?key"?,"?name"?,/)
  }, PULL))
  it('ST-04 count any number of them, and others have their turn meanwhile', deskWith(CALM, TEAM, async d => {
    const { documents, search } = d.house.stores
    const [MANY, at] = [21_000, d.house.clock.now() - 60_000]
    const key = (n: number): string => String(n).padStart(10, '0')
    await Promise.all(Array.from({ length: MANY }, (_, i) => i + 1).map(n => documents.put('desk-conversations', 'help.localhost', key(n), { number: n, state: 'closed', queue: n % 3 === 0 ? 'billing' : 'support', customer: 'Yan', customerId: 'yan', owners: n % 2 === 0 ? ['ben@localhost'] : [], opened: at + n, closed: at + n + 2000, messages: 2, waited: 1000 })))
    for (const n of [10_000, MANY]) await search.put('help.localhost/conversations', { id: key(n), at: at + n, text: {}, marks: { number: n, deleted: false } })
    const [report, me] = await Promise.all([asks(d), d.rest('GET', '/api/v1/me', 'mia')])
    assert.equal(me.status, 200)
    assert.deepEqual(report.rows.map((r: object) => Object.values(r)), [['billing', 7000, 3500, 3500, 14_000, 1, 1, 2, 'Billing'], ['support', 14_000, 7000, 7000, 28_000, 1, 1, 2, 'Support']])
    const day = new Date(at).toISOString().slice(0, 10)
    assert.deepEqual((await asks(d, `?by=agent&since=${day}&until=${new Date(at + 10_000).toISOString()}`)).rows.map((r: { key: string; conversations: number }) => [r.key, r.conversations]), [['', 5000], ['ben@localhost', 5000]])
  }, PULL))
})
