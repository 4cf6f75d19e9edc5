// Scenes at a desk: agents and customers in plain clients, who type and read.
import assert, { AssertionError } from 'node:assert'
import type { Element as Xml } from 'ltx'
import { helpdesk } from '../../components/helpdesk/desk.ts'
import type { DeskConfig, QueueConfig } from '../../components/helpdesk/config.ts'
import { makeToken, tokenKeeper, tokenReader } from '../../app/tokens.ts'
import { mount } from '../../server/component/mount.ts'
import { HttpRouter, listenHttp, type HttpListening } from '../../server/net/http.ts'
import { wallClock } from '../../server/ports/clock.ts'
import { silent } from '../../server/ports/log.ts'
import { Described, type Told } from './described.ts'
import { House, type Actor } from './scene.ts'
import type { Role, Stores } from '../../server/ports/store.ts'

export const DESK = 'help.localhost'
export const BOT = `desk@${DESK}`
export const SUPPORT = `support@${DESK}`
export const c = (n: number): string => `c${n}@${DESK}`

const queue = (more: Partial<QueueConfig> = {}): QueueConfig => ({ agents: 'all', assign: 'round-robin', accept: 'ask', view: 'contact', ...more })
export const config = (queues: Record<string, Partial<QueueConfig>> = { support: {}, billing: { assign: 'pull' } }, more: Partial<DeskConfig> = {}): DeskConfig =>
  ({ enabled: true, assign: 'pull', capacity: 4, ...more, queues: new Map(Object.entries(queues).map(([k, v]) => [k, queue(v)])), given: more.given ?? { enabled: true, ...more, queues: Object.fromEntries(Object.entries(queues).map(([k, v]) => [k, { assign: 'round-robin', ...v }])) } })

/** A person at a plain client. */
export class Person {
  readonly actor: Actor
  #ids = 0
  constructor(actor: Actor) { this.actor = actor }

  /** Types a line into the window of `to`. */
  types(to: string, text: string, id = `${this.actor.name}-${++this.#ids}`): void { this.actor.sends`<message type='chat' to='${to}' id='${id}'><body>${text}</body></message>` }

