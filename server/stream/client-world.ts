// What the streams of clients share: the hosts, the sessions, and what a login needs.
import type { Host } from '../host/host.ts'
import type { Devices } from './devices.ts'
import type { StreamWorld } from './stream.ts'

export interface ClientWorld extends StreamWorld {
  readonly hosts: ReadonlyMap<string, Host>
  /** False: without TLS one may log in from this address (loopback under `require-tls: false`). */
  requireTls(remote: string): boolean
  /** Keys for salts of accounts that do not exist; the same after a restart. */
  readonly secret: Uint8Array
  readonly iterations: number
  readonly devices: Devices
}
