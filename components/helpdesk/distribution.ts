// Asks agents for those who wait: who could be asked, the line of each queue, one offer after the other (shell).
import type { Candidate } from './assigner.ts'
import { recordOf } from './assignment.ts'
import { bestShow, capacityOf, isOfferable } from './availability.ts'
import type { Commit } from './book.ts'
import { assigns } from './config.ts'
import { isQueued } from './conversation.ts'
import { inLine, isResting, startOf, stepFor, type Request, type Step } from './dispatch.ts'
import { limitsFor } from './entrance.ts'
import { Refused, type Bare, type Event, type Offered, type State, type Waiting } from './facts.ts'
import type { Ground } from './ground.ts'
import { managerOf } from './intake/wishes.ts'
import { Line } from './line.ts'

/** By queue: all in line; those who wait, for whoever serves the queue or for somebody. By number: each as it stands there. `turned`: those on whom somebody has passed. */
interface Lines { readonly queued: Map<string, Line>; readonly open: Map<string, Line>; readonly meant: Map<string, Line>; readonly by: Map<number, Request>; readonly turned: Set<number> }
function lineOf(all: Map<string, Line>, queue: string): Line {
  let line = all.get(queue)
  if (!line) all.set(queue, line = new Line())
  return line
}

type Under = Pick<Ground, 'book' | 'config' | 'rules' | 'operators' | 'now' | 'eligible' | 'customerOf'>

