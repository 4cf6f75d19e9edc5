// What follows from a conversation: the alarms its state asks for, and what is told to whom when something has happened. Pure.

import type { DeskSettings } from '../../schemas/desk-settings.ts'
import { handOffAt } from './quality.ts'
import { isQueued, pendingOffers } from './states.ts'
import type { Bare, Command, Event, PassReason, Present, Role, State, Who } from './facts.ts'

const SECOND = 1000
/** How long things wait, in ms (contract, "What operators see and type"; helpdesk.md SS-05). */
export const PATIENCE = {
  offer: 20 * SECOND,
  transfer: 60 * SECOND,
  invitation: 60 * SECOND,
  /** Until the next try when everybody has passed. */
  rest: 60 * SECOND,
  /** Owner away from it until it goes back to the queue. */
  detached: 120 * SECOND,
  /** A customer whom an agent asks for a talk. */
  proposal: 300 * SECOND,
  /** A customer who is gone keeps his place in the queue this long. */

  gone: 600 * SECOND,
  /** An ended conversation stays on its agent's list this long. */
  wrapUp: 24 * 3600 * SECOND,
} as const

/** A moment at which a command is due. Late and doubled alarms decide to nothing. */
export interface Alarm { readonly at: number; readonly command: Unclocked }
/** A command that gets its `now` when it is given. */
export type Unclocked = Command extends infer C ? C extends Command ? Omit<C, 'now'> : never : never

/** What the settings say about time, and what no log knows. */
export interface Terms {
  readonly handOff?: DeskSettings['handOff']
  /** Seconds of silence of both after which it is closed; 0 = never. */
  readonly autoClose?: number
  /** When its agent typed last. */
  readonly typed?: number | undefined
}

/** Every alarm that a state asks for: the heap is rebuilt from this after a restart. */
export function alarms(s: State, terms: Terms = {}): readonly Alarm[] {
  if (s.is === 'absent' || s.is === 'closed') return []
  const due: Alarm[] = pendingOffers(s).map(o => ({ at: o.until, command: { do: 'lapse', id: o.id } }))
  if (s.is === 'waiting' && s.place.rest !== undefined) due.push({ at: s.place.rest, command: { do: 'stir' } })
  if (s.is === 'active' && s.detached !== undefined) due.push({ at: s.detached, command: { do: 'hand off', from: s.owner } })
  if (s.is === 'active' && s.proposal) due.push({ at: s.proposal.until, command: { do: 'lapse proposal' } })
  if (isQueued(s) && s.gone !== undefined) due.push({ at: s.gone, command: { do: 'give up' } })
  const silence = terms.handOff && handOffAt(s, terms.handOff, terms.typed)
  if (silence) due.push({ at: silence.at, command: { do: 'silence', from: silence.from, since: silence.at } })
  if (s.hold?.until !== undefined) due.push({ at: s.hold.until, command: { do: 'unhold', by: 'desk' } })
  if (s.followUp && !s.followUp.due) due.push({ at: s.followUp.at, command: { do: 'remind' } })
  if (s.is === 'active' && !s.hold && terms.autoClose !== undefined && terms.autoClose > 0 && s.clocks.unanswered === undefined && s.clocks.idle !== undefined) due.push({ at: Math.max(s.clocks.idle, s.clocks.assigned ?? 0) + terms.autoClose * SECOND, command: { do: 'close', by: 'desk', idle: s.clocks.idle } })
  if (s.is === 'ended') due.push({ at: s.at + PATIENCE.wrapUp, command: { do: 'close', by: 'desk' } })
  return due
}

/** A fact an operator is told; `words.ts` makes the sentence. */
export type Notice =
  | { is: 'offer'; id: string; until: number }
  | { is: 'offer over'; why: PassReason; by?: Bare }
  | { is: 'transfer'; id: string; by: Bare; until: number }
  | { is: 'transfer passed'; who: Bare; why: PassReason }
  | { is: 'transferred'; to: Bare }
  | { is: 'invitation'; id: string; by: Bare; until: number }
  | { is: 'invitation passed'; who: Bare; why: PassReason }
  | { is: 'internal chat'; chat: string; with: Bare }
  | { is: 'yours' }
  | { is: 'taken'; by: Bare }
  | { is: 'served'; by: Bare }
  | { is: 'handed off'; why: 'detached' | 'silent' | 'removed' }
  | { is: 'held'; by: Bare; until: number | undefined } | { is: 'resumed'; by: Who }
  | { is: 'owner away'; who: Bare; until: number }
  | { is: 'owner back'; who: Bare }
  | { is: 'moved'; queue: string; by: Bare }
  | { is: 'watching'; who: Bare }
  | { is: 'joined'; who: Bare }
  | { is: 'left'; who: Bare; was: Role }
  | { is: 'proposal accepted' } | { is: 'proposal passed'; why: PassReason }
  | { is: 'customer gone' } | { is: 'customer back' }
  | { is: 'ended'; by: Who } | { is: 'closed'; by: Who } | { is: 'reopened' }
  | { is: 'filed'; ticket: number } | { is: 'filing failed' }

/** What the shell does when an event is stored, and may do twice after a crash. `bot`: from the desk's contact, else in the conversation itself. */
export type Effect =
  | { do: 'dispatch' }
  | { do: 'announce' }
  | { do: 'tell'; to: Bare; bot: boolean; what: Notice }
  | { do: 'brief'; who: Bare }
  | { do: 'file' }

