// The names and errors of publish-subscribe (XEP-0060). Pure.
import { el, StanzaError, type Condition, type Element } from '../../server/api.ts'

export const NS_PUBSUB = 'http://jabber.org/protocol/pubsub'
export const NS_OWNER = `${NS_PUBSUB}#owner`
export const NS_EVENT = `${NS_PUBSUB}#event`
export const NS_ERRORS = `${NS_PUBSUB}#errors`
export const FORM_CONFIG = `${NS_PUBSUB}#node_config`
export const FORM_OPTIONS = `${NS_PUBSUB}#publish-options`
export const FORM_META = `${NS_PUBSUB}#meta-data`
export const DISCO_INFO = 'http://jabber.org/protocol/disco#info'
export const DISCO_ITEMS = 'http://jabber.org/protocol/disco#items'

/** What every service built on this engine can do, for disco#info (section 10). */
export const PUBSUB_FEATURES = [
  NS_PUBSUB, NS_OWNER,
  ...[
    'auto-create', 'config-node', 'config-node-max', 'create-and-configure', 'create-nodes', 'delete-items', 'delete-nodes', 'instant-nodes', 'item-ids',
    'last-published', 'member-affiliation', 'meta-data', 'modify-affiliations', 'multi-items', 'outcast-affiliation', 'persistent-items', 'publish',
    'publish-only-affiliation', 'publish-options', 'publisher-affiliation', 'purge-nodes', 'retract-items', 'retrieve-affiliations', 'retrieve-default',
    'retrieve-items', 'retrieve-subscriptions', 'rsm', 'subscribe', 'manage-subscriptions',
  ].map(f => `${NS_PUBSUB}#${f}`),
] as const

/** A refusal with the protocol's own condition beside that of RFC 6120 (section 11). */
export const fault = (condition: Condition, detail: string, text?: string): StanzaError => new StanzaError(condition, text, el(detail, NS_ERRORS))

/** The service knows the request and does not do it. */
export const unsupported = (feature: string): StanzaError => new StanzaError('feature-not-implemented', undefined, el('unsupported', NS_ERRORS, { feature }))

/** The children in the element's own namespace, by name. */
export const named = (e: Element, name: string): Element[] => e.elements.filter(c => c.is(name, e.ns))
