// Rooms for talk among many (XEP-0045): the service. What a room does is decided in protocols/room; here it is kept, found and limited.
import { randomUUID } from 'node:crypto'
import { el, errorReply, Jid, parseFrame, readStanza, refuse, resultOf, Unreadable, type AnyStanza, type Component, type Element, type Iq, type Link, type Presence, type Receiver, type StanzaError } from '../../server/api.ts'
import { NS_COMMANDS, type Commands } from '../../protocols/commands.ts'
import { ArchiveIds, ARCHIVE_FEATURES } from '../../protocols/archive.ts'
import { keptOfRoom } from '../../protocols/keeping.ts'
import { letters } from '../../protocols/letters.ts'
import { NS_MODERATE, NS_MODERATE_0, NS_RETRACT, NS_TOMBSTONE } from '../../protocols/retraction.ts'
import { cut, NS_RSM, pageSet, readPage } from '../../protocols/paging.ts'
import { Bucket } from '../../protocols/room/bucket.ts'
import { isLogged } from '../../protocols/room/config.ts'
import type { Outcome, RoomHost, RoomRecord } from '../../protocols/room/floor.ts'
import { DISCO_INFO, DISCO_ITEMS, MUC, PING } from '../../protocols/room/names.ts'
import { newRecord, Room } from '../../protocols/room/room.ts'
import { Beside } from './beside.ts'
import { Cards, NS_VCARD } from './cards.ts'
import { Keep, type Grave } from './keep.ts'
import { NS_SEARCH, search, tooOften, type Channel } from './search.ts'

const DAY = 86_400_000
const BURIED = 31 * DAY // a destroyed room's name is nobody's so long (row U15)
const AWAITED = 600_000 // ms after a restart that a room that does not last waits for its people, as long as their sessions do
const LISTED = 100 // rooms in one answer
const SEARCHES = 20 // searches of one account at once, and one a second in the long run
const SEARCHERS = 500 // accounts remembered

export interface MucOptions {
  /** Who may make a room by entering it: every user of this server (the default), or its managers and admins. */
  readonly create?: 'everyone' | 'admins'
  /** Whose users are of this server; by default those of the domains that the service's own lies below. */
  readonly local?: (domain: string) => boolean
  readonly name?: string
  /** Services of this server that may make rooms, by their domains. */
  readonly makers?: readonly string[]
}

/** The component of kind `muc`. */
export const muc = (options: MucOptions = {}): Component => ({
  name: 'muc',
  async start(link) {
    const service = new Service(link, options)
    await service.open()
    return service
  },
})

/** A room that is known: in memory since somebody asked for it, else as its record. */
interface Place { record: RoomRecord; room?: Room; waiting?: AnyStanza[]; commands?: Commands }

class Service implements Receiver {
  readonly #link: Link
  readonly #options: MucOptions
  readonly #keep: Keep
  readonly #cards: Cards
  readonly #beside: Beside<Place>
  readonly #host: RoomHost
  readonly #places = new Map<string, Place>() // by local part
  readonly #graves = new Map<string, Grave>()
  readonly #searches = new Map<string, Bucket>() // by bare JID
  readonly #visits = new Map<string, number>() // rooms that an account is in
  readonly #ids: ArchiveIds
  #rulers: ReadonlySet<string> = new Set()
  #makers: ReadonlySet<string> = new Set()
  #people: Disposable | undefined
  readonly #awaited = new Map<Place, { readonly until: number; readonly alarm: Disposable }>()
  readonly #saving = new Set<Promise<unknown>>()

