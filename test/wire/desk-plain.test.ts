// What people read is true, whole and for them: requests before they are accepted, offers that are over, talks that were declined, words that came too late.
import assert from 'node:assert/strict'
import { BOT, c, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const TEAM = { anna: 'agent', ben: 'agent', mia: 'manager', adam: 'admin' } as const
const API = '/api/v1'

async function says(who: Person, text: string, answer: string | RegExp, to: string = BOT): Promise<string> {
  who.types(to, text)
  return (await who.reads(to, answer)).text
}
/** Anna is asked about Zoe. */
async function offered(d: DeskHouse, text = 'hello'): Promise<{ anna: Person; zoe: Person }> {
  const [anna, zoe] = [await d.comes('anna'), await d.comes('zoe')]
  zoe.types(SUPPORT, text)
  await anna.reads(BOT, /New chat #1/)
  await zoe.reads(SUPPORT, /ahead/)
  return { anna, zoe }
}

describe('what an agent is told', () => {
  it('ST-11 SEC-W34 a customer with an account here has the name of the account, before the first word, too; the name he calls himself by goes first, and is marked where it is one of the staff’s', deskWith(CALM, TEAM, async d => {
    await d.house.account('zoe', { name: 'Zoe Miller' })
    await d.house.account('yan')
    const [anna, zoe, yan] = [await d.comes('anna'), await d.comes('zoe'), await d.comes('yan')]
    for (const p of [zoe, yan]) { p.actor.says(`<presence to='${SUPPORT}'/>`); await p.actor.fence() }
    await d.quiet()
    const here = await says(anna, '!here', /customer/)
    for (const line of ['Zoe Miller <zoe@localhost>: customer', 'Yan <yan@localhost>: customer']) assert.ok(here.includes(line), here)
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /^✱ New chat #1: Zoe Miller, Support/)
    yan.types(SUPPORT, 'hello')
    await anna.reads(BOT, /^✱ New chat #2: Yan, Support/)
    const calls = async (name: string): Promise<void> => { yan.actor.says(`<message type='chat' to='${SUPPORT}'><body>I am ${name}</body><nick xmlns='http://jabber.org/protocol/nick'>${name}</nick></message>`); await yan.actor.fence(); await d.quiet() }
    const user = async (n: number): Promise<string> => (await d.rest('GET', `${API}/conversations/${n}`, 'mia')).body.customer.name
    for (const [name, shown] of [['Big Yan', 'Big Yan'], ['Anna', 'Anna (customer)'], ['Supp0rt', 'Supp0rt (customer)']] as const) {
      await calls(name)
      while (await user(2) !== shown) await d.quiet() // it is kept
    }
    yan.types(SUPPORT, 'once more')
    await d.quiet()
    assert.deepEqual([await user(1), await user(2)], ['Zoe Miller', 'Supp0rt (customer)'])
  }))
  it('OT-17 all that the customer has said can be read before it is accepted, and nothing is assigned by it', deskWith(CALM, TEAM, async d => {
    const long = `first ${'very '.repeat(40)}long line`
    const { anna, zoe } = await offered(d, long)
    zoe.types(SUPPORT, 'and a second one\nof two lines')
    while ((await d.rest('GET', `${API}/conversations/1/lines`, 'mia')).body.lines.length < 2) await d.quiet() // it is kept
    const text = await says(anna, '!who 1', /#1 Zoe/)
    assert.ok(text.includes(`Zoe: ${long}`) && text.endsWith('Zoe: and a second one\nof two lines'), text)
    assert.doesNotMatch(text, /0 conversations/)
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'mia')).body.state, 'offered')
    await zoe.readsNothing()
  }))

  it('ST-36 “take” without a number takes what is offered to who types it', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await offered(d)
    await says(anna, '!take', /#1 \(Zoe\) is yours/)
    await zoe.reads(SUPPORT, '✱ Anna joined.')
  }))

  it('ST-36 who was asked reads who has taken it', deskWith(CALM, TEAM, async d => {
    const { anna } = await offered(d)
    const mia = await d.comes('mia', '<presence><show>dnd</show></presence>')
    await says(mia, '!take 1', /yours/)
    await anna.reads(BOT, /no longer offered to you: Mia has taken it\./)
  }))

  it('ST-33 a chat that is only offered is no active one', deskWith(CALM, TEAM, async d => {
    const { anna } = await offered(d)
    const chats = async (): Promise<number> => (await d.rest('GET', `${API}/operators/anna@localhost`, 'mia')).body.activeChats
    assert.equal(await chats(), 0)
    assert.match(await says(anna, '!board', /Anna/), /Anna: available · 0 of 4 chats/)
    await says(anna, '!a', /accepted/)
    assert.equal(await chats(), 1)
  }))

  it('OT-03 OT-08 the list of what colleagues ask holds whom they ask for a talk, until the answer', deskWith(CALM, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    assert.match(await says(anna, '!im ben have you a minute?', /im1@/), /Write on to that address; Ben has still to accept\.$/)
    await ben.reads('im1@help.localhost', /Anna wants to talk/)
    await says(ben, '!list agents', /^✱ im1@help\.localhost Anna asks for a talk$/)
    ben.types('im1@help.localhost', '!a')
    await ben.reads('im1@help.localhost', /have you a minute\?$/)
    await says(ben, '!list agents', /There are none/)
  }))

  it('ST-86 a talk stands in the contact list as one, not as the colleague once more', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await d.comes('ben')
    anna.actor.says(`<iq type='get' id='list'><query xmlns='jabber:iq:roster'/></iq>`)
    await anna.actor.hears`<iq type='result' id='list'/>`
    await says(anna, '!im ben have you a minute?', /im1@/)
    await anna.actor.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='im1@help.localhost' name='Ben · talk'/></query></iq>`
  }))

  it('ST-31 a queue or colleague that is none is named, with the queues there are', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await says(anna, '!off nosuch', '✱ There is no queue and no colleague “nosuch”. Queues: support, billing.')
  }))

  it('ST-68 a brand or department that is none is named as such', deskWith({ ...CALM, departments: { money: { queues: ['billing'] } } }, TEAM, async d => {
    const { anna } = await offered(d)
    await says(anna, '!a', /accepted/)
    await says(anna, '!t brand:acme', '✱ There is no brand “acme”; none is set up.', c(1))
    await says(anna, '!t department:cash', '✱ There is no department “cash”. There are: money.', c(1))
  }))

  it('OM-19 ST-30 a name that is none says how names are written', deskWith(CALM, TEAM, async d => {
    const { status, body } = await d.rest('PATCH', `${API}/settings`, 'adam', { queues: { 'Bad Name': {} } })
    assert.deepEqual([status, body.errors], [422, [{ pointer: '/queues/Bad Name', detail: 'is no name: use small letters, digits, dots and dashes' }]])
  }))

  it('ST-59 who the customer of a past chat was can be asked by who served it, not by others, and not once it is deleted', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await offered(d)
    const [ben, mia] = [await d.comes('ben', '<presence><show>dnd</show></presence>'), await d.comes('mia', '<presence><show>dnd</show></presence>')]
    await says(anna, '!a', /accepted/)
    await says(anna, '!close', /closed/, c(1))
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    assert.match(await says(anna, '!who 1', /#1 Zoe/), /closed\nlasted 0:00/)
    await says(ben, '!who 1', /There is no conversation #1\./)
    await says(mia, '!delete 1 yes', /deleted/)
    await says(mia, '!who 1', /There is no conversation #1\./)
  }))

  it('ST-57 the history says what was done in words', deskWith(CALM, TEAM, async d => {
    const { anna } = await offered(d)
    await says(anna, '!a', /accepted/)
    await says(anna, '!subject Fire', /Subject/, c(1))
    await says(anna, '!label hot', /Label/, c(1))
    await says(anna, '!res water', /kept/, c(1))
    assert.match(await says(anna, '!history', /opened/, c(1)), /Anna sets the subject\n.*Anna adds a label\n.*Anna keeps a resolution$/)
  }))
})

describe('what a customer is told', () => {
  const MAY = { ...CALM, roles: { agent: { title: 'Normal', base: 'agent', permissions: { 'chat.start.customer': true } } } } as const

  it('OT-13 who declines reads so, and is offered no copy of what never was; the agent is not told that anything goes there', deskWith(MAY, TEAM, async d => {
    const [anna, zoe] = [await d.comes('anna'), await d.comes('zoe')]
    zoe.actor.says(`<presence to='${SUPPORT}'/>`)
    await zoe.actor.fence()
    await d.quiet()
    await says(anna, '!start zoe Your order is here', /is asked/)
    const { text } = await anna.reads(c(1), /^✱ #1 Zoe/)
    assert.match(text, /nothing you write goes there before the answer/)
    await zoe.reads(SUPPORT, /would like to talk/)
    zoe.types(SUPPORT, 'no')
    await zoe.reads(SUPPORT, '✱ You have declined.')
    await anna.reads(BOT, /Zoe has passed/)
    await d.quiet()
    await zoe.readsNothing()
    await says(anna, '!start zoe Really', /#2: Zoe is asked/)
    await d.later(300)
    await zoe.reads(SUPPORT, '✱ Nobody waits for your answer any more.')
  }))

  it('OT-14 a word for afterwards that comes too late, twice or unasked begins no conversation', deskWith({ ...CALM, conversation: { ticketAtEnd: false } }, TEAM, async d => {
    const { anna, zoe } = await offered(d)
    await says(anna, '!a', /accepted/)
    await zoe.reads(SUPPORT, '✱ Anna joined.')
    await says(zoe, '!end', '✱ You have ended the chat.', SUPPORT)
    for (const word of ['!rate 5', '!ticket', '!mail zoe@example.org']) await says(zoe, word, '✱ That is not possible for the chat that is over.', SUPPORT)
    await says(zoe, '!end', '✱ The chat has ended already.', SUPPORT)
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'mia')).body.state, 'ended')
    zoe.types(SUPPORT, 'one more thing')
    await anna.reads(c(1), 'one more thing')
  }))

  it('ST-53 a transcript names the customer where the customer was told “you”, and every agent who served', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await offered(d)
    await says(anna, '!a', /accepted/)
    await zoe.reads(SUPPORT, '✱ Anna joined.')
    await says(zoe, '!end', '✱ You have ended the chat.', SUPPORT)
    await anna.reads(c(1), /Zoe has ended/)
    await says(anna, '!close', /closed/, c(1))
    const { body, status } = await text(d, '/conversations/1/transcript.txt')
    assert.equal(status, 200)
    assert.match(body, /^Agents: Anna$/m)
    assert.match(body, /\* Zoe has ended the chat\.$/m)
    assert.doesNotMatch(body, /You /)
  }))
})

async function text(d: DeskHouse, path: string): Promise<{ status: number; body: string }> {
  const { token } = await d.address('mia')
  const answer = await fetch(`${await d.url()}${API}${path}`, { headers: { authorization: `Bearer ${token}` } })
  return { status: answer.status, body: await answer.text() }
}
