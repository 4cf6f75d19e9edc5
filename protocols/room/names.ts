// The words of XEP-0045: namespaces, affiliations, roles. Pure.

export const MUC = 'http://jabber.org/protocol/muc'
export const MUC_USER = `${MUC}#user`
export const MUC_ADMIN = `${MUC}#admin`
export const MUC_OWNER = `${MUC}#owner`
export const MUC_REQUEST = `${MUC}#request`
export const MUC_CONFIG = `${MUC}#roomconfig`
export const MUC_INFO = `${MUC}#roominfo`
export const OCCUPANT_ID = 'urn:xmpp:occupant-id:0' // XEP-0421
export const STANZA_ID = 'urn:xmpp:sid:0' // XEP-0359
export const DELAY = 'urn:xmpp:delay' // XEP-0203
export const HINTS = 'urn:xmpp:hints' // XEP-0334
export const CONFERENCE = 'jabber:x:conference' // XEP-0249
export const DISCO_INFO = 'http://jabber.org/protocol/disco#info'
export const DISCO_ITEMS = 'http://jabber.org/protocol/disco#items'
export const PING = 'urn:xmpp:ping'

/** From the least to the greatest (section 5.2). */
export const AFFILIATIONS = ['outcast', 'none', 'member', 'admin', 'owner'] as const
export type Affiliation = (typeof AFFILIATIONS)[number]

/** From the least to the greatest (section 5.1). */
export const ROLES = ['none', 'visitor', 'participant', 'moderator'] as const
export type Role = (typeof ROLES)[number]

export const isAffiliation = (s: string | undefined): s is Affiliation => AFFILIATIONS.includes(s as Affiliation)
export const isRole = (s: string | undefined): s is Role => ROLES.includes(s as Role)

/** What a room tells by number (section 15.6.2). */
export const STATUS = {
  nonAnonymous: '100', affiliationChanged: '101', configChanged: '104', self: '110', logged: '170', notLogged: '171',
  nowNonAnonymous: '172', nowSemiAnonymous: '173', created: '201', nickAssigned: '210', banned: '301', newNick: '303',
  kicked: '307', noLongerMember: '321', nowMembersOnly: '322', shutdown: '332', technical: '333',
} as const
