// New accounts that an admin has to look at first: kept by one plugin, handed in by another.
import { Token } from '../server/api.ts'

export interface Approvals {
  /** Notes that somebody at a network address wants an account; 'full': too many wait. */
  ask(local: string, remote: string): Promise<'ok' | 'full' | 'conflict'>
  /** It came to nothing. */
  forget(local: string): Promise<void>
}
export const APPROVALS = new Token<Approvals>('approvals')
