// Reads what clients ask of a service (XEP-0060 sections 5 to 8), has it done, and writes the answer.
import { el, isTrue, Jid, refuse, StanzaError, type Element } from '../../server/api.ts'
import { pageSet, readPage, NS_RSM } from '../paging.ts'
import { configForm, metaForm, type Bounds, type NodeConfig } from './config.ts'
import { DISCO_INFO, DISCO_ITEMS, fault, named, NS_OWNER, NS_PUBSUB, unsupported } from './names.ts'
import { AFFILIATIONS, type Affiliation } from './node.ts'
import { pageOf } from './page.ts'
import type { Pubsub } from './service.ts'

export type Answer = Element | StanzaError | undefined

const MOST_NAMED = 1000 // items, addresses in one request

/** The node that a request is about: '' if it names none. */
export const nodeOf = (pubsub: Element): string => pubsub.elements.find(e => e.ns === pubsub.ns && e.attrs['node'] !== undefined)?.attrs['node'] ?? ''

const nameless = (): StanzaError => fault('bad-request', 'nodeid-required')

/** Answers `<pubsub/>` in an iq of type get. */
export async function answerGet(service: Pubsub, pubsub: Element, from: Jid): Promise<Answer> {
  const [asked] = pubsub.elements.filter(e => e.ns === pubsub.ns)
  if (!asked) return refuse('bad-request')
  const node = asked.attrs['node'] ?? ''
  switch (asked.name) {
    case 'items': {
      if (node === '') return nameless()
      const items = named(asked, 'item')
      if (items.length > MOST_NAMED || items.some(i => i.attrs['id'] === undefined)) return refuse('bad-request')
      const most = asked.attrs['max_items']
      if (most !== undefined && !/^\d{1,9}$/.test(most)) return refuse('bad-request', 'max_items is a number.')
      if (asked.attrs['subid'] !== undefined) return fault('not-acceptable', 'invalid-subid')
      return await service.items(node, from, { ids: items.map(i => i.attrs['id']!), ...(most !== undefined && { newest: Number(most) }), set: pubsub.child('set', NS_RSM) }) // looked at above
    }
    case 'subscriptions': {
      const all = service.standingsOf(from).filter(s => node === '' || s.node === node)
      return wrap('subscriptions', node, all.flatMap(s => [...s.subscribed.map(jid => ({ jid, subscription: 'subscribed' })), ...s.pending.map(jid => ({ jid, subscription: 'pending' }))]
        .map(attrs => el('subscription', NS_PUBSUB, { node: s.node, ...attrs }))))
    }
    case 'affiliations': {
      const all = service.standingsOf(from).filter(s => s.affiliation !== 'none' && (node === '' || s.node === node))
      return wrap('affiliations', node, all.map(s => el('affiliation', NS_PUBSUB, { node: s.node, affiliation: s.affiliation })))
    }
    case 'options': return unsupported('subscription-options')
    case 'default': return unsupported('retrieve-default-sub')
    default: return refuse('bad-request')
  }
}

const wrap = (name: string, node: string, children: readonly Element[]): Element =>
  el('pubsub', NS_PUBSUB, {}, el(name, NS_PUBSUB, node === '' ? {} : { node }, ...children))

