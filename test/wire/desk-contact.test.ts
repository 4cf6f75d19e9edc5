// Agents and customers in plain clients: the contact view end to end.
import assert from 'node:assert/strict'
import { COMMANDS } from '../../components/helpdesk/commands.ts'
import { BOT, c, config, desk, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'

const ONE = { anna: 'agent' } as const
const THREE = { anna: 'agent', ben: 'agent', cleo: 'agent' } as const

/** Zoe's conversation #1, served by Anna, with everything read away. */
async function talk(d: DeskHouse): Promise<{ anna: Person; zoe: Person }> {
  const anna = await d.comes('anna')
  const zoe = await d.comes('zoe')
  zoe.types(SUPPORT, 'hello')
  await anna.reads(BOT, /#1/)
  anna.types(BOT, '!a')
  await anna.reads(c(1), 'hello')
  await zoe.reads(SUPPORT, '✱ Anna joined.')
  await anna.reads(BOT, /accepted/)
  await d.quiet()
  for (const p of [anna, zoe]) await p.all()
  return { anna, zoe }
}

describe('a customer with a plain client', () => {
  it('FP-06 writes to the queue, is offered, accepted and answered', desk(ONE, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'my printer burns')
    const offer = await anna.reads(BOT, /#1/)
    assert.match(offer.text, /^✱ New chat #1: Zoe, Support: “my printer burns” — !a to accept, !r to pass \(20 s\)$/)
    anna.types(BOT, '!a')
    await anna.reads(c(1), /^✱ #1 Zoe <zoe@localhost>/)
    await anna.reads(c(1), 'my printer burns')
    await zoe.reads(SUPPORT, '✱ Anna joined.')
    anna.types(c(1), 'which one?\nthe big one?')
    await zoe.reads(SUPPORT, 'which one?\nthe big one?')
    zoe.types(SUPPORT, 'the big one 🔥')
    await anna.reads(c(1), 'the big one 🔥')
  }))

  it('ST-23 RULE-C16 hears that nobody is here when nobody receives', desk(ONE, async d => {
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /Nobody is here/)
  }))

  it('ST-74 hears how many are ahead, and when one of them is served', desk(ONE, async d => {
    const anna = await d.comes('anna')
    for (const [i, name] of ['zoe', 'yan'].entries()) {
      const p = await d.comes(name)
      p.types(SUPPORT, 'hello')
      await p.reads(SUPPORT, `✱ People ahead of you: ${i}`)
      if (i === 0) continue
      anna.types(BOT, '!a 1')
      await p.reads(SUPPORT, '✱ People ahead of you: 0')
    }
  }, config({ support: { agents: 'all' } }, { capacity: 4 })))

  it('is heard once, even if his client sends a line again', desk(ONE, async d => {
    const { anna, zoe } = await talk(d)
    zoe.types(SUPPORT, 'twice', 'same')
    zoe.types(SUPPORT, 'twice', 'same')
    zoe.types(SUPPORT, 'end')
    await anna.reads(c(1), 'end')
    assert.deepEqual(await anna.all(), ['c1: twice'])
  }))

  it('opens an ended conversation again with a line, and begins a new one after it is closed', desk(ONE, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), '!end')
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    anna.types(c(1), 'one more thing')
    await anna.reads(c(1), /has ended/)
    zoe.types(SUPPORT, 'wait')
    await anna.reads(c(1), 'wait')
    anna.types(c(1), '!close')
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    zoe.types(SUPPORT, 'hello again')
    await anna.reads(BOT, /New chat #2/)
  }))

  it('types, and is seen typing, and sees it', desk(ONE, async d => {
    const { anna, zoe } = await talk(d)
    zoe.actor.sends`<message type='chat' to='${SUPPORT}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
    await anna.actor.hears`<message from='${c(1)}/desk'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
    anna.actor.sends`<message type='chat' to='${c(1)}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
    await zoe.actor.hears`<message from='${SUPPORT}/desk'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
  }))

  it('RULE-C25 is seen typing no more when what was typed is for the desk alone', desk(ONE, async d => {
    const { anna, zoe } = await talk(d)
    for (const line of ['!q', '!n she is in a hurry', '/hello']) {
      anna.actor.sends`<message type='chat' to='${c(1)}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
      await zoe.actor.hears`<message from='${SUPPORT}/desk'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
      anna.types(c(1), line)
      await zoe.actor.hears`<message from='${SUPPORT}/desk'><paused xmlns='http://jabber.org/protocol/chatstates'/></message>`
    }
    anna.types(c(1), '!q') // nothing was announced, nothing is taken back
    anna.types(c(1), 'hello Zoe')
    await zoe.actor.hears`<message from='${SUPPORT}/desk'><body>hello Zoe</body></message>`
  }))

  it('is not told a conversation of somebody else, nor heard in it', desk(ONE, async d => {
    const { anna } = await talk(d)
    const eve = await d.comes('eve')
    eve.types(c(1), 'let me in')
    await eve.actor.hears`<message type='error' from='${c(1)}'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    eve.types(BOT, '!q')
    await eve.actor.hears`<message type='error' from='${BOT}'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    await anna.readsNothing()
  }))
})

