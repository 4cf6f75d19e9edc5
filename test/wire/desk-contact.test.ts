// Agents and customers in plain clients: the contact view end to end.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, SUPPORT } from '../harness/desk.ts'
import { accepted as talk, ONE, THREE } from '../harness/talks.ts'

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
