// Rows of the manuals about requests, colleagues and transfers, one by one.
import assert from 'node:assert/strict'
import { BOT, c, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, serves, talk, TEAM } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const says = async (p: Person, line: string, answer: RegExp, to = BOT): Promise<string> => { p.types(to, line); return (await p.reads(to, answer)).text }
const one = async (d: DeskHouse, who = 'mia') => (await d.rest('GET', '/api/v1/conversations/1', who)).body
const circles = async (d: DeskHouse): Promise<Record<string, string>> => Object.fromEntries((await one(d)).circles.map((x: { name: string; circle: string }) => [x.name, x.circle]))
/** Ben is asked into #1 by Anna, and has accepted: they talk alone. */
async function invites(d: DeskHouse): Promise<{ anna: Person; ben: Person; zoe: Person; room: string }> {
  const { anna, zoe } = await talk(d)
  const ben = await d.comes('ben')
  anna.types(c(1), '!i ben')
  await ben.reads(BOT, /asks you into #1/)
  ben.types(BOT, '!a')
  const room = (await ben.sees(/Internal chat with Anna/)).from
  await d.quiet()
  for (const p of [anna, ben, zoe]) await p.all()
  return { anna, ben, zoe, room }
}
const presence = async (d: DeskHouse, p: Person, show: string): Promise<void> => { p.actor.says(show === '' ? '<presence/>' : show === 'gone' ? "<presence type='unavailable'/>" : `<presence><show>${show}</show></presence>`); await p.actor.fence(); await d.quiet() }

describe('requests', () => {
  it('OT-05 customers, the public and agents are told apart in lists and lines', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), 'yes?')
    await zoe.reads(SUPPORT, 'yes?')
    assert.equal((await d.rest('GET', '/api/v1/lists/active', 'mia')).body.rows[0].kind, 'customer')
    const lines = (await d.rest('GET', '/api/v1/conversations/1/lines', 'mia')).body.lines
    assert.deepEqual(lines.map((l: { by: string }) => l.by), ['customer', 'desk', 'agent'])
  }))
  it('OT-17 a request can be read before it is accepted, and reading it assigns nothing', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'my printer burns')
    await anna.reads(BOT, /“my printer burns”/)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1/lines', 'anna')).body.lines[0].text, 'my printer burns')
    await says(anna, '!who 1', /#1 Zoe/)
    assert.deepEqual([(await one(d)).state, (await one(d)).owner], ['offered', null])
  }))
  it('OT-18 what a customer writes before the acceptance waits, and is shown with it', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    for (const text of ['one', 'two', 'three']) zoe.types(SUPPORT, text)
    await anna.reads(BOT, /New chat #1/)
    await d.quiet()
    assert.deepEqual((await anna.all()).filter(t => t.startsWith('c1')), [])
    anna.types(BOT, '!a')
    for (const text of ['one', 'two', 'three']) await anna.reads(c(1), text)
  }))
  it('OT-21 who comes later reads all that was said; what he may not do is not in his menu', deskWith({ ...CALM, roles: { agent: { title: 'Normal', base: 'agent', permissions: { 'chat.ticket': false } } } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), 'yes?')
    await zoe.reads(SUPPORT, 'yes?')
    const mia = await d.comes('mia')
    mia.types(BOT, '!join 1')
    await mia.reads(c(1), 'hello')
    await mia.reads(c(1), 'Anna: yes?')
    const menu = async (p: Person): Promise<string> => { p.actor.sends`<iq type='get' id='m' to='${c(1)}/desk'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>`; return String(await p.actor.hears`<iq type='result' id='m'/>`) }
    assert.match(await menu(mia), /#ticket"/)
    assert.doesNotMatch(await menu(anna), /#ticket"/)
    assert.match(await menu(anna), /#close"/)
  }))
  it('SS-11 the customer is told the number first, where the settings say so', deskWith({ ...CALM, conversation: { showNumber: true } }, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    assert.equal((await zoe.reads(SUPPORT, /^✱/)).text, '✱ This is conversation #1.')
    await anna.reads(BOT, /#1/)
  }))
  it('SS-11 and else is not', deskWith(CALM, TEAM, async d => {
    await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /People ahead/)
    assert.deepEqual((await zoe.all()).filter(t => t.includes('#1')), [])
  }))
  it('SS-09 comments on a customer come with each new chat, to the agent alone, where the settings say so', deskWith({ ...CALM, conversation: { userComment: true } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    const { items } = (await d.rest('GET', '/api/v1/customers', 'mia')).body
    assert.ok((await d.rest('POST', `/api/v1/customers/${items[0].id}/comments`, 'mia', { text: 'pays late' })).status < 300)
    await says(anna, '!close', /closed/, c(1))
    await zoe.all()
    zoe.types(SUPPORT, 'me again')
    await anna.reads(BOT, /#2/)
    anna.types(BOT, '!a')
    await anna.reads(c(2), /Comment of Mia: pays late/)
    await d.quiet()
    assert.deepEqual((await zoe.all()).filter(t => t.includes('late')), [])
  }))
})

