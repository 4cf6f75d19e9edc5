// Questions about the state of a conversation. Pure.

import type { Bare, Offer, Offered, Present, Role, State, Waiting } from './facts.ts'

export const isOver = (s: State): boolean => s.is === 'ended' || s.is === 'closed'
export const isQueued = (s: State): s is Waiting | Offered => s.is === 'waiting' || s.is === 'offered'
/** What an operator is in it: its owner (of an ended one: who served it last), or his place in the crew. */
export const roleOf = (s: State, who: Bare): Role | 'owner' | undefined =>
  s.is === 'absent' ? undefined : (s.is === 'active' || s.is === 'ended') && s.owner === who ? 'owner' : s.crew[who]
/** Whether his text may go to the customer. */
export const mayWrite = (s: Present, who: string): boolean => (s.is === 'active' && s.owner === who) || s.crew[who] === 'participant'

/** Every question that waits for an operator's answer. */
export function pendingOffers(s: State): readonly Offer[] {
  if (s.is === 'absent') return []
  const open: Offer[] = s.invitations.flatMap(i => i.until === undefined ? [] : [{ id: i.id, to: i.who, until: i.until, by: i.by }])
  if (s.is === 'offered') open.push(s.offer)
  if (s.is === 'active' && s.transfer) open.push(s.transfer)
  return open
}

/** Who owns it, if anybody. */
export const ownerOf = (s: State): Bare | undefined => s.is === 'active' ? s.owner : undefined
