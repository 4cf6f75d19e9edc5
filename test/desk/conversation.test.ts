// A conversation from the first line to the last, as given–when–then.
import assert from 'node:assert/strict'
import { given } from '../harness/given.ts'
import { decide, evolve, initial, roleOf } from '../../components/helpdesk/conversation.ts'
import { Refused, type Command, type Event, type State } from '../../components/helpdesk/facts.ts'
import { alarms, PATIENCE } from '../../components/helpdesk/policy.ts'

const anna = 'anna@localhost', ben = 'ben@localhost', cleo = 'cleo@localhost'
const opened: Event = { type: 'opened', at: 0, queue: 'support', customer: 'k1' }
const first: Event = { type: 'said', at: 0, seq: 1, shown: 1, by: 'customer', as: 'public' }
const offered: Event = { type: 'offered', at: 1, id: 'o1', to: anna, until: 21 }
const accepted: Event = { type: 'accepted', at: 5, id: 'o1', by: anna }
const served = [opened, first, offered, accepted]
const askedIn: Event = { type: 'invited', at: 9, id: 'i1', by: anna, who: ben, until: 69 }
const cameIn: Event = { type: 'invitation accepted', at: 10, id: 'i1', by: anna, who: ben }
const watching: Event = { type: 'observing', at: 11, who: ben, was: 'invited' }
const partaking: Event = { type: 'joined', at: 11, who: ben, was: 'invited' }
const handing: Event = { type: 'transfer offered', at: 12, id: 't1', by: anna, to: cleo, until: 72 }
const ended: Event = { type: 'ended', at: 30, by: anna }

/** Carries out commands one after the other. */
const run = (start: State, ...commands: Command[]): State => commands.reduce((s, c) => {
  const outcome = decide(s, c)
  assert.ok(!(outcome instanceof Refused), outcome instanceof Refused ? `${c.do}: ${outcome.because}` : '')
  return outcome.reduce(evolve, s)
}, start)
const is = <K extends State['is']>(s: State, kind: K): Extract<State, { is: K }> => { assert.equal(s.is, kind); return s as Extract<State, { is: K }> } // just asserted

describe('an offer', () => {
  it('makes who accepts it the owner, and the customer hears who joined', () =>
    given(opened, first, offered).when({ do: 'accept', now: 5, by: anna }).then(
      accepted, { type: 'said', at: 5, seq: 2, shown: 2, by: 'desk', as: 'public', line: { is: 'joined', who: anna } }))
  it('is not for one whom nobody asked', () => given(opened, offered).when({ do: 'accept', now: 5, by: ben }).refused(/offered to \{who\}, not to you/, anna))
  it('accepted twice is accepted once', () => given(...served).when({ do: 'accept', now: 6, by: anna, id: 'o1' }).nothing())
  it('tells a late one who was quicker', () => given(...served).when({ do: 'accept', now: 6, by: ben }).refused(/\{who\} was quicker/, anna))
  it('lapses, and then waits again without who let it lapse', () => {
    const s = is(given(opened, offered).when({ do: 'lapse', now: 21, id: 'o1' }).state(), 'waiting')
    assert.deepEqual(s.place.passed, [anna])
  })
  it('keeps its place in the queue when it is passed on', () =>
    assert.equal(is(given(opened, offered).when({ do: 'decline', now: 9, by: anna }).state(), 'waiting').place.since, 0))
  it('does not heed an alarm that rings early, after the answer, or for an older offer', () => {
    given(opened, offered).when({ do: 'lapse', now: 20, id: 'o1' }).nothing()
    given(...served).when({ do: 'lapse', now: 21, id: 'o1' }).nothing()
    given(opened, offered, { type: 'passed', at: 21, id: 'o1', by: anna, why: 'lapsed' }, { ...offered, id: 'o2', until: 50 }).when({ do: 'lapse', now: 22, id: 'o1' }).nothing()
  })
  it('in a queue that accepts by itself needs no answer', () =>
    given(opened).when({ do: 'offer', now: 1, id: 'o1', to: anna, until: 21, automatic: true }).brings('accepted'))
  it('rests when everybody has passed, and is made again after the rest or when somebody changes', () => {
    const rest = given(opened, offered, { type: 'passed', at: 21, id: 'o1', by: anna, why: 'lapsed' }).when({ do: 'exhaust', now: 21, until: 81 })
    const s = is(rest.state(), 'waiting')
    assert.deepEqual([s.place.passed, s.place.rest], [[], 81])
    assert.deepEqual(decide(s, { do: 'stir', now: 80 }), [])
    assert.equal(is(run(s, { do: 'stir', now: 81 }), 'waiting').place.rest, undefined)
    assert.equal(is(run(s, { do: 'stir', now: 30, who: ben }), 'waiting').place.rest, undefined)
  })
  it('may be made again to who passed once his own state has changed', () =>
    assert.deepEqual(is(run(given(opened, offered).state, { do: 'decline', now: 9, by: anna }, { do: 'stir', now: 12, who: anna }), 'waiting').place.passed, []))
  it('falls away when its operator is gone', () => given(opened, offered).when({ do: 'revoke', now: 3, id: 'o1' }).then({ type: 'passed', at: 3, id: 'o1', by: anna, why: 'revoked' }))
})

