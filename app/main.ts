// The command line: finds the verb and its config, runs it in the server that runs or here, prints what came of it.
import { mkdirSync } from 'node:fs'
import { join, resolve as absolute } from 'node:path'
import { loadConfig, type Config } from '../config/load.ts'
import { wallClock } from '../server/ports/clock.ts'
import { StoreError } from '../server/ports/store.ts'
import { isVerb, perform } from './admin.ts'
import { socketPath, storeFile } from './folder.ts'
import { failed, misused, type Outcome } from './office.ts'
import { askServer } from './socket.ts'
import { VERSION } from './version.ts'

const ROOT = join(import.meta.dirname, '..')
const TRIES = 20 // a server that is just starting holds the store before it hears us
const BETWEEN = 250 // ms
const FILES = new Set(['backup', 'export', 'import']) // their words are files: the server's folder need not be the caller's

const USAGE = `deskbell <command> [--config FILE]

  start [--test-clock]         run the server
  dial                         run the components beside another XMPP server
  check                        look for faults in the config
  user add JID [--password P] [--role agent|manager|admin] [--name "Shown Name"]
  user passwd JID [--password P]      user remove JID      user list
  user role JID agent|manager|admin|none
  token add JID [--scope S …] [--expires 90d]      token list      token remove ID
  backup FILE                  copy the store while it is in use
  export FILE                  write accounts, rosters, archives as XEP-0227
  import FILE                  take in accounts from XEP-0227; those there already stay as they are
  restore FILE                 put a backup in the store's place (server stopped)
  s2s                          other servers: each pair of domains, its state and its last error
  clock advance SECONDS        only with start --test-clock

  setting list      setting set GROUP.KEY=VALUE …            what an admin changes at run time
  queue list|show|add|set|remove NAME [KEY=VALUE …]          likewise department, brand, site, link, role, field,
                               event, macro
  canned list      canned add|set SHORT-CUT TEXT [--title T] [--group G] [--queue Q]      canned remove SHORT-CUT
  webhook list     webhook add ADDRESS [TYPE …]      webhook set ID [url=…] [types=…] [disabled=true|false]
                   webhook rotate ID      webhook remove ID
                               with several desks: --desk DOMAIN

Exit codes: 0 done, 1 failed, 2 wrong usage or config.`

/** Runs one command line; gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { code, lines } = await run(args)
  for (const line of lines) (code === 0 ? process.stdout : process.stderr).write(`${line}\n`)
  return code
}

async function run(given: readonly string[]): Promise<Outcome> {
  const split = takeConfig(given)
  if (!split) return misused('--config needs a file: deskbell start --config FILE')
  const [name, ...rest] = split.args
  if (name === undefined) return misused(USAGE)
  if (name === 'help' || name === '--help' || name === '-h') return { code: 0, lines: [USAGE] }
  if (name === '--version' || name === '-v') return { code: 0, lines: [VERSION] }
  if (!['start', 'dial', 'check', 'restore'].includes(name) && !isVerb(name)) return misused(`deskbell ${name}: no such command: deskbell help lists them`)
  const loaded = loadConfig(split.file)
  if (!loaded.ok) return { code: 2, lines: loaded.faults }
  const { config } = loaded
  switch (name) {
    case 'check': return rest.length ? misused('usage: deskbell check [--config FILE]') : { code: 0, lines: [`${split.file}: no faults`] }
    case 'start': return (await import('./commands/start.ts')).start(rest, config, line => process.stdout.write(`${line}\n`))
    case 'dial': return (await import('./commands/dial.ts')).dialOut(rest, config, line => process.stdout.write(`${line}\n`))
    case 'restore': return (await import('./commands/restore.ts')).restore(rest, config)
    default: return reach(FILES.has(name) ? [name, ...rest.map(word => word.startsWith('-') ? word : absolute(word))] : split.args, config)
  }
}

/** Has the running server do it, or does it here with the store that nobody holds. */
async function reach(args: readonly string[], config: Config): Promise<Outcome> {
  for (let left = TRIES; ; left--) {
    const outcome = await askServer(socketPath(config.data), args) ?? await here(args, config, left > 0)
    if (outcome) return outcome
    const { promise, resolve } = Promise.withResolvers<void>()
    wallClock.alarm(wallClock.now() + BETWEEN, resolve)
    await promise
  }
}

/** `undefined`: somebody else holds the store, and `mayWait`. */
async function here(args: readonly string[], config: Config, mayWait: boolean): Promise<Outcome | undefined> {
  const { openSqlite } = await import('../server/store/sqlite/sqlite.ts')
  try {
    mkdirSync(config.data, { recursive: true, mode: 0o700 })
    const stores = await openSqlite({ file: storeFile(config.data) })
    try {
      return await perform(args, { config, stores, clock: wallClock, running: false })
    } finally {
      await stores.close()
    }
  } catch (error) {
    if (error instanceof StoreError) return mayWait && /another deskbell/.test(error.message) ? undefined : failed(error.message)
    const { code, path, message } = error as NodeJS.ErrnoException
    return failed(code && path ? `${config.file}: data: ${path}: ${code}: give a folder that deskbell may write` : `deskbell broke: ${message}: this is a bug, please report it`)
  }
}

function takeConfig(args: readonly string[]): { file: string; args: string[] } | undefined {
  const rest: string[] = []
  let file = join(ROOT, 'config/deskbell.yaml')
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--config') {
      const next = args[++i]
      if (next === undefined || next === '') return undefined
      file = next
    } else if (arg.startsWith('--config=')) file = arg.slice('--config='.length)
    else rest.push(arg)
  }
  return file ? { file, args: rest } : undefined
}
