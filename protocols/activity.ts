// What is remembered of when a user was last there: kept by one plugin, asked by others. Pure.
import { Token, type Jid } from '../server/api.ts'

/** Times in milliseconds since 1970. */
export interface LastSeen {
  /** When the newest session began. */
  readonly login?: number
  /** When the last session ended; absent while there is one. */
  readonly logout?: number
  /** What was said at the end: the status of the last unavailable presence. */
  readonly status?: string
}

export const LAST_SEEN = new Token<(who: Jid) => Promise<LastSeen | undefined>>('last seen')
