// The vocabulary of a conversation: its states, what may be asked of it, and what can have happened to it. Pure: types only.

/** An operator's bare JID. */
export type Bare = string
/** Who spoke or acted: an operator, the customer, or the desk itself. */
export type Who = Bare | 'customer' | 'desk'
/** What an operator is in a conversation he does not own. `invited` has the internal chat only. */
export type Role = 'invited' | 'observer' | 'participant'
/** Who may ever see a line. The customer's picture is built from `public` alone. */
export type Visibility = 'public' | 'internal' | 'coaching' | 'system' | 'command'

/** A question to one operator: will you take it? Its id is also the key of the seat reserved for him. Times in ms since the epoch. */
export interface Offer { readonly id: string; readonly to: Bare; readonly until: number; readonly by?: Bare | undefined; /** the number of the line with the giver's comment */ readonly comment?: number }
/** A colleague asked in. Until he answers it has a deadline; after that it is the address of the internal chat of the two. */
export interface Invitation { readonly id: string; readonly by: Bare; readonly who: Bare; readonly until: number | undefined }
/** The place in a queue. `head` stands before everyone without it; `passed` were asked and did not take it. */
export interface Place {
  readonly since: number
  readonly head: boolean
  readonly passed: readonly Bare[]
  /** Asked first, in this order, as far as they can serve: the customer's account manager, the agent of the last conversation. */
  readonly preferred: readonly Bare[]
  /** Asked only if nobody else is free: who gave the conversation away. */
  readonly spare: Bare | undefined
  /** Everybody passed: nobody is asked before this moment, unless somebody's state changes. */
  readonly rest: number | undefined
}
/** Moments the clocks of the desk count from (helpdesk.md section 2.1 C10). */
export interface Clocks {
  /** The last public line of an agent; not reset by a transfer. */
  readonly idle: number | undefined
  /** The oldest customer line no agent has answered. */
  readonly unanswered: number | undefined
  readonly assigned: number | undefined
  /** It was no longer put aside. */
  readonly resumed?: number
  /** The last public line of an agent since then. */
  readonly replied: number | undefined
}
/** What is said about a conversation that takes long, once each. */
export type Level = 'idle' | 'idle critical' | 'duration' | 'duration critical'
export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const
export type Priority = typeof PRIORITIES[number]
/** What a mark on a conversation is about; its words stand in the dossier. */
export type Mark = 'subject' | 'label' | 'pin' | 'task' | 'time' | 'item' | 'call' | 'file' | 'field' | 'event' | 'macro' | 'resolution' | 'survey' | 'transcript'
/** A ticket being written from the conversation. Only `bound` lets it close. */
export interface Filing { readonly key: string; readonly by: Bare; readonly target: number | undefined; readonly is: 'started' | 'bound' | 'failed'; readonly ticket: number | undefined }

/** What the desk itself says to the customer, as a fact; its words are made when it is shown. */
export type DeskLine =
  | { readonly is: 'joined' | 'left'; readonly who: Bare }
  | { readonly is: 'queued' }
  | { readonly is: 'number'; readonly n: number }
  /** An agent asks for a talk; the words bring his first line. */
  | { readonly is: 'asked'; readonly who: Bare }
  /** He has said no to it, or is not asked any more. */
  | { readonly is: 'declined' | 'unasked' }
  | { readonly is: 'ended'; readonly by: 'customer' | 'agent' | 'desk' }

