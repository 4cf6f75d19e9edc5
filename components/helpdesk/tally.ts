// How the desk stands, in numbers: for those who watch the machine (shell).
import { isReceiving } from './availability.ts'
import type { Commit } from './book.ts'
import type { Event } from './facts.ts'
import type { View } from './ground.ts'
import type { Office } from './office.ts'

/** Conversations by queue and state, at this moment. */
export interface QueueCount { readonly queue: string; readonly waiting: number; readonly offered: number; readonly active: number; readonly ended: number; /** ms that the first in line has waited */ readonly longest: number; readonly receiving: number }

/** What has happened since the start. */
export interface Happened { readonly opened: number; readonly closed: number; readonly offered: number; readonly accepted: number; readonly declined: number; readonly lapsed: number; readonly revoked: number; readonly lines: number }

const QUEUES = 200 // that are named one by one; the rest count together

export class Tally implements View {
  readonly #office: Office
  readonly #happened: Record<keyof Happened, number> = { opened: 0, closed: 0, offered: 0, accepted: 0, declined: 0, lapsed: 0, revoked: 0, lines: 0 }
  constructor(office: Office) { this.#office = office }

  get happened(): Happened { return this.#happened }

  onCommit({ events }: Commit): void { for (const { event } of events) this.#count(event) }

  #count(e: Event): void {
    switch (e.type) {
      case 'said': this.#happened.lines++; break
      case 'opened': case 'closed': this.#happened[e.type]++; break
      case 'offered': case 'transfer offered': this.#happened.offered++; break
      case 'accepted': case 'transferred': this.#happened.accepted++; break
      case 'passed': case 'transfer passed': this.#happened[e.why]++; break
    }
  }

  /** Looks through what is open: to be asked now and then. */
  get queues(): readonly QueueCount[] {
    const { config, book, operators, now } = this.#office
    const counts = new Map<string, { -readonly [K in keyof QueueCount]: QueueCount[K] }>()
    const of = (queue: string) => {
      const name = counts.has(queue) || counts.size < QUEUES ? queue : 'others'
      const found = counts.get(name) ?? { queue: name, waiting: 0, offered: 0, active: 0, ended: 0, longest: 0, receiving: 0 }
      counts.set(name, found)
      return found
    }
    for (const queue of config.queues.keys()) of(queue).receiving = operators.of(queue).filter(jid => isReceiving(operators.operator(jid), queue)).length
    for (const s of book.states.values()) {
      if (s.is === 'absent' || s.is === 'closed') continue
      const count = of(s.queue)
      count[s.is]++
      if (s.is === 'waiting' || s.is === 'offered') count.longest = Math.max(count.longest, now - s.place.since)
    }
    return [...counts.values()]
  }
}
