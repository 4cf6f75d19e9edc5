// From hand to hand: offers too late, transfers to who cannot, agents who vanish, queues that nobody serves; nobody is lost, and nobody serves more than he can.
import assert from 'node:assert/strict'
import { Crowd, holds } from '../harness/crowd.ts'
import { BOT, c, config, desk, DESK, DeskHouse, type Person } from '../harness/desk.ts'
import { until } from '../harness/patience.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'

const API = '/api/v1'
type Json = Awaited<ReturnType<DeskHouse['rest']>>['body'] // of any shape
const command = (d: DeskHouse, n: number, word: string, who: string, body: object = {}): ReturnType<DeskHouse['rest']> => d.rest('POST', `${API}/conversations/${n}/commands/${word}`, who, body)
const one = async (d: DeskHouse, n: number): Promise<Json> => (await d.rest('GET', `${API}/conversations/${n}`, 'adam')).body
/** All of its history, page by page. */
async function happened(d: DeskHouse, n: number): Promise<{ type: string; by: string; text: string }[]> {
  const all: { type: string; by: string; text: string }[] = []
  for (let after = '0'; after;) {
    const { body } = await d.rest('GET', `${API}/conversations/${n}/history?after=${after}`, 'adam')
    all.push(...body.history)
    after = body.next ?? ''
  }
  return all
}
const set = async (d: DeskHouse, change: object): Promise<void> => { const { status, body } = await d.rest('PATCH', `${API}/settings`, 'adam', change); assert.equal(status, 200, JSON.stringify(body)) }
const goes = async (p: Person, presence = "<presence type='unavailable'/>"): Promise<void> => { p.actor.says(presence); await p.actor.fence() }
const THREE = { ...TEAM, cleo: 'agent' } as const

