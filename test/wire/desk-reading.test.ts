// Who has read what: markers between a customer and the agents, each with the id its sender knows.
import assert from 'node:assert/strict'
import { c, SUPPORT } from '../harness/desk.ts'
import { deskWith, talk, TEAM } from '../harness/talks.ts'

const NS = 'urn:xmpp:chat-markers:0'
describe('reading', () => {
  it('each hears under his own id that his line was shown to the other, and a marker is no line', deskWith({ quality: { idleWarning: 0, idleCritical: 0 } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), 'yes?', 'anna-says')
    const got = (await zoe.reads(SUPPORT, 'yes?')).stanza
    assert.ok(got.getChild('markable', NS))
    zoe.actor.sends`<message type='chat' to='${SUPPORT}'><displayed xmlns='${NS}' id='${String(got.attrs['id'])}'/></message>`
    await anna.actor.hears`<message from='${c(1)}/desk'><displayed xmlns='${NS}' id='anna-says'/></message>`
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'mia')).body.customerRead, 3)
    zoe.types(SUPPORT, 'it burns', 'zoe-says')
    const line = (await anna.reads(c(1), 'it burns')).stanza
    assert.ok(line.getChild('markable', NS))
    anna.actor.sends`<message type='chat' to='${c(1)}'><displayed xmlns='${NS}' id='${String(line.attrs['id'])}'/></message>`
    await zoe.actor.hears`<message><displayed xmlns='${NS}' id='zoe-says'/></message>`
    assert.equal((await d.rest('GET', '/api/v1/conversations/1/lines', 'mia')).body.lines.length, 4)
  }))
  it('who only watches lets the customer know nothing', deskWith({ quality: { idleWarning: 0, idleCritical: 0 } }, TEAM, async d => {
    const { zoe } = await talk(d)
    const mia = await d.comes('mia')
    mia.types('desk@help.localhost', '!obs 1')
    const line = (await mia.reads(c(1), 'hello')).stanza
    mia.actor.sends`<message type='chat' to='${c(1)}'><displayed xmlns='${NS}' id='${String(line.attrs['id'])}'/></message>`
    await mia.actor.fence()
    await d.quiet()
    await zoe.actor.receivesNothing()
  }))
})
