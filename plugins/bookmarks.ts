// XEP-0402: bookmarks are items of a node; clients that know only those of XEP-0048 in private storage see and change the same ones.
import { MUC_USER, STATUS } from '../protocols/room/names.ts'
import { PERSONAL_NODES, VAULTS, type PersonalItem, type PersonalNodes } from '../protocols/personal.ts'
import { el, Element, isTrue, Jid, note, parseFrame, plugin, refuse, type Account, type Host, type Presence, type StanzaError } from '../server/api.ts'

const NS = 'urn:xmpp:bookmarks:1'
const OLD = 'storage:bookmarks'
const CONVERSION = 'urn:xmpp:bookmarks-conversion:0' // XEP-0411
const COLLECTION = 'private' // where private storage keeps what is no bookmark of a room, and what was there before
const NICKLESS = 'https://deskbell.example/bookmarks' // our own note beside them: an older client wrote this one without a nick
const ID = `{${OLD}}storage`
const CURRENT = 'current' // the one item of the older node
const busy = note<Promise<unknown>>('bookmarks under way', Promise.resolve()) // on an account
const CONFIG = { access: 'whitelist', persist: true, maxItems: 'max', sendLast: 'never' } as const // section 3.3 and XEP-0223

/** XEP-0402 PEP Native Bookmarks, with `#compat` and `#compat-pep`: the same bookmarks in private storage (XEP-0049) and in the node of XEP-0048 (XEP-0411). */
export const bookmarks = plugin('bookmarks', host => {
  const nodes = host.service(PERSONAL_NODES)
  const vaults = host.service(VAULTS)
  if (!nodes || !vaults) return
  host.accountFeature(`${NS}#compat`, `${NS}#compat-pep`, CONVERSION)
  const shelf = new Bookshelf(host, nodes)
  nodes.seed(NS, async account => {
    await shelf.move(account)
    await nodes.make(account, NS, CONFIG) // COMPAT: Dino adds a bookmark only where it could read the list
  })
  host.on('in:mark', ({ stanza, account }) => {
    const fate = stanza.kind === 'presence' ? fateOf(stanza) : undefined
    const room = stanza.from?.bare
    if (fate && room !== undefined) shelf.follow(account, room, fate).catch((error: unknown) => host.bug(error, stanza))
  })
  const later = (account: Account, work: () => Promise<unknown>): void => {
    account.set(busy, account.get(busy).then(work).catch((error: unknown) => host.bug(error)))
  }
  nodes.seed(OLD, account => shelf.issue(account, true))
  nodes.watch(OLD, account => later(account, () => shelf.take(account)))
  nodes.watch(NS, account => later(account, () => shelf.issue(account, false)))
  vaults.set(ID, {
    get: account => shelf.collate(account),
    set: async (account, storage) => {
      const refused = await shelf.replace(account, storage)
      if (!refused) later(account, () => shelf.issue(account, true)) // XEP-0411 section 3: those who wait for the older node hear of it
      return refused
    },
  })
})

/** What both forms tell of a room. */
interface Bookmark { readonly name: string | undefined; readonly autojoin: boolean; readonly nick: string | undefined; readonly password: string | undefined }

