// Work that a visitor's browser does before a conversation begins, so that thousands of them cost something (SEC-W33) (shell).
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const LIFE = 600_000 // ms that a challenge holds
const MOST = 100_000 // solved ones remembered until they are over
const SHAPE = /^(\d{1,2})\.([0-9a-z]{8})\.([\w-]{16})\.([\w-]{16})\.([0-9a-z]{1,9})$/

/**
 * Challenges are `BITS.UNTIL.SALT.MAC`: whom they are for stands in the MAC alone, nothing is kept of them. A solution is the challenge
 * with `.NONCE` (base 36), of 55 octets at most, whose SHA-256 begins with so many zero bits; it is believed once.
 */
export class Work {
  readonly #key = randomBytes(32) // as long as the process lives: nothing that was solved before holds again after it
  readonly #solved = new Map<string, number>() // MAC → until, the oldest first

  issue(whom: string, bits: number, now: number): string {
    const head = `${bits}.${(now + LIFE).toString(36)}.${randomBytes(12).toString('base64url')}`
    return `${head}.${this.#mac(head, whom)}`
  }

  /** Whether this is somebody's own solution of at least so many bits, shown for the first time. */
  believes(solution: string, whom: string, bits: number, now: number): boolean {
    const m = SHAPE.exec(solution)
    if (!m) return false
    const [, asked = '', until = '', salt = '', mac = ''] = m
    const end = parseInt(until, 36)
    if (Number(asked) < bits || end <= now || end > now + LIFE) return false
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(this.#mac(`${asked}.${until}.${salt}`, whom)))) return false
    if (zeroBits(createHash('sha256').update(solution).digest()) < Number(asked)) return false
    for (const [old, over] of this.#solved) { if (over > now) break; this.#solved.delete(old) }
    if (this.#solved.has(mac) || this.#solved.size >= MOST) return false
    this.#solved.set(mac, end)
    return true
  }

  #mac(head: string, whom: string): string { return createHmac('sha256', this.#key).update(`${head}\n${whom}`).digest('base64url').slice(0, 16) }
}

const zeroBits = (hash: Uint8Array): number => Math.clz32(new DataView(hash.buffer, hash.byteOffset).getUint32(0))
