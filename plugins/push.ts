// XEP-0357: wakes the devices of a user that are not connected, through the services that their makers run.
import { isWorthKeeping } from '../protocols/keeping.ts'
import { el, form, HANDLED, Jid, note, parseFrame, plugin, readForm, refuse, Stanza, WAKES, type Account, type AnyStanza, type Element, type Host, type Resource } from '../server/api.ts'

const NS = 'urn:xmpp:push:0'
const SUMMARY = 'urn:xmpp:push:summary'
const NS_PUBSUB = 'http://jabber.org/protocol/pubsub'
const OPTIONS = `${NS_PUBSUB}#publish-options`
const NS_DATA = 'jabber:x:data'
const NS_CALL = 'urn:xmpp:jingle-message:0' // XEP-0353
const CARBONS = 'urn:xmpp:carbons:2'
const FORWARD = 'urn:xmpp:forward:0'
const COLLECTION = 'push'
const MOST = 20 // registrations of one account
const LONGEST = 4096 // characters of publish options
const PATIENCE = 10 // publications that failed in a row for reasons that may pass

/** What is kept of one <enable/>. */
interface Kept { readonly jid: string; readonly node: string; readonly options?: string; readonly resource: string }

/** One that is in force, with what is known of it until the next restart. */
interface Registration { kept: Kept; unseen: number; busy: boolean; again: Message | undefined; failures: number }
type Message = Extract<AnyStanza, { kind: 'message' }>

const registrations = note<ReadonlyMap<string, Registration>>('push registrations', new Map()) // on an account

/** XEP-0357 Push Notifications. `sender` and `body`: whether the service is told who wrote, and what; it is told neither unless the config says so. */
export const push = plugin('push', (host, options) => {
  host.accountFeature(NS)
  const { documents } = host.stores
  host.provide(WAKES, account => account.get(registrations).size > 0)
  const tells = { sender: options['sender'] === true, body: options['body'] === true }

  host.accounts.loader(async account => {
    const rows = await documents.range<Kept>(COLLECTION, account.jid.bare, { limit: MOST })
    if (rows.length) account.set(registrations, new Map(rows.map(({ id, value }) => [id, registration(value)])))
  })

  host.iq(['self'], 'set', NS, 'enable', async (enable, { account, device }) => {
    if (!account || !device) return refuse('not-allowed')
    const jid = Jid.tryParse(enable.attrs['jid'] ?? '')
    if (!jid) return refuse('bad-request', 'Say which service.')
    const given = enable.child('x', NS_DATA)
    const text = readForm(given)?.formType === OPTIONS ? given!.write('') : undefined // what was read is there
    if (text !== undefined && text.length > LONGEST) return refuse('resource-constraint', 'Too many options.')
    const kept: Kept = { jid: jid.full, node: enable.attrs['node'] ?? '', resource: device.jid.resource, ...(text !== undefined && { options: text }) }
    const now = new Map(account.get(registrations))
    if (!now.has(key(kept)) && now.size >= MOST) return refuse('resource-constraint', 'Too many devices are registered.')
    now.set(key(kept), registration(kept))
    account.set(registrations, now)
    await documents.put(COLLECTION, account.jid.bare, key(kept), kept)
    return undefined
  })

  host.iq(['self'], 'set', NS, 'disable', async (disable, { account }) => {
    const jid = Jid.tryParse(disable.attrs['jid'] ?? '')
    const { node } = disable.attrs
    if (!account) return refuse('not-allowed')
    if (!jid) return refuse('bad-request', 'Say which service.')
    await forget(host, account, r => r.jid === jid.full && (node === undefined || r.node === node))
    return undefined
  })

  // Section 9: a service that wants no more.
  host.on('in:admit', ({ stanza, account }) => {
    if (stanza.kind !== 'message' || account.get(registrations).size === 0) return
    const told = stanza.child('pubsub', NS_PUBSUB)
    if (told?.child('affiliation')?.attrs['affiliation'] !== 'none') return
    const from = stanza.from?.full
    const { node } = told.attrs
    if (![...account.get(registrations).values()].some(r => r.kept.jid === from && r.kept.node === node)) return
    return forget(host, account, r => r.jid === from && r.node === node).then(() => HANDLED)
  })

  // Whoever it was given to: a device whose connection is lost, or that is gone, has not seen it.
  host.on('in:copy', ({ stanza, account, delivered }) => {
    if (stanza.kind !== 'message' || account.get(registrations).size === 0) return
    for (const r of account.get(registrations).values()) {
      const device = account.resources.get(r.kept.resource)
      if (device?.attached || !wakes(stanza, device !== undefined && delivered.includes(device))) continue
      notify(host, account, r, stanza, tells)
    }
  })

  // What went into a connection that was dead already.
  host.when('detached', device => {
    const unseen = device.unacknowledged.map(unwrapped).filter(s => s.kind === 'message' && wakes(s, true)) as Message[] // a filter does not narrow
    const last = unseen.at(-1)
    if (!last) return
    for (const r of mine(device)) {
      r.unseen += unseen.length - 1
      notify(host, device.account, r, last, tells)
    }
  })
  const seen = (device: Resource): void => { for (const r of mine(device)) r.unseen = 0 }
  host.when('attached', seen)
  host.when('presence', seen)
})

