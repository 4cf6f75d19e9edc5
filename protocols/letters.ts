// Letters that nobody can foresee, for the ids of archives.
import { randomFillSync } from 'node:crypto'

const LETTERS = '0123456789abcdefghijklmnopqrstuv'
const pool = Buffer.alloc(3072)
let drawn = ''
let used = 0

/** 12 letters of 5 random bits. */
export function letters(): string {
  if (used === drawn.length) {
    randomFillSync(pool)
    for (let i = 0; i < pool.length; i++) pool[i] = LETTERS.charCodeAt(pool[i]! & 31) // i < length
    drawn = pool.toString('latin1')
    used = 0
  }
  return drawn.slice(used, used += 12)
}
