// XEP-0313 Message Archive Management: keeps what accounts say and hear, and shows it to them, as their preferences (XEP-0441) have it.
import {
  everyAccount, HANDLED, note, plugin, refuse, resultOf, Stanza, StanzaError,
  type Account, type AnyStanza, type Answer, type Host, type Iq, type Jid, type Passage, type Resource,
} from '../server/api.ts'
import { archived, archivedAs, ArchiveIds, archiveText, ARCHIVE_FEATURES, findPage, metadata, NS_MAM, NS_SID, queryForm, readAsk, stanzaId, withoutForgedIds, type ArchiveAsk } from '../protocols/archive.ts'
import { EVERYTHING, prefsElement, readPrefs, wants, type Prefs } from '../protocols/archive-prefs.ts'
import { isWorthKeeping } from '../protocols/keeping.ts'
import { letters } from '../protocols/letters.ts'

const DAY = 86_400_000 // ms
const COLLECTION = 'mam' // of the documents: the preferences
const LONGEST_PAGE = 5000 // messages, whatever the limit says
const RECENT = 25_000 // messages whose origin ids are remembered, at least

const preferences = note<Prefs>('archive preferences', EVERYTHING) // on an account
const underWay = note('archive queries under way', 0) // on a device
const entry = note<Entry | undefined>('archive entry', undefined) // on a passage

/** XEP-0313 Message Archive Management for accounts. `keep`: milliseconds until a message is forgotten; 0: none is kept. */
export const mam = plugin('mam', async (host, options) => {
  const keep = typeof options['keep'] === 'number' ? options['keep'] : host.limits.mam.keep
  host.accountFeature(...ARCHIVE_FEATURES)
  host.accounts.loader(async account => {
    const kept = await host.stores.documents.get<Prefs>(COLLECTION, account.jid.bare, 'prefs')
    if (kept) account.set(preferences, kept.value)
  })
  host.binding.push(async ({ jid }) => { const told = await metadata(host.stores.archive, jid.bare); return () => told }) // XEP-0386 section 3.2
  if (keep > 0) new Keeper(host)
  answer(host)
  if (keep !== Infinity) await forget(host, keep)
})

/** What is known of a message before it is written down. */
interface Entry {
  readonly id: string
  readonly at: number
  /** Without the id, and with it as the recipient gets it. */
  readonly plain: AnyStanza
  readonly marked: AnyStanza
  /** The commit of the row, if the same message came before. */
  readonly again: Promise<void> | undefined
}

/** A message that came already: a client sends it again when it does not know whether the first arrived. */
interface Seen { readonly id: string; readonly length: number; readonly commit: Promise<void> }

class Keeper {
  readonly #host: Host
  readonly #ids = new ArchiveIds(letters)
  #recent = new Map<string, Seen>()
  #earlier = new Map<string, Seen>()
  #last: AnyStanza | undefined
  #text = ''

