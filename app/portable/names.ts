// The names of XEP-0227 (Portable Import/Export Format), version 1.1, and of what we add. Pure.

export const NS = 'urn:xmpp:pie:0'
export const NS_SCRAM = 'urn:xmpp:pie:0#scram'
export const NS_MAM = 'urn:xmpp:pie:0#mam'
/** Ours: `<account role='agent' name='Anna' disabled='true' created='2026-01-01T00:00:00Z'/>`, a child of `<user/>`. */
export const NS_ACCOUNT = 'urn:deskbell:account:0'

export const NS_ROSTER = 'jabber:iq:roster'
export const NS_PRIVATE = 'jabber:iq:private'
export const NS_VCARD = 'vcard-temp'
export const NS_BLOCKING = 'urn:xmpp:blocking'
export const NS_PUBSUB = 'http://jabber.org/protocol/pubsub'
export const NS_OWNER = 'http://jabber.org/protocol/pubsub#owner'
export const NS_RESULT = 'urn:xmpp:mam:2'
export const NS_FORWARD = 'urn:xmpp:forward:0'
export const NS_DELAY = 'urn:xmpp:delay'
export const NS_XINCLUDE = 'http://www.w3.org/2001/XInclude'

/** Where plugins keep these things in the documents of an account. */
export const KEPT = { vcard: 'vcard', private: 'private', blocklist: 'blocklist', pep: 'pep' } as const

/** What a personal node may be set to, for reading and writing its form. */
export const BOUNDS = { models: new Set(['open', 'presence', 'roster', 'authorize', 'whitelist'] as const), items: Infinity, itemBytes: Infinity }