export interface Known {
  readonly queue: string
  /** Nobody else is asked or told of it while it waits: a rule of the address or the customer's choice says so (OM-25). */
  readonly only: readonly Bare[] | undefined
  /** The id of an erasable record; the name and address stand there. */
  readonly customer: string
  readonly opened: number
  /** Sequence number of the last line, counted from 1; bodies lie in erasable records with this number. */
  readonly lines: number
  /** Number of the last public line, counted over public lines alone: what the customer is shown. */
  readonly shown: number
  /** Everyone who owned it, in order, the last one last. */
  readonly owners: readonly Bare[]
  readonly crew: Readonly<Record<Bare, Role>>
  readonly invitations: readonly Invitation[]
  readonly clocks: Clocks
  readonly filing: Filing | undefined
  /** The customer is away from it; given up at this moment if it still waits for an agent then. */
  readonly gone: number | undefined
  /** Public lines of the customer and of agents. */
  readonly messages: number
  /** How long it stood in the queue the last time, once it was assigned; ms. */
  readonly waited: number | undefined
  readonly priority: Priority
  /** Put aside: no clock runs against its agent until then, or until the customer writes. */
  readonly hold: { readonly until: number | undefined } | undefined
  readonly followUp: { readonly at: number; readonly by: Bare; readonly due: boolean } | undefined
  /** When each level was reached the last time. */
  readonly warned: Readonly<Partial<Record<Level, number>>>
  /** Who is told of what goes on in it. */
  readonly monitors: Readonly<Record<Bare, 'customer' | 'all'>>
  /** Moments of a closed one: out of every list; its words gone for good. */
  readonly deleted?: number
  readonly purged?: number
}
export type Waiting = Known & { readonly is: 'waiting'; readonly place: Place }
export type Offered = Known & { readonly is: 'offered'; readonly place: Place; readonly offer: Offer }
export type Active = Known & {
  readonly is: 'active'
  readonly owner: Bare
  /** The key of the owner's reserved capacity. */
  readonly seat: string
  readonly transfer: Offer | undefined
  /** The owner is away from it; it goes back to the head of the queue at this moment. */
  readonly detached: number | undefined
  /** The agent began it, and the customer has not accepted yet; given up at this moment. */
  readonly proposal?: { readonly until: number } | undefined
}
export type Ended = Known & { readonly is: 'ended'; readonly owner: Bare; readonly at: number; readonly by: Who }
export type Closed = Known & { readonly is: 'closed'; readonly owner: Bare | undefined; readonly at: number; readonly by: Who }
export type State = { readonly is: 'absent' } | Waiting | Offered | Active | Ended | Closed
export type Present = Exclude<State, { is: 'absent' }>

/** `now` is the time the command came; `force` says that the giver holds the permission to act on others' conversations. */
export type Command = { readonly now: number } & (
  | { do: 'open'; queue: string; customer: string; preferred?: readonly Bare[] | undefined; /** how urgent this customer is; absent = normal */ priority?: Priority | undefined; only?: readonly Bare[] | undefined; /** the first line comes with it */ line?: boolean; /** the customer is told this number first */ number?: number | undefined }
  | { do: 'say'; by: Who; as: Visibility; /** internal chat: the invitation's id */ chat?: string; /** seat reserved to reopen an ended one */ again?: string | undefined; force?: boolean }
  | { do: 'offer'; id: string; to: Bare; until: number; automatic?: boolean }
  | { do: 'accept'; by: Bare; id?: string | undefined }
  | { do: 'decline'; by: Bare; id?: string | undefined }
  | { do: 'lapse'; id: string }
  | { do: 'revoke'; id: string }
  | { do: 'exhaust'; until: number }
  | { do: 'stir'; who?: Bare | undefined }
  | { do: 'take'; by: Bare; seat: string; force: boolean }
  | { do: 'transfer'; by: Bare; to: Bare; id: string; until: number; force?: boolean; /** the giver's comment comes with it */ line?: boolean }
  | { do: 'requeue'; by: Bare; queue: string; force?: boolean }
  | { do: 'invite'; by: Bare; who: Bare; id: string; until: number; force?: boolean }
  | { do: 'observe'; by: Bare; force: boolean }
  | { do: 'join'; by: Bare; force: boolean }
  | { do: 'leave'; by: Bare }
  | { do: 'detach'; who: Bare; until: number }
  | { do: 'attach'; who: Bare }
  | { do: 'hand off'; from: Bare }
  | { do: 'remove operator'; who: Bare }
  | { do: 'customer gone'; until: number }
  | { do: 'customer back' }
  | { do: 'give up' }
  | { do: 'end'; by: Who; force?: boolean }
  | { do: 'close'; by: Who; force?: boolean; /** only if nothing was said since this line of an agent */ idle?: number }
  | { do: 'file'; by: Bare; key: string; ticket?: number | undefined; force?: boolean }
  | { do: 'filed'; key: string; ticket: number; /** the last public line that is in it */ through?: number }
  | { do: 'filing failed'; key: string }
  | { do: 'propose'; queue: string; customer: string; by: Bare; seat: string; until: number }
  | { do: 'answer'; yes: boolean }
  | { do: 'lapse proposal' }
  | { do: 'silence'; from: Bare; /** the moment up to which it was heard of nothing */ since: number }
  | { do: 'warn'; level: Level; since: number }
  | { do: 'hold'; by: Bare; until?: number | undefined; force?: boolean }
  | { do: 'unhold'; by: Who; force?: boolean }
  | { do: 'follow up'; by: Bare; due: number | undefined; force?: boolean }
  | { do: 'remind' }
  | { do: 'prioritise'; by: Bare; priority: Priority; force?: boolean }
  | { do: 'mark'; by: Who; what: Mark; id?: string | undefined; force?: boolean }
  | { do: 'monitor'; by: Bare; to: 'none' | 'customer' | 'all'; force?: boolean }
  | { do: 'move'; by: Bare; queue: string; force?: boolean }
  | { do: 'delete'; by: Who }
  | { do: 'purge' }
)

