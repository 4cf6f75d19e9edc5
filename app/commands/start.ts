// `deskbell start`: opens the store, builds the house, says where it is, and takes it down again when told to.
import { mkdirSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { parseArgs } from 'node:util'
import { loadConfig, type Config } from '../../config/load.ts'
import type { Ending } from '../../protocols/ending.ts'
import { TestClock, wallClock, type Clock } from '../../server/ports/clock.ts'
import type { Log } from '../../server/ports/log.ts'
import { StoreError } from '../../server/ports/store.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { compose, type House } from '../compose.ts'
import { openLog, type Journal } from '../log.ts'
import { exposeCollector, Tidying } from '../memory.ts'
import { socketPath, storeFile } from '../folder.ts'
import { failed, misused, type Office, type Outcome } from '../office.ts'
import { serveAdmin } from '../socket.ts'
import { makeAccount } from './user.ts'
import { isOutcome } from './words.ts'

const PATIENCE = 30_000 // ms that a shutdown may take

/** Runs until SIGTERM or SIGINT, or until an admin ends it; the outcome is the program's. `say` writes a line for the admin. */
export async function start(args: readonly string[], config: Config, say: (line: string) => void): Promise<Outcome> {
  let testing = false
  try {
    testing = parseArgs({ args: [...args], options: { 'test-clock': { type: 'boolean' } } }).values['test-clock'] ?? false
  } catch {
    return misused('usage: deskbell start [--config FILE] [--test-clock]')
  }
  const clock = testing ? new TestClock() : wallClock
  const journal = openLog()
  const signals = new Signals()
  for (let now = config; ;) {
    const ended = await run(now, clock, journal, signals, say)
    if (ended !== 'restart') return ended
    if (signals.heard) return { code: 0, lines: [] } // meanwhile
    now = reread(now, journal.log) ?? now
  }
}

/** SIGTERM and SIGINT: once they are listened for they stay heard, so that a second one does not cut the first short. */
class Signals {
  readonly #stop = Promise.withResolvers<Ending>()
  readonly stop = this.#stop.promise
  heard = false
  #listens = false

  listen(): void {
    if (this.#listens) return
    this.#listens = true
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => { this.heard = true; this.#stop.resolve('stop') })
  }
}

async function run(config: Config, clock: Clock, journal: Journal, signals: Signals, say: (line: string) => void): Promise<Outcome | 'restart'> {
  const { log } = journal
  const word = Promise.withResolvers<Ending>()
  let how: Ending
  let late: Disposable | undefined
  try {
    await using stack = new AsyncDisposableStack()
    const { office, house, tidy } = await open(config, clock, journal, stack, word.resolve)
    const lines = await welcome(office, house)
    const told = untilTold(() => reload(office, house, log), signals, word.promise) // before anybody hears that it is ready, and tells it to end
    for (const line of lines) say(line)
    flushCompileCache() // now: who is killed writes nothing at his end
    stack.use(new Tidying(wallClock, tidy))
    how = await told
    // What hangs must not keep the program: what was committed is safe.
    late = wallClock.alarm(wallClock.now() + PATIENCE, () => process.exit(1))
    say(how === 'restart' ? 'restarting' : 'stopping')
  } catch (error) {
    return failed(explain(error, config))
  } finally {
    late?.[Symbol.dispose]()
  }
  return how === 'restart' ? how : { code: 0, lines: [] }
}

async function open(config: Config, clock: Clock, journal: Journal, stack: AsyncDisposableStack, end: (how: Ending) => void): Promise<{ office: Office; house: House; tidy: () => void }> {
  const { log } = journal
  mkdirSync(config.data, { recursive: true, mode: 0o700 })
  exposeCollector()
  const stores = await openSqlite({ file: storeFile(config.data), log })
  stack.defer(() => stores.close())
  const house = stack.use(await compose(config, { stores, clock, log, logDropped: () => journal.dropped, end }))
  const office: Office = {
    config, stores, clock, running: true,
    changed: (jid, what) => house.accountChanged(jid, what), farewell: jid => house.farewell(jid), tokensEnded: () => house.tokensEnded(), desks: house.desks,
    ...(house.pairs && { pairs: house.pairs }),
    ...(clock instanceof TestClock && { advance: (ms: number) => clock.advance(ms) }),
  }
  stack.use(await serveAdmin(socketPath(config.data), office))
  return { office, house, tidy: () => stores.tidy() }
}

/** What the terminal says at the start: on the first one the admin's password, and always where to point a browser and a client. */
async function welcome(office: Office, house: House): Promise<string[]> {
  const { config } = office
  const { ports } = house
  const host = [...config.hosts.keys()][0] ?? '' // a config has a host
  const lines: string[] = []
  if (config.hosts.get(host)?.plugins['ldap']) lines.push(`the directory keeps the passwords of ${host}: whoever has logged in is made an admin with deskbell user role, or by roles in the config`)
  else {
    const password = await firstAdmin(office, host)
    if (password !== undefined) lines.push(`admin@${host} password: ${password}`)
  }
  const { http } = config.listen
  if (http) lines.push(`browser: ${http.tls ? 'https' : 'http'}://${shownAddress(http.address)}:${ports['http']}/`)
  const ways = [ports['c2s'] !== undefined && `port ${ports['c2s']} (STARTTLS)`, ports['c2s-tls'] !== undefined && `port ${ports['c2s-tls']} (TLS)`].filter(Boolean)
  if (ways.length) lines.push(`XMPP client: account such as admin@${host}, server ${shownAddress(config.listen.c2s?.address ?? config.listen.c2sTls?.address)}, ${ways.join(' or ')}${config.tls ? '' : ', accept its own certificate once'}`)
  const servers = ['s2s', 's2s-tls'].flatMap(key => ports[key] ?? [])
  if (servers.length) lines.push(`other servers: port ${servers.join(' and ')}`)
  if (ports['component'] !== undefined) lines.push(`components: port ${ports['component']}`)
  lines.push('deskbell is ready')
  return lines
}

// The mark in the store, not the account, says that there was a first start: an admin who was removed stays so.
async function firstAdmin(office: Office, host: string): Promise<string | undefined> {
  const { documents } = office.stores
  if (await documents.get('server', 'server', 'first-start')) return undefined
  const made = await makeAccount(office, Jid.of('admin', host), { role: 'admin' })
  await documents.put('server', 'server', 'first-start', { at: office.clock.now() }, 0)
  return isOutcome(made) ? undefined : made.password
}

/** Resolves at a signal to stop, or when somebody within says how; each SIGHUP runs `again`. */
async function untilTold(again: () => Promise<void>, signals: Signals, word: Promise<Ending>): Promise<Ending> {
  const reloading = (): void => void again()
  process.on('SIGHUP', reloading)
  signals.listen()
  try { return await Promise.race([signals.stop, word]) } finally { process.off('SIGHUP', reloading) }
}

/** What the file says now; undefined: it has faults, which stand in the log. */
function reread({ file }: Config, log: Log): Config | undefined {
  const loaded = loadConfig(file)
  if (loaded.ok) return loaded.config
  for (const fault of loaded.faults) log.error({}, `the config stays as it was: ${fault}`)
  return undefined
}

async function reload({ config }: Office, house: House, log: Log): Promise<void> {
  const read = reread(config, log)
  if (!read) return
  try {
    const later = await house.reload(read)
    log.warn({}, later.length ? `config and certificate read again; these take effect at the next start: ${later.join(', ')}` : 'config and certificate read again')
  } catch (err) {
    log.error({ err }, 'the certificate stays as it was: give a PEM file with its key')
  }
}

function explain(error: unknown, config: Config): string {
  if (error instanceof StoreError) return error.message
  const { code, port, path, message } = error as NodeJS.ErrnoException & { port?: number }
  const key = Object.entries(config.listen).find(([, at]) => at.port === port)?.[0]?.replace('Tls', '-tls')
  const where = `${config.file}: listen.${key ?? '?'}`
  switch (code) {
    case 'EADDRINUSE': return `${where}.port: ${port} is taken by another program: end that program, or give another port`
    case 'EACCES': if (key) return `${where}.port: ${port} may not be listened to by this user: give a port from 1024`; break
    case 'EADDRNOTAVAIL': return `${where}.address: is no address of this machine: give one it has, or none`
  }
  if (code && path) return `${config.file}: data: ${path}: ${code}: give a folder that deskbell may write`
  return `deskbell start broke: ${message}: this is a bug, please report it`
}

const shownAddress = (address: string | undefined): string =>
  address === undefined || ['::', '0.0.0.0', '127.0.0.1', '::1'].includes(address) ? 'localhost' : address.includes(':') ? `[${address}]` : address
