// How often a device may have its presence told to all who see it: what comes faster waits a moment, and only the latest is told.
import type { Presence } from '../stanza/stanza.ts'
import type { Resource } from '../session/account.ts'
import { note } from '../session/notes.ts'
import type { Clock } from '../ports/clock.ts'
import type { Limits } from '../ports/limits.ts'

const paidUntil = note('presence is paid until', 0) // on a device: ms; each presence costs 1/rate seconds
const waiting = note<Waiting | undefined>('presence that waits', undefined) // on a device

interface Waiting { presence: Presence; told?: Set<string> | undefined; readonly alarm: Disposable } // `told`: who has had it already, bare

/** Tells a presence to all who see the device, but to those in `told`. */
type Tell = (p: Presence, device: Resource, told?: ReadonlySet<string>) => void

export class Pace {
  readonly #world: { readonly network: Clock; readonly limits: Limits }
  readonly #tell: Tell
  constructor(world: { readonly network: Clock; readonly limits: Limits }, tell: Tell) { this.#world = world; this.#tell = tell }

  /** Tells it now, or as soon as the limit allows if nothing newer came until then. */
  spread(p: Presence, device: Resource): void {
    const { rate, burst } = this.#world.limits.presence
    if (rate === Infinity) { this.#tell(p, device); return }
    if (rate === 0) return
    const late = device.get(waiting)
    if (late) { late.presence = p; late.told = undefined; return }
    const { network } = this.#world
    const now = network.now()
    const cost = 1000 / rate
    const paid = Math.max(device.get(paidUntil), now) + cost
    const wait = paid - burst * cost - now
    if (!(wait > 0)) { device.set(paidUntil, paid); this.#tell(p, device); return }
    const alarm = network.alarm(now + wait, () => {
      device.set(paidUntil, paid)
      this.#now(device)
    })
    device.set(waiting, { presence: p, alarm })
  }

  /** Whether something has not been told yet. */
  isLate(device: Resource): boolean { return device.get(waiting) !== undefined }

  /** What `bare` is still to be told; from now on it counts as told. */
  owed(bare: string, device: Resource): Presence | undefined {
    const late = device.get(waiting)
    if (!late || late.told?.has(bare)) return undefined
    late.told = (late.told ?? new Set()).add(bare)
    return late.presence
  }

  /** The device, or the server, ends: what waits is told now, or `last` in its place. */
  finish(device: Resource, last?: Presence): void {
    device.get(waiting)?.alarm[Symbol.dispose]()
    if (!last) { this.#now(device); return }
    device.set(waiting, undefined)
    this.#tell(last, device)
  }

  #now(device: Resource): void {
    const late = device.get(waiting)
    device.set(waiting, undefined)
    if (late) this.#tell(late.presence, device, late.told)
  }
}