describe('an answer that comes too late', () => {
  it('SEC-D03 after the time, after the offer was taken back and after the customer has gone, is told so and assigns nothing', deskWith({}, TEAM, async d => {
    const [anna, crowd] = [await d.comes('anna'), await Crowd.of(d)]
    const late = async (n: number, expected = 410): Promise<void> => {
      const { status, body } = await command(d, n, 'a', 'anna')
      assert.equal(status, expected, JSON.stringify(body))
      assert.deepEqual((await one(d, n)).owners, [])
    }
    const lapsed = await crowd.begins('v1')
    await anna.reads(BOT, /New chat #1/)
    await d.later(21)
    await late(lapsed)
    anna.types(BOT, '!a 1')
    await anna.reads(BOT, /It is not offered to you now/)
    await crowd.ends('v1', lapsed)
    const revoked = await crowd.begins('v2')
    await anna.reads(BOT, /New chat #2/)
    await goes(anna, '<presence><show>dnd</show></presence>')
    await until(async () => (await one(d, revoked)).state === 'waiting', 'the offer is taken back')
    await late(revoked)
    await crowd.ends('v2', revoked)
    await goes(anna, '<presence/>')
    const left = await crowd.begins('v3')
    await anna.reads(BOT, /New chat #3/)
    await crowd.ends('v3', left)
    await late(left, 404)
    await holds(d)
  }))
})

describe('a transfer', function () {
  this.timeout(300_000)

  it('SEC-D07 to who is full, gone, unknown or of another place is refused, and the owner stays', deskWith({}, THREE, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    assert.equal((await d.rest('PATCH', `${API}/operators/ben@localhost`, 'adam', { capacity: 1 })).status, 200)
    await serves(d, ben, 1, 'yan', 'hello', `billing@${DESK}`)
    await serves(d, anna, 2, 'zoe', 'hello', `billing@${DESK}`)
    for (const [to, status] of [['ben', 409], ['cleo', 409], ['nobody', 404], ['ben@elsewhere.example', 404], ['group:nowhere', 404]] as const) {
      assert.equal((await command(d, 2, 't', 'anna', { to })).status, status, to)
      assert.deepEqual([(await one(d, 2)).state, (await one(d, 2)).owner], ['active', 'anna@localhost'], to)
    }
    await holds(d)
  }))

  it('SEC-D09 a hundred times around three agents: one conversation with one history, every line once and in order', deskWith({}, THREE, async d => {
    const ring = ['anna', 'ben', 'cleo'] as const
    for (const who of ring) await d.comes(who)
    const crowd = await Crowd.of(d)
    const n = await crowd.begins('v1', 'line 0', 'billing')
    assert.equal((await command(d, n, 'take', 'anna')).status, 200)
    for (let i = 1; i <= 100; i++) {
      const [from, to] = [ring[(i - 1) % 3], ring[i % 3]] as [string, string] // within the ring
      assert.equal((await command(d, n, 't', from, { to })).status, 200)
      await crowd.says('v1', n, `c${i}`, `line ${i}`)
      assert.equal((await command(d, n, 'a', to)).status, 200)
    }
    const read: string[] = []
    for (let from = 0; ;) { const page = await crowd.lines('v1', n, from); read.push(...page); if (page.length === 0) break; from = Number(page.at(-1)?.split(' ')[0]) }
    assert.deepEqual(read.map(l => Number(l.split(' ')[0])), read.map((_, i) => i + 1), 'no gap, none twice')
    assert.deepEqual(read.filter(l => l.includes('customer:')).map(l => l.split(': ')[1]), Array.from({ length: 101 }, (_, i) => `line ${i}`))
    assert.equal((await happened(d, n)).filter(h => h.type === 'transferred').length, 100)
    assert.equal((await one(d, n)).owner, 'ben@localhost')
    await holds(d)
  }))
})

describe('an agent who vanishes', function () {
  this.timeout(300_000)

  it('SEC-D12 and is back in half a minute keeps the conversation; in more than two it waits at the head of the queue, and the agent reads so', deskWith({}, TEAM, async d => {
    const anna = await d.comes('anna')
    const crowd = await Crowd.of(d)
    await crowd.begins('v1', 'hello', 'billing')
    await command(d, 1, 'take', 'anna')
    await d.later(1)
    await crowd.begins('v2', 'hello', 'billing')
    anna.actor.leaves()
    const away = async (): Promise<boolean> => (await happened(d, 1)).at(-1)?.type === 'detached'
    await until(away, 'her absence is noticed')
    await d.later(30)
    const again = await d.comes('anna')
    await until(async () => !await away(), 'she is back')
    await d.later(300)
    assert.deepEqual([(await one(d, 1)).state, (await one(d, 1)).owner], ['active', 'anna@localhost'])
    again.actor.leaves()
    await until(away, 'her absence is noticed')
    await d.later(130)
    assert.deepEqual([(await one(d, 1)).state, (await one(d, 1)).position, (await one(d, 2)).position], ['waiting', 0, 1])
    const back = await d.comes('anna')
    await back.reads(BOT, /#1 .*(back in|back to) the queue/)
    await holds(d)
  }))

  it('SEC-D16 the last of them: fifty who wait are told, keep their places, and hear when somebody is back', deskWith({}, TEAM, async d => {
    const anna = await d.comes('anna')
    const crowd = await Crowd.of(d)
    const zoe = await d.comes('zoe')
    zoe.types(`billing@${DESK}`, 'hello')
    await zoe.reads(`billing@${DESK}`, '✱ People ahead of you: 0')
    for (let i = 2; i <= 50; i++) await crowd.begins(`v${i}`, 'hello', 'billing')
    await goes(anna)
    await d.quiet()
    await d.later(29)
    assert.ok(!(await zoe.all()).some(t => t.includes('Nobody')), 'who comes back soon was not missed')
    await d.later(2)
    await zoe.reads(`billing@${DESK}`, '✱ Nobody is here right now; you keep your place. People ahead of you: 0')
    for (let i = 2; i <= 50; i++) assert.match(await crowd.news(`v${i}`), new RegExp(`position="${i - 1}".*text="Nobody is here right now; you keep your place\\. People ahead of you: ${i - 1}"`))
    await goes(anna, '<presence/>')
    await zoe.reads(`billing@${DESK}`, '✱ People ahead of you: 0')
    assert.doesNotMatch(await crowd.news('v50'), /Nobody/)
    // I3: each of them comes to an end.
    for (let n = 1; n <= 50; n++) { assert.equal((await command(d, n, 'take', 'anna')).status, 200); assert.equal((await command(d, n, 'close', 'anna')).status, 200) }
    assert.deepEqual((await d.rest('GET', `${API}/conversations?state=waiting`, 'adam')).body.conversations, [])
    await holds(d)
  }))
})

describe('a crowd and few agents', function () {
  this.timeout(300_000)
  const agents = Array.from({ length: 50 }, (_, i) => `a${i}`)
  const customers = Number(process.env['CUSTOMERS'] ?? 300)

  it(`SEC-D02 ${customers} customers, fifty agents with three places each: never more than three, at no moment of the log`, async () => {
    await using d = await DeskHouse.open({ ...Object.fromEntries(agents.map(a => [a, 'agent' as const])), adam: 'admin' }, config({ support: { accept: 'automatic' } }, { capacity: 3 }))
    for (const a of agents) await d.comes(a)
    const crowd = await Crowd.of(d)
    await Promise.all(Array.from({ length: customers }, (_, i) => crowd.begins(`v${i}`)))
    for (let left = customers; left > 0;) {
      const open = async (): Promise<Json[]> => (await d.rest('GET', `${API}/conversations?state=active&limit=200`, 'adam')).body.conversations
      await until(async () => (await open()).length === Math.min(left, 150), 'every place is taken')
      const now = await open()
      for (const a of agents) assert.ok(now.filter(s => s.owner === `${a}@localhost`).length <= 3, a)
      for (let i = 0; i < now.length; i += 50) for (const x of await Promise.all(now.slice(i, i + 50).map(s => command(d, s.number, 'close', s.owner.split('@')[0])))) assert.equal(x.status, 200, JSON.stringify(x.body))
      left -= now.length
    }
    await holds(d, 3)
  })
})

describe('two devices of one agent', () => {
  it('SEC-D13 both are asked; the acceptance on one is the answer of both, and takes one place', desk({ anna: 'agent', adam: 'admin' }, async d => {
    const pc = await d.comes('anna')
    const phone = await d.house.actor('anna', 'anna@localhost/phone')
    await phone.comesOnline()
    for (const device of [pc.actor, phone]) { device.sends`<iq type='set' id='cc'><enable xmlns='urn:xmpp:carbons:2'/></iq>`; await device.hears`<iq type='result' id='cc'/>` }
    const crowd = await Crowd.of(d)
    await crowd.begins('v1')
    const { text } = await pc.reads(BOT, /New chat #1/)
    await phone.hears`<message from='${BOT}/desk'><body>${text}</body></message>`
    phone.sends`<message type='chat' to='${BOT}' id='p1'><body>!a</body></message>`
    await pc.reads(c(1), 'hello')
    await phone.hears`<message><body>hello</body></message>`
    pc.types(BOT, '!a 1')
    await pc.reads(BOT, /accepted/)
    const card = (await d.rest('GET', `${API}/operators/anna@localhost`, 'adam')).body
    assert.equal(card.activeChats, 1)
    assert.equal((await happened(d, 1)).filter(h => h.type === 'accepted').length, 1)
    await holds(d)
  }))
})

describe('a queue whose agents do not answer', () => {
  it('SEC-D15 each silence is on record, the customer keeps the place, who comes when it is full goes elsewhere, and everybody’s request ends', deskWith({ queues: { support: { limit: 2, overflow: 'billing' } } }, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    const crowd = await Crowd.of(d)
    await crowd.begins('v1')
    for (const asked of [1, 2]) {
      await until(async () => (await happened(d, 1)).filter(h => h.type === 'offered').length === asked, 'the next one is asked')
      await d.later(21)
    }
    await until(async () => (await happened(d, 1)).some(h => h.type === 'exhausted'), 'both were asked')
    assert.deepEqual((await happened(d, 1)).filter(h => h.type === 'passed').map(h => h.text).sort(), ['Anna: lapsed', 'Ben: lapsed'])
    assert.deepEqual([(await one(d, 1)).state, (await one(d, 1)).position], ['waiting', 0])
    await crowd.begins('v2')
    assert.equal((await one(d, await crowd.begins('v3'))).queue, 'billing')
    await d.later(70)
    await until(async () => (await happened(d, 1)).filter(h => h.type === 'offered').length >= 3, 'they are asked again')
    for (const n of [1, 2, 3]) { await command(d, n, 'take', 'mia'); assert.equal((await command(d, n, 'close', 'mia')).status, 200) }
    void [anna, ben]
    await holds(d)
  }))
})

describe('changes from above', () => {
  it('SEC-D24 less capacity takes nobody away and lets nobody in; who no longer serves the queue is asked no more', deskWith({}, TEAM, async d => {
    const anna = await d.comes('anna')
    const crowd = await Crowd.of(d)
    for (const n of [1, 2, 3]) { await crowd.begins(`v${n}`); await command(d, n, 'take', 'anna') }
    assert.equal((await d.rest('PATCH', `${API}/operators/anna@localhost`, 'adam', { capacity: 1 })).status, 200)
    await crowd.begins('v4')
    await d.later(1)
    for (const n of [1, 2, 3]) assert.deepEqual([(await one(d, n)).state, (await one(d, n)).owner], ['active', 'anna@localhost'])
    assert.equal((await one(d, 4)).state, 'waiting')
    assert.equal((await command(d, 4, 'take', 'anna')).status, 409)
    for (const n of [1, 2, 3]) await command(d, n, 'close', 'anna')
    await until(async () => (await one(d, 4)).state === 'offered', 'who has room is asked')
    await d.comes('ben')
    assert.equal((await d.rest('PATCH', `${API}/queues/billing`, 'adam', { agents: ['anna@localhost'] })).status, 200)
    await set(d, { roles: { agent: { permissions: { 'chat.with.customers': true } } } })
    await anna.reads(BOT, /New chat #4/)
    assert.equal((await d.rest('PUT', `${API}/operators/anna@localhost/receiving`, 'adam', { active: false, queue: 'support' })).status, 200)
    await until(async () => (await one(d, 4)).state === 'offered' && (await happened(d, 4)).at(-1)?.text === 'offered to Ben', 'the offer went on')
    assert.equal((await happened(d, 4)).find(h => h.type === 'passed')?.text, 'Anna: revoked')
    assert.equal((await command(d, 4, 'a', 'anna')).status, 410)
    await holds(d)
  }))

  it('SEC-D26 a bot hands over three times: one entry in the queue', deskWith({}, TEAM, async d => {
    assert.equal((await d.rest('POST', `${API}/operators`, 'adam', { user: 'robo', password: 'pw', bot: true })).status, 201)
    const robo = await d.comes('robo')
    const crowd = await Crowd.of(d)
    await crowd.begins('v1')
    await robo.reads(BOT, /New chat #1/)
    robo.types(BOT, '!a')
    await robo.reads(c(1), 'hello')
    await goes(await d.comes('anna'), '<presence><show>away</show></presence>')
    for (let i = 0; i < 3; i++) robo.types(c(1), '!t group:billing', 'the-same')
    await robo.reads(c(1), /waits in Billing now/)
    const again = await Promise.all([1, 2, 3].map(() => command(d, 1, 't', 'robo', { to: 'group:billing' })))
    for (const x of again) assert.ok(x.status >= 400, JSON.stringify(x.body))
    assert.equal((await happened(d, 1)).filter(h => h.type === 'requeued').length, 1)
    assert.deepEqual((await d.rest('GET', `${API}/conversations?state=waiting`, 'adam')).body.conversations.map((s: Json) => s.number), [1])
    await holds(d)
  }))
})
