// XEP-0077: lets people make an account themselves, change its password and remove it.
import { APPROVALS } from '../protocols/approvals.ts'
import { INVITATIONS } from '../protocols/invitations.ts'
import { accountChanged, el, HANDLED, Jid, makeCredentials, namingFault, plugin, refuse, removeAccount, resultOf, StanzaError, type Element } from '../server/api.ts'

const NS = 'jabber:iq:register'
const NS_FEATURE = 'http://jabber.org/features/iq-register'
const WINDOW = 60_000 // ms in which the accounts that one address makes are counted
const ADDRESSES = 10_000

/** XEP-0077 In-Band Registration. `open: false`: only who brings an invitation (XEP-0445) may make an account. A host that lets nobody in does not install it. */
export const register = plugin('register', (host, options) => {
  const open = options['open'] !== false && (options['approval'] !== true || host.service(APPROVALS) !== undefined) // without the plugin that asks admins, nobody gets in unasked
  host.feature(NS)
  host.streamFeatures.before.push(() => host.passwordsElsewhere ? undefined : el('register', NS_FEATURE))
  const made = new Map<string, { since: number; count: number }>()
  const { accounts } = host.stores

  host.iq(['stream'], 'get', NS, 'query', () => el('query', NS, {},
    el('instructions', NS, {}, host.service(APPROVALS) ? 'Choose a name and a password. You can log in when an admin has let you in.' : 'Choose a name and a password.'), el('username', NS), el('password', NS)))

  host.iq(['stream'], 'set', NS, 'query', async (query, { remote = '', stream }) => {
    if (host.passwordsElsewhere) return ELSEWHERE
    const invitations = stream && host.service(INVITATIONS)
    const invited = invitations?.shown(stream!)
    if (!open && !invited) return refuse('not-allowed', 'An invitation is needed.')
    const local = localOf(query, host.domain)
    if (local instanceof StanzaError) return local
    const odd = namingFault(local)
    if (odd) return refuse('not-acceptable', odd)
    if (invited?.local !== undefined && invited.local !== local) return refuse('not-acceptable', `The invitation is for ${invited.local}.`)
    if (await invitations?.isKept(local, stream!)) return refuse('conflict')
    if (!admits(remote)) return refuse('resource-constraint', 'Too many new accounts from this address.')
    const credentials = await keysOf(query)
    if (credentials instanceof StanzaError) return credentials
    const taken = invited && await invitations?.take(stream!)
    if (invited && !taken) return refuse('item-not-found', 'The invitation was used meanwhile.')
    const approvals = invited ? undefined : host.service(APPROVALS)
    if (approvals) {
      if (await accounts.find(host.domain, local)) return refuse('conflict')
      const asked = await approvals.ask(local, remote)
      if (asked !== 'ok') return asked === 'full' ? refuse('resource-constraint', 'Too many accounts wait to be let in.') : refuse('conflict')
    }
    const record = { host: host.domain, local, created: host.clock.now(), credentials, ...(approvals && { disabled: true }) }
    let outcome: 'ok' | 'conflict' | undefined
    try { outcome = await accounts.create(record) } finally { if (outcome !== 'ok') await taken?.putBack() }
    if (outcome === 'conflict') { await approvals?.forget(local); return refuse('conflict') }
    const jid = Jid.of(local, host.domain)
    accountChanged(host, jid, record, 'made')
    await taken?.welcome(jid)
    return undefined
  })

  host.iq(['self', 'host'], 'get', NS, 'query', (_, { account }) => account
    ? el('query', NS, {}, el('registered', NS), el('username', NS, {}, account.jid.local), el('password', NS))
    : refuse('service-unavailable'))

  host.iq(['self', 'host'], 'set', NS, 'query', async (query, { account, device, iq }) => {
    if (!account || !device) return refuse('forbidden')
    if (query.child('remove')) {
      if (query.elements.length !== 1) return refuse('bad-request') // section 3.2
      await host.rosters.farewell(account)
      await removeAccount(host.stores, account.record)
      device.deliver(resultOf(iq))
      accountChanged(host, account.jid, undefined, 'removed')
      return HANDLED
    }
    const local = localOf(query, host.domain)
    if (local instanceof StanzaError) return local
    if (local !== account.jid.local) return refuse('not-allowed')
    if (host.passwordsElsewhere) return ELSEWHERE
    const credentials = await keysOf(query)
    if (credentials instanceof StanzaError) return credentials
    const record = { ...account.record, credentials }
    if (await accounts.update(record) === 'missing') return refuse('item-not-found')
    accountChanged(host, account.jid, record, 'password', device)
    return undefined
  })

  function admits(remote: string): boolean {
    const now = host.network.now()
    if (made.size > ADDRESSES) for (const [key, m] of made) if (now - m.since > WINDOW) made.delete(key)
    const m = made.get(remote)
    const most = host.limits.account.registrations // SEC-T33
    if (!m || now - m.since > WINDOW) { made.set(remote, { since: now, count: 1 }); return most > 0 }
    return ++m.count <= most
  }
})

const ELSEWHERE = refuse('not-allowed', 'Passwords of this host are kept elsewhere.')

function localOf(query: Element, domain: string): string | StanzaError {
  const name = query.child('username')?.text ?? ''
  if (name === '') return refuse('not-acceptable', 'A name is needed.')
  try { return Jid.of(name, domain).local } catch { return refuse('not-acceptable', 'This name cannot stand in an address.') }
}

async function keysOf(query: Element): Promise<Awaited<ReturnType<typeof makeCredentials>> | StanzaError> {
  const password = query.child('password')?.text ?? ''
  if (password === '') return refuse('not-acceptable', 'A password is needed.')
  try { return await makeCredentials(password) } catch { return refuse('not-acceptable', 'This cannot be a password.') }
}
