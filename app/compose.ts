// Builds the house from its config: the only file that knows every room.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isLoopback } from '../server/net/address.ts'
import { serveBosh } from '../server/net/bosh/bosh.ts'
import { HttpRouter, listenHttp, type HttpListening } from '../server/net/http.ts'
import { ClientFacing } from '../server/net/client-trust.ts'
import { ServerIdentity, selfSigned } from '../server/net/tls.ts'
import { listenTcp, type Listening, type TcpTransport } from '../server/net/tcp.ts'
import { WebSocketTransport } from '../server/net/websocket.ts'
import { askOutside } from '../server/host/enrolment.ts'
import { Guests } from '../server/host/guests.ts'
import { Host } from '../server/host/host.ts'
import { accountChanged } from '../server/host/keeping.ts'
import { privilegesOf } from '../server/host/privileges.ts'
import { mount, type Mounted } from '../server/component/mount.ts'
import type { Component, Connection } from '../server/component/component.ts'
import { Router } from '../server/route/router.ts'
import { Jid } from '../server/stanza/jid.ts'
import { ClientStream, Devices, type ClientWorld } from '../server/stream/c2s.ts'
import { ComponentStream } from '../server/stream/component.ts'
import type { PairState } from '../server/stream/s2s.ts'
import { wallClock, type Clock } from '../server/ports/clock.ts'
import type { Log } from '../server/ports/log.ts'
import type { Stores } from '../server/ports/store.ts'
import type { Transport } from '../server/net/transport.ts'
import type { StoreWork } from '../server/store/sqlite/sqlite.ts'
import { openSqlite } from '../server/store/sqlite/sqlite.ts'
import { guestPlugins, plugins } from '../plugins/index.ts'
import { COMPONENTS } from '../plugins/disco.ts'
import { ENDING, type Ending } from '../protocols/ending.ts'
import { LANDING } from '../protocols/invitations.ts'
import { muc } from '../components/muc/muc.ts'
import { helpdesk } from '../components/helpdesk/desk.ts'
import { webchat } from '../components/webchat/webchat.ts'
import { pubsub } from '../components/pubsub/pubsub.ts'
import { diskFiles } from '../components/upload/files.ts'
import { upload } from '../components/upload/upload.ts'
import type { ComponentConfig, Config } from '../config/load.ts'
import { Expiry } from './certificate.ts'
import { federate } from './federate.ts'
import { serveHealth } from './health.ts'
import { serveHostMeta } from './host-meta.ts'
import { LANDING_PATH, serveLanding } from './landing.ts'
import { crowding, type Heap } from './memory.ts'
import type { SessionKind } from './metrics.ts'
import type { Desk } from './office.ts'
import { adoptLimits, needRestart } from './reload.ts'
import { readSecrets } from './secrets.ts'
import { tokenKeeper, tokenReader } from './tokens.ts'
import { VERSION } from './version.ts'

const SWEEP = 15_000 // ms between looks for silent clients
const WEBSOCKET_PATH = '/xmpp-websocket'
const BOSH_PATH = '/http-bind'
const NS_WEBSOCKET = 'xmpp' // the subprotocol of RFC 7395

/** What the program holds of a house that runs. */
export interface House extends AsyncDisposable {
  readonly hosts: ReadonlyMap<string, Host>
  /** The port that each listener really has, by its key in the config. */
  readonly ports: Readonly<Record<string, number>>
  readonly identity: ServerIdentity | undefined
  /** What admins change at run time, by the desk's domain. */
  readonly desks: ReadonlyMap<string, Desk>
  /** The pairs of domains that speak with each other, ours first; absent where federation is off. */
  readonly pairs?: () => readonly PairState[]
  /** Takes in the certificate and the limits of a config that was read again; gives the keys that take effect at the next start only. Rejects for a bad certificate. */
  reload(read: Config): Promise<readonly string[]>
  /** Ends the subscriptions of an account that is about to be removed, and tells the other sides. */
  farewell(jid: string): Promise<void>
  /** An account was made, changed or removed in the store: its sessions end if its password, state or existence changed. */
  accountChanged(jid: string, what: 'made' | 'password' | 'role' | 'removed' | 'disabled'): Promise<void>
  /** REST tokens were ended in the store. */
  tokensEnded(): void
}

export interface World { readonly stores: Stores & { readonly work?: StoreWork }; readonly clock: Clock; readonly log: Log; /** Lines of the log that could not be written. */ readonly logDropped?: () => number; /** Absent: this process's. */ readonly heap?: () => Heap; /** Absent: nobody ends the program from within. */ readonly end?: (how: Ending) => void }

