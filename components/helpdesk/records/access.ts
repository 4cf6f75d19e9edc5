// Whose records an operator may see (helpdesk.md section 2.1 C8), for one conversation and as marks for a search.
import type { Marks } from '../../../server/api.ts'
import { isQueued, pendingOffers, roleOf } from '../states.ts'
import type { Bare, Present } from '../facts.ts'
import type { Ground } from '../ground.ts'

type Under = Pick<Ground, 'operators' | 'rules'>

/** One's own conversations, past ones too; those one is asked about, or that wait in one's queues; all of them, by permission. None that is deleted. */
export function mayRead(o: Under, by: Bare, s: Present): boolean {
  if (!o.operators.has(by)) return false
  if (o.operators.may(by, 'chat.view.others', s.queue) || s.owners.includes(by)) return true
  const role = roleOf(s, by)
  return (role !== undefined && role !== 'invited') || pendingOffers(s).some(p => p.to === by) || (isQueued(s) && o.operators.of(s.queue).includes(by))
}

/** Tickets are for the operators of their queue, and for who may see others' conversations. */
export const maySeeTicket = (o: Under, by: Bare, queue: string): boolean => o.operators.may(by, 'chat.view.others', queue) || o.operators.of(queue).includes(by)

/** The same as what a search may find; an empty list finds nothing. */
export function scope(o: Under, by: Bare): readonly Marks[] {
  if (!o.operators.has(by)) return []
  const { departments } = o.operators.record(by)
  const all = o.operators.may(by, 'chat.view.others')
  if (all && departments === undefined) return [{}]
  const own: Marks[] = [{ agents: by }, { crew: by }, { asked: by }, { status: ['waiting', 'offered'], queue: o.operators.queuesOf(by) }]
  return all ? [...own, { queue: queuesOf(o, departments ?? []) }] : own
}

/** The queues of these departments. */
export const queuesOf = (o: Under, departments: readonly string[]): string[] => departments.flatMap(d => o.rules.now.departments[d]?.queues ?? [])
