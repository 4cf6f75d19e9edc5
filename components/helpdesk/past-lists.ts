// Lists of what is over, in any order over all there ever was: the index says which, the records what they show (shell).
import type { Order } from '../../server/api.ts'
import { queueName } from './config.ts'
import { Refused, type Bare } from './facts.ts'
import { pastRow, sight, type Row, type Wanted } from './lists.ts'
import type { Office } from './office.ts'
import { queuesOf } from './records/access.ts'
import { sortable } from './records/catalogue.ts'

export interface PastPage { readonly rows: readonly Row[]; /** on all pages */ readonly total: number; /** for `after` of the next page */ readonly next: string | undefined }

/** One page of `done` or `completed`; without a column the newest come first. By a column all of them are looked at for each page, a piece at a time. */
export async function pastPage(o: Office, who: Bare, w: Wanted, page: { readonly after?: string | undefined; readonly limit: number }): Promise<PastPage | Refused> {
  const seen = sight(o, who, w)
  if (seen instanceof Refused) return seen
  const { departments } = o.operators.record(who)
  const mine = w.list === 'done' || departments === undefined ? undefined : queuesOf(o, departments) // others' are theirs to see there only (C8)
  const queues = seen.queues && mine ? seen.queues.filter(q => mine.includes(q)) : seen.queues ?? mine
  const where = { status: 'closed', ...(w.list === 'done' ? { agents: who } : {}), ...(w.agent === undefined ? {} : { owner: w.agent }), ...(queues === undefined ? {} : { queue: queues }) }
  const found = await o.records.page(where, { sort: orderOf(o, w), limit: page.limit, after: page.after })
  if ('wrong' in found) return new Refused(found.wrong)
  return { rows: found.items.map(s => pastRow(o, s)), total: found.total, next: found.next }
}

/** What is the same for all that is over is decided by `idle` alone. */
function orderOf(o: Office, { sort, descending = false }: Wanted): Order | 'newest' {
  const by = (name: string, names?: Readonly<Record<string, string>>): Order => ({ by: name, then: 'idle', descending, ...(names ? { names } : {}) })
  switch (sort) {
    case undefined: return 'newest'
    case 'status': case 'kind': case 'idleColour': case 'durationColour': return by('idle')
    case 'group': return by('queue', Object.fromEntries([...o.config.queues.keys()].map(q => [q, sortable(queueName(o.config, q))])))
    case 'agentName': return by('agent', Object.fromEntries(o.operators.all().map(p => [p.jid, sortable(o.operators.name(p.jid))])))
    default: return by(sort)
  }
}
