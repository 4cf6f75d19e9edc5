// What actions have in common: which conversation and which colleague is meant, and how the outcome is told (shell).
import { isQueued, pendingOffers, roleOf } from './states.ts'
import { Refused, type Bare, type Event, type Present } from './facts.ts'
import type { Office } from './office.ts'
import { short } from './sentences.ts'
import { match } from './words.ts'

/** What came of it, in words for who asked; `n` = the conversation it was about. */
export interface Answer { readonly ok: boolean; readonly text: string; readonly n?: number; /** an address that the text holds */ readonly link?: string; /** refused because it is not his to do */ readonly forbidden?: boolean; /** who or what was named is not there */ readonly missing?: boolean; /** what it answers to is over */ readonly gone?: boolean }
export interface Call {
  readonly by: Bare
  /** The conversation that was named. */
  readonly n: number | undefined
  /** The conversation in whose window it was typed. */
  readonly here: number | undefined
  readonly args: Readonly<Record<string, string>>
  /** The client's id of what was typed: lines are recognised by it when they come again. */
  readonly id?: string | undefined
}
export type Act = (o: Office, c: Call) => Promise<Answer> | Answer

export const yes = (text: string, n?: number): Answer => ({ ok: true, text, ...(n === undefined ? {} : { n }) })
export const no = (text: string): Answer => ({ ok: false, text })
export const notYours = (text: string): Answer => ({ ok: false, text, forbidden: true })
/** Who or what was named is not there. */
export const unknown = (text: string): Answer => ({ ok: false, text, missing: true })
/** A refusal in words. */
export const refused = (o: Office, r: Refused): Answer => ({ ok: false, text: because(o, r), ...(r.forbidden ? { forbidden: true } : r.gone ? { gone: true } : {}) })
export const list = (o: Office, ns: readonly number[]): string => ns.map(n => `#${n}${label(o, n)}`).join(', ')
export const label = (o: Office, n: number): string => { const s = o.book.states.get(n); const c = s && o.customerOf(s); return c ? ` (${c.name})` : '' }

/** The outcome of a decision in words. */
export function told(o: Office, n: number, outcome: readonly Event[] | Refused, done: string): Answer {
  return outcome instanceof Refused ? refused(o, outcome) : yes(done, n)
}
export const because = (o: Office, r: Refused): string => r.because.replaceAll('{who}', r.who === undefined ? 'somebody' : o.operators.name(r.who))

// Which conversation is meant

/**
 * In a conversation's own window that conversation is meant, but an answer may be to the one question that is open elsewhere.
 * Else the one of his that fits; with `others`, of all.
 */
export function meant(o: Office, c: Call, fits: (s: Present, n: number) => boolean, what: string, elsewhere = false, others = false): number | Answer {
  if (c.n !== undefined) return elsewhere || visible(o, c.by, c.n) ? c.n : no(`There is no conversation #${c.n} that you could see.`)
  if (c.here !== undefined && !elsewhere) return c.here
  const all = [...others ? o.book.states.keys() : o.hands.of(c.by)].filter(n => { const s = o.book.states.get(n); return s !== undefined && s.is !== 'absent' && fits(s, n) }).sort((a, b) => a - b)
  if (c.here !== undefined && (all.includes(c.here) || all.length !== 1)) return c.here
  const [first] = all
  if (first === undefined) return no(what)
  return all.length === 1 ? first : no(`Which one? Give the number: ${list(o, all)}.`)
}

/** May he know of it (C8): his own, past ones too, one he is asked about, one that waits in his queues, or all, by permission. */
export function visible(o: Office, by: Bare, n: number): boolean {
  const s = o.book.states.get(n)
  if (!s || s.is === 'absent') return true // a closed one: what is asked of it decides
  return o.threads.reviews(by, n) || o.operators.may(by, 'chat.view.others', s.queue) || s.owners.includes(by) || roleOf(s, by) !== undefined || pendingOffers(s).some(p => p.to === by) || (isQueued(s) && o.eligible(s).includes(by))
}

export const mine = (by: Bare) => (s: Present): boolean => (s.is === 'active' && s.owner === by) || s.crew[by] !== undefined
export const owned = (by: Bare) => (s: Present): boolean => (s.is === 'active' || s.is === 'ended') && s.owner === by
export const asked = (by: Bare) => (s: Present): boolean => pendingOffers(s).some(p => p.to === by)

/** Finds a colleague by what was typed. */
export function colleague(o: Office, typed: string): Bare | Answer {
  const m = match(typed, o.operators.all().map(p => ({ jid: p.jid, name: p.name ?? o.operators.name(p.jid) })))
  if (m.is === 'none') return unknown(`There is no colleague “${short(typed, 40)}”.`)
  if (m.is === 'several') return no(`Whom do you mean? ${m.all.map(p => `${p.name} (${p.jid})`).join(', ')}.`)
  return m.it.jid
}
export const queueOf = (o: Office, n: number): string | undefined => { const s = o.book.states.get(n); return s && s.is !== 'absent' ? s.queue : undefined }
/** FP-22: to accept a customer is one permission, to accept a colleague's invitation another. */
export function mayAnswer(o: Office, n: number, by: Bare): Answer | undefined {
  const s = o.book.states.get(n)
  const invited = s && s.is !== 'absent' && s.invitations.some(i => i.who === by && i.until !== undefined)
  if (invited ? o.operators.may(by, 'chat.with.agents') : o.operators.may(by, 'chat.with.customers')) return undefined
  return notYours(invited ? 'You may not chat with agents.' : 'You may not chat with customers.')
}
/** The condition of a stanza error for a refusal. */
export const conditionOf = (a: Answer): 'forbidden' | 'item-not-found' | 'not-acceptable' => a.forbidden ? 'forbidden' : a.missing || a.gone ? 'item-not-found' : 'not-acceptable'
export const isAnswer = (x: unknown): x is Answer => typeof x === 'object' && x !== null && 'ok' in x && 'text' in x
