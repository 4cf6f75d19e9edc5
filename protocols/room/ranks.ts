// Who may do what to whom in a room (XEP-0045 sections 5, 8 to 10). Pure.
import { refuse, type StanzaError } from '../../server/api.ts'
import { AFFILIATIONS, ROLES, type Affiliation, type Role } from './names.ts'
import type { RoomConfig } from './config.ts'

export interface Rank { readonly affiliation: Affiliation; readonly role: Role }

export const above = (a: Affiliation, b: Affiliation): boolean => AFFILIATIONS.indexOf(a) > AFFILIATIONS.indexOf(b)
export const atLeast = (a: Affiliation, b: Affiliation): boolean => !above(b, a)
export const roleAtLeast = (a: Role, b: Role): boolean => ROLES.indexOf(a) >= ROLES.indexOf(b)

/** The role that somebody with this affiliation enters with (section 5.1.2). */
export function initialRole(affiliation: Affiliation, config: RoomConfig): Role {
  switch (affiliation) {
    case 'owner':
    case 'admin': return 'moderator'
    case 'member': return 'participant'
    case 'none': return config.membersOnly ? 'none' : config.moderated ? 'visitor' : 'participant'
    case 'outcast': return 'none'
  }
}

/** Whether `by` may give the occupant `target` the role `to` (sections 8.2 to 8.4, 9.6, 9.7). */
export function mayChangeRole(by: Rank, target: Rank, to: Role): StanzaError | undefined {
  if (by.role !== 'moderator') return refuse('forbidden')
  const admin = atLeast(by.affiliation, 'admin')
  const takes = !roleAtLeast(to, target.role)
  // Taking something away: not from one of higher affiliation, an admin's voice by nobody, and among those of no special rank nothing from a moderator.
  if (takes && above(target.affiliation, by.affiliation)) return refuse('not-allowed')
  if (takes && atLeast(target.affiliation, 'admin') && (to === 'visitor' || by.affiliation !== 'owner')) return refuse('not-allowed')
  if ((to === 'moderator') !== (target.role === 'moderator') && to !== 'none' && !admin) return refuse('forbidden')
  return takes && target.role === 'moderator' && !admin ? refuse('not-allowed') : undefined
}

/** Whether one with `by` may change another's affiliation from `from` to `to` (section 5.2.2; 9.1 to 9.5, 10.3 to 10.8). */
export function mayChangeAffiliation(by: Affiliation, from: Affiliation, to: Affiliation): StanzaError | undefined {
  if (!atLeast(by, 'admin')) return refuse('forbidden')
  if (by === 'owner') return undefined
  if (atLeast(from, 'admin')) return refuse('not-allowed')
  return atLeast(to, 'admin') ? refuse('forbidden') : undefined
}
