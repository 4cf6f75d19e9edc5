// How a webhook proves who sent it: HMAC-SHA256 over `timestamp.body`, in a header `t=1700000000,v1=hex`. How receivers check it: examples/webhook. Pure.
import { createHmac } from 'node:crypto'

/** The header that whoever listens finds the signature in. */
export const SIGNATURE = 'Deskbell-Signature'

/** The value of the header; `at` in ms since 1970. Several secrets give several signatures: while one is being replaced. */
export function signature(secrets: readonly string[], at: number, body: string): string {
  const t = Math.floor(at / 1000)
  return [`t=${t}`, ...secrets.map(s => `v1=${hmac(s, t, body)}`)].join(',')
}

const hmac = (secret: string, t: number, body: string): string => createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')
