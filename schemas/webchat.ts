// The shapes of schemas/webchat.json as types: what the widget and the web bridge say to each other (pure).

export type ConversationState = 'waiting' | 'offered' | 'active' | 'ended' | 'closed'
export type ChatState = 'composing' | 'paused' | 'active'

/** What the customer may know of the conversation. */
export interface ConversationView {
  readonly number: number
  readonly state: ConversationState
  readonly position?: number // people ahead; 0 = next
  readonly agent?: string // shown name
  readonly seq: number // of the newest line, 0 = none
  readonly can: readonly ('say' | 'end')[]
}

/** A line that the customer is shown. */
export interface LineView {
  readonly conversation: number
  readonly seq: number // from 1, without gaps
  readonly at: string // ISO 8601, UTC
  readonly who: 'customer' | 'agent' | 'desk'
  readonly name?: string
  readonly id?: string // the client id, where the customer said it
  readonly text: string
}

export type Hello = { readonly type: 'hello'; readonly token?: string; readonly conversation?: number; readonly after?: number }
export type Open = { readonly type: 'open'; readonly id: string; readonly name: string; readonly text: string; readonly page?: string }
export type Say = { readonly type: 'say'; readonly id: string; readonly conversation: number; readonly text: string }
export type Typing = { readonly type: 'typing'; readonly conversation: number; readonly state: ChatState }
export type End = { readonly type: 'end'; readonly conversation: number }
export type AskLines = { readonly type: 'lines'; readonly conversation: number; readonly after: number }
export type FromBrowser = Hello | Open | Say | Typing | End | AskLines | { readonly type: 'availability' } | { readonly type: 'ping' }

export type Welcome = {
  readonly type: 'welcome'
  readonly token?: string
  readonly open: boolean
  readonly conversation?: ConversationView
  readonly limits: { readonly text: number; readonly name: number } // characters
}
export type Refusal = {
  readonly type: 'refused'
  readonly id?: string
  readonly of?: string // the type of the refused message
  readonly reason: string // a condition of RFC 6120 section 8.3.3
  readonly text: string // words for people
  readonly retry?: number // ms
}
export type Line = { readonly type: 'line' } & LineView
export type Said = { readonly type: 'said'; readonly id: string; readonly conversation: number; readonly seq: number }
export type FromBridge =
  | Welcome
  | { readonly type: 'availability'; readonly open: boolean }
  | { readonly type: 'conversation'; readonly conversation: ConversationView }
  | Line
  | Said
  | { readonly type: 'typing'; readonly conversation: number; readonly state: ChatState; readonly name?: string }
  | Refusal
  | { readonly type: 'pong' }

/** The body of a POST to /webchat/poll, and its answer. */
export interface PollRequest { readonly session?: string; readonly message?: FromBrowser; /** whether the user looks at the chat; with it the answer comes at once and says when to ask again */ readonly focus?: 'active' | 'idle' }
export interface PollResponse { readonly session?: string; readonly messages: readonly FromBridge[]; /** seconds until the page should ask again */ readonly next?: number }
