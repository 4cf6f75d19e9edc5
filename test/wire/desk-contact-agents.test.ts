// Agents in plain clients: transfers, internal chats, what is no command, the end of a conversation, lost connections, restarts.
import assert from 'node:assert/strict'
import { COMMANDS } from '../../components/helpdesk/commands.ts'
import { BOT, c, desk, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, accepted as talk, ONE, THREE } from '../harness/talks.ts'

describe('among agents', () => {
  it('OM-29 OM-31 a transfer is an offer, and only the acceptance moves the conversation', desk(THREE, async d => {
    const { anna, zoe } = await talk(d)
    const cleo = await d.comes('cleo')
    anna.types(c(1), '!t cleo she knows printers')
    await anna.reads(c(1), /offered to Cleo; it stays yours/)
    await cleo.reads(BOT, /Anna wants to transfer #1 to you.*!a.*!r/)
    anna.types(c(1), 'one moment')
    await zoe.reads(SUPPORT, 'one moment')
    cleo.types(BOT, '!a')
    await cleo.reads(c(1), 'one moment'.replace('one', 'Anna: one'))
    await anna.reads(BOT, /now with Cleo/)
    await zoe.reads(SUPPORT, '✱ Cleo joined.')
    anna.types(c(1), 'still there?')
    await anna.reads(c(1), /Not sent: Cleo serves/)
    cleo.types(c(1), 'here I am')
    await zoe.reads(SUPPORT, 'here I am')
    zoe.types(SUPPORT, 'good')
    await cleo.reads(c(1), 'good')
    assert.deepEqual((await zoe.all()).filter(t => t.includes('still') || t.includes('printers')), [])
  }))

  it('RULE-C4 a transfer that nobody answers comes back after a minute', desk(THREE, async d => {
    const { anna, zoe } = await talk(d)
    const cleo = await d.comes('cleo')
    anna.types(c(1), '!t cleo')
    await cleo.reads(BOT, /transfer/)
    await d.later(61)
    await anna.reads(c(1), /Cleo did not answer: #1 stays with you/)
    cleo.types(BOT, '!a')
    await cleo.reads(BOT, /Nothing is offered to you/)
    anna.types(c(1), 'still me')
    await zoe.reads(SUPPORT, 'still me')
  }))

  it('a transfer to a group leaves the giver out if another is free', desk(THREE, async d => {
    const { anna } = await talk(d)
    const ben = await d.comes('ben')
    anna.types(c(1), '!t group:support')
    await ben.reads(BOT, /New chat #1/)
    ben.types(BOT, '!a')
    await ben.reads(c(1), 'hello')
  }))

  it('OT-33 an invitation opens an internal chat, from which one watches or takes part', desk(THREE, async d => {
    const { anna, zoe } = await talk(d)
    const ben = await d.comes('ben')
    anna.types(c(1), '!i ben')
    await ben.reads(BOT, /Anna asks you into #1.*!a/)
    ben.types(BOT, '!a')
    const room = (await ben.sees(/Internal chat with Anna/)).from
    ben.types(room, 'what is it?')
    await anna.reads(room, 'what is it?')
    anna.types(room, 'a hard one')
    await ben.reads(room, 'a hard one')
    ben.types(room, '!obs')
    await ben.reads(c(1), 'hello')
    await anna.reads(c(1), /Ben is watching/)
    ben.types(c(1), 'oops')
    await ben.reads(c(1), /only watching/)
    ben.types(c(1), '!c ask for the model')
    await anna.reads(c(1), 'Ben (coaching): ask for the model')
    await zoe.readsNothing()
    ben.types(c(1), '!join')
    await zoe.reads(SUPPORT, '✱ Ben joined.')
    await anna.reads(c(1), /Ben takes part/)
    ben.types(c(1), 'I am Ben')
    await zoe.reads(SUPPORT, 'Ben: I am Ben')
    await anna.reads(c(1), 'Ben: I am Ben')
    ben.types(c(1), '!obs')
    await zoe.reads(SUPPORT, '✱ Ben left.')
  }))

  it('RULE-C8 ST-36 ST-64 a manager may watch, coach and take what he was not asked into; an agent may not', desk({ ...THREE, mia: 'manager' }, async d => {
    const { anna, zoe } = await talk(d)
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia')]
    ben.types(BOT, '!obs 1')
    await ben.reads(BOT, /no conversation #1 that you could see/)
    ben.types(BOT, '!who 1')
    await ben.reads(BOT, /no conversation #1 that you could see/)
    ben.types(c(1), 'psst')
    await ben.reads(c(1), /no conversation #1 that you could see/)
    ben.types(BOT, '!take 1')
    await ben.reads(BOT, /may not take it from others/)
    mia.types(BOT, '!obs 1')
    await mia.reads(c(1), 'hello')
    mia.types(BOT, '!c 1 be kind')
    await anna.reads(c(1), 'Mia (coaching): be kind')
    mia.types(BOT, '!take 1')
    await anna.reads(BOT, /Mia has taken #1/)
    mia.types(c(1), 'I am in charge')
    await zoe.reads(SUPPORT, 'I am in charge')
    assert.deepEqual((await zoe.all()).filter(t => t.includes('kind')), [])
  }))

  it('RULE-C25 what looks like a command and is none never reaches the customer', desk(ONE, async d => {
    const { anna, zoe } = await talk(d)
    for (const text of ['!tt ben', '/x', '//unknown', '!a\nsecond line', '!Hello!']) {
      anna.types(c(1), text)
      await anna.reads(c(1), /^✱ (Unknown command|Not done)/)
    }
    anna.types(c(1), '!say !bang')
    await zoe.reads(SUPPORT, '!bang')
    anna.types(c(1), '!!wow')
    await zoe.reads(SUPPORT, '!wow')
    anna.types(c(1), '/me waves')
    await zoe.reads(SUPPORT, '/me waves')
    await zoe.readsNothing()
  }))

  it('help tells what is possible now on less than a screen, and all or one command on request; the bot says so to who talks to it', desk({ anna: 'agent', mia: 'manager' }, async d => {
    const anna = await d.comes('anna')
    const help = async (who: Person, to: string, words = ''): Promise<string> => { who.types(to, `!help${words}`); return (await who.reads(to, /!help: this list|`!help\b|^✱ Usage|^✱ Commands/)).text }
    const short = async (who: Person, to: string): Promise<string> => { const text = await help(who, to); assert.ok(text.split('\n').length <= 20, text); return text }
    assert.match(await short(anna, BOT), /^✱ What you can do now:\nQueue: !q\n[\s\S]*\nWith a conversation: !t to \[comment\][\s\S]*!help: this list\..*$/)
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /New chat/)
    assert.match(await short(anna, BOT), /\nAnswer: !a \[number\] · !r \[number\]\nQueue: !q · !take/)
    anna.types(BOT, '!a')
    await anna.reads(c(1), 'hello')
    const serving = await short(anna, c(1))
    assert.match(serving, /^✱ What you can do now with #1 \(Zoe\):/)
    for (const word of ['!t to', '!i who', '!end', '!close', '!ticket', '!c text', '!who']) assert.ok(serving.includes(word), word)
    for (const word of ['!a ', '!take', '!leave', '!unhold', '!delete']) assert.ok(!serving.includes(word), word)
    const mia = await d.comes('mia')
    mia.types(BOT, '!obs 1')
    await mia.reads(BOT, /watching/)
    assert.match(await short(mia, c(1)), /\nWatch: !join \[number\] · !leave/)
    const all = await help(anna, BOT, ' all')
    for (const { word, permission } of COMMANDS) if (permission === 'chat.serve') assert.ok(all.includes(`!${word}`), word)
    assert.equal(await help(anna, BOT, ' transfer'), '✱ Usage: `!t to [comment]` (transfer to a colleague (who must accept) or to group:queue, with a comment if you like). Also !transfer.')
    anna.types(BOT, '!help nonsense')
    await anna.reads(BOT, /There is no command “nonsense”/)
    anna.types(SUPPORT, 'hello?')
    await anna.reads(SUPPORT, /!help/)
  }))
})

describe('the end of it', () => {
  it('OT-30 a ticket holds the whole public transcript once, and then the conversation is closed', deskWith({ queues: { support: { name: 'First aid' } } }, ONE, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), '!c secret')
    anna.types(c(1), 'bye')
    await zoe.reads(SUPPORT, 'bye')
    anna.types(c(1), '!ticket 7')
    await anna.reads(c(1), /no ticket 7; the conversation stays open/)
    anna.types(c(1), '!ticket')
    await anna.reads(c(1), /#1 stands in ticket 1, and is closed/)
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    const { BuiltinTickets } = await import('../../components/helpdesk/tickets/builtin.ts')
    const ticket = await new BuiltinTickets(d.house.stores.documents, 'help.localhost').get(1)
    assert.equal(ticket?.articles.length, 1)
    const body = ticket?.articles[0]?.body ?? ''
    assert.match(body, /^Conversation #1 with Zoe, First aid\n/)
    assert.equal(body.split('Zoe: hello').length, 2)
    assert.match(body, /Anna: bye/)
    assert.doesNotMatch(body, /secret/)
  }))

  it('SS-05 comes to who lost his agent two minutes ago: he is at the head of the queue again', desk(THREE, async d => {
    const { anna, zoe } = await talk(d)
    const ben = await d.comes('ben')
    anna.actor.says(`<presence type='unavailable'/>`)
    await anna.actor.fence()
    await d.quiet()
    await d.later(119)
    await ben.readsNothing()
    await d.later(2)
    await ben.reads(BOT, /New chat #1/)
    await zoe.reads(SUPPORT, /waiting for somebody/)
  }))
})

describe('an agent whose connection is lost', () => {
  const lost = async (d: DeskHouse): Promise<{ ben: Person; mia: Person; token: string }> => {
    const { anna } = await talk(d)
    anna.actor.says(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
    const token = String((await anna.actor.hears`<enabled xmlns='urn:xmpp:sm:3'/>`).attrs['id'])
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia')]
    mia.types(BOT, '!obs 1')
    await mia.reads(c(1), 'hello')
    anna.actor.leaves()
    await mia.reads(c(1), /Anna is away; #1 goes back to the queue in 120 s/)
    return { ben, mia, token }
  }

  it('RULE-C12 keeps the conversation for two minutes from the loss, though the session could still be resumed', desk({ ...THREE, mia: 'manager' }, async d => {
    const { ben } = await lost(d)
    await d.later(119)
    await ben.readsNothing()
    await d.later(2)
    await ben.reads(BOT, /New chat #1/)
  }))

  it('RULE-C12 keeps it for good when he comes back in time', desk({ ...THREE, mia: 'manager' }, async d => {
    const { ben, mia } = await lost(d)
    await d.later(60)
    await d.comes('anna')
    await mia.reads(c(1), /Anna is back/)
    await d.later(120)
    await ben.readsNothing()
  }))
})

describe('an operator', () => {
  it('who is none any more loses conversation and contacts, and the customer his wait', desk(THREE, async d => {
    const { anna, zoe } = await talk(d)
    const ben = await d.comes('ben')
    await d.house.stores.accounts.update({ ...(await d.house.stores.accounts.find('localhost', 'anna'))!, role: undefined! })
    d.house.host.tellPeople()
    await ben.reads(BOT, /New chat #1/)
    await anna.reads(BOT, /you are no operator any more/)
    anna.types(c(1), 'still me?')
    await anna.actor.hears`<message type='error' from='${c(1)}'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    assert.deepEqual((await zoe.all()).filter(t => t.includes('still')), [])
  }))

  it('ST-31 ST-32 ST-33 is paused in one queue, by himself or a manager, and the board shows it', desk({ ...THREE, mia: 'manager' }, async d => {
    const [anna, ben, mia] = [await d.comes('anna'), await d.comes('ben'), await d.comes('mia', '<presence><show>dnd</show></presence>')]
    mia.types(BOT, '!off support anna')
    await mia.reads(BOT, /Anna receives no new customers from Support/)
    anna.types(BOT, '!off support ben')
    await anna.reads(BOT, /may not change that for others/)
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await ben.reads(BOT, /New chat #1/)
    anna.types(BOT, '!board')
    const { text } = await anna.reads(BOT, /Anna: available · 0 of 4 chats · 1 of 2 queues/)
    assert.match(text, /Ben: available · 0 of 4 chats · 2 of 2 queues/) // asked is not serving
    assert.match(text, /Mia: not available/)
  }))

  it('with a negative priority is not there for customers', desk(ONE, async d => {
    await d.comes('anna', '<presence><priority>-1</priority></presence>')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /Nobody is here/)
  }))
})

describe('a restart', () => {
  it('finds offers, their deadlines, conversations and lines where they were', desk(THREE, async d => {
    const { anna, zoe } = await talk(d)
    const ben = await d.comes('ben')
    const yan = await d.comes('yan')
    yan.types(SUPPORT, 'me too')
    await ben.reads(BOT, /New chat #2/)
    await d.later(10)
    await d.restart()
    await d.quiet()
    for (const p of [anna, ben, zoe, yan]) await p.all()
    zoe.types(SUPPORT, 'still there?')
    await anna.reads(c(1), 'still there?')
    anna.types(c(1), 'yes')
    await zoe.reads(SUPPORT, 'yes')
    await d.later(11) // what was left of the offer's time
    await ben.reads(BOT, /no longer offered/)
    await anna.reads(BOT, /New chat #2/)
    anna.types(BOT, '!a')
    await anna.reads(c(2), 'me too')
  }))
})