/** Opens every listener of `config`, or rejects with a fault that names port and mend, and nothing stays open. */
export async function compose(config: Config, world: World): Promise<House> {
  const { stores, clock, log } = world
  const { limits } = config
  const router = new Router()
  const open: AsyncDisposable[] = []
  const mounts: Mounted[] = []
  const ports: Record<string, number> = {}
  const hosts = new Map<string, Host>()
  const desks = new Map<string, Desk>()
  const http = new HttpRouter()
  const devices = new Devices()
  const crowded = devices.strangers.crowded = crowding(wallClock, log, world.heap)
  devices.location = config.listen.c2s?.location
  const kinds = new WeakMap<object, SessionKind>()
  let web: HttpListening | undefined
  let ready = false

  async function build(): Promise<House> {
    const identity = await ServerIdentity.load(await certificateOf(config), ...config.tls?.more ?? [])
    const authority = config.tls?.clientCa
    const facing = authority === undefined ? undefined : new ClientFacing(identity, await readFile(authority, 'utf8'))

    const shared = { router, stores, clock, network: wallClock, log, limits }
    for (const [domain, options] of config.hosts) {
      const host = new Host(domain, options.anonymous ? { ...shared, stores: await forgetful() } : shared)
      if (options.anonymous) new Guests(host)
      host.provide(LANDING, () => landingOf(config, options.plugins['invites'], ports['http']))
      host.provide(COMPONENTS, [...config.components.keys()].filter(name => isShown(name, domain, options.plugins['isolation'])))
      if (world.end && hosts.size === 0) host.provide(ENDING, world.end) // the first host's admins run the machine
      const wanted = (options.anonymous ? guestPlugins : plugins).filter(p => options.plugins[p.name] !== false && (p.name !== 'register' || options.registration || isInvited(options.plugins['invites'])))
      const given = optionsOf(options.plugins)
      const ca = given['ldap']?.['ca']
      if (typeof ca === 'string') given['ldap'] = { ...given['ldap'], ca: await readFile(ca, 'utf8') } // plugins open no files
      await host.use(wanted, { ...given, version: { number: VERSION, ...given['version'] }, register: { open: options.registration !== false, approval: options.registration === 'approval' }, approvals: { on: options.registration === 'approval' } })
      host.tokens = tokenReader(stores, domain, clock)
      host.keyring = tokenKeeper(stores, domain, clock, options.scramIterations, () => host.tellTokens(), (local, password) => askOutside(host, local, password))
      hosts.set(domain, host)
      open.push(host)
    }
    await devices.wake(hosts, stores) // before anybody asks who is there
    const first = hosts.values().next().value! // a config has a host

    for (const [domain, c] of config.components) {
      const component = kindOf(domain, c)
      if (!component) continue
      const mounted = await mount(component, { domain, clock, network: wallClock, log, stores, http, limits, privileges: privilegesOf(first, domain, connection) }, router)
      open.push(mounted)
      mounts.push(mounted)
    }

    const secret = await keptSecret(stores, 'scram')
    const stream = { limits, network: wallClock, log }
    const clients: ClientWorld = {
      ...stream, hosts, secret, devices,
      iterations: first ? (config.hosts.get(first.domain)?.scramIterations ?? 10_000) : 10_000,
      requireTls: remote => config.requireTls || !isLoopback(remote),
    }
    const client = (t: Transport, kind: SessionKind): void => void kinds.set(new ClientStream(t, clients), kind)
    const listen = async (key: string, at: { port: number; address?: string } | undefined, tls: 'starttls' | 'direct' | 'none', serve: (t: TcpTransport) => void, alpn?: string): Promise<void> => {
      if (!at) return
      const rate = key === 'component' ? limits.readRate.component : limits.readRate.c2s
      const asks = facing !== undefined && key !== 'component'
      const l: Listening = await listenTcp({ ...at, tls, identity: asks ? facing : identity, mutual: asks, limits, rate, clock: wallClock, log, serve, ...(alpn ? { alpn } : {}) })
      open.push(l)
      ports[key] = l.port
    }
    await listen('c2s', config.listen.c2s, 'starttls', t => client(t, 'tcp'))
    await listen('c2s-tls', config.listen.c2sTls, 'direct', t => client(t, 'tls'), 'xmpp-client')
    await listen('component', config.listen.component, 'none', t => { new ComponentStream(t, { ...stream, router, secretOf, strangers: devices.strangers }) })

    const abroad = await federate(config, {
      ...stream, router, identity, strangers: devices.strangers, secret: () => keptSecret(stores, 'dialback'), documents: stores.documents, clock, keep: thing => open.push(thing),
    })
    Object.assign(ports, abroad?.ports)

    if (config.listen.http) {
      serveHostMeta(http, { websocket: WEBSOCKET_PATH, bosh: BOSH_PATH })
      serveLanding(http)
      serveBosh(http, { path: BOSH_PATH, limits, clock: wallClock, serve: t => client(t, 'bosh') })
      http.upgrade(WEBSOCKET_PATH, {
        protocols: [NS_WEBSOCKET],
        // there is nothing ambient to steal: whoever connects must log in. A cookie from another page is none of ours (SEC-H02)
        mayConnect: (origin, request) => origin === undefined || origin === request.origin || request.headers.cookie === undefined,
        handler: (ws, request, socket) => { client(new WebSocketTransport(ws, socket, request.remote, request.secure, wallClock, limits.readRate.c2s, limits.websocket.ping), 'websocket') },
      })
      const health = serveHealth(http, {
        ready: () => ready && !crowded(), watchers: config.listen.http.metrics, sessions: () => countSessions(devices, kinds), certificateEnds: () => identity.expires,
        stanzas: () => [...hosts].map(([domain, host]) => [domain, host.passed] as const),
        desks: () => [...desks].map(([domain, desk]) => [domain, desk.tally] as const),
        ...(world.logDropped && { logDropped: world.logDropped }),
        ...(stores.work && { store: () => stores.work! }), ...(abroad && { pairs: () => abroad.federation.pairs }), // it has it now, it has it always
      })
      open.push({ async [Symbol.asyncDispose]() { health[Symbol.dispose]() } })
      web = await listenHttp({ ...config.listen.http, router: http, identity: config.listen.http.tls ? identity : undefined, limits, clock: wallClock, log })
      open.push(web)
      ports['http'] = web.port
    }

    let sweep = wallClock.alarm(wallClock.now() + SWEEP, function look() {
      const now = wallClock.now()
      for (const s of devices.streams) s.probe(now)
      sweep = wallClock.alarm(now + SWEEP, look)
    })
    open.push({ async [Symbol.asyncDispose]() { sweep[Symbol.dispose]() } })

    const expiry = new Expiry(() => identity.expires, wallClock, log)
    open.push({ async [Symbol.asyncDispose]() { expiry[Symbol.dispose]() } })

    ready = true
    return {
      hosts, ports, identity, desks, ...(abroad && { pairs: () => abroad.federation.pairs }),
      async reload(read) {
        const ca = read.tls?.clientCa === undefined ? undefined : await readFile(read.tls.clientCa, 'utf8')
        await identity.reload(await certificateOf(read), ...read.tls?.more ?? [])
        if (ca !== undefined) facing?.trust(ca)
        web?.renew()
        expiry.look()
        adoptLimits(limits, read.limits)
        abroad?.federation.obey(read.s2s)
        return needRestart(config, read)
      },
      async farewell(jid) {
        const at = Jid.parse(jid)
        const host = hosts.get(at.domain)
        const account = await host?.accounts.at(at)
        if (account) await host?.rosters.farewell(account)
      },
      async accountChanged(jid, what) {
        const at = Jid.parse(jid)
        const host = hosts.get(at.domain)
        if (!host) return
        accountChanged(host, at, await host.stores.accounts.find(at.domain, at.local), what)
      },
      tokensEnded() { for (const host of hosts.values()) host.tellTokens() },
      async [Symbol.asyncDispose]() {
        ready = false
        await abroad?.federation.settle()
        for (const m of mounts) m.leaving() // who sleeps over the restart hears it then
        await devices.shutDown(stores, log)
        await shut()
      },
    }
  }

  /** For guests: gone with the program. */
  const forgetful = async (): Promise<Stores> => {
    const made = await openSqlite({ file: ':memory:', log })
    open.push({ [Symbol.asyncDispose]: () => made.close() })
    return made
  }
  const connection = (): Connection => {
    const origin = ownOrigin(config, ports['http'])
    return {
      selfSigned: !config.tls, ...(ports['c2s'] !== undefined && { starttls: ports['c2s'] }), ...(ports['c2s-tls'] !== undefined && { tls: ports['c2s-tls'] }),
      ...(origin !== undefined && { websocket: `${origin.replace(/^http/, 'ws')}${WEBSOCKET_PATH}`, bosh: `${origin}${BOSH_PATH}` }),
    }
  }
  const certificateOf = async ({ tls, data, hosts: served, components }: Config): Promise<{ certificate: string; key: string }> =>
    tls ?? selfSigned(`${data}/tls`, [...served.keys(), ...components.keys()], clock.now())
  const secretOf = (domain: string): string | undefined => {
    const c = config.components.get(domain)
    return c?.kind === 'external' ? c.secret : undefined
  }
  const uploads = [...config.components].flatMap(([service, c]) => c.kind === 'upload' ? [{ service, base: () => c.url ?? ownOrigin(config, ports['http']) }] : [])[0]
  const isDesk = (domain: string): boolean => config.components.get(domain)?.kind === 'helpdesk'
  const kindOf = (domain: string, c: ComponentConfig): Component | undefined => {
    switch (c.kind) {
      case 'muc': return muc({ makers: [...config.components].flatMap(([name, other]) => other.kind === 'helpdesk' ? [name] : []) })
      case 'helpdesk': return helpdesk({ ...c, upload: uploads, secrets: readSecrets(c.secrets, log) }, desk => desks.set(domain, desk))
      case 'webchat': return webchat(c, () => ({ hosts: [...hosts.keys()], ports, selfSigned: !config.tls }))
      case 'pubsub': return pubsub({ local: name => hosts.has(name) })
      case 'upload': return upload(c, { files: () => diskFiles(`${config.data}/uploads`), base: () => c.url ?? ownOrigin(config, ports['http']), serves: name => hosts.has(name), trusts: isDesk, lives: async (owner, since) => !hosts.has(Jid.parse(owner).domain) || await isStill(stores, owner, since) })
      case 'external': return undefined // comes over the wire
    }
  }
  const shut = async (): Promise<void> => { for (const o of open.splice(0).reverse()) await o[Symbol.asyncDispose]() }

  try { return await build() } catch (error) { await shut(); throw error }
}

