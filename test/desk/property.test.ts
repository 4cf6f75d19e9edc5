// Thousands of arrivals, agents coming and going, accepts racing, crashes: what must hold at every event.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { roundRobin, type Candidate } from '../../components/helpdesk/assigner.ts'
import { claims, decideLedger, emptyLedger, evolveLedger, recordOf, settle, type Ledger, type LedgerCommand, type LedgerEvent } from '../../components/helpdesk/assignment.ts'
import { bestShow, capacityOf, isOfferable, openIntake, type Operator, type Show } from '../../components/helpdesk/availability.ts'
import { decide, evolve, initial, isOver, isQueued, pendingOffers } from '../../components/helpdesk/conversation.ts'
import type { Request } from '../../components/helpdesk/dispatch.ts'
import { Refused, type Command, type Event, type State } from '../../components/helpdesk/facts.ts'
import { alarms, PATIENCE } from '../../components/helpdesk/policy.ts'
import { nextStep } from '../harness/dispatch.ts'

const QUEUES: Record<string, 'round-robin' | 'pull'> = { support: 'round-robin', billing: 'round-robin', walk: 'pull' }
const NAMES = ['anna', 'ben', 'cleo', 'dora', 'emil', 'fay']

/** A desk in one thread without a store: logs, and states folded from them as they grow. */
class Desk {
  now = 0
  readonly log: { n: number; e: Event }[] = []
  readonly ledgerLog: LedgerEvent[] = []
  readonly states = new Map<number, State>()
  ledger: Ledger = emptyLedger
  readonly operators = new Map<string, Operator>(NAMES.map((id, i) => [id, { id, devices: [], intake: openIntake, capacity: 1 + i % 3 }]))
  #ids = 0
  readonly fresh = (): string => `x${++this.#ids}`

  give(n: number, c: Command): boolean {
    const outcome = decide(this.states.get(n) ?? initial, c)
    if (outcome instanceof Refused) return false
    for (const e of outcome) {
      this.log.push({ n, e })
      this.states.set(n, evolve(this.states.get(n) ?? initial, e))
      this.check(n)
    }
    if (outcome.length > 0) this.tidy(n)
    return true
  }
  book(c: LedgerCommand): boolean {
    const outcome = decideLedger(this.ledger, c)
    if (outcome instanceof Refused) return false
    for (const e of outcome) { this.ledgerLog.push(e); this.ledger = evolveLedger(this.ledger, e) }
    for (const o of this.operators.values()) assert.ok(recordOf(this.ledger, o.id).load <= capacityOf(o), `${o.id} has more than he can serve`)
    return true
  }
  tidy(n: number): void { for (const c of settle(this.ledger, n, this.states.get(n) ?? initial, this.now)) this.book(c) }

  check(n: number): void {
    const s = this.states.get(n) ?? initial
    // No owner and no question without a seat: capacity was reserved first.
    for (const right of claims(s)) assert.equal(this.ledger.seats.get(right.key)?.agent, right.agent, `#${n} ${s.is}: no seat for ${right.agent}`)
    if (s.is === 'active') { assert.ok(s.owner); assert.equal(s.crew[s.owner], undefined, 'the owner is nothing beside') }
  }

  candidates = (queue: string): Candidate[] => [...this.operators.values()].filter(o => isOfferable(o, queue)).map(o => {
    const { load, lastEnded, lastAssigned } = recordOf(this.ledger, o.id)
    return { id: o.id, load, lastEnded, lastAssigned, capacity: capacityOf(o), show: bestShow(o.devices) ?? 'available' }
  })
  waiting(): Request[] { return [...this.states].flatMap(([n, s]) => s.is === 'waiting' && QUEUES[s.queue] === 'round-robin' ? [{ n, queue: s.queue, place: s.place }] : []) }

