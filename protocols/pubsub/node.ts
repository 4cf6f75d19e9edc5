// A node: who belongs to it, what stands in it, who may do what with it (XEP-0060 sections 4 and 7). Pure; a state never changes.
import type { Jid, StanzaError } from '../../server/api.ts'
import { refuse } from '../../server/api.ts'
import type { NodeConfig } from './config.ts'
import { fault } from './names.ts'

export const AFFILIATIONS = ['owner', 'publisher', 'publish-only', 'member', 'outcast', 'none'] as const
export type Affiliation = (typeof AFFILIATIONS)[number]

/** What is stored of a node, beside its items. */
export interface NodeRecord {
  readonly config: NodeConfig
  readonly created: number // ms since 1970
  /** By bare JID; who is not here has none. */
  readonly affiliations: readonly (readonly [string, Affiliation])[]
  /** The subscribed addresses, full or bare. */
  readonly subscriptions: readonly string[]
  /** Those that wait until an owner allows it (access model authorize). */
  readonly pending?: readonly string[]
  /** The server made it so that it can be read; how it is set up is still for whoever publishes first to say (section 7.1.5). */
  readonly provisional?: true
}

/** An item without its payload. */
export interface Entry {
  readonly id: string
  /** Grows from item to item of a node. */
  readonly order: number
  readonly at: number // ms since 1970
  readonly publisher: string // bare JID
  readonly size: number // bytes of the payload
}

export interface NodeState {
  readonly name: string
  readonly record: NodeRecord
  /** In the order of their publication. */
  readonly entries: readonly Entry[]
}

/** What is known of somebody who asks. */
export interface Standing {
  readonly jid: Jid
  /** Whether he sees the owner's presence. */
  readonly watches: boolean
  /** The groups of the owner's roster that he is in. */
  readonly groups: readonly string[]
}

/** `owner`: who is one of every node. */
export function affiliationOf({ record }: Pick<NodeState, 'record'>, bare: string, owner: string | undefined): Affiliation {
  if (bare === owner) return 'owner'
  return record.affiliations.find(([jid]) => jid === bare)?.[1] ?? 'none'
}

export const isSubscribed = ({ record }: Pick<NodeState, 'record'>, who: Jid): boolean => record.subscriptions.some(jid => jid === who.bare || jid.startsWith(`${who.bare}/`))

/** What keeps somebody from reading the node and subscribing to it; undefined: nothing (section 4.5). */
export function readBar(node: Pick<NodeState, 'record'>, who: Standing, affiliation: Affiliation): StanzaError | undefined {
  switch (affiliation) {
    case 'owner': case 'publisher': case 'member': return undefined
    case 'outcast': case 'publish-only': return refuse('forbidden')
    case 'none': break
  }
  const { config } = node.record
  switch (config.access) {
    case 'open': return undefined
    case 'presence': return who.watches ? undefined : fault('not-authorized', 'presence-subscription-required')
    case 'roster': return who.watches && config.groups.some(g => who.groups.includes(g)) ? undefined : fault('not-authorized', 'not-in-roster-group')
    case 'authorize': return isSubscribed(node, who.jid) ? undefined : fault('not-authorized', 'not-subscribed')
    case 'whitelist': return fault('not-allowed', 'closed-node')
  }
}

export function mayPublish(node: NodeState, who: Standing, affiliation: Affiliation): boolean {
  if (affiliation === 'owner' || affiliation === 'publisher' || affiliation === 'publish-only') return true
  if (affiliation === 'outcast') return false
  switch (node.record.config.publish) {
    case 'publishers': return false
    case 'subscribers': return isSubscribed(node, who.jid) && !readBar(node, who, affiliation)
    case 'open': return true
  }
}

/** Owners and publishers remove any item, others their own (section 4.1, the note below the table). */
export const mayRetract = (entry: Entry, bare: string, affiliation: Affiliation): boolean =>
  affiliation === 'owner' || affiliation === 'publisher' || (affiliation !== 'outcast' && entry.publisher === bare)

/** The node with one more item, which takes the place of an older one of its id; and the items that are too many then, the oldest. */
export function added(node: NodeState, entry: Omit<Entry, 'order'>, most: number): { node: NodeState; entry: Entry; gone: readonly Entry[] } {
  const placed: Entry = { ...entry, order: (node.entries.at(-1)?.order ?? 0) + 1 }
  const { kept, gone } = cut([...node.entries.filter(e => e.id !== entry.id), placed], most)
  return { node: { ...node, entries: kept }, entry: placed, gone }
}

/** The newest `most` of some items, and the others. */
export function cut(entries: readonly Entry[], most: number): { kept: readonly Entry[]; gone: readonly Entry[] } {
  const spare = Math.max(0, entries.length - most)
  return { kept: spare ? entries.slice(spare) : entries, gone: entries.slice(0, spare) }
}

export const without = (node: NodeState, id: string): NodeState => ({ ...node, entries: node.entries.filter(e => e.id !== id) })

export const withRecord = (node: NodeState, change: Partial<NodeRecord>): NodeState => ({ ...node, record: { ...node.record, ...change } })

/** The node set up as somebody wants it. */
export function setUp(node: NodeState, config: NodeConfig): NodeState {
  const { provisional: _, ...record } = node.record
  return { ...node, record: { ...record, config } }
}

/** Affiliations after a change; 'none' takes somebody out. Undefined: nobody would own the node any more. */
export function affiliated(node: NodeState, changes: readonly (readonly [string, Affiliation])[], owner: string | undefined): NodeState | undefined {
  const all = new Map(node.record.affiliations)
  for (const [jid, affiliation] of changes) {
    if (jid === owner && affiliation !== 'owner') return undefined
    if (affiliation === 'none') all.delete(jid)
    else all.set(jid, affiliation)
  }
  if (owner === undefined && ![...all.values()].includes('owner')) return undefined
  return withRecord(node, { affiliations: [...all] })
}