describe('taking', () => {
  it('ST-36 gives a waiting conversation to who takes it', () => given(opened).when({ do: 'take', now: 4, by: ben, seat: 's', force: false }).brings('taken'))
  it('ST-36 from another agent needs the permission, and then moves it', () => {
    given(...served).when({ do: 'take', now: 6, by: ben, seat: 's', force: false }).refused(/you may not take it from others/, anna)
    const s = is(given(...served).when({ do: 'take', now: 6, by: ben, seat: 's', force: true }).state(), 'active')
    assert.deepEqual([s.owner, s.seat, roleOf(s, anna)], [ben, 's', undefined])
  })
  it('leaves alone what is offered to somebody', () => given(opened, offered).when({ do: 'take', now: 4, by: ben, seat: 's', force: false }).refused(/offered to \{who\}/, anna))
})

describe('a transfer', () => {
  const handed = [...served, handing]
  it('RULE-C4 to a person is an offer: until he accepts, the owner stays', () => {
    const s = is(given(...handed).state, 'active')
    assert.equal(s.owner, anna)
    assert.ok(!(decide(s, { do: 'say', now: 13, by: anna, as: 'public' }) instanceof Refused))
  })
  it('OM-31 makes him the owner when he accepts, and the giver may send no more', () => {
    const s = is(given(...handed).when({ do: 'accept', now: 20, by: cleo }).state(), 'active')
    assert.equal(s.owner, cleo)
    assert.ok(decide(s, { do: 'say', now: 21, by: anna, as: 'public' }) instanceof Refused)
  })
  it('RULE-C4 stays where it was when the offer lapses', () => {
    const s = is(given(...handed).when({ do: 'lapse', now: 72, id: 't1' }).state(), 'active')
    assert.deepEqual([s.owner, s.transfer], [anna, undefined])
  })
  it('to a group releases the owner at once and leaves him out if another is free', () => {
    const s = is(given(...handed).when({ do: 'requeue', now: 20, by: anna, queue: 'billing' }).state(), 'waiting')
    assert.deepEqual([s.queue, s.place.spare, s.place.head], ['billing', anna, false])
  })
  it('is the owner’s to make', () => {
    given(...served).when({ do: 'transfer', now: 9, by: ben, to: cleo, id: 't', until: 69 }).refused(/nobody else may transfer/, anna)
    given(...served).when({ do: 'requeue', now: 9, by: ben, queue: 'billing' }).refused(/nobody else may transfer/, anna)
  })
  it('ST-69 does not set the idle clock back', () => {
    const said: Event = { type: 'said', at: 8, seq: 3, shown: 3, by: anna, as: 'public' }
    assert.equal(is(given(...served, said, handing).when({ do: 'accept', now: 20, by: cleo }).state(), 'active').clocks.idle, 8)
  })
})

