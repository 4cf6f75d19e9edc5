// Permanent rooms of the agents: made in the server's room service, their members kept in line with departments, queues and roles (ST-89 to ST-93, SS-36; shell).
import { el, form, Jid, Stanza, type Element, type Iq } from '../../server/api.ts'
import type { Bare } from './facts.ts'
import type { Ground } from './ground.ts'
import { NS } from './stanzas.ts'

const OWNER = 'http://jabber.org/protocol/muc#owner'
const ADMIN = 'http://jabber.org/protocol/muc#admin'
const CONFIG = 'http://jabber.org/protocol/muc#roomconfig'
const MODERATE = 'urn:xmpp:message-moderate:1'
const RETRACT = 'urn:xmpp:message-retract:1'
const COLLECTION = 'desk-rooms'
const PAGE = 500

/** Who may enter: `department:sales`, `queue:billing`, `role:manager`, `agent:ben@localhost`. */
export interface Grant { readonly kind: 'department' | 'queue' | 'role' | 'agent'; readonly name: string }
export interface StandingRoom { readonly local: string; readonly jid: string; readonly name: string; readonly by: Bare; readonly created: number; readonly grants: readonly Grant[]; readonly members: readonly Bare[] }

type Under = Pick<Ground, 'link' | 'domain' | 'now' | 'later' | 'rules' | 'operators' | 'onRules' | 'onOperator'>