  constructor(host: Host) {
    this.#host = host
    host.on('out:mark', p => { if (p.stanza.kind === 'message') p.stanza = withoutForgedIds(p.stanza, p.account.jid.bare) })
    host.on('out:archive', p => { if (p.stanza.kind === 'message') this.#said(p) })
    host.on('in:mark', p => { if (p.stanza.kind === 'message') this.#mark(p) })
    host.on('in:archive', p => this.#heard(p))
  }

  #said(p: Passage): void {
    const { stanza, account } = p
    const to = stanza.to
    if (!to || to.bare === account.jid.bare || !this.#wants(account, to, stanza)) return // a note to oneself is kept where it arrives, once
    const seen = this.#seen(account, stanza)
    if (seen) { p.set(archivedAs, seen.id); p.hold(seen.commit); return }
    const { id, at } = this.#ids.next(this.#host.clock.now())
    p.set(archivedAs, id)
    this.#write(p, id, at, to, stanza)
  }

  /** The message goes on with its id; nobody but this server writes ids in the account's name (XEP-0359 section 3). */
  #mark(p: Passage): void {
    const { account } = p
    const plain = withoutForgedIds(p.stanza, account.jid.bare)
    p.stanza = plain
    if (!plain.from || !this.#wants(account, plain.from, plain) || isRefused(plain, account)) return
    const seen = this.#seen(account, plain)
    const { id, at } = seen ? { id: seen.id, at: 0 } : this.#ids.next(this.#host.clock.now())
    p.stanza = plain.with(stanzaId(account.jid, id)) as AnyStanza // of the same kind
    p.set(archivedAs, id)
    p.set(entry, { id, at, plain, marked: p.stanza, again: seen?.commit })
  }

  #heard(p: Passage): void {
    const e = p.get(entry)
    if (!e) return
    if (e.again) { p.hold(e.again); return }
    const { stanza } = p
    if (stanza.from) this.#write(p, e.id, e.at, stanza.from, stanza === e.marked ? e.plain : stanza)
  }

  #wants(account: Account, other: Jid, stanza: AnyStanza): boolean {
    return isWorthKeeping(stanza) && wants(account.get(preferences), other, bare => {
      const item = this.#host.rosters.of(account).items.get(bare)
      return item !== undefined && !item.removed && item.listed !== false
    })
  }

  /** The stanza goes on at once; only its sender's acknowledgement waits. */
  #write(p: Passage, id: string, at: number, other: Jid, stanza: AnyStanza): void {
    const owner = p.account.jid.bare
    // Both ends of a conversation keep the very same text.
    if (stanza !== this.#last) { this.#last = stanza; this.#text = archiveText(stanza) }
    const commit = this.#host.stores.archive.append({ owner, id, at, with: other.full, stanza: this.#text })
    this.#remember(owner, stanza, id, commit)
    p.hold(commit)
  }

  #seen(account: Account, stanza: AnyStanza): Seen | undefined {
    const key = keyOf(account.jid.bare, stanza)
    const seen = key === undefined ? undefined : this.#recent.get(key) ?? this.#earlier.get(key)
    return seen?.length === lengthOf(stanza) ? seen : undefined
  }

  #remember(owner: string, stanza: AnyStanza, id: string, commit: Promise<void>): void {
    const key = keyOf(owner, stanza)
    if (key === undefined) return
    if (this.#recent.size >= RECENT) { this.#earlier = this.#recent; this.#recent = new Map() }
    this.#recent.set(key, { id, length: lengthOf(stanza), commit })
    commit.catch(() => { this.#recent.delete(key); this.#earlier.delete(key) })
  }
}

/** Under what a message is known again; undefined if its client gave it no id of its own (XEP-0359 section 2.2). */
function keyOf(owner: string, stanza: AnyStanza): string | undefined {
  const id = stanza.child('origin-id', NS_SID)?.attrs['id']
  return id === undefined ? undefined : `${owner}\n${stanza.from?.bare}\n${stanza.to?.bare}\n${id}`
}

/** A client that gives one origin id to two messages loses neither, unless they are of one length. */
const lengthOf = (stanza: AnyStanza): number => stanza.child('body')?.text.length ?? 0

/** A message to a device that is not there goes back, unless it is chat (RFC 6121 section 8.5.3.2.1); what goes back is not archived. */
const isRefused = (stanza: AnyStanza, account: Account): boolean =>
  stanza.type !== 'chat' && stanza.to !== undefined && !stanza.to.isBare && !account.resources.has(stanza.to.resource)

function answer(host: Host): void {
  host.iq(['self'], 'get', NS_MAM, 'query', () => queryForm())
  host.iq(['self'], 'get', NS_MAM, 'metadata', (_, { account }) => account ? metadata(host.stores.archive, account.jid.bare) : refuse('forbidden'))
  host.iq(['self'], 'set', NS_MAM, 'query', (query, { device, iq }) => {
    if (!device) return refuse('forbidden')
    const ask = readAsk(query, Math.min(host.limits.mam.page, LONGEST_PAGE))
    if (ask instanceof StanzaError) return ask
    if (device.get(underWay) >= host.limits.mam.inFlight) return refuse('resource-constraint', 'Wait until the queries before are answered.')
    return show(host, device, iq, ask)
  })
  host.iq(['self'], 'get', NS_MAM, 'prefs', (_, { account }) => account ? prefsElement(account.get(preferences)) : refuse('forbidden'))
  host.iq(['self'], 'set', NS_MAM, 'prefs', async (e, { account }) => {
    if (!account) return refuse('forbidden')
    const read = readPrefs(e, host.limits.account.roster)
    if (read instanceof StanzaError) return read
    await host.stores.documents.put(COLLECTION, account.jid.bare, 'prefs', read)
    account.set(preferences, read)
    return prefsElement(read)
  })
  for (const type of ['get', 'set'] as const) host.iq(['other', 'nobody'], type, NS_MAM, '*', () => refuse('forbidden')) // section 8.1
}

/** Reads and sends a page; meanwhile the device's other stanzas go on. */
function show(host: Host, device: Resource, iq: Iq, ask: ArchiveAsk): Answer {
  const own = device.account.jid
  device.set(underWay, device.get(underWay) + 1)
  findPage(host.stores.archive, own.bare, ask).then(page => {
    if (page instanceof StanzaError) { host.giveBack(iq, page, device); return }
    for (const row of page.rows) device.deliver(Stanza.of('message', { type: 'normal', to: device.jid, from: own }, [archived(row, ask.queryId)]))
    device.deliver(resultOf(iq, page.fin))
  }).catch((error: unknown) => {
    host.bug(error, iq)
    host.giveBack(iq, refuse('internal-server-error'), device)
  }).finally(() => device.set(underWay, device.get(underWay) - 1))
  return HANDLED
}

/** Forgets once a day what is older than `keep`. */
async function forget(host: Host, keep: number): Promise<void> {
  host.jobs.define('forget messages', async () => {
    const before = host.clock.now() - keep
    for await (const { local } of everyAccount(host.stores.accounts, host.domain)) await host.stores.archive.expire(`${local}@${host.domain}`, before)
  })
  await host.jobs.every('forget messages', DAY)
}