  dispatch(): void {
    for (;;) {
      const step = nextStep(this.waiting(), this.candidates, this.now)
      if (!step) return
      if (step.do === 'rest') { assert.ok(this.give(step.n, { do: 'exhaust', now: this.now, until: this.now + PATIENCE.rest })); continue }
      const r = this.waiting().find(w => w.n === step.n)
      assert.ok(r)
      const fresh = this.candidates(r.queue).filter(c => !r.place.passed.includes(c.id))
      // ST-24: every assignment goes to the least of that moment, but for a wish or a giver.
      if (r.place.preferred.length === 0 && r.place.spare === undefined) assert.equal(step.to, roundRobin(fresh))
      const id = this.fresh()
      const agent = this.operators.get(step.to)
      assert.ok(agent && this.book({ do: 'reserve', now: this.now, key: id, n: step.n, agent: step.to, capacity: capacityOf(agent) }))
      assert.ok(this.give(step.n, { do: 'offer', now: this.now, id, to: step.to, until: this.now + PATIENCE.offer }))
    }
  }

  arrive(queue: string): void {
    const n = this.ledger.next
    this.book({ do: 'number', now: this.now, customer: `k${n}` })
    this.give(n, { do: 'open', now: this.now, queue, customer: `k${n}` })
    this.give(n, { do: 'say', now: this.now, by: 'customer', as: 'public' })
  }
  /** Reserves, gives, and lets go again if it came to nothing. */
  withSeat(n: number, who: string, c: (key: string) => Command): void {
    const key = this.fresh()
    const o = this.operators.get(who)
    if (o && this.book({ do: 'reserve', now: this.now, key, n, agent: who, capacity: capacityOf(o) })) { this.give(n, c(key)); this.tidy(n) }
  }
  presence(who: string, show: Show | undefined): void {
    const o = this.operators.get(who)
    if (!o) return
    this.operators.set(who, { ...o, devices: show === undefined ? [] : [{ show, attached: true }] })
    for (const [n, s] of this.states) {
      if (isQueued(s) && s.is === 'offered' && s.offer.to === who && !isOfferable({ ...o, devices: this.operators.get(who)?.devices ?? [] }, s.queue)) this.give(n, { do: 'revoke', now: this.now, id: s.offer.id })
      if (s.is === 'active' && s.owner === who) this.give(n, show === undefined ? { do: 'detach', now: this.now, who, until: this.now + PATIENCE.detached } : { do: 'attach', now: this.now, who })
      if (s.is === 'waiting' && show === 'available') this.give(n, { do: 'stir', now: this.now, who })
    }
  }
  advance(ms: number): void {
    const target = this.now + ms
    for (;;) {
      const due = [...this.states].flatMap(([n, s]) => alarms(s).map(a => ({ n, ...a }))).filter(a => a.at <= target).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.now = Math.max(this.now, due.at)
      const before = this.log.length
      this.give(due.n, { ...due.command, now: this.now } as Command)
      assert.ok(this.log.length > before, `an alarm that is due must do something: ${JSON.stringify(due)}`)
      this.dispatch()
    }
    this.now = target
  }
  /** Everything in memory is lost; the logs are not. A reservation may have been made whose offer never was. */
  crash(torn: string | undefined): void {
    const n = [...this.states.keys()].at(-1)
    if (torn !== undefined && n !== undefined) this.book({ do: 'reserve', now: this.now, key: this.fresh(), n, agent: torn, capacity: capacityOf(this.operators.get(torn)!) })
    const states = new Map<number, State>()
    for (const { n, e } of this.log) states.set(n, evolve(states.get(n) ?? initial, e))
    assert.deepEqual(states, this.states)
    assert.deepEqual(this.ledgerLog.reduce(evolveLedger, emptyLedger), this.ledger)
    for (const n of states.keys()) this.tidy(n)
    for (const seat of this.ledger.seats.values()) assert.ok(claims(states.get(seat.n) ?? initial).some(r => r.key === seat.key), 'a reservation nobody follows')
  }
  /** Nobody is forgotten: each conversation is served, asked about, over, or has nobody who could be asked now. */
  settled(): void {
    for (const [n, s] of this.states) {
      if (s.is !== 'waiting' || QUEUES[s.queue] !== 'round-robin' || (s.place.rest !== undefined && this.now < s.place.rest)) continue
      assert.ok(!this.candidates(s.queue).some(c => c.load < c.capacity), `#${n} waits beside a free agent`)
    }
    const due = [...this.states.values()].flatMap(s => alarms(s)).filter(a => a.at <= this.now)
    assert.deepEqual(due, [])
    for (const n of this.ledger.open.keys()) assert.notEqual(this.states.get(n)?.is, 'closed')
  }
}

