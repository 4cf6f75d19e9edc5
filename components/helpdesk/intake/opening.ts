// Whether queues are open, and since when not: who receives, the hours, and the grace for those on their way (ST-70, ST-71, RULE-C16) (shell).
import { isOnline, isReceiving, type Operator } from '../availability.ts'
import { isWithinHours, nextHours } from '../entrance.ts'
import type { Bare } from '../facts.ts'
import type { Ground } from '../ground.ts'

const ONLINE = 'desk-online'
const ON_THE_WAY = 30_000 // ms after the last agent stopped in which a customer may still come in (C16)

type Under = Pick<Ground, 'config' | 'rules' | 'operators' | 'link' | 'domain' | 'now' | 'later' | 'eligible' | 'onQueues'>

export class Opening implements Disposable {
  readonly #o: Under
  /** When each queue closed; Infinity: it has not. */
  readonly #queues = new Map<string, number>()
  /** When each operator stopped receiving; Infinity: he has not. */
  readonly #operators = new Map<Bare, number>()
  #hours: Disposable | undefined
  #stopped = false
  constructor(ground: Under) { this.#o = ground }

  isOpen(queue: string, only?: readonly Bare[]): boolean {
    const { config, rules, now, operators } = this.#o
    return config.enabled && isWithinHours(rules.now, queue, now) && this.#o.eligible({ queue, only }).some(j => isOnline([operators.operator(j)], queue))
  }
  /** Open now, or closed only after the customer was on the way. */
  takesNew(queue: string, only?: readonly Bare[]): boolean {
    if (this.isOpen(queue, only)) return true
    const { config, rules, now } = this.#o
    if (!config.enabled || !isWithinHours(rules.now, queue, now)) return false
    const last = only === undefined ? this.#queues.get(queue) : Math.max(...only.map(j => this.#operators.get(j) ?? -Infinity))
    return last !== undefined && now - last <= ON_THE_WAY
  }

  /** An operator has changed. */
  changed(jid: Bare, o: Operator): void {
    this.look()
    const receives = o.intake.invisible === 'no' && this.#o.operators.queuesOf(jid).some(q => isReceiving(o, q))
    if (receives || this.#operators.get(jid) === Infinity) this.#operators.set(jid, receives ? Infinity : this.#o.now)
  }

  /** Remembers since when each queue is open or closed. */
  look(): void {
    const { config, now, link, domain } = this.#o
    for (const q of config.queues.keys()) {
      const isOpen = this.isOpen(q)
      if (isOpen === (this.#queues.get(q) === Infinity)) continue
      this.#queues.set(q, isOpen ? Infinity : now)
      this.#o.later(() => link.stores.documents.put(ONLINE, domain, q, isOpen))
    }
  }
  /** Rings when the next queue opens or closes by its hours. */
  watch(): void {
    this.#hours?.[Symbol.dispose]()
    this.#hours = undefined
    const { rules, now, link, onQueues } = this.#o
    const at = nextHours(rules.now, now)
    if (at !== undefined && !this.#stopped) this.#hours = link.clock.alarm(at, () => { this.look(); for (const f of onQueues) f(); this.watch() })
  }

  /** After a start: queues that were open when the desk fell count as just closed, until their agents are back. */
  async recall(): Promise<void> {
    this.watch()
    const { config, link, domain, now } = this.#o
    for (const q of config.queues.keys()) if ((await link.stores.documents.get<boolean>(ONLINE, domain, q))?.value) this.#queues.set(q, now)
  }

  [Symbol.dispose](): void { this.#stopped = true; this.#hours?.[Symbol.dispose]() }
}