/** Carries out `<pubsub/>` in an iq of type set. */
export async function answerSet(service: Pubsub, pubsub: Element, from: Jid): Promise<Answer> {
  const [asked] = pubsub.elements.filter(e => e.ns === pubsub.ns)
  if (!asked) return refuse('bad-request')
  const node = asked.attrs['node'] ?? ''
  const jid = Jid.tryParse(asked.attrs['jid'] ?? '')
  switch (asked.name) {
    case 'publish': {
      if (node === '') return nameless()
      const items = named(asked, 'item')
      const payload = items[0]?.elements ?? []
      if (items.length > 1) return refuse('bad-request', 'One item is published at a time.')
      if (payload.length > 1) return fault('bad-request', 'invalid-payload')
      const item = items[0] && { id: items[0].attrs['id'] || undefined, payload: payload[0] }
      const done = await service.publish(node, from, item, pubsub.child('publish-options'))
      if (done instanceof StanzaError) return done
      return el('pubsub', NS_PUBSUB, {}, el('publish', NS_PUBSUB, { node }, ...(done.id === undefined ? [] : [el('item', NS_PUBSUB, { id: done.id })])))
    }
    case 'retract': {
      if (node === '') return nameless()
      const [item, second] = named(asked, 'item')
      if (second) return refuse('bad-request', 'One item is removed at a time.')
      const id = item?.attrs['id']
      return id ? await service.retract(node, from, id, isTrue([asked.attrs['notify'] ?? '']) ?? false) : fault('bad-request', 'item-required')
    }
    case 'create': {
      const configure = pubsub.child('configure')
      if (configure?.attrs['node'] !== undefined) return refuse('bad-request')
      const made = await service.create(node || undefined, from, formIn(configure))
      return made instanceof StanzaError ? made : el('pubsub', NS_PUBSUB, {}, el('create', NS_PUBSUB, { node: made.name }))
    }
    case 'subscribe': {
      if (node === '') return nameless()
      if (!jid) return fault('bad-request', 'invalid-jid')
      const state = await service.subscribe(node, from, jid)
      return state instanceof StanzaError ? state : el('pubsub', NS_PUBSUB, {}, el('subscription', NS_PUBSUB, { node, jid: jid.full, subscription: state }))
    }
    case 'unsubscribe': {
      if (node === '') return nameless()
      if (!jid) return fault('bad-request', 'invalid-jid')
      return await service.unsubscribe(node, from, jid) ?? el('pubsub', NS_PUBSUB, {}, el('subscription', NS_PUBSUB, { node, jid: jid.full, subscription: 'none' }))
    }
    case 'options': return unsupported('subscription-options')
    default: return refuse('bad-request')
  }
}

const formIn = (e: Element | undefined): Element | undefined => e?.elements.find(c => c.name === 'x')

/** Answers an owner's get (section 8). */
export async function answerOwnerGet(service: Pubsub, pubsub: Element, from: Jid, world: { readonly defaults: NodeConfig; readonly owner?: string; limits(): Bounds }): Promise<Answer> {
  const [asked] = pubsub.elements.filter(e => e.ns === pubsub.ns)
  if (!asked) return refuse('bad-request')
  const within = (e: Element): Element => el('pubsub', NS_OWNER, {}, e)
  if (asked.name === 'default') return within(el('default', NS_OWNER, {}, configForm(world.defaults, world.limits())))
  const name = asked.attrs['node'] ?? ''
  if (name === '') return nameless()
  const node = await service.owned(name, from)
  if (node instanceof StanzaError) return node
  const { config, affiliations, subscriptions } = node.record
  switch (asked.name) {
    case 'configure': return within(el('configure', NS_OWNER, { node: name }, configForm(config, world.limits(), 'form', service.within(name))))
    case 'affiliations': {
      const all: readonly (readonly [string, Affiliation])[] = world.owner === undefined ? affiliations : [[world.owner, 'owner'], ...affiliations]
      return within(el('affiliations', NS_OWNER, { node: name }, ...all.map(([jid, affiliation]) => el('affiliation', NS_OWNER, { jid, affiliation }))))
    }
    case 'subscriptions': return within(el('subscriptions', NS_OWNER, { node: name }, ...subscriptions.map(jid => el('subscription', NS_OWNER, { jid, subscription: 'subscribed' }))))
    default: return refuse('bad-request')
  }
}

/** Carries out an owner's set (section 8). */
export async function answerOwnerSet(service: Pubsub, pubsub: Element, from: Jid): Promise<Answer> {
  const [asked] = pubsub.elements.filter(e => e.ns === pubsub.ns)
  if (!asked) return refuse('bad-request')
  const node = asked.attrs['node'] ?? ''
  if (node === '') return nameless()
  switch (asked.name) {
    case 'configure': return await service.configure(node, from, formIn(asked))
    case 'delete': return await service.remove(node, from)
    case 'purge': return await service.purge(node, from)
    case 'affiliations': {
      const changes = listed(named(asked, 'affiliation'), 'affiliation', AFFILIATIONS)
      return changes instanceof StanzaError ? changes : await service.affiliate(node, from, changes.map(([jid, a]) => [jid.bare, a] as const))
    }
    case 'subscriptions': {
      const changes = listed(named(asked, 'subscription'), 'subscription', ['subscribed', 'none'] as const)
      return changes instanceof StanzaError ? changes : await service.manage(node, from, changes)
    }
    default: return refuse('bad-request')
  }
}

