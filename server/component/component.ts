// A service that owns a domain. It knows stanzas and its link, and not whether a wire lies between it and the server.
import type { AnyStanza, Iq } from '../stanza/stanza.ts'
import type { Clock } from '../ports/clock.ts'
import type { Jobs } from '../ports/jobs.ts'
import type { Limits } from '../ports/limits.ts'
import type { Log } from '../ports/log.ts'
import type { RosterItem, Role, Stores } from '../ports/store.ts'
import type { HttpRouter } from '../net/http.ts'

export interface Component { readonly name: string; start(link: Link): Receiver | Promise<Receiver> }

/** What a component hears. A promise means "committed": it delays the sender's acknowledgement, never the sender. */
export interface Receiver {
  receive(stanza: AnyStanza): void | Promise<void>
  /** The server goes down: whom it serves is told while he is there yet. */
  leaving?(): void
  stop?(): Promise<void>
}

/** What a component holds of the world. */
export interface Link {
  readonly domain: string
  readonly clock: Clock
  /** The time of wires, which a test clock leaves alone; absent: `clock`. */
  readonly network?: Clock
  readonly log: Log
  readonly stores: Stores
  readonly limits: Limits
  /** Its own; they begin to run when it has started. */
  readonly jobs: Jobs
  /** Where it may answer HTTP; absent where no HTTP is listened for. */
  readonly http?: HttpRouter
  /** What only the server itself can do; absent over a wire that does not grant it. */
  readonly privileges?: Privileges
  send(stanza: AnyStanza): void
  /** Sends an iq get or set (the id is made here) and waits for its answer, an error included; after 30 s that is remote-server-timeout. */
  ask(iq: Iq): Promise<Iq>
}

/** A local account that may serve. */
export interface Person { readonly jid: string; readonly name?: string; readonly role: Role }

/** What a component injects into the roster of a local account: shown and pushed like any item, and not the client's to change. */
export type InjectedItem = Pick<RosterItem, 'jid' | 'groups' | 'subscription'> & { readonly name?: string }

/** What a third-party client is told to connect. */
export interface Connection {
  /** Where the streams of clients are listened for; absent: not at all. */
  readonly starttls?: number
  readonly tls?: number
  /** The addresses of WebSocket (RFC 7395) and BOSH (XEP-0124). */
  readonly websocket?: string
  readonly bosh?: string
  readonly selfSigned: boolean
}
export interface AccountChange { readonly name?: string; /** null takes it away */ readonly role?: Role | null; readonly password?: string; readonly disabled?: boolean }
/** Makes, changes and removes local accounts; a refusal has words for people. */
export interface AccountKeeper {
  readonly domain: string
  connection(): Connection
  find(jid: string): Promise<{ readonly role: Role | undefined; readonly disabled: boolean; readonly created: number; /** shown */ readonly name?: string } | undefined>
  /** Without a password a random one is made; none where passwords are kept elsewhere. */
  make(local: string, a: { readonly name?: string; readonly role?: Role; readonly password?: string }): Promise<{ readonly jid: string; readonly password: string | undefined } | { readonly refused: string }>
  change(jid: string, news: AccountChange): Promise<{ readonly refused: string } | undefined>
  remove(jid: string): Promise<{ readonly refused: string } | undefined>
}

/** A REST token as lists show it, without its text. Times in ms since 1970; `session`: somebody signed in with a password. */
export interface TokenView { readonly id: string; readonly created: number; readonly expires?: number; readonly scopes?: readonly string[]; readonly label?: string; readonly session: boolean }
/** Who has shown a password; for `TokenKeeper.begin` alone. */
/** `longest`: ms that a session may last, where somebody else keeps the password: we do not hear when it is changed or taken away. */
export interface SignedIn { readonly jid: string; readonly role?: Role; readonly seal: string; readonly longest?: number }
/** Signs people in to REST, and keeps their tokens. */
export interface TokenKeeper {
  /** Looks at a password, off the event loop; undefined for a wrong one, no account, or one that is disabled: it costs the same, and which it was is not said. 'unavailable': who keeps the passwords cannot be asked. */
  signIn(jid: string, password: string): Promise<SignedIn | 'unavailable' | undefined>
  /** Begins a session that is over at `expires` or with the next password; `text` is given out here and nowhere again. The oldest of too many sessions ends. */
  begin(who: SignedIn, more: { readonly expires: number; readonly scopes?: readonly string[]; readonly label?: string }): Promise<{ readonly id: string; readonly text: string }>
  /** Those of an account that are not over. */
  list(jid: string): Promise<readonly TokenView[]>
  /** False: the account has no such token. */
  end(jid: string, id: string): Promise<boolean>
  /** Forgets what is over. */
  sweep(): Promise<void>
}

export interface Privileges {
  /** Absent where the component may not touch accounts. */
  readonly accounts?: AccountKeeper
  /** Absent where nobody can sign in. */
  readonly tokens?: TokenKeeper | undefined
  /** The local accounts with a role; `onPeople` tells when one came, went or changed. */
  people(): Promise<readonly Person[]>
  onPeople(listener: () => void): Disposable
  /** Puts items into the roster of a local account, or replaces them by jid; resolves after the commit. */
  inject(owner: string, items: readonly InjectedItem[]): Promise<void>
  withdraw(owner: string, jids: readonly string[]): Promise<void>
  /** The items this component injected there. */
  injected(owner: string): Promise<readonly RosterItem[]>
  /** Whether somebody (bare JID) sees the presence of a local account, and in which groups of its roster he is. */
  standing(owner: string, who: string): Promise<{ readonly watches: boolean; readonly groups: readonly string[] }>
  /** From now on nobody but this component sees the presence of a local account, or everybody again who may; at once, and without a word to the account. Absent where the component may not. */
  hide?(owner: string, hidden: boolean): void
  /** Messages from one local account to another are refused with the words that `rule` gives (bare JIDs), if it gives any. */
  keepApart?(rule: (from: string, to: string) => string | undefined): Disposable
  /** Whether a domain is served here; absent where nobody knows. */
  serves?(domain: string): boolean
  /** Whether whoever has an address of this domain is a guest without an account (XEP-0175); absent where nobody knows. */
  isForGuests?(domain: string): boolean
  /** Whether a push reaches a local account that is not connected (XEP-0357); absent where there are none. */
  wakes?(jid: string): Promise<boolean>
  /** Hears when the connection of an operator's device is lost but may be resumed (`attached` false), and when it is back. */
  onAttachment(listener: (device: string, attached: boolean) => void): Disposable
  /** Tells when REST tokens were ended: whoever lets one stay in asks again. */
  onTokens(listener: () => void): Disposable
  /** Whom a REST token speaks for; undefined: no such token, or it is over. Scopes cut the account's rights. */
  token(text: string): Promise<{ readonly id: string; readonly jid: string; readonly name?: string; readonly role?: Role; readonly scopes?: readonly string[] } | undefined>
}