export class Distribution {
  readonly #o: Under
  /** How each operator stood when it was looked at last. */
  readonly #stands = new Map<Bare, { readonly says: string; readonly queues: ReadonlySet<string> }>()
  #lines: Lines | undefined
  /** By queue: who serves it, and who of them may be free. Who was found not to be is left out until something of his changes. */
  readonly #free = new Map<string, { readonly of: readonly Bare[]; readonly serves: ReadonlySet<Bare>; readonly free: Set<Bare> }>()
  #dispatching: Promise<void> | undefined
  #again = false
  constructor(ground: Under) { this.#o = ground }

  /** A commit may have moved somebody in line, and freed who had it. */
  committed({ n, before, after }: Commit): void {
    if (isQueued(before) || isQueued(after)) this.#stand(n, after)
    if (before.is === 'active' || before.is === 'offered') this.freed(before.is === 'active' ? [before.owner, ...(before.transfer ? [before.transfer.to] : [])] : [before.offer.to])
  }
  /** Seats of theirs, or what they say of themselves, have changed: they may be free. */
  freed(who: readonly Bare[]): void {
    for (const { serves, free } of this.#free.values()) for (const jid of who) if (serves.has(jid)) free.add(jid)
  }
  /** People or settings have changed: all is looked at anew. */
  renew(): void { this.#free.clear(); this.#lines = undefined }

  /** Everybody in line, asked about or not, as customers count; in order within a queue. */
  line(queue?: string): Request[] {
    const { queued } = this.#ordered
    return queue === undefined ? [...queued.values()].flatMap(l => l.all) : [...queued.get(queue)?.all ?? []]
  }
  /** The first so many in line. */
  front(queue: string, most: number): readonly Request[] { return this.#ordered.queued.get(queue)?.all.slice(0, most) ?? [] }
  /** How many are in line. */
  waiting(queue: string): number { return this.#ordered.queued.get(queue)?.length ?? 0 }
  /** Since when the first in line waits, in ms since 1970. */
  head(queue: string): number | undefined { return this.#ordered.queued.get(queue)?.at(0)?.place.since }
  /** The first so many of a queue who wait and whom this operator may take. */
  first(queue: string, jid: Bare, most: number): readonly Request[] {
    const { open, meant } = this.#ordered
    const serves = this.#o.operators.of(queue).includes(jid)
    return [...(serves ? open.get(queue)?.all.slice(0, most) ?? [] : []), ...(meant.get(queue)?.all ?? []).filter(r => this.#o.eligible({ queue, only: r.only }).includes(jid))]
  }
  /** How many stand before it; 0 also for one that does not wait. */
  position(n: number): number {
    const { queued, by } = this.#ordered
    const r = by.get(n)
    return r ? queued.get(r.queue)?.before(r) ?? 0 : 0
  }

  /** The lines as they are; read from all states once, and kept with each commit from then on. */
  get #ordered(): Lines {
    if (this.#lines) return this.#lines
    this.#lines = { queued: new Map(), open: new Map(), meant: new Map(), by: new Map(), turned: new Set() }
    for (const [n, s] of this.#o.book.states) if (isQueued(s)) this.#stand(n, s)
    return this.#lines
  }
  #stand(n: number, s: State): void {
    const lines = this.#lines
    if (!lines) return
    const old = lines.by.get(n)
    if (old) {
      for (const all of [lines.queued, lines.open, lines.meant]) all.get(old.queue)?.remove(old)
      lines.by.delete(n)
      lines.turned.delete(n)
    }
    if (!isQueued(s)) return
    const r = this.#request(n, s)
    lines.by.set(n, r)
    lineOf(lines.queued, r.queue).add(r)
    if (s.is !== 'waiting') return
    lineOf(r.only ? lines.meant : lines.open, r.queue).add(r)
    if (s.place.rest !== undefined || s.place.passed.length > 0) lines.turned.add(n)
  }

  /** How many conversations the operator may hold when the next is one of this queue: the limit of all, and those of the queue and its departments. */
  room(jid: Bare, queue: string): number {
    const all = capacityOf(this.#o.operators.operator(jid))
    if (this.#o.operators.isBot(jid)) return all // limits of queues and departments are for people
    const limits = limitsFor(this.#o.rules.now, queue, this.#o.operators.record(jid).perQueue?.[queue])
    if (limits.length === 0) return all
    const seats = [...this.#o.book.ledger.seats.values()].filter(x => x.agent === jid)
    const { load } = recordOf(this.#o.book.ledger, jid)
    return Math.min(all, ...limits.map(l => load + l.most - seats.filter(x => { const s = this.#o.book.states.get(x.n); return s && s.is !== 'absent' && l.queues.includes(s.queue) }).length))
  }

  #request(n: number, s: Waiting | Offered): Request {
    return { n, queue: s.queue, place: s.place, only: s.only, start: startOf(s.priority, this.#o.config.queues.get(s.queue)?.priority ?? 0), people: this.#o.operators.isHandedOver(s) }
  }
  /** One for each of the queue's skills, one for the customer's language. */
  #fit(jid: Bare, queue: string, language: string | undefined): number {
    const { skills = [], languages = [] } = this.#o.operators.record(jid)
    const own = language?.slice(0, 2).toLowerCase()
    return (this.#o.config.queues.get(queue)?.skills ?? []).filter(k => skills.includes(k)).length + (own !== undefined && languages.some(l => l.toLowerCase().startsWith(own)) ? 1 : 0)
  }
  /** Who is asked before others. The account manager is whoever is it now, also of who was handed on or back; not who has just given the customer away. A reopened one goes to its agent first. */
  #wanted({ n, place }: Request): readonly Bare[] {
    const s = this.#o.book.states.get(n)
    const customer = s && this.#o.customerOf(s)
    const manager = customer && this.#o.rules.now.distribution.accountManager ? managerOf(this.#o, customer) : undefined
    if (!s || s.is === 'absent' || manager === undefined || manager === place.spare) return place.preferred
    return s.owners.length > 0 ? [...place.preferred, manager] : [manager, ...place.preferred]
  }
  #candidates(r: Request): Candidate[] {
    const { queue, only, people = false } = r
    const language = this.#language(r.n)
    const found: Candidate[] = []
    const free = only ? undefined : this.#mayBeFree(queue)
    for (const jid of free ?? this.#o.eligible({ queue, only })) {
      const o = this.#o.operators.operator(jid)
      const { load, lastEnded, lastAssigned } = recordOf(this.#o.book.ledger, jid)
      if (!isOfferable(o, queue, this.#o.rules.now.distribution.offersAway) || this.room(jid, queue) <= load) { free?.delete(jid); continue }
      if (!people || !this.#o.operators.isBot(jid)) found.push({ id: jid, load, capacity: capacityOf(o), fit: this.#fit(jid, queue, language), lastEnded, lastAssigned, show: bestShow(o.devices) ?? 'available' })
    }
    return found
  }
  #language(n: number): string | undefined { const s = this.#o.book.states.get(n); return s && this.#o.customerOf(s)?.language }
  #mayBeFree(queue: string): Set<Bare> {
    const of = this.#o.operators.of(queue)
    let known = this.#free.get(queue)
    if (known?.of !== of) this.#free.set(queue, known = { of, serves: new Set(of), free: new Set(of) })
    return known.free
  }

  /** Asks whoever can be asked for those who wait. One run at a time; a call during a run makes it look again. */
  dispatch(): Promise<void> {
    this.#again = true
    this.#dispatching ??= this.#run().finally(() => { this.#dispatching = undefined })
    return this.#dispatching
  }
  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      const stuck = new Set<number>()
      for (let step; (step = this.#next(stuck));) if (!await this.#take(step.do === 'rest' ? { n: step.n } : { n: step.n, to: step.to })) stuck.add(step.n)
    }
  }
  /** What to do first: the lines are gone through together in their common order, but for queues where nobody is free. */
  #next(stuck: ReadonlySet<number>): Step | undefined {
    const { open, meant } = this.#ordered
    const heads = [open, meant].flatMap(all => [...all].flatMap(([queue, line]) => assigns(this.#o.config, queue) === 'round-robin' && line.length > 0 ? [{ queue, line, place: 0, isOpen: all === open }] : []))
    for (;;) {
      let best: typeof heads[number] | undefined
      let first: Request | undefined
      for (const h of heads) {
        const r = h.line.at(h.place)
        if (r && (!first || inLine(r, first) < 0)) { best = h; first = r }
      }
      if (!best || !first) return undefined
      best.place++
      if (stuck.has(first.n) || isResting(first, this.#o.now)) continue
      const step = stepFor(first, this.#candidates(first), this.#wanted(first))
      if (step) return step
      if (best.isOpen && this.#mayBeFree(best.queue).size === 0) best.place = Infinity
    }
  }
  /** One step; false if it came to nothing, because the conversation or the agent was quicker. */
  async #take({ n, to }: { n: number; to?: Bare }): Promise<boolean> {
    if (to === undefined) return did(await this.#o.book.give(n, { do: 'exhaust', until: this.#o.now + this.#o.rules.now.distribution.rest * 1000 }))
    const s = this.#o.book.states.get(n)
    const automatic = s !== undefined && s.is !== 'absent' && this.#o.config.queues.get(s.queue)?.accept === 'automatic'
    return did(await this.#o.book.withSeat(n, to, this.room(to, s && s.is !== 'absent' ? s.queue : ''), id => ({ do: 'offer', id, to, until: this.#o.now + this.#o.rules.now.distribution.offer * 1000, automatic })))
  }

  /** Whether the operator may be asked about this queue, seats left aside. */
  mayBeAsked(jid: Bare, queue: string): boolean { return this.#o.operators.of(queue).includes(jid) && isOfferable(this.#o.operators.operator(jid), queue, this.#o.rules.now.distribution.offersAway) }

  /** An operator's state has changed: what rests among those he may be asked about is looked at again, and what he has passed, if he can be asked now. */
  async stir(who: Bare): Promise<void> {
    for (const n of [...this.#ordered.turned]) {
      const s = this.#o.book.states.get(n)
      if (s?.is !== 'waiting' || !this.#o.eligible(s).includes(who)) continue
      if (s.place.rest !== undefined || (s.place.passed.includes(who) && this.#mayBeAsked(who, s.queue))) await this.#o.book.give(n, { do: 'stir', who })
    }
  }
  #mayBeAsked(jid: Bare, queue: string): boolean { return isOfferable(this.#o.operators.operator(jid), queue, this.#o.rules.now.distribution.offersAway) }

  /** Whether what the operator says of himself, or whom he can be asked for, is another thing than when this was asked last. A connection that is lost says nothing. */
  changed(jid: Bare): boolean {
    this.freed([jid])
    const o = this.#o.operators.operator(jid)
    const queues = new Set(this.#o.operators.queuesOf(jid).filter(q => this.#mayBeAsked(jid, q)))
    const says = JSON.stringify([bestShow(o.devices.map(d => ({ ...d, attached: true }))), o.intake, capacityOf(o), this.#o.operators.record(jid).perQueue, o.back])
    const old = this.#stands.get(jid)
    this.#stands.set(jid, { says, queues })
    return old?.says !== says || [...queues].some(q => !old.queues.has(q))
  }
}

const did = (outcome: readonly Event[] | Refused): boolean => !(outcome instanceof Refused) && outcome.length > 0
