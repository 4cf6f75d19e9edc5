// The coloured circle before each participant's name (OT-23 to OT-28; shell, for it asks who was heard when).
import { colour } from './availability.ts'
import type { Bare, Event, Present } from './facts.ts'
import type { Office } from './office.ts'

export const THRESHOLD = 300_000 // ms without a stanza after which who is available counts as away (OT-25)

export interface Participant { readonly jid: Bare; readonly name: string; readonly role: 'owner' | 'participant' | 'observer' | 'invited' | 'left'; readonly circle: 'green' | 'yellow' | 'pink' | 'red' | 'black' }

/** Everybody who is, was or shall be in it. Pink: not accepted yet, or left. */
export function participants(o: Office, s: Present, history: readonly Event[]): readonly Participant[] {
  const all = new Map<Bare, Participant['role']>()
  for (const e of history) if (e.type === 'left') all.set(e.who, 'left')
  for (const i of s.invitations) if (i.until !== undefined) all.set(i.who, 'invited')
  for (const [jid, role] of Object.entries(s.crew)) all.set(jid, role)
  if (s.is === 'active' || s.is === 'ended') all.set(s.owner, 'owner')
  return [...all].map(([jid, role]) => ({ jid, name: o.operators.name(jid), role, circle: role === 'left' || s.invitations.some(i => i.who === jid && i.until !== undefined) ? 'pink' : circleOf(o, jid) }))
}

function circleOf(o: Office, jid: Bare): 'green' | 'yellow' | 'red' | 'black' {
  const now = colour(o.operators.operator(jid))
  return now === 'green' && o.now - (o.heard.get(jid) ?? 0) > THRESHOLD ? 'yellow' : now
}