/** What follows from `e`, which led to the state `s` from `before`. */
export function follow(e: Event, before: State, s: State): readonly Effect[] {
  const bot = (to: Bare, what: Notice): Effect => ({ do: 'tell', to, bot: true, what })
  const inside = (what: Notice, except?: Bare): Effect[] => present(before, s).filter(w => w !== except).map(to => ({ do: 'tell', to, bot: false, what }))
  const brief = (who: Bare): Effect => ({ do: 'brief', who })
  switch (e.type) {
    case 'opened': return e.by === undefined ? [{ do: 'dispatch' }, { do: 'announce' }] : []
    case 'proposed': return [brief(e.by)]
    case 'proposal accepted': return inside({ is: 'proposal accepted' })
    case 'proposal passed': return before.is === 'active' ? [bot(before.owner, { is: 'proposal passed', why: e.why })] : []
    case 'said': return []
    case 'detached': return inside({ is: 'owner away', who: e.who, until: e.until }, e.who)
    case 'attached': return inside({ is: 'owner back', who: e.who }, e.who)
    case 'offered': return [bot(e.to, { is: 'offer', id: e.id, until: e.until })]
    case 'accepted': return [brief(e.by), ...inside({ is: 'served', by: e.by }, e.by)]
    case 'passed': return [...(e.why === 'declined' ? [] : [bot(e.by, { is: 'offer over', why: e.why, ...(e.taken === undefined ? {} : { by: e.taken }) })]), { do: 'dispatch' }]
    case 'exhausted': return []
    case 'stirred': return [{ do: 'dispatch' }]
    case 'taken': return [brief(e.by), ...(e.from === undefined ? [] : [bot(e.from, { is: 'taken', by: e.by })]), ...inside({ is: 'served', by: e.by }, e.by).filter(t => t.do !== 'tell' || t.to !== e.from), { do: 'dispatch' }]
    case 'transfer offered': return [bot(e.to, { is: 'transfer', id: e.id, by: e.by, until: e.until })]
    case 'transfer passed': return [
      ...(e.why === 'declined' ? [] : [bot(e.by, { is: 'offer over', why: e.why })]),
      ...(before.is === 'active' && e.why !== 'revoked' ? [{ do: 'tell' as const, to: before.owner, bot: false, what: { is: 'transfer passed' as const, who: e.by, why: e.why } }] : []), { do: 'dispatch' }]
    case 'transferred': return [brief(e.to), bot(e.from, { is: 'transferred', to: e.to }), ...inside({ is: 'served', by: e.to }, e.to).filter(t => t.do !== 'tell' || t.to !== e.from), { do: 'dispatch' }]
    case 'requeued': return [
      ...(e.from !== undefined && e.from !== e.by ? [bot(e.from, e.why === 'given' ? { is: 'moved', queue: e.queue, by: e.by ?? 'desk' } : { is: 'handed off', why: e.why === 'removed' || e.why === 'silent' ? e.why : 'detached' })] : []),
      { do: 'dispatch' }, { do: 'announce' }]
    case 'invited': return [bot(e.who, { is: 'invitation', id: e.id, by: e.by, until: e.until })]
    case 'invitation accepted': return [
      { do: 'tell', to: e.by, bot: false, what: { is: 'internal chat', chat: e.id, with: e.who } },
      { do: 'tell', to: e.who, bot: false, what: { is: 'internal chat', chat: e.id, with: e.by } }]
    case 'invitation passed': return [
      ...(e.why === 'declined' ? [] : [bot(e.who, { is: 'offer over', why: e.why })]),
      ...(e.why === 'revoked' ? [] : [{ do: 'tell' as const, to: e.by, bot: false, what: { is: 'invitation passed' as const, who: e.who, why: e.why } }])]
    case 'observing': return [...(e.was === 'participant' ? [] : [brief(e.who)]), ...inside({ is: 'watching', who: e.who }, e.who)]
    case 'joined': return [...(e.was === 'observer' ? [] : [brief(e.who)]), ...inside({ is: 'joined', who: e.who }, e.who)]
    case 'left': return inside({ is: 'left', who: e.who, was: e.was }, e.who)
    case 'customer gone': return inside({ is: 'customer gone' })
    case 'customer back': return inside({ is: 'customer back' })
    case 'ended': return [...inside({ is: 'ended', by: e.by }, e.by), { do: 'dispatch' }]
    case 'reopened': return [...inside({ is: 'reopened' })]
    case 'closed': return [...inside({ is: 'closed', by: e.by }, e.by), { do: 'dispatch' }]
    case 'filing': return [{ do: 'file' }]
    case 'filed': case 'filing failed': return [] // the answer to the command says so
    case 'held': return inside({ is: 'held', by: e.by, until: e.until }, e.by)
    case 'resumed': return e.by === 'customer' ? [] : inside({ is: 'resumed', by: e.by }, e.by)
    case 'moved': return [...inside({ is: 'moved', queue: e.queue, by: e.by }, e.by), { do: 'dispatch' }, { do: 'announce' }]
    case 'warned': case 'follow-up': case 'follow-up due': case 'prioritised': case 'marked': case 'monitored': case 'deleted': case 'purged': return [] // told elsewhere, or to nobody
  }
}

/** The operators in a conversation, before or after a change: nobody is left out of the news that he is out. */
function present(before: State, after: State): readonly Bare[] {
  const all = new Set<Bare>()
  for (const s of [before, after]) for (const who of operatorsIn(s)) all.add(who)
  return [...all]
}
export function operatorsIn(s: State): readonly Bare[] {
  if (s.is === 'absent') return []
  return [...(ownerOfLate(s) ?? []), ...Object.keys(s.crew).filter(w => s.crew[w] !== 'invited')]
}
const ownerOfLate = (s: Present): readonly Bare[] | undefined => s.is === 'active' || s.is === 'ended' ? [s.owner] : undefined