describe('a colleague', () => {
  it('OT-33 who accepts an invitation has the internal chat, and nothing of the conversation yet', () => {
    const s = given(...served, askedIn).when({ do: 'accept', now: 10, by: ben }).state()
    assert.equal(roleOf(s, ben), 'invited')
    assert.ok(decide(s, { do: 'say', now: 12, by: ben, as: 'public' }) instanceof Refused)
    assert.ok(!(decide(s, { do: 'say', now: 12, by: ben, as: 'internal', chat: 'i1' }) instanceof Refused))
    assert.ok(decide(s, { do: 'say', now: 12, by: cleo, as: 'internal', chat: 'i1' }) instanceof Refused)
  })
  it('OT-40 who watches is not told to the customer, and his text is refused with a hint', () => {
    given(...served, askedIn, cameIn).when({ do: 'observe', now: 11, by: ben, force: false }).then(watching)
    given(...served, askedIn, cameIn, watching).when({ do: 'say', now: 12, by: ben, as: 'public' }).refused(/only watching/)
  })
  it('OT-43 who takes part is told to everybody', () => {
    given(...served, askedIn, cameIn).when({ do: 'join', now: 11, by: ben, force: false }).then(
      partaking, { type: 'said', at: 11, seq: 2, shown: 2, by: 'desk', as: 'public', line: { is: 'joined', who: ben } })
  })
  it('OT-44 who steps back to watching has left, as far as the customer hears', () =>
    given(...served, askedIn, cameIn, partaking).when({ do: 'observe', now: 14, by: ben, force: false }).then(
      { type: 'observing', at: 14, who: ben, was: 'participant' }, { type: 'said', at: 14, seq: 2, shown: 2, by: 'desk', as: 'public', line: { is: 'left', who: ben } }))
  it('may choose at once, which accepts the invitation', () => given(...served, askedIn).when({ do: 'observe', now: 11, by: ben, force: false }).brings('invitation accepted', 'observing'))
  it('OT-38 who is not asked needs the permission', () => {
    given(...served).when({ do: 'observe', now: 11, by: ben, force: false }).refused(/Nobody has invited you/)
    given(...served).when({ do: 'observe', now: 11, by: ben, force: true }).brings('observing')
  })
  it('is asked by who serves, not by who watches', () => given(...served, askedIn, cameIn, watching).when({ do: 'invite', now: 15, by: ben, who: cleo, id: 'i2', until: 75 }).refused(/Only who serves/))
  it('ST-64 coaches in a line of its own kind that has no public number', () =>
    given(...served, askedIn, cameIn, watching).when({ do: 'say', now: 12, by: ben, as: 'coaching' }).then({ type: 'said', at: 12, seq: 2, by: ben, as: 'coaching' }))
})

describe('the end', () => {
  it('RULE-C9 end keeps it on its agent’s list, close puts it away', () => {
    assert.equal(is(given(...served).when({ do: 'end', now: 30, by: anna }).state(), 'ended').owner, anna)
    given(...served, ended).when({ do: 'close', now: 31, by: anna }).then({ type: 'closed', at: 31, by: anna })
    given(...served).when({ do: 'close', now: 31, by: anna }).brings('closed', 'said')
  })
  it('is not a stranger’s to bring', () => { for (const what of ['end', 'close'] as const) given(...served).when({ do: what, now: 31, by: ben }).refused(/Only who serves/) })
  it('takes pending offers with it', () => given(...served, handing, askedIn).when({ do: 'end', now: 30, by: 'customer' }).brings('transfer passed', 'invitation passed', 'ended'))
  it('while it waits closes it', () => given(opened, offered).when({ do: 'end', now: 3, by: 'customer' }).brings('passed', 'closed'))
  it('is undone by a line from the customer, with the same agent', () => {
    const s = is(given(...served, ended).when({ do: 'say', now: 40, by: 'customer', as: 'public', again: 'seat' }).state(), 'active')
    assert.deepEqual([s.owner, s.seat], [anna, 'seat'])
  })
  it('is undone by a line even when that agent cannot: then it waits at the head for him first', () => {
    const s = is(given(...served, ended).when({ do: 'say', now: 40, by: 'customer', as: 'public' }).state(), 'waiting')
    assert.deepEqual([s.place.preferred, s.place.head], [[anna], true])
  })

  it('asks the agent of last time also where an older log names that one alone', () => {
    const s = is(evolve(initial, { ...opened, preferred: anna } as unknown as Event), 'waiting') // as it was written then
    assert.deepEqual(s.place.preferred, [anna])
  })
  it('stands once it is closed', () => given(...served, { type: 'closed', at: 31, by: anna, cut: true }).when({ do: 'say', now: 40, by: 'customer', as: 'public' }).refused(/closed/))
  it('OT-30 by ticket comes only when the ticket is written', () => {
    const filing = given(...served).when({ do: 'file', now: 30, by: anna, key: 'f1' })
    filing.then({ type: 'filing', at: 30, key: 'f1', by: anna })
    const s = filing.state()
    assert.equal(is(run(s, { do: 'filing failed', now: 31, key: 'f1' }), 'active').filing?.is, 'failed')
    const bound = is(run(s, { do: 'filed', now: 31, key: 'f1', ticket: 7 }), 'closed')
    assert.deepEqual([bound.filing?.is, bound.filing?.ticket], ['bound', 7])
    assert.deepEqual(decide(bound, { do: 'filed', now: 32, key: 'f1', ticket: 7 }), [])
  })
})