const key = ({ jid, node }: Pick<Kept, 'jid' | 'node'>): string => `${jid} ${node}`
const registration = (kept: Kept): Registration => ({ kept, unseen: 0, busy: false, again: undefined, failures: 0 })
const mine = (device: Resource): Registration[] => [...device.account.get(registrations).values()].filter(r => r.kept.resource === device.jid.resource)

/** Whether it is worth waking a phone: talk and calls, and in a room what was sent to this device itself. */
function wakes(m: AnyStanza, toDevice: boolean): boolean {
  if (m.type === 'groupchat') return toDevice && m.child('body') !== undefined
  if (m.type === 'error' || m.type === 'headline') return false
  return m.child('propose', NS_CALL) !== undefined || (isWorthKeeping(m) && (m.child('body') !== undefined || m.payload.some(isSecret)))
}
const isSecret = (e: Element): boolean => e.name === 'encrypted' || e.name === 'openpgp'

/** A carbon of a received message counts as that message; one of a sent message is nobody's news. */
function unwrapped(s: AnyStanza): AnyStanza {
  const inner = s.child('received', CARBONS)?.child('forwarded', FORWARD)?.elements[0]
  return inner && s.kind === 'message' ? Stanza.of('message', { type: inner.attrs['type'] === 'groupchat' ? 'groupchat' : 'chat', ...(Jid.tryParse(inner.attrs['from'] ?? '') && { from: Jid.parse(inner.attrs['from']!) }) }, [...inner.elements]) : s
}

/** Publishes, or remembers to do so again: one publication at a time is on its way to each device. */
function notify(host: Host, account: Account, r: Registration, message: Message, tells: { sender: boolean; body: boolean }): void {
  r.unseen++
  if (r.busy) { r.again = message; return }
  r.busy = true
  void host.ask(publication(host, account, r, message, tells)).then(async answer => {
    r.busy = false
    if (answer.type === 'error') await failed(host, account, r, answer.child('error'))
    else r.failures = 0
    const { again } = r
    r.again = undefined
    if (again && account.get(registrations).get(key(r.kept)) === r) { r.unseen--; notify(host, account, r, again, tells) }
  }).catch((error: unknown) => { r.busy = false; host.bug(error) })
}

/** Section 7. */
function publication(host: Host, account: Account, { kept, unseen }: Registration, message: Message, tells: { sender: boolean; body: boolean }): Stanza<'iq'> {
  const sender = message.from?.bare
  const body = message.child('body')?.text
  let pending = 0
  for (const i of host.rosters.of(account).items.values()) if (i.request !== undefined) pending++
  const summary = form({
    type: 'submit', formType: SUMMARY,
    fields: [
      { var: 'message-count', value: String(unseen) },
      ...(pending > 0 ? [{ var: 'pending-subscription-count', value: String(pending) }] : []),
      ...(tells.sender && sender ? [{ var: 'last-message-sender', value: sender }] : []),
      { var: 'last-message-body', value: tells.body && body ? body : 'New message' }, // COMPAT: without a body some services wake nobody
    ],
  })
  const publish = el('publish', NS_PUBSUB, { node: kept.node }, el('item', NS_PUBSUB, {}, el('notification', NS, {}, summary)))
  const options = kept.options === undefined ? [] : [el('publish-options', NS_PUBSUB, {}, parseFrame(kept.options))]
  return Stanza.of('iq', { type: 'set', from: host.jid, to: Jid.parse(kept.jid), id: 'push' }, [el('pubsub', NS_PUBSUB, {}, publish, ...options)])
}

/** Section 7.1: what is wrong for good ends it at once, what may pass after some patience. */
async function failed(host: Host, account: Account, r: Registration, error: Element | undefined): Promise<void> {
  const passing = error?.attrs['type'] === 'wait' || error?.elements.some(e => e.name === 'remote-server-not-found' || e.name === 'remote-server-timeout')
  if (passing && ++r.failures < PATIENCE) return
  await forget(host, account, kept => key(kept) === key(r.kept))
}

async function forget(host: Host, account: Account, which: (kept: Kept) => boolean): Promise<void> {
  const all = account.get(registrations)
  const going = [...all.keys()].filter(id => which(all.get(id)!.kept)) // ids of its own
  if (going.length === 0) return
  account.set(registrations, new Map([...all].filter(([id]) => !going.includes(id))))
  for (const id of going) await host.stores.documents.remove(COLLECTION, account.jid.bare, id)
}
