// What must hold of a desk's store whatever happened to its process: group D of the security requirements, read from the logs.
import assert from 'node:assert/strict'
import { claims, kept as written, ledgerOf, recordOf, type Ledger, type LedgerEvent } from '../../components/helpdesk/assignment.ts'
import { evolve, initial } from '../../components/helpdesk/conversation.ts'
import { inLine, startOf, type Request } from '../../components/helpdesk/dispatch.ts'
import type { Event, State, Waiting } from '../../components/helpdesk/facts.ts'
import { Lines } from '../../components/helpdesk/lines.ts'
import type { Summary } from '../../components/helpdesk/past.ts'
import { BuiltinTickets } from '../../components/helpdesk/tickets/builtin.ts'
import type { Stores } from '../../server/ports/store.ts'

const AT_ONCE = 50 // conversations that are read beside each other

/** Stands in every note and coaching line of a run, and never in anything public. */
export const SECRET = 'SECRET'
/** I7: from which states each may be reached. */
const FROM: Readonly<Record<string, readonly State['is'][]>> = {
  waiting: ['absent', 'waiting', 'offered', 'active', 'ended'], offered: ['waiting', 'offered'], active: ['waiting', 'offered', 'active', 'ended'],
  ended: ['waiting', 'offered', 'active', 'ended'], closed: ['waiting', 'offered', 'active', 'ended', 'closed'],
}

export interface Replayed { readonly states: ReadonlyMap<number, State>; readonly ledger: Ledger; readonly kinds: ReadonlySet<string>; readonly events: number }

/** Folds every log from zero, or those of the newest so many conversations, and throws where one of I1 to I9 does not hold at any step. `leap`: ms by which time may go on while a commit is on its way. */
export async function replay(stores: Stores, desk: string, capacity: number, newest = Infinity, leap = 0): Promise<Replayed> {
  const assignment = (await stores.events.load<LedgerEvent>(`${desk}/assignment`)).events
  const ledger = ledgerOf([])
  const numbers: number[] = []
  for (const e of assignment) {
    written(ledger, e)
    if (e.type === 'numbered') numbers.push(e.n)
    if (e.type === 'reserved') assert.ok(recordOf(ledger, e.agent).load <= capacity, `I2: ${e.agent} has more than ${capacity}`)
  }
  assert.deepEqual(numbers, numbers.map((_, i) => i + 1), 'I10: numbers are given once, without a gap')
  const [states, kinds, filed] = [new Map<number, State>(), new Set<string>(), new Map<string, { readonly n: number; readonly ticket: number }>()]
  const [waits, offers]: [Wait[], Asked[]] = [[], []]
  // Who is asked is chosen when the seat is reserved; until the offer is kept somebody else may have come back into the line.
  const chosen = new Map(assignment.flatMap(e => e.type === 'reserved' ? [[e.key, e.at]] : []))
  let count = 0
  const lines = new Lines(stores.documents, desk)
  const one = async (n: number): Promise<void> => {
    const { events } = await stores.events.load<Event>(`${desk}/c${n}`)
    let s: State = initial
    let wait: Wait | undefined
    let at = -Infinity
    for (const e of events) {
      const before = s
      s = evolve(s, e)
      count++
      kinds.add(e.type)
      if (wait) wait.to = e.type === 'offered' ? chosen.get(e.id) ?? e.at : e.at
      wait = undefined
      if (s.is === 'waiting' && ASKS.includes(s.queue)) waits.push(wait = { n, from: e.at, to: Infinity, s })
      if (e.type === 'offered' && before.is === 'waiting' && ASKS.includes(before.queue)) offers.push({ n, at: chosen.get(e.id) ?? e.at, to: e.to, s: before })
      assert.ok(e.at >= at, `#${n}: time goes on`)
      at = e.at
      assert.ok(s.is !== 'absent' && FROM[s.is]?.includes(before.is), `I7: #${n} ${before.is} → ${s.is} by ${e.type}`)
      if (s.is === 'active') { assert.ok(s.owner, `I1: #${n} is served by somebody`); assert.equal(s.crew[s.owner], undefined, `I1: #${n}: the owner is nothing beside`) }
      if (e.type === 'said') {
        const last = before.is === 'absent' ? { lines: 0, shown: 0 } : before
        assert.equal(e.seq, last.lines + 1, `I5: #${n}`)
        if (e.as === 'public') assert.equal(e.shown, last.shown + 1, `I5: #${n} public`)
        else assert.equal(e.shown, undefined, `I8: #${n} line ${e.seq} is not public`)
      }
      if (e.type === 'filed') { assert.ok(!filed.has(e.key), `I6: #${n} stands in a ticket twice`); filed.set(e.key, { n, ticket: e.ticket }) }
    }
    states.set(n, s)
    if (s.is === 'absent' || s.purged !== undefined) return
    const kept = await lines.all(n, s.lines)
    assert.deepEqual(kept.map(l => l.seq), Array.from({ length: s.lines }, (_, i) => i + 1), `I5: #${n} has the words of each line`)
    for (const l of kept) if (l.as === 'public') assert.ok(!l.body.includes(SECRET), `I8: #${n} line ${l.seq} shows ${l.body}`)
  }
  const wanted = numbers.slice(-newest)
  for (let i = 0; i < wanted.length; i += AT_ONCE) await Promise.all(wanted.slice(i, i + AT_ONCE).map(one))
  inOrder(waits, offers, leap)
  if (newest !== Infinity) return { states, ledger, kinds, events: count }
  const articles = new Map<string, number>()
  const tickets = new BuiltinTickets(stores.documents, desk)
  for (const t of await tickets.list({ limit: 1_000_000 })) for (const a of (await tickets.get(t.number))?.articles ?? []) { assert.ok(!articles.has(a.key), `I6: ${a.key} stands there twice`); articles.set(a.key, t.number); assert.ok(!a.body.includes(SECRET), 'I8: a ticket holds no note') }
  for (const [key, { n, ticket }] of filed) {
    const s = states.get(n)
    const erased = s !== undefined && s.is !== 'absent' && s.purged !== undefined && !articles.has(key)
    if (!erased) assert.equal(articles.get(key), ticket, `I6: what is filed stands in its ticket`)
  }
  return { states, ledger, kinds, events: count }
}

