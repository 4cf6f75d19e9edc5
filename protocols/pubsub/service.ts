// Carries out what is asked of a service's nodes, one change after the other, and says what subscribers hear of it.
import { Jid, refuse, StanzaError, type Element } from '../../server/api.ts'
import { configForm, configured, itemsOf, meets, payloadOf, type NodeConfig } from './config.ts'
import { collectionEvent, configEvent, deleteEvent, itemEvent, purgeEvent, retractEvent, subscriptionEvent } from './events.ts'
import { fault, unsupported } from './names.ts'
import { added, affiliated, cut, mayPublish, mayRetract, setUp, without, withRecord, type Affiliation, type NodeState } from './node.ts'
import { bareOf, Nodes, type World } from './nodes.ts'
import { Shelf } from './shelf.ts'

export type { World }

const LONGEST = 1023 // bytes of a node's or an item's name

export interface Publication { readonly id?: string | undefined; readonly payload?: Element | undefined }

/** How a subscription stands (section 4.2). */
export type SubscriptionState = 'subscribed' | 'pending'

export class Pubsub extends Nodes {
  static open(shelf: Shelf, world: World): Promise<Pubsub> { return new Pubsub(shelf, world).load() }

  // ---- publishing

  /** Publishes, on a node made for it if there is none; gives the item's id. `more` changes the defaults of such a node. */
  publish(name: string, from: Jid, item: Publication | undefined, options?: Element, more: Partial<NodeConfig> = {}): Promise<{ readonly id: string | undefined } | StanzaError> {
    return this.turn(async () => {
      const world = this.world
      const limits = world.limits()
      const known = await this.node(name)
      const standing = await world.standing(from, known)
      if (known ? !mayPublish(known, standing, this.affiliation(known, from)) : !world.mayCreate(from)) return refuse('forbidden')
      const provisional = known?.record.provisional === true
      const config = meets(known?.record.config ?? { ...world.defaults, ...more }, options, limits, known !== undefined && !provisional)
      if (config instanceof StanzaError) return config
      const node = known ? (provisional ? setUp(known, config) : known) : this.#fresh(name, config, from)
      if (node instanceof StanzaError) return node
      if (config.kind === 'collection') return unsupported('publish')

      const text = item?.payload?.toString() ?? ''
      const size = Buffer.byteLength(text)
      const wrong = misfit(config, item, size, payloadOf(config, limits))
      if (wrong) return wrong
      if (!known || provisional) await this.shelf.putNode(name, node.record)
      if (!known) await this.#moved(name, undefined, config.collection)
      if (!item) {
        this.keep(node)
        if (config.notifications) world.notify(node, itemEvent(name, config, undefined, undefined), {})
        return { id: undefined }
      }
      const entry = { id: item.id ?? world.newId(), at: world.now(), publisher: from.bare, size }
      const next = added(node, entry, itemsOf(config, limits))
      if (config.persist) await this.shelf.putItem(name, next.entry, text)
      this.keep(next.node)
      this.newest(node, entry, item.payload)
      if (next.gone.length && config.persist) await this.shelf.dropItems(name, next.gone.map(e => e.id))
      if (config.notifications) world.notify(next.node, itemEvent(name, config, entry, item.payload), { by: from })
      world.changed(name)
      return { id: entry.id }
    })
  }

  retract(name: string, from: Jid, id: string, notify: boolean): Promise<StanzaError | undefined> {
    return this.turn(async () => {
      const node = await this.node(name)
      if (!node) return refuse('item-not-found')
      const affiliation = this.affiliation(node, from)
      const entry = node.entries.find(e => e.id === id)
      if (entry ? !mayRetract(entry, from.bare, affiliation) : !mayPublish(node, await this.world.standing(from, node), affiliation)) return refuse('forbidden')
      const { config } = node.record
      if (!entry) return config.persist ? refuse('item-not-found') : unsupported('persistent-items')
      if (config.persist) await this.shelf.dropItems(name, [id])
      const after = without(node, id)
      this.keep(after)
      if (config.notifications && (notify || config.notifyRetract)) this.world.notify(after, retractEvent(name, [id]), {})
      this.world.changed(name)
      return undefined
    })
  }

  // ---- owning

  /** Makes a node; without a name it gets one. `given` stands where there is no form: such a node is provisional. */
  create(name: string | undefined, from: Jid, form?: Element, given?: Partial<NodeConfig>): Promise<{ readonly name: string } | StanzaError> {
    return this.turn(async () => {
      if (!this.world.mayCreate(from)) return refuse('forbidden')
      if (name !== undefined && this.has(name)) return refuse('conflict')
      const config = form ? configured(this.world.defaults, form, this.world.limits()) : { ...this.world.defaults, ...given }
      if (config instanceof StanzaError) return config
      const fresh = this.#fresh(name ?? this.world.newId(), config, from)
      if (fresh instanceof StanzaError) return fresh
      const node = given ? withRecord(fresh, { provisional: true }) : fresh
      await this.shelf.putNode(node.name, node.record)
      this.keep(node)
      await this.#moved(node.name, undefined, config.collection)
      return { name: node.name }
    })
  }

