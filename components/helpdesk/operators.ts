// Who serves at this desk: local accounts with a role and those the config names, their devices and what they have set themselves (shell).
import { Jid, type DocumentStore, type Link, type Person } from '../../server/api.ts'
import { openIntake, type Device, type Intake, type Operator, type Show } from './availability.ts'
import type { DeskConfig } from './config.ts'
import type { Bare } from './facts.ts'
import type { Denied, Permission, Role } from './permissions.ts'
import { may } from './permissions.ts'
import { localOf } from './words.ts'

/** What an operator keeps beside his intake. */
export interface Settings { readonly intake: Intake; readonly view: 'contact' | 'room' | undefined }
const COLLECTION = 'desk-operators'
const DEFAULTS: Settings = { intake: openIntake, view: undefined }

export class Operators {
  readonly #link: Link
  readonly #documents: DocumentStore
  readonly #config: DeskConfig
  #people = new Map<Bare, Person>()
  readonly #devices = new Map<Bare, Map<string, Device>>()
  readonly #settings = new Map<Bare, Settings>()
  readonly denied: Denied = {}

  constructor(link: Link, config: DeskConfig) {
    this.#link = link
    this.#documents = link.stores.documents
    this.#config = config
  }

  /** Reads who has a role now; gives those who came and those who went. */
  async read(): Promise<{ came: Bare[]; gone: Bare[] }> {
    const people = new Map<Bare, Person>()
    for (const p of await this.#link.privileges?.people() ?? []) people.set(p.jid, p)
    for (const q of this.#config.queues.values()) {
      if (q.agents !== 'all') for (const text of q.agents) { const jid = Jid.tryParse(text)?.bare; if (jid && !people.has(jid)) people.set(jid, { jid, role: 'agent' }) }
    }
    const came = [...people.keys()].filter(j => !this.#people.has(j))
    const gone = [...this.#people.keys()].filter(j => !people.has(j))
    for (const jid of came) this.#settings.set(jid, { ...DEFAULTS, ...(await this.#documents.get<Settings>(COLLECTION, this.#link.domain, jid))?.value })
    for (const jid of gone) { this.#settings.delete(jid); this.#devices.delete(jid) }
    this.#people = people
    return { came, gone }
  }

  has(jid: Bare): boolean { return this.#people.has(jid) }
  person(jid: Bare): Person | undefined { return this.#people.get(jid) }
  role(jid: Bare): Role | undefined { return this.#people.get(jid)?.role }
  may(jid: Bare, what: Permission): boolean { return may(this.role(jid), what, this.denied) }
  all(): readonly Person[] { return [...this.#people.values()] }

  /** What colleagues and customers read: the shown name, else the localpart with a capital. */
  name(jid: Bare): string {
    const name = this.#people.get(jid)?.name
    if (name) return name
    const local = localOf(jid)
    return local.slice(0, 1).toUpperCase() + local.slice(1)
  }

  /** Those who serve a queue, whatever their state. */
  of(queue: string): Bare[] {
    const q = this.#config.queues.get(queue)
    if (!q) return []
    if (q.agents === 'all') return [...this.#people.values()].filter(p => p.role !== 'admin').map(p => p.jid)
    return q.agents.flatMap(t => { const jid = Jid.tryParse(t)?.bare; return jid && this.#people.has(jid) ? [jid] : [] })
  }
  queuesOf(jid: Bare): string[] { return [...this.#config.queues.keys()].filter(q => this.of(q).includes(jid)) }

  operator(jid: Bare): Operator {
    return { id: jid, devices: [...this.#devices.get(jid)?.values() ?? []], intake: this.settings(jid).intake, capacity: this.#config.capacity }
  }
  settings(jid: Bare): Settings { return this.#settings.get(jid) ?? DEFAULTS }
  async change(jid: Bare, news: Partial<Settings>): Promise<void> {
    const now = { ...this.settings(jid), ...news }
    this.#settings.set(jid, now)
    await this.#documents.put(COLLECTION, this.#link.domain, jid, now)
  }

  devices(jid: Bare): readonly string[] { return [...this.#devices.get(jid)?.keys() ?? []] }
  /** Notes the presence of a device; undefined = gone. True if anything changed. */
  presence(device: Jid, show: Show | undefined): boolean {
    const devices = this.#devices.get(device.bare) ?? new Map<string, Device>()
    const old = devices.get(device.full)
    if (show === undefined) devices.delete(device.full)
    else devices.set(device.full, { show, attached: true })
    if (devices.size > 0) this.#devices.set(device.bare, devices)
    else this.#devices.delete(device.bare)
    return old?.show !== show || old?.attached === false
  }
  /** Notes that a device's connection was lost but may come back, or is back. True if that is news. */
  attachment(device: string, attached: boolean): boolean {
    const bare = Jid.tryParse(device)?.bare
    const devices = bare === undefined ? undefined : this.#devices.get(bare)
    const old = devices?.get(device)
    if (!devices || !old || old.attached === attached) return false
    devices.set(device, { ...old, attached })
    return true
  }
}
