// Agents and customers in plain clients: the contact view end to end.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, SUPPORT } from '../harness/desk.ts'

const ONE = { anna: 'agent' } as const
const THREE = { anna: 'agent', ben: 'agent', cleo: 'agent' } as const

describe('a customer with a plain client', () => {
  it('writes to the queue, is offered, accepted and answered', desk(ONE, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'my printer burns')
    const offer = await anna.reads(BOT, /#1/)
    assert.match(offer.text, /^✱ New chat #1: Zoe, Support: “my printer burns”\. !a to accept, !r to pass \(20 s\)/)
    anna.types(BOT, '!a')
    await anna.reads(c(1), /^✱ #1 Zoe <zoe@localhost>/)
    await anna.reads(c(1), 'my printer burns')
    await zoe.reads(SUPPORT, '✱ Anna joined.')
    anna.types(c(1), 'which one?\nthe big one?')
    await zoe.reads(SUPPORT, 'which one?\nthe big one?')
    zoe.types(SUPPORT, 'the big one 🔥')
    await anna.reads(c(1), 'the big one 🔥')
  }))
})
