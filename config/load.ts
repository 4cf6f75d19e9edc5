// From a YAML file to a checked `Config`: defaults filled in, paths absolute, or every fault at once.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Limits } from '../schemas/limits.ts'
import { fault, schema, shapeFaults } from './faults.ts'
import { fill } from './fill.ts'
import { meaningFaults } from './meaning.ts'

export type { Limits } from '../schemas/limits.ts'

export interface Listener { readonly port: number; readonly address?: string }
export interface HttpListener extends Listener {
  readonly tls: boolean
  readonly proxies: readonly string[]
  readonly metrics: readonly string[]
}

/** A plugin's options; `false` turns it off. */
export type PluginOptions = false | { readonly [option: string]: unknown }

export interface HostConfig {
  /** 'approval': an admin lets new accounts in. */
  readonly registration: boolean | 'approval'
  readonly anonymous: boolean
  readonly scramIterations: number
  /** Only the plugins that the file names. `mam.keep` is milliseconds. */
  readonly plugins: { readonly mam?: false | { readonly keep?: number } } & { readonly [plugin: string]: PluginOptions }
}

export interface QueueConfig {
  readonly name?: string
  readonly agents: 'all' | readonly string[]
  readonly assign: 'round-robin' | 'pull' | 'inherit'
  readonly accept: 'ask' | 'automatic'
  readonly view: 'contact' | 'room'
}

export type ComponentConfig =
  | { readonly kind: 'muc' }
  | {
    readonly kind: 'helpdesk'
    readonly enabled: boolean
    readonly assign: 'round-robin' | 'pull'
    readonly capacity: number
    readonly mail?: { readonly host: string; readonly port: number; readonly tls: 'implicit' | 'starttls' | 'none'; readonly user?: string; readonly password?: string; readonly from: string; readonly name: string }
    /** Where secrets are: `env:NAME`, or `file:PATH` with the path absolute. */
    readonly secrets: ReadonlyMap<string, string>
    readonly queues: ReadonlyMap<string, QueueConfig>
    /** As it stands in the file, without defaults: what nobody changes at run time. */
    readonly given: { readonly enabled?: boolean; readonly assign?: string; readonly capacity?: number; readonly queues?: Readonly<Record<string, object | null>> } | null
  }
  | { readonly kind: 'webchat'; readonly desk: string; readonly queue: string; readonly origins: readonly string[] }
  | { readonly kind: 'pubsub' }
  | { readonly kind: 'upload'; readonly url?: string; readonly types: readonly string[] }
  | { readonly kind: 'external'; readonly secret: string }

/** A checked config file. Paths are absolute, sizes bytes, spans of time milliseconds. */
export interface Config {
  readonly file: string
  readonly data: string
  readonly store: string
  readonly bus: string
  readonly tls?: { readonly certificate: string; readonly key: string; readonly more: readonly { readonly certificate: string; readonly key: string }[]; readonly clientCa?: string }
  readonly listen: {
    readonly c2s?: Listener & { readonly location?: string }
    readonly c2sTls?: Listener
    readonly s2s?: Listener
    readonly s2sTls?: Listener
    readonly component?: Listener
    readonly http?: HttpListener
  }
  readonly s2s: {
    readonly dialback: boolean | readonly string[]
    /** A PEM file. */
    readonly ca?: string
    readonly allow?: readonly string[]
    readonly block: readonly string[]
    readonly targets: ReadonlyMap<string, string>
    readonly networks: readonly string[]
  }
  readonly requireTls: boolean
  /** By domain, in the file's order: the first is where admin@ lives. Never empty. */
  readonly hosts: ReadonlyMap<string, HostConfig>
  readonly components: ReadonlyMap<string, ComponentConfig>
  /** The server that `deskbell dial` goes to; `secrets` by component's domain. */
  readonly dial?: { readonly host: string; readonly port: number; readonly secrets: ReadonlyMap<string, string> }
  readonly limits: Limits
}

export type Loaded = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly faults: readonly string[] }