/** Addresses with what they shall be; each address once (section 8.9.2). */
function listed<T extends string>(elements: readonly Element[], attribute: string, allowed: readonly T[]): (readonly [Jid, T])[] | StanzaError {
  const found: (readonly [Jid, T])[] = []
  for (const e of elements) {
    const jid = Jid.tryParse(e.attrs['jid'] ?? '')
    if (!jid) return refuse('jid-malformed')
    const said = e.attrs[attribute]
    if (said === undefined) continue
    const value = allowed.find(v => v === said)
    if (value === undefined) return refuse('not-acceptable', `${attribute} cannot be ${said.slice(0, 40)} here.`)
    if (found.some(([other]) => other.full === jid.full)) return refuse('bad-request')
    found.push([jid, value])
  }
  return found.length && found.length <= MOST_NAMED ? found : refuse('bad-request')
}

/** disco#info of a node (sections 5.3 and 5.4). */
export async function nodeInfo(service: Pubsub, name: string, from: Jid, owner: string | undefined): Promise<Answer> {
  const node = await service.node(name)
  if (!node) return refuse('item-not-found')
  const bar = await service.barOf(node, from)
  if (bar) return bar
  const { config, created, affiliations } = node.record
  const owners = owner === undefined ? affiliations.filter(([, a]) => a === 'owner').map(([jid]) => jid) : [owner]
  return el('query', DISCO_INFO, { node: name },
    el('identity', DISCO_INFO, { category: 'pubsub', type: config.kind ?? 'leaf', ...(config.title && { name: config.title }) }),
    ...[DISCO_INFO, DISCO_ITEMS, NS_PUBSUB].map(f => el('feature', DISCO_INFO, { var: f })),
    metaForm(config, { created, owners, items: node.entries.length }))
}

/** disco#items of a node: the names of its items (section 5.5), or the nodes in a collection (XEP-0248 section 4.2). */
export async function nodeItems(service: Pubsub, query: Element, name: string, from: Jid, at: Jid): Promise<Answer> {
  const node = await service.node(name)
  if (!node) return refuse('item-not-found')
  if (node.record.config.kind === 'collection') return await service.barOf(node, from) ?? await visibleNodes(service, query, from, at, name)
  return await service.barOf(node, from) ?? paged(query, node.entries, e => e.id, e => el('item', DISCO_ITEMS, { jid: at.full, name: e.id }))
}

/** The `<item/>`s of disco#items for the nodes that somebody may see (section 5.2): those in a collection, or those in none. */
export async function visibleNodes(service: Pubsub, query: Element, from: Jid, at: Jid, collection?: string): Promise<Answer> {
  const bars = await Promise.all(service.within(collection).map(async n => [n, await service.barOf(service.peek(n)!, from)] as const)) // it is there: its name was just told
  const names = bars.filter(([n, bar]) => !bar && service.has(n)).map(([n]) => n).sort()
  return paged(query, names, n => n, n => {
    const { title } = service.peek(n)!.record.config // it was asked whether it is there
    return el('item', DISCO_ITEMS, { jid: at.full, node: n, ...(title && { name: title }) })
  })
}

function paged<T>(query: Element, all: readonly T[], key: (item: T) => string, write: (item: T) => Element): Answer {
  const { node } = query.attrs
  const attrs = node === undefined ? {} : { node }
  const set = query.child('set', NS_RSM)
  if (!set) return el('query', DISCO_ITEMS, attrs, ...all.map(write))
  const page = readPage(set, all.length)
  if (page instanceof StanzaError) return page
  const found = pageOf(all, key, page)
  if (!found) return refuse('item-not-found')
  const { items, index } = found
  const told = items.length ? { first: key(items[0]!), last: key(items.at(-1)!), index } : {} // it is not empty
  return el('query', DISCO_ITEMS, attrs, ...items.map(write), pageSet({ ...told, count: all.length }))
}
