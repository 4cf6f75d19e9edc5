import assert from 'node:assert/strict'
import { flagsOf, inbound, isWatched, isWatcher, outbound, stateOf, type State, type Step, type SubscriptionType } from '../../../server/account/subscription.ts'

// RFC 6121 appendix A, one table after the other as they stand there: state → does it pass, what it becomes ('' = no change).
type Row = readonly [State, pass: boolean, next: State | '']
const OUT: Record<SubscriptionType, readonly Row[]> = {
  subscribe: [ // table 2
    ['N', true, 'No'], ['No', true, ''], ['Ni', true, 'Noi'], ['Noi', true, ''], ['T', true, ''], ['Ti', true, ''], ['F', true, 'Fo'], ['Fo', true, ''], ['B', true, ''],
  ],
  unsubscribe: [ // table 3
    ['N', true, ''], ['No', true, 'N'], ['Ni', true, ''], ['Noi', true, 'Ni'], ['T', true, 'N'], ['Ti', true, 'Ni'], ['F', true, ''], ['Fo', true, 'F'], ['B', true, 'F'],
  ],
  subscribed: [ // table 4
    ['N', false, ''], ['No', false, ''], ['Ni', true, 'F'], ['Noi', true, 'Fo'], ['T', false, ''], ['Ti', true, 'B'], ['F', false, ''], ['Fo', false, ''], ['B', false, ''],
  ],
  unsubscribed: [ // table 5
    ['N', false, ''], ['No', false, ''], ['Ni', true, 'N'], ['Noi', true, 'No'], ['T', false, ''], ['Ti', true, 'T'], ['F', true, 'N'], ['Fo', true, 'No'], ['B', true, 'T'],
  ],
}
const IN: Record<SubscriptionType, readonly Row[]> = {
  subscribe: [ // table 6
    ['N', true, 'Ni'], ['No', true, 'Noi'], ['Ni', false, ''], ['Noi', false, ''], ['T', true, 'Ti'], ['Ti', false, ''], ['F', false, ''], ['Fo', false, ''], ['B', false, ''],
  ],
  unsubscribe: [ // table 7
    ['N', false, ''], ['No', false, ''], ['Ni', true, 'N'], ['Noi', true, 'No'], ['T', false, ''], ['Ti', true, 'T'], ['F', true, 'N'], ['Fo', true, 'No'], ['B', true, 'T'],
  ],
  subscribed: [ // table 8
    ['N', false, ''], ['No', true, 'T'], ['Ni', false, ''], ['Noi', true, 'Ti'], ['T', false, ''], ['Ti', false, ''], ['F', false, ''], ['Fo', true, 'B'], ['B', false, ''],
  ],
  unsubscribed: [ // table 9
    ['N', false, ''], ['No', true, 'N'], ['Ni', false, ''], ['Noi', true, 'Ni'], ['T', true, 'N'], ['Ti', true, 'Ni'], ['F', false, ''], ['Fo', true, 'F'], ['B', true, 'F'],
  ],
}
const REPLIES: Partial<Record<SubscriptionType, Partial<Record<State, Step['reply']>>>> = {
  subscribe: { F: 'subscribed', Fo: 'subscribed', B: 'subscribed' }, // table 6, note 2
  unsubscribe: { Ni: 'unsubscribed', Noi: 'unsubscribed', Ti: 'unsubscribed', F: 'unsubscribed', Fo: 'unsubscribed', B: 'unsubscribed' }, // table 7, note 1
}
const PREAPPROVABLE: readonly State[] = ['N', 'No', 'T'] // section 3.4.2, rules 3 and 4

describe('RFC 6121 appendix A', () => {
  for (const [type, rows] of Object.entries(OUT) as [SubscriptionType, readonly Row[]][]) {
    for (const [state, passes, next] of rows) {
      it(`out ${type} in ${state}: ${passes ? 'routed' : 'not routed'}, ${next || 'no change'}`, () => {
        const step = outbound(state, type)
        assert.equal(step.passes, passes)
        assert.equal(step.next, next || state)
        assert.equal(step.reply, undefined)
        assert.equal(step.approval, !PREAPPROVABLE.includes(state) ? undefined : type === 'subscribed' ? true : type === 'unsubscribed' ? false : undefined)
      })
    }
  }
  for (const [type, rows] of Object.entries(IN) as [SubscriptionType, readonly Row[]][]) {
    for (const [state, passes, next] of rows) {
      it(`in ${type} in ${state}: ${passes ? 'delivered' : 'not delivered'}, ${next || 'no change'}`, () => {
        const step = inbound(state, type, false)
        assert.equal(step.passes, passes)
        assert.equal(step.next, next || state)
        assert.equal(step.reply, REPLIES[type]?.[state])
      })
    }
  }
  for (const [state, next] of [['N', 'F'], ['No', 'Fo'], ['T', 'B']] as const) {
    it(`RFC-P7 a request that was approved beforehand in ${state} is answered, not shown, and leads to ${next}`, () => {
      assert.deepEqual(inbound(state, 'subscribe', true), { next, passes: false, reply: 'subscribed' })
    })
  }
  it('a pre-approval changes nothing but requests', () => {
    for (const type of ['unsubscribe', 'subscribed', 'unsubscribed'] as const) {
      for (const [state] of IN[type]) assert.deepEqual(inbound(state, type, true), inbound(state, type, false))
    }
  })

  it('every state is written into a roster item and read back', () => {
    for (const [state] of IN.subscribe) {
      const { subscription, ask, waits } = flagsOf(state)
      assert.equal(stateOf({ subscription, ask, ...(waits && { request: '<presence/>' }) }), state)
    }
    assert.equal(stateOf(undefined), 'N')
  })
  it('tells who sees whom', () => {
    assert.deepEqual(IN.subscribe.map(([s]) => s).filter(isWatcher), ['F', 'Fo', 'B'])
    assert.deepEqual(IN.subscribe.map(([s]) => s).filter(isWatched), ['T', 'Ti', 'B'])
  })
})
