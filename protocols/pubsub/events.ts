// What subscribers are told (XEP-0060 sections 7.1.2, 7.2.2, 8): the elements that messages carry. Pure.
import { el, type Element } from '../../server/api.ts'
import type { NodeConfig } from './config.ts'
import type { Entry } from './node.ts'
import { NS_EVENT } from './names.ts'

/** The `<item/>` of an answer or event, as the node's configuration has it. */
export function itemElement(ns: string, entry: Pick<Entry, 'id' | 'publisher'>, payload: Element | undefined, { itemReply }: NodeConfig): Element {
  return el('item', ns, { id: entry.id, ...(itemReply === 'publisher' && { publisher: entry.publisher }) }, ...(payload ? [payload] : []))
}

const event = (what: Element): Element => el('event', NS_EVENT, {}, what)

export const itemEvent = (node: string, config: NodeConfig, entry: Pick<Entry, 'id' | 'publisher'> | undefined, payload: Element | undefined): Element =>
  event(el('items', NS_EVENT, { node }, ...(entry ? [itemElement(NS_EVENT, entry, config.payloads ? payload : undefined, config)] : [])))
export const retractEvent = (node: string, ids: readonly string[]): Element => event(el('items', NS_EVENT, { node }, ...ids.map(id => el('retract', NS_EVENT, { id }))))
export const purgeEvent = (node: string): Element => event(el('purge', NS_EVENT, { node }))
export const deleteEvent = (node: string): Element => event(el('delete', NS_EVENT, { node }))
export const configEvent = (node: string, x: Element | undefined): Element => event(el('configuration', NS_EVENT, { node }, ...(x ? [x] : [])))
export const subscriptionEvent = (node: string, jid: string, subscription: 'subscribed' | 'none'): Element => event(el('subscription', NS_EVENT, { node, jid, subscription }))
