// Rows of the manuals that are decided without a wire.
import assert from 'node:assert/strict'
import { roundRobin, type Candidate } from '../../components/helpdesk/assigner.ts'
import { momentOf } from '../../components/helpdesk/spans.ts'

const agent = (id: string, more: Partial<Candidate> = {}): Candidate => ({ id, load: 0, capacity: 4, lastEnded: 5, lastAssigned: 5, show: 'available', ...more })

describe('round robin', () => {
  it('ST-29 RULE-C13 the time since the last assignment decides only after the time since the last chat ended', () => {
    assert.equal(roundRobin([agent('anna', { lastAssigned: 9 }), agent('ben', { lastAssigned: 3 })]), 'ben')
    assert.equal(roundRobin([agent('anna', { lastEnded: 4, lastAssigned: 9 }), agent('ben', { lastAssigned: 3 })]), 'anna')
  })
  it('RULE-C14 the share is the load of now, not the one to come', () => assert.equal(roundRobin([agent('sue', { capacity: 5 }), agent('bob', { capacity: 2 }), agent('joe', { capacity: 1, lastEnded: 1 })]), 'joe'))
})

describe('a moment', () => {
  const now = Date.parse('2026-11-20T10:00:00Z')
  const table: readonly [string, string | undefined][] = [
    ['30', '2026-11-20T10:30:00Z'], ['30m', '2026-11-20T10:30:00Z'], ['2h', '2026-11-20T12:00:00Z'], ['3 d', '2026-11-23T10:00:00Z'], ['1w', '2026-11-27T10:00:00Z'], ['2026-12-24', '2026-12-24T00:00:00Z'],
    ['2026-12-24T10:00Z', '2026-12-24T10:00:00Z'], ['2026-12-24 10:00', '2026-12-24T10:00:00Z'], ['2026-12-24T10:00+02:00', '2026-12-24T08:00:00Z'], ['0', undefined], ['2026-11-19', undefined], ['yesterday', undefined], ['2026-13-45', undefined], ['999999w', undefined],
  ]
  for (const [text, at] of table) it(`“${text}” is ${at ?? 'none'}`, () => assert.equal(momentOf(text, now), at === undefined ? undefined : Date.parse(at)))
})
