// Accounts as XEP-0227 has them: one <user/> after the other, so that no more than one is in memory with its archive's page.
import { Shelf } from '../../protocols/pubsub/shelf.ts'
import { configForm } from '../../protocols/pubsub/config.ts'
import { parseFrame, UNLIMITED } from '../../server/xml/parser.ts'
import { el, escape, type Element } from '../../server/xml/element.ts'
import { everyAccount, everyDocument } from '../../server/store/pages.ts'
import type { AccountRecord, ArchiveRow, RosterItem, Stored, Stores } from '../../server/ports/store.ts'
import { BOUNDS, KEPT, NS, NS_ACCOUNT, NS_BLOCKING, NS_DELAY, NS_FORWARD, NS_MAM, NS_OWNER, NS_PRIVATE, NS_PUBSUB, NS_RESULT, NS_ROSTER, NS_SCRAM } from './names.ts'

const PAGE = 500

/** The document, in pieces. */
export async function* writeData(stores: Stores, hosts: Iterable<string>): AsyncIterable<string> {
  yield `<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='${NS}'>\n`
  for (const host of hosts) {
    yield `<host jid='${escape(host)}'>\n`
    for await (const record of everyAccount(stores.accounts, host)) yield* writeUser(stores, record)
    yield '</host>\n'
  }
  yield '</server-data>\n'
}

async function* writeUser(stores: Stores, record: AccountRecord): AsyncIterable<string> {
  const owner = `${record.local}@${record.host}`
  const say = (e: Element): string => `${e.write(NS)}\n`
  yield `<user name='${escape(record.local)}'>\n${credentialsOf(record).map(say).join('')}${say(accountOf(record))}`
  const { version, items } = await stores.rosters.load(owner)
  for (const e of rosterOf(version, items)) yield say(e)
  const vcard = await stores.documents.get<string>(KEPT.vcard, owner, '')
  if (vcard) yield say(read(vcard.value))
  const kept = await documents<string>(stores, KEPT.private, owner)
  if (kept.length) yield say(el('query', NS_PRIVATE, {}, ...kept.map(d => read(d.value))))
  const blocked = await stores.documents.get<readonly string[]>(KEPT.blocklist, owner, '')
  if (blocked?.value.length) yield say(el('blocklist', NS_BLOCKING, {}, ...blocked.value.map(jid => el('item', NS_BLOCKING, { jid }))))
  for (const e of await nodesOf(stores, owner)) yield say(e)
  const missed = await stores.offline.list(owner)
  if (missed.length) yield say(el('offline-messages', NS, {}, ...missed.map(row => stamped(read(row.stanza), record.host, row.at))))
  yield* writeArchive(stores, owner)
  yield '</user>\n'
}

const credentialsOf = ({ credentials }: AccountRecord): Element[] => Object.entries(credentials).map(([hash, keys]) =>
  el('scram-credentials', NS_SCRAM, { mechanism: `SCRAM-${hash.toUpperCase()}` },
    el('iter-count', NS_SCRAM, {}, String(keys.iterations)), el('salt', NS_SCRAM, {}, keys.salt), el('server-key', NS_SCRAM, {}, keys.serverKey), el('stored-key', NS_SCRAM, {}, keys.storedKey)))

const accountOf = ({ role, name, disabled, created }: AccountRecord): Element =>
  el('account', NS_ACCOUNT, { ...(role && { role }), ...(name !== undefined && { name }), ...(disabled && { disabled: 'true' }), created: new Date(created).toISOString() })

/** What components put in is theirs, and comes again with them. */
function rosterOf(version: number, items: readonly RosterItem[]): Element[] {
  const own = items.filter(i => i.jid !== '' && !i.removed && i.injected === undefined)
  const listed = own.filter(i => i.listed !== false || i.approved)
  const roster = el('query', NS_ROSTER, { version: String(version) }, ...listed.map(i => el('item', NS_ROSTER, {
    jid: i.jid, ...(i.name !== undefined && { name: i.name }), subscription: i.subscription, ...(i.ask && { ask: 'subscribe' }), ...(i.approved && { approved: 'true' }),
  }, ...i.groups.map(g => el('group', NS_ROSTER, {}, g)))))
  return [roster, ...own.flatMap(i => i.request === undefined ? [] : [read(i.request)])]
}

async function nodesOf(stores: Stores, owner: string): Promise<Element[]> {
  const shelf = new Shelf(stores.documents, owner, KEPT.pep)
  const nodes = await shelf.nodes()
  if (nodes.length === 0) return []
  const items = await Promise.all(nodes.map(async ([node]) => {
    const entries = await shelf.entries(node)
    const payloads = await shelf.payloads(node, entries.map(e => e.id), entries.length)
    return el('items', NS_PUBSUB, { node }, ...entries.map(({ id }) => { const text = payloads.get(id); return el('item', NS_PUBSUB, { id }, ...(text ? [read(text)] : [])) }))
  }))
  return [
    el('pubsub', NS_OWNER, {}, ...nodes.map(([node, { config }]) => el('configure', NS_OWNER, { node }, configForm(config, BOUNDS, 'result')))),
    el('pubsub', NS_PUBSUB, {}, ...items),
  ]
}

async function* writeArchive(stores: Stores, owner: string): AsyncIterable<string> {
  let afterId: string | undefined
  for (;;) {
    const { rows, complete } = await stores.archive.query({ owner, limit: PAGE, ...(afterId !== undefined && { afterId }) })
    const last = rows.at(-1)
    if (!last) break
    yield afterId === undefined ? `<archive xmlns='${NS_MAM}'>\n` : ''
    yield rows.map(row => `${resultOf(row).write(NS_MAM)}\n`).join('')
    afterId = last.id
    if (complete) break
  }
  if (afterId !== undefined) yield '</archive>\n'
}

const resultOf = ({ id, at, stanza }: ArchiveRow): Element =>
  el('result', NS_RESULT, { id }, el('forwarded', NS_FORWARD, {}, el('delay', NS_DELAY, { stamp: new Date(at).toISOString() }), read(stanza)))

function stamped(message: Element, from: string, at: number): Element {
  if (message.elements.some(e => e.is('delay', NS_DELAY) && e.attrs['from'] === from)) return message
  return el(message.name, message.ns, message.attrs, ...message.children, el('delay', NS_DELAY, { from, stamp: new Date(at).toISOString() }))
}

async function documents<T>(stores: Stores, collection: string, owner: string): Promise<Stored<T>[]> {
  const all: Stored<T>[] = []
  for await (const document of everyDocument<T>(stores.documents, collection, owner)) all.push(document)
  return all
}

const read = (text: string): Element => parseFrame(text, UNLIMITED) // ours, written by us