describe('an absence', () => {
  it('SS-05 of the owner sends it back to the head of the queue after two minutes, not before', () => {
    const away = is(run(given(...served).state, { do: 'detach', now: 100, who: anna, until: 100 + PATIENCE.detached }), 'active')
    assert.deepEqual(decide(away, { do: 'hand off', now: 99 + PATIENCE.detached, from: anna }), [])
    const s = is(run(away, { do: 'hand off', now: 100 + PATIENCE.detached, from: anna }), 'waiting')
    assert.equal(s.place.head, true)
  })
  it('SS-05 that ends in time changes nothing', () => {
    const s = run(given(...served).state, { do: 'detach', now: 100, who: anna, until: 120_100 }, { do: 'attach', now: 60_000, who: anna })
    assert.deepEqual(decide(s, { do: 'hand off', now: 120_100, from: anna }), [])
  })
  it('of a removed operator empties every chair of his', () => {
    assert.equal(is(run(given(...served).state, { do: 'remove operator', now: 50, who: anna }), 'waiting').place.head, true)
    assert.equal(is(run(given(opened, offered).state, { do: 'remove operator', now: 50, who: anna }), 'waiting').place.passed[0], anna)
    assert.equal(roleOf(run(given(...served, askedIn, cameIn, watching).state, { do: 'remove operator', now: 50, who: ben }), ben), undefined)
  })
  it('of the customer ends what still waits, when it lasts', () => {
    const s = run(given(opened, first).state, { do: 'customer gone', now: 10, until: 600 })
    assert.deepEqual(decide(s, { do: 'give up', now: 599 }), [])
    assert.equal(run(s, { do: 'give up', now: 600 }).is, 'closed')
    assert.deepEqual(decide(run(s, { do: 'customer back', now: 20 }), { do: 'give up', now: 600 }), [])
  })
})

describe('alarms', () => {
  it('stand in the state, so that a restart finds every one of them', () => {
    assert.deepEqual(alarms(given(opened, offered).state), [{ at: 21, command: { do: 'lapse', id: 'o1' } }])
    assert.deepEqual(alarms(given(...served, handing, askedIn).state).map(a => a.at).sort((a, b) => a - b), [69, 72])
    assert.deepEqual(alarms(given(...served).state), [])
    assert.deepEqual(alarms(initial), [])
  })
})

describe('lines', () => {
  it('RULE-C10 the unanswered clock starts with the oldest line nobody answered, the idle one with the agent’s last', () => {
    const at = (now: number, by: string): Command => ({ do: 'say', now, by, as: 'public' })
    let s = is(run(given(...served).state, at(50, 'customer'), at(60, 'customer')), 'active')
    assert.deepEqual([s.clocks.unanswered, s.clocks.idle], [0, undefined])
    s = is(run(s, at(70, anna)), 'active')
    assert.deepEqual([s.clocks.unanswered, s.clocks.idle], [undefined, 70])
    s = is(run(s, at(80, 'customer'), at(90, 'customer')), 'active')
    assert.deepEqual([s.clocks.unanswered, s.clocks.idle], [80, 70])
  })
  it('of an outsider are refused, whoever serves', () => {
    given(...served).when({ do: 'say', now: 9, by: ben, as: 'public' }).refused(/\{who\} serves/, anna)
    given(opened).when({ do: 'say', now: 9, by: ben, as: 'public' }).refused(/nobody serves/)
    given(...served).when({ do: 'say', now: 9, by: ben, as: 'coaching' }).refused(/not in this conversation/)
  })
  it('are numbered without gaps, the public ones also among themselves', () => {
    const s = run(given(opened, first).state, { do: 'take', now: 1, by: anna, seat: 's', force: false }, { do: 'say', now: 2, by: anna, as: 'coaching' }, { do: 'say', now: 3, by: anna, as: 'public' })
    assert.ok(s.is === 'active')
    assert.deepEqual([s.lines, s.shown], [4, 3])
  })
})
