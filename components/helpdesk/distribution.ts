// Asks agents for those who wait: who could be asked, the line of each queue, one offer after the other (shell).
import type { Candidate } from './assigner.ts'
import { recordOf } from './assignment.ts'
import { bestShow, capacityOf, isOfferable } from './availability.ts'
import type { Commit } from './book.ts'
import { assigns } from './config.ts'
import { isQueued } from './conversation.ts'
import { nextStep, positions, startOf, type Request } from './dispatch.ts'
import { limitsFor } from './entrance.ts'
import { Refused, type Bare, type Event, type Offered, type Waiting } from './facts.ts'
import type { Ground } from './ground.ts'

type Under = Pick<Ground, 'book' | 'config' | 'rules' | 'operators' | 'now' | 'eligible' | 'customerOf'>

export class Distribution {
  readonly #o: Under
  /** How each operator stood when it was looked at last. */
  readonly #stands = new Map<Bare, { readonly says: string; readonly queues: ReadonlySet<string> }>()
  /** By queue; forgotten whenever the line changes. */
  readonly #positions = new Map<string, ReadonlyMap<number, number>>()
  #dispatching: Promise<void> | undefined
  #again = false
  constructor(ground: Under) { this.#o = ground }

  /** A commit may have moved somebody in line. */
  committed({ before, after }: Commit): void { if (isQueued(before) || isQueued(after)) this.#positions.clear() }

  /** Everybody in line, asked about or not, as customers count. */
  line(queue?: string): Request[] {
    const all: Request[] = []
    for (const [n, s] of this.#o.book.states) if (isQueued(s) && (queue === undefined || s.queue === queue)) all.push(this.#request(n, s))
    return all
  }
  /** How many stand before it; 0 also for one that does not wait. */
  position(n: number): number {
    const s = this.#o.book.states.get(n)
    if (!s || !isQueued(s)) return 0
    let all = this.#positions.get(s.queue)
    if (!all) this.#positions.set(s.queue, all = positions(this.line(s.queue)))
    return all.get(n) ?? 0
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
    return { n, queue: s.queue, place: s.place, only: s.only, start: startOf(s.priority, this.#o.config.queues.get(s.queue)?.priority ?? 0), language: this.#o.customerOf(s)?.language, people: this.#o.operators.isHandedOver(s) }
  }
  /** One for each of the queue's skills, one for the customer's language. */
  #fit(jid: Bare, queue: string, language: string | undefined): number {
    const { skills = [], languages = [] } = this.#o.operators.record(jid)
    const own = language?.slice(0, 2).toLowerCase()
    return (this.#o.config.queues.get(queue)?.skills ?? []).filter(k => skills.includes(k)).length + (own !== undefined && languages.some(l => l.toLowerCase().startsWith(own)) ? 1 : 0)
  }
  #candidates(queue: string, only: readonly Bare[] | undefined, language: string | undefined, people: boolean): Candidate[] {
    return this.#o.eligible({ queue, only }).flatMap(jid => {
      if (people && this.#o.operators.isBot(jid)) return []
      const o = this.#o.operators.operator(jid)
      if (!isOfferable(o, queue, this.#o.rules.now.distribution.offersAway)) return []
      const { load, lastEnded, lastAssigned } = recordOf(this.#o.book.ledger, jid)
      if (this.room(jid, queue) <= load) return []
      return [{ id: jid, load, capacity: capacityOf(o), fit: this.#fit(jid, queue, language), lastEnded, lastAssigned, show: bestShow(o.devices) ?? 'available' }]
    })
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
      for (;;) {
        const waiting: Request[] = []
        for (const [n, s] of this.#o.book.states) if (s.is === 'waiting' && !stuck.has(n) && assigns(this.#o.config, s.queue) === 'round-robin') waiting.push(this.#request(n, s))
        const step = nextStep(waiting, (q, only, language, people) => this.#candidates(q, only, language, people), this.#o.now)
        if (!step) break
        if (!await this.#take(step.do === 'rest' ? { n: step.n } : { n: step.n, to: step.to })) stuck.add(step.n)
      }
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
    for (const [n, s] of [...this.#o.book.states]) {
      if (s.is !== 'waiting' || !this.#o.eligible(s).includes(who)) continue
      if (s.place.rest !== undefined || (s.place.passed.includes(who) && this.#mayBeAsked(who, s.queue))) await this.#o.book.give(n, { do: 'stir', who })
    }
  }
  #mayBeAsked(jid: Bare, queue: string): boolean { return isOfferable(this.#o.operators.operator(jid), queue, this.#o.rules.now.distribution.offersAway) }

  /** Whether what the operator says of himself, or whom he can be asked for, is another thing than when this was asked last. A connection that is lost says nothing. */
  changed(jid: Bare): boolean {
    const o = this.#o.operators.operator(jid)
    const queues = new Set(this.#o.operators.queuesOf(jid).filter(q => this.#mayBeAsked(jid, q)))
    const says = JSON.stringify([bestShow(o.devices.map(d => ({ ...d, attached: true }))), o.intake, capacityOf(o), this.#o.operators.record(jid).perQueue, o.back])
    const old = this.#stands.get(jid)
    this.#stands.set(jid, { says, queues })
    return old?.says !== says || [...queues].some(q => !old.queues.has(q))
  }
}

const did = (outcome: readonly Event[] | Refused): boolean => !(outcome instanceof Refused) && outcome.length > 0
