// Takes out of what strangers send that which only the own server may say: weaker clients believe it.
import { CONTENT, HANDLED, Jid, note, plugin, refuse, Stanza, type Account, type AnyStanza, type Element } from '../server/api.ts'

const NS_CARBONS = 'urn:xmpp:carbons:2'
const NS_MAM = 'urn:xmpp:mam:2'
const NS_EVENT = 'http://jabber.org/protocol/pubsub#event'
const NS_DELAY = 'urn:xmpp:delay'
const NS_SID = 'urn:xmpp:sid:0'
const NS_ROSTER = 'jabber:iq:roster'
const REMEMBERED = 50 // archives that an account has asked

const archives = note<Set<string> | undefined>('archives asked', undefined) // on an account: bare JIDs

/** Forged carbons, archive results, roster pushes, delays and ids never reach a client (SEC-M05 to M07, R10, P02). */
export const shield = plugin('shield', host => {
  host.on('out:mark', p => { // whose archive results are wanted
    if (p.stanza.kind !== 'iq' || p.stanza.payload[0]?.ns !== NS_MAM || !p.stanza.to) return
    let asked = p.account.get(archives)
    if (!asked) p.account.set(archives, asked = new Set())
    asked.add(p.stanza.to.bare)
    if (asked.size > REMEMBERED) asked.delete(asked.values().next().value!) // it is not empty
  })

  host.on('in:admit', ({ stanza, account }) => {
    if (stanza.kind === 'iq' && stanza.type === 'set' && stanza.payload[0]?.ns === NS_ROSTER && stanza.to && !stanza.to.isBare) return refuse('service-unavailable')
    if (stanza.kind !== 'message' || !stanza.from || stanza.from.full === host.domain) return
    const { from } = stanza
    if (!stanza.payload.some(e => isForged(e, from, account))) return
    const clean = stanza.payload.filter(e => !isForged(e, from, account))
    return clean.length ? (Stanza.of('message', stanza.head, clean) as AnyStanza) : HANDLED
  })

  function isForged(e: Element, from: Jid, account: Account): boolean {
    switch (e.ns) {
      case CONTENT: return false
      case NS_CARBONS: return e.name !== 'private'
      case NS_MAM: return !(account.get(archives)?.has(from.bare) ?? false)
      case NS_EVENT: return from.local !== '' && !(from.isBare && from.domain === host.domain) // of an account of ours: we made it
        && from.bare !== account.jid.bare && !host.rosters.of(account).isWatched(from.bare)
      case NS_DELAY: return isOurs(e.attrs['from'], account)
      case NS_SID: return e.name === 'stanza-id' && isOurs(e.attrs['by'], account)
      default: return false
    }
  }

  function isOurs(by: string | undefined, account: Account): boolean {
    const jid = by === undefined ? undefined : Jid.tryParse(by)
    return jid?.bare === account.jid.bare || jid?.bare === host.domain
  }
})
