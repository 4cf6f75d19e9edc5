// The order in which agents are asked, each step decisive once.
import assert from 'node:assert/strict'
import { inTurn, pull, roundRobin, type Candidate } from '../../components/helpdesk/assigner.ts'
import type { Request } from '../../components/helpdesk/dispatch.ts'
import type { Place } from '../../components/helpdesk/facts.ts'
import { Line } from '../../components/helpdesk/line.ts'
import { nextStep } from '../harness/dispatch.ts'

const agent = (id: string, more: Partial<Candidate> = {}): Candidate => ({ id, load: 0, capacity: 4, lastEnded: undefined, lastAssigned: undefined, show: 'available', ...more })
const place = (since: number, more: Partial<Place> = {}): Place => ({ since, head: false, passed: [], preferred: [], spare: undefined, rest: undefined, ...more })
const request = (n: number, more: Partial<Place> = {}, queue = 'support'): Request => ({ n, queue, place: place(n, more) })

describe('round robin', () => {
  const decisive: readonly [string, Partial<Candidate>, Partial<Candidate>][] = [
    ['the lower share of capacity, though more chats', { load: 2, capacity: 5, lastEnded: 9 }, { load: 1, capacity: 2 }],
    ['fewer chats at the same share', { load: 1, capacity: 2, lastEnded: 9 }, { load: 2, capacity: 4 }],
    ['who ended a chat longer ago', { lastEnded: 5, lastAssigned: 9 }, { lastEnded: 6 }],
    ['who never ended one before who did', { lastAssigned: 9 }, { lastEnded: 1 }],
    ['who was assigned longer ago', { lastEnded: 5, lastAssigned: 3 }, { lastEnded: 5, lastAssigned: 4, show: 'chat' }],
    ['who was never assigned before who was', { lastEnded: 5 }, { lastEnded: 5, lastAssigned: 1, show: 'chat' }],
    ['presence chat', { show: 'chat' }, {}],
  ]
  for (const [what, a, b] of decisive) {
    it(`ST-27 RULE-C13 prefers ${what}`, () => {
      // The ids are against the winner, in both orders of the list: nothing but the named step decides.
      assert.equal(roundRobin([agent('z', a), agent('a', b)]), 'z')
      assert.equal(roundRobin([agent('a', b), agent('z', a)]), 'z')
    })
  }
  it('RULE-C13 decides by the id when all is equal', () => assert.equal(roundRobin([agent('b'), agent('a')]), 'a'))
  it('ST-28 RULE-C14 asks Joe: Sue of 5, Bob of 2, Joe of 1, all idle, Joe’s last chat longest ago', () => {
    assert.equal(roundRobin([agent('sue', { capacity: 5, lastEnded: 300 }), agent('bob', { capacity: 2, lastEnded: 200 }), agent('joe', { capacity: 1, lastEnded: 100 })]), 'joe')
  })
  it('ST-26 skips who is at his limit', () => {
    assert.equal(roundRobin([agent('a', { load: 1, capacity: 1 }), agent('b', { load: 3 })]), 'b')
    assert.equal(roundRobin([agent('a', { load: 4 }), agent('b', { load: 0, capacity: 0 })]), undefined)
  })
  it('is an order: it never depends on how the list is sorted', () => {
    const all = [agent('a', { load: 1 }), agent('b', { lastEnded: 3 }), agent('c', { show: 'chat' }), agent('d', { capacity: 2, load: 1 })]
    const sorted = all.toSorted(inTurn).map(x => x.id)
    assert.deepEqual(all.toReversed().toSorted(inTurn).map(x => x.id), sorted)
  })
  it('ST-21 ST-73 a pull queue never assigns', () => assert.equal(pull([agent('a')]), undefined))
})

describe('the line of those who wait', () => {
  const crew = [agent('a', { load: 1 }), agent('b')]
  it('is served from the front, and who was handed back stands before it', () => {
    assert.deepEqual(nextStep([request(2), request(1)], () => crew, 10), { do: 'offer', n: 1, to: 'b' })
    assert.deepEqual(nextStep([request(1), request(2, { head: true })], () => crew, 10), { do: 'offer', n: 2, to: 'b' })
  })
  it('does not let one whom nobody can serve hold up the others', () =>
    assert.deepEqual(nextStep([request(1, {}, 'billing'), request(2)], q => q === 'support' ? crew : [], 10), { do: 'offer', n: 2, to: 'b' }))
  it('asks the agent of the last time first, and not if he passed', () => {
    assert.deepEqual(nextStep([request(1, { preferred: ['a'] })], () => crew, 10), { do: 'offer', n: 1, to: 'a' })
    assert.deepEqual(nextStep([request(1, { preferred: ['gone', 'a', 'b'] })], () => crew, 10), { do: 'offer', n: 1, to: 'a' })
    assert.deepEqual(nextStep([request(1, { preferred: ['a'], passed: ['a'] })], () => crew, 10), { do: 'offer', n: 1, to: 'b' })
  })
  it('leaves out who gave it away, if another is free', () => {
    assert.deepEqual(nextStep([request(1, { spare: 'b' })], () => crew, 10), { do: 'offer', n: 1, to: 'a' })
    assert.deepEqual(nextStep([request(1, { spare: 'b' })], () => [agent('b')], 10), { do: 'offer', n: 1, to: 'b' })
  })
  it('rests when all who could have passed, and asks nobody until the rest is over', () => {
    assert.deepEqual(nextStep([request(1, { passed: ['a', 'b'] })], () => crew, 10), { do: 'rest', n: 1 })
    assert.equal(nextStep([request(1, { rest: 20 })], () => crew, 19), undefined)
    assert.deepEqual(nextStep([request(1, { rest: 20 })], () => crew, 20), { do: 'offer', n: 1, to: 'b' })
  })
  it('ST-70 ST-72 waits while nobody is there or all are full', () => {
    assert.equal(nextStep([request(1)], () => [], 10), undefined)
    assert.equal(nextStep([request(1)], () => [agent('a', { load: 4 })], 10), undefined)
  })
  it('ST-74 counts who is ahead in the same queue', () => {
    const all = [request(1), request(3), request(4, { head: true })]
    const line = new Line()
    for (const r of all) line.add(r)
    assert.deepEqual(all.map(r => line.before(r)), [1, 2, 0])
  })
})
