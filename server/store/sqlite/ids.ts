// Where in an owner's ids a time lies: ids sort by time, so no index over times is written.
import type { Prepare } from './calls.ts'

interface Seen { readonly id: string; readonly at: number }

/**
 * The first id of the owner's rows whose time is `at` (ms since 1970) or later; undefined if there is none. Found by
 * halving the range of ids, some 20 to 60 seeks. Where the clock was set back it is one of several such ids.
 */
export function firstSince(sql: Prepare, owner: number, at: number): string | undefined {
  // Columns named here, of the types of a strict table.
  const seek = (where: string, ...key: string[]): Seen | undefined =>
    sql(`SELECT id, at FROM archive WHERE owner = ? ${where} LIMIT 1`).get(owner, ...key) as Seen | undefined

  let low = seek('ORDER BY id')
  if (!low || low.at >= at) return low?.id
  const top = seek('ORDER BY id DESC')
  if (!top || top.at < at) return undefined
  let high = top.id
  for (;;) { // low.at < at <= the first at or after high
    const next = seek('AND id > ? ORDER BY id', low.id)
    if (!next || next.at >= at) return next?.id
    low = next
    const middle = between(low.id, high)
    if (middle <= low.id || middle >= high) continue // no more to halve: step by step
    const found = seek('AND id >= ? ORDER BY id', middle)
    if (found && found.at < at) low = found
    else high = middle
  }
}

const BASE = 128n

/** A string about halfway between two of ASCII characters. */
export function between(low: string, high: string): string {
  const length = Math.max(low.length, high.length) + 1
  let middle = (digits(low, length) + digits(high, length)) / 2n
  let text = ''
  for (let i = 0; i < length; i++) {
    text = String.fromCharCode(Math.max(1, Number(middle % BASE))) + text
    middle /= BASE
  }
  return text
}

function digits(text: string, length: number): bigint {
  let n = 0n
  for (let i = 0; i < length; i++) n = n * BASE + BigInt(i < text.length ? Math.min(127, text.charCodeAt(i)) : 0)
  return n
}
