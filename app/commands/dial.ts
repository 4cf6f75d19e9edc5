// `deskbell dial`: runs the components of the config beside another XMPP server (XEP-0114), and no server of its own.
import { mkdirSync } from 'node:fs'
import { dial } from '../../components/dial.ts'
import { muc } from '../../components/muc/muc.ts'
import { helpdesk } from '../../components/helpdesk/desk.ts'
import { diskFiles } from '../../components/upload/files.ts'
import { pubsub } from '../../components/pubsub/pubsub.ts'
import { upload } from '../../components/upload/upload.ts'
import { webchat } from '../../components/webchat/webchat.ts'
import type { ComponentConfig, Config } from '../../config/load.ts'
import type { Component } from '../../server/component/component.ts'
import { HttpRouter, listenHttp, type HttpListening } from '../../server/net/http.ts'
import { ServerIdentity, selfSigned } from '../../server/net/tls.ts'
import { wallClock } from '../../server/ports/clock.ts'
import type { Log } from '../../server/ports/log.ts'
import { StoreError, type Stores } from '../../server/ports/store.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { storeFile } from '../folder.ts'
import { serveHealth } from '../health.ts'
import { openLog } from '../log.ts'
import { readSecrets } from '../secrets.ts'
import { failed, misused, type Outcome } from '../office.ts'

const PATIENCE = 30_000 // ms that a shutdown may take

interface Wanted { readonly domain: string; readonly secret: string; readonly config: ComponentConfig }

/** Runs until SIGTERM or SIGINT; a server that is away is waited for, a server that refuses ends it. */
export async function dialOut(args: readonly string[], config: Config, say: (line: string) => void): Promise<Outcome> {
  if (args.length) return misused('usage: deskbell dial [--config FILE]')
  const wanted = read(config)
  if (!Array.isArray(wanted)) return wanted
  const { log } = openLog()
  const told = Promise.withResolvers<void>()
  process.on('SIGTERM', told.resolve)
  process.on('SIGINT', told.resolve)
  let late: Disposable | undefined
  try {
    await using stack = new AsyncDisposableStack()
    mkdirSync(config.data, { recursive: true, mode: 0o700 })
    const stores = await openSqlite({ file: storeFile(config.data), log })
    stack.defer(() => stores.close())
    await serve(config, wanted, { stores, log }, stack, say)
    await told.promise
    late = wallClock.alarm(wallClock.now() + PATIENCE, () => process.exit(1))
    say('stopping')
  } catch (error) {
    return failed(explain(error as Error, config))
  } finally {
    late?.[Symbol.dispose]()
  }
  return { code: 0, lines: [] }
}

async function serve(config: Config, wanted: readonly Wanted[], world: { stores: Stores; log: Log }, stack: AsyncDisposableStack, say: (line: string) => void): Promise<void> {
  const { host, port } = config.dial! // read() has looked
  const { limits } = config
  const doors = new Doors()
  const up = new Set<string>()
  const ports: Record<string, number> = {}
  if (config.listen.http) {
    const { http } = config.listen
    const files = config.tls ?? (http.tls ? await selfSigned(`${config.data}/tls`, [...config.components.keys()], wallClock.now()) : undefined)
    const identity = http.tls && files ? await ServerIdentity.load(files) : undefined
    stack.use(serveHealth(doors, { ready: () => up.size === wanted.length, watchers: http.metrics }))
    const web: HttpListening = stack.use(await listenHttp({ ...http, router: doors, identity, limits, clock: wallClock, log: world.log }))
    ports['http'] = web.port
    say(`browser: ${http.tls ? 'https' : 'http'}://${http.address ?? 'localhost'}:${web.port}/`)
  }
  for (const { domain, secret, config: own } of wanted) {
    stack.use(await dial(componentOf(own, config, ports, world.log), {
      domain, secret, host, port, reconnect: true,
      world: { ...world, clock: wallClock, limits },
      ...(config.listen.http && { http: () => doors.fresh(domain) }),
      onStart: () => { up.add(domain); say(`${domain} serves beside ${host}:${port}`); if (up.size === wanted.length) say('deskbell is ready') },
      onEnd: why => { up.delete(domain); say(`${why}: trying again`) },
    }))
  }
}

