// XEP-0280: a user's other devices see what one of them sends and receives.
import { archivedAs, NS_HINTS, stanzaId } from '../protocols/archive.ts'
import { el, note, plugin, refuse, Stanza, type Account, type AnyStanza, type Element, type Host, type Jid, type Message, type Passage, type Resource } from '../server/api.ts'

const NS = 'urn:xmpp:carbons:2'
const RULES = 'urn:xmpp:carbons:rules:0'
const FORWARD = 'urn:xmpp:forward:0'
const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'
const NS_INVITE = 'jabber:x:conference'
const IM = new Set(['urn:xmpp:receipts', 'http://jabber.org/protocol/chatstates', 'urn:xmpp:chat-markers:0'])
const REMEMBERED = 200 // copied messages of an account whose errors are copied, too

const wanted = note('carbons wanted', false) // on a device
const secret = note('carbons private', false) // on a passage
const copied = note<Set<string> | undefined>('carbons copied', undefined) // on an account

/** XEP-0280 Message Carbons, with all rules of section 6.1. */
export const carbons = plugin('carbons', host => {
  host.feature(NS, RULES)
  host.accountFeature(NS, RULES)
  host.iq(['self', 'host'], 'set', NS, 'enable', (_, { device }) => device ? device.set(wanted, true) : refuse('not-allowed'))
  host.iq(['self', 'host'], 'set', NS, 'disable', (_, { device }) => device ? device.set(wanted, false) : refuse('not-allowed'))

  host.inline.set(NS, (e, device) => { if (e.name === 'enable') device.set(wanted, true) }) // XEP-0386 section 3.2

  host.on('in:mark', p => {
    if (!isPrivate(p.stanza)) return
    p.set(secret, true) // the element goes no further than this server (section 8)
    return p.stanza.without('private', NS) as AnyStanza // a message stays one
  })
  host.on('out:copy', p => { if (p.stanza.to?.bare !== p.account.jid.bare) copy(host, p, 'sent') })
  host.on('in:copy', p => copy(host, p, 'received'))
})

function copy(host: Host, p: Passage, direction: 'sent' | 'received'): void {
  const { stanza, account } = p
  if (stanza.kind !== 'message') return
  const listening: Resource[] = []
  for (const r of account.resources.values()) if (r !== p.sender && !p.delivered.includes(r) && r.get(wanted)) listening.push(r)
  if (listening.length === 0 || p.get(secret) || isPrivate(stanza) || !isEligible(stanza, direction, account)) return
  const room = direction === 'sent' && isToOccupant(stanza) ? stanza.to : undefined // whoever is not in that room could not answer there
  const others = room ? listening.filter(r => host.presences.isWith(r, room)) : listening
  if (others.length === 0) return
  remember(account, stanza, direction)

  const id = direction === 'sent' ? p.get(archivedAs) : undefined // a received one bears it already
  const original = id === undefined ? stanza : stanza.with(stanzaId(account.jid, id))
  const carbon = Stanza.of('message', { type: stanza.type, from: account.jid }, [el(direction, NS, {}, el('forwarded', FORWARD, {}, original.toElement()))])
  for (const device of others) device.deliver(carbon.readdress({ to: device.jid }))
  p.copied = others
}

/** A private message to an occupant of a room. */
const isToOccupant = (m: Message): boolean => m.to !== undefined && !m.to.isBare && m.child('x', NS_MUC_USER) !== undefined && !m.child('x', NS_MUC_USER)?.child('invite')

const isPrivate = (s: AnyStanza): boolean => s.child('private', NS) !== undefined

/** Section 6.1. */
function isEligible(m: Message, direction: 'sent' | 'received', account: Account): boolean {
  if (m.type === 'groupchat' || m.type === 'headline' || m.child('no-copy', NS_HINTS)) return false
  if (m.type === 'error') return account.get(copied)?.has(direction === 'sent' ? key('received', m.to, m) : key('sent', m.from, m)) ?? false
  const room = m.child('x', NS_MUC_USER)
  if (room?.child('invite') || m.child('x', NS_INVITE)) return true
  if (room && direction === 'received' && !m.from?.isBare) return false // the room sends it to each device itself
  return m.type === 'chat' || m.child('body') !== undefined || m.payload.some(isIm)
}
const isIm = (e: Element): boolean => IM.has(e.ns)

const key = (direction: 'sent' | 'received', other: Jid | undefined, m: Message): string => `${direction} ${other?.bare} ${m.head.id}`

/** An error is copied if what it answers was. */
function remember(account: Account, m: Message, direction: 'sent' | 'received'): void {
  if (m.type === 'error' || m.head.id === undefined) return
  let kept = account.get(copied)
  if (!kept) account.set(copied, kept = new Set())
  kept.add(key(direction, direction === 'sent' ? m.to : m.from, m))
  if (kept.size > REMEMBERED) kept.delete(kept.values().next().value!) // it is not empty
}
