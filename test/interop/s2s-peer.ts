// Another server as the scenes see it, and what it is told to begin with.
import type { Actor } from '../harness/scene.ts'
import type { Paper } from '../wire/s2s-houses.ts'

export interface Peer extends AsyncDisposable {
  /** Somebody with an account there, connected. */
  actor(local: string): Promise<Actor>
}

export interface PeerSetup {
  /** Emptied by the caller in the end. */
  readonly folder: string
  readonly domain: string
  /** 127.0.0.x, where other servers find it. */
  readonly address: string
  readonly port: number
  /** Its port for TLS from the first byte, if it has one. */
  readonly direct: number
  readonly c2s: number
  readonly paper: Paper
  /** A file of certificates that it trusts. */
  readonly ca: string
  /** Our port for other servers, for all of our domains. */
  readonly us: number
  /** Our port for TLS from the first byte, where DNS is to know of no other. */
  readonly usDirect?: number
  readonly ours: readonly string[]
  /** True: certificates that cannot be verified are refused. False: dialback is enough. */
  readonly strict: boolean
}
