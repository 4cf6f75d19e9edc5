// The shapes of schemas/webchat.json as types: what the widget and the web bridge say to each other (pure).

export type ConversationState = 'waiting' | 'offered' | 'active' | 'ended' | 'closed'
export type ChatState = 'composing' | 'paused' | 'active'

/** What the customer may know of the conversation. */
export interface ConversationView {
  readonly number: number
  readonly state: ConversationState
  readonly position?: number // people ahead; 0 = next
  readonly minutes?: number // until it is his turn, as far as can be said
  readonly text?: string // what who waits reads, where it is not the widget's own sentence
  readonly agent?: string // shown name
  readonly seq: number // of the newest line, 0 = none
  readonly can: readonly ('say' | 'end' | 'accept' | 'decline')[]
  readonly after?: readonly ('survey' | 'mail' | 'ticket')[] // what is offered after the end
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
  readonly file?: { readonly name: string; readonly size?: number; readonly type?: string } // the text is its address
}

export type Hello = { readonly type: 'hello'; readonly token?: string; readonly conversation?: number; readonly after?: number; readonly identity?: string; readonly link?: string; readonly page?: string; readonly lang?: string }
export type Open = {
  readonly type: 'open'; readonly id: string; readonly name: string; readonly text: string; readonly page?: string
  readonly department?: string; readonly operator?: string; readonly fields?: Readonly<Record<string, string>>; readonly proof?: string
}
export type Leave = { readonly type: 'leave'; readonly id: string; readonly name: string; readonly email: string; readonly text: string; readonly department?: string; readonly proof?: string }
export type Suggest = { readonly type: 'suggest'; readonly text: string }
export type Survey = { readonly type: 'survey'; readonly conversation: number; readonly rating: number; readonly comment?: string }
export type Keep = { readonly type: 'keep'; readonly conversation: number; readonly as: 'mail' | 'ticket'; readonly email?: string }
export type Say = { readonly type: 'say'; readonly id: string; readonly conversation: number; readonly text: string; readonly file?: string } // with the word of a slot: its file is the line
export type SendFile = { readonly type: 'file'; readonly id: string; readonly conversation: number; readonly name: string; readonly size: number; readonly mime?: string }
export type Typing = { readonly type: 'typing'; readonly conversation: number; readonly state: ChatState }
export type End = { readonly type: 'end'; readonly conversation: number }
export type AskLines = { readonly type: 'lines'; readonly conversation: number; readonly after: number }
export type Consent = { readonly type: 'answer'; readonly conversation: number; readonly yes: boolean }
export type FromBrowser = Consent | Hello | Open | Say | Typing | End | AskLines | Leave | Suggest | Survey | Keep | SendFile | { readonly type: 'availability' } | { readonly type: 'challenge' } | { readonly type: 'ping' }

/** What the form of a page shows, and what is offered after the end. */
export interface SiteView {
  readonly messages: boolean // whether one can be left now
  readonly refresh: number // seconds between two looks whether anybody receives
  readonly selection?: string
  readonly departments?: readonly { readonly id: string; readonly name: string; readonly open: boolean }[]
  readonly operators?: readonly string[]
  readonly fields?: readonly { readonly id: string; readonly label: string; readonly kind: 'text' | 'lines' | 'number' | 'yes-no' | 'choice'; readonly required: boolean; readonly choices?: readonly string[]; readonly departments?: readonly string[] }[]
  readonly texts?: Readonly<Record<string, string>>
  readonly suggests?: boolean
  readonly survey?: boolean
  readonly mail?: boolean
  readonly ticket?: boolean
  readonly files?: boolean
  readonly proof?: boolean // something is to be proved first: ask for the challenge
  readonly identity?: boolean // only who is signed by the site may chat
}
export interface Suggestion { readonly id: string; readonly title: string; readonly text: string; readonly url?: string }

export type Welcome = {
  readonly type: 'welcome'
  readonly token?: string
  readonly open: boolean
  readonly site?: SiteView
  readonly name?: string // who the site has signed him to be
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
/** What is to be proved: `bits` of work at `challenge`, or the token of a captcha with this `key`. */
export type Challenge = { readonly type: 'challenge'; readonly kind: 'none' | 'work' | 'captcha'; readonly challenge?: string; readonly bits?: number; readonly key?: string }
export type Line = { readonly type: 'line' } & LineView
export type Said = { readonly type: 'said'; readonly id: string; readonly conversation: number; readonly seq: number }
/** Where a file is put, and the word by which `say` hands it over. */
export type Slot = { readonly type: 'slot'; readonly id: string; readonly put: string; readonly headers: Readonly<Record<string, string>>; readonly file: string }
export type FromBridge =
  | Slot
  | Welcome
  | { readonly type: 'availability'; readonly open: boolean; readonly messages?: boolean }
  | { readonly type: 'done'; readonly of: 'leave' | 'survey' | 'keep'; readonly id?: string; readonly text?: string }
  | { readonly type: 'suggestions'; readonly found: readonly Suggestion[] }
  | Challenge
  | { readonly type: 'conversation'; readonly conversation: ConversationView }
  | Line
  | Said
  | { readonly type: 'typing'; readonly conversation: number; readonly state: ChatState; readonly name?: string }
  | Refusal
  | { readonly type: 'pong' }

/** The body of a POST to /webchat/poll, and its answer. */
export interface PollRequest { readonly session?: string; readonly message?: FromBrowser; /** whether the user looks at the chat; with it the answer comes at once and says when to ask again */ readonly focus?: 'active' | 'idle' }
export interface PollResponse { readonly session?: string; readonly messages: readonly FromBridge[]; /** seconds until the page should ask again */ readonly next?: number }
