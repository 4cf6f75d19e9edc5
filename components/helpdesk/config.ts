// The shape of a desk's config, as the checked file gives it, and what it and the settings make together. Pure.

import type { DeskSettings, QueueSetting } from '../../schemas/desk-settings.ts'
import type { Json, Tree } from './settings/tree.ts'

export interface QueueConfig {
  readonly name?: string
  readonly agents: 'all' | readonly string[]
  readonly assign: 'round-robin' | 'pull' | 'inherit'
  readonly accept: 'ask' | 'automatic'
  readonly view: 'contact' | 'room'
}
/** What the file says, defaults filled in; `given` holds what really stands there. */
export interface DeskConfig {
  readonly enabled: boolean
  /** What `inherit` means. */
  readonly assign: 'round-robin' | 'pull'
  /** How many conversations an agent serves at once unless told otherwise. */
  readonly capacity: number
  /** The server that carries the desk's mails. */
  readonly mail?: { readonly host: string; readonly port: number; readonly tls: 'implicit' | 'starttls' | 'none'; readonly user?: string; readonly password?: string; readonly from: string; readonly name: string }
  /** The upload service in which files of conversations lie, and the origin under which browsers reach us; absent: no files are taken. */
  readonly upload?: { readonly service: string; readonly base: () => string | undefined } | undefined
  /** Networks (CIDR) that webhooks and ticket systems may be reached in though they are not public. */
  readonly allow?: readonly string[]
  /** What settings refer to as `secret:NAME`: read, by name. */
  readonly secrets?: ReadonlyMap<string, string>
  readonly queues: ReadonlyMap<string, QueueConfig>
  readonly given?: { readonly enabled?: boolean; readonly assign?: string; readonly capacity?: number; readonly queues?: Readonly<Record<string, object | null>> } | null
}

/** What holds now: the file's word over the settings. */
export interface Current extends Omit<DeskConfig, 'queues' | 'given' | 'mail' | 'allow' | 'upload' | 'secrets'> { readonly queues: ReadonlyMap<string, QueueSetting> }

/** What the file says, as settings that nobody can change. */
export function fixedBy({ given }: DeskConfig): Tree {
  const { enabled, assign, capacity, queues } = given ?? {}
  return {
    ...(enabled === undefined ? {} : { system: { enabled } }),
    ...(assign === undefined && capacity === undefined ? {} : { distribution: { ...(assign === undefined ? {} : { assign }), ...(capacity === undefined ? {} : { capacity }) } }),
    ...(queues ? { queues: Object.fromEntries(Object.entries(queues).map(([name, q]) => [name, (q ?? {}) as Json])) } : {}), // the file is checked: JSON of these shapes
  }
}

export const current = (s: DeskSettings): Current => ({ enabled: s.system.enabled, assign: s.distribution.assign, capacity: s.distribution.capacity, queues: new Map(Object.entries(s.queues)) })

export const assigns = (c: Current, queue: string): 'round-robin' | 'pull' => {
  const q = c.queues.get(queue)?.assign ?? 'pull'
  return q === 'inherit' ? c.assign : q
}
/** The shown name of a queue: as the settings say, else its own name with a capital. */
export const queueName = (c: Current, queue: string): string => c.queues.get(queue)?.name ?? queue.slice(0, 1).toUpperCase() + queue.slice(1)