/** Queues in which agents are asked in turn. */
const ASKS: readonly string[] = ['support']
interface Wait { readonly n: number; readonly from: number; to: number; readonly s: Waiting }
interface Asked { readonly n: number; readonly at: number; readonly to: string; readonly s: Waiting }
const request = (n: number, s: Waiting): Request => ({ n, queue: s.queue, place: s.place, start: startOf(s.priority, 0) })

/** I9: nobody was asked about one while another of the same queue, who came first or was more urgent, waited for that same agent. Logs have no common order within a millisecond: only who waited before and after it counts. */
function inOrder(waits: Wait[], offers: Asked[], leap: number): void {
  waits.sort((a, b) => a.from - b.from)
  let [next, standing]: [number, Wait[]] = [0, []]
  for (const o of offers.sort((a, b) => a.at - b.at)) {
    for (; next < waits.length && waits[next]!.from < o.at; next++) standing.push(waits[next]!) // within the list
    standing = standing.filter(w => w.to >= o.at)
    if (o.s.place.since >= o.at && o.s.place.since !== o.s.opened) continue // put back into the line while it was being asked about
    for (const w of standing) {
      if (w.n === o.n || w.from > o.at - leap || w.to <= o.at || w.s.queue !== o.s.queue || w.s.only !== undefined || w.s.place.passed.includes(o.to) || (w.s.place.rest ?? 0) > o.at) continue
      assert.ok(inLine(request(o.n, o.s), request(w.n, w.s)) < 0, `I9: ${o.to} was asked about #${o.n} while #${w.n} stood before it`)
    }
  }
}

/** After a desk has come to rest: what it keeps beside the logs is what the logs say (I10, SEC-D29). */
export async function settled(stores: Stores, desk: string, { states, ledger }: Replayed): Promise<void> {
  const seats = new Set([...states.values()].flatMap(s => claims(s).map(c => c.key)))
  assert.deepEqual(new Set(ledger.seats.keys()), seats, 'I10: a seat for each who serves or is asked, and no other')
  assert.deepEqual(new Set(ledger.open.keys()), new Set([...states].filter(([, s]) => s.is !== 'closed' && s.is !== 'absent').map(([n]) => n)), 'I10: the open ones')
  for (const [n, s] of states) {
    if (s.is === 'absent') continue
    const id = String(n).padStart(10, '0')
    const summary = (await stores.documents.get<Summary>('desk-conversations', desk, id))?.value
    const found = await stores.search.find(`${desk}/conversations`, { where: { number: n, status: s.is, deleted: s.deleted !== undefined }, limit: 1 })
    assert.equal('wrong' in found ? -1 : found.hits.length, s.purged === undefined ? 1 : 0, `#${n} is found as what it is`)
    if (s.deleted !== undefined) { assert.equal(summary, undefined, `#${n} is deleted`); continue }
    assert.deepEqual(summary && [summary.state, summary.queue, summary.owners, summary.opened, summary.ticket], [s.is, s.queue, s.owners, s.opened, s.filing?.ticket], `#${n} is listed as what it is`)
  }
}
