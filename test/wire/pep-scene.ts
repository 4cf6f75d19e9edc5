// What scenes of personal nodes share: who is there, a tune, and what those who listen hear.
import { defaultLimits } from '../../server/ports/limits.ts'
import { Actor } from '../harness/scene.ts'
import { NS } from '../harness/pubsub.ts'

export const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
export const two = { ...cast, phone: 'romeo@localhost/phone' }
export const TUNE = 'http://jabber.org/protocol/tune'
export const MOOD = 'http://jabber.org/protocol/mood'
export const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const ERRORS = `${NS}#errors`
export const limits = (pubsub: Partial<typeof defaultLimits.pubsub>) => ({ limits: { pubsub: { ...defaultLimits.pubsub, ...pubsub } } })

export const tune = (title: string): string => `<tune xmlns='${TUNE}'><title>${title}</title></tune>`
export const config = (fields: Record<string, string>): string => Object.entries(fields).map(([k, v]) => `<field var='pubsub#${k}'><value>${v}</value></field>`).join('')

/** What is sent to those who listen. */
export const hearsTune = (a: Actor, from: Actor, title: string) =>
  a.hears`<message type='headline' from='${from.bare}' to='${a}'><event xmlns='${NS}#event'><items node='${TUNE}'><item><tune xmlns='${TUNE}'><title>${title}</title></tune></item></items></event></message>`
