// Who is there for customers: presence × intake.
import assert from 'node:assert/strict'
import { bestShow, capacityOf, colour, isAskable, isGone, isOfferable, isOnline, isReceiving, openIntake, type Device, type Intake, type Operator, type Show } from '../../components/helpdesk/availability.ts'

const on = (...shows: Show[]): Device[] => shows.map(show => ({ show, attached: true }))
const operator = (devices: readonly Device[], intake: Partial<Intake> = {}): Operator => ({ id: 'a@localhost', devices, intake: { ...openIntake, ...intake }, capacity: 4 })
const lost: Device = { show: 'available', attached: false }

describe('an operator', () => {
  const table: readonly [string, Operator, { receiving: boolean; offerable: boolean; colour: string; gone: boolean }][] = [
    ['available', operator(on('available')), { receiving: true, offerable: true, colour: 'green', gone: false }],
    ['free for chat', operator(on('chat')), { receiving: true, offerable: true, colour: 'green', gone: false }],
    ['away', operator(on('away')), { receiving: true, offerable: false, colour: 'yellow', gone: true }],
    ['away for long', operator(on('xa')), { receiving: true, offerable: false, colour: 'yellow', gone: true }],
    ['busy', operator(on('dnd')), { receiving: false, offerable: false, colour: 'red', gone: false }],
    ['logged out', operator([]), { receiving: false, offerable: false, colour: 'black', gone: true }],
    ['away at the desk, available on the phone', operator(on('away', 'available')), { receiving: true, offerable: true, colour: 'green', gone: false }],
    ['cut off but not lost', operator([lost]), { receiving: true, offerable: false, colour: 'yellow', gone: true }],
    ['paused', operator(on('available'), { off: 'all' }), { receiving: false, offerable: false, colour: 'red', gone: false }],
    ['paused here', operator(on('available'), { off: ['support'] }), { receiving: false, offerable: false, colour: 'green', gone: false }],
    ['invisible to customers', operator(on('available'), { invisible: 'customers' }), { receiving: true, offerable: true, colour: 'green', gone: false }],
    ['invisible', operator(on('available'), { invisible: 'all' }), { receiving: true, offerable: false, colour: 'black', gone: false }],
  ]
  for (const [what, o, is] of table) {
    it(`RULE-C16 who is ${what}: receiving ${is.receiving}, asked ${is.offerable}, ${is.colour}`, () =>
      assert.deepEqual({ receiving: isReceiving(o, 'support'), offerable: isOfferable(o, 'support'), colour: colour(o), gone: isGone(o) }, is))
  }
  it('ST-31 is on or off for each queue by itself', () => {
    const o = operator(on('available'), { off: ['support'] })
    assert.deepEqual([isOfferable(o, 'support'), isOfferable(o, 'billing')], [false, true])
  })
  it('RULE-C16 who is away is asked only where the desk says so', () => assert.equal(isOfferable(operator(on('away')), 'support', true), true))
  it('has the state of his best device', () => assert.equal(bestShow([...on('xa', 'dnd'), lost]), 'away'))
  it('serves as many at once as the desk says, or as was said for him', () => assert.deepEqual([2, 9, undefined].map(max => capacityOf(operator([], { max }))), [2, 9, 4]))
  it('OT-32 is asked in by colleagues only when available', () => {
    assert.deepEqual([on('available'), on('away'), on('dnd'), []].map(d => isAskable(operator(d))), [true, true, false, false])
    assert.equal(isAskable(operator(on('available'), { off: 'all' })), false)
  })
})

describe('a queue', () => {
  it('ST-23 ST-71 is closed when nobody receives, and open while one is away', () => {
    assert.equal(isOnline([], 'support'), false)
    assert.equal(isOnline([operator(on('dnd')), operator([])], 'support'), false)
    assert.equal(isOnline([operator(on('away'))], 'support'), true)
  })
  it('FP-10 is closed to customers when all who receive are invisible to them', () => assert.equal(isOnline([operator(on('available'), { invisible: 'customers' })], 'support'), false))
})