  configure(name: string, from: Jid, form: Element | undefined): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const limits = this.world.limits()
      const config = configured(node.record.config, form, limits)
      if (config instanceof StanzaError) return config
      if (config === node.record.config) return undefined
      const before = node.record.config
      const misplaced = config.collection === before.collection ? undefined : this.#misplaced(name, config, from)
      if (misplaced) return misplaced
      const { kept, gone } = cut(node.entries, itemsOf(config, limits))
      const after = { ...setUp(node, config), entries: config.persist === before.persist && config.kind === before.kind ? kept : [] } // a leaf that becomes a collection loses its items (XEP-0248 section 7.3)
      if (after.entries !== node.entries) await this.shelf.dropItems(name, (after.entries.length ? gone : node.entries).map(e => e.id))
      await this.save(after)
      if (!after.entries.length) this.forgetNewest(name)
      if (config.notifyConfig) this.world.notify(after, configEvent(name, config.payloads ? configForm(config, limits, 'result', this.within(name)) : undefined), {})
      await this.#moved(name, before.collection, config.collection)
      return undefined
    })
  }

  /** Why a node may not stand in the collection that its config names (XEP-0248 section 7.3); undefined: it may. */
  #misplaced(name: string, { collection }: NodeConfig, from: Jid): StanzaError | undefined {
    if (collection === undefined) return undefined
    const parent = this.peek(collection)
    if (!parent) return refuse('item-not-found')
    if (parent.record.config.kind !== 'collection') return fault('not-allowed', 'invalid-options', 'Only a collection holds nodes.')
    if (this.affiliation(parent, from) !== 'owner') return refuse('forbidden')
    for (let above: string | undefined = collection; above !== undefined; above = this.peek(above)?.record.config.collection) {
      if (above === name) return fault('not-allowed', 'invalid-options', 'No collection stands in itself.')
    }
    return undefined
  }

  /** Those subscribed to a collection hear what comes into it and what leaves it. */
  async #moved(name: string, before: string | undefined, now: string | undefined): Promise<void> {
    if (before === now) return
    for (const [collection, what] of [[before, 'dissociate'], [now, 'associate']] as const) {
      const node = collection === undefined ? undefined : await this.node(collection)
      if (node?.record.config.notifications) this.world.notify(node, collectionEvent(node.name, what, name), {})
    }
  }

  remove(name: string, from: Jid): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      await this.shelf.dropNode(name, node.entries.map(e => e.id))
      this.drop(name)
      const { config, subscriptions, pending = [] } = node.record
      for (const child of config.kind === 'collection' ? this.within(name) : []) { // they stay, in none
        const { record, ...rest } = (await this.node(child))! // its name was just told, and this is our turn
        const { collection: _, ...free } = record.config
        await this.save({ ...rest, record: { ...record, config: free } })
      }
      await this.#moved(name, config.collection, undefined)
      if (config.notifyDelete) this.world.notify(withRecord(node, { subscriptions: [...subscriptions, ...pending] }), deleteEvent(name), {}) // section 8.4.2
      this.world.changed(name)
      return undefined
    })
  }

  purge(name: string, from: Jid): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const { config } = node.record
      if (!config.persist || config.kind === 'collection') return unsupported('persistent-items')
      await this.shelf.dropItems(name, node.entries.map(e => e.id))
      const after = { ...node, entries: [] }
      this.keep(after)
      this.forgetNewest(name)
      if (config.notifications) this.world.notify(after, purgeEvent(name), {})
      this.world.changed(name)
      return undefined
    })
  }

  affiliate(name: string, from: Jid, changes: readonly (readonly [string, Affiliation])[]): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const after = affiliated(node, changes, this.world.owner)
      if (!after) return refuse('not-acceptable', 'A node has an owner.')
      if (after.record.affiliations.length > this.world.limits().subscriptions) return refuse('resource-constraint')
      const out = changes.filter(([, a]) => a === 'outcast').map(([jid]) => jid)
      await this.save(ended(after, s => out.includes(bareOf(s))) ?? after)
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

  subscribe(name: string, from: Jid, jid: Jid): Promise<SubscriptionState | StanzaError> {
    return this.turn(async () => {
      const node = await this.node(name)
      if (!node) return refuse('item-not-found')
      if (jid.bare !== from.bare) return fault('bad-request', 'invalid-jid')
      const { config, subscriptions, pending = [] } = node.record
      const asks = config.access === 'authorize' && this.affiliation(node, from) === 'none'
      const bar = asks ? undefined : await this.barOf(node, from)
      if (bar) return bar
      if (!config.subscribe) return unsupported('subscribe')
      if (subscriptions.includes(jid.full)) return 'subscribed'
      if (pending.includes(jid.full)) return fault('not-authorized', 'pending-subscription')
      if (subscriptions.length + pending.length >= this.world.limits().subscriptions) {
        return new StanzaError('policy-violation', undefined, fault('policy-violation', 'too-many-subscriptions').detail, 'wait') // section 6.1.3.9
      }
      if (asks) {
        await this.save(withRecord(node, { pending: [...pending, jid.full] }))
        for (const owner of this.#owners(node)) this.world.asks(Jid.parse(owner), name, jid)
        return 'pending'
      }
      await this.#begins(node, jid)
      return 'subscribed'
    })
  }

  /** An owner says whether a pending subscription may begin (section 8.6). */
  decide(name: string, from: Jid, jid: Jid, allow: boolean): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const { pending = [] } = node.record
      if (!pending.includes(jid.full)) return refuse('item-not-found')
      const settled = withRecord(node, { pending: pending.filter(p => p !== jid.full) })
      if (allow) {
        this.world.notify(node, subscriptionEvent(name, jid.full, 'subscribed'), { only: jid })
        await this.#begins(settled, jid)
      } else {
        await this.save(settled)
        this.world.notify(node, subscriptionEvent(name, jid.full, 'none'), { only: jid })
      }
      return undefined
    })
  }

  async #begins(node: NodeState, jid: Jid): Promise<void> {
    const after = withRecord(node, { subscriptions: [...node.record.subscriptions, jid.full] })
    await this.save(after)
    const { config } = after.record
    const last = config.sendLast === 'never' ? undefined : await this.last(node.name)
    if (last) this.world.notify(after, itemEvent(node.name, config, last.entry, last.payload), { only: jid, at: last.entry.at })
  }

  unsubscribe(name: string, from: Jid, jid: Jid): Promise<StanzaError | undefined> {
    return this.turn(async () => {
      const node = await this.node(name)
      if (!node) return refuse('item-not-found')
      if (jid.bare !== from.bare) return refuse('forbidden')
      const after = ended(node, s => s === jid.full)
      if (!after) return new StanzaError('unexpected-request', undefined, fault('unexpected-request', 'not-subscribed').detail, 'cancel') // section 6.2.3.2
      await this.save(after)
      return undefined
    })
  }

  /** Owners end subscriptions and allow those that are pending; only who wants to hear asks for one. */
  manage(name: string, from: Jid, changes: readonly (readonly [Jid, 'subscribed' | 'none'])[]): Promise<StanzaError | undefined> {
    return this.#owning(name, from, async node => {
      const { subscriptions, pending = [] } = node.record
      const known = (jid: string): boolean => subscriptions.includes(jid) || pending.includes(jid)
      if (!changes.every(([jid]) => known(jid.full))) return refuse('not-acceptable', 'Only an address that asked can be subscribed.')
      const out = changes.filter(([, s]) => s === 'none').map(([jid]) => jid.full)
      const fresh = changes.filter(([jid, s]) => s === 'subscribed' && pending.includes(jid.full)).map(([jid]) => jid)
      const now = withRecord(ended(node, s => out.includes(s)) ?? node, {})
      for (const jid of out) this.world.notify(node, subscriptionEvent(name, jid, 'none'), { only: Jid.parse(jid) })
      await this.save(withRecord(now, { pending: (now.record.pending ?? []).filter(p => !fresh.some(jid => jid.full === p)) }))
      for (const jid of fresh) {
        this.world.notify(node, subscriptionEvent(name, jid.full, 'subscribed'), { only: jid })
        await this.#begins((await this.node(name))!, jid) // it was there a moment ago, and this is its turn
      }
      return undefined
    })
  }

  /** An address is there no more: it is subscribed to nothing. */
  forget(jid: Jid): Promise<void> {
    return this.turn(async () => {
      for (const name of this.names) {
        const node = this.peek(name)?.record.subscriptions.includes(jid.full) ? await this.node(name) : undefined
        const after = node && ended(node, s => s === jid.full)
        if (after) await this.save(after)
      }
    })
  }

  // ---- the rest

  #owning(name: string, from: Jid, work: (node: NodeState) => Promise<StanzaError | undefined>): Promise<StanzaError | undefined> {
    return this.turn(async () => {
      const node = await this.owned(name, from)
      return node instanceof StanzaError ? node : await work(node)
    })
  }

  #owners({ record }: NodeState): readonly string[] {
    return this.world.owner === undefined ? record.affiliations.filter(([, a]) => a === 'owner').map(([jid]) => jid) : [this.world.owner]
  }

  #fresh(name: string, config: NodeConfig, from: Jid): NodeState | StanzaError {
    if (name === '' || Buffer.byteLength(name) > LONGEST) return refuse('not-acceptable', 'This cannot be a name of a node.')
    if (this.owns(from) >= this.world.limits().nodes) return fault('conflict', 'max-nodes-exceeded')
    const misplaced = this.#misplaced(name, config, from)
    if (misplaced) return misplaced
    return { name, entries: [], record: { config, created: this.world.now(), affiliations: this.world.owner === undefined ? [[from.bare, 'owner']] : [], subscriptions: [] } }
  }
}

/** The node without some subscriptions, pending ones too; undefined if there are none of them. */
function ended(node: NodeState, which: (jid: string) => boolean): NodeState | undefined {
  const { subscriptions, pending = [] } = node.record
  return [...subscriptions, ...pending].some(which) ? withRecord(node, { subscriptions: subscriptions.filter(s => !which(s)), pending: pending.filter(s => !which(s)) }) : undefined
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
