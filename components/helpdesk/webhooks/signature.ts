// How a webhook proves who sent it: HMAC-SHA256 over `timestamp.body`, in a header `t=1700000000,v1=hex`. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** The header that whoever listens finds the signature in. */
export const SIGNATURE = 'Deskbell-Signature'
const TOLERANCE = 300 // seconds

/** The value of the header; `at` in ms since 1970. Several secrets give several signatures: while one is being replaced. */
export function signature(secrets: readonly string[], at: number, body: string): string {
  const t = Math.floor(at / 1000)
  return [`t=${t}`, ...secrets.map(s => `v1=${hmac(s, t, body)}`)].join(',')
}

/** Whether a header signs this body with one of these secrets, not more than five minutes ago or ahead. */
export function isSigned(header: string, secrets: readonly string[], now: number, body: string): boolean {
  const parts = header.slice(0, 1000).split(',').map(p => p.trim().split('=', 2))
  const t = Number(parts.find(([k]) => k === 't')?.[1] ?? NaN)
  if (!Number.isInteger(t) || Math.abs(now / 1000 - t) > TOLERANCE) return false
  const given = parts.flatMap(([k, v]) => k === 'v1' && v !== undefined && /^[0-9a-f]{64}$/.test(v) ? [Buffer.from(v)] : [])
  return secrets.map(s => Buffer.from(hmac(s, t, body))).some(own => given.some(g => timingSafeEqual(own, g)))
}

const hmac = (secret: string, t: number, body: string): string => createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')