export type PassReason = 'declined' | 'lapsed' | 'revoked'
export type Event = { readonly at: number } & (
  | { type: 'opened'; queue: string; customer: string; preferred?: readonly Bare[]; priority?: Priority; only?: readonly Bare[]; /** an agent asks for it */ by?: Bare; number?: number }
  | { type: 'said'; seq: number; by: Who; as: Visibility; /** its number among the public ones */ shown?: number; chat?: string; line?: DeskLine }
  | { type: 'offered'; id: string; to: Bare; until: number }
  | { type: 'accepted'; id: string; by: Bare }
  | { type: 'passed'; id: string; by: Bare; why: PassReason; /** somebody else has taken it meanwhile */ taken?: Bare }
  | { type: 'exhausted'; until: number }
  | { type: 'stirred'; who?: Bare }
  | { type: 'taken'; by: Bare; seat: string; from?: Bare }
  | { type: 'transfer offered'; id: string; by: Bare; to: Bare; until: number; /** the giver's comment is the next line */ line?: true }
  | { type: 'transfer passed'; id: string; by: Bare; why: PassReason }
  | { type: 'transferred'; id: string; from: Bare; to: Bare }
  | { type: 'requeued'; queue: string; why: 'given' | 'detached' | 'silent' | 'removed' | 'reopened'; from?: Bare; by?: Bare }
  | { type: 'invited'; id: string; by: Bare; who: Bare; until: number }
  | { type: 'invitation accepted'; id: string; by: Bare; who: Bare }
  | { type: 'invitation passed'; id: string; by: Bare; who: Bare; why: PassReason }
  | { type: 'observing'; who: Bare; was?: Role }
  | { type: 'joined'; who: Bare; was?: Role }
  | { type: 'left'; who: Bare; was: Role }
  | { type: 'detached'; who: Bare; until: number }
  | { type: 'attached'; who: Bare }
  | { type: 'customer gone'; until: number }
  | { type: 'customer back' }
  | { type: 'ended'; by: Who }
  | { type: 'reopened'; owner: Bare; seat: string }
  | { type: 'closed'; by: Who; /** it had not been ended before */ cut?: true }
  | { type: 'filing'; key: string; by: Bare; ticket?: number }
  | { type: 'filed'; key: string; ticket: number }
  | { type: 'filing failed'; key: string }
  | { type: 'proposed'; by: Bare; seat: string; until: number }
  | { type: 'proposal accepted' }
  | { type: 'proposal passed'; why: PassReason }
  | { type: 'warned'; level: Level }
  | { type: 'held'; by: Bare; until?: number }
  | { type: 'resumed'; by: Who }
  | { type: 'follow-up'; by: Bare; due?: number }
  | { type: 'follow-up due'; by: Bare }
  | { type: 'prioritised'; by: Bare; priority: Priority }
  | { type: 'marked'; by: Who; what: Mark; id?: string }
  | { type: 'monitored'; who: Bare; to: 'none' | 'customer' | 'all' }
  | { type: 'moved'; by: Bare; queue: string }
  | { type: 'deleted'; by: Who }
  | { type: 'purged'; by: Who }
)

/** Why a command was not carried out, in words fit for who gave it; `{who}` stands for the shown name of `who`. */
export class Refused {
  readonly because: string
  readonly who: Bare | undefined
  /** It is not for this one to do; else it cannot be done now by anybody. */
  readonly forbidden: boolean
  /** What it answers to was there, and is over. */
  readonly gone: boolean
  constructor(because: string, who?: Bare, forbidden = false, gone = false) { this.because = because; this.who = who; this.forbidden = forbidden; this.gone = gone }
}
