// What was said is found again: by words, by every field of the search page, and only by who may see it.
import assert from 'node:assert/strict'
import { BOT, c, config, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { BOTH, deskWith, serves, TEAM } from '../harness/talks.ts'

const BILLING = `billing@${DESK}`
const DAY = 86_400

/** Three conversations: Zoe's about a broken pump (closed), Yan's in billing about an invoice (open, Anna's), Zoe's second (Ben's). */
async function three(d: DeskHouse): Promise<{ anna: Person; ben: Person }> {
  const anna = await d.comes('anna')
  await serves(d, anna, 1, 'zoe', 'my pump is broken')
  anna.types(c(1), '!n the gasket of a pump model seven')
  anna.types(c(1), '!close')
  await anna.reads(c(1), /closed/)
  await d.later(DAY)
  await serves(d, anna, 2, 'yan', 'the invoice is wrong, and the pump too', BILLING)
  await d.later(DAY)
  anna.types(BOT, '!off')
  await anna.reads(BOT, /no new customers/)
  const ben = await d.comes('ben')
  await serves(d, ben, 3, 'xenia', 'a question of colours')
  await d.later(3)
  return { anna, ben }
}
const found = async (d: DeskHouse, who: string, query: string): Promise<number[]> => {
  const answer = await d.rest('GET', `/api/v1/conversations?${query}`, who)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body.conversations.map((s: { number: number }) => s.number)
}
const SETTINGS = { departments: { money: { queues: ['billing'] } } }

describe('finding conversations', () => {
  it('ST-81 ST-79 finds by each field, and by all of them together', deskWith(SETTINGS, TEAM, async d => {
    await three(d)
    const day = (n: number): string => new Date(d.house.clock.now() + n * DAY * 1000).toISOString()
    for (const [query, numbers] of [
      ['number=2', [2]], ['q=pump', [1, 2]], ['q=pump+invoice', [2]], ['q=pump+colours', []], ['q=gasket', [1]], ['name=zoe', [1]], ['username=yan@localhost', [2]], ['username=yan', [2]],
      [`since=${day(-1.5)}`, [3, 2]], [`until=${day(-1.5)}`, [1]], ['department=money&q=pump', [2]], ['agent=ben@localhost', [3]], ['status=closed', [1]], ['status=active&q=pump', [2]],
      ['q=pump&sort=oldest', [1, 2]], ['q=pump&sort=newest', [2, 1]], ['sort=oldest&limit=1', [1]],
    ] as const) assert.deepEqual(await found(d, 'mia', query), numbers, query)
    for (const wrong of ['number=x', 'since=yesterday', 'limit=101', 'sort=$where', 'department=none', 'status=odd', 'field.none=1', 'after=nonsense&q=pump']) assert.equal((await d.rest('GET', `/api/v1/conversations?q=a&${wrong}`, 'mia')).status, 422, wrong)
  }))

  it('ST-79 RULE-C27 ranks by where the words stand, unless another order is asked for', deskWith({}, TEAM, async d => {
    await three(d)
    assert.deepEqual(await found(d, 'mia', 'q=pump'), [1, 2], 'a note weighs more than a line, though it is older')
    assert.deepEqual(await found(d, 'mia', 'q=pump&sort=newest'), [2, 1])
    const first = await d.rest('GET', '/api/v1/conversations?q=pump&limit=1', 'mia')
    assert.deepEqual(first.body.conversations.map((s: { number: number }) => s.number), [1])
    assert.deepEqual(await found(d, 'mia', `q=pump&limit=1&after=${first.body.next}`), [2])
  }))

  it('ST-78 searches within what is being looked at', deskWith({}, TEAM, async d => {
    await three(d)
    assert.deepEqual(await found(d, 'mia', 'q=pump&state=closed'), [1])
    assert.deepEqual(await found(d, 'mia', 'q=pump&queue=billing'), [2])
    assert.deepEqual(await found(d, 'anna', 'q=pump&agent=me&status=active'), [2])
  }))

  it('OM-07 finds for an agent only what is that agent’s to see, by REST and by command', deskWith({}, TEAM, async d => {
    const { ben } = await three(d)
    assert.deepEqual(await found(d, 'ben', 'q=pump'), [])
    assert.deepEqual(await found(d, 'ben', 'sort=newest'), [3])
    assert.deepEqual(await found(d, 'ben', 'agent=anna@localhost'), [])
    assert.deepEqual(await found(d, 'ben', 'name=zoe'), [])
    ben.types(BOT, '!find pump')
    await ben.reads(BOT, /Nothing is found/)
    assert.equal((await d.rest('GET', '/api/v1/conversations?q=pump', 'zoe')).body.conversations?.length ?? 0, 0)
  }))

  it('ST-38 ST-50 finds notes from the bot, too, and tells the customer nothing', deskWith({}, TEAM, async d => {
    const { anna } = await three(d)
    anna.types(BOT, '!find gasket')
    await anna.reads(BOT, /#1 \(Zoe\) · Support · closed/)
    anna.types(BOT, '!find pump queue:billing status:active')
    await anna.reads(BOT, /^✱ #2 \(Yan\)[^\n]*$/)
  }))

  it('SEC-A11 gives patterns no meaning', deskWith({}, TEAM, async d => {
    await three(d)
    for (const q of ['(a+)+$', '$where', '{"$gt":""}', 'a* OR b', '"', 'x'.repeat(10_000)]) assert.ok([200, 400, 414, 422, 431].includes((await d.rest('GET', `/api/v1/conversations?q=${encodeURIComponent(q)}`, 'mia')).status), q)
  }))

  it('SEC-D29 what a crash kept from being written down is found after the next start', deskWith({}, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe', 'hello')
    zoe.types(SUPPORT, 'the needle in the haystack')
    await anna.reads(c(1), /needle/)
    await d.restart()
    await d.quiet()
    assert.deepEqual(await found(d, 'mia', 'q=needle'), [1])
  }, config(BOTH)))
})
