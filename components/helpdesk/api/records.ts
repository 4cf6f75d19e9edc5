// REST for the desk's records: search (shell).
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import { queuesOf } from '../records/access.ts'
import { readWanted, SEARCHES } from '../records/finding.ts'
import type { Office } from '../office.ts'
import { problem, time, type Caller } from './door.ts'

/** Whether a list is asked as a search. */
export const isSearch = (q: URLSearchParams): boolean => SEARCHES.some(p => q.has(p)) || [...q.keys()].some(k => k.startsWith('field.'))

/** Conversations that fit, ranked, with a cursor. */
export async function search(o: Office, r: HttpRequest, who: Caller): Promise<HttpResponse> {
  const { departments, fields } = o.rules.now
  const query = new URLSearchParams(r.query)
  if (query.get('agent') === 'me') query.set('agent', who.jid)
  const wanted = readWanted(query, name => departments[name] && queuesOf(o, [name]), name => fields[name] !== undefined)
  if ('wrong' in wanted) return problem(422, wanted.wrong)
  if (wanted.deleted && !o.operators.may(who.jid, 'chat.delete')) return problem(403, 'You may not look among deleted conversations.')
  const found = await o.records.find(who.jid, wanted)
  if ('wrong' in found) return problem(422, found.wrong)
  return {
    status: 200,
    body: {
      conversations: found.items.map(s => ({ number: s.number, state: s.state, queue: s.queue, customer: s.customer, owner: s.owners.at(-1) ?? null, owners: s.owners, opened: time(s.opened), closed: time(s.closed), ticket: s.ticket ?? null, deleted: time(s.deleted), weight: s.weight })),
      next: found.next ?? null,
    },
  }
}
