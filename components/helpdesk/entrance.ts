// Where one who comes is let in: the switch, the role, the hours, the limits and the overflow (helpdesk.md SS-01, SS-10, SS-30, ST-23; RULE-C24). Pure.

import type { DeskSettings, HoursSetting } from '../../schemas/desk-settings.ts'
import { Refused } from './facts.ts'
import { isOpen, nextChange, readHours, type Schedule } from './hours/hours.ts'

/** What is known of the moment. */
export interface Moment {
  readonly kind: 'customer' | 'public'
  /** Whether this role may chat at all. */
  grants(role: 'customer' | 'public'): boolean
  takesNew(queue: string): boolean
  within(queue: string): boolean
  waiting(queue: string): number
  /** Conversations that are not over, in all these queues. */
  open(queues: readonly string[]): number
}

/** The queue that takes somebody who wants into `queue`, or the words of the refusal. The role is looked at first. */
export function wayIn(s: DeskSettings, queue: string, m: Moment): string | Refused {
  if (!s.system.enabled || !Object.hasOwn(s.queues, queue)) return new Refused('This desk is not open.')
  const no = barred(s, m)
  if (no) return no
  const found = wayOn(s, queue, m)
  if (typeof found === 'string') return found
  return found.closed ? closed(s, queue, m) : new Refused('Too many are waiting at the moment. Please come again later.')
}

/** The first of a queue and those it overflows into that takes somebody, who comes or is handed on (OT-35). `closed`: nobody receives there now, and then it overflows into none; else too many wait. */
export function wayOn(s: DeskSettings, queue: string, m: Pick<Moment, 'takesNew' | 'waiting' | 'open'>): string | { readonly closed: boolean } {
  const seen = new Set<string>()
  for (let q = queue; q !== '' && !seen.has(q); q = s.queues[q]?.overflow ?? '') {
    seen.add(q)
    if (!m.takesNew(q)) { if (q === queue) return { closed: true }; continue }
    if (!isFull(s, q, m)) return q
  }
  return { closed: false }
}

/** Whether this kind of people may chat at all; asked before anything else is (RULE-C24). */
export function barred(s: DeskSettings, m: Pick<Moment, 'kind' | 'grants'>): Refused | undefined {
  if (s.system.requires === 'registered' && m.kind === 'public') return new Refused('Please log in first: the chat is for registered users.', undefined, true)
  return m.grants(m.kind) ? undefined : new Refused('You may not chat here.', undefined, true)
}

const closed = (s: DeskSettings, q: string, m: Moment): Refused =>
  new Refused(s.hours.closeOutside && !m.within(q) ? 'We are closed at this hour. Please come again later.' : 'Nobody is here at the moment. Please come again later.')

function isFull(s: DeskSettings, queue: string, m: Pick<Moment, 'waiting' | 'open'>): boolean {
  const limit = s.queues[queue]?.limit ?? 0
  if (limit > 0 && m.waiting(queue) >= limit) return true
  return departmentsOf(s, queue).some(d => d.limit > 0 && m.open(d.queues) >= d.limit)
}

/** The departments a queue belongs to, in the order of the settings. */
export const departmentsOf = (s: DeskSettings, queue: string): readonly DeskSettings['departments'][string][] => Object.values(s.departments).filter(d => d.queues.includes(queue))

/** What a customer may do when a talk of this queue is over: as the first of its departments says that says anything, else as the desk does (RULE-C17). */
export function stepsOf(s: DeskSettings, queue: string): Readonly<Record<'survey' | 'mailAtEnd' | 'ticketAtEnd', boolean>> {
  const said = (step: 'survey' | 'mailAtEnd' | 'ticketAtEnd'): boolean => {
    const own = departmentsOf(s, queue).find(d => d[step] !== 'inherit')?.[step]
    return own === undefined ? s.conversation[step] : own === 'on'
  }
  return { survey: said('survey'), mailAtEnd: said('mailAtEnd'), ticketAtEnd: said('ticketAtEnd') }
}

/** What bounds one agent's conversations beside the limit of all: at most so many in these queues. */
export function limitsFor(s: DeskSettings, queue: string, own: number | undefined): readonly { readonly queues: readonly string[]; readonly most: number }[] {
  const q = s.queues[queue]?.perAgent ?? 0
  return [
    ...(q > 0 ? [{ queues: [queue], most: q }] : []),
    ...(own === undefined ? [] : [{ queues: [queue], most: own }]),
    ...departmentsOf(s, queue).filter(d => d.perAgent > 0).map(d => ({ queues: d.queues, most: d.perAgent })),
  ]
}

/** What a waiting customer of this queue reads (ST-74). What cannot be estimated is not said: a sentence about minutes is left out then. */
export function queueText(s: DeskSettings, queue: string, ahead: number, minutes?: number): string {
  const text = queueWords(s, queue)
  const known = minutes === undefined ? text.split(/(?<=[.!?])\s+/).filter(x => !x.includes('{minutes}')).join(' ') : text.replaceAll('{minutes}', String(minutes))
  return known.replaceAll('{ahead}', String(ahead))
}
/** The text with its gaps: the queue's, its department's, the desk's. */
export const queueWords = (s: DeskSettings, queue: string): string => s.queues[queue]?.queueText ?? departmentsOf(s, queue).find(d => d.queueText !== undefined)?.queueText ?? s.conversation.queueText

/** The hours of a queue: its own, its department's, the desk's. */
const hoursOf = (s: DeskSettings, queue: string): HoursSetting | undefined => s.queues[queue]?.hours ?? departmentsOf(s, queue).find(d => d.hours)?.hours ?? s.hours.default

/** Whether the hours let anybody in now; always, where hours are not looked at (SS-10). */
export function isWithinHours(s: DeskSettings, queue: string, now: number): boolean {
  if (!s.hours.closeOutside) return true
  const hours = hoursOf(s, queue)
  return hours === undefined || isOpen(schedule(hours), now)
}

/** The next moment at which any queue opens or closes by its hours. */
export function nextHours(s: DeskSettings, now: number): number | undefined {
  if (!s.hours.closeOutside) return undefined
  const all = Object.keys(s.queues).flatMap(q => { const h = hoursOf(s, q); const at = h && nextChange(schedule(h), now); return at === undefined ? [] : [at] })
  return all.length > 0 ? Math.min(...all) : undefined
}

const known = new WeakMap<HoursSetting, Schedule>()
function schedule(h: HoursSetting): Schedule {
  let read = known.get(h)
  if (!read) {
    const r = readHours(h)
    if ('wrong' in r) throw new Error(`hours that were checked: ${r.wrong}`)
    known.set(h, read = r)
  }
  return read
}
