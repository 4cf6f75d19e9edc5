import assert from 'node:assert/strict'
import { Handled, readH, Unacked } from '../../../server/stream/sm.ts'
import { Stanza, type AnyStanza } from '../../../server/stanza/stanza.ts'

const LAST = 2 ** 32 - 1
const message = (id: string): AnyStanza => Stanza.of('message', { type: 'chat', id }) as AnyStanza
const ids = (u: Unacked): (string | undefined)[] => u.all.map(s => s.stanza.head.id)

describe('what was sent and not acknowledged', () => {
  it('SEC-S04 is counted on from zero after 2^32 − 1', () => {
    const u = new Unacked({ stanzas: 10, bytes: 1000 }, LAST - 1)
    for (const id of ['a', 'b', 'c']) u.push(message(id), 1, 0)
    assert.equal(u.sent, 1)
    assert.equal(u.acknowledge(LAST), true)
    assert.deepEqual(ids(u), ['b', 'c'])
    assert.equal(u.acknowledge(0), true)
    assert.deepEqual(ids(u), ['c'])
    assert.equal(u.acknowledge(2), false)
    assert.equal(u.acknowledge(LAST), false)
    assert.equal(u.acknowledge(1), true)
    assert.deepEqual(ids(u), [])
  })

  it('SEC-S11 is full by number and by size', () => {
    const few = new Unacked({ stanzas: 1, bytes: 1000 })
    few.push(message('a'), 10, 0)
    assert.equal(few.full, false)
    few.push(message('b'), 10, 0)
    assert.equal(few.full, true)
    const small = new Unacked({ stanzas: 10, bytes: 15 })
    small.push(message('a'), 10, 0)
    small.push(message('b'), 10, 0)
    assert.equal(small.full, true)
    small.acknowledge(1)
    assert.equal(small.full, false)
    for (let i = 0; i < 5; i++) few.push(Stanza.of('presence', { type: 'available' }) as AnyStanza, 1, 0)
    few.acknowledge(1)
    assert.equal(few.full, false, 'the presence of many contacts is not what fills it')
  })
})

describe('what was received', () => {
  it('SEC-S04 is counted on from zero after 2^32 − 1, also while something is held', async () => {
    const h = new Handled(LAST)
    const commit = Promise.withResolvers<void>()
    h.next()
    assert.equal(h.h, 0)
    h.hold(commit.promise)
    assert.equal(h.h, LAST)
    let told = false
    h.whenCommitted(() => { told = true })
    h.next()
    assert.equal(h.h, LAST)
    commit.resolve()
    await commit.promise
    assert.equal(told, true)
    assert.equal(h.h, 1)
  })

  it('is acknowledged up to the first that is not committed, in whatever order commits come', async () => {
    const h = new Handled()
    const commits = [1, 2, 3].map(() => Promise.withResolvers<void>())
    const told: number[] = []
    for (const [i, c] of commits.entries()) { h.next(); h.hold(c.promise); h.whenCommitted(() => told.push(i + 1)) }
    commits[1]!.resolve()
    await commits[1]!.promise
    assert.equal(h.h, 0)
    assert.deepEqual(told, [])
    commits[0]!.resolve()
    await commits[0]!.promise
    assert.equal(h.h, 2)
    assert.deepEqual(told, [1, 2])
    commits[2]!.resolve()
    await commits[2]!.promise
    assert.equal(h.h, 3)
    assert.deepEqual(told, [1, 2, 3])
  })

  it('SEC-S03 is what can be a counter', () => {
    assert.equal(readH('0'), 0)
    assert.equal(readH('4294967295'), LAST)
    for (const wrong of [undefined, '', 'abc', '-1', '4294967296', '1.5', '1e3', ' 1', '99999999999']) assert.equal(readH(wrong), undefined)
  })
})
