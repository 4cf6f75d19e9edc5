// How a new chat shows itself: in a window of its own, or in the list until the agent looks.
import assert from 'node:assert/strict'
import { BOT, c, SUPPORT } from '../harness/desk.ts'
import { deskWith, TEAM } from '../harness/talks.ts'

describe('a new chat', () => {
  it('ST-34 opens a window, or for who prefers it stands quietly in the list until it is opened', deskWith({ quality: { idleWarning: 0, idleCritical: 0 } }, TEAM, async d => {
    const anna = await d.comes('anna')
    anna.types(BOT, '!announce quiet')
    await anna.reads(BOT, /until you look/)
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /New chat #1/)
    anna.types(BOT, '!a')
    await anna.reads(BOT, /#1 \(Zoe\) stands in your list; !open 1 shows it/)
    await d.quiet()
    assert.deepEqual((await anna.all()).filter(t => t.startsWith('c1')), [])
    anna.types(BOT, '!open')
    await anna.reads(c(1), /^✱ #1 Zoe/)
    await anna.reads(c(1), 'hello')
    anna.types(BOT, '!announce window')
    await anna.reads(BOT, /window of their own/)
    const yan = await d.comes('yan')
    yan.types(SUPPORT, 'me too')
    await anna.reads(BOT, /New chat #2/)
    anna.types(BOT, '!a')
    await anna.reads(c(2), 'me too')
    anna.types(BOT, '!open 9')
    await anna.reads(BOT, /not in this conversation|no conversation/)
  }))
})
