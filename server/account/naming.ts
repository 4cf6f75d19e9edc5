// What a new account may be called, beyond what can stand in an address (pure).
import { readByStringprep, sameForStringprep } from '../stanza/precis.ts'

/**
 * Why this prepared localpart is no name for a new account, in words for people; `undefined` if it is one. Servers that still use
 * stringprep (RFC 6122) would take it for somebody else's: accounts that come from elsewhere may bear such a name, new ones not.
 */
export const namingFault = (local: string): string | undefined =>
  sameForStringprep(local) ? undefined : `This name cannot be given: other servers would read it as "${readByStringprep(local)}". Choose that, or another.`