type Act = (d: Desk) => void
const who = fc.constantFrom(...NAMES)
const which = fc.nat(1_000_000)
const pick = (d: Desk, r: number, of: (s: State) => boolean): number | undefined => {
  const all = [...d.states].filter(([, s]) => of(s)).map(([n]) => n)
  return all.length > 0 ? all[r % all.length] : undefined
}
const on = (of: (s: State) => boolean, does: (d: Desk, n: number, s: State, who: string) => void): fc.Arbitrary<Act> =>
  fc.tuple(which, who).map(([r, w]) => d => { const n = pick(d, r, of); const s = n === undefined ? undefined : d.states.get(n); if (n !== undefined && s) does(d, n, s, w) })
const any = (): boolean => true
const live = (s: State): boolean => !isOver(s)
const active = (s: State): boolean => s.is === 'active'

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Object.keys(QUEUES)).map(q => (d: Desk) => d.arrive(q)) },
  { weight: 4, arbitrary: fc.tuple(who, fc.constantFrom<Show | undefined>('chat', 'available', 'available', 'away', 'dnd', undefined)).map(([w, s]) => (d: Desk) => d.presence(w, s)) },
  { weight: 8, arbitrary: on(s => pendingOffers(s).length > 0, (d, n, s) => { d.give(n, { do: 'accept', now: d.now, by: pendingOffers(s)[0]!.to }) }) },
  // The race: everybody accepts at once, and at most one becomes the owner.
  { weight: 3, arbitrary: on(any, (d, n) => { for (const w of NAMES) d.give(n, { do: 'accept', now: d.now, by: w }) }) },
  { weight: 3, arbitrary: on(s => pendingOffers(s).length > 0, (d, n, s) => { d.give(n, { do: 'decline', now: d.now, by: pendingOffers(s)[0]!.to }) }) },
  { weight: 3, arbitrary: on(live, (d, n, _s, w) => d.withSeat(n, w, seat => ({ do: 'take', now: d.now, by: w, seat, force: seat.endsWith('1') }))) },
  { weight: 2, arbitrary: on(active, (d, n, s, w) => { if (s.is === 'active') d.withSeat(n, w, id => ({ do: 'transfer', now: d.now, by: s.owner, to: w, id, until: d.now + PATIENCE.transfer })) }) },
  { weight: 1, arbitrary: on(active, (d, n, s) => { if (s.is === 'active') d.give(n, { do: 'requeue', now: d.now, by: s.owner, queue: n % 2 ? 'billing' : 'support' }) }) },
  { weight: 2, arbitrary: on(active, (d, n, s, w) => { if (s.is === 'active') d.give(n, { do: 'invite', now: d.now, by: s.owner, who: w, id: d.fresh(), until: d.now + PATIENCE.invitation }) }) },
  { weight: 1, arbitrary: on(live, (d, n, _s, w) => { d.give(n, { do: 'observe', now: d.now, by: w, force: false }) }) },
  { weight: 1, arbitrary: on(live, (d, n, _s, w) => { d.give(n, { do: 'join', now: d.now, by: w, force: w === 'fay' }) }) },
  { weight: 1, arbitrary: on(live, (d, n, _s, w) => { d.give(n, { do: 'leave', now: d.now, by: w }) }) },
  { weight: 2, arbitrary: on(any, (d, n, s) => {
    if (s.is === 'ended' && n % 2) d.withSeat(n, s.owner, again => ({ do: 'say', now: d.now, by: 'customer', as: 'public', again }))
    else d.give(n, { do: 'say', now: d.now, by: 'customer', as: 'public' })
  }) },
  { weight: 3, arbitrary: on(active, (d, n, s) => { if (s.is === 'active') d.give(n, { do: n % 3 ? 'end' : 'close', now: d.now, by: s.owner }) }) },
  { weight: 1, arbitrary: on(live, (d, n) => { d.give(n, { do: 'end', now: d.now, by: 'customer' }) }) },
  { weight: 1, arbitrary: on(live, (d, n) => { d.give(n, { do: 'customer gone', now: d.now, until: d.now + PATIENCE.gone }) }) },
  { weight: 1, arbitrary: on(live, (d, n, _s, w) => { d.give(n, { do: 'remove operator', now: d.now, who: w }); d.tidy(n) }) },
  { weight: 2, arbitrary: on(active, (d, n, s) => { if (s.is === 'active') d.presence(s.owner, n % 2 === d.log.length % 2 ? undefined : 'available') }) },
  { weight: 1, arbitrary: on(any, (d, n, s) => { if (s.is === 'active' || s.is === 'ended') { d.give(n, { do: 'file', now: d.now, by: s.owner, key: 'f' }); d.give(n, { do: n % 2 ? 'filed' : 'filing failed', now: d.now, key: 'f', ticket: n }) } }) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 90_000 }).map(ms => (d: Desk) => d.advance(ms)) },
  { weight: 1, arbitrary: fc.option(who, { nil: undefined }).map(w => (d: Desk) => d.crash(w)) },
)

