// A service's nodes in memory and on the shelf: carries out what is asked, in order, and says what subscribers hear of it.
import { el, Jid, parseFrame, refuse, StanzaError, type Element } from '../../server/api.ts'
import { pageSet, readPage } from '../paging.ts'
import { configured, itemsOf, meets, payloadOf, type Bounds, type NodeConfig } from './config.ts'
import { configForm } from './config.ts'
import { configEvent, deleteEvent, itemElement, itemEvent, purgeEvent, retractEvent, subscriptionEvent } from './events.ts'
import { fault, NS_PUBSUB, unsupported } from './names.ts'
import { added, affiliated, affiliationOf, cut, isSubscribed, mayPublish, mayRetract, readBar, without, withRecord, type Affiliation, type Entry, type NodeState, type Standing } from './node.ts'
import { pageOf } from './page.ts'
import type { Shelf } from './shelf.ts'

const LONGEST = 1023 // bytes of a node's or an item's name
const SMALL = 4096 // bytes of a last payload that is kept in memory

/** What a service is told beside its shelf. */
export interface World {
  /** Who owns every node; absent: those who made it. */
  readonly owner?: string
  readonly defaults: NodeConfig
  /** Read anew each time: limits change when the config is read again. */
  limits(): Bounds & { readonly nodes: number; readonly subscriptions: number; readonly answer: number }
  mayCreate(who: Jid): boolean
  standing(who: Jid): Standing
  now(): number
  newId(): string
  /** Subscribers are to hear of something; `only`: just this address, of what was published `at`. */
  notify(node: NodeState, event: Element, more: { readonly only?: Jid; readonly at?: number }): void
  /** Something was published or removed, by whomever. */
  changed(node: string): void
}

/** What is asked for of a node's items. */
export interface ItemsAsk { readonly ids: readonly string[]; readonly newest?: number; readonly set?: Element | undefined }
export interface Publication { readonly id?: string | undefined; readonly payload?: Element | undefined }

export class Pubsub {
  readonly #shelf: Shelf
  readonly #world: World
  readonly #nodes = new Map<string, Omit<NodeState, 'entries'> & { readonly entries?: readonly Entry[] }>()
  readonly #last = new Map<string, { readonly id: string; readonly payload: Element | undefined }>()
  #tail: Promise<unknown> = Promise.resolve()

