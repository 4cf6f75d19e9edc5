// Tells who monitors a conversation of each thing done in it, once and to him alone (OT-45, OT-46; shell).
import { actorOf, happened } from './chronicle.ts'
import type { Commit } from './book.ts'
import type { Event } from './facts.ts'
import type { Line } from './lines.ts'
import type { View } from './ground.ts'
import type { Office } from './office.ts'
import { mayRead } from './records/access.ts'
import { short } from './sentences.ts'
import { labelled } from './views/contact.ts'

const SILENT: readonly Event['type'][] = ['warned', 'monitored', 'stirred', 'exhausted']

export class Monitors implements View {
  readonly #office: Office
  constructor(office: Office) { this.#office = office }

  onCommit({ n, before, events, lines }: Commit): void {
    for (const { event, after } of events) {
      if (after.is === 'absent') continue
      const all = { ...(before.is === 'absent' ? {} : before.monitors), ...after.monitors }
      if (Object.keys(all).length === 0) continue
      const text = this.#text(n, event, lines)
      if (text === undefined) continue
      const by = actorOf(event)
      for (const [jid, what] of Object.entries(all)) {
        if (jid === by || (what === 'customer' && by !== 'customer')) continue
        if (mayRead(this.#office, jid, after)) this.#office.notices.tell(jid, `#${n} ${text}`, { keep: false })
      }
    }
  }

  #text(n: number, e: Event, lines: readonly Line[]): string | undefined {
    if (SILENT.includes(e.type)) return undefined
    if (e.type !== 'said') {
      const s = this.#office.book.states.get(n)
      const name = s && s.is !== 'absent' ? this.#office.customerOf(s)?.name : undefined
      return happened(e, who => who === 'customer' ? name ?? 'the customer' : who === 'desk' ? 'the desk' : this.#office.operators.name(who))
    }
    const line = lines.find(l => l.seq === e.seq)
    if (!line || line.by === 'desk' || line.as === 'command' || line.chat !== undefined) return undefined
    return short(line.by === 'customer' ? `${line.name}: ${line.body}` : labelled(line), 300)
  }
}