export class StandingRooms {
  readonly #o: Under
  readonly #all = new Map<string, StandingRoom>()
  #service: string | undefined
  #turn: Promise<unknown> = Promise.resolve()
  constructor(ground: Under) { this.#o = ground }

  async open(): Promise<void> {
    for (let after: string | undefined; ;) {
      const page = await this.#o.link.stores.documents.range<StandingRoom>(COLLECTION, this.#o.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { value } of page) this.#all.set(value.local, value)
      after = page.at(-1)?.id
      if (page.length < PAGE) break
    }
    this.#o.onRules.push(() => this.follow())
    this.#o.onOperator.push(() => this.follow())
  }

  get(local: string): StandingRoom | undefined { return this.#all.get(local) }
  /** Whether one of them has this address. */
  has(jid: string): boolean { for (const r of this.#all.values()) if (r.jid === jid) return true; return false }
  /** Those an operator may enter. */
  of(jid: Bare): StandingRoom[] { return [...this.#all.values()].filter(r => r.members.includes(jid)).sort((a, b) => a.name.localeCompare(b.name)) }
  get all(): StandingRoom[] { return [...this.#all.values()].sort((a, b) => a.name.localeCompare(b.name)) }

  /** Whom these grants let in now. */
  people(grants: readonly Grant[]): Bare[] {
    const { operators, rules } = this.#o
    const found = new Set<Bare>()
    for (const g of grants) {
      const queues = g.kind === 'department' ? rules.now.departments[g.name]?.queues ?? [] : g.kind === 'queue' ? [g.name] : []
      for (const q of queues) for (const jid of operators.of(q)) found.add(jid)
      if (g.kind === 'role') for (const p of operators.all()) if (operators.holds(p.jid) === g.name) found.add(p.jid)
      if (g.kind === 'agent' && operators.has(g.name)) found.add(g.name)
    }
    return [...found].sort()
  }

  /** Makes a room, or changes who may enter; gives why not in words. */
  make(name: string, grants: readonly Grant[], by: Bare): Promise<StandingRoom | string> {
    return this.#inTurn(async () => {
      const local = name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40)
      if (local === '') return 'A room needs a name.'
      const service = await this.#find()
      if (service === undefined) return 'There is no room service on this server.'
      const old = this.#all.get(local)
      const room: StandingRoom = old ? { ...old, grants } : { local, jid: `${local}@${service}`, name, by, created: this.#o.now, grants, members: [] }
      if (!old) {
        const wrong = await this.#create(room)
        if (wrong !== undefined) return wrong
      }
      return this.#sync(room)
    })
  }

  remove(local: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const room = this.#all.get(local)
      if (!room) return false
      await this.#ask(room.jid, el('query', OWNER, {}, el('destroy', OWNER, {})))
      await this.#o.link.stores.documents.remove(COLLECTION, this.#o.domain, local)
      this.#all.delete(local)
      return true
    })
  }

  /** Who is in it now, by nick. */
  async present(room: StandingRoom): Promise<string[]> {
    const found: string[] = []
    for (const role of ['moderator', 'participant', 'visitor']) {
      const answer = await this.#ask(room.jid, el('query', ADMIN, {}, el('item', ADMIN, { role })), 'get')
      if (answer.type === 'result') for (const c of answer.payload[0]?.children ?? []) if (typeof c !== 'string' && c.name === 'item' && c.attrs['nick'] !== undefined) found.push(c.attrs['nick'])
    }
    return found.sort()
  }

  /** Takes lines back, as its owner (XEP-0425): they leave its archive and its history, and who is in it sees them go. */
  takeBack(room: StandingRoom, ids: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      const me = Jid.parse(`${this.#o.domain}/desk`)
      const at = Jid.parse(`${room.jid}/helpdesk`)
      this.#o.link.send(Stanza.of('presence', { type: 'available', from: me, to: at }, [el('x', NS.muc, {}, el('history', NS.muc, { maxstanzas: '0' }))]))
      for (const id of ids) await this.#ask(room.jid, el('moderate', MODERATE, { id }, el('retract', RETRACT)))
      this.#o.link.send(Stanza.of('presence', { type: 'unavailable', from: me, to: at }))
    })
  }

  /** People, roles or settings have changed: members follow. */
  follow(): void {
    if (this.#all.size === 0) return
    this.#o.later(() => this.#inTurn(async () => { for (const r of this.all) if (this.people(r.grants).join('\n') !== r.members.join('\n')) await this.#sync(r) }))
  }

  async #create(room: StandingRoom): Promise<string | undefined> {
    const me = Jid.parse(`${this.#o.domain}/desk`)
    const at = Jid.parse(`${room.jid}/helpdesk`)
    this.#o.link.send(Stanza.of('presence', { type: 'available', from: me, to: at }, [el('x', NS.muc)]))
    const set = await this.#ask(room.jid, el('query', OWNER, {}, form({
      type: 'submit', formType: CONFIG, fields: [
        { var: 'muc#roomconfig_roomname', type: 'text-single', value: room.name }, { var: 'muc#roomconfig_persistentroom', type: 'boolean', value: true }, { var: 'muc#roomconfig_membersonly', type: 'boolean', value: true },
        { var: 'muc#roomconfig_publicroom', type: 'boolean', value: false },
      ],
    })))
    this.#o.link.send(Stanza.of('presence', { type: 'unavailable', from: me, to: at }))
    return set.type === 'result' ? undefined : 'The room service does not let the desk make this room: the name may be taken.'
  }

  async #sync(room: StandingRoom): Promise<StandingRoom> {
    const members = this.people(room.grants)
    const change = [...members.filter(m => !room.members.includes(m)).map(jid => ({ jid, affiliation: 'member' })), ...room.members.filter(m => !members.includes(m)).map(jid => ({ jid, affiliation: 'none' }))]
    if (change.length > 0) await this.#ask(room.jid, el('query', ADMIN, {}, ...change.map(c => el('item', ADMIN, c))))
    const kept = { ...room, members }
    await this.#o.link.stores.documents.put(COLLECTION, this.#o.domain, room.local, kept)
    this.#all.set(room.local, kept)
    return kept
  }

  /** The room service of this server: what calls itself a conference. */
  async #find(): Promise<string | undefined> {
    if (this.#service !== undefined) return this.#service
    const parent = this.#o.domain.split('.').slice(1).join('.')
    if (parent === '') return undefined
    const listed = await this.#ask(parent, el('query', NS.items), 'get')
    const items = listed.type === 'result' ? (listed.payload[0]?.children ?? []).flatMap(c => typeof c !== 'string' && c.attrs['jid'] !== undefined ? [c.attrs['jid']] : []) : []
    for (const domain of new Set([...items, `rooms.${parent}`])) {
      if (domain === this.#o.domain || domain.includes('@')) continue
      const info = await this.#ask(domain, el('query', NS.info), 'get')
      const isRooms = info.type === 'result' && info.payload[0]?.children.some(c => typeof c !== 'string' && c.name === 'identity' && c.attrs['category'] === 'conference' && c.attrs['type'] === 'text')
      if (isRooms) return this.#service = domain
    }
    return undefined
  }
  #ask(to: string, query: Element, type: 'get' | 'set' = 'set'): Promise<Iq> {
    return this.#o.link.ask(Stanza.of('iq', { type, id: 'desk', from: Jid.parse(`${this.#o.domain}/desk`), to: Jid.parse(to) }, [query]))
  }
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}

/** Reads `department:sales queue:billing role:manager agent:ben`; a word without a kind is an agent. */
export function readGrants(text: string, agent: (name: string) => Bare | undefined): readonly Grant[] | string {
  const grants: Grant[] = []
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const m = /^(department|dept|queue|group|role|agent):(.+)$/i.exec(word)
    const kind = m?.[1]?.toLowerCase() ?? 'agent'
    const name = (m?.[2] ?? word).toLowerCase()
    if (kind === 'agent') {
      const jid = agent(name)
      if (jid === undefined) return `There is no colleague “${name}”.`
      grants.push({ kind, name: jid })
    } else grants.push({ kind: kind === 'dept' || kind === 'department' ? 'department' : kind === 'role' ? 'role' : 'queue', name })
  }
  return grants
}
