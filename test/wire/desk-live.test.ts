// Live lists over REST: server-sent events of lists, over real connections.
import assert from 'node:assert/strict'
import { BOT, c, SUPPORT } from '../harness/desk.ts'
import { Reader } from '../harness/events.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'
import { listTokens, removeToken } from '../../app/tokens.ts'
import { BILLING, CALM, listens, PULL, shapes, silent, waits } from './desk-live-scene.ts'

describe('live lists', () => {
  it('OT-02 a list tells first what stands in it, then each change, and of what it does not hold nothing', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await waits(d, 'zoe')
    await using queue = await listens(d, '/lists/queue/events', 'anna')
    assert.equal(queue.status, 200)
    assert.deepEqual(shapes(await queue.until('ready')), ['reset', 'row 1', 'ready'])
    await waits(d, 'yan')
    const row = await queue.reads('row')
    assert.deepEqual([row.number, row.user, row.status, row.agent], [2, 'Yan', 'waiting', null])
    anna.types(BOT, '!take 1')
    assert.deepEqual(await queue.reads('gone'), { number: 1 })
    anna.types(c(1), 'hello')
    await silent(d, queue)
  }, PULL))

  it('ST-09 only the wanted columns come, and a row again only when one of them has changed', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe')
    await using mine = await listens(d, '/lists/mine/events?fields=status,idle', 'anna')
    assert.deepEqual((await mine.until('ready'))[1]?.data, { number: 1, status: 'active', idle: 0 })
    zoe.types(SUPPORT, 'are you there?')
    await anna.reads(c(1), 'are you there?')
    await silent(d, mine) // neither status nor idle (C10)
    anna.types(c(1), 'yes')
    assert.deepEqual(await mine.reads('row'), { number: 1, status: 'active', idle: 0 })
    anna.types(c(1), '!end')
    assert.equal((await mine.reads('row')).status, 'ended')
    anna.types(c(1), '!close')
    assert.deepEqual(await mine.reads('gone'), { number: 1 })
  }, PULL))

  it('ST-07 filters cut the stream as they cut the list, and a wrong one is refused alike', deskWith(CALM, TEAM, async d => {
    await d.comes('anna')
    await using money = await listens(d, '/lists/queue/events?dept=money', 'mia')
    await money.until('ready')
    await waits(d, 'zoe')
    await waits(d, 'yan', BILLING)
    assert.equal((await money.reads('row')).user, 'Yan')
    for (const [path, status] of [['/lists/queue/events?dept=none', 422], ['/lists/nothing/events', 404], ['/lists/queue/events?fields=shoe', 422], ['/lists/active/events', 403], ['/conversations/99/events', 404]] as const) {
      assert.equal((await d.rest('GET', `/api/v1${path}`, 'anna')).status, status, path)
    }
    assert.equal((await d.rest('GET', '/api/v1/lists/queue/events')).status, 401)
    assert.equal((await d.rest('GET', '/api/v1/lists/queue/events', 'anna', undefined, ['tickets:read'])).status, 403)
  }, PULL))

  it('ST-18 colours that change with time alone come within 15 seconds, with warnings at once', deskWith({ ...CALM, quality: { idleWarning: 60, idleCritical: 120 } }, TEAM, async d => {
    const anna = await d.comes('anna')
    await waits(d, 'zoe')
    await using queue = await listens(d, '/lists/queue/events', 'anna')
    await queue.until('ready')
    await d.later(75)
    assert.deepEqual((({ number, idleColour }) => [number, idleColour])((await queue.until('row')).at(-1)?.data), [1, 'yellow'])
    await serves(d, anna, 2, 'yan')
    await using mine = await listens(d, '/lists/mine/events?fields=idleColour', 'anna')
    assert.equal((await mine.until('ready'))[1]?.data.idleColour, 'green')
    await d.later(60)
    assert.equal((await mine.until('row')).at(-1)?.data.idleColour, 'yellow')
    await d.later(60)
    assert.equal((await mine.until('row')).at(-1)?.data.idleColour, 'red')
  }, PULL))

  it('ST-06 what is closed comes into the list of past ones, and goes when it is deleted', deskWith(CALM, TEAM, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    await serves(d, anna, 1, 'zoe')
    await using done = await listens(d, '/lists/done/events', 'anna')
    await done.until('ready')
    anna.types(c(1), '!close')
    const row = await done.reads('row')
    assert.deepEqual([row.number, row.status, row.user], [1, 'closed', 'Zoe'])
    mia.types(BOT, '!delete 1 yes')
    assert.deepEqual(await done.reads('gone'), { number: 1 })
  }, PULL))

  it('FP-24 a change of rights narrows or ends a stream at once', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe')
    await serves(d, anna, 2, 'yan', 'hi', BILLING)
    await using active = await listens(d, '/lists/active/events', 'mia')
    await using whole = await listens(d, '/conversations/1/events', 'mia')
    assert.deepEqual(shapes(await active.until('ready')), ['reset', 'row 1', 'row 2', 'ready'])
    await whole.until('ready')
    assert.equal((await d.rest('PATCH', '/api/v1/operators/mia@localhost', 'adam', { departments: ['money'] })).status, 200)
    assert.deepEqual(await active.reads('gone'), { number: 1 })
    assert.equal((await whole.reads('end')).reason, 'forbidden')
    assert.equal((await whole.next()).event, 'closed')
    anna.types(c(1), 'for Zoe alone')
    await silent(d, active)
    assert.equal((await d.rest('PATCH', '/api/v1/roles/manager', 'adam', { permissions: { 'chat.view.others': false } })).status, 200)
    assert.equal((await active.until('end')).at(-1)?.data.reason, 'forbidden')
    assert.equal((await active.next()).event, 'closed')
  }, PULL))

  it('SEC-A02 who serves a queue no more sees at once nobody of it who waits, and who begins to serve it sees them', deskWith(CALM, TEAM, async d => {
    await d.comes('anna')
    await waits(d, 'zoe')
    await waits(d, 'yan', BILLING)
    await using queue = await listens(d, '/lists/queue/events', 'ben')
    assert.deepEqual(shapes(await queue.until('ready')), ['reset', 'row 1', 'row 2', 'ready'])
    assert.equal((await d.rest('PATCH', '/api/v1/queues/support', 'adam', { agents: ['anna@localhost'] })).status, 200)
    assert.deepEqual(await queue.reads('gone'), { number: 1 })
    await waits(d, 'walt')
    await silent(d, queue)
    assert.equal((await d.rest('PATCH', '/api/v1/queues/support', 'adam', { agents: ['anna@localhost', 'ben@localhost'] })).status, 200)
    assert.deepEqual([(await queue.reads('row')).number, (await queue.reads('row')).number], [1, 3])
  }, PULL))

  it('OM-12 SEC-A04 the streams of an operator who is deleted, or whose account is disabled, end at once', deskWith(CALM, TEAM, async d => {
    for (const [who, does] of [['ben', () => d.rest('DELETE', '/api/v1/operators/ben@localhost', 'adam')], ['anna', () => d.rest('PATCH', '/api/v1/operators/anna@localhost', 'adam', { disabled: true })]] as const) {
      await using queue = await listens(d, '/lists/queue/events', who)
      await queue.until('ready')
      assert.ok((await does()).status < 300)
      assert.match((await queue.until('end')).at(-1)?.data.reason, /token|forbidden/)
      assert.equal((await queue.next()).event, 'closed')
    }
  }, PULL))

  it('SEC-A06 a token that is ended ends its streams, and one that expires at the next look; those of others go on', deskWith(CALM, TEAM, async d => {
    await d.comes('anna')
    await using kept = await listens(d, '/board/events', 'anna')
    const { token } = await d.address('ben')
    await using one = await Reader.opens(d, '/lists/queue/events', token)
    await using two = await Reader.opens(d, '/board/events', token)
    for (const r of [kept, one, two]) await r.until('ready')
    const { stores, host } = d.house
    for (const t of await listTokens(stores, 'localhost', 'ben@localhost')) await removeToken(stores, 'localhost', t.id)
    host.tellTokens()
    for (const r of [one, two]) { assert.equal((await r.reads('end')).reason, 'token'); assert.equal((await r.next()).event, 'closed') }
    await waits(d, 'zoe')
    await silent(d, kept)
    for (const t of await listTokens(stores, 'localhost', 'anna@localhost')) await removeToken(stores, 'localhost', t.id)
    await d.later(15)
    assert.equal((await kept.until('end')).at(-1)?.data.reason, 'token')
  }, PULL))

  it('one token has at most ten streams at once; one that is left makes room', deskWith(CALM, TEAM, async d => {
    const { token } = await d.address('anna')
    const open: Reader[] = []
    for (let i = 0; i < 10; i++) open.push(await Reader.opens(d, '/board/events', token))
    assert.deepEqual(new Set(open.map(r => r.status)), new Set([200]))
    await using more = await Reader.opens(d, '/board/events', token)
    assert.equal(more.status, 429)
    await using another = await listens(d, '/board/events', 'anna')
    assert.equal(another.status, 200, 'another token has its own')
    assert.equal((await d.rest('HEAD', '/api/v1/board/events', 'anna')).headers.get('content-type'), 'text/event-stream; charset=utf-8')
    await open.pop()?.[Symbol.asyncDispose]()
    for (let status = 429; status !== 200;) { // the server hears of it when the line is down
      await using again = await Reader.opens(d, '/board/events', token)
      status = again.status
    }
    for (const r of open) await r[Symbol.asyncDispose]()
  }, PULL))
})

describe('live lists in the description of the interface', () => {
  it('ST-09 each says that it answers with events, takes Last-Event-ID, and may be too much', deskWith(CALM, TEAM, async d => {
    const { paths } = (await d.rest('GET', '/api/v1/openapi.json')).body
    const live = Object.entries(paths as Record<string, Record<string, any>>).filter(([path]) => path.endsWith('/events') && path !== '/events') // JSON of any shape
    assert.deepEqual(live.map(([path]) => path).sort(), ['/board/events', '/conversations/{n}/events', '/lists/{list}/events', '/me/events'])
    for (const [path, { get }] of live) {
      assert.deepEqual(Object.keys(get.responses['200'].content), ['text/event-stream'], path)
      assert.ok(get.responses['429'] && get.parameters.some((p: { name: string; in: string }) => p.name === 'Last-Event-ID' && p.in === 'header'), path)
    }
  }, PULL))
})
