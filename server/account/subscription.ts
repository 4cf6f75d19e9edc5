// Who may see whose presence: the state tables of RFC 6121 appendix A. Pure.

/** None, To, From, Both; with `o` a request of ours waits for an answer, with `i` one of theirs does. */
export type State = 'N' | 'No' | 'Ni' | 'Noi' | 'T' | 'Ti' | 'F' | 'Fo' | 'B'
export type SubscriptionType = 'subscribe' | 'unsubscribe' | 'subscribed' | 'unsubscribed'

/** What a subscription stanza leads to. */
export interface Step {
  readonly next: State
  /** Outbound: routed to the contact. Inbound: delivered to the account's devices. */
  readonly passes: boolean
  /** What the server answers on the account's behalf. */
  readonly reply?: 'subscribed' | 'unsubscribed'
  /** True: the stanza pre-approves a request to come (section 3.4); false: it takes that back. */
  readonly approval?: boolean
}

// One row per state, one word per type in the order of TYPES: `=` passes, no change. `>X` passes and becomes X.
// `.` does not pass, no change. `p`/`c` the same, and sets or cancels the pre-approval. `a` the same, and answers `subscribed`.
// `>Xu` as `>X`, and answers `unsubscribed`.
const TYPES: readonly SubscriptionType[] = ['subscribe', 'unsubscribe', 'subscribed', 'unsubscribed']

const OUT: Readonly<Record<State, string>> = {
  N:   '>No  =    p    c',
  No:  '=    >N   p    c',
  Ni:  '>Noi =    >F   >N',
  Noi: '=    >Ni  >Fo  >No',
  T:   '=    >N   p    c',
  Ti:  '=    >Ni  >B   >T',
  F:   '>Fo  =    .    >N',
  Fo:  '=    >F   .    >No',
  B:   '=    >F   .    >T',
}

const IN: Readonly<Record<State, string>> = {
  N:   '>Ni  .    .    .',
  No:  '>Noi .    >T   >N',
  Ni:  '.    >Nu  .    .',
  Noi: '.    >Nou >Ti  >Ni',
  T:   '>Ti  .    .    >N',
  Ti:  '.    >Tu  .    >Ni',
  F:   'a    >Nu  .    .',
  Fo:  'a    >Nou >B   >F',
  B:   'a    >Tu  .    >F',
}

/** Where a request that was approved beforehand leads (section 3.4.2). */
const APPROVED: Readonly<Partial<Record<State, State>>> = { N: 'F', No: 'Fo', T: 'B' }

/** What a subscription stanza of the account's own device does. */
export const outbound = (state: State, type: SubscriptionType): Step => STEPS.out[state][type]

/** What a contact's subscription stanza does; `approved`: the account approved it beforehand. */
export function inbound(state: State, type: SubscriptionType, approved: boolean): Step {
  const next = type === 'subscribe' && approved ? APPROVED[state] : undefined
  return next ? { next, passes: false, reply: 'subscribed' } : STEPS.in[state][type]
}

/** Whether the contact sees our presence. */
export const isWatcher = (s: State): boolean => s === 'F' || s === 'Fo' || s === 'B'
/** Whether we see the contact's. */
export const isWatched = (s: State): boolean => s === 'T' || s === 'Ti' || s === 'B'

interface Flags { readonly subscription: 'none' | 'to' | 'from' | 'both'; readonly ask?: boolean; readonly request?: string }
const LETTER = { none: 'N', to: 'T', from: 'F', both: 'B' } as const
const WORD = { N: 'none', T: 'to', F: 'from', B: 'both' } as const

/** The state of a roster item; `undefined`: not in the roster. */
export function stateOf(item: Flags | undefined): State {
  if (!item) return 'N'
  const { subscription: s } = item
  if (s === 'both') return 'B'
  const o = item.ask && s !== 'to' ? 'o' : ''
  const i = item.request !== undefined && s !== 'from' ? 'i' : ''
  return `${LETTER[s]}${o}${i}` as State // each such word is one: T never has o, F never has i
}

/** What a roster item in this state says; its request is kept only where one still waits. */
export const flagsOf = (s: State): { subscription: Flags['subscription']; ask: boolean; waits: boolean } => ({
  subscription: WORD[s[0] as keyof typeof WORD], ask: s.includes('o'), waits: s.includes('i'), // the first letter is one of the four
})

function step(state: State, word: string): Step {
  if (word === '=') return { next: state, passes: true }
  if (word === '.') return { next: state, passes: false }
  if (word === 'p' || word === 'c') return { next: state, passes: false, approval: word === 'p' }
  if (word === 'a') return { next: state, passes: false, reply: 'subscribed' }
  const asks = word.endsWith('u')
  const next = word.slice(1, asks ? -1 : undefined) as State // so the tables are written
  return asks ? { next, passes: true, reply: 'unsubscribed' } : { next, passes: true }
}

const read = (table: Readonly<Record<State, string>>): Record<State, Record<SubscriptionType, Step>> =>
  Object.fromEntries((Object.keys(table) as State[]).map(state => { // Object.keys forgets the type
    const words = table[state].split(/\s+/)
    return [state, Object.fromEntries(TYPES.map((type, i) => [type, step(state, words[i]!)]))]
  })) as Record<State, Record<SubscriptionType, Step>> // fromEntries forgets the keys
const STEPS = { out: read(OUT), in: read(IN) }
