// Lines that are kept in order, and what is in each operator's hands: the same as if all were looked at.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { inLine, type Request } from '../../components/helpdesk/dispatch.ts'
import type { Present, State } from '../../components/helpdesk/facts.ts'
import { Hands } from '../../components/helpdesk/hands.ts'
import { Line } from '../../components/helpdesk/line.ts'

const request = fc.record({ n: fc.integer({ min: 1, max: 60 }), since: fc.integer({ min: 0, max: 5 }), head: fc.boolean(), start: fc.constantFrom(undefined, 0, 3, -3) })
  .map(({ n, since, head, start }): Request => ({ n, queue: 'support', place: { since, head, passed: [], preferred: [], spare: undefined, rest: undefined }, ...(start === undefined ? {} : { start }) }))

describe('a line', () => {
  it('ST-74 stands as if it were sorted anew after each change, and knows each one’s place', () => {
    fc.assert(fc.property(fc.array(request, { maxLength: 200 }), all => {
      const line = new Line()
      const by = new Map<number, Request>()
      for (const r of all) {
        const old = by.get(r.n)
        if (old) { line.remove(old); by.delete(r.n) } else { line.add(r); by.set(r.n, r) }
        const sorted = [...by.values()].sort(inLine)
        assert.deepEqual(line.all.map(x => x.n), sorted.map(x => x.n))
        assert.deepEqual(sorted.map(x => line.before(x)), sorted.map((_, i) => i))
      }
    }))
  })
})

describe('an operator’s hands', () => {
  const jid = fc.constantFrom('a', 'b', 'c')
  const state: fc.Arbitrary<State> = fc.oneof(
    fc.constant({ is: 'absent' } as State), fc.constant({ is: 'closed', crew: { a: 'observer' }, invitations: [] } as unknown as State),
    fc.record({ is: fc.constantFrom('waiting', 'active', 'ended'), owner: jid, crew: fc.dictionary(jid, fc.constant('participant')), invitations: fc.array(fc.record({ id: fc.string(), by: jid, who: jid, until: fc.constantFrom(undefined, 5) }), { maxLength: 2 }) }) as unknown as fc.Arbitrary<State>, // as much of a state as is looked at
  )
  it('hold what is theirs after any commits, and nothing that is over', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), state), { maxLength: 60 }), commits => {
      const hands = new Hands()
      const states = new Map<number, State>()
      for (const [n, s] of commits) { hands.note(n, s); states.set(n, s) }
      for (const who of ['a', 'b', 'c']) {
        const mine = [...states].filter(([, s]) => s.is !== 'absent' && s.is !== 'closed' && concerns(s, who)).map(([n]) => n)
        assert.deepEqual([...hands.of(who)].sort(), mine.sort())
      }
    }))
  })
})

const concerns = (s: Present, who: string): boolean => ((s.is === 'active' || s.is === 'ended') && s.owner === who) || s.crew[who] !== undefined || s.invitations.some(i => i.by === who || i.who === who)
