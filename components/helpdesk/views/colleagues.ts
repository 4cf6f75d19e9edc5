// Operators find each other and their queues in their contact lists, in groups that follow every change (OM-27; shell).
import { Jid, type InjectedItem } from '../../../server/api.ts'
import type { Addresses } from '../addresses.ts'
import { queueName } from '../config.ts'
import type { Bare } from '../facts.ts'
import type { Office } from '../office.ts'

const COLLEAGUES = 'Colleagues'
const QUEUES = 'Queues'
const MOST = 100 // colleagues in one list: those of one's own queues first

/** An item that this view keeps: a person elsewhere, or a queue of ours. */
export const isShared = (jid: string, at: Addresses): boolean => { const j = Jid.tryParse(jid); return j !== undefined && (j.domain !== at.domain.domain || at.read(j).is === 'queue') }

export class Colleagues {
  readonly #office: Office
  readonly #at: Addresses
  readonly #shown = new Map<Bare, Map<string, InjectedItem>>()
  #busy: Promise<void> | undefined
  #again = false
  constructor(office: Office, at: Addresses) { this.#office = office; this.#at = at }

  /** Takes over what the list held before the start. */
  async open(jid: Bare): Promise<void> {
    const items = await this.#office.link.privileges?.injected(jid) ?? []
    this.#shown.set(jid, new Map(items.filter(i => !i.removed && isShared(i.jid, this.#at)).map(i => [i.jid, { jid: i.jid, groups: i.groups, subscription: i.subscription, ...(i.name === undefined ? {} : { name: i.name }) }])))
  }

  /** An operator who is none any more loses them. */
  async forget(jid: Bare): Promise<void> {
    const items = [...this.#shown.get(jid)?.keys() ?? []]
    this.#shown.delete(jid)
    if (items.length > 0) await this.#office.link.privileges?.withdraw(jid, items)
  }

  /** Brings all lists in line, soon. */
  touch(): void {
    this.#again = true
    if (this.#busy) return
    this.#office.later(() => this.#busy ??= this.#run().finally(() => { this.#busy = undefined; if (this.#again) this.touch() }))
  }
  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      for (const jid of [...this.#shown.keys()]) await this.#sync(jid).catch((error: unknown) => this.#office.link.log.warn({ err: error, operator: jid }, 'a contact list could not be changed; the next change tries again'))
    }
  }

  async #sync(jid: Bare): Promise<void> {
    const { privileges } = this.#office.link
    const old = this.#shown.get(jid)
    if (!privileges || !old || !this.#office.operators.has(jid)) return
    const want = new Map<string, InjectedItem>()
    for (const item of this.#wanted(jid)) {
      // Whom the operator has as a contact already stays as the operator has put it.
      if (!old.has(item.jid) && (await privileges.standing(jid, item.jid)).watches) continue
      want.set(item.jid, item)
    }
    const news = [...want.values()].filter(i => !same(i, old.get(i.jid)))
    const gone = [...old.keys()].filter(j => !want.has(j))
    if (news.length > 0) await privileges.inject(jid, news)
    if (gone.length > 0) await privileges.withdraw(jid, gone)
    this.#shown.set(jid, want)
  }

  #wanted(jid: Bare): InjectedItem[] {
    const { operators, rules, config } = this.#office
    const items: InjectedItem[] = []
    if (rules.now.roster.queues) for (const q of operators.queuesOf(jid)) items.push({ jid: this.#at.queue(q).bare, name: queueName(config, q), groups: [QUEUES], subscription: 'both' })
    if (rules.now.roster.colleagues && operators.may(jid, 'chat.with.agents')) {
      for (const colleague of this.#nearest(jid)) items.push({ jid: colleague, name: operators.name(colleague), groups: this.#groups(colleague), subscription: 'both' })
    }
    return items
  }
  #nearest(jid: Bare): readonly Bare[] {
    const { operators } = this.#office
    const all = new Set<Bare>()
    const add = (jids: Iterable<Bare>): void => { for (const j of jids) { if (all.size >= MOST) return; if (j !== jid && operators.may(j, 'chat.with.agents')) all.add(j) } }
    for (const q of operators.queuesOf(jid)) add(operators.of(q))
    add(operators.all().map(p => p.jid))
    return [...all]
  }
  /** The departments whose queues the colleague serves. */
  #groups(jid: Bare): readonly string[] {
    const queues = new Set(this.#office.operators.queuesOf(jid))
    const groups = Object.entries(this.#office.rules.now.departments).filter(([, d]) => d.queues.some(q => queues.has(q))).map(([id, d]) => d.name ?? id.slice(0, 1).toUpperCase() + id.slice(1))
    return groups.length > 0 ? [...new Set(groups)] : [COLLEAGUES]
  }
}

const same = (a: InjectedItem, b: InjectedItem | undefined): boolean => b !== undefined && a.name === b.name && a.subscription === b.subscription && a.groups.join('\n') === b.groups.join('\n')
