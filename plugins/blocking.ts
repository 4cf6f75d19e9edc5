// XEP-0191: keeps those away whom a user does not want to hear.
import { readReports, REPORTS } from '../protocols/reports.ts'
import { el, HANDLED, Jid, note, plugin, refuse, Stanza, StanzaError, type Account, type Element, type Host, type Iq, type Resource } from '../server/api.ts'

const NS = 'urn:xmpp:blocking'
const ERRORS = 'urn:xmpp:blocking:errors'
const DISCO_ITEMS = 'http://jabber.org/protocol/disco#items'
const COLLECTION = 'blocklist'
const MOST = 1000 // addresses of one account

const blocked = note<ReadonlySet<string>>('blocked', new Set()) // on an account: full, bare and domain JIDs
const interested = note('interested in the block list', false) // on a device

/** XEP-0191 Blocking Command. Blocks politely: subscriptions stay, the blocked one sees the user offline. */
export const blocking = plugin('blocking', host => {
  host.feature(NS)
  const { documents } = host.stores
  host.accounts.loader(async account => {
    const kept = await documents.get<string[]>(COLLECTION, account.jid.bare, '')
    if (kept?.value.length) account.set(blocked, new Set(kept.value))
  })

  host.bar((account, other) => isBlocked(account, other))

  host.on('out:admit', p => p.stanza.to && isBlocked(p.account, p.stanza.to)
    ? new StanzaError('not-acceptable', undefined, el('blocked', ERRORS), 'cancel')
    : undefined)
  host.on('in:admit', ({ stanza, account }) => {
    if (!stanza.from || !isBlocked(account, stanza.from)) return
    if (stanza.kind === 'message' && (stanza.type === 'chat' || stanza.type === 'normal')) return refuse('service-unavailable')
    if (stanza.kind === 'iq' && (stanza.type === 'get' || stanza.type === 'set')) return isForItems(stanza) ? undefined : refuse('service-unavailable')
    return HANDLED
  })

  host.iq(['self'], 'get', NS, 'blocklist', (_, { account, device }) => {
    if (!account) return refuse('forbidden')
    device?.set(interested, true)
    return el('blocklist', NS, {}, ...items(account.get(blocked)))
  })
  host.iq(['self'], 'set', NS, 'block', async (command, { account }) => {
    const jids = read(command)
    if (!account || jids.length === 0) return refuse('bad-request')
    if (jids.includes(undefined)) return refuse('jid-malformed')
    const refused = await change(host, account, command, now => new Set([...now, ...(jids as Jid[]).map(j => j.full)])) // looked at above
    if (!refused) host.service(REPORTS)?.(account, readReports(command))
    return refused
  })
  host.iq(['self'], 'set', NS, 'unblock', async (command, { account }) => {
    const jids = read(command)
    if (!account) return refuse('forbidden')
    if (jids.includes(undefined)) return refuse('jid-malformed')
    const gone = new Set(jids.map(j => j?.full))
    return await change(host, account, command, now => jids.length ? new Set([...now].filter(j => !gone.has(j))) : new Set())
  })
})

const read = (command: Element): (Jid | undefined)[] => command.elements.filter(e => e.is('item', NS)).map(e => Jid.tryParse(e.attrs['jid'] ?? ''))
const items = (jids: Iterable<string>): Element[] => [...jids].map(jid => el('item', NS, { jid }))

/** Section 5: the resource, the account, the domain's resource, the domain and all in it; never one's own devices. */
function isBlocked(account: Account, other: Jid): boolean {
  const list = account.get(blocked)
  if (list.size === 0 || other.bare === account.jid.bare) return false
  return list.has(other.full) || list.has(other.bare) || list.has(other.domain) || (other.resource !== '' && list.has(`${other.domain}/${other.resource}`))
}

/** An account's list of items is empty for a stranger, as that of an address without an account (XEP-0030 section 8): an error would tell that he is blocked. */
const isForItems = ({ to, type, payload }: Iq): boolean => type === 'get' && to?.isBare === true && payload[0]?.is('query', DISCO_ITEMS) === true

async function change(host: Host, account: Account, command: Element, next: (now: ReadonlySet<string>) => ReadonlySet<string>): Promise<StanzaError | undefined> {
  const before = account.get(blocked)
  const after = next(before)
  if (after.size > MOST) return refuse('resource-constraint')
  await host.stores.documents.put(COLLECTION, account.jid.bare, '', [...after])
  const { watchers, watched } = host.rosters.of(account)
  account.set(blocked, before)
  const wasFree = watchers.filter(j => !isBlocked(account, j))
  const wasBlocked = [...watchers, ...watched].filter(j => isBlocked(account, j))
  account.set(blocked, after)

  for (const device of account.available) { // section 3.3: who could see us sees us go
    for (const to of wasFree) if (isBlocked(account, to)) host.send(Stanza.of('presence', { type: 'unavailable', from: device.jid, to }))
  }
  for (const r of account.resources.values()) if (r.get(interested)) push(r, command)
  if (account.available.length) {
    for (const to of new Set(wasBlocked)) {
      if (isBlocked(account, to)) continue
      if (watchers.includes(to)) for (const device of account.available) host.send(device.presence!.readdress({ to })) // available says there is one
      if (watched.some(j => j.bare === to.bare)) host.send(Stanza.of('presence', { type: 'probe', from: account.jid, to }))
    }
  }
  return undefined
}

const push = (to: Resource, command: Element): void => to.deliver(Stanza.of('iq', { type: 'set', id: `b${(++pushes).toString(36)}`, to: to.jid }, [el(command.name, NS, {}, ...command.elements.map(e => el(e.name, NS, { jid: e.attrs['jid'] ?? '' })))]) satisfies Iq) // without what was reported
let pushes = 0
