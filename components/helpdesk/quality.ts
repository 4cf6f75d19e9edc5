// How long an agent has been silent, what that is worth in colours, and when a warning or a reminder is due (helpdesk.md SS-13 to SS-20, ST-18; section 2.1 C10, C11). Pure.

import type { DeskSettings } from '../../schemas/desk-settings.ts'
import type { Bare, Level, Present, State } from './facts.ts'

type Quality = DeskSettings['quality']
type HandOffs = DeskSettings['handOff']
const ms = (seconds: number): number => seconds * 1000

/** The third clock: since when a customer waits for the agent who serves him now, and has not put him aside; undefined while nobody owes an answer. `typed`: when the agent typed last. */
export function silentSince(s: State, typed?: number): number | undefined {
  if (s.is !== 'active' || s.hold !== undefined) return undefined
  const { unanswered, assigned, replied, resumed } = s.clocks
  if (unanswered === undefined || assigned === undefined) return undefined
  return Math.max(assigned, unanswered, resumed ?? 0, replied === undefined ? 0 : typed ?? 0)
}

/** When silence hands a conversation on (SS-02 before the first reply, SS-03 after it); undefined: not now. What was put aside leaves its agent the full time, too. */
export function handOffAt(s: State, h: HandOffs, typed?: number): { readonly at: number; readonly from: Bare } | undefined {
  const since = silentSince(s, typed)
  if (since === undefined || s.is !== 'active' || s.transfer) return undefined
  const rule = s.clocks.replied === undefined ? h.noReply : h.noFollowUp
  return rule.enabled ? { at: since + ms(rule.after), from: s.owner } : undefined
}

/** Grey: nobody owes an answer. Red: it is critical, or all is over (ST-18). */
export type Colour = 'grey' | 'green' | 'yellow' | 'red'
export function idleColour(s: State, q: Quality, now: number, typed?: number): Colour {
  if (s.is === 'absent' || s.is === 'closed' || s.is === 'ended') return 'red'
  const since = silentSince(s, typed) ?? (s.is === 'waiting' || s.is === 'offered' ? s.clocks.unanswered : undefined)
  if (since === undefined) return 'grey'
  const span = now - since
  return over(span, q.idleCritical) ? 'red' : over(span, q.idleWarning) ? 'yellow' : 'green'
}
export const durationColour = (s: Present, q: Quality, now: number): Colour => {
  const span = (s.is === 'closed' || s.is === 'ended' ? s.at : now) - s.opened
  return over(span, q.durationCritical) ? 'red' : over(span, q.durationWarning) ? 'yellow' : 'green'
}
const over = (span: number, after: number): boolean => after > 0 && span >= ms(after)

/** What is to be said next: a level that is reached for the first time (kept), or a reminder (not kept). */
export type Due = { readonly at: number } & ({ readonly is: 'level'; readonly level: Level; readonly since: number } | { readonly is: 'reminder'; readonly of: 'none' | 'warning' | 'critical' } | { readonly is: 'queue' })

/** The next warning or reminder that a state asks for. `last`: when the last reminder was given. */
export function nextDue(s: State, q: Quality, m: { readonly now: number; readonly typed?: number | undefined; readonly last?: number | undefined }): Due | undefined {
  if (s.is === 'absent' || s.is === 'closed' || s.is === 'ended') return undefined
  const due: Due[] = []
  for (const level of ['duration', 'duration critical'] as const) {
    const after = level === 'duration' ? q.durationWarning : q.durationCritical
    if (after > 0 && s.is === 'active' && s.warned[level] === undefined) due.push({ is: 'level', level, since: s.opened, at: s.opened + ms(after) })
  }
  if (s.is !== 'active' && q.inQueueSound > 0) due.push({ is: 'queue', at: beat(s.place.since, q.inQueueSound, m) })
  const since = silentSince(s, m.typed)
  if (since !== undefined) {
    const reached = (level: Level): boolean => (s.warned[level] ?? -1) >= since
    const [warning, critical] = [q.idleWarning > 0 && !reached('idle') && !reached('idle critical'), q.idleCritical > 0 && !reached('idle critical')]
    if (warning) due.push({ is: 'level', level: 'idle', since, at: since + ms(q.idleWarning) })
    if (critical) due.push({ is: 'level', level: 'idle critical', since, at: since + ms(q.idleCritical) })
    const of = reached('idle critical') ? 'critical' : reached('idle') ? 'warning' : 'none'
    const own = of === 'critical' ? q.idleCriticalSound : of === 'warning' ? q.idleWarningSound : q.idleSound
    const base = since + (own === 0 ? 0 : of === 'critical' ? ms(q.idleCritical) : of === 'warning' ? ms(q.idleWarning) : 0)
    const every = own || q.idleSound
    if (every > 0) due.push({ is: 'reminder', of, at: beat(base, every, m) })
  }
  return due.sort((a, b) => a.at - b.at)[0]
}

/** The next beat after the last one given, none that is past. */
function beat(base: number, every: number, m: { readonly now: number; readonly last?: number | undefined }): number {
  const step = ms(every)
  const from = Math.max(m.now, (m.last ?? -1) + 1, base + 1)
  return base + Math.ceil((from - base) / step) * step
}
