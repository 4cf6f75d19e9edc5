// The shape of a desk's config, as the checked file gives it. Pure: types only.

export interface QueueConfig {
  readonly name?: string
  readonly agents: 'all' | readonly string[]
  readonly assign: 'round-robin' | 'pull' | 'inherit'
  readonly accept: 'ask' | 'automatic'
  readonly view: 'contact' | 'room'
}
export interface DeskConfig {
  readonly enabled: boolean
  /** What `inherit` means. */
  readonly assign: 'round-robin' | 'pull'
  /** How many conversations an agent serves at once unless told otherwise. */
  readonly capacity: number
  readonly queues: ReadonlyMap<string, QueueConfig>
}

export const assigns = (c: DeskConfig, queue: string): 'round-robin' | 'pull' => {
  const q = c.queues.get(queue)?.assign ?? 'pull'
  return q === 'inherit' ? c.assign : q
}
/** The shown name of a queue: as the config says, else its own name with a capital. */
export const queueName = (c: DeskConfig, queue: string): string => c.queues.get(queue)?.name ?? queue.slice(0, 1).toUpperCase() + queue.slice(1)