describe('the circle', () => {
  it('OT-23 OT-24 OT-26 OT-27 OT-28 green is here, pink asked or gone, red paused, black logged out', deskWith({ ...CALM, handOff: { closed: { enabled: false } } }, TEAM, async d => {
    const { anna } = await talk(d)
    assert.deepEqual(await circles(d), { Anna: 'green' })
    const ben = await d.comes('ben')
    anna.types(c(1), '!i ben')
    await ben.reads(BOT, /asks you/)
    assert.deepEqual(await circles(d), { Ben: 'pink', Anna: 'green' })
    ben.types(BOT, '!join 1')
    await ben.reads(c(1), 'hello')
    assert.equal((await circles(d))['Ben'], 'green')
    await says(ben, '!leave', /left/, c(1))
    assert.equal((await circles(d))['Ben'], 'pink')
    await says(anna, '!off', /no new/)
    assert.equal((await circles(d))['Anna'], 'red')
    await says(anna, '!on', /receive/)
    await presence(d, anna, 'gone')
    assert.equal((await circles(d))['Anna'], 'black')
  }))
  it('OT-25 yellow is away, or unheard of for five minutes; any word makes it green', deskWith(CALM, TEAM, async d => {
    const { anna } = await talk(d)
    await presence(d, anna, 'away')
    assert.equal((await circles(d))['Anna'], 'yellow')
    await presence(d, anna, '')
    assert.equal((await circles(d))['Anna'], 'green')
    await d.later(301)
    assert.equal((await circles(d))['Anna'], 'yellow')
    await says(anna, '!mine', /#1/)
    assert.equal((await circles(d))['Anna'], 'green')
  }))
})

describe('colleagues', () => {
  it('OT-34 who is asked in chooses to watch or to take part; who is not, cannot', deskWith(CALM, { ...TEAM, cleo: 'agent' }, async d => {
    const { ben, room } = await invites(d)
    const cleo = await d.comes('cleo')
    for (const line of ['!obs 1', '!join 1']) await says(cleo, line, /no conversation #1/)
    await says(ben, '!obs', /You are watching #1/, room)
    await ben.reads(c(1), 'hello')
  }))
  it('OT-39 OT-41 OT-42 OT-44 it is on his list then; agents hear of an observer, all of who takes part, and the customer when he leaves', deskWith(CALM, TEAM, async d => {
    const { anna, ben, zoe, room } = await invites(d)
    ben.types(room, '!obs')
    await anna.reads(c(1), /Ben is watching/)
    await says(ben, '!mine', /#1 \(Zoe\).*observer/)
    await zoe.readsNothing()
    ben.types(c(1), '!join')
    await zoe.reads(SUPPORT, '✱ Ben joined.')
    await anna.reads(c(1), /Ben takes part/)
    ben.types(c(1), '!obs')
    await zoe.reads(SUPPORT, '✱ Ben left.')
    await anna.reads(c(1), /Ben is watching/)
  }))
  it('OT-37 two devices of an agent both see, and both can write', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    const phone = await d.house.actor('anna', 'anna@localhost/phone')
    await phone.comesOnline()
    phone.sends`<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>`
    await phone.hears`<iq type='result' id='carbons'/>`
    zoe.types(SUPPORT, 'to both')
    await anna.reads(c(1), 'to both')
    await phone.hears`<message><body>to both</body></message>`
    phone.sends`<message type='chat' to='${c(1)}' id='p1'><body>from the phone</body></message>`
    await zoe.reads(SUPPORT, 'from the phone')
    anna.types(c(1), 'from the desk')
    await zoe.reads(SUPPORT, 'from the desk')
  }))
  it('OT-31 a chat is appended to a ticket there is, and closes; to one there is not it stays open', deskWith(CALM, TEAM, async d => {
    const { anna } = await talk(d)
    await says(anna, '!ticket 9', /stays open/, c(1))
    assert.equal((await one(d)).state, 'active')
    await says(anna, '!newticket First', /Ticket 1/, c(1))
    await says(anna, '!ticket 1', /stands in ticket 1, and is closed/, c(1))
    assert.equal((await one(d)).state, 'closed')
    assert.equal((await d.rest('GET', '/api/v1/tickets/1', 'anna')).body.articles.length, 2)
  }))
  it('ST-65 ST-66 coaching is labelled, stands in the lines, and is answered with coaching', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    const mia = await d.comes('mia')
    await says(mia, '!obs 1', /watching/)
    await mia.reads(c(1), 'hello')
    mia.types(c(1), '!c ask for the model')
    await anna.reads(c(1), 'Mia (coaching): ask for the model')
    anna.types(c(1), '!c I will')
    await mia.reads(c(1), 'Anna (coaching): I will')
    await zoe.readsNothing()
    const lines = (await d.rest('GET', '/api/v1/conversations/1/lines', 'anna')).body.lines
    assert.deepEqual(lines.filter((l: { visibility: string }) => l.visibility === 'coaching').length, 2)
  }))
  it('ST-37 ST-68 RULE-C32 a transfer goes to a brand, a group, an agent or whoever comes next; the comment is for the chat’s agents', deskWith({ ...CALM, brands: { shop: { sites: ['web'] } }, sites: { web: { queue: 'billing' } } }, { ...TEAM, cleo: 'agent' }, async d => {
    const { anna, zoe } = await talk(d)
    const [ben, cleo] = [await d.comes('ben'), await d.comes('cleo')]
    await says(anna, '!t auto please go on', /waits in Support/, c(1))
    const to = (await Promise.race([ben.reads(BOT, /New chat #1/).then(() => ben), cleo.reads(BOT, /New chat #1/).then(() => cleo)]))
    to.types(BOT, '!a')
    await to.reads(c(1), 'Anna (note): please go on')
    await d.quiet()
    assert.deepEqual((await zoe.all()).filter(t => t.includes('please')), [])
    await says(to, '!t brand:shop', /waits in Billing/, c(1))
    assert.deepEqual([(await one(d)).queue, (await one(d)).state], ['billing', 'waiting'])
    await says(anna, '!take 1', /yours/)
    await says(anna, '!t brand:nowhere', /There is no brand “nowhere”. There are: shop/, c(1))
    await d.later(60)
    anna.types(c(1), '!t ben she has tried it twice')
    await ben.reads(BOT, /Anna wants to transfer #1 to you: Zoe, Billing: “she has tried it twice” — !a/) // it helps to decide
    for (const presence of ["<presence type='unavailable'/>", '<presence/>']) { ben.actor.says(presence); await ben.actor.fence(); await d.quiet() }
    await ben.reads(BOT, /Anna wants to transfer #1 to you: Zoe, Billing: “she has tried it twice” — !a/)
    ben.types(BOT, '!a')
    await ben.reads(c(1), /· Billing · waited 0:00\n/) // the wait, not the age
    await ben.reads(c(1), 'Anna (note): she has tried it twice')
  }))
  it('ST-72 RULE-C15 who has no room left gets the next when he closes one', deskWith({ ...CALM, distribution: { capacity: 1 } }, { anna: 'agent', mia: 'manager' }, async d => {
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe')
    const yan = await d.comes('yan')
    yan.types(SUPPORT, 'hello')
    await yan.reads(SUPPORT, /People ahead/)
    await anna.readsNothing()
    await says(anna, '!close', /closed/, c(1))
    await anna.reads(BOT, /New chat #2/)
  }))
  it('RULE-C26 RULE-C6 colleagues are listed by state, those who are logged in apart from those who are not', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await d.comes('ben', '<presence><show>away</show></presence>')
    const text = await says(anna, '!board', /Ben: away/)
    assert.match(text, /Mia: not here/)
    assert.doesNotMatch(await says(anna, '!here', /Ben: agent, away/), /Mia/)
    await says(anna, '!off billing', /from Billing/)
    await says(anna, '!board', /Anna: available .* 1 of 2 queues/)
  }))
})
