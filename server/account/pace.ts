// How often a device may have its presence told to all who see it: what comes faster waits a moment, and only the latest is told.
import type { Presence } from '../stanza/stanza.ts'
import type { Resource } from '../session/account.ts'
import { note } from '../session/notes.ts'
import type { Clock } from '../ports/clock.ts'
import type { Limits } from '../ports/limits.ts'

const paidUntil = note('presence is paid until', 0) // on a device: ms; each presence costs 1/rate seconds
const waiting = note<Waiting | undefined>('presence that waits', undefined) // on a device

interface Waiting { presence: Presence; readonly alarm: Disposable }

export class Pace {
  readonly #world: { readonly network: Clock; readonly limits: Limits }
  readonly #tell: (p: Presence, device: Resource) => void
  constructor(world: { readonly network: Clock; readonly limits: Limits }, tell: (p: Presence, device: Resource) => void) { this.#world = world; this.#tell = tell }

  /** Tells it now, or as soon as the limit allows if nothing newer came until then. */
  spread(p: Presence, device: Resource): void {
    const { rate, burst } = this.#world.limits.presence
    if (rate === Infinity) { this.#tell(p, device); return }
    if (rate === 0) return
    const late = device.get(waiting)
    if (late) { late.presence = p; return }
    const { network } = this.#world
    const now = network.now()
    const cost = 1000 / rate
    const paid = Math.max(device.get(paidUntil), now) + cost
    const wait = paid - burst * cost - now
    if (!(wait > 0)) { device.set(paidUntil, paid); this.#tell(p, device); return }
    const alarm = network.alarm(now + wait, () => {
      const w = device.get(waiting)
      device.set(waiting, undefined)
      device.set(paidUntil, paid)
      if (w) this.#tell(w.presence, device)
    })
    device.set(waiting, { presence: p, alarm })
  }

  /** What has not been told yet. */
  late(device: Resource): Presence | undefined { return device.get(waiting)?.presence }

  /** Forgets what waits: something final is told in its place. */
  drop(device: Resource): void {
    const late = device.get(waiting)
    if (!late) return
    late.alarm[Symbol.dispose]()
    device.set(waiting, undefined)
  }
}
