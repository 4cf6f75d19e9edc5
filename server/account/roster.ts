// The roster (RFC 6121 section 2): answers clients, pushes changes, and holds what components put in.
import { el, type Element } from '../xml/element.ts'
import { Jid } from '../stanza/jid.ts'
import { resultOf, Stanza, type Iq } from '../stanza/stanza.ts'
import { refuse, StanzaError } from '../stanza/errors.ts'
import { HANDLED } from '../route/way.ts'
import type { RosterItem } from '../ports/store.ts'
import type { Account, Resource } from '../session/account.ts'
import { note } from '../session/notes.ts'
import { Book, isListed, type Draft, type Listed } from './book.ts'
import { emit, probe, tellGone, tellPresence } from './announce.ts'
import { knowsAny } from './directed.ts'
import type { Home } from './home.ts'

const NS = 'jabber:iq:roster'
const LONGEST = 1023 // bytes of a name or a group

const books = note<Book | undefined>('roster', undefined) // on an account; there once it is loaded
const interested = note('interested in the roster', false) // on a device (section 2.2)

type Answer = Element | undefined | void | StanzaError | typeof HANDLED
type Handler = (query: Element, ask: { iq: Iq; device: Resource | undefined }) => Answer | Promise<Answer>
/** Where the handlers of iqs are hung up: the host. */
export interface Desk {
  iq(at: readonly ('self' | 'other' | 'nobody')[], type: 'get' | 'set', ns: string, name: string, handler: Handler): void
  readonly streamFeatures: { readonly after: (() => Element)[] }
}

type Injection = Pick<RosterItem, 'jid' | 'groups' | 'subscription'> & { readonly name?: string }

export class Rosters {
  readonly #home: Home
  #pushes = 0

  constructor(home: Home) {
    this.#home = home
    home.accounts.loader(async account => {
      const owner = account.jid.bare
      const failed = (error: unknown): void => home.log.error({ err: error, owner }, 'a roster could not be written')
      account.set(books, new Book(owner, await home.stores.rosters.load(owner), home.stores.rosters, failed))
    })
    home.accounts.holds(account => account.get(books)?.busy !== undefined)
  }

