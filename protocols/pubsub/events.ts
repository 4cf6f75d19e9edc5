// What subscribers and owners are told (XEP-0060 sections 7.1.2, 7.2.2, 8): the elements that messages carry. Pure.
import { CONTENT, el, form, isTrue, Jid, readForm, type Element, type Message } from '../../server/api.ts'
import type { NodeConfig } from './config.ts'
import type { Entry } from './node.ts'
import { NS_EVENT, NS_PUBSUB } from './names.ts'

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
/** A node has come into a collection, or left it (XEP-0248 section 5.1). */
export const collectionEvent = (collection: string, what: 'associate' | 'dissociate', node: string): Element =>
  event(el('collection', NS_EVENT, { node: collection }, el(what, NS_EVENT, { node })))
export const configEvent = (node: string, x: Element | undefined): Element => event(el('configuration', NS_EVENT, { node }, ...(x ? [x] : [])))
export const subscriptionEvent = (node: string, jid: string, subscription: 'subscribed' | 'none'): Element => event(el('subscription', NS_EVENT, { node, jid, subscription }))

const FORM_AUTHORIZATION = `${NS_PUBSUB}#subscribe_authorization`

/** What an owner is asked (section 8.6), with a body for clients that show no forms. */
export const authorization = (node: string, subscriber: Jid): readonly Element[] => [
  el('body', CONTENT, {}, `${subscriber.full} asks to subscribe to ${node}.`),
  form({
    type: 'form', formType: FORM_AUTHORIZATION, title: 'Request for a subscription', instructions: 'Say whether this address may subscribe to the node.',
    fields: [
      { var: 'pubsub#node', label: 'Node', value: node },
      { var: 'pubsub#subscriber_jid', type: 'jid-single', label: 'Address', value: subscriber.full },
      { var: 'pubsub#allow', type: 'boolean', label: 'It may', value: false },
    ],
  }),
]

/** What the owner answers; undefined if a message is no such answer. */
export function readAuthorization(message: Message): { readonly node: string; readonly subscriber: Jid; readonly allow: boolean } | undefined {
  const x = message.payload.map(readForm).find(f => f?.formType === FORM_AUTHORIZATION)
  const node = x?.values.get('pubsub#node')?.[0]
  const subscriber = Jid.tryParse(x?.values.get('pubsub#subscriber_jid')?.[0] ?? '')
  const allow = isTrue(x?.values.get('pubsub#allow'))
  return x?.type === 'submit' && node !== undefined && subscriber && allow !== undefined ? { node, subscriber, allow } : undefined
}
