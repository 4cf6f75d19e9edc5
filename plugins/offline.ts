// XEP-0160: keeps messages for a user who is not there.
import { NS_HINTS, NS_SID } from '../protocols/archive.ts'
import { CONTENT, el, HANDLED, note, parseFrame, plugin, readStanza, refuse, Unreadable, type Account, type AnyStanza, type Host, type Message, type Resource } from '../server/api.ts'

const NS_DELAY = 'urn:xmpp:delay'
const NS_CHATSTATES = 'http://jabber.org/protocol/chatstates'

const flushed = note('offline messages given', false) // on a device
const known = note('offline messages that it reads in the archive', 0) // on a device: up to this one
const flushing = note<Promise<void> | undefined>('offline messages under way', undefined) // on an account

/** XEP-0160 Offline Messages: kept in order, given with their time to the first device that takes messages. */
export const offline = plugin('offline', host => {
  host.feature('msgoffline')
  const { offline: store } = host.stores
  const most = host.limits.account.offline

  host.on('in:missed', p => {
    const { stanza, account } = p
    if (stanza.kind !== 'message' || (stanza.type !== 'chat' && stanza.type !== 'normal')) return
    if (isFleeting(stanza)) return HANDLED
    if (stanza.child('no-store', NS_HINTS)) return
    return store.push(account.jid.bare, host.clock.now(), stanza.write(CONTENT), most).then(outcome => {
      if (outcome === 'full') return refuse('resource-constraint', 'Too many messages wait for this user.')
      for (const r of account.best.slice(0, 1)) void flush(host, account, r) // somebody came while it was written
      return HANDLED
    })
  })

  // XEP-0386 section 3.2: who binds so reads the archive. What is not in it waits for its presence all the same.
  host.binding.push(async ({ jid: { bare } }) => {
    const rows = await store.list(bare)
    const last = rows.at(-1)
    if (!last) return undefined
    const all = rows.every(row => isArchived(row.stanza, bare))
    return device => {
      device.set(known, last.id)
      if (all) store.clear(bare, last.id).catch((error: unknown) => host.bug(error))
      return undefined
    }
  })

  host.when('presence', device => {
    if (device.priority === undefined || device.priority < 0 || device.get(flushed)) return
    device.set(flushed, true)
    void flush(host, device.account, device)
  })
  host.when('unavailable', device => device.set(flushed, false))
})

/** Gives what waits, once, however many devices come at the same time. */
function flush(host: Host, account: Account, device: Resource): Promise<void> {
  const before = account.get(flushing) ?? Promise.resolve()
  const now = before.then(() => give(host, account, device)).catch((error: unknown) => host.bug(error))
  account.set(flushing, now)
  return now
}

async function give(host: Host, account: Account, device: Resource): Promise<void> {
  const owner = account.jid.bare
  const rows = await host.stores.offline.list(owner)
  const to = account.resources.get(device.jid.resource) === device ? device : account.best[0]
  if (!to || rows.length === 0) return // gone meanwhile: it waits on
  for (const row of rows) {
    if (row.id <= to.get(known) && isArchived(row.stanza, owner)) continue
    const stanza = readStanza(parseFrame(row.stanza))
    if (stanza instanceof Unreadable || (stanza.from && host.barred(account, stanza.from, true))) continue // blocked meanwhile
    const stamped = stanza.payload.some(e => e.is('delay', NS_DELAY) && e.attrs['from'] === host.domain) // it was given once and came back
    const delay = el('delay', NS_DELAY, { from: host.domain, stamp: new Date(row.at).toISOString() }, 'Offline Storage')
    to.deliver(stamped ? stanza : (stanza.with(delay) as AnyStanza)) // a message stays one
  }
  await host.stores.offline.clear(owner, rows.at(-1)!.id) // there is one
}

/** Whether a stored message has the id that the account's archive gave it (XEP-0359). */
function isArchived(text: string, owner: string): boolean {
  const stanza = readStanza(parseFrame(text))
  return !(stanza instanceof Unreadable) && stanza.payload.some(e => e.is('stanza-id', NS_SID) && e.attrs['by'] === owner)
}

/** Nothing but a chat state: of no use later (section 3). */
const isFleeting = (m: Message): boolean => m.payload.length > 0
  && m.payload.every(e => e.ns === NS_CHATSTATES || e.ns === NS_HINTS || e.is('thread', CONTENT))
  && m.payload.some(e => e.ns === NS_CHATSTATES)
