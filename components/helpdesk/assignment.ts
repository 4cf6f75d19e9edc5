// The desk's ledger: conversation numbers, and the seats of its operators. A seat is reserved at the offer, so that no operator ever serves more than he can. Pure.

import { Refused, type Bare, type State } from './facts.ts'

/** One reserved place in an operator's capacity, for one conversation. */
export interface Seat { readonly key: string; readonly n: number; readonly agent: Bare; readonly since: number; readonly assigned: boolean }
/** What the order of section 2.1 C13 needs to know of an operator; moments in ms, undefined = never. */
export interface Standing { readonly load: number; readonly lastEnded: number | undefined; readonly lastAssigned: number | undefined }
export interface Ledger {
  /** The number the next conversation gets. */
  readonly next: number
  /** Conversations that are not closed, and whose. */
  readonly open: ReadonlyMap<number, string>
  /** How many of them each customer has. */
  readonly customers: ReadonlyMap<string, number>
  readonly seats: ReadonlyMap<string, Seat>
  readonly operators: ReadonlyMap<Bare, Standing>
}

export type LedgerCommand = { readonly now: number } & (
  | { do: 'number'; customer: string }
  | { do: 'reserve'; key: string; n: number; agent: Bare; capacity: number }
  | { do: 'assign'; key: string }
  | { do: 'release'; key: string; ended: boolean }
  | { do: 'archive'; n: number }
)
export type LedgerEvent = { readonly at: number } & (
  | { type: 'numbered'; n: number; customer: string }
  | { type: 'reserved'; key: string; n: number; agent: Bare }
  | { type: 'assigned'; key: string }
  | { type: 'released'; key: string; ended: boolean }
  | { type: 'archived'; n: number }
)

export const emptyLedger: Ledger = { next: 1, open: new Map(), customers: new Map(), seats: new Map(), operators: new Map() }
const unknown: Standing = { load: 0, lastEnded: undefined, lastAssigned: undefined }
export const recordOf = (l: Ledger, agent: Bare): Standing => l.operators.get(agent) ?? unknown

export function decideLedger(l: Ledger, c: LedgerCommand): readonly LedgerEvent[] | Refused {
  switch (c.do) {
    case 'number': return [{ type: 'numbered', at: c.now, n: l.next, customer: c.customer }]
    case 'reserve': {
      if (l.seats.has(c.key)) return []
      const { load } = recordOf(l, c.agent)
      return load < c.capacity ? [{ type: 'reserved', at: c.now, key: c.key, n: c.n, agent: c.agent }] : new Refused(`{who} serves ${load} of ${c.capacity} conversations already.`, c.agent)
    }
    case 'assign': return l.seats.get(c.key)?.assigned === false ? [{ type: 'assigned', at: c.now, key: c.key }] : []
    case 'release': return l.seats.has(c.key) ? [{ type: 'released', at: c.now, key: c.key, ended: c.ended }] : []
    case 'archive': return l.open.has(c.n) ? [{ type: 'archived', at: c.now, n: c.n }] : []
  }
}

/** The ledger after `e`, another object. */
export const evolveLedger = (l: Ledger, e: LedgerEvent): Ledger => kept({ next: l.next, open: new Map(l.open), customers: new Map(l.customers), seats: new Map(l.seats), operators: new Map(l.operators) }, e)

/** The ledger after all of these. */
export function ledgerOf(events: readonly LedgerEvent[]): KeptLedger {
  const l: KeptLedger = { next: 1, open: new Map(), customers: new Map(), seats: new Map(), operators: new Map() }
  for (const e of events) kept(l, e)
  return l
}

/** A ledger that is written on: whoever keeps the one there is copies nothing. */
export interface KeptLedger { next: number; readonly open: Map<number, string>; readonly customers: Map<string, number>; readonly seats: Map<string, Seat>; readonly operators: Map<Bare, Standing> }
/** Writes `e` into it. */
export function kept(l: KeptLedger, e: LedgerEvent): KeptLedger {
  const change = (agent: Bare, by: Partial<Standing>): void => { l.operators.set(agent, { ...recordOf(l, agent), ...by }) }
  switch (e.type) {
    case 'numbered':
      l.next = e.n + 1
      l.open.set(e.n, e.customer)
      l.customers.set(e.customer, (l.customers.get(e.customer) ?? 0) + 1)
      return l
    case 'archived': {
      const customer = l.open.get(e.n)
      if (customer === undefined) return l
      l.open.delete(e.n)
      const left = (l.customers.get(customer) ?? 1) - 1
      if (left > 0) l.customers.set(customer, left)
      else l.customers.delete(customer)
      return l
    }
    case 'reserved':
      l.seats.set(e.key, { key: e.key, n: e.n, agent: e.agent, since: e.at, assigned: false })
      change(e.agent, { load: recordOf(l, e.agent).load + 1 })
      return l
    case 'assigned': case 'released': {
      const seat = l.seats.get(e.key)
      if (!seat) return l
      if (e.type === 'assigned') {
        l.seats.set(e.key, { ...seat, assigned: true })
        change(seat.agent, { lastAssigned: e.at })
      } else {
        l.seats.delete(e.key)
        change(seat.agent, { load: recordOf(l, seat.agent).load - 1, ...(e.ended ? { lastEnded: e.at } : {}) })
      }
      return l
    }
  }
}

/** The seats that a conversation in this state has a right to: its owner's, and one for each operator who is asked to become it. */
export function claims(s: State): readonly { key: string; agent: Bare; serving: boolean }[] {
  if (s.is === 'offered') return [{ key: s.offer.id, agent: s.offer.to, serving: false }]
  if (s.is !== 'active') return []
  return [{ key: s.seat, agent: s.owner, serving: true }, ...(s.transfer ? [{ key: s.transfer.id, agent: s.transfer.to, serving: false }] : [])]
}

/** What brings the ledger in line with one conversation: reservations nobody follows are released, seats taken are marked, a closed one is archived. */
export function settle(l: Ledger, n: number, s: State, now: number): readonly LedgerCommand[] {
  const rights = claims(s)
  const over = s.is === 'ended' || s.is === 'closed'
  const todo: LedgerCommand[] = []
  for (const seat of l.seats.values()) {
    if (seat.n !== n) continue
    const right = rights.find(r => r.key === seat.key && r.agent === seat.agent)
    if (!right) todo.push({ do: 'release', now, key: seat.key, ended: over && seat.assigned })
    else if (right.serving && !seat.assigned) todo.push({ do: 'assign', now, key: seat.key })
  }
  if ((s.is === 'closed' || s.is === 'absent') && l.open.has(n)) todo.push({ do: 'archive', now, n })
  return todo
}