  private constructor(shelf: Shelf, world: World) { this.#shelf = shelf; this.#world = world }

  static async open(shelf: Shelf, world: World): Promise<Pubsub> {
    const service = new Pubsub(shelf, world)
    for (const [name, record] of await shelf.nodes()) service.#nodes.set(name, { name, record })
    return service
  }

  get names(): readonly string[] { return [...this.#nodes.keys()] }
  has(name: string): boolean { return this.#nodes.has(name) }
  /** A node without its items, at once. */
  peek(name: string): Omit<NodeState, 'entries'> | undefined { return this.#nodes.get(name) }

  /** A node with the list of its items, which is read when it is first needed. */
  async node(name: string): Promise<NodeState | undefined> {
    const known = this.#nodes.get(name)
    if (!known || known.entries) return known as NodeState | undefined // its entries are there
    const entries = known.record.config.persist ? await this.#shelf.entries(name) : []
    const now = this.#nodes.get(name)
    if (!now || now.entries) return now as NodeState | undefined // somebody else was quicker
    const whole = { ...now, entries }
    this.#nodes.set(name, whole)
    return whole
  }

  affiliation(node: NodeState, who: Jid): Affiliation { return affiliationOf(node, who.bare, this.#world.owner) }
  /** What keeps somebody from reading a node; undefined: nothing. */
  barOf(node: Omit<NodeState, 'entries'>, who: Jid): StanzaError | undefined {
    const whole = { ...node, entries: [] }
    return readBar(whole, this.#world.standing(who), this.affiliation(whole, who))
  }

  // ---- reading

  async items(name: string, from: Jid, ask: ItemsAsk): Promise<Element | StanzaError> {
    const node = await this.node(name)
    if (!node) return refuse('item-not-found')
    const bar = this.barOf(node, from)
    if (bar) return bar
    const chosen = this.#choose(node, ask)
    if (chosen instanceof StanzaError) return chosen
    const payloads = await this.#payloads(node, chosen.entries)
    const { config } = node.record
    const items = chosen.entries.filter(e => payloads.has(e.id)).map(e => itemElement(NS_PUBSUB, e, payloads.get(e.id), config))
    return el('pubsub', NS_PUBSUB, {}, el('items', NS_PUBSUB, { node: name }, ...items), ...(chosen.set ? [chosen.set] : []))
  }

  #choose({ entries }: NodeState, { ids, newest, set }: ItemsAsk): { entries: readonly Entry[]; set?: Element } | StanzaError {
    const { answer } = this.#world.limits()
    if (ids.length) return { entries: within(entries.filter(e => ids.includes(e.id)), answer, false) }
    if (!set) {
      const wanted = newest === undefined ? entries : entries.slice(Math.max(0, entries.length - newest))
      const given = within(wanted, answer, true)
      return given.length === wanted.length ? { entries: given } : { entries: given, set: pageSet({ first: given[0]!.id, last: given.at(-1)!.id, index: entries.length - given.length, count: entries.length }) } // one at least
    }
    const page = readPage(set, entries.length)
    if (page instanceof StanzaError) return page
    const found = pageOf(entries, e => e.id, page)
    if (!found) return refuse('item-not-found')
    const given = within(found.items, answer, page.last)
    const index = found.index + (page.last ? found.items.length - given.length : 0)
    return { entries: given, set: pageSet({ ...(given.length > 0 && { first: given[0]!.id, last: given.at(-1)!.id, index }), count: entries.length }) } // it is not empty
  }

  async #payloads(node: NodeState, entries: readonly Entry[]): Promise<Map<string, Element | undefined>> {
    const known = this.#last.get(node.name)
    const found = new Map<string, Element | undefined>()
    const wanted = entries.filter(e => e.id !== known?.id)
    if (known && wanted.length < entries.length) found.set(known.id, known.payload)
    if (wanted.length && node.record.config.persist) {
      const texts = await this.#shelf.payloads(node.name, wanted.map(e => e.id), node.entries.length)
      for (const e of wanted) { const text = texts.get(e.id); if (text !== undefined) found.set(e.id, text ? parseFrame(text) : undefined) }
    }
    return found
  }

  /** The newest item of a node; undefined if there is none. */
  async last(name: string): Promise<{ readonly node: NodeState; readonly entry: Entry; readonly payload: Element | undefined } | undefined> {
    const node = await this.node(name)
    const entry = node?.entries.at(-1)
    if (!node || !entry) return undefined
    const payloads = await this.#payloads(node, [entry])
    if (!payloads.has(entry.id)) return undefined
    const payload = payloads.get(entry.id)
    if (entry.size <= SMALL) this.#last.set(name, { id: entry.id, payload })
    return { node, entry, payload }
  }

  /** All items of a node, or those of these ids, with their payloads; empty if there is no such node. */
  async all(name: string, ids?: readonly string[]): Promise<readonly { readonly id: string; readonly payload: Element | undefined }[]> {
    const node = await this.node(name)
    if (!node) return []
    const entries = ids ? node.entries.filter(e => ids.includes(e.id)) : node.entries
    const payloads = await this.#payloads(node, entries)
    return entries.filter(e => payloads.has(e.id)).map(e => ({ id: e.id, payload: payloads.get(e.id) }))
  }

  // ---- publishing

  /** Publishes, on a node made for it if there is none; gives the item's id. `more` changes the defaults of such a node. */
  publish(name: string, from: Jid, item: Publication | undefined, options?: Element, more: Partial<NodeConfig> = {}): Promise<{ readonly id: string | undefined } | StanzaError> {
    return this.#turn(async () => {
      const world = this.#world
      const limits = world.limits()
      const known = await this.node(name)
      const standing = world.standing(from)
      if (known ? !mayPublish(known, standing, this.affiliation(known, from)) : !world.mayCreate(from)) return refuse('forbidden')
      const config = meets(known?.record.config ?? { ...world.defaults, ...more }, options, limits, known !== undefined)
      if (config instanceof StanzaError) return config
      const node = known ?? this.#fresh(name, config, from)
      if (node instanceof StanzaError) return node

      const text = item?.payload?.toString() ?? ''
      const size = Buffer.byteLength(text)
      const wrong = misfit(config, item, size, payloadOf(config, limits))
      if (wrong) return wrong
      if (!known) await this.#shelf.putNode(name, node.record)
      if (!item) {
        this.#keep(node)
        if (config.notifications) world.notify(node, itemEvent(name, config, undefined, undefined), {})
        return { id: undefined }
      }
      const entry = { id: item.id ?? world.newId(), at: world.now(), publisher: from.bare, size }
      const next = added(node, entry, itemsOf(config, limits))
      if (config.persist) await this.#shelf.putItem(name, next.entry, text)
      this.#keep(next.node)
      if (size <= SMALL || !config.persist) this.#last.set(name, { id: entry.id, payload: item.payload })
      else this.#last.delete(name)
      if (next.gone.length && config.persist) await this.#shelf.dropItems(name, next.gone.map(e => e.id))
      if (config.notifications) world.notify(next.node, itemEvent(name, config, entry, item.payload), {})
      world.changed(name)
      return { id: entry.id }
    })
  }

  retract(name: string, from: Jid, id: string, notify: boolean): Promise<StanzaError | undefined> {
    return this.#turn(async () => {
      const node = await this.node(name)
      if (!node) return refuse('item-not-found')
      const affiliation = this.affiliation(node, from)
      const entry = node.entries.find(e => e.id === id)
      if (entry ? !mayRetract(entry, from.bare, affiliation) : !mayPublish(node, this.#world.standing(from), affiliation)) return refuse('forbidden')
      const { config } = node.record
      if (!entry) return config.persist ? refuse('item-not-found') : unsupported('persistent-items')
      if (config.persist) await this.#shelf.dropItems(name, [id])
      const after = without(node, id)
      this.#keep(after)
      if (config.notifications && (notify || config.notifyRetract)) this.#world.notify(after, retractEvent(name, [id]), {})
      this.#world.changed(name)
      return undefined
    })
  }

  // ---- owning

  /** Makes a node; without a name it gets one. */
  create(name: string | undefined, from: Jid, form?: Element): Promise<{ readonly name: string } | StanzaError> {
    return this.#turn(async () => {
      if (!this.#world.mayCreate(from)) return refuse('forbidden')
      if (name !== undefined && this.#nodes.has(name)) return refuse('conflict')
      const config = form ? configured(this.#world.defaults, form, this.#world.limits()) : this.#world.defaults
      if (config instanceof StanzaError) return config
      const node = this.#fresh(name ?? this.#world.newId(), config, from)
      if (node instanceof StanzaError) return node
      await this.#shelf.putNode(node.name, node.record)
      this.#keep(node)
      return { name: node.name }
    })
  }

  configure(name: string, from: Jid, form: Element | undefined): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const limits = this.#world.limits()
      const config = configured(node.record.config, form, limits)
      if (config instanceof StanzaError) return config
      if (config === node.record.config) return undefined
      const { kept, gone } = cut(node.entries, itemsOf(config, limits))
      const after = { ...withRecord(node, { config }), entries: config.persist === node.record.config.persist ? kept : [] }
      if (after.entries !== node.entries) await this.#shelf.dropItems(name, (after.entries.length ? gone : node.entries).map(e => e.id))
      await this.#save(after)
      if (!after.entries.length) this.#last.delete(name)
      if (config.notifyConfig) this.#world.notify(after, configEvent(name, config.payloads ? configForm(config, limits, 'result') : undefined), {})
      return undefined
    })
  }

  remove(name: string, from: Jid): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      await this.#shelf.dropNode(name, node.entries.map(e => e.id))
      this.#nodes.delete(name)
      this.#last.delete(name)
      if (node.record.config.notifyDelete) this.#world.notify(node, deleteEvent(name), {})
      this.#world.changed(name)
      return undefined
    })
  }

  purge(name: string, from: Jid): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const { config } = node.record
      if (!config.persist) return unsupported('persistent-items')
      await this.#shelf.dropItems(name, node.entries.map(e => e.id))
      const after = { ...node, entries: [] }
      this.#keep(after)
      this.#last.delete(name)
      if (config.notifications) this.#world.notify(after, purgeEvent(name), {})
      this.#world.changed(name)
      return undefined
    })
  }

  affiliate(name: string, from: Jid, changes: readonly (readonly [string, Affiliation])[]): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const after = affiliated(node, changes, this.#world.owner)
      if (!after) return refuse('not-acceptable', 'A node has an owner.')
      if (after.record.affiliations.length > this.#world.limits().subscriptions) return refuse('resource-constraint')
      const out = changes.filter(([, a]) => a === 'outcast').map(([jid]) => jid)
      await this.#save(withRecord(after, { subscriptions: after.record.subscriptions.filter(s => !out.includes(bareOf(s))) }))
      return undefined
    })
  }

  /** Owners end subscriptions; only those who want to hear begin them. */
  unsubscribeOthers(name: string, from: Jid, jids: readonly string[]): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const gone = node.record.subscriptions.filter(s => jids.includes(s))
      if (gone.length < jids.length) return refuse('not-acceptable', 'Only an address that is subscribed can be taken out.')
      await this.#save(withRecord(node, { subscriptions: node.record.subscriptions.filter(s => !gone.includes(s)) }))
      for (const jid of gone) this.#world.notify(node, subscriptionEvent(name, jid, 'none'), { only: Jid.parse(jid) })
      return undefined
    })
  }

  /** The node if `from` owns it. */
  async owned(name: string, from: Jid): Promise<NodeState | StanzaError> {
    const node = await this.node(name)
    if (!node) return refuse('item-not-found')
    return this.affiliation(node, from) === 'owner' ? node : refuse('forbidden')
  }

  // ---- subscribing

  subscribe(name: string, from: Jid, jid: Jid): Promise<StanzaError | undefined> {
    return this.#turn(async () => {
      const node = await this.node(name)
      if (!node) return refuse('item-not-found')
      if (jid.bare !== from.bare) return fault('bad-request', 'invalid-jid')
      const { config, subscriptions } = node.record
      const bar = this.barOf(node, from)
      if (bar) return bar
      if (!config.subscribe) return unsupported('subscribe')
      if (subscriptions.includes(jid.full)) return undefined
      if (subscriptions.length >= this.#world.limits().subscriptions) {
        const { text, detail } = fault('policy-violation', 'too-many-subscriptions')
        return new StanzaError('policy-violation', text, detail, 'wait') // section 6.1.3.9
      }
      const after = withRecord(node, { subscriptions: [...subscriptions, jid.full] })
      await this.#save(after)
      if (config.sendLast !== 'never') {
        const last = await this.last(name)
        if (last) this.#world.notify(after, itemEvent(name, config, last.entry, last.payload), { only: jid, at: last.entry.at })
      }
      return undefined
    })
  }

  unsubscribe(name: string, from: Jid, jid: Jid): Promise<StanzaError | undefined> {
    return this.#turn(async () => {
      const node = await this.node(name)
      if (!node) return refuse('item-not-found')
      if (jid.bare !== from.bare) return refuse('forbidden')
      if (!node.record.subscriptions.includes(jid.full)) return new StanzaError('unexpected-request', undefined, fault('unexpected-request', 'not-subscribed').detail, 'cancel')
      await this.#save(withRecord(node, { subscriptions: node.record.subscriptions.filter(s => s !== jid.full) }))
      return undefined
    })
  }

  /** An address is there no more: it is subscribed to nothing. */
  forget(jid: Jid): Promise<void> {
    return this.#turn(async () => {
      for (const { name, record } of this.#nodes.values()) {
        const node = record.subscriptions.includes(jid.full) ? await this.node(name) : undefined
        if (node) await this.#save(withRecord(node, { subscriptions: node.record.subscriptions.filter(s => s !== jid.full) }))
      }
    })
  }

  /** The subscriptions and affiliations of somebody, by node. */
  standingsOf(who: Jid): readonly { readonly node: string; readonly affiliation: Affiliation; readonly subscriptions: readonly string[] }[] {
    return [...this.#nodes.values()].map(n => ({
      node: n.name,
      affiliation: affiliationOf({ ...n, entries: [] }, who.bare, this.#world.owner),
      subscriptions: isSubscribed({ ...n, entries: [] }, who) ? n.record.subscriptions.filter(s => bareOf(s) === who.bare) : [],
    }))
  }

  // ---- the rest

  #owning(name: string, from: Jid, work: (node: NodeState) => Promise<StanzaError | undefined>): Promise<StanzaError | undefined> {
    return this.#turn(async () => {
      const node = await this.owned(name, from)
      return node instanceof StanzaError ? node : await work(node)
    })
  }

  #fresh(name: string, config: NodeConfig, from: Jid): NodeState | StanzaError {
    if (name === '' || Buffer.byteLength(name) > LONGEST) return refuse('not-acceptable', 'This cannot be a name of a node.')
    if (this.#owns(from) >= this.#world.limits().nodes) return fault('conflict', 'max-nodes-exceeded')
    return { name, entries: [], record: { config, created: this.#world.now(), affiliations: this.#world.owner === undefined ? [[from.bare, 'owner']] : [], subscriptions: [] } }
  }

  /** How many nodes somebody has: all, where the service has one owner. */
  #owns(who: Jid): number {
    if (this.#world.owner !== undefined) return this.#nodes.size
    let n = 0
    for (const { record } of this.#nodes.values()) if (record.affiliations.some(([jid, a]) => jid === who.bare && a === 'owner')) n++
    return n
  }

  async #save(node: NodeState): Promise<void> {
    await this.#shelf.putNode(node.name, node.record)
    this.#keep(node)
  }

  #keep(node: NodeState): void { this.#nodes.set(node.name, node) }

  /** One change after the other. */
  #turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work)
    this.#tail = done.catch(() => {})
    return done
  }
}

