// Who serves at this desk: local accounts with a role and those the queues name, their records, their devices and what they have set themselves (shell).
import { Jid, type DocumentStore, type Link, type Person } from '../../server/api.ts'
import { openIntake, type Device, type Intake, type Operator, type Show } from './availability.ts'
import type { Bare, Offered, Waiting } from './facts.ts'
import { rightsOf, type Permission, type Rights, type Role } from './permissions.ts'
import type { Rulebook } from './settings/rulebook.ts'
import { localOf } from './words.ts'

/** What the desk keeps of an operator. */
export interface OperatorRecord {
  readonly intake: Intake
  readonly view: 'contact' | 'room' | undefined
  /** What his lists show. */
  readonly channels?: 'all' | 'mine'
  /** Whether new chats open a window. */
  readonly announce?: 'window' | 'quiet'
  /** What customers and colleagues read instead of the name. */
  readonly alias?: string
  /** A role of the settings that takes the place of the account's. */
  readonly role?: string
  readonly email?: string
  /** How many at once; the operator's own limit lies within. Absent: the desk's. */
  readonly capacity?: number
  /** The same by queue. */
  readonly perQueue?: Readonly<Record<string, number>>
  /** Others' conversations are theirs to see in these departments only; absent: in all. */
  readonly departments?: readonly string[]
  readonly skills?: readonly string[]
  readonly languages?: readonly string[]
  /** A program, with room for any number. */
  readonly bot?: boolean
}
const COLLECTION = 'desk-operators'
const DEFAULTS: OperatorRecord = { intake: openIntake, view: undefined }
const ENDLESS = 1_000_000 // conversations

export class Operators {
  readonly #link: Link
  readonly #documents: DocumentStore
  readonly #rules: Rulebook
  #people = new Map<Bare, Person>()
  readonly #devices = new Map<Bare, Map<string, Device>>()
  /** Those who are here without an XMPP client: by the stream that says so. */
  readonly #pages = new Map<Bare, Map<symbol, Device>>()
  readonly #records = new Map<Bare, OperatorRecord>()
  #rights: Rights
  /** Called when a shown name or a role has changed. */
  onRenamed: () => void = () => {}
  /** Called when who may see and do what may have changed. */
  onRights: () => void = () => {}
  /** Who serves which queue; forgotten when people, roles or settings change. */
  readonly #of = new Map<string, readonly Bare[]>()

