// Tells agents in time who waits for them: warnings, reminders and what has come due (shell).
import { bestShow, isReceiving } from './availability.ts'
import type { Commit } from './book.ts'
import { queueName } from './config.ts'
import { inLine } from './dispatch.ts'
import type { Bare, Level, Present } from './facts.ts'
import type { View } from './ground.ts'
import type { Office } from './office.ts'
import { nextDue, silentSince, type Due } from './quality.ts'
import { duration } from './sentences.ts'
import { Timers } from './timers.ts'

export class Warnings implements View {
  readonly #office: Office
  readonly #timers: Timers
  readonly #last = new Map<number, number>()
  constructor(office: Office) {
    this.#office = office
    this.#timers = new Timers(office.link.clock)
  }

  stop(): void { this.#timers.close() }
  /** After a start, and when the settings have changed. */
  wind(): void { for (const n of this.#office.book.states.keys()) this.touch(n) }

  onCommit({ n, after, events }: Commit): void {
    for (const { event, after: then } of events) {
      if (then.is === 'absent') continue
      if (event.type === 'warned') this.#level(n, then, event.level)
      if (event.type === 'follow-up due') for (const to of new Set([event.by, ...then.owners.slice(-1)])) this.#say(to, `Follow-up due: #${n} (${this.#name(then)}).`, { urgent: true })
    }
    if (after.is === 'closed') { this.#last.delete(n); this.#timers.set(n, []); return }
    this.touch(n)
  }

  /** Looks again when the next word about it is due. */
  touch(n: number): void {
    const s = this.#office.book.states.get(n)
    const due = s && nextDue(s, this.#office.rules.now.quality, { now: this.#office.now, typed: this.#office.book.typed.get(n), last: this.#last.get(n) })
    this.#timers.set(n, due ? [{ at: due.at, ring: () => this.#ring(n, due) }] : [])
  }

  async #ring(n: number, due: Due): Promise<void> {
    const { book } = this.#office
    const s = book.states.get(n)
    if (s && s.is !== 'absent') {
      if (due.is === 'level') await book.give(n, { do: 'warn', level: due.level, since: due.since })
      else {
        this.#last.set(n, this.#office.now)
        if (due.is === 'queue') this.#queue(n, s)
        else if (s.is === 'active') this.#say(s.owner, `#${n} (${this.#name(s)}) waits for your answer: ${this.#span(n, s)}.`, { critical: due.of === 'critical' })
      }
    }
    this.touch(n)
    await this.#office.idle()
  }

  #level(n: number, s: Present, level: Level): void {
    if (s.is !== 'active') return
    const it = `#${n} (${this.#name(s)})`
    switch (level) {
      case 'idle': return this.#say(s.owner, `Warning: ${it} waits for your answer: ${this.#span(n, s)}.`)
      case 'idle critical': return this.#say(s.owner, `Critical: ${it} waits for your answer: ${this.#span(n, s)}!`, { critical: true })
      case 'duration': return this.#say(s.owner, `Warning: ${it} lasts for ${duration(this.#office.now - s.opened)}.`)
      case 'duration critical': return this.#say(s.owner, `Critical: ${it} lasts for ${duration(this.#office.now - s.opened)}!`, { critical: true })
    }
  }
  #span(n: number, s: Present): string { return duration(this.#office.now - (silentSince(s, this.#office.book.typed.get(n)) ?? this.#office.now)) }
  #name(s: Present): string { return this.#office.customerOf(s)?.name ?? 'Customer' }

  /** SS-13: all who could take it hear of the first in line, and with it of the others. */
  #queue(n: number, s: Present): void {
    const line = this.#office.line(s.queue).sort(inLine)
    if (line[0]?.n !== n || s.is !== 'waiting') return
    const { operators, config } = this.#office
    for (const jid of this.#office.eligible(s)) {
      if (isReceiving(operators.operator(jid), s.queue)) this.#say(jid, `#${n} (${this.#name(s)}) still waits, ${queueName(config, s.queue)}${line.length > 1 ? `, and ${line.length - 1} more` : ''} — !take ${n} takes it`)
    }
  }

  /** Busy agents hear what is critical alone; who is not here, nothing. */
  #say(to: Bare, text: string, how: { readonly critical?: boolean; readonly urgent?: boolean } = {}): void {
    const show = bestShow(this.#office.operators.operator(to).devices)
    if (show === undefined ? how.urgent !== true : show === 'dnd' && how.critical !== true && how.urgent !== true) return
    this.#office.notices.tell(to, text, { keep: how.urgent === true, urgent: how.critical === true || how.urgent === true })
  }
}
