// What a transcript is made of, and the one place where everything that is not public is left out. Pure.
import type { Visibility } from '../facts.ts'
import { deskLine } from '../sentences.ts'

/** A conversation as it is given to be printed, mailed or downloaded. Times in ms since 1970. */
export interface Recorded {
  readonly number: number
  readonly queue: string
  readonly customer: string
  readonly opened: number
  readonly closed?: number | undefined
  readonly subject?: string | undefined
  /** Shown names of the agents who served or spoke with the customer. */
  readonly agents: readonly string[]
  /** Further details, such as page or waiting time. */
  readonly details?: readonly Labelled[]
  /** The custom fields. */
  readonly fields?: readonly Labelled[]
  /** Every line of the conversation: what is not public is left out here. */
  readonly lines: readonly RecordedLine[]
}
export interface Labelled { readonly label: string; readonly value: string; /** For agents only: left out. */ readonly internal?: boolean }
export interface RecordedLine {
  readonly seq: number
  readonly at: number
  readonly as: Visibility
  readonly by: 'customer' | 'agent' | 'desk'
  readonly name: string
  readonly body: string
}

/** What every form shows, in its order: a title, the details, the custom fields, the lines. All text, each name on one line. */
export interface PrintedLine { readonly at: string; readonly name: string; readonly body: string; readonly desk: boolean }
export interface Printed {
  readonly title: string
  readonly details: readonly Labelled[]
  readonly fields: readonly Labelled[]
  readonly lines: readonly PrintedLine[]
}

export function printed(r: Recorded): Printed {
  const details: Labelled[] = [
    { label: 'Queue', value: r.queue }, { label: 'Customer', value: r.customer }, { label: 'Agents', value: r.agents.join(', ') },
    { label: 'Begun', value: stamp(r.opened) }, ...(r.closed === undefined ? [] : [{ label: 'Closed', value: stamp(r.closed) }]),
    ...(r.subject ? [{ label: 'Subject', value: r.subject }] : []), ...r.details ?? [],
  ]
  return {
    title: `Conversation #${r.number}`,
    details: labelled(details),
    fields: labelled(r.fields ?? []),
    lines: r.lines.filter(l => l.as === 'public').sort((a, b) => a.seq - b.seq).map(l => printedLine({ ...l, body: retold(l.body, l.by, r.customer) }, l.by)),
  }
}

export const printedLine = (l: { readonly at: number; readonly name: string; readonly body: string }, by: 'customer' | 'agent' | 'desk'): PrintedLine => ({ at: stamp(l.at), name: oneLine(l.name), body: clean(l.body), desk: by === 'desk' })

const TOLD = new Map([
  [deskLine({ is: 'ended', by: 'customer' }, String), 'has ended the chat.'],
  [deskLine({ is: 'declined' }, String), 'has declined.'],
  [deskLine({ is: 'unasked' }, String), 'is not asked any more.'],
  [deskLine({ is: 'queued' }, String), 'waits for somebody to help.'],
])
const ASKED = deskLine({ is: 'asked', who: '' }, String) // behind the name of who asks
/** What the customer was told as “you”, for who reads it later. */
export function retold(body: string, by: 'customer' | 'agent' | 'desk', customer: string): string {
  if (by !== 'desk') return body
  if (body.endsWith(ASKED)) return body.replace(/you\.$/, () => `${customer}.`)
  const deed = TOLD.get(body)
  return deed === undefined ? body : `${customer} ${deed}`
}

const labelled = (all: readonly Labelled[]): Labelled[] => all.filter(f => f.internal !== true && f.value !== '').map(f => ({ label: oneLine(f.label), value: oneLine(f.value) }))

/** `2026-11-20 10:15:03Z` */
const stamp = (at: number): string => new Date(at).toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'Z')

// Signs that move the cursor or turn the writing round would let a name pass for another line.
const clean = (text: string): string => text.replace(/\r\n?/g, '\n').replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/gu, c => c === '\n' || c === '\t' ? c : '')
const oneLine = (text: string): string => clean(text).replace(/\s+/g, ' ').trim()