  constructor(link: Link, rules: Rulebook) {
    this.#link = link
    this.#documents = link.stores.documents
    this.#rules = rules
    this.#rights = rightsOf(rules.now.roles)
    rules.onChange.push(() => { this.#rights = rightsOf(rules.now.roles); this.#of.clear(); this.onRights() })
  }

  /** Reads who has a role now; gives those who came and those who went. */
  async read(): Promise<{ came: Bare[]; gone: Bare[] }> {
    const people = new Map<Bare, Person>()
    for (const p of await this.#link.privileges?.people() ?? []) people.set(p.jid, p)
    for (const q of Object.values(this.#rules.now.queues)) {
      if (q.agents !== 'all') for (const text of q.agents) { const jid = Jid.tryParse(text)?.bare; if (jid && !people.has(jid)) people.set(jid, { jid, role: 'agent' }) }
    }
    const came = [...people.keys()].filter(j => !this.#people.has(j))
    const gone = [...this.#people.keys()].filter(j => !people.has(j))
    for (const jid of came) this.#records.set(jid, { ...DEFAULTS, ...(await this.#documents.get<OperatorRecord>(COLLECTION, this.#link.domain, jid))?.value })
    for (const jid of came) this.#veil(jid)
    for (const jid of gone) { this.#link.privileges?.hide?.(jid, false); this.#records.delete(jid); this.#devices.delete(jid); this.#pages.delete(jid) }
    const changed = JSON.stringify([...people]) !== JSON.stringify([...this.#people])
    this.#people = people
    this.#of.clear()
    if (changed) this.onRights()
    return { came, gone }
  }

  has(jid: Bare): boolean { return this.#people.has(jid) }
  person(jid: Bare): Person | undefined { return this.#people.get(jid) }
  /** The role of the account. */
  role(jid: Bare): Role | undefined { return this.#people.get(jid)?.role }
  /** The role whose permissions hold: one of the settings, else the account's. */
  holds(jid: Bare): string | undefined {
    const own = this.record(jid).role
    return own !== undefined && this.#rules.now.roles[own] !== undefined ? own : this.role(jid)
  }
  /** Whether the operator may; `queue`: with a conversation of this queue. */
  may(jid: Bare, what: Permission, queue?: string): boolean {
    const role = this.holds(jid)
    if (role === undefined || this.#rights.get(role)?.has(what) !== true) return false
    const { departments } = this.record(jid)
    return queue === undefined || departments === undefined || departments.some(d => this.#rules.now.departments[d]?.queues.includes(queue))
  }
  /** Whether one who is no operator may: `customer` = logged in, else `public`. */
  grants(role: 'customer' | 'public', what: Permission): boolean { return this.#rights.get(role)?.has(what) === true }
  rights(role: string): ReadonlySet<Permission> { return this.#rights.get(role) ?? new Set() }
  all(): readonly Person[] { return [...this.#people.values()] }

  /** What colleagues and customers read: the alias, the shown name, else the localpart with a capital. */
  name(jid: Bare): string {
    const name = this.record(jid).alias ?? this.#people.get(jid)?.name
    if (name) return name
    const local = localOf(jid)
    return local.slice(0, 1).toUpperCase() + local.slice(1)
  }

  /** Those who serve a queue, whatever their state. */
  of(queue: string): readonly Bare[] {
    let all = this.#of.get(queue)
    if (!all) this.#of.set(queue, all = this.#serving(queue).filter(jid => this.may(jid, 'chat.with.customers')))
    return all
  }
  #serving(queue: string): Bare[] {
    const q = this.#rules.now.queues[queue]
    if (!q) return []
    if (q.agents === 'all') return [...this.#people.values()].filter(p => p.role !== 'admin').map(p => p.jid)
    return q.agents.flatMap(t => { const jid = Jid.tryParse(t)?.bare; return jid && this.#people.has(jid) ? [jid] : [] })
  }
  queuesOf(jid: Bare): string[] { return Object.keys(this.#rules.now.queues).filter(q => this.of(q).includes(jid)) }

  /** The queues his workgroup clients stand back from. */
  stands: (jid: Bare) => Operator['back'] = () => undefined
  operator(jid: Bare): Operator {
    const { intake, capacity, bot } = this.record(jid)
    const most = bot ? ENDLESS : capacity ?? this.#rules.now.distribution.capacity
    const own = intake.max === undefined ? undefined : Math.min(intake.max, most)
    return { id: jid, devices: [...this.#devices.get(jid)?.values() ?? [], ...this.#pages.get(jid)?.values() ?? []], intake: { ...intake, max: own }, capacity: most, back: this.stands(jid) }
  }
  /** Whether it is a program. */
  isBot(jid: Bare): boolean { return this.record(jid).bot === true }
  /** Whether a program has had the conversation and it went on from there: then it is for people. One that the program ended by itself may be opened again with it. */
  isHandedOver(s: Waiting | Offered): boolean { return s.owners.some(jid => this.isBot(jid) && !s.place.preferred.includes(jid)) }
  record(jid: Bare): OperatorRecord { return this.#records.get(jid) ?? DEFAULTS }
  async change(jid: Bare, news: { readonly [K in keyof OperatorRecord]?: OperatorRecord[K] | undefined }): Promise<void> {
    const now = Object.fromEntries(Object.entries({ ...this.record(jid), ...news }).filter(([, v]) => v !== undefined)) as unknown as OperatorRecord // what is undefined is not kept
    this.#records.set(jid, { ...DEFAULTS, ...now })
    this.#veil(jid)
    this.#of.clear()
    if ('alias' in news || 'role' in news) this.onRenamed()
    if ('alias' in news || 'role' in news || 'departments' in news || 'channels' in news) this.onRights()
    await this.#documents.put(COLLECTION, this.#link.domain, jid, now)
  }
  /** Who is invisible to all is so in colleagues' contact lists, too (FP-10). */
  #veil(jid: Bare): void { this.#link.privileges?.hide?.(jid, this.record(jid).intake.invisible === 'all') }
  /** Why one operator may not write to another; undefined: he may, or they are not both operators (FP-22). */
  apart(from: Bare, to: Bare): string | undefined {
    if (!this.has(from) || !this.has(to)) return undefined
    return !this.may(from, 'chat.with.agents') ? 'You may not chat with agents.' : !this.may(to, 'chat.with.agents') ? `${this.name(to)} may not chat with agents.` : undefined
  }
  /** Lets go of what the desk keeps of one who is deleted. */
  async forget(jid: Bare): Promise<void> {
    this.#records.delete(jid)
    await this.#documents.remove(COLLECTION, this.#link.domain, jid)
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
  /** The same of a page, which reads a stream and gets no stanzas. */
  page(jid: Bare, page: symbol, show: Show | undefined): void {
    const pages = this.#pages.get(jid) ?? new Map<symbol, Device>()
    if (show === undefined) pages.delete(page)
    else pages.set(page, { show, attached: true })
    if (pages.size > 0) this.#pages.set(jid, pages)
    else this.#pages.delete(jid)
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