/** What is wrong with an item, by the kind of the node (section 7.1.3.6). */
function misfit(config: NodeConfig, item: Publication | undefined, size: number, most: number): StanzaError | undefined {
  if (!item) return config.persist || config.payloads ? fault('bad-request', 'item-required') : undefined
  if (!config.persist && !config.payloads) return fault('bad-request', 'item-forbidden')
  if (config.payloads && !item.payload) return fault('bad-request', 'payload-required')
  if (size > most) return fault('not-acceptable', 'payload-too-big')
  if (item.id !== undefined && (item.id === '' || Buffer.byteLength(item.id) > LONGEST)) return refuse('bad-request', 'This cannot be the id of an item.')
  return undefined
}

/** As many items as an answer may carry, one at least; from the end if `newest`. */
function within(entries: readonly Entry[], most: number, newest: boolean): readonly Entry[] {
  const turned = newest ? entries.toReversed() : entries
  let sum = 0
  let n = 0
  for (const e of turned) { sum += e.size; if (n > 0 && sum > most) break; n++ }
  if (n === entries.length) return entries
  return newest ? entries.slice(entries.length - n) : entries.slice(0, n)
}

const bareOf = (jid: string): string => { const slash = jid.indexOf('/'); return slash < 0 ? jid : jid.slice(0, slash) }
