// The streams and sessions of this process: for resumption, for its aftermath and for shutdown.
import type { ClientStream } from './c2s.ts'
import type { Device } from './device.ts'
import { Strangers } from './strangers.ts'

const MANY = 10_000 // ended sessions whose counters are remembered

/** How far a session had come that is over (XEP-0198 section 5). */
interface Past { readonly bare: string; readonly h: number; readonly until: number }

export class Devices {
  readonly streams = new Set<ClientStream>()
  readonly strangers = new Strangers()
  readonly #byResumeId = new Map<string, Device>()
  readonly #past = new Map<string, Past>() // the oldest first

  /** Sessions that can be resumed. */
  get resumable(): number { return this.#byResumeId.size }

  at(resumeId: string): Device | undefined { return this.#byResumeId.get(resumeId) }

  /** From now on, and until it is gone, `device` can be resumed. */
  add(resumeId: string, device: Device): void {
    this.#byResumeId.set(resumeId, device)
    device.onGone = () => {
      this.#byResumeId.delete(resumeId)
      const { network, limits } = device.host
      this.#past.set(resumeId, { bare: device.jid.bare, h: device.handled.h, until: network.now() + limits.streamManagement.keepH })
      if (this.#past.size > MANY) this.#past.delete(this.#past.keys().next().value!) // it is not empty
    }
  }

  /** How many stanzas a session of `bare` that is over had handled, so that its client need not send them again. */
  handledOf(resumeId: string, bare: string, now: number): number | undefined {
    const past = this.#past.get(resumeId)
    return past?.bare === bare && now < past.until ? past.h : undefined
  }

  /** Ends every stream; messages that were not acknowledged go where missed ones go. Presence is told to nobody: all go at once. */
  shutDown(): void {
    const devices = new Set(this.#byResumeId.values())
    for (const s of this.streams) if (s.device) devices.add(s.device)
    const unacked = [...devices].map(d => d.retire())
    for (const s of [...this.streams]) s.fail('system-shutdown')
    for (const giveOn of unacked) giveOn()
  }
}
