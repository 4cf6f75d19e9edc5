// The logs, replayed from zero, are the desk as it lives: for a scene in which a little of everything happens, and somebody is erased.
import assert from 'node:assert/strict'
import { BOT, c, DESK, SUPPORT } from '../harness/desk.ts'
import { replay, settled } from '../harness/invariants.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'
import { isQueued } from '../../components/helpdesk/states.ts'

describe('the logs of a desk', () => {
  it('SEC-D29 replayed from zero give the live state; what was erased stays erased', deskWith({}, TEAM, async d => {
    const { stores } = d.house
    const anna = await d.comes('anna')
    const ben = await d.comes('ben')
    await serves(d, anna, 1, 'zoe', 'my pump is broken')
    anna.types(c(1), '!i ben')
    await ben.reads(BOT, /asks you into #1/)
    ben.types(BOT, '!a')
    await ben.reads(BOT, /accepted/)
    ben.types(BOT, '!obs 1')
    await ben.reads(BOT, /watching/)
    anna.types(c(1), '!t ben please')
    await ben.reads(BOT, /transfer/)
    ben.types(BOT, '!a')
    await ben.reads(BOT, /accepted/)
    const yan = await serves(d, anna, 2, 'yan', 'an invoice')
    anna.types(c(2), '!ticket')
    await anna.reads(c(2), /ticket 1/)
    await serves(d, anna, 3, 'xenia', 'a question')
    anna.types(c(3), '!end')
    await anna.reads(c(3), /has ended/)
    yan.types(SUPPORT, 'once more')
    await anna.reads(BOT, /#4/)
    const xenia = (await d.rest('GET', '/api/v1/conversations/3/customer', 'mia')).body.id
    assert.equal((await d.rest('POST', `/api/v1/customers/${xenia}/erase`, 'adam', { confirm: xenia })).status, 200)
    await d.later(3)

    const compared = async (): Promise<void> => {
      const replayed = await replay(stores, DESK, 4)
      await settled(stores, DESK, replayed)
      for (const [n, s] of replayed.states) {
        if (s.is === 'absent') continue
        const { status, body } = await d.rest('GET', `/api/v1/conversations/${n}`, 'mia')
        if (s.deleted !== undefined) { assert.equal(status, 404); continue }
        const owner = s.is === 'active' || s.is === 'ended' || s.is === 'closed' ? s.owner ?? null : null
        assert.deepEqual([body.state, body.queue, body.owner, body.owners, body.lines, body.participants.map((p: { jid: string }) => p.jid), 'position' in body], [s.is, s.queue, owner, s.owners, s.lines, Object.entries(s.crew).flatMap(([jid, role]) => role === 'invited' ? [] : [jid]), isQueued(s)], `#${n}`)
      }
    }
    await compared()
    assert.equal((await d.rest('GET', '/api/v1/conversations?name=xenia', 'mia')).body.conversations.length, 0)
    await d.restart()
    await d.later(3)
    await compared()
    assert.equal((await d.rest('GET', '/api/v1/conversations/3', 'mia')).status, 404)
    assert.equal((await stores.documents.range('desk-lines', `${DESK}/3`, { limit: 10 })).length, 0)
  }))
})