/** The components and their secrets, or what is wrong, a line for each fault. */
function read(config: Config): Wanted[] | Outcome {
  const { dial: to, file } = config
  if (!to) return { code: 2, lines: [`${file}: dial: is not there: add dial: { host, port, secrets }`] }
  const lines: string[] = []
  const wanted: Wanted[] = []
  for (const [domain, c] of config.components) {
    const secret = to.secrets.get(domain)
    if (c.kind === 'external') lines.push(`${file}: components.${domain}: connects from outside by itself: leave it out here`)
    else if (secret === undefined) lines.push(`${file}: dial.secrets: has none for ${domain}: add the secret that the server knows it by`)
    else wanted.push({ domain, secret, config: c })
    if (c.kind === 'upload' && !c.url) lines.push(`${file}: components.${domain}.upload.url: is not there: give the origin under which the http listener is reached`)
    if (c.kind !== 'helpdesk') continue
    for (const [queue, { agents }] of c.queues) {
      if (agents === 'all') lines.push(`${file}: components.${domain}.helpdesk.queues.${queue}.agents: all is nobody, for the accounts are another server's: list their JIDs`)
    }
  }
  if (config.components.size === 0) lines.push(`${file}: components: there are none: add those that shall run`)
  return lines.length ? { code: 2, lines } : wanted
}

function componentOf(c: ComponentConfig, config: Config, ports: Readonly<Record<string, number>>, log: Log): Component {
  switch (c.kind) {
    case 'muc': return muc({})
    case 'helpdesk': return helpdesk({ ...c, upload: [...config.components].flatMap(([service, other]) => other.kind === 'upload' ? [{ service, base: () => other.url }] : [])[0], secrets: readSecrets(c.secrets, log) })
    case 'webchat': return webchat(c, () => ({ hosts: [...config.hosts.keys()], ports, selfSigned: false }))
    case 'pubsub': return pubsub()
    case 'upload': return upload(c, { files: () => diskFiles(`${config.data}/uploads`), base: () => c.url, trusts: domain => config.components.get(domain)?.kind === 'helpdesk' })
    case 'external': throw new Error('read() lets none through')
  }
}

/** The routes of each component as its newest start brought them. */
class Doors extends HttpRouter {
  readonly #rooms = new Map<string, HttpRouter>()

  fresh(domain: string): HttpRouter {
    const room = new HttpRouter()
    this.#rooms.set(domain, room)
    return room
  }

  override find(method: string, path: readonly string[]): ReturnType<HttpRouter['find']> {
    const allowed = new Set<string>()
    for (const room of this.#rooms.values()) {
      const found = room.find(method, path)
      if ('route' in found) return found
      for (const m of found.allowed) allowed.add(m)
    }
    const own = super.find(method, path)
    return 'route' in own ? own : { allowed: [...new Set([...allowed, ...own.allowed])].sort() }
  }

  override findUpgrade(path: readonly string[]): ReturnType<HttpRouter['findUpgrade']> {
    for (const room of this.#rooms.values()) {
      const found = room.findUpgrade(path)
      if (found) return found
    }
    return super.findUpgrade(path)
  }
}

function explain(error: Error, config: Config): string {
  if (error instanceof StoreError) return error.message
  const { code, port, path, message } = error as NodeJS.ErrnoException & { port?: number }
  if (code === 'EADDRINUSE' && port === config.listen.http?.port) return `${config.file}: listen.http.port: ${port} is taken by another program: end that program, or give another port`
  if (code && path) return `${config.file}: data: ${path}: ${code}: give a folder that deskbell may write`
  const refused = [...config.components.keys()].some(domain => message.startsWith(`${domain}: `))
  return refused ? `${message}: look at dial.port and dial.secrets, and at the server's log` : `deskbell dial broke: ${message}: this is a bug, please report it`
}
