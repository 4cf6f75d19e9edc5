// The name of a customer with an XMPP client, as agents read it (shell).
import type { Jid } from '../../../server/api.ts'
import type { Customer } from '../customers.ts'
import type { Ground } from '../ground.ts'
import { localOf } from '../words.ts'
import { looksLikeStaff, SUFFIX } from './names.ts'

type Under = Pick<Ground, 'link' | 'operators'>

/** The name that an account of this server bears: its admin gave it, or a directory. Else what stands before the @. */
export async function accountName({ link }: Pick<Ground, 'link'>, jid: string): Promise<string> {
  return (await link.privileges?.accounts?.find(jid))?.name ?? plainName(jid)
}

/** What he calls himself, marked if it looks like one of the staff (SEC-W34); else the name he is known by; else his account's. */
export async function shownName(o: Under, from: Jid, known: Customer | undefined, called = ''): Promise<string> {
  if (called !== '') return looksLikeStaff(called, o.operators.all().flatMap(p => [o.operators.name(p.jid), p.name ?? ''])) ? called + SUFFIX : called
  if (known && known.name !== plainName(from.bare)) return known.name
  return o.link.privileges?.isForGuests?.(from.domain) === true ? known?.name ?? 'Guest' : accountName(o, from.bare)
}

const plainName = (jid: string): string => { const local = localOf(jid); return local.slice(0, 1).toUpperCase() + local.slice(1) }
