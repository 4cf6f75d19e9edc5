// The series of /metrics: read from what the house counts anyway, when somebody asks. Labels come from the config and from
// short lists of ours, and each has a bound: nothing that a stranger sends makes a series.
import type { monitorEventLoopDelay } from 'node:perf_hooks'
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Happened, QueueCount } from '../components/helpdesk/tally.ts'
import type { StoreWork } from '../server/store/sqlite/sqlite.ts'
import type { PairState } from '../server/stream/s2s.ts'

const PAIRS = 1000 // that are named one by one

/** How a session is connected; `hibernated`: not at all, and may be resumed; `login`: nobody has logged in yet. */
export type SessionKind = 'tcp' | 'tls' | 'websocket' | 'bosh' | 'hibernated' | 'login'
type Lag = ReturnType<typeof monitorEventLoopDelay>
type Kinds = Readonly<Record<'message' | 'presence' | 'iq', number>>

/** What can be seen of the house from outside. What is absent is not there, and has no series. */
export interface Signs {
  /** False before all listeners are open, and while the server drains. */
  ready(): boolean
  readonly sessions?: () => Readonly<Record<SessionKind, number>>
  /** Stanzas of local devices since the start, by host. */
  readonly stanzas?: () => Iterable<readonly [host: string, passed: { readonly in: Kinds; readonly out: Kinds }]>
  readonly store?: () => StoreWork
  /** Lines of the log that could not be written. */
  readonly logDropped?: () => number
  /** The pairs of domains that speak with each other. */
  readonly pairs?: () => readonly PairState[]
  /** When the certificate in force ends, in ms since 1970. */
  readonly certificateEnds?: () => number
  readonly desks?: () => Iterable<readonly [desk: string, tally: { readonly happened: Happened; readonly queues: readonly QueueCount[] } | undefined]>
}

