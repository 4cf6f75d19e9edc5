// Whether a webhook was sent by who knows the secret: the header Deskbell-Signature is t=SECONDS,v1=HEX, and HEX is
// HMAC-SHA256(secret, SECONDS + "." + body). While a secret is being replaced there are two v1.
import { createHmac, timingSafeEqual } from 'node:crypto'

const TOLERANCE = 300 // seconds: an old request cannot be sent again
const LONGEST = 1000 // characters

/** `secrets`: those that are believed. `now`: ms since 1970. `body`: as it came, before anything reads it as JSON. */
export function isSigned(header, secrets, now, body) {
  const parts = header.slice(0, LONGEST).split(',').map(part => part.trim().split('=', 2))
  const t = Number(parts.find(([key]) => key === 't')?.[1] ?? NaN)
  if (!Number.isInteger(t) || Math.abs(now / 1000 - t) > TOLERANCE) return false
  const given = parts.flatMap(([key, value]) => key === 'v1' && /^[0-9a-f]{64}$/.test(value ?? '') ? [Buffer.from(value)] : [])
  const own = secrets.map(secret => Buffer.from(createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')))
  return own.some(mine => given.some(theirs => timingSafeEqual(mine, theirs)))
}
