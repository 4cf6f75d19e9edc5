// Random octets of the system, fetched for many at a time: a login needs some four times, and each fetch costs as much as a hash.
import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(4096)
let used = pool.length

/** So many octets (4096 at most), which nobody else gets, as base64url: for ids and nonces. */
export function randomText(octets: number): string {
  if (used + octets > pool.length) { randomFillSync(pool); used = 0 }
  return pool.toString('base64url', used, used += octets)
}
