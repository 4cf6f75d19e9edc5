// What watches the server: /healthz (alive), /readyz (ready to serve), /metrics (Prometheus, for this machine and whom the config names).
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Gauge, Registry } from 'prom-client'
import { inNetworks, isLoopback } from '../server/net/address.ts'
import { onlyFrom, type HttpRouter } from '../server/net/http.ts'
import type { PairState } from '../server/stream/s2s.ts'

const PAIRS = 1000 // that are named one by one

export interface Vitals {
  /** False before all listeners are open, and while the server drains. */
  ready(): boolean
  /** Sessions that are connected or may be resumed. */
  sessions(): number
  /** The pairs of domains that speak with each other; absent where federation is off. */
  readonly pairs?: () => readonly PairState[]
  /** The networks that may read /metrics besides this machine. */
  readonly watchers: readonly string[]
}

/** Adds the routes; disposing stops the measuring. */
export function serveHealth(http: HttpRouter, vitals: Vitals): Disposable {
  const lag = monitorEventLoopDelay({ resolution: 20 })
  lag.enable()
  const registry = new Registry()
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(new Gauge({ name, help, registers: [], collect() { this.set(read()) } }))
  }
  gauge('deskbell_sessions', 'Client sessions that are connected or may be resumed.', () => vitals.sessions())
  gauge('deskbell_ready', '1 while the server serves.', () => vitals.ready() ? 1 : 0)
  gauge('deskbell_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('deskbell_cpu_seconds', 'CPU time used, user and system.', () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6 })
  gauge('deskbell_event_loop_lag_seconds', 'The 99th percentile of the event loop\'s lag since the last look.', () => {
    const seconds = lag.percentile(99) / 1e9
    lag.reset()
    return Number.isFinite(seconds) ? seconds : 0
  })

  const { pairs } = vitals
  if (pairs) {
    const names = ['local', 'remote', 'direction', 'state'] as const
    registry.registerMetric(new Gauge({
      name: 'deskbell_s2s_pair_seconds', help: 'Seconds that a pair of domains is in its state; deskbell s2s tells its last error.', labelNames: names, registers: [],
      collect() {
        this.reset()
        for (const { local, remote, direction, state, since } of pairs().slice(-PAIRS)) this.set({ local, remote, direction, state }, Math.round((Date.now() - since) / 1000))
      },
    }))
    gauge('deskbell_s2s_open', 'Pairs of domains with a stream that stands, each direction by itself.', () => pairs().filter(p => p.state === 'open').length)
    gauge('deskbell_s2s_queued', 'Stanzas that wait for another server.', () => pairs().reduce((sum, p) => sum + p.queued, 0))
  }

  const named = inNetworks(vitals.watchers)
  http.on('GET', '/healthz', 'open', () => ({ status: 200, body: 'ok' }))
  http.on('GET', '/readyz', 'open', () => vitals.ready() ? { status: 200, body: 'ok' } : { status: 503, body: 'not ready' })
  http.on('GET', '/metrics', onlyFrom(address => isLoopback(address) || named(address)), async () =>
    ({ status: 200, headers: { 'content-type': registry.contentType }, body: await registry.metrics() }))
  return { [Symbol.dispose]: () => lag.disable() }
}
