// What an authority outside says of somebody who logs in, taken into his account; which is made where there is none yet.
import { hasDeparted, type Authority, type Finding, type Identified } from '../account/authority.ts'
import { namingFault } from '../account/naming.ts'
import type { AccountRecord } from '../ports/store.ts'
import { Jid } from '../stanza/jid.ts'
import type { Entry } from '../stream/sasl/mechanism.ts'
import type { Host } from './host.ts'
import { accountChanged } from './keeping.ts'

/** Lets in whom `authority` has identified. Who was removed here stays out, though the authority still knows him. */
export async function enrol(host: Host, authority: Authority, found: Finding): Promise<Entry> {
  if (typeof found === 'string') return found
  const { accounts } = host.stores
  const at = Jid.of(found.local, host.domain)
  const there = await accounts.find(host.domain, at.local)
  if (there) {
    const now = updated(there, found)
    if (now && await accounts.update(now) === 'ok') accountChanged(host, at, now, 'role')
    return { user: at.local }
  }
  if (!authority.enrols || await hasDeparted(host.stores, host.domain, at.local)) return 'refused'
  const odd = namingFault(at.local)
  if (odd) { host.log.warn({ domain: host.domain, authority: authority.name, why: odd }, 'nobody can have an account of such a name'); return 'refused' }
  const { name, role } = found
  const record: AccountRecord = { host: host.domain, local: at.local, created: host.clock.now(), credentials: {}, authority: authority.name, ...(name && { name }), ...(role && { role }) }
  if (await accounts.create(record) === 'ok') accountChanged(host, at, record, 'made')
  return { user: at.local } // 'conflict': another login of his made it in this moment
}

/** What an authority says of a password of `local` (prepared); undefined: it is the store's affair. */
export function askOutside(host: Host, local: string, password: string): Promise<Entry> | undefined {
  for (const a of host.authorities) {
    const found = a.password?.(local, password)
    if (found) return found.then(f => enrol(host, a, f))
  }
  return undefined
}

/** The record with what is new; undefined if nothing is. */
function updated(record: AccountRecord, { name, role }: Identified): AccountRecord | undefined {
  const { role: held, name: called, ...rest } = record
  const is = role === undefined ? held : role ?? undefined
  const named = name !== undefined && record.authority !== undefined ? name : called
  return is === held && named === called ? undefined : { ...rest, ...(named !== undefined && { name: named }), ...(is && { role: is }) }
}