describe('an offer', () => {
  it('ST-27 goes on to the next who lets it lapse or declines, and to nobody else', desk(THREE, async d => {
    const [anna, ben, cleo] = [await d.comes('anna'), await d.comes('ben'), await d.comes('cleo')]
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /New chat #1/)
    ben.types(BOT, '!a 1')
    await ben.reads(BOT, /offered to Anna, not to you/)
    await d.later(20)
    await anna.reads(BOT, /no longer offered to you: the time is up/)
    await ben.reads(BOT, /New chat #1/)
    anna.types(BOT, '!a 1')
    await anna.reads(BOT, /offered to Ben, not to you/)
    ben.types(BOT, '!r')
    await cleo.reads(BOT, /New chat #1/)
    cleo.types(BOT, '/a')
    await cleo.reads(c(1), 'hello')
    anna.types(BOT, '!a 1')
    await anna.reads(BOT, /Cleo was quicker/)
  }))

  it('is made again after a minute when all have passed', desk(ONE, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /New chat #1/)
    anna.types(BOT, '!r')
    await anna.reads(BOT, /passed on/)
    await d.later(59)
    await anna.readsNothing()
    await d.later(2)
    await anna.reads(BOT, /New chat #1/)
  }))

  it('RULE-C16 does not go to who is away, busy or paused', desk(THREE, async d => {
    const anna = await d.comes('anna', '<presence><show>away</show></presence>')
    const ben = await d.comes('ben', '<presence><show>dnd</show></presence>')
    const cleo = await d.comes('cleo')
    cleo.types(BOT, '!pause')
    await cleo.reads(BOT, /no new customers/)
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /People ahead/)
    await d.quiet()
    for (const p of [anna, ben, cleo]) await p.readsNothing()
    cleo.types(BOT, '!resume')
    await cleo.reads(BOT, /New chat #1/)
  }))

  it('ST-25 never asks more of an agent than he can', desk(ONE, async d => {
    const anna = await d.comes('anna')
    anna.types(BOT, '!max 1')
    await anna.reads(BOT, /at most 1/)
    for (const name of ['zoe', 'yan']) {
      const p = await d.comes(name)
      p.types(SUPPORT, name)
      await p.reads(SUPPORT, /People ahead/)
    }
    await anna.reads(BOT, /New chat #1/)
    await d.quiet()
    await anna.readsNothing()
    anna.types(BOT, '!a')
    await anna.reads(c(1), /zoe|yan/)
    anna.types(BOT, '!take 2')
    await anna.reads(BOT, /serves 1 of 1/)
    anna.types(c(1), '!close')
    await anna.reads(BOT, /New chat #2/)
  }))

  it('ST-21 ST-73 is not made in a queue that agents pull from; they hear of it and take it', desk(THREE, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    const zoe = await d.comes('zoe')
    zoe.types('billing@help.localhost', 'my bill')
    await anna.reads(BOT, /#1 Zoe waits, Billing.*!take 1/)
    await ben.reads(BOT, /#1 Zoe waits/)
    await d.later(300)
    ben.types(BOT, '!take')
    await ben.reads(c(1), 'my bill')
    anna.types(BOT, '!take 1')
    await anna.reads(BOT, /Ben serves it, and you may not/)
  }))

  it('is not asked where the queue accepts by itself', desk(ONE, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(c(1), 'hello')
  }, config({ support: { accept: 'automatic' } })))
})

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
  it('OT-30 a ticket holds the whole public transcript once, and then the conversation is closed', desk(ONE, async d => {
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