function countSessions(devices: Devices, kinds: WeakMap<object, SessionKind>): Record<SessionKind, number> {
  const counts = { tcp: 0, tls: 0, websocket: 0, bosh: 0, login: 0, hibernated: devices.hibernated }
  for (const stream of devices.streams) counts[stream.device ? kinds.get(stream) ?? 'tcp' : 'login']++ // each came by `client`
  return counts
}

/** Whether an account is there, and was at `since`: not another one of the same name. */
async function isStill(stores: Stores, owner: string, since: number): Promise<boolean> {
  const { domain, local } = Jid.parse(owner)
  const account = await stores.accounts.find(domain, local)
  return account !== undefined && account.created <= since
}

function landingOf(config: Config, invites: unknown, port: number | undefined): string | undefined {
  const url = typeof invites === 'object' && invites !== null && 'url' in invites ? String(invites.url) : ownOrigin(config, port)
  return url && `${url}${LANDING_PATH}`
}

/** Whether users of `domain` may know of a component: of others than their own not where their host is a tenant of its own. */
const isShown = (name: string, domain: string, isolation: unknown): boolean =>
  typeof isolation !== 'object' || isolation === null || name.endsWith(`.${domain}`) || ('with' in isolation && Array.isArray(isolation.with) && isolation.with.includes(name))