class Bookshelf {
  readonly #host: Host
  readonly #nodes: PersonalNodes
  constructor(host: Host, nodes: PersonalNodes) { this.#host = host; this.#nodes = nodes }

  /** All bookmarks as one element, for older clients. */
  async collate(account: Account): Promise<Element> {
    if (!(await this.#nodes.has(account, NS))) await this.move(account)
    const { others, nickless } = await this.#kept(account)
    const items = await this.#nodes.items(account, NS)
    // COMPAT: Psi+ reports an error at every login for a bookmark without a nick, such as Dino's
    return el('storage', OLD, {}, ...items.map(i => written(i, nickless.has(i.id) ? undefined : account.jid.local)), ...others)
  }

  /** An older client writes the whole list: what changed in it changes (section 5.3). */
  async replace(account: Account, storage: Element): Promise<StanzaError | undefined> {
    await this.move(account)
    const wanted = new Map<string, Element>()
    const others: Element[] = []
    for (const e of storage.elements) {
      const room = roomOf(e)
      if (e.ns === NICKLESS) continue
      if (room === undefined) others.push(e)
      else wanted.set(room, e)
    }
    if (wanted.size > this.#host.limits.pubsub.items) return refuse('resource-constraint', 'There are too many bookmarks.')
    const there = new Map((await this.#nodes.items(account, NS)).map(i => [i.id, i]))
    for (const [room, conference] of wanted) {
      const old = there.get(room)
      if (old && isSame(read(old.payload), read(conference), account.jid.local)) continue
      const refused = await this.#nodes.publish(account, NS, { id: room, payload: payloadOf(read(conference), old?.payload?.child('extensions')) }, CONFIG)
      if (refused) return refused
    }
    for (const id of there.keys()) if (!wanted.has(id)) await this.#nodes.retract(account, NS, id)
    await this.#keep(account, others, [...wanted].filter(([, conference]) => !read(conference).nick).map(([room]) => room))
    return undefined
  }

  /** Puts all bookmarks as one item into the older node, if they are others there. `made`: also where there is no such node, and something to put in. */
  async issue(account: Account, made: boolean): Promise<void> {
    const there = await this.#nodes.has(account, OLD)
    if (there ? !(await this.#nodes.isClosed(account, OLD)) : !made) return // what others may read is no place for bookmarks
    const all = await this.collate(account)
    const [item] = await this.#nodes.items(account, OLD, { ids: [CURRENT] })
    if (item?.payload ? isAlike(item.payload, all, account.jid.local) : all.elements.length === 0) return
    await this.#nodes.publish(account, OLD, { id: CURRENT, payload: all }, { ...CONFIG, maxItems: 1 })
  }

  /** The older node has another item: its list changes the bookmarks. */
  async take(account: Account): Promise<void> {
    const [item] = await this.#nodes.items(account, OLD, { ids: [CURRENT] })
    if (item?.payload?.is('storage', OLD) && !isAlike(item.payload, await this.collate(account), account.jid.local)) await this.replace(account, item.payload)
  }

  /** COMPAT: Gajim and Dino bookmark every room, Psi+ complains at each login about one that is not there. */
  async follow(account: Account, room: string, fate: Fate): Promise<void> {
    const [item] = await this.#nodes.items(account, NS, { ids: [room] })
    if (!item) return
    const bookmark = read(item.payload)
    if (fate === 'destroyed') await this.#nodes.retract(account, NS, room)
    else if (bookmark.autojoin) await this.#nodes.publish(account, NS, { id: room, payload: payloadOf({ ...bookmark, autojoin: false }, item.payload?.child('extensions')) }, CONFIG)
  }

  /** Makes items of what was written before there were any. */
  async move(account: Account): Promise<void> {
    const { conferences, others, nickless } = await this.#kept(account)
    if (!conferences.length) return
    const there = new Set((await this.#nodes.items(account, NS)).map(i => i.id))
    for (const [room, conference] of conferences) {
      if (!there.has(room)) await this.#nodes.publish(account, NS, { id: room, payload: payloadOf(read(conference), undefined) }, CONFIG)
    }
    await this.#keep(account, others, nickless)
  }

  /** What private storage itself keeps of the element. */
  async #kept(account: Account): Promise<{ conferences: readonly (readonly [string, Element])[]; others: readonly Element[]; nickless: ReadonlySet<string> }> {
    const kept = await this.#host.stores.documents.get<string>(COLLECTION, account.jid.bare, ID)
    const all = kept ? parseFrame(kept.value).elements : []
    const conferences = all.map(e => [roomOf(e), e] as const).filter((c): c is readonly [string, Element] => c[0] !== undefined)
    const nickless = new Set([...all.filter(e => e.ns === NICKLESS).map(e => e.attrs['room'] ?? ''), ...conferences.filter(([, c]) => !read(c).nick).map(([room]) => room)])
    return { conferences, others: all.filter(e => e.ns !== NICKLESS && roomOf(e) === undefined), nickless }
  }

  async #keep(account: Account, others: readonly Element[], nickless: Iterable<string>): Promise<void> {
    await this.#host.stores.documents.put(COLLECTION, account.jid.bare, ID, el('storage', OLD, {}, ...others, ...[...nickless].map(room => el('nickless', NICKLESS, { room }))).toString())
  }
}

type Fate = 'destroyed' | 'closed'

/** What a room says to who was in it, or wants in: that it is destroyed, or that it is not, or not any more, for this account. */
function fateOf(p: Presence): Fate | undefined {
  if (p.type === 'error') return p.child('error')?.elements.some(e => e.name === 'item-not-found' || e.name === 'gone') ? 'closed' : undefined
  const x = p.type === 'unavailable' ? p.child('x', MUC_USER) : undefined
  const says = (code: string): boolean => x?.elements.some(e => e.name === 'status' && e.attrs['code'] === code) ?? false
  return x?.child('destroy') ? 'destroyed' : says(STATUS.self) && says(STATUS.noLongerMember) ? 'closed' : undefined
}

/** The room that a `<conference/>` of XEP-0048 is about; undefined for whatever else stands there. */
const roomOf = (e: Element): string | undefined => (e.is('conference', OLD) ? Jid.tryParse(e.attrs['jid'] ?? '')?.bare : undefined)

function read(conference: Element | undefined): Bookmark {
  const { name, autojoin } = conference?.attrs ?? {}
  return { name, autojoin: isTrue([autojoin ?? '']) ?? false, nick: conference?.child('nick')?.text, password: conference?.child('password')?.text }
}

function payloadOf({ name, autojoin, nick, password }: Bookmark, extensions: Element | undefined): Element {
  return el('conference', NS, { ...(name !== undefined && { name }), ...(autojoin && { autojoin: 'true' }) },
    ...(nick ? [el('nick', NS, {}, nick)] : []), ...(password ? [el('password', NS, {}, password)] : []), ...(extensions ? [extensions] : []))
}

function written({ id, payload }: PersonalItem, made: string | undefined): Element {
  const { name, autojoin, nick, password } = read(payload)
  return el('conference', OLD, { jid: id, ...(name !== undefined && { name }), autojoin: String(autojoin) },
    ...(nick || made ? [el('nick', OLD, {}, nick || made || '')] : []),
    ...(password ? [el('password', OLD, {}, password)] : []))
}

/** Whether two lists say the same. */
function isAlike(a: Element, b: Element, local: string): boolean {
  const parts = (list: Element): { rooms: Map<string, Bookmark>; others: string } => ({
    rooms: new Map(list.elements.flatMap(e => { const room = roomOf(e); return room === undefined ? [] : [[room, read(e)] as const] })),
    others: list.elements.filter(e => roomOf(e) === undefined && e.ns !== NICKLESS).map(String).sort().join(''),
  })
  const [one, two] = [parts(a), parts(b)]
  return one.others === two.others && one.rooms.size === two.rooms.size && [...one.rooms].every(([room, bookmark]) => { const other = two.rooms.get(room); return other !== undefined && isSame(bookmark, other, local) })
}

/** Whether an older client changed nothing: a nick that we made up for it is none. */
function isSame(there: Bookmark, given: Bookmark, local: string): boolean {
  return there.name === given.name && there.autojoin === given.autojoin && (there.password || undefined) === (given.password || undefined)
    && (there.nick || local) === (given.nick || local)
}
