// XEP-0012: how long a friend has been away, and how long the server has been up.
import { LAST_SEEN, type LastSeen } from '../protocols/activity.ts'
import { el, note, plugin, refuse, type Account, type Element, type Jid } from '../server/api.ts'

const NS = 'jabber:iq:last'
const COLLECTION = 'last seen'
const LONGEST = 1000 // characters of a status

const since = note<number | undefined>('began', undefined) // on a device, ms since 1970
const said = note<string | undefined>('said at the end', undefined) // on an account
const ended = note<LastSeen | undefined>('last seen', undefined) // on an account, of its last session

/** XEP-0012 Last Activity, of accounts and the host; devices answer for themselves. */
export const last = plugin('last', host => {
  const started = host.clock.now()
  const { documents } = host.stores
  host.feature(NS)
  host.accountFeature(NS)

  host.iq(['host'], 'get', NS, 'query', () => answer(host.clock.now() - started))
  host.iq(['self', 'other', 'nobody'], 'get', NS, 'query', async (_, { account, from }) => {
    if (!account || !mayKnow(account, from)) return refuse('forbidden') // section 3; and the same of one who does not exist
    if (account.resources.size > 0) return answer(0)
    const seen = await seenOf(account.jid)
    return answer(host.clock.now() - (seen?.logout ?? account.record.created), seen?.status)
  })

  host.when('bound', device => device.set(since, host.clock.now()))
  host.when('presence', ({ account }) => account.set(said, undefined))
  host.on('out:mark', ({ stanza, account }) => {
    if (stanza.kind === 'presence' && stanza.type === 'unavailable' && !stanza.to) account.set(said, stanza.child('status')?.text.slice(0, LONGEST) || undefined)
  })
  host.when('gone', device => {
    const { account } = device
    if (account.resources.size > 0 || host.accounts.online(account.jid) !== account) return // others are there, or the account was removed
    const login = device.get(since)
    const status = account.get(said)
    const seen: LastSeen = { logout: host.clock.now(), ...(login !== undefined && { login }), ...(status !== undefined && { status }) }
    account.set(ended, seen)
    documents.put(COLLECTION, account.jid.bare, 'all', seen).catch((error: unknown) => host.bug(error))
  })

  host.provide(LAST_SEEN, async who => {
    const logins = [...host.accounts.online(who)?.resources.values() ?? []].flatMap(d => d.get(since) ?? [])
    return logins.length > 0 ? { login: Math.max(...logins) } : await seenOf(who)
  })

  const mayKnow = (account: Account, who: Jid): boolean =>
    who.bare === account.jid.bare || (host.rosters.of(account).isWatcher(who.bare) && !host.barred(account, who))
  const seenOf = async (who: Jid): Promise<LastSeen | undefined> =>
    host.accounts.online(who)?.get(ended) ?? (await documents.get<LastSeen>(COLLECTION, who.bare, 'all'))?.value
})

const answer = (ms: number, status?: string): Element => el('query', NS, { seconds: String(Math.max(0, Math.floor(ms / 1000))) }, ...(status === undefined ? [] : [status]))
