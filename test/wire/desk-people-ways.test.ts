// Operators at work: activity by queue, the board, ways of serving, who is asked, canned replies.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, SUPPORT } from '../harness/desk.ts'
import { accepts as served } from '../harness/talks.ts'
import { type Json, STAFF, ask, permit } from './desk-people-scene.ts'

describe('activity', () => {
  it('ST-31 inactive in one queue is asked in the others only, and ST-32 a manager changes it', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    const card = await ask(d, 'PUT', '/operators/anna@localhost/receiving', { active: false, queue: 'support' }, 'mia')
    assert.deepEqual(card.queues, [{ queue: 'support', active: false }, { queue: 'second', active: true }])
    zoe.types('support@help.localhost', 'hello')
    await zoe.reads(SUPPORT, /Nobody is here|ahead/)
    assert.ok(!(await anna.all()).some(l => l.includes('New chat')))
    const yan = await d.comes('yan')
    yan.types('second@help.localhost', 'hello')
    await anna.reads(BOT, /New chat/)
    await ask(d, 'PUT', '/operators/anna@localhost/receiving', { active: true }, 'ben', 403)
    await ask(d, 'PUT', '/operators/anna@localhost/receiving', { active: true }, 'anna')
  }, config({ support: {}, second: {} })))

  it('ST-33 the board has every agent, state, chats, active and total groups', desk(STAFF, async d => {
    await served(d)
    await ask(d, 'PUT', '/operators/anna@localhost/receiving', { active: false, queue: 'billing' }, 'anna')
    const { agents } = await ask(d, 'GET', '/board', undefined, 'mia')
    assert.deepEqual(agents.map((a: Json) => [a.name, a.status, a.activeChats, a.activeGroups, a.totalGroups]), [
      ['Anna', 'available', 1, 1, 2], ['Ben', 'offline', 0, 0, 2], ['Boss', 'offline', 0, 0, 0], ['Mia', 'offline', 0, 0, 2]])
    assert.deepEqual((await ask(d, 'GET', '/board?limit=1&after=anna@localhost', undefined, 'mia')).agents[0].name, 'Ben')
  }))

  it('ST-25 how many at once: by agent, by queue, by department', desk({ anna: 'agent', boss: 'admin' }, async d => {
    const anna = await d.comes('anna')
    await ask(d, 'PATCH', '/operators/anna@localhost', { capacity: 3 })
    await ask(d, 'PATCH', '/settings', { departments: { help: { queues: ['support'], perAgent: 2 } } })
    for (const [i, name] of ['zoe', 'yan', 'xia'].entries()) { const p = await d.comes(name); p.types(SUPPORT, 'hello'); await p.reads(SUPPORT, /ahead/); if (i < 2) { await anna.reads(BOT, new RegExp(`New chat #${i + 1}`)); anna.types(BOT, `!a ${i + 1}`); await anna.reads(BOT, /accepted/) } }
    await d.quiet()
    anna.types(BOT, '!take 3')
    assert.match((await anna.reads(BOT, /serves|#3/)).text, /serves 2/)
    await ask(d, 'PATCH', '/settings', { departments: { help: { perAgent: 0 } } })
    await anna.reads(BOT, /New chat #3/)
    anna.types(BOT, '!a 3')
    await anna.reads(BOT, /accepted/)
    anna.types(BOT, '!max 9')
    const will = await d.comes('will')
    will.types(SUPPORT, 'hello')
    await will.reads(SUPPORT, /ahead/)
    anna.types(BOT, '!take 4')
    await anna.reads(BOT, /serves 3 of 3/)
  }))
})

describe('ways of serving', () => {
  it('FP-09 RULE-C2 a department may let two speak only: no third agent is asked in, who watches does not count', desk(STAFF, async d => {
    const { anna, zoe } = await served(d)
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia')]
    await ask(d, 'PATCH', '/settings', { departments: { help: { queues: ['support'], maxPublic: 2 } } })
    anna.types(c(1), '!i ben')
    await anna.reads(c(1), /No more people may speak/)
    mia.types(BOT, '!join 1')
    await mia.reads(BOT, /No more people may speak/)
    mia.types(BOT, '!obs 1')
    await mia.reads(BOT, /watching #1/)
    assert.ok(!(await zoe.all()).some(l => l.includes('Mia')))
    await ask(d, 'PATCH', '/settings', { departments: { help: { maxPublic: 0 } } })
    anna.types(c(1), '!i ben')
    await anna.reads(c(1), /Ben is asked/)
    await ben.reads(BOT, /asks you into #1/)
  }))

  it('RULE-C4 ST-37 with transfer.force a colleague is not asked', desk(STAFF, async d => {
    const ben = await d.comes('ben')
    await ask(d, 'PUT', '/operators/ben@localhost/receiving', { active: false, queue: 'support' }, 'ben')
    const { anna, zoe } = await served(d)
    await permit(d, 'agent', { 'transfer.force': true })
    anna.types(c(1), '!t ben take care')
    await anna.reads(c(1), /is with Ben now/)
    await zoe.reads(SUPPORT, '✱ Ben joined.')
    await ben.reads(c(1), 'hello')
    assert.equal((await ask(d, 'GET', '/conversations/1')).owner, 'ben@localhost')
  }))

  it('ST-20 SS-06 RULE-C15 the one switch decides for queues that inherit, from the next conversation on', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    await ask(d, 'POST', '/queues', { id: 'third', assign: 'inherit', agents: ['anna@localhost'] }, 'boss', 201)
    const [zoe, yan] = [await d.comes('zoe'), await d.comes('yan')]
    zoe.types('third@help.localhost', 'one')
    await anna.reads(BOT, /#1 Zoe waits.*!take 1/)
    anna.types(BOT, '!take 1')
    await anna.reads(BOT, /is yours/)
    await ask(d, 'PATCH', '/settings', { distribution: { assign: 'round-robin' } })
    yan.types('third@help.localhost', 'two')
    await anna.reads(BOT, /New chat #2/)
  }, config({ support: {} }, { given: { enabled: true, queues: { support: { assign: 'round-robin' } } } })))
})

describe('who is asked', () => {
  it('ST-29 RULE-C13 with equal loads, and nobody’s last chat ended, is who was assigned longest ago', desk({ anna: 'agent', ben: 'agent' }, async d => {
    const ben = await d.comes('ben')
    const comes = async (name: string): Promise<void> => { const p = await d.comes(name); p.types(SUPPORT, 'hello'); await p.reads(SUPPORT, /joined/) }
    await comes('zoe')
    await ben.reads(c(1), 'hello')
    await d.later(5)
    const anna = await d.comes('anna')
    await comes('yan')
    await anna.reads(c(2), 'hello')
    await d.later(5)
    await comes('xia')
    await ben.reads(c(3), 'hello')
    await d.later(5)
    await comes('will')
    await anna.reads(c(4), 'hello')
  }, config({ support: { accept: 'automatic' } })))

  it('FP-11 one connection brings both: lines of the running chat and the request for a new one', desk({ anna: 'agent' }, async d => {
    const { anna, zoe } = await served(d)
    const yan = await d.comes('yan')
    zoe.types(SUPPORT, 'still there?')
    yan.types(SUPPORT, 'me too')
    await anna.reads(c(1), 'still there?')
    await anna.reads(BOT, /New chat #2: Yan/)
  }))
})

describe('canned replies in a conversation', () => {
  it('OM-13 OM-15 OM-16 OM-17 RULE-C5 a short-cut alone on a line sends its text once, and never the short-cut', desk(STAFF, async d => {
    await ask(d, 'POST', '/canned', { shortcut: 'hi1', title: 'Hello', text: 'Hi %VISITOR%, I am %OPERATOR%.' }, 'mia', 201)
    await ask(d, 'PATCH', '/operators/anna@localhost', { alias: 'Annie' })
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /#1/)
    anna.types(BOT, '!a')
    await zoe.reads(SUPPORT, '✱ Annie joined.')
    anna.types(c(1), '!c? hi1')
    await anna.reads(c(1), '✱ Hi Zoe, I am Annie.')
    assert.ok(!(await zoe.all()).some(l => l.includes('Hi Zoe')))
    anna.types(c(1), 'hi1', 'same-id')
    anna.types(c(1), 'hi1', 'same-id')
    await anna.reads(c(1), '✱ Sent: Hi Zoe, I am Annie.')
    await d.quiet()
    assert.deepEqual(await zoe.all(), ['support: Hi Zoe, I am Annie.'])
    anna.types(c(1), '!hi1')
    await zoe.reads(SUPPORT, 'Hi Zoe, I am Annie.')
    anna.types(c(1), 'hi1\nand more')
    await anna.reads(c(1), /line of its own/)
    await ask(d, 'POST', '/conversations/1/commands/reply', { shortcut: 'HI1' }, 'anna')
    await zoe.reads(SUPPORT, 'Hi Zoe, I am Annie.')
  }))

  it('OM-14 ST-45 are kept, changed, found and deleted: everybody’s by managers, one’s own by each', desk(STAFF, async d => {
    await ask(d, 'POST', '/canned', { shortcut: 'hi', text: 'Hello!' }, 'anna', 403)
    const own = await ask(d, 'POST', '/canned', { shortcut: 'hi', text: 'Yo!', own: true }, 'anna', 201)
    const all = await ask(d, 'POST', '/canned', { shortcut: 'hi', title: 'Hello', text: 'Hello!', group: 'Begin' }, 'mia', 201)
    await ask(d, 'POST', '/canned', { shortcut: 'HI', text: 'again' }, 'mia', 409)
    for (const wrong of [{ shortcut: 'close', text: 'x' }, { shortcut: 'two words', text: 'x' }, { shortcut: 'x' }, { shortcut: 'x', text: 'x', queues: ['none'] }]) await ask(d, 'POST', '/canned', wrong, 'mia', 422)
    await ask(d, 'GET', `/canned/${own.id}`, undefined, 'mia', 404)
    assert.deepEqual((await ask(d, 'GET', '/canned?search=hello', undefined, 'anna')).items.map((x: Json) => x.id), [all.id])
    assert.equal((await ask(d, 'PATCH', `/canned/${all.id}`, { text: 'Good day!' }, 'mia')).text, 'Good day!')
    const anna = await d.comes('anna')
    anna.types(BOT, '!canned')
    await anna.reads(BOT, /hi: hi/)
    anna.types(BOT, '!c? hi')
    await anna.reads(BOT, '✱ Yo!')
    await ask(d, 'DELETE', `/canned/${own.id}`, undefined, 'anna', 204)
    anna.types(BOT, '!c? hi')
    await anna.reads(BOT, '✱ Good day!')
    await d.restart()
    assert.equal((await ask(d, 'GET', '/canned', undefined, 'anna')).items.length, 1)
  }))
})
