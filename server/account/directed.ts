// To whom a device sent presence by name, and whom the server must therefore tell when it goes (RFC 6121 section 4.6).
import type { Jid } from '../stanza/jid.ts'
import type { Account, Resource } from '../session/account.ts'
import { note } from '../session/notes.ts'

const MOST = 2000 // addresses of one device

const directed = note<Map<string, Jid> | undefined>('directed presence', undefined)

/** Notes one more; gives the oldest where there are too many: it has to be told at once that the device is gone. */
export function remember(device: Resource, to: Jid): Jid | undefined {
  let kept = device.get(directed)
  if (!kept) device.set(directed, kept = new Map())
  kept.delete(to.full)
  kept.set(to.full, to)
  if (kept.size <= MOST) return undefined
  const [key, oldest] = kept.entries().next().value! // there are more than MOST
  kept.delete(key)
  return oldest
}

export function forget(device: Resource, full: string): void { device.get(directed)?.delete(full) }

/** Forgets an address for every device of the account; a bare one with all its resources. */
export function forgetAll(account: Account, jid: Jid): void {
  for (const device of account.resources.values()) {
    const kept = device.get(directed)
    if (!kept?.size) continue
    if (jid.isBare) { for (const [key, to] of kept) if (to.bare === jid.bare) kept.delete(key) } else kept.delete(jid.full)
  }
}

/** Everybody noted; and the list is empty then. */
export function take(device: Resource): Iterable<Jid> {
  const kept = device.get(directed)
  if (!kept?.size) return []
  device.set(directed, undefined)
  return kept.values()
}

/** Whether the device told exactly this address, or the bare one of it. */
export function knows(device: Resource, jid: Jid): boolean {
  const kept = device.get(directed)
  return kept !== undefined && (kept.has(jid.full) || kept.has(jid.bare))
}

/** Whether the device told any address of the same account or room: an occupant speaks for others of it (XEP-0045 section 7). */
export function knowsAny(device: Resource, jid: Jid): boolean {
  const kept = device.get(directed)
  if (!kept?.size) return false
  if (kept.has(jid.full) || kept.has(jid.bare)) return true
  for (const to of kept.values()) if (to.bare === jid.bare) return true
  return false
}
