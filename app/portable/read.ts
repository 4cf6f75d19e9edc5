// Takes in accounts from XEP-0227. An account that is there already stays as it is; a new one is made last of all that is
// its own, so that an import that was broken off is simply done again.
import { createHash } from 'node:crypto'
import { ArchiveIds } from '../../protocols/archive.ts'
import { configured, PERSONAL } from '../../protocols/pubsub/config.ts'
import { Shelf } from '../../protocols/pubsub/shelf.ts'
import type { AccountRecord, ArchiveRow, Credentials, Role, RosterItem, ScramKeys, Stores, Subscription } from '../../server/ports/store.ts'
import { StanzaError } from '../../server/stanza/errors.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { HASH_OCTETS, HASHES, makeCredentials, MINIMUM_ITERATIONS } from '../../server/stream/sasl/credentials.ts'
import { el, type Element } from '../../server/xml/element.ts'
import { BOUNDS, KEPT, NS_ACCOUNT, NS_BLOCKING, NS_DELAY, NS_FORWARD, NS_MAM, NS_OWNER, NS_PRIVATE, NS_PUBSUB, NS_RESULT, NS_ROSTER, NS_SCRAM, NS_VCARD, NS } from './names.ts'

const CLIENT = 'jabber:client'
const ROLES: readonly Role[] = ['agent', 'manager', 'admin']
const SUBSCRIPTIONS: readonly Subscription[] = ['none', 'to', 'from', 'both']
const AT_ONCE = 500 // archive rows given to the store together

export interface Taken { readonly stores: Stores; readonly now: number; readonly iterations: number | undefined; /** Most messages that wait for one account. */ readonly offline: number; /** A directory keeps the passwords of its host: nobody needs one here. */ readonly directory?: boolean }

/** `warn` hears of what is not taken over. 'made', or 'there' if the account exists, or why it cannot be one. */
export async function takeUser(user: Element, host: string, t: Taken, warn: (line: string) => void): Promise<{ readonly jid: Jid } | 'there' | { readonly wrong: string }> {
  const jid = Jid.tryParse(`${user.attrs['name'] ?? ''}@${host}`)
  if (!jid?.local || jid.resource || jid.domain !== host) return { wrong: `${user.attrs['name'] ?? '(no name)'} is no name of an account` }
  const { stores } = t
  const owner = jid.bare
  if (await stores.accounts.find(host, jid.local)) return 'there'
  const credentials = t.directory ? {} : await credentialsOf(user, t)
  if (!credentials) return { wrong: `${owner} has no password and no keys that can be used` }

  const unknown = new Set<string>()
  const waiting: Promise<unknown>[] = [stores.rosters.put(owner, 1, rosterOf(user, jid))]
  for (const e of user.elements) {
    if (e.is('vCard', NS_VCARD)) waiting.push(stores.documents.put(KEPT.vcard, owner, '', e.toString()))
    else if (e.is('query', NS_PRIVATE)) for (const p of e.elements) waiting.push(stores.documents.put(KEPT.private, owner, `{${p.ns}}${p.name}`, p.toString()))
    else if (e.is('blocklist', NS_BLOCKING)) waiting.push(stores.documents.put(KEPT.blocklist, owner, '', e.elements.flatMap(i => Jid.tryParse(i.attrs['jid'] ?? '')?.full ?? [])))
    else if (e.is('pubsub', NS_PUBSUB)) waiting.push(nodes(e, user.child('pubsub', NS_OWNER), owner, t))
    else if (e.is('offline-messages', NS)) waiting.push(missed(e, owner, t))
    else if (e.is('archive', NS_MAM)) waiting.push(archive(e, jid, stores))
    else if (!KNOWN.has(`{${e.ns}}${e.name}`)) unknown.add(`<${e.name} xmlns='${e.ns}'>`)
  }
  await Promise.all(waiting)
  if (unknown.size) warn(`${owner}: not taken over: ${[...unknown].join(', ')}`)
  const outcome = await stores.accounts.create({ host, local: jid.local, credentials, ...marksOf(user, t.now), ...(t.directory && { authority: 'ldap' }) })
  return outcome === 'conflict' ? 'there' : { jid }
}

const KNOWN = new Set([`{${NS_SCRAM}}scram-credentials`, `{${NS_ACCOUNT}}account`, `{${NS_ROSTER}}query`, `{${CLIENT}}presence`, `{${NS_OWNER}}pubsub`])

/** From the keys; from the password where the file has that; undefined if neither will do. */
async function credentialsOf(user: Element, { iterations }: Taken): Promise<Credentials | undefined> {
  const found: Partial<Record<keyof Credentials, ScramKeys>> = {}
  for (const e of user.elements) {
    const hash = e.is('scram-credentials', NS_SCRAM) ? HASHES.find(h => `SCRAM-${h.toUpperCase()}` === e.attrs['mechanism']?.toUpperCase()) : undefined
    if (!hash) continue
    const [salt, serverKey, storedKey] = ['salt', 'server-key', 'stored-key'].map(name => Buffer.from(e.child(name)?.text ?? '', 'base64')) as [Buffer, Buffer, Buffer] // as many as names
    const count = Number(e.child('iter-count')?.text)
    const whole = salt.length > 0 && serverKey.length === HASH_OCTETS[hash] && storedKey.length === HASH_OCTETS[hash]
    if (whole && Number.isInteger(count) && count >= MINIMUM_ITERATIONS) found[hash] = { salt: salt.toString('base64'), iterations: count, storedKey: storedKey.toString('base64'), serverKey: serverKey.toString('base64') }
  }
  const { password } = user.attrs
  if (Object.keys(found).length || !password) return Object.keys(found).length ? found : undefined
  try { return await makeCredentials(password, iterations === undefined ? {} : { iterations }) } catch { return undefined }
}

