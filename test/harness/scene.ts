// Wire scenes: a whole server in this process, scripted clients over real sockets, "at least this" expectations.
import net from 'node:net'
import tls from 'node:tls'
import { AssertionError } from 'node:assert'
import { parse, Parser as LtxParser, Element as Xml } from 'ltx' // on purpose not our own parser
import { Host, type Plugin } from '../../server/host/host.ts'
import { Router } from '../../server/route/router.ts'
import { ClientStream, Devices, type ClientWorld } from '../../server/stream/c2s.ts'
import { ComponentStream } from '../../server/stream/component.ts'
import { listenTcp, type Listening } from '../../server/net/tcp.ts'
import { mount } from '../../server/component/mount.ts'
import type { Component, Privileges } from '../../server/component/component.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import type { Clock } from '../../server/ports/clock.ts'
import { silent } from '../../server/ports/log.ts'
import { defaultLimits, type Limits } from '../../server/ports/limits.ts'
import type { Role, Stores } from '../../server/ports/store.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { privilegesOf } from '../../server/host/privileges.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { plugins as allPlugins } from '../../plugins/index.ts'
import { MovedClock, paced } from './clock.ts'
import { PATIENCE } from './patience.ts'

type Words = [TemplateStringsArray, ...unknown[]]
const spell = ([parts, ...values]: Words): string => String.raw({ raw: parts }, ...values.map(v => String(v).replace(/[&<>'"]/g, c => `&#${c.charCodeAt(0)};`))).trim()

const HEADER = (to: string, ns = 'jabber:client'): string => `<?xml version='1.0'?><stream:stream to='${to}' xmlns='${ns}' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`

let credentials: Promise<Awaited<ReturnType<typeof makeCredentials>>> | undefined // one password, 'pw', for everybody

export interface SceneOptions {
  readonly plugins?: readonly Plugin[]
  readonly pluginOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components?: Readonly<Record<string, Component>>
  readonly externals?: Readonly<Record<string, string>> // domain → secret
  readonly limits?: Partial<Limits>
  readonly stores?: Stores
  /** The clock of wires; absent: one that goes as the machine's does. */
  readonly network?: Clock
  readonly requireTls?: boolean
}

/** A server on 127.0.0.1 with a store in memory and a clock that tests move. */
export class House implements AsyncDisposable {
  readonly clock = new MovedClock()
  readonly router = new Router()
  readonly devices = new Devices()
  host!: Host
  stores!: Stores
  limits!: Limits
  /** What the streams of clients are given. */
  clients!: ClientWorld
  port = 0
  componentPort = 0
  readonly #open: AsyncDisposable[] = []
  readonly #actors: Actor[] = []

  static async open(options: SceneOptions = {}): Promise<House> {
    const house = new House()
    const stores = options.stores ?? await openSqlite({ file: ':memory:' })
    house.stores = stores
    const limits: Limits = { ...defaultLimits, readRate: { ...defaultLimits.readRate, c2s: { rate: Infinity, burst: Infinity } }, connections: { ...defaultLimits.connections, newPerAddress: { rate: Infinity, burst: Infinity } }, ...options.limits }
    const network = options.network ?? paced()
    house.limits = limits
    const world = { router: house.router, stores, clock: house.clock, network, log: silent, limits }
    house.host = await new Host('localhost', world).use(options.plugins ?? allPlugins, options.pluginOptions)
    const clients: ClientWorld = house.clients = {
      limits, network, log: silent, hosts: new Map([['localhost', house.host]]), requireTls: () => options.requireTls ?? false,
      secret: Buffer.alloc(32, 7), iterations: 4096, devices: house.devices,
    }
    await house.devices.wake(clients.hosts, stores)
    const listen = async (serve: (t: import('../../server/net/tcp.ts').TcpTransport) => void): Promise<Listening> => {
      const l = await listenTcp({ port: 0, address: '127.0.0.1', tls: 'none', limits, rate: limits.readRate.c2s, clock: network, log: silent, serve })
      house.#open.push(l)
      return l
    }
    house.port = (await listen(t => { new ClientStream(t, clients) })).port
    house.componentPort = (await listen(t => { new ComponentStream(t, { limits, network, log: silent, router: house.router, secretOf: d => options.externals?.[d], strangers: house.devices.strangers }) })).port
    for (const [domain, component] of Object.entries(options.components ?? {})) house.#open.push(await house.mount(domain, component))
    return house
  }

  /** Closed with the house. */
  keeps<T extends AsyncDisposable>(thing: T): T { this.#open.push(thing); return thing }

  mount(domain: string, component: Component): Promise<AsyncDisposable> {
    return mount(component, { domain, clock: this.clock, log: silent, stores: this.stores, limits: this.host.limits, privileges: this.privileges(domain) }, this.router)
  }
  privileges(domain: string): Privileges { return privilegesOf(this.host, domain) }

  /** Makes an account with the password 'pw'. */
  async account(local: string, more: { role?: Role; name?: string } = {}): Promise<void> {
    credentials ??= makeCredentials('pw', { iterations: 4096 })
    await this.stores.accounts.create({ host: 'localhost', local, created: this.clock.now(), credentials: await credentials, ...more })
    this.host.tellPeople()
  }

  /** A client logged in as `jid` (the account is made if it is not there) that has sent nothing else yet. */
  async actor(name: string, jid: string): Promise<Actor> {
    const local = Jid.parse(jid).local
    if (!(await this.stores.accounts.find('localhost', local))) await this.account(local)
    const actor = new Actor(name, jid)
    this.#actors.push(actor)
    await actor.connects(this.port)
    return actor
  }

  /** A component on a wire. */
  async component(domain: string, secret: string): Promise<Actor> {
    const actor = new Actor(domain, domain)
    this.#actors.push(actor)
    await actor.dials(this.componentPort, secret)
    return actor
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const a of this.#actors) a.leaves()
    for (const o of this.#open.reverse()) await o[Symbol.asyncDispose]()
    await this.stores.close()
  }
}

/** A scripted client: says XML, hears XML, over the same bytes that a stranger's client would send. */
export class Actor {
  readonly name: string
  readonly jid: string
  readonly bare: string
  readonly resource: string
  readonly #heard: Xml[] = []
  #listener: ((x: Xml | undefined) => void) | undefined
  #socket!: net.Socket
  #parser!: LtxParser
  #fence = 0
  #over = false
  header: Xml | undefined

  constructor(name: string, jid: string) { this.name = name; this.jid = jid; const [bare, resource] = jid.split('/'); this.bare = bare!; this.resource = resource ?? '' } // split gives one at least
  toString(): string { return this.jid }

  /** Opens a bare connection, without a word. */
  async opens(port: number): Promise<void> {
    const socket = net.connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    await this.#listens(socket, 'connect')
  }

  /** Goes on over TLS on the same connection (after <proceed/>). */
  async secures(options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    const before = this.#socket
    before.removeAllListeners()
    before.on('error', () => {})
    const secure = tls.connect({ socket: before, rejectUnauthorized: false, ...options })
    await this.#listens(secure, 'secureConnect')
    return secure
  }

  /** Opens a connection that is TLS from its first byte. */
  async opensTls(port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    const secure = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    await this.#listens(secure, 'secureConnect')
    return secure
  }

  async #listens(socket: net.Socket, ready: 'connect' | 'secureConnect'): Promise<void> {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('close', () => { if (this.#socket === socket) { this.#over = true; this.#hear(undefined) } })
    await new Promise<void>((ok, no) => { socket.once(ready, ok); socket.once('error', no); socket.once('close', () => no(new Error('the connection was closed'))) })
    this.#fresh()
    socket.setEncoding('utf8')
    let cut = '' // what may be the beginning of a header
    socket.on('data', (text: string) => {
      const whole = cut + text
      cut = /<(\?x?m?)?$/.exec(whole)?.[0] ?? ''
      for (const part of whole.slice(0, whole.length - cut.length).split(/(?=<\?xml)/)) { if (part.startsWith('<?xml')) this.#fresh(); this.#parser.write(part) }
    })
  }

  async logsIn(): Promise<void> {
    const [local, domain] = this.bare.split('@') as [string, string] // an account's address
    this.says(HEADER(domain)); await this.next()
    this.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa(`\0${local}\0pw`)}</auth>`)
    const outcome = await this.next()
    if (outcome.name !== 'success') throw new Error(`${this.name} cannot log in: ${String(outcome)}`)
    this.says(HEADER(domain)); await this.next()
  }

  async binds(): Promise<void> {
    this.says(`<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${this.resource}</resource></bind></iq>`)
    const bound = await this.next()
    if (bound.attrs['type'] !== 'result') throw new Error(`${this.name} cannot bind: ${String(bound)}`)
  }

  async connects(port: number): Promise<void> { await this.opens(port); await this.logsIn(); await this.binds() }

  async dials(port: number, secret: string): Promise<void> {
    await this.opens(port)
    this.says(HEADER(this.jid, 'jabber:component:accept'))
    while (!this.header) await new Promise(ok => setImmediate(ok))
    const { createHash } = await import('node:crypto')
    this.says(`<handshake>${createHash('sha1').update(String(this.header.attrs['id']) + secret).digest('hex')}</handshake>`)
    const answer = await this.next()
    if (answer.name !== 'handshake') throw new Error(`${this.name} is refused: ${String(answer)}`)
  }

  /** Sends presence and takes the own reflection and the roster's pushes out of the way. */
  async comesOnline(presence = '<presence/>'): Promise<void> {
    this.says(presence)
    await this.fence()
  }

  says(text: string): void { this.#socket.write(text) }
  saysBytes(bytes: Uint8Array): void { this.#socket.write(bytes) }
  sends(...words: Words): void { this.says(spell(words)) }

  /** The next stanza must have at least the attributes and children written here, each in the namespace written. */
  async receives(...words: Words): Promise<Xml> {
    const expected = wanted(spell(words))
    const actual = await this.next(() => `it should receive ${String(expected)}`)
    const flaw = lacks(actual, expected)
    if (flaw) throw new AssertionError({ message: `${this.name} should receive it, but ${flaw}`, actual: String(actual), expected: String(expected), operator: 'receives' })
    return actual
  }

  /** Like `receives`, for stanzas whose order among others is open: takes the first that fits, leaves the rest. */
  async hears(...words: Words): Promise<Xml> {
    const expected = wanted(spell(words))
    const passed: Xml[] = []
    try {
      for (;;) {
        const actual = await this.next(() => `it should hear ${String(expected)}; it heard ${passed.map(String).join('\n') || 'nothing'}`)
        if (!lacks(actual, expected)) return actual
        passed.push(actual)
      }
    } finally { this.#heard.unshift(...passed) }
  }

  /** Everything that came up to now, proved complete by a ping to the own server. */
  async fence(): Promise<Xml[]> {
    const id = `fence-${++this.#fence}`
    this.says(`<iq type='get' id='${id}' to='${this.bare.slice(this.bare.indexOf('@') + 1)}'><ping xmlns='urn:xmpp:ping'/></iq>`)
    const before: Xml[] = []
    for (;;) {
      const x = await this.next(() => 'its own ping should be answered')
      if (x.attrs['id'] === id) return before
      before.push(x)
    }
  }

  async receivesNothing(): Promise<void> {
    const came = await this.fence()
    if (came.length) throw new AssertionError({ message: `${this.name} should receive nothing`, actual: came.map(String).join('\n'), expected: '' })
  }

  /** Resolves when the server has ended the connection. */
  async isCutOff(): Promise<void> {
    while (!this.#over) await new Promise<void>(ok => { this.#socket.once('close', () => ok()) })
  }

  /** Takes nothing that it is sent, or takes it again. */
  stopsReading(): void { this.#socket.pause() }

  /** What came and was not taken yet. */
  async rest(): Promise<Xml[]> { await this.isCutOff(); return this.#heard.splice(0) }

  /** Drops the connection without a word. */
  leaves(): void { this.#socket?.destroy() }

  next(what: () => string = () => 'something should come'): Promise<Xml> {
    const x = this.#heard.shift()
    if (x) return Promise.resolve(x)
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new AssertionError({ message: `${this.name}: ${what()}, but ${why}` }))
      if (this.#over) { fail('the connection is closed'); return }
      const late = setTimeout(() => { this.#listener = undefined; fail(`nothing came within ${PATIENCE} ms`) }, PATIENCE)
      this.#listener = got => { clearTimeout(late); this.#listener = undefined; if (got) resolve(got); else fail('the connection was closed') }
    })
  }

  /** Puts back what was taken too early. */
  unreads(stanzas: readonly Xml[]): void { this.#heard.unshift(...stanzas) }

  #hear(x: Xml | undefined): void {
    if (this.#listener) this.#listener(x)
    else if (x) this.#heard.push(x)
  }

  #fresh(): void {
    // ltx's parser builds one tree for a document; a stream's children are wanted one by one
    const p = new LtxParser()
    this.#parser = p
    const sax = (p as unknown as { parser: { removeAllListeners(): void; on(e: string, f: (...a: never[]) => void): void } }).parser // not in its types
    let cursor: Xml | undefined, root: Xml | undefined
    sax.removeAllListeners()
    sax.on('startElement', (n: string, a: Record<string, string>) => {
      const x = new Xml(n, a)
      if (!root) { root = x; this.header = x } else if (cursor && cursor !== root) cursor.cnode(x)
      else x.parent = root
      cursor = x
    })
    sax.on('text', (t: string) => { if (cursor && cursor !== root) cursor.t(t) })
    sax.on('endElement', () => {
      const done = cursor
      if (!done || done === root) return
      cursor = done.parent as Xml // every element below the root has one
      if (cursor === root) this.#hear(done)
    })
  }
}

function wanted(text: string): Xml {
  const x = parse(text)
  x.attrs['xmlns'] ??= 'jabber:client'
  return x
}

/** What `a` lacks of `e`, in words; undefined if nothing. */
export function lacks(a: Xml, e: Xml): string | undefined {
  if (a.getName() !== e.getName() || (a.getNS() ?? 'jabber:client') !== e.getNS()) return `<${a.name} xmlns='${a.getNS()}'> came for <${e.name} xmlns='${e.getNS()}'>`
  for (const [k, v] of Object.entries(e.attrs)) if (!k.startsWith('xmlns') && a.attrs[k] !== v) return `<${a.name}> has ${k}='${a.attrs[k]}' for '${v}'`
  const rest = a.children.filter((c): c is Xml => typeof c !== 'string')
  for (const child of e.children.filter((c): c is Xml => typeof c !== 'string')) {
    const i = rest.findIndex(c => !lacks(c, child))
    if (i < 0) return `<${a.name}> has no <${child.name} xmlns='${child.getNS()}'> like ${String(child)}: ${String(a)}`
    rest.splice(i, 1)
  }
  const text = e.children.filter(c => typeof c === 'string').join('')
  if (text.trim() && text !== a.getText()) return `<${a.name}> says '${a.getText()}' for '${text}'`
  return undefined
}

/** A test with a cast: a fresh house, everyone logged in in the order written, everything gone at the end. */
export function scene<C extends Record<string, string>>(cast: C, play: (actors: { [K in keyof C]: Actor }, house: House) => Promise<void>, options: SceneOptions = {}): () => Promise<void> {
  return async () => {
    await using house = await House.open(options)
    const actors: Record<string, Actor> = {}
    for (const [name, jid] of Object.entries(cast)) actors[name] = await house.actor(name, jid)
    await play(actors as { [K in keyof C]: Actor }, house) // filled from the cast in the line above
  }
}