describe('a busy desk', () => {
  it('has at most one owner for each, never asks more of an agent than he can, forgets nobody, and is what its log says', () => {
    const seen = new Set<string>()
    fc.assert(fc.property(fc.array(act, { minLength: 20, maxLength: 160 }), acts => {
      const d = new Desk()
      for (const a of acts) { a(d); d.dispatch(); d.settled() }
      d.crash(undefined)
      for (const { e } of d.log) seen.add(e.type)
    }), { seed: 20261120, numRuns: 400 })
    // The play is worth something only if everything happens in it.
    for (const type of ['accepted', 'passed', 'exhausted', 'stirred', 'taken', 'transferred', 'transfer passed', 'requeued', 'invitation accepted', 'invitation passed',
      'observing', 'joined', 'left', 'detached', 'attached', 'customer gone', 'ended', 'reopened', 'closed', 'filed', 'filing failed']) assert.ok(seen.has(type), `${type} never happened`)
  })

  it('serves a thousand who come at once, in their order, each by one agent', () => {
    const d = new Desk()
    for (const name of NAMES) d.presence(name, 'available')
    for (let i = 0; i < 1000; i++) { d.arrive('support'); d.dispatch() }
    const order: number[] = []
    while (order.length < 1000) {
      const asked = [...d.states].filter(([, s]) => s.is === 'offered').map(([n]) => n)
      assert.ok(asked.length > 0, 'nobody is asked, and customers wait')
      for (const n of asked) {
        const s = d.states.get(n)
        assert.ok(s?.is === 'offered')
        assert.ok(d.give(n, { do: 'accept', now: ++d.now, by: s.offer.to }))
        for (const other of NAMES) if (other !== s.offer.to) assert.equal(d.give(n, { do: 'accept', now: d.now, by: other }), false)
        order.push(n)
        assert.ok(d.give(n, { do: 'close', now: ++d.now, by: s.offer.to }))
      }
      d.dispatch()
      d.settled()
    }
    assert.deepEqual(order, order.toSorted((a, b) => a - b))
    assert.equal(d.ledger.open.size, 0)
    assert.equal(d.ledger.seats.size, 0)
  })
})