function marksOf(user: Element, now: number): Omit<AccountRecord, 'host' | 'local' | 'credentials'> {
  const { role, name, disabled, created } = user.child('account', NS_ACCOUNT)?.attrs ?? {}
  const at = Date.parse(created ?? '')
  const known = ROLES.find(r => r === role)
  return { created: at <= now ? at : now, ...(known && { role: known }), ...(name !== undefined && { name }), ...(disabled === 'true' && { disabled: true }) } // NaN is not <= now
}

function rosterOf(user: Element, owner: Jid): RosterItem[] {
  const items = new Map<string, RosterItem>()
  for (const i of user.child('query', NS_ROSTER)?.elements ?? []) {
    const jid = i.is('item', NS_ROSTER) ? Jid.tryParse(i.attrs['jid'] ?? '') : undefined
    const subscription = SUBSCRIPTIONS.find(s => s === (i.attrs['subscription'] ?? 'none'))
    if (!jid || !subscription || jid.bare === owner.bare) continue
    const { name, ask, approved } = i.attrs
    const groups = [...new Set(i.elements.flatMap(g => g.is('group', NS_ROSTER) && g.text ? [g.text] : []))]
    items.set(jid.full, { jid: jid.full, groups, subscription, version: 1, ...(name !== undefined && { name }), ...(ask === 'subscribe' && { ask: true }), ...(approved === 'true' && { approved: true }) })
  }
  for (const p of user.elements) {
    const from = p.is('presence', CLIENT) && p.attrs['type'] === 'subscribe' ? Jid.tryParse(p.attrs['from'] ?? '') : undefined
    if (!from) continue
    const known = items.get(from.bare)
    if (known?.subscription === 'from' || known?.subscription === 'both') continue
    const request = el('presence', CLIENT, { ...p.attrs, from: from.bare, to: owner.bare }, ...p.children).toString()
    items.set(from.bare, { ...(known ?? { jid: from.bare, groups: [], subscription: 'none', listed: false, version: 1 }), request })
  }
  return [...items.values()]
}

/** Personal nodes (XEP-0163); a form that cannot be followed leaves the node as new ones are. */
async function nodes(pubsub: Element, owned: Element | undefined, owner: string, { stores, now }: Taken): Promise<void> {
  const shelf = new Shelf(stores.documents, owner, KEPT.pep)
  for (const list of pubsub.elements) {
    const node = list.attrs['node']
    if (!list.is('items', NS_PUBSUB) || node === undefined) continue
    const form = owned?.elements.find(e => e.is('configure', NS_OWNER) && e.attrs['node'] === node)?.elements[0]
    const settled = form ? configured(PERSONAL, el('x', form.ns, { ...form.attrs, type: 'submit' }, ...form.children), BOUNDS) : PERSONAL
    const config = settled instanceof StanzaError ? PERSONAL : settled
    let order = 0
    for (const item of list.elements) {
      const { id } = item.attrs
      const payload = item.elements[0]?.toString() ?? ''
      if (id !== undefined) await shelf.putItem(node, { id, order: ++order, at: now, publisher: owner, size: Buffer.byteLength(payload) }, payload)
    }
    await shelf.putNode(node, { config: list.elements.length > 1 && config.maxItems === 1 ? { ...config, maxItems: 'max' } : config, created: now, affiliations: [], subscriptions: [] })
  }
}

async function missed(list: Element, owner: string, { stores, now, offline }: Taken): Promise<void> {
  await stores.offline.clear(owner, Number.MAX_SAFE_INTEGER) // of an import that was broken off
  for (const m of list.elements) {
    if (m.is('message', CLIENT)) await stores.offline.push(owner, timeOf(m.child('delay', NS_DELAY)) ?? now, m.toString(), offline)
  }
}

/** Ids of ours stay; those of others, which need not sort by time, are given anew, the same at each import. */
async function archive(list: Element, owner: Jid, stores: Stores): Promise<void> {
  const entries = list.elements.flatMap(result => {
    const forwarded = result.is('result', NS_RESULT) ? result.child('forwarded', NS_FORWARD) : undefined
    const message = forwarded?.child('message', CLIENT)
    const at = timeOf(forwarded?.child('delay', NS_DELAY))
    if (!message || at === undefined) return []
    const [from, to] = [Jid.tryParse(message.attrs['from'] ?? owner.bare), Jid.tryParse(message.attrs['to'] ?? owner.bare)]
    const peer = from && to && (from.bare === owner.bare ? to : from)
    return peer ? [{ id: result.attrs['id'] ?? '', at, with: peer.full, stanza: message.toString() }] : []
  })
  const isOurs = entries.every((e, i) => OURS.test(e.id) && (i === 0 || e.id > entries[i - 1]!.id)) // i - 1 is there
  if (!isOurs) entries.sort((a, b) => a.at - b.at)
  let seed = ''
  const ids = new ArchiveIds(() => [...createHash('sha256').update(seed).digest().subarray(0, 12)].map(b => (b & 31).toString(32)).join(''))
  for (let i = 0; i < entries.length; i += AT_ONCE) {
    await Promise.all(entries.slice(i, i + AT_ONCE).map(e => {
      seed = `${owner.bare}\n${e.id}\n${e.stanza}`
      const row: ArchiveRow = { owner: owner.bare, ...e, ...(isOurs ? {} : { id: ids.next(e.at).id }) }
      return stores.archive.append(row)
    }))
  }
}

const OURS = /^[0-9a-v]{24}$/ // protocols/archive.ts makes them

function timeOf(delay: Element | undefined): number | undefined {
  const at = Date.parse(delay?.attrs['stamp'] ?? '')
  return Number.isNaN(at) ? undefined : at
}
