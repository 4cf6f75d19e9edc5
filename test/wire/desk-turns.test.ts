// Whose turn it is: priority moves who waits, the account manager and the agent of the last time are asked first.
import assert from 'node:assert/strict'
import { SignJWT } from 'jose'
import { begins, newest } from '../harness/bridge.ts'
import { BOT, c, config, desk, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { webDesk } from '../harness/web.ts'
import { Page } from '../web/page.ts'

const STAFF = { anna: 'agent', ben: 'agent', mia: 'manager', boss: 'admin' } as const
const PULL = config({ support: { assign: 'pull' } })
const set = async (d: DeskHouse, body: unknown): Promise<void> => { const r = await d.rest('PATCH', '/api/v1/settings', 'boss', body); assert.equal(r.status, 200, JSON.stringify(r.body)); await d.quiet() }
const waits = async (d: DeskHouse, who: string): Promise<Person> => { const p = await d.comes(who); p.types(SUPPORT, 'hello'); await p.reads(SUPPORT, /ahead of you/); await d.later(1); return p }
const place = async (p: Person): Promise<string | undefined> => (await newest(p))['position']
/** The card of who talks in #n, changed by the manager. */
async function card(d: DeskHouse, n: number, news: object): Promise<{ status: number; body: { manager: string | null; priority: string | null } }> {
  const { body } = await d.rest('GET', `/api/v1/conversations/${n}/customer`, 'mia')
  return d.rest('PATCH', `/api/v1/customers/${body.id}`, 'mia', news)
}
/** One talk of `who` from beginning to end, with `agent`. */
async function served(d: DeskHouse, who: Person, agent: Person, n: number): Promise<void> {
  who.types(SUPPORT, 'hello')
  await agent.reads(BOT, new RegExp(`New chat #${n}:`))
  agent.types(BOT, '!a')
  await agent.reads(BOT, /accepted/)
  await d.quiet()
  agent.types(c(n), '!close')
  await agent.reads(c(n), /closed/)
  await d.quiet()
}

describe('the priority of who waits', () => {
  it('ST-74 ST-98 moves in the queue at once, by text and by REST, and everybody is told the new place', desk(STAFF, async d => {
    const mia = await d.comes('mia')
    const [first, second, third] = [await waits(d, 'v1'), await waits(d, 'v2'), await waits(d, 'v3')]
    assert.deepEqual(await Promise.all([first, second, third].map(place)), ['0', '1', '2'])
    for (const p of [first, second, third]) await p.all()
    mia.types(BOT, '!prio 3 urgent')
    await third.reads(SUPPORT, /ahead of you: 0/)
    await d.later(1)
    await first.reads(SUPPORT, /ahead of you: 1/)
    await second.reads(SUPPORT, /ahead of you: 2/)
    mia.types(BOT, '!q')
    assert.match((await mia.reads(BOT, /· waits/)).text, /#3[\s\S]*#1[\s\S]*#2/)
    assert.equal((await d.rest('POST', '/api/v1/conversations/3/commands/prio', 'mia', { priority: 'low' })).status, 200)
    await third.reads(SUPPORT, /ahead of you: 2/)
    await d.later(1)
    await first.reads(SUPPORT, /ahead of you: 0/)
    assert.equal((await d.rest('GET', '/api/v1/conversations/2', 'mia')).body.position, 1)
    mia.types(BOT, '!take')
    await mia.reads(BOT, /#1 .*yours/)
  }, PULL))

  it('a page is pushed its new place, too; an agent who is not in the conversation may not move it', webDesk(STAFF, async (d, url) => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    const pages = [(await Page.hello(url)).page, (await Page.hello(url)).page]
    try {
      for (const p of pages) await p.begin()
      await pages[1]!.hears('conversation', m => m.conversation.position === 1)
      anna.types(BOT, '!prio 2 high')
      await anna.reads(BOT, /You are not in this conversation/)
      mia.types(BOT, '!prio 2 high')
      await pages[1]!.hears('conversation', m => m.conversation.position === 0)
      await d.later(1)
      await pages[0]!.hears('conversation', m => m.conversation.position === 1)
    } finally { for (const p of pages) p[Symbol.dispose]() }
  }, PULL))

  it('SEC-D14 is bounded: an urgent one passes those of the last quarter of an hour alone', desk(STAFF, async d => {
    const mia = await d.comes('mia')
    await waits(d, 'v1')
    await d.later(901)
    await waits(d, 'v2')
    await waits(d, 'v3')
    mia.types(BOT, '!prio 3 urgent')
    await mia.reads(BOT, /priority urgent/)
    mia.types(BOT, '!q')
    assert.match((await mia.reads(BOT, /· waits/)).text, /#1[\s\S]*#3[\s\S]*#2/)
  }, PULL))

  it('of a customer whose card says so is there from the beginning', desk(STAFF, async d => {
    const mia = await d.comes('mia')
    const vip = await waits(d, 'v1')
    assert.equal((await card(d, 1, { priority: 'sometimes' })).status, 422)
    assert.equal((await card(d, 1, { priority: 'urgent' })).body.priority, 'urgent')
    mia.types(BOT, '!take 1')
    await mia.reads(BOT, /yours/)
    mia.types(BOT, '!close 1')
    await mia.reads(BOT, /closed/)
    await waits(d, 'v2')
    vip.types(SUPPORT, 'me again')
    await vip.reads(SUPPORT, /ahead of you: 0/)
    assert.equal((await d.rest('GET', '/api/v1/conversations/3/dossier', 'mia')).body.priority, 'urgent')
  }, PULL))
})

describe('whom a customer is offered to first', () => {
  it('the account manager on the card, then the agent of the last time, then whoever is next', desk(STAFF, async d => {
    const [zoe, ben] = [await d.comes('zoe'), await d.comes('ben')]
    await served(d, zoe, ben, 1) // the last agent
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    assert.equal((await card(d, 1, { manager: 'nobody@localhost' })).status, 422)
    assert.equal((await card(d, 1, { manager: 'mia@localhost' })).body.manager, 'mia@localhost')
    zoe.types(SUPPORT, 'again')
    await mia.reads(BOT, /New chat #2:/)
    mia.types(BOT, '!r')
    await ben.reads(BOT, /New chat #2:/)
    ben.types(BOT, '!r')
    await anna.reads(BOT, /New chat #2:/)
    anna.types(BOT, '!a')
    await anna.reads(BOT, /accepted/)
    anna.types(c(2), '!who')
    await anna.reads(c(2), /Account manager: Mia/)
  }))

  it('who is away from the desk or full is passed over, and nobody waits for the account manager', desk(STAFF, async d => {
    const [zoe, ben] = [await d.comes('zoe'), await d.comes('ben')]
    await served(d, zoe, ben, 1)
    await card(d, 1, { manager: 'mia@localhost' })
    await served(d, zoe, ben, 2) // she is not here
    const mia = await d.comes('mia')
    mia.types(BOT, '!max 0')
    await mia.reads(BOT, /at most 0/)
    await served(d, zoe, ben, 3)
    await card(d, 1, { manager: null })
    mia.types(BOT, '!max 4')
    await mia.reads(BOT, /at most 4/)
    await served(d, zoe, ben, 4)
    await set(d, { distribution: { lastAgent: false } })
    await served(d, zoe, mia, 5) // nobody is preferred: who has ended no chat yet comes first
  }))

  it('the account manager comes first, too, for who is handed on or back, asked or given out at once; who gives the customer away does not', desk(STAFF, async d => {
    const [zoe, anna] = [await d.comes('zoe'), await d.comes('anna')]
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /New chat #1:/)
    anna.types(BOT, '!a')
    await anna.reads(BOT, /accepted/)
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia')]
    assert.equal((await card(d, 1, { manager: 'mia@localhost' })).body.manager, 'mia@localhost')
    anna.types(c(1), '!t group:support')
    await mia.reads(BOT, /New chat #1:/) // Ben stands before her in the order of names
    mia.types(BOT, '!a')
    await mia.reads(BOT, /accepted/)
    anna.types(BOT, '!off')
    await anna.reads(BOT, /no new customers/)
    mia.types(c(1), '!t auto')
    await ben.reads(BOT, /New chat #1:/)
    ben.types(BOT, '!a')
    await ben.reads(BOT, /accepted/)
    anna.types(BOT, '!on')
    await anna.reads(BOT, /receive customers/)
    ben.actor.says("<presence type='unavailable'/>")
    await ben.actor.fence()
    await d.later(121)
    await mia.reads(BOT, /New chat #1:/) // Anna’s last chat ended longer ago
  }))

  it('the account manager is given the customer at once where a queue accepts by itself', desk(STAFF, async d => {
    const [zoe, anna] = [await d.comes('zoe'), await d.comes('anna')]
    zoe.types(SUPPORT, 'hello')
    await anna.reads(c(1), 'hello')
    anna.types(c(1), '!close')
    await anna.reads(c(1), /closed/)
    const mia = await d.comes('mia')
    await card(d, 1, { manager: 'mia@localhost' })
    zoe.types(SUPPORT, 'again')
    await mia.reads(c(2), 'again') // not Anna, who served last
    assert.equal((await d.rest('GET', '/api/v1/conversations/2', 'boss')).body.owner, 'mia@localhost')
  }, config({ support: { accept: 'automatic' } })))

  it('ST-21 ST-22 where agents take nobody is asked, and the account manager reads that it is for him', desk(STAFF, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    const zoe = await waits(d, 'zoe')
    assert.equal((await card(d, 1, { manager: 'ben@localhost' })).status, 200)
    anna.types(BOT, '!take 1')
    await anna.reads(BOT, /yours/)
    anna.types(c(1), '!close')
    await anna.reads(c(1), /closed/)
    zoe.types(SUPPORT, 'again')
    await ben.reads(BOT, /^✱ #2 Zoe waits for you, the account manager, Support: “again” — !take 2/)
    await anna.reads(BOT, /^✱ #2 Zoe waits, Support/)
    await d.later(300)
    assert.equal((await d.rest('GET', '/api/v1/conversations/2', 'boss')).body.state, 'waiting')
  }, PULL))

  it('a manager and a priority that the site has signed count like the card’s; what a customer fills in himself does not', webDesk(STAFF, async (d, url) => {
    const SECRET = 'a secret of the shop, 32 bytes long or more'
    const SHOP = 'https://shop.example.org'
    await set(d, { sites: { shop: { origins: [SHOP], keys: { first: { alg: 'HS256', secret: SECRET } } } }, fields: { manager: { label: 'Manager', ask: true }, priority: { label: 'Priority', ask: true } } })
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia')]
    const identity = await new SignJWT({ sub: 'alice', name: 'Alice', fields: { manager: 'Mia', priority: 'high' } }).setProtectedHeader({ alg: 'HS256' }).setAudience('shop').setExpirationTime(Math.floor(d.house.clock.now() / 1000) + 600).sign(new TextEncoder().encode(SECRET))
    using page = await Page.open(url, { site: 'shop', origin: SHOP })
    page.say({ type: 'hello', identity })
    await page.hears('welcome')
    await page.begin()
    await mia.reads(BOT, /New chat #1:/)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1/dossier', 'mia')).body.priority, 'high')
    mia.types(BOT, '!a')
    await mia.reads(BOT, /accepted/)
    await begins(await d.comes('eve'), { fields: { manager: 'Mia', priority: 'urgent' } })
    await ben.reads(BOT, /New chat #2:/) // the lesser load
    assert.equal((await d.rest('GET', '/api/v1/conversations/2/dossier', 'boss')).body.priority, 'normal')
  }))
})
