// The desk's sentences: to operators about what happened, to customers about their conversation. Pure.

import type { DeskLine, PassReason, Role } from './facts.ts'
import type { Notice } from './policy.ts'

/** Begins whatever the desk itself says to an operator. */
export const MARK = '✱ '
export const UNSAID = 'Not taken back: what was said stays in the record of the conversation. Correct it, or say so in a new line.'
export const ENCRYPTED = 'Not delivered: the helpdesk cannot read encrypted messages. Please switch encryption off here and write again.'
/** Ends the question of an agent who begins, where the customer answers by writing; a page has buttons for it. */
export const BY_WRITING = ' Write anything to accept, or “no”.'

export interface Scene {
  readonly n: number
  /** The customer's shown name. */
  readonly customer: string
  readonly queue: string
  readonly now: number
  /** The shown name of an operator, of the customer or of the desk. */
  name(who: string): string
  /** What the customer said first, or the giver of a transfer beside it; shortened. */
  readonly opening: string
}

/** One notice as text, without the mark. */
export function sentence(w: Notice, s: Scene): string {
  const it = `#${s.n} (${s.customer})`
  switch (w.is) {
    case 'offer': return `New chat #${s.n}: ${s.customer}, ${s.queue}${s.opening ? `: “${s.opening}”` : ''} — !a to accept, !r to pass (${seconds(w.until - s.now)})`
    case 'offer over': return `${it} is no longer offered to you${w.why === 'lapsed' ? ': the time is up' : w.by === undefined ? '' : `: ${s.name(w.by)} has taken it`}.`
    case 'transfer': return `${s.name(w.by)} wants to transfer #${s.n} to you: ${s.customer}, ${s.queue}${s.opening ? `: “${s.opening}”` : ''} — !a to accept, !r to pass (${seconds(w.until - s.now)})`
    case 'transfer passed': return `${s.name(w.who)} ${passed(w.why)}: #${s.n} stays with you.`
    case 'transferred': return `${it} is now with ${s.name(w.to)}.`
    case 'invitation': return `${s.name(w.by)} asks you into #${s.n}: ${s.customer}, ${s.queue} — !a to accept, !r to pass (${seconds(w.until - s.now)})`
    case 'invitation passed': return `${s.name(w.who)} ${passed(w.why)}.`
    case 'internal chat': return `Internal chat with ${s.name(w.with)} about #${s.n}; the customer sees nothing of it.`
    case 'yours': return `${it} is yours.`
    case 'taken': return `${s.name(w.by)} has taken ${it} from you.`
    case 'served': return `${s.name(w.by)} serves #${s.n} now.`
    case 'held': return `${s.name(w.by)} has put #${s.n} aside${w.until === undefined ? '' : ` for ${duration(w.until - s.now)}`}.`
    case 'resumed': return `#${s.n} is no longer put aside.`
    case 'handed off': return w.why === 'silent' ? `${it} was taken from you: the customer waited too long for your answer.` : w.why === 'removed' ? `${it} was taken from you: you are no operator any more.` : `${it} went back to the queue: you were away from it.`
    case 'owner away': return `${s.name(w.who)} is away; #${s.n} goes back to the queue in ${seconds(w.until - s.now)}.`
    case 'owner back': return `${s.name(w.who)} is back.`
    case 'moved': return `${s.name(w.by)} has moved ${it} to ${w.queue}.`
    case 'watching': return `${s.name(w.who)} is watching (the customer does not know).`
    case 'joined': return `${s.name(w.who)} takes part.`
    case 'left': return `${s.name(w.who)} has left.`
    case 'proposal accepted': return `${s.customer} has accepted: what you write goes to the customer now.`
    case 'proposal passed': return w.why === 'revoked' ? `${it} is not asked any more.` : `${s.customer} ${passed(w.why)}; #${s.n} is closed.`
    case 'customer gone': return `${s.customer} has left the page.`
    case 'customer back': return `${s.customer} is back.`
    case 'ended': return `${s.name(w.by)} has ended the conversation. A line from the customer opens it again; !close puts it away.`
    case 'closed': return `Conversation #${s.n} is closed.`
    case 'reopened': return `${s.customer} has opened the conversation again.`
    case 'filed': return `#${s.n} stands in ticket ${w.ticket}, and is closed.`
    case 'filing failed': return `The ticket could not be written; #${s.n} stays open.`
  }
}
const passed = (why: PassReason): string => why === 'declined' ? 'has passed' : why === 'lapsed' ? 'did not answer' : 'is not asked any more'
const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`

/** What the customer reads when something happened in his conversation. */
export function deskLine(l: DeskLine, name: (who: string) => string): string {
  switch (l.is) {
    case 'joined': return `${name(l.who)} joined.`
    case 'left': return `${name(l.who)} left.`
    case 'queued': return 'You are waiting for somebody to help you.'
    case 'number': return `This is conversation #${l.n}.`
    case 'asked': return `${name(l.who)} would like to talk with you.`
    case 'declined': return 'You have declined.'
    case 'unasked': return 'Nobody waits for your answer any more.'
    case 'ended': return l.by === 'customer' ? 'You have ended the chat.' : 'The chat has ended.'
  }
}

/** The first thing an operator reads in a conversation: who it is, and what has been. */
export function header(s: Scene, more: { readonly waited: number; readonly page: string | undefined; readonly address: string; readonly role: Role | 'owner'; readonly crew: readonly string[]; /** the customer has still to accept */ readonly asked?: boolean }): string {
  const facts = [`#${s.n} ${s.customer} <${more.address}>`, s.queue, ...(more.page ? [`from ${more.page}`] : []), ...(more.asked ? [] : [`waited ${duration(more.waited)}`])]
  const you = more.asked ? 'The customer is asked: nothing you write goes there before the answer.' : more.role === 'owner' ? 'What you write goes to the customer; !help lists the commands.' : more.role === 'participant' ? 'You take part: what you write goes to the customer.' : 'You are watching: the customer does not know. !c … coaches, !join takes part.'
  return `${facts.join(' · ')}\n${more.crew.length > 0 ? `Also here: ${more.crew.join(', ')}. ` : ''}${you}`
}

/** m:ss, or h:mm:ss from an hour on. */
export function duration(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number): string => String(n).padStart(2, '0')
  const [h, m, sec] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60]
  return h > 0 ? `${h}:${two(m)}:${two(sec)}` : `${m}:${two(sec)}`
}

/** A label of one line and bounded length. */
export const short = (text: string, most = 80): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  const chars = [...line]
  return chars.length > most ? `${chars.slice(0, most - 1).join('')}…` : line
}