/** Whether people may make accounts who bring an invitation. */
const isInvited = (invites: unknown): boolean => typeof invites === 'object' && invites !== null && 'register' in invites && invites.register !== 'nobody'

/** The origin of our http listener, as users of the first host know it. */
function ownOrigin({ hosts, listen: { http } }: Config, port: number | undefined): string | undefined {
  return http && port !== undefined ? new URL(`${http.tls ? 'https' : 'http'}://${hosts.keys().next().value}:${port}`).origin : undefined
}

/** A secret of 256 bits that is the same after a restart: for made-up salts (SEC-T17), for the keys of dialback (SEC-C11). */
async function keptSecret(stores: Stores, name: 'scram' | 'dialback'): Promise<Uint8Array> {
  const kept = await stores.documents.get<string>('secret', 'server', name)
  if (kept) return Buffer.from(kept.value, 'base64')
  const made = randomBytes(32)
  const put = await stores.documents.put('secret', 'server', name, made.toString('base64'), 0)
  return put === 'conflict' ? keptSecret(stores, name) : made
}

function optionsOf(plugins: Config['hosts'] extends ReadonlyMap<string, infer H> ? (H extends { plugins: infer P } ? P : never) : never): Record<string, Record<string, unknown>> {
  return Object.fromEntries(Object.entries(plugins).filter((e): e is [string, Record<string, unknown>] => e[1] !== false && e[1] !== undefined))
}