  /** Answers jabber:iq:roster. */
  serve(desk: Desk): void {
    desk.iq(['self'], 'get', NS, 'query', (query, { iq, device }) => device ? this.#get(query, iq, device) : refuse('forbidden'))
    desk.iq(['self'], 'set', NS, 'query', (query, { device }) => device ? this.#set(query, device) : refuse('forbidden'))
    for (const type of ['get', 'set'] as const) desk.iq(['other', 'nobody'], type, NS, '*', () => refuse('forbidden')) // section 2.1.5; who may not ask does not learn who is there
    desk.streamFeatures.after.push(() => el('ver', 'urn:xmpp:features:rosterver'), () => el('sub', 'urn:xmpp:features:pre-approval')) // sections 2.6.1 and 3.4
  }

  of(account: Account): Book { return account.get(books)! } // the loader has put it there

  isInterested(device: Resource): boolean { return device.get(interested) }

  /** Whether the device's presence is no secret for `other` (RFC 6121 section 8.5.3.1). */
  sharesPresence(account: Account, other: Jid, device?: Resource): boolean {
    if (other.bare === account.jid.bare || other.full === this.#home.domain || this.of(account).isWatcher(other.bare)) return true
    return device ? knowsAny(device, other) : [...account.resources.values()].some(r => knowsAny(r, other))
  }

  /** Tells every interested device what an item is now. */
  push(account: Account, item: RosterItem): void {
    let payload: Stanza<'iq'> | undefined
    for (const device of account.resources.values()) {
      if (device.get(interested)) device.deliver((payload ??= this.#pushed(account, item)).readdress({ to: device.jid }) as Iq)
    }
  }

  /** Tells one device again what stands: its own change was refused. */
  show(device: Resource, item: RosterItem): void {
    if (device.get(interested)) device.deliver(this.#pushed(device.account, item).readdress({ to: device.jid }) as Iq)
  }

  /** True where a component put the item in and still serves: then it is not the client's to change. */
  isFixed(item: RosterItem | undefined): item is Listed {
    return isListed(item) && item.injected !== undefined && this.#home.router.has(item.injected)
  }

  /** Puts a component's items into a roster, or replaces them by jid; resolves after the commit, rejects if it could not be made. */
  async inject(owner: Jid, domain: string, items: readonly Injection[]): Promise<void> {
    const account = await this.#home.accounts.at(owner)
    if (!account) return
    const book = this.of(account)
    await settled(book.amend(() => {
      const fresh = items.map(i => ({ ...i, jid: Jid.parse(i.jid).full })).filter(i => !stands(book.items.get(i.jid), i, domain))
      const watchers = fresh.filter(i => sees(i) && !book.isWatcher(i.jid)).map(i => Jid.parse(i.jid))
      const watched = fresh.filter(i => isSeen(i) && !book.isWatched(i.jid)).map(i => Jid.parse(i.jid))
      return {
        put: fresh.map(i => ({ jid: i.jid, ...(i.name ? { name: i.name } : {}), groups: i.groups, subscription: i.subscription, injected: domain })),
        then: done => {
          for (const i of done) this.push(account, i)
          if (!account.available.length) return
          for (const jid of watchers) tellPresence(this.#home, account, jid)
          for (const jid of watched) void emit(this.#home, probe(account.jid, jid, this.nextId()))
        },
      }
    }))
  }

  async withdraw(owner: Jid, domain: string, jids: readonly string[]): Promise<void> {
    const account = await this.#home.accounts.at(owner)
    if (!account) return
    const book = this.of(account)
    await settled(book.amend(() => {
      const old = jids.map(jid => book.items.get(Jid.parse(jid).full)).filter(i => isListed(i)).filter(i => i.injected === domain)
      return {
        put: old.map(tombstone),
        then: done => {
          for (const i of old) if (sees(i)) tellGone(this.#home, account, Jid.parse(i.jid))
          for (const i of done) this.push(account, i)
        },
      }
    }))
  }

  /** The items that `domain` put into a roster. */
  async injected(owner: Jid, domain: string): Promise<readonly RosterItem[]> {
    const account = await this.#home.accounts.at(owner)
    return account ? this.of(account).listed.filter(i => i.injected === domain) : []
  }

  /** Ends all subscriptions before the account is removed: who makes one of the same name later must not inherit them. */
  async farewell(account: Account): Promise<void> {
    for (const i of this.of(account).listed) if (!i.injected) await this.#part(account, i)
  }

  nextId(): string { return `r${(++this.#pushes).toString(36)}` }

  #get(query: Element, iq: Iq, device: Resource): Answer {
    if (query.elements.length) return refuse('bad-request') // section 2.1.3
    device.set(interested, true)
    const book = this.of(device.account)
    const has = this.#known(device.account, query.attrs['ver'])
    const news = has === undefined ? [] : [...book.items.values()].filter(i => i.version > has && (isListed(i) || i.removed))
    const listed = book.listed
    if (has === undefined || news.length > listed.length) return el('query', NS, { ver: this.#ver(device.account, book.version) }, ...listed.map(itemElement))
    device.deliver(resultOf(iq)) // section 2.6.3: nothing inside means that the copy is good, up to the pushes that follow
    for (const i of news.sort((a, b) => a.version - b.version)) this.show(device, i)
    return HANDLED
  }

  async #set(query: Element, device: Resource): Promise<Answer> {
    const asked = readItem(query)
    if (asked instanceof StanzaError) return asked
    const { account } = device
    const book = this.of(account)
    return await book.amend(() => {
      const old = book.items.get(asked.jid)
      if (this.isFixed(old)) { this.show(device, old); return refuse('not-allowed', 'A service put this contact there.') }
      if (asked.remove) return isListed(old) ? this.#removal(account, old) : refuse('item-not-found')
      if (!isListed(old) && book.listed.length >= this.#home.limits.account.roster) return refuse('resource-constraint')
      const draft: Draft = { ...(isListed(old) ? kept(old) : { jid: asked.jid, subscription: 'none', ...waiting(old) }), ...(asked.name ? { name: asked.name } : {}), groups: asked.groups }
      return { put: [draft], then: done => { for (const i of done) this.push(account, i) } }
    })
  }

  #removal(account: Account, old: RosterItem): { put: Draft[]; then: (done: readonly RosterItem[]) => void | Promise<void> } {
    return {
      put: [tombstone(old)],
      then: done => {
        const told = this.#part(account, old)
        for (const i of done) this.push(account, i)
        return told
      },
    }
  }

  /** Ends the subscriptions in both directions; `unavailable` goes before `unsubscribed` (sections 2.5.2 and 3.2.2). */
  #part(account: Account, i: RosterItem): void | Promise<void> {
    const to = Jid.parse(i.jid)
    const say = (type: 'unsubscribe' | 'unsubscribed'): void | Promise<void> => emit(this.#home, Stanza.of('presence', { type, from: account.jid, to, id: this.nextId() }))
    const told: (void | Promise<void>)[] = []
    if (isSeen(i) || i.ask) told.push(say('unsubscribe'))
    if (sees(i)) { tellGone(this.#home, account, to); told.push(say('unsubscribed')) }
    if (told.some(t => t)) return Promise.all(told).then(() => {})
  }

  // A version bears the account's age: one of an account of the same name that was removed is not taken for it.
  #ver(account: Account, version: number): string { return `${account.record.created.toString(36)}-${version}` }

  /** The version that a client's `ver` stands for; undefined: none that we could bring up to date. */
  #known(account: Account, ver: string | undefined): number | undefined {
    const [age, version] = ver?.split('-') ?? []
    if (age !== account.record.created.toString(36) || !/^\d{1,15}$/.test(version ?? '')) return undefined
    const n = Number(version)
    const book = this.of(account)
    return n <= book.version && n >= book.floor ? n : undefined
  }

  #pushed(account: Account, item: RosterItem): Stanza<'iq'> {
    return Stanza.of('iq', { type: 'set', id: this.nextId() }, [el('query', NS, { ver: this.#ver(account, item.version) }, itemElement(item))])
  }
}

const sees = (i: Pick<RosterItem, 'subscription'>): boolean => i.subscription === 'from' || i.subscription === 'both'
const isSeen = (i: Pick<RosterItem, 'subscription'>): boolean => i.subscription === 'to' || i.subscription === 'both'

/** What a roster set leaves as it is (section 2.1.5). */
function kept(i: RosterItem): Omit<Draft, 'name' | 'groups'> {
  const { version: _, name: __, groups: ___, listed: ____, injected: _____, ...rest } = i
  return rest
}
const waiting = (i: RosterItem | undefined): { request?: string } => i?.request === undefined ? {} : { request: i.request }
const tombstone = (i: RosterItem): Draft => ({ jid: i.jid, groups: [], subscription: 'none', removed: true, listed: false, ...waiting(i) })

const stands = (old: RosterItem | undefined, i: Injection, domain: string): boolean => isListed(old) && old.injected === domain
  && old.name === (i.name || undefined) && old.subscription === i.subscription && old.groups.length === i.groups.length && old.groups.every(g => i.groups.includes(g))

async function settled(done: StanzaError | void | Promise<StanzaError | void>): Promise<void> {
  if (await done instanceof StanzaError) throw new Error('the roster could not be written')
}

function itemElement(i: RosterItem): Element {
  if (i.removed) return el('item', NS, { jid: i.jid, subscription: 'remove' })
  const attrs: Record<string, string> = { jid: i.jid, subscription: i.subscription }
  if (i.name) attrs['name'] = i.name
  if (i.ask) attrs['ask'] = 'subscribe'
  if (i.approved) attrs['approved'] = 'true'
  return el('item', NS, attrs, ...i.groups.map(g => el('group', NS, {}, g)))
}

interface Asked { readonly jid: string; readonly name: string; readonly groups: readonly string[]; readonly remove: boolean }

/** The one item of a roster set, or what is wrong with it (sections 2.1.5 and 2.3.3). */
function readItem(query: Element): Asked | StanzaError {
  const [item, second] = query.elements
  if (!item || second || !item.is('item', NS) || item.attrs['jid'] === undefined) return refuse('bad-request')
  const jid = Jid.tryParse(item.attrs['jid'])
  if (!jid) return refuse('jid-malformed')
  const groups = item.elements.filter(e => e.is('group', NS)).map(e => e.text)
  const name = item.attrs['name'] ?? ''
  if (new Set(groups).size !== groups.length) return refuse('bad-request')
  if (groups.includes('') || [name, ...groups].some(t => Buffer.byteLength(t) > LONGEST)) return refuse('not-acceptable')
  return { jid: jid.full, name, groups, remove: item.attrs['subscription'] === 'remove' }
}
