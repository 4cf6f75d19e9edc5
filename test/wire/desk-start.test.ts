// Agents who begin: with a customer, who must accept, and with a colleague.
import assert from 'node:assert/strict'
import { BOT, c, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'

const MAY = { quality: { idleWarning: 0, idleCritical: 0 }, roles: { agent: { title: 'Normal', base: 'agent', permissions: { 'chat.start.customer': true } } } }
const ASKED = '✱ The helpdesk would like to talk with you: “Your order is here” Write anything to accept, or “no”.'
/** Zoe is logged in, and lets the desk know. */
async function logsIn(d: DeskHouse, name = 'zoe'): Promise<Person> {
  const p = await d.comes(name)
  p.actor.says(`<presence to='${SUPPORT}'/>`)
  await p.actor.fence()
  await d.quiet()
  await p.all()
  return p
}
const says = async (p: Person, line: string, answer: RegExp, to = BOT): Promise<string> => { p.types(to, line); return (await p.reads(to, answer)).text }
const both = async (d: DeskHouse): Promise<{ anna: Person; zoe: Person }> => ({ anna: await d.comes('anna'), zoe: await logsIn(d) })

describe('an agent who begins with a customer', () => {
  it('FP-08 RULE-C1 may not, unless an admin grants it', deskWith({}, TEAM, async d => {
    const { anna, zoe } = await both(d)
    await says(anna, '!start zoe Your order is here', /You may not do that/)
    await zoe.readsNothing()
    assert.equal((await d.rest('POST', '/api/v1/commands/start', 'anna', { customer: 'zoe', text: 'x' })).status, 403)
  }))
  it('OT-10 OT-12 OT-13 RULE-C1 SS-07 asks with a first line, without a name, and is heard only after the customer has accepted', deskWith(MAY, TEAM, async d => {
    const { anna, zoe } = await both(d)
    const ben = await d.comes('ben')
    await says(anna, '!start zoe Your order is here', /#1: Zoe is asked/)
    await zoe.reads(SUPPORT, ASKED)
    await says(anna, 'hello?', /not accepted yet/, c(1))
    await says(anna, '!t ben', /not accepted yet/, c(1))
    await ben.readsNothing()
    await d.quiet()
    await zoe.readsNothing()
    zoe.types(SUPPORT, 'oh, good')
    await anna.reads(c(1), /Zoe has accepted/)
    await anna.reads(c(1), 'oh, good')
    await zoe.reads(SUPPORT, '✱ Anna joined.')
    anna.types(c(1), 'come and get it')
    await zoe.reads(SUPPORT, 'come and get it')
    await ben.readsNothing()
  }))
  it('SS-07 shows the name where the settings say so', deskWith({ ...MAY, conversation: { aliasOnInvitations: true } }, TEAM, async d => {
    const { anna, zoe } = await both(d)
    await says(anna, '!start zoe Your order is here', /is asked/)
    await zoe.reads(SUPPORT, /^✱ Anna would like to talk/)
  }))
  it('OT-13 hears when the customer declines, or lets it lapse', deskWith(MAY, TEAM, async d => {
    const { anna, zoe } = await both(d)
    await says(anna, '!start zoe Your order is here', /is asked/)
    await zoe.reads(SUPPORT, ASKED)
    zoe.types(SUPPORT, 'no')
    await anna.reads(BOT, /Zoe has passed; #1 is closed/)
    await says(anna, '!start zoe Your order is here', /#2: Zoe is asked/)
    await d.later(300)
    await anna.reads(BOT, /Zoe did not answer; #2 is closed/)
    await says(anna, '!mine', /no conversations/)
  }))
  it('OT-10 OT-53 reaches only who is logged in and may chat; the list says who that is', deskWith(MAY, TEAM, async d => {
    const { anna, zoe } = await both(d)
    await d.comes('ben')
    const text = await says(anna, '!here', /Zoe/)
    assert.match(text, /Ben: agent, available, can chat/)
    assert.match(text, /Zoe <zoe@localhost>: customer, can chat/)
    await says(anna, '!start yan Hello', /“yan” is not logged in/)
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { roles: { customer: { title: 'Customer', base: 'agent', permissions: { 'chat.with.agents': false } } } })).status, 200)
    assert.doesNotMatch(await says(anna, '!here', /Zoe/), /customer, can chat/)
    await says(anna, '!start zoe Hello', /Zoe may not chat/)
    zoe.actor.says(`<presence type='unavailable'/>`)
    await zoe.actor.fence()
    await d.quiet()
    assert.doesNotMatch(await says(anna, '!here', /Ben/), /Zoe/)
    await says(anna, '!start zoe Hello', /not logged in/)
  }))
  it('OT-11 may name the customer by a conversation or a ticket', deskWith(MAY, TEAM, async d => {
    const { anna, zoe } = await both(d)
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /#1/)
    await says(anna, '!take 1', /yours/)
    await says(anna, '!start #1 again', /#1 with Zoe is open already/)
    await says(anna, '!newticket Late', /Ticket 1/, c(1))
    await says(anna, '!close', /closed/, c(1))
    await says(anna, '!start #1 Your order is here', /#2: Zoe is asked/)
    await zoe.reads(SUPPORT, ASKED)
    zoe.types(SUPPORT, 'no')
    await anna.reads(BOT, /#2 is closed/)
    await says(anna, '!start ticket:1 Your order is here', /#3: Zoe is asked/)
  }))
  it('SEC-A02 who may not see a conversation or a ticket learns nothing of the customer by its number', deskWith(MAY, TEAM, async d => {
    const { anna, zoe } = await both(d)
    const ben = await d.comes('ben')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /#1/)
    await says(anna, '!take 1', /yours/)
    await ben.all()
    await says(ben, '!start #1 psst', /There is no #1\.$/)
    await says(anna, '!close', /closed/, c(1))
    await says(ben, '!start #1 psst', /There is no #1\.$/)
    await says(ben, '!start #99 psst', /There is no #99\.$/)
  }))
  it('OT-07 must write a first line', deskWith(MAY, TEAM, async d => {
    const { anna, zoe } = await both(d)
    await says(anna, '!start zoe', /Usage/)
    assert.equal((await d.rest('POST', '/api/v1/commands/start', 'anna', { customer: 'zoe', text: ' ' })).status, 409)
    await zoe.readsNothing()
  }))
  it('FP-06 customers begin with agents', deskWith({}, TEAM, async d => { await serves(d, await d.comes('anna'), 1, 'zoe') }))
})