  constructor(link: Link, options: MucOptions) {
    this.#link = link
    this.#options = options
    this.#keep = new Keep(link)
    this.#cards = new Cards(link)
    this.#beside = new Beside(link, this.#keep, this.#cards, (local, place, room, outcome) => this.#carryOut(local, place, room, outcome))
    this.#ids = new ArchiveIds(letters)
    const { muc: limits } = link.limits
    this.#host = {
      newId: () => this.#ids.next(link.clock.now()).id,
      // read anew each time: they change when the config is read again
      bounds: { get users() { return limits.users }, get history() { return limits.history } },
      rates: { get occupant() { return limits.occupantRate }, get room() { return limits.roomRate } },
      features: [...ARCHIVE_FEATURES, NS_TOMBSTONE],
      also: [NS_RETRACT, NS_MODERATE, NS_MODERATE_0, NS_VCARD, NS_COMMANDS],
      registers: true,
      affiliation: bare => (this.#rulers.has(bare) ? 'owner' : undefined),
      enter: ({ jid }) => ((this.#visits.get(jid.bare) ?? 0) >= limits.roomsPerUser ? refuse('resource-constraint', 'You are in too many rooms.') : undefined),
    }
  }

  async open(): Promise<void> {
    for await (const [local, record] of this.#keep.rooms()) this.#places.set(local, { record })
    for await (const [local, grave] of this.#keep.graves()) this.#graves.set(local, grave)
    for (const local of [...this.#graves.keys()]) this.#grave(local) // forgets the old ones
    for (const [local, { record, until }] of await this.#keep.wakes()) if (!this.#places.has(local)) this.#await(local, record, until)
    await this.#learnPeople()
    this.#people = this.#link.privileges?.onPeople(() => { void this.#track(this.#learnPeople().catch((error: unknown) => this.#link.log.error({ error }, 'the people of the server cannot be read'))) })
  }

  leaving(): void {
    const now = this.#link.clock.now()
    for (const [local, place] of this.#places) {
      const { room, record } = place
      const awaited = this.#awaited.get(place)
      if (!room && awaited && !record.config.persistent) void this.#track(this.#keep.sleep(local, { record, until: awaited.until })) // nobody has come back yet
      if (!room) continue
      if (!room.config.persistent && !room.empty && !room.locked) void this.#track(this.#keep.sleep(local, { record: room.record(), until: now + AWAITED }))
      for (const s of room.shutdown(now).out) this.#link.send(s)
    }
  }

  async stop(): Promise<void> {
    this.#people?.[Symbol.dispose]()
    for (const { alarm } of this.#awaited.values()) alarm[Symbol.dispose]()
    this.leaving()
    await Promise.allSettled(this.#saving)
  }

  /** A room that does not last is there for those who were in it when the service went down; no stranger gets its name meanwhile. */
  #await(local: string, record: RoomRecord, until: number): void {
    const place: Place = { record }
    this.#places.set(local, place)
    const alarm = this.#link.clock.alarm(until, () => {
      this.#awaited.delete(place)
      if (this.#places.get(local) !== place || place.record.config.persistent || place.waiting || place.room?.empty === false) return
      this.#places.delete(local)
      if (isLogged(record.config)) return this.#track(this.#keep.drop(local, this.#link.clock.now()))
    })
    this.#awaited.set(place, { until, alarm })
  }

  receive(stanza: AnyStanza): void | Promise<void> {
    const { from, to } = stanza
    if (!from || !to) return
    if (to.local === '') return this.#ofService(stanza, from)
    const place = this.#places.get(to.local)
    if (!place) return this.#unknown(stanza, from, to)
    if (place.room) return this.#in(to.local, place, place.room, stanza)
    return this.#wake(to.local, place, stanza)
  }

  // ---- rooms

  #in(local: string, place: Place, room: Room, stanza: AnyStanza): void | Promise<void> {
    if (stanza.kind === 'iq' && stanza.to!.resource === '' && (stanza.type === 'get' || stanza.type === 'set') && !(room.locked && room.affiliation(stanza.from!) !== 'owner')) {
      const answer = this.#beside.answer(local, place, room, stanza)
      if (answer) return this.#track(answer).then(() => {})
    }
    return this.#carryOut(local, place, room, room.receive(stanza, this.#link.clock.now()))
  }

  #carryOut(local: string, place: Place, room: Room, { out, facts }: Outcome): void | Promise<void> {
    const keep = this.#keep
    const now = this.#link.clock.now()
    for (const s of out) this.#link.send(s)
    const commits: Promise<unknown>[] = []
    for (const f of facts) {
      switch (f.what) {
        case 'line':
          if (f.kept && isLogged(room.config)) commits.push(keep.line(local, f.id, now, f.message))
          break
        case 'retracted':
          if (isLogged(room.config)) commits.push(keep.entomb(local, f.id, f.by, f.mark))
          break
        case 'entered':
          if (f.first) this.#visits.set(f.occupant.bare, (this.#visits.get(f.occupant.bare) ?? 0) + 1)
          break
        case 'left':
          if (f.last) this.#leaves(f.occupant.bare)
          break
        case 'changed': {
          const { config: before } = place.record
          const kept = before.persistent
          place.record = room.record()
          if (!kept && isLogged(room.config) && !isLogged(before)) commits.push(keep.drop(local, now - 1)) // what a crash left of an earlier room of this name
          if (place.record.config.persistent) commits.push(keep.save(local, place.record), this.#cards.settle(local))
          else if (kept) commits.push(keep.drop(local, now), this.#cards.drop(local))
          break
        }
        case 'destroyed': {
          if (f.unborn) { // nobody is kept from its name
            this.#places.delete(local)
            this.#cards.forget(local)
            break
          }
          const owners = [...room.affiliates].filter(a => a.affiliation === 'owner').map(a => a.jid)
          const grave: Grave = { at: now, reason: f.reason, owners, ...(f.alternate && { alternate: f.alternate }) }
          this.#graves.set(local, grave)
          this.#places.delete(local)
          commits.push(keep.drop(local, now), this.#cards.drop(local), keep.bury(local, grave))
          break
        }
        case 'emptied':
          if (room.config.persistent) break
          this.#places.delete(local)
          this.#cards.forget(local)
          if (isLogged(room.config)) commits.push(keep.drop(local, now))
      }
    }
    if (commits.length > 0) return this.#track(Promise.all(commits)).then(() => {})
  }

  #leaves(bare: string): void {
    const left = (this.#visits.get(bare) ?? 1) - 1
    if (left > 0) this.#visits.set(bare, left)
    else this.#visits.delete(bare)
  }

  /** Brings a room back into memory, with the newest of what was said there; what comes meanwhile waits its turn. */
  #wake(local: string, place: Place, first: AnyStanza): Promise<void> | void {
    if (place.waiting) { place.waiting.push(first); return }
    place.waiting = [first]
    const { config } = place.record
    const rows = isLogged(config) ? this.#keep.last(local, config.history) : Promise.resolve([])
    return this.#track(rows.catch((error: unknown) => { this.#link.log.error({ error, room: local }, 'the history of a room cannot be read'); return [] }).then(lines => {
      const room = this.#room(local, place.record, false)
      for (const row of lines) {
        const message = readStanza(parseFrame(row.stanza))
        if (!(message instanceof Unreadable) && message.kind === 'message' && !message.child('retracted', NS_RETRACT) && keptOfRoom(message).history) room.remember(message, row.at)
      }
      place.room = room
      const waiting = place.waiting ?? []
      delete place.waiting
      return Promise.all(waiting.map(s => this.receive(s)))
    })).then(() => {})
  }

  #room(local: string, record: RoomRecord, fresh: boolean): Room {
    return new Room(Jid.of(local, this.#link.domain), record, this.#host, this.#link.clock.now(), fresh)
  }

  /** Something for a room that is not there: entering it makes it, if that is allowed. */
  #unknown(stanza: AnyStanza, from: Jid, to: Jid): void | Promise<void> {
    const grave = this.#grave(to.local)
    const asks = stanza.kind === 'presence' && stanza.type === 'available' && stanza.child('x', MUC) !== undefined
    if (asks && to.resource === '') return this.#refuse(stanza, refuse('jid-malformed', 'A nick is missing.')) // XEP-0045 section 7.2.1
    if (!asks) {
      if (stanza.kind === 'presence') return
      return this.#refuse(stanza, refuse('item-not-found', 'There is no such room.')) // COMPAT: Gajim shows the text alone
    }
    if (grave && !grave.owners.includes(from.bare)) {
      return this.#refuse(stanza, refuse('gone', grave.alternate ? `xmpp:${grave.alternate}?join` : grave.reason || undefined))
    }
    if (!this.#mayMake(from)) return this.#refuse(stanza, refuse('not-allowed', 'You may not make rooms here.'))
    const room = this.#room(to.local, newRecord(randomUUID(), {}, from.bare), true)
    const outcome = room.receive(stanza as Presence, this.#link.clock.now()) // entering says so
    if (!room.empty) {
      this.#graves.delete(to.local)
      this.#places.set(to.local, { record: room.record(), room })
    }
    const done = this.#carryOut(to.local, this.#places.get(to.local) ?? { record: room.record() }, room, outcome)
    return grave ? this.#track(this.#keep.unbury(to.local)).then(() => done) : done
  }

  #grave(local: string): Grave | undefined {
    const grave = this.#graves.get(local)
    if (!grave || this.#link.clock.now() - grave.at <= BURIED) return grave
    this.#graves.delete(local)
    void this.#track(this.#keep.unbury(local))
    return undefined
  }

  #mayMake(who: Jid): boolean {
    if (who.local === '' && this.#options.makers?.includes(who.domain)) return true
    const { create = 'everyone', local = d => this.#link.domain.endsWith(`.${d}`) } = this.#options
    return local(who.domain) && (create === 'everyone' || this.#makers.has(who.bare))
  }

  async #learnPeople(): Promise<void> {
    const people = (await this.#link.privileges?.people()) ?? []
    this.#rulers = new Set(people.filter(p => p.role === 'admin').map(p => p.jid))
    this.#makers = new Set(people.filter(p => p.role === 'admin' || p.role === 'manager').map(p => p.jid))
  }

  // ---- the service itself

  #ofService(stanza: AnyStanza, from: Jid): void {
    if (stanza.kind !== 'iq') {
      if (stanza.kind === 'message') this.#refuse(stanza, refuse('service-unavailable'))
      return
    }
    if (stanza.type !== 'get' && stanza.type !== 'set') return
    const query = stanza.payload[0]!
    const node = query.attrs['node']
    const answer = stanza.type === 'set' ? undefined : query.ns === DISCO_INFO && query.name === 'query' ? (node ? refuse('item-not-found') : this.#about())
      : query.ns === DISCO_ITEMS && query.name === 'query' ? (node ? refuse('item-not-found') : this.#list(query, from))
      : query.ns === NS_SEARCH && query.name === 'search' ? this.#search(query, from)
      : query.ns === PING ? [] : undefined
    if (answer === undefined) return this.#refuse(stanza, refuse('service-unavailable'))
    if ('condition' in answer) return this.#refuse(stanza, answer)
    this.#link.send(resultOf(stanza as Iq, ...answer))
  }

  #about(): Element[] {
    const features = [DISCO_INFO, DISCO_ITEMS, MUC, PING, NS_SEARCH, NS_VCARD, ...ARCHIVE_FEATURES]
    return [el('query', DISCO_INFO, {},
      el('identity', DISCO_INFO, { category: 'conference', type: 'text', name: this.#options.name ?? 'Rooms' }), ...features.map(f => el('feature', DISCO_INFO, { var: f })))]
  }

  /** Public rooms, and those where the asker belongs (row ST-91), page by page. */
  #list(query: Element, from: Jid): Element[] | StanzaError {
    const set = query.child('set', NS_RSM)
    const page = readPage(set, LISTED)
    if ('condition' in page) return page
    const all = [...this.#places].filter(([, p]) => !p.room?.locked).filter(([, p]) => p.record.config.public || p.record.affiliations.some(a => a.jid === from.bare && a.affiliation !== 'outcast')).map(([local]) => local).sort()
    const [start, end] = cut(all, { ...page, ...(page.after !== undefined && { after: this.#local(page.after) }), ...(page.before !== undefined && { before: this.#local(page.before) }) })
    const told = all.slice(start, end)
    const jid = (local: string): string => `${local}@${this.#link.domain}`
    const items = told.map(l => el('item', DISCO_ITEMS, { jid: jid(l), name: this.#places.get(l)?.record.config.name || l }))
    if (!set && told.length === all.length) return [el('query', DISCO_ITEMS, {}, ...items)]
    const ends = told.length > 0 ? { first: jid(told[0]!), last: jid(told.at(-1)!), index: start } : {}
    return [el('query', DISCO_ITEMS, {}, ...items, pageSet({ ...ends, count: all.length }))]
  }

  #search(query: Element, from: Jid): Element[] | StanzaError {
    const now = this.#link.clock.now()
    const bucket = this.#searches.get(from.bare) ?? new Bucket(SEARCHES, now)
    this.#searches.delete(from.bare)
    this.#searches.set(from.bare, bucket)
    if (this.#searches.size > SEARCHERS) this.#searches.delete(this.#searches.keys().next().value!) // it is not empty
    if (this.#link.limits.muc.roomRate !== Infinity && !bucket.take(1, SEARCHES, now)) return tooOften(1)
    const found = search(query, () => [...this.#places].flatMap(([local, { record: { config }, room }]): Channel[] =>
      config.public && !room?.locked ? [{ jid: `${local}@${this.#link.domain}`, config, users: room?.size ?? 0 }] : []))
    return 'condition' in found ? found : [found]
  }

  #local(jid: string | undefined): string { return Jid.tryParse(jid ?? '')?.local ?? '' }

  #refuse(stanza: AnyStanza, error: StanzaError): void {
    const reply = errorReply(stanza, error)
    if (reply) this.#link.send(reply)
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#saving.add(work)
    const done = (): void => { this.#saving.delete(work) }
    work.then(done, done)
    return work
  }
}
