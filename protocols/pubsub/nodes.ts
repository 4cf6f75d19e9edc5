// A service's nodes in memory and on the shelf, and what is read of them. Changes are in service.ts.
import { el, Jid, parseFrame, refuse, StanzaError, type Element } from '../../server/api.ts'
import { pageSet, readPage } from '../paging.ts'
import type { Bounds, NodeConfig } from './config.ts'
import { itemElement } from './events.ts'
import { NS_PUBSUB, unsupported } from './names.ts'
import { affiliationOf, readBar, type Affiliation, type Entry, type NodeState, type Standing } from './node.ts'
import { pageOf } from './page.ts'
import type { Shelf } from './shelf.ts'

const SMALL = 4096 // bytes of a last payload that is kept in memory

/** A node without its items. */
export type Heading = Omit<NodeState, 'entries'>

/** What a service is told beside its shelf. */
export interface World {
  /** Who owns every node; absent: those who made it. */
  readonly owner?: string
  readonly defaults: NodeConfig
  /** Read anew each time: limits change when the config is read again. */
  limits(): Bounds & { readonly nodes: number; readonly subscriptions: number; readonly answer: number }
  mayCreate(who: Jid): boolean
  /** What is known of somebody who asks for a node, or to make one. */
  standing(who: Jid, node: Heading | undefined): Standing | Promise<Standing>
  now(): number
  newId(): string
  /** Subscribers are to hear of something; `only`: just this address, of what was published `at`; `by`: who has published it now. */
  notify(node: NodeState, event: Element, more: { readonly only?: Jid; readonly at?: number; readonly by?: Jid }): void
  /** An owner is to say whether an address may subscribe. */
  asks(owner: Jid, node: string, subscriber: Jid): void
  /** Something was published or removed, by whomever. */
  changed(node: string): void
}

/** What is asked for of a node's items. */
export interface ItemsAsk { readonly ids: readonly string[]; readonly newest?: number; readonly set?: Element | undefined }

export class Nodes {
  protected readonly shelf: Shelf
  protected readonly world: World
  readonly #nodes = new Map<string, Heading & { readonly entries?: readonly Entry[] }>()
  readonly #last = new Map<string, { readonly id: string; readonly payload: Element | undefined }>()
  #tail: Promise<unknown> = Promise.resolve()

  constructor(shelf: Shelf, world: World) { this.shelf = shelf; this.world = world }

  /** Takes in what is on the shelf; before that, there is nothing. */
  async load(): Promise<this> {
    for (const [name, record] of await this.shelf.nodes()) this.#nodes.set(name, { name, record })
    return this
  }

  get names(): readonly string[] { return [...this.#nodes.keys()] }
  has(name: string): boolean { return this.#nodes.has(name) }
  peek(name: string): Heading | undefined { return this.#nodes.get(name) }
  /** The nodes that stand in a collection; without a name, those that stand in none. */
  within(collection?: string): readonly string[] { return [...this.#nodes.values()].filter(n => n.record.config.collection === collection).map(n => n.name) }

  /** A node with the list of its items, which is read when it is first needed. */
  async node(name: string): Promise<NodeState | undefined> {
    const known = this.#nodes.get(name)
    if (!known || known.entries) return known as NodeState | undefined // its entries are there
    const entries = known.record.config.persist ? await this.shelf.entries(name) : []
    const now = this.#nodes.get(name)
    if (!now || now.entries) return now as NodeState | undefined // somebody else was quicker
    const whole = { ...now, entries }
    this.#nodes.set(name, whole)
    return whole
  }

  affiliation(node: Heading, who: Jid): Affiliation { return affiliationOf(node, who.bare, this.world.owner) }

  /** What keeps somebody from reading a node; undefined: nothing. */
  async barOf(node: Heading, who: Jid): Promise<StanzaError | undefined> {
    return readBar(node, await this.world.standing(who, node), this.affiliation(node, who))
  }

  async items(name: string, from: Jid, ask: ItemsAsk): Promise<Element | StanzaError> {
    const node = await this.node(name)
    if (!node) return refuse('item-not-found')
    const bar = await this.barOf(node, from)
    if (bar) return bar
    if (node.record.config.kind === 'collection') return unsupported('retrieve-items')
    const chosen = this.#choose(node, ask)
    if (chosen instanceof StanzaError) return chosen
    const payloads = await this.#payloads(node, chosen.entries)
    const { config } = node.record
    const items = chosen.entries.filter(e => payloads.has(e.id)).map(e => itemElement(NS_PUBSUB, e, payloads.get(e.id), config))
    return el('pubsub', NS_PUBSUB, {}, el('items', NS_PUBSUB, { node: name }, ...items), ...(chosen.set ? [chosen.set] : []))
  }

  #choose({ entries }: NodeState, { ids, newest, set }: ItemsAsk): { entries: readonly Entry[]; set?: Element } | StanzaError {
    const { answer } = this.world.limits()
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
      const texts = await this.shelf.payloads(node.name, wanted.map(e => e.id), node.entries.length)
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

  /** What somebody is to the nodes, and which addresses of his are subscribed to them. */
  standingsOf(who: Jid): readonly { readonly node: string; readonly affiliation: Affiliation; readonly subscribed: readonly string[]; readonly pending: readonly string[] }[] {
    const his = (all: readonly string[] = []): string[] => all.filter(s => bareOf(s) === who.bare)
    return [...this.#nodes.values()].map(n => ({ node: n.name, affiliation: this.affiliation(n, who), subscribed: his(n.record.subscriptions), pending: his(n.record.pending) }))
  }

  /** How many nodes somebody has: all, where the service has one owner. */
  protected owns(who: Jid): number {
    if (this.world.owner !== undefined) return this.#nodes.size
    let n = 0
    for (const { record } of this.#nodes.values()) if (record.affiliations.some(([jid, a]) => jid === who.bare && a === 'owner')) n++
    return n
  }

  protected async save(node: NodeState): Promise<void> {
    await this.shelf.putNode(node.name, node.record)
    this.keep(node)
  }

  protected keep(node: NodeState): void { this.#nodes.set(node.name, node) }

  /** What was published last; it is remembered if it is small or stands nowhere else. */
  protected newest(node: NodeState, entry: Pick<Entry, 'id' | 'size'>, payload: Element | undefined): void {
    if (entry.size <= SMALL || !node.record.config.persist) this.#last.set(node.name, { id: entry.id, payload })
    else this.#last.delete(node.name)
  }

  protected forgetNewest(name: string): void { this.#last.delete(name) }
  protected drop(name: string): void { this.#nodes.delete(name); this.#last.delete(name) }

  /** One change after the other. */
  protected turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work)
    this.#tail = done.catch(() => {})
    return done
  }
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

export const bareOf = (jid: string): string => { const slash = jid.indexOf('/'); return slash < 0 ? jid : jid.slice(0, slash) }
