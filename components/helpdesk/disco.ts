// What the desk's addresses tell of themselves: identities, features and the mark that caps make of them (XEP-0030, XEP-0115). Pure.
import { createHash } from 'node:crypto'
import { el, type Element } from '../../server/api.ts'
import { NS } from './stanzas.ts'
import { WG } from './workgroup/words.ts'

const NODE = 'urn:deskbell:desk'
const CONTACT = { category: 'client', type: 'bot', name: 'Helpdesk' } as const
const CONTACT_FEATURES = [NS.states, NS.commands, NS.info, NS.items, 'jabber:x:data', 'urn:xmpp:ping'].sort()

/** What a contact of the desk (bot, queue, conversation) answers to disco#info. */
export const contactInfo = (node: string | undefined): Element =>
  el('query', NS.info, node === undefined ? {} : { node }, el('identity', NS.info, CONTACT), ...CONTACT_FEATURES.map(f => el('feature', NS.info, { var: f })))

/** XEP-0115 section 5.1. */
const ver = createHash('sha1').update(`${CONTACT.category}/${CONTACT.type}//${CONTACT.name}<${CONTACT_FEATURES.map(f => `${f}<`).join('')}`).digest('base64')
/** Stands in the presence of each contact, so that clients know of its commands. */
export const caps: Element = el('c', NS.caps, { hash: 'sha-1', node: NODE, ver })
export const isCapsNode = (node: string): boolean => node === `${NODE}#${ver}`

export const domainInfo = (features: readonly string[]): Element =>
  el('query', NS.info, {}, el('identity', NS.info, { category: 'component', type: 'generic', name: 'Helpdesk' }), el('identity', NS.info, { category: 'collaboration', type: 'workgroup', name: 'Helpdesk' }),
    ...[NS.info, NS.items, NS.commands, NS.desk, WG, 'urn:xmpp:ping', ...features].map(f => el('feature', NS.info, { var: f })))
