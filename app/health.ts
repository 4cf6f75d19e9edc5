// What watches the server: /healthz (alive), /readyz (ready to serve), /metrics (Prometheus, for this machine and whom the config names).
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Registry } from 'prom-client'
import { inNetworks, isLoopback } from '../server/net/address.ts'
import { onlyFrom, type HttpRouter } from '../server/net/http.ts'
import type { Signs } from './metrics.ts'

export interface Vitals extends Signs {
  /** The networks that may read /metrics besides this machine. */
  readonly watchers: readonly string[]
}

/** Adds the routes; disposing stops the measuring. */
export function serveHealth(http: HttpRouter, vitals: Vitals): Disposable {
  const lag = monitorEventLoopDelay({ resolution: 20 })
  lag.enable()
  let registry: Promise<Registry> | undefined // made when somebody looks for the first time
  const open = async (): Promise<Registry> => (await import('./metrics.ts')).registryOf(vitals, lag)

  const named = inNetworks(vitals.watchers)
  http.on('GET', '/healthz', 'open', () => ({ status: 200, body: 'ok' }))
  http.on('GET', '/readyz', 'open', () => vitals.ready() ? { status: 200, body: 'ok' } : { status: 503, body: 'not ready' })
  http.on('GET', '/metrics', onlyFrom(address => isLoopback(address) || named(address)), async () => {
    const { contentType, metrics } = await (registry ??= open()).then(r => ({ contentType: r.contentType, metrics: r.metrics() }))
    return { status: 200, headers: { 'content-type': contentType }, body: await metrics }
  })
  return { [Symbol.dispose]: () => lag.disable() }
}
