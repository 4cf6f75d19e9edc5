// The history of a conversation in sentences: all that was done with it, by whom (ST-57). Pure.

import type { Event, Mark } from './facts.ts'

/** Who did it; undefined: nobody in particular. */
export function actorOf(e: Event): string | undefined {
  switch (e.type) {
    case 'opened': return e.by ?? 'customer'
    case 'customer gone': case 'customer back': case 'proposal accepted': case 'proposal passed': return 'customer'
    case 'offered': case 'exhausted': case 'stirred': case 'warned': case 'follow-up due': case 'filed': case 'filing failed': return 'desk'
    case 'transferred': return e.to
    case 'requeued': return e.by ?? 'desk'
    case 'observing': case 'joined': case 'left': case 'detached': case 'attached': case 'monitored': return e.who
    case 'invitation accepted': case 'invitation passed': return e.who
    case 'reopened': return 'customer'
    case 'filing': return e.by
    default: return 'by' in e && typeof e.by === 'string' ? e.by : undefined
  }
}

/** One event as a sentence; undefined: it is a line, and stands among the lines. */
export function happened(e: Event, name: (who: string) => string): string | undefined {
  switch (e.type) {
    case 'said': return undefined
    case 'opened': return e.by === undefined ? `opened in ${e.queue}` : `opened in ${e.queue} by ${name(e.by)}`
    case 'proposed': return `${name(e.by)} asks the customer for a talk`
    case 'proposal accepted': return 'the customer accepts'
    case 'proposal passed': return `the customer: ${e.why}`
    case 'offered': return `offered to ${name(e.to)}`
    case 'accepted': return `accepted by ${name(e.by)}`
    case 'passed': return `${name(e.by)}: ${e.why}`
    case 'exhausted': return 'all have passed; it rests'
    case 'stirred': return 'asked about again'
    case 'taken': return e.from === undefined ? `taken by ${name(e.by)}` : `taken by ${name(e.by)} from ${name(e.from)}`
    case 'transfer offered': return `${name(e.by)} offers it to ${name(e.to)}`
    case 'transfer passed': return `${name(e.by)}: transfer ${e.why}`
    case 'transferred': return `transferred from ${name(e.from)} to ${name(e.to)}`
    case 'requeued': return `back in the queue ${e.queue} (${e.why})`
    case 'invited': return `${name(e.by)} invites ${name(e.who)}`
    case 'invitation accepted': return `${name(e.who)} accepts the invitation`
    case 'invitation passed': return `${name(e.who)}: invitation ${e.why}`
    case 'observing': return `${name(e.who)} watches`
    case 'joined': return `${name(e.who)} takes part`
    case 'left': return `${name(e.who)} has left`
    case 'detached': return `${name(e.who)} is away from it`
    case 'attached': return `${name(e.who)} is back`
    case 'customer gone': return 'the customer has left the page'
    case 'customer back': return 'the customer is back'
    case 'ended': return `ended by ${name(e.by)}`
    case 'reopened': return `opened again, with ${name(e.owner)}`
    case 'closed': return `closed by ${name(e.by)}`
    case 'filing': return `${name(e.by)} makes a ticket of it`
    case 'filed': return `stands in ticket ${e.ticket}`
    case 'filing failed': return 'the ticket could not be written'
    case 'warned': return `${e.level} warning`
    case 'held': return `put aside by ${name(e.by)}`
    case 'resumed': return 'no longer put aside'
    case 'follow-up': return e.due === undefined ? `${name(e.by)} wants no follow-up` : `${name(e.by)} sets a follow-up for ${new Date(e.due).toISOString()}`
    case 'follow-up due': return 'the follow-up is due'
    case 'prioritised': return `${name(e.by)} sets the priority to ${e.priority}`
    case 'marked': return `${name(e.by)} ${deed(e.what, e.id)}`
    case 'monitored': return `${name(e.who)} monitors: ${e.to}`
    case 'moved': return `${name(e.by)} moves it to ${e.queue}`
    default: { const other: Event = e; return other.type }
  }
}

/** `id`: of what was kept, or on and off. */
function deed(what: Mark, id: string | undefined): string {
  const off = id === 'off'
  switch (what) {
    case 'resolution': return 'keeps a resolution'
    case 'subject': return 'sets the subject'
    case 'label': return off ? 'takes a label away' : 'adds a label'
    case 'pin': return off ? 'pins it no more' : 'pins it'
    case 'task': return `changes task ${id ?? ''}`.trim()
    case 'time': return 'notes time'
    case 'item': return 'attaches a related item'
    case 'call': return 'notes a call'
    case 'file': return 'adds a file'
    case 'field': return 'fills in a field'
    case 'event': return `carries out the event ${id ?? ''}`.trim()
    case 'macro': return `runs the macro ${id ?? ''}`.trim()
    case 'survey': return 'says how it was'
    case 'transcript': return 'asks for the transcript by mail'
    default: return `${what}${id === undefined ? '' : ` ${id}`}`
  }
}
