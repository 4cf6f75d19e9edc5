// The streams and sessions of this process: for resumption, for its aftermath and for shutdown.
import { Jid } from '../stanza/jid.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../ports/log.ts'
import type { Stores } from '../ports/store.ts'
import type { StreamCondition } from '../session/ending.ts'
import { Device, type Asleep } from './device.ts'
import { sealOf } from './sasl/fast.ts'
import { Strangers } from './strangers.ts'

const COLLECTION = 'session' // of the documents: sessions that sleep over a restart
const OWNER = 'server'
const MANY = 10_000 // ended sessions whose counters are remembered

/** How far a session had come that is over (XEP-0198 section 5). */
interface Past { readonly bare: string; readonly h: number; readonly until: number }

/** The stream of a client, with or without a session. */
export interface Open {
  readonly device: Device | undefined
  probe(now: number): void
  fail(condition: StreamCondition, text?: string): void
}

export class Devices {
  readonly streams = new Set<Open>()
  /** Where clients had better come back to, as host:port (XEP-0198 section 3); undefined: wherever they find the server. */
  location: string | undefined
  readonly strangers = new Strangers()
  readonly #byResumeId = new Map<string, Device>()
  readonly #past = new Map<string, Past>() // the oldest first

  /** Sessions that can be resumed. */
  get resumable(): number { return this.#byResumeId.size }

  /** Sessions without a connection that wait to be resumed; counted one by one. */
  get hibernated(): number {
    let n = 0
    for (const device of this.#byResumeId.values()) if (!device.attached) n++
    return n
  }

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

  /**
   * Ends every stream. Sessions that can be resumed are written down, messages that others did not acknowledge go where missed
   * ones go. Presence is told to nobody: all go at once.
   */
  async shutDown(stores: Stores, log: Log): Promise<void> {
    for (const device of this.#byResumeId.values()) device.host.presences.settle(device)
    const rest: (() => void)[] = []
    for (const { device } of this.streams) {
      if (!device || device.resumable) continue
      rest.push(device.retire())
      device.host.tell('gone', device)
    }
    for (const s of [...this.streams]) s.fail('system-shutdown')
    for (const giveOn of rest) giveOn()
    await Promise.all([...this.#byResumeId].map(([id, device]) => this.#writeDown(id, device, stores, log)))
  }

  async #writeDown(id: string, device: Device, stores: Stores, log: Log): Promise<void> {
    await new Promise<void>(done => device.handled.whenCommitted(done))
    const asleep = device.host.guests ? undefined : device.asleep // nothing stays of a guest
    const giveOn = device.gone ? () => {} : device.retire()
    try {
      if (asleep) await stores.documents.put(COLLECTION, OWNER, id, asleep)
    } catch (err) {
      log.error({ err, jid: device.jid.bare }, 'a session could not be written down')
      giveOn()
    }
  }

  /** Takes in the sessions that were written down; those whose time is over end now. */
  async wake(hosts: ReadonlyMap<string, Host>, stores: Stores): Promise<void> {
    for (;;) {
      const page = await stores.documents.range<Asleep>(COLLECTION, OWNER, { limit: 200 })
      for (const { id, value } of page) {
        const jid = Jid.tryParse(value.jid)
        const host = jid && hosts.get(jid.domain)
        const account = jid && await host?.accounts.at(jid)
        if (jid && host && account && !account.record.disabled && (value.seal ?? sealOf(account.record)) === sealOf(account.record)) { // SEC-T22
          const device = Device.wake(jid, account, host, value)
          this.add(id, device)
          if (value.until <= host.clock.now()) device.leave()
        }
        await stores.documents.remove(COLLECTION, OWNER, id)
      }
      if (page.length < 200) return
    }
  }
}