/** A registry that reads `signs` at each look; `lag` is begun anew with it. */
export function registryOf(signs: Signs, lag: Lag): Registry {
  const registry = new Registry()
  type Row = readonly [value: number, labels: Record<string, string>]
  const add = (kind: typeof Gauge | typeof Counter, name: string, help: string, labelNames: readonly string[], read: () => Iterable<Row>): void => {
    registry.registerMetric(new kind({
      name: `deskbell_${name}`, help, labelNames: [...labelNames], registers: [],
      collect() {
        this.reset()
        for (const [value, labels] of read()) this.inc(labels, value)
      },
    }))
  }
  const gauge = (name: string, help: string, read: () => number): void => add(Gauge, name, help, [], () => [[read(), {}]])
  const total = (name: string, help: string, read: () => number): void => add(Counter, name, help, [], () => [[read(), {}]])

  gauge('ready', '1 while the server serves.', () => signs.ready() ? 1 : 0)
  ofProcess(gauge, total, lag)

  const { sessions, stanzas, store, logDropped, pairs, certificateEnds, desks } = signs
  if (sessions) add(Gauge, 'sessions', 'Client sessions by how they are connected; hibernated: not connected, may be resumed; login: nobody has logged in yet.', ['kind'], () => Object.entries(sessions()).map(([kind, n]) => [n, { kind }]))
  if (stanzas) {
    add(Counter, 'stanzas_total', 'Stanzas of local clients: in, what they sent; out, what was sent to them.', ['host', 'direction', 'kind'], function* () {
      for (const [host, passed] of stanzas()) for (const direction of ['in', 'out'] as const) for (const kind of ['message', 'presence', 'iq'] as const) yield [passed[direction][kind], { host, direction, kind }]
    })
  }
  if (certificateEnds) gauge('certificate_expiry_seconds', 'When the certificate in force ends, in seconds since 1970.', () => certificateEnds() / 1000)
  if (logDropped) total('log_dropped_total', 'Lines of the log that could not be written: its disk is full, or its reader gone.', logDropped)
  if (store) {
    add(Gauge, 'store_waiting', 'Calls that wait for the store.', ['kind'], () => { const { waiting } = store(); return [[waiting.writes, { kind: 'write' }], [waiting.reads, { kind: 'read' }]] })
    add(Counter, 'store_calls_total', 'Calls that the store has answered.', ['kind'], () => { const { writes, reads } = store(); return [[writes, { kind: 'write' }], [reads, { kind: 'read' }]] })
    total('store_commits_total', 'Commits, each one sync of the disk for all that came together.', () => store().commits)
    total('store_failures_total', 'Calls that came to nothing: disk full, disk broken.', () => store().failures)
    gauge('store_journal_bytes', 'What is written first and taken in later: it grows while somebody reads the file of the store and does not end.', () => store().journal)
  }
  if (pairs) {
    add(Gauge, 's2s_pair_seconds', 'Seconds that a pair of domains is in its state; deskbell s2s tells its last error.', ['local', 'remote', 'direction', 'state'], () =>
      unlike(pairs().slice(-PAIRS)).map(({ local, remote, direction, state, since }) => [Math.round((Date.now() - since) / 1000), { local, remote, direction, state }]))
    add(Gauge, 's2s_pairs', 'Pairs of domains by their state, each direction by itself.', ['direction', 'state'], () => { const all = pairs(); return (['out', 'in'] as const).flatMap(direction => (['open', 'connecting', 'waiting', 'closed'] as const).map((state): Row => [all.filter(p => p.direction === direction && p.state === state).length, { direction, state }])) })
    gauge('s2s_open', 'Pairs of domains with a stream that stands, each direction by itself.', () => pairs().filter(p => p.state === 'open').length)
    gauge('s2s_queued', 'Stanzas that wait for another server.', () => pairs().reduce((sum, p) => sum + p.queued, 0))
  }
  if (desks) {
    const each = function* <T>(of: (tally: { happened: Happened; queues: readonly QueueCount[] }) => Iterable<T>): Iterable<readonly [string, T]> {
      for (const [desk, tally] of desks()) if (tally) for (const one of of(tally)) yield [desk, one] as const
    }
    const queues = function* (of: (q: QueueCount) => Iterable<Row>): Iterable<Row> {
      for (const [desk, q] of each(t => t.queues)) for (const [value, labels] of of(q)) yield [value, { desk, queue: q.queue, ...labels }]
    }
    add(Gauge, 'desk_conversations', 'Conversations by queue and state.', ['desk', 'queue', 'state'], () => queues(q => (['waiting', 'offered', 'active', 'ended'] as const).map(state => [q[state], { state }])))
    add(Gauge, 'desk_longest_wait_seconds', 'How long the first in line has waited.', ['desk', 'queue'], () => queues(q => [[q.longest / 1000, {}]]))
    add(Gauge, 'desk_receiving', 'Operators who receive conversations of a queue.', ['desk', 'queue'], () => queues(q => [[q.receiving, {}]]))
    add(Counter, 'desk_offers_total', 'Offers to operators, transfers included, and what became of them.', ['desk', 'outcome'], function* () {
      for (const [desk, h] of each(t => [t.happened])) for (const outcome of ['offered', 'accepted', 'declined', 'lapsed', 'revoked'] as const) yield [h[outcome], { desk, outcome }]
    })
    add(Counter, 'desk_conversations_total', 'Conversations that were opened and closed.', ['desk', 'event'], function* () {
      for (const [desk, h] of each(t => [t.happened])) for (const event of ['opened', 'closed'] as const) yield [h[event], { desk, event }]
    })
    add(Counter, 'desk_lines_total', 'Lines written in conversations.', ['desk'], function* () { for (const [desk, h] of each(t => [t.happened])) yield [h.lines, { desk }] })
  }
  return registry
}

type Add = (name: string, help: string, read: () => number) => void

function ofProcess(gauge: Add, total: Add, lag: Lag): void {
  gauge('memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('heap_bytes', 'Memory of living objects and those not collected yet.', () => getHeapStatistics().used_heap_size)
  gauge('heap_limit_bytes', 'Where the heap ends.', () => getHeapStatistics().heap_size_limit)
  gauge('start_time_seconds', 'When the process started, in seconds since 1970.', () => Math.round(Date.now() / 1000 - process.uptime()))
  total('cpu_seconds_total', 'CPU time used, user and system.', () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6 })
  const pauses = { seconds: 0 }
  new PerformanceObserver(list => { for (const e of list.getEntries()) pauses.seconds += e.duration / 1000 }).observe({ entryTypes: ['gc'] })
  total('gc_seconds_total', `Time in garbage collection since metrics were first read.`, () => pauses.seconds)
  gauge('event_loop_lag_seconds', 'The 99th percentile of the event loop\'s lag since the last look.', () => {
    const seconds = lag.percentile(99) / 1e9
    lag.reset()
    return Number.isFinite(seconds) ? seconds : 0
  })
}

/** One for each row of labels: several streams of one pair stand as the oldest. */
function unlike(pairs: readonly PairState[]): PairState[] {
  const byLabels = new Map<string, PairState>()
  for (const p of pairs) {
    const key = `${p.local} ${p.remote} ${p.direction} ${p.state}`
    const known = byLabels.get(key)
    if (!known || p.since < known.since) byLabels.set(key, p)
  }
  return [...byLabels.values()]
}
