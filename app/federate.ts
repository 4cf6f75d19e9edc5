// Turns federation on where the config listens for other servers: the route abroad, the listeners and the secret of dialback.
import { readFile } from 'node:fs/promises'
import type { ServerIdentity } from '../server/net/tls.ts'
import { PeerIdentity } from '../server/net/trust.ts'
import { listenTcp, type Listening } from '../server/net/tcp.ts'
import type { Clock } from '../server/ports/clock.ts'
import type { DocumentStore } from '../server/ports/store.ts'
import type { Router } from '../server/route/router.ts'
import { Federation } from '../server/stream/s2s.ts'
import { Postbag } from '../server/stream/s2s/postbag.ts'
import type { StreamWorld } from '../server/stream/stream.ts'
import type { Strangers } from '../server/stream/strangers.ts'
import type { Config } from '../config/load.ts'

export interface Federating { readonly federation: Federation; readonly ports: Readonly<Record<string, number>> }

export interface Parts extends StreamWorld {
  readonly router: Router
  readonly identity: ServerIdentity
  readonly strangers: Strangers
  readonly secret: () => Promise<Uint8Array>
  readonly documents: DocumentStore
  readonly clock: Clock
  /** Takes what has to be closed, in the order of opening. */
  readonly keep: (thing: AsyncDisposable) => void
}

/** Undefined where the config has no s2s. Rejects where a port cannot be had. */
export async function federate(config: Config, parts: Parts): Promise<Federating | undefined> {
  const { listen: { s2s, s2sTls }, hosts, components } = config
  if (!s2s && !s2sTls) return undefined
  const { router, limits, network, log, strangers, documents, clock } = parts
  const { ca, dialback, allow, block, targets, networks } = config.s2s
  const identity = new PeerIdentity(parts.identity, ca ? certificatesIn(await readFile(ca, 'utf8')) : [])
  const federation = new Federation(
    { domains: new Set([...[...hosts].flatMap(([domain, { anonymous }]) => anonymous ? [] : [domain]), ...components.keys()]), dialback, allow, block, targets, networks },
    { router, limits, network, log, strangers, identity, secret: await parts.secret(), postbag: new Postbag({ documents, clock, log }) },
  )
  router.abroad = federation
  const ports: Record<string, number> = {}
  for (const [key, at, tls] of [['s2s', s2s, 'starttls'], ['s2s-tls', s2sTls, 'direct']] as const) {
    if (!at) continue
    const listening: Listening = await listenTcp({
      ...at, tls, identity, mutual: true, limits, rate: limits.readRate.s2s, clock: network, log, serve: t => federation.serve(t), ...(tls === 'direct' && { alpn: 'xmpp-server' }),
    })
    parts.keep(listening)
    ports[key] = listening.port
  }
  parts.keep(federation) // it ends before its listeners, which would cut its last words off
  await federation.resume()
  return { federation, ports }
}

const certificatesIn = (pem: string): string[] => pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
