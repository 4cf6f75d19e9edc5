// Invitations that let somebody make an account (XEP-0445): what registration asks of whoever gives them out. Pure.
import { Token, type Jid, type Notes } from '../server/api.ts'

export interface Invitations {
  /** The invitation that was shown on this stream before login; its time was looked at then. */
  shown(stream: Notes): { readonly local?: string } | undefined
  /** Uses it up; undefined if somebody was quicker. */
  take(stream: Notes): Promise<Taken | undefined>
  /** Whether the name is kept for somebody else who is invited. */
  isKept(local: string, stream: Notes): Promise<boolean>
}

export interface Taken {
  /** The account could not be made after all. */
  putBack(): Promise<void>
  /** It was made: its owner and who invited him are friends now, if the invitation says so. */
  welcome(newcomer: Jid): Promise<void>
}

/** The beginning of the address of the page that explains an invitation, up to its `#`; undefined where there is none. */
export const LANDING = new Token<() => string | undefined>('landing page')

export const INVITATIONS = new Token<Invitations>('invitations')