  /** Waits for a message from `from` (any resource) whose text fits; leaves what else came. */
  reads(from: string, text: string | RegExp): Promise<{ text: string; from: string; stanza: Xml }> { return this.#reads(from, text) }
  /** The same, whoever it comes from. */
  sees(text: RegExp): Promise<{ text: string; from: string; stanza: Xml }> { return this.#reads(undefined, text) }

  async #reads(from: string | undefined, text: string | RegExp): Promise<{ text: string; from: string; stanza: Xml }> {
    const passed: string[] = []
    const others: Xml[] = []
    try {
      for (;;) {
        const x = await this.actor.next(() => `it should read ${String(text)} from ${from ?? 'anybody'}; it read\n${passed.join('\n') || 'nothing'}`)
        const body = x.getChildText('body')
        if (x.name === 'message' && body !== null && (from === undefined || bareOf(x) === from) && (typeof text === 'string' ? body === text : text.test(body))) return { text: body, from: bareOf(x), stanza: x }
        if (x.name === 'message' && body !== null) passed.push(`${bareOf(x)}: ${body}`)
        others.push(x)
      }
    } finally { this.actor.unreads(others) }
  }

  /** Everything read up to now from anybody, as `localpart: text`; silence is proved by the fence. */
  async all(): Promise<string[]> {
    const came = await this.actor.fence()
    return came.flatMap(x => { const body = x.getChildText('body'); return x.name === 'message' && body !== null ? [`${bareOf(x).split('@')[0]}: ${body}`] : [] })
  }
  async readsNothing(): Promise<void> {
    const came = await this.all()
    if (came.length > 0) throw new AssertionError({ message: `${this.actor.name} should read nothing`, actual: came.join('\n'), expected: '' })
  }
}
const bareOf = (x: Xml): string => String(x.attrs['from'] ?? '').split('/')[0] ?? ''

export interface Staff { readonly [local: string]: Role }

/** A house with a desk. */
export class DeskHouse implements AsyncDisposable {
  readonly house: House
  readonly #config: DeskConfig
  #desk: AsyncDisposable
  http: HttpRouter
  #listening: HttpListening | undefined
  private constructor(house: House, config: DeskConfig, http: HttpRouter, desk: AsyncDisposable) { this.house = house; this.#config = config; this.http = http; this.#desk = desk }

  static async open(staff: Staff, conf: DeskConfig = config(), stores?: Stores): Promise<DeskHouse> {
    const house = await House.open({ ...(stores ? { stores } : {}), externals: { 'web.localhost': 'secret' }, limits: { presence: { rate: Infinity, burst: Infinity } } })
    for (const [local, role] of Object.entries(staff)) await house.account(local, { role })
    const http = new HttpRouter()
    return new DeskHouse(house, conf, http, await DeskHouse.#mount(house, conf, http))
  }
  static #mount(house: House, conf: DeskConfig, http: HttpRouter): Promise<AsyncDisposable> {
    const { clock, stores } = house
    return mount(helpdesk(conf), { domain: DESK, clock, log: silent, stores, limits: house.host.limits, http, privileges: house.privileges(DESK) }, house.router)
  }

  /** Where HTTP is, and a token of `local`. */
  async address(local: string): Promise<{ port: number; token: string }> {
    await this.rest('GET', '/api/v1/openapi.json')
    const { text } = await makeToken(this.house.stores, 'localhost', { jid: `${local}@localhost`, created: this.house.clock.now() })
    return { port: this.#listening?.port ?? 0, token: text }
  }

  /** Where it answers HTTP. */
  async url(): Promise<string> {
    this.#listening ??= await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router: this.http, limits: this.house.host.limits, clock: wallClock, log: silent })
    return `http://127.0.0.1:${this.#listening.port}`
  }

  /** Asks the REST interface as `local`, or as nobody. */
  async rest(method: string, path: string, local?: string, body?: unknown, scopes?: readonly string[], headers: Readonly<Record<string, string>> = {}): Promise<{ status: number; body: any; headers: Headers }> { // JSON of any shape
    const { house } = this
    house.host.tokens = tokenReader(house.stores, 'localhost', house.clock)
    house.host.keyring = tokenKeeper(house.stores, 'localhost', house.clock)
    const url = await this.url()
    const token = local === undefined ? undefined : local === 'nonsense' ? local : (await makeToken(house.stores, 'localhost', { jid: `${local}@localhost`, created: house.clock.now(), ...(scopes ? { scopes } : {}) })).text
    const answer = await fetch(`${url}${path}`, {
      method, headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const type = answer.headers.get('content-type')
    const endless = type?.startsWith('text/event-stream') === true
    if (endless) await answer.body?.cancel()
    const text = endless ? '{}' : await answer.text()
    const told = endless || (type?.includes('json') && text !== '') ? JSON.parse(text) : undefined
    if (method !== 'HEAD') await this.#holds(method, path, { status: answer.status, headers: answer.headers, body: told })
    return { status: answer.status, headers: answer.headers, body: told }
  }

  /** What was answered, and held to the description: the operations with their statuses. */
  readonly answered = new Map<string, Set<number>>()
  static #described: Described | undefined
  /** What the interface says of itself: the same at every desk. */
  async described(): Promise<Described> { return DeskHouse.#described ??= new Described(await (await fetch(`${await this.url()}/api/v1/openapi.json`)).json()) }
  /** Every answer is one that is described. */
  async #holds(method: string, path: string, told: Told): Promise<void> {
    if (method === 'HEAD' || !path.startsWith('/api/v1/') || path.startsWith('/api/v1/openapi.json')) return // HEAD is GET without what is described
    const described = await this.described()
    const o = described.find(method, path)
    const faults = o ? described.faults(o, told) : told.status === 404 || told.status === 405 || told.status === 400 ? [] : ['there is no such operation']
    assert.deepEqual(faults, [], `${method} ${path} answers what is not described`)
    if (o) this.answered.set(o.id, (this.answered.get(o.id) ?? new Set()).add(told.status))
  }

  /** Logs in and waits until the desk has greeted (an operator) or until it is quiet (a customer). */
  async comes(local: string, presence = '<presence/>'): Promise<Person> {
    const actor = await this.house.actor(local, `${local}@localhost/${local}-pc`)
    const person = new Person(actor)
    await actor.comesOnline(presence)
    return person
  }
  /** Waits until nothing follows any more: the desk's own doings, not those of the wire. */
  async quiet(): Promise<void> { await this.house.clock.advance(0) }
  async later(seconds: number): Promise<void> { await this.house.clock.advance(seconds * 1000) }

  /** The desk alone falls and starts again on the same store. */
  async restart(): Promise<void> {
    await this.#desk[Symbol.asyncDispose]()
    await this.#listening?.[Symbol.asyncDispose]()
    this.#listening = undefined
    this.http = new HttpRouter() // its routes were the old desk's
    this.#desk = await DeskHouse.#mount(this.house, this.#config, this.http)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.[Symbol.asyncDispose]()
    await this.#desk[Symbol.asyncDispose]()
    await this.house[Symbol.asyncDispose]()
  }
}

export const desk = (staff: Staff, play: (d: DeskHouse) => Promise<void>, conf?: DeskConfig): (() => Promise<void>) => async () => {
  await using d = await DeskHouse.open(staff, conf)
  await play(d)
}
