// Who is asked first is the same whether all who wait and all agents are looked at, or only those who may matter.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { recordOf, type Ledger } from '../../components/helpdesk/assignment.ts'
import { bestShow, capacityOf, isOfferable, type Operator, type Show } from '../../components/helpdesk/availability.ts'
import { startOf, type Request } from '../../components/helpdesk/dispatch.ts'
import { Distribution } from '../../components/helpdesk/distribution.ts'
import { Refused, type Priority, type State } from '../../components/helpdesk/facts.ts'
import { nextStep } from '../harness/dispatch.ts'

const QUEUES = ['support', 'billing', 'pulled'] as const
const NOW = 1_000
const agents = ['a', 'b', 'c', 'd']
const some = (from: readonly string[]): fc.Arbitrary<string[]> => fc.subarray([...from])
const waiting = fc.record({
  queue: fc.constantFrom(...QUEUES), priority: fc.constantFrom<Priority>('low', 'normal', 'urgent'), only: fc.option(some(agents).filter(x => x.length > 0), { nil: undefined, freq: 3 }), is: fc.constantFrom('waiting', 'waiting', 'offered'),
  place: fc.record({ since: fc.integer({ min: 0, max: 9 }), head: fc.boolean(), passed: some(agents), preferred: some(agents), spare: fc.option(fc.constantFrom(...agents), { nil: undefined }), rest: fc.option(fc.constantFrom(NOW - 1, NOW + 1), { nil: undefined, freq: 3 }) }),
})
const operator = fc.record({ show: fc.constantFrom<Show | undefined>('available', 'chat', 'dnd', 'away', undefined), load: fc.integer({ min: 0, max: 2 }), capacity: fc.integer({ min: 1, max: 2 }), serves: some(QUEUES) })

describe('asking agents', () => {
  it('ST-27 takes the same steps in the same order as if everybody were looked at each time, also after some have become free', async () => {
    await fc.assert(fc.asyncProperty(fc.array(waiting, { maxLength: 12 }), fc.array(operator, { minLength: 4, maxLength: 4 }), fc.array(operator, { minLength: 4, maxLength: 4 }), async (line, first, second) => {
      let people = first
      const of = new Map<string, string[]>(QUEUES.map(q => [q, agents.filter((_, i) => first[i]?.serves.includes(q))]))
      const states = new Map<number, State>(line.map((w, i) => [i + 1, { ...w, crew: {}, invitations: [], offer: { id: 'o', to: 'z', until: 0 }, customer: 'k', opened: w.place.since } as unknown as State])) // as much of a state as is looked at
      const ledger = (): Ledger => ({ next: 1, open: new Map(), customers: new Map(), seats: new Map(), operators: new Map(agents.map((a, i) => [a, { load: people[i]?.load ?? 0, lastEnded: undefined, lastAssigned: undefined }])) })
      const one = (jid: string): Operator => { const p = people[agents.indexOf(jid)]; return { id: jid, devices: p?.show === undefined ? [] : [{ show: p.show, attached: true }], intake: { off: [], invisible: 'no' }, capacity: p?.capacity ?? 1 } as unknown as Operator } // the same
      const steps: string[] = []
      const book = {
        states, get ledger() { return ledger() },
        give: async (n: number, c: { readonly do: string }) => { steps.push(`${n} ${c.do}`); return new Refused('only watched') },
        withSeat: async (n: number, to: string) => { steps.push(`${n} ${to}`); return new Refused('only watched') },
      }
      const eligible = (s: { queue: string; only?: readonly string[] | undefined }): readonly string[] => s.only ?? of.get(s.queue) ?? []
      const rules = { now: { distribution: { offersAway: false, rest: 60, offer: 20 }, departments: {}, queues: {} } }
      const operators = { operator: one, of: (q: string) => of.get(q) ?? [], record: () => ({}), isBot: () => false, isHandedOver: () => false }
      const config = { assign: 'round-robin', queues: new Map(QUEUES.map(q => [q, { assign: q === 'pulled' ? 'pull' : 'round-robin', skills: [], priority: 0, accept: 'ask' }])) }
      const distribution = new Distribution({ book, config, rules, operators, now: NOW, eligible, customerOf: () => undefined } as unknown as ConstructorParameters<typeof Distribution>[0]) // the parts it asks for
      const expected = (): string[] => {
        const stuck = new Set<number>()
        const all: string[] = []
        for (;;) {
          const requests = line.flatMap((w, i): Request[] => w.is === 'waiting' && w.queue !== 'pulled' && !stuck.has(i + 1) ? [{ n: i + 1, queue: w.queue, place: w.place, only: w.only, start: startOf(w.priority, 0) }] : [])
          const step = nextStep(requests, (queue, only) => eligible({ queue, only }).flatMap(jid => { const o = one(jid); return isOfferable(o, queue) ? [{ id: jid, ...recordOf(ledger(), jid), capacity: capacityOf(o), fit: 0, show: bestShow(o.devices) ?? 'available' }] : [] }), NOW)
          if (!step) return all
          all.push(step.do === 'rest' ? `${step.n} exhaust` : `${step.n} ${step.to}`)
          stuck.add(step.n)
        }
      }
      await distribution.dispatch()
      assert.deepEqual(steps, expected())
      people = second
      distribution.freed(agents) // each has changed
      steps.length = 0
      await distribution.dispatch()
      assert.deepEqual(steps, expected())
    }), { numRuns: 300 })
  })
})