/** Reads and checks a config file. Each fault is one line: `FILE: key: what is wrong: the mend`. */
export function loadConfig(file: string): Loaded {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return refuse(file, [`cannot be read (${(error as NodeJS.ErrnoException).code}): give another with --config FILE`])
  }
  return readConfig(text, file)
}

/** As `loadConfig`, for text already read; certificate files are looked for beside `file`. */
export function readConfig(text: string, file: string): Loaded {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  if (document.errors.length) {
    return refuse(file, document.errors.map(error => {
      const { line, col } = lines.linePos(error.pos[0])
      return `line ${line}, column ${col}: ${firstLine(error.message)}: mend the YAML there`
    }))
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 50 })
  } catch (error) {
    return refuse(file, [`the whole file: ${firstLine((error as Error).message)}: write it without anchors and aliases`])
  }
  const odd = isMap(document.contents) ? document.contents.items.filter(pair => !isScalar(pair.key)) : []
  if (odd.length) return refuse(file, ['the whole file: a key is no plain word: write `key: value`'])
  const base = dirname(resolve(file))
  const shape = shapeFaults(value)
  const broken = new Set(shape.map(({ path }) => path[0]))
  const meaning = meaningFaults(value, base).filter(({ path }) => !broken.has(path[0]) || shape.every(other => !starts(path, other.path)))
  const faults = [...shape, ...meaning]
  if (value === null || value === undefined) return refuse(file, [fault([], 'is empty', 'begin with config/deskbell.yaml').line])
  if (faults.length) return refuse(file, faults.map(({ line }) => line))
  return { ok: true, config: build(value, file, base) }
}

function build(value: unknown, file: string, base: string): Config {
  // `fill` follows the schema, whose shape the interfaces above repeat
  const filled = fill(schema, schema, value) as Omit<Config, 'file' | 'components'> & { components: ReadonlyMap<string, Record<string, object>> }
  const components = new Map<string, ComponentConfig>()
  const written = (value as { components?: Record<string, Record<string, object | null>> }).components // the schema has seen it
  for (const [domain, kinds] of filled.components) {
    for (const [kind, options] of Object.entries(kinds)) components.set(domain, { kind, ...options, ...(kind === 'helpdesk' && { given: written?.[domain]?.[kind] ?? null, secrets: placed((options as { secrets?: ReadonlyMap<string, string> }).secrets, base) }) } as ComponentConfig)
  }
  const { component, ...listen } = filled.listen
  return {
    ...filled,
    file: resolve(file),
    data: resolve(base, filled.data),
    ...(filled.tls && { tls: { certificate: resolve(base, filled.tls.certificate), key: resolve(base, filled.tls.key), more: filled.tls.more.map(({ certificate, key }) => ({ certificate: resolve(base, certificate), key: resolve(base, key) })), ...(filled.tls.clientCa && { clientCa: resolve(base, filled.tls.clientCa) }) } }),
    s2s: { ...filled.s2s, ...(filled.s2s.ca && { ca: resolve(base, filled.s2s.ca) }) },
    listen: { ...listen, ...(component && { component: { address: '127.0.0.1', ...component } }) },
    components,
    hosts: new Map([...filled.hosts].map(([domain, options]) => [domain, { ...options, plugins: located(options.plugins, base) }])),
  }
}

/** With the paths of secrets' files made absolute. */
const placed = (secrets: ReadonlyMap<string, string> = new Map(), base: string): ReadonlyMap<string, string> =>
  new Map([...secrets].map(([name, place]) => [name, place.startsWith('file:') ? `file:${resolve(base, place.slice('file:'.length))}` : place]))

/** With the path of a plugin's file made absolute. */
function located(plugins: HostConfig['plugins'], base: string): HostConfig['plugins'] {
  const { ldap } = plugins
  return ldap && typeof ldap['ca'] === 'string' ? { ...plugins, ldap: { ...ldap, ca: resolve(base, ldap['ca']) } } : plugins
}

const refuse = (file: string, lines: readonly string[]): Loaded => ({ ok: false, faults: lines.map(line => `${file}: ${line}`) })

const firstLine = (text: string): string => text.split('\n')[0] ?? text

const starts = (path: readonly string[], prefix: readonly string[]): boolean => prefix.every((part, i) => path[i] === part)
