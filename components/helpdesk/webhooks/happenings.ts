// What other programs hear of a conversation: facts without words, which are fetched by who may. Pure.
import type { Event } from '../facts.ts'
import type { Happening } from './webhooks.ts'

export const TYPES = ['opened', 'line', 'offered', 'assigned', 'queued', 'joined', 'left', 'changed', 'ended', 'closed', 'filed', 'deleted', 'purged'].map(t => `conversation.${t}`)

/** What one commit of conversation `n` means outside; `version` is the commit's number, and makes the ids. */
export function happeningsOf(n: number, version: number, events: readonly Event[]): Happening[] {
  return events.flatMap((e, i) => {
    const told = toldOf(e)
    return told ? [{ id: `c${n}-${version}-${i}`, type: `conversation.${told[0]}`, at: e.at, conversation: n, data: told[1] }] : []
  })
}

function toldOf(e: Event): [string, Readonly<Record<string, unknown>>] | undefined {
  switch (e.type) {
    case 'opened': return ['opened', { queue: e.queue, customer: e.customer }]
    case 'said': return e.as === 'command' || e.as === 'system' || e.chat !== undefined ? undefined : ['line', { seq: e.seq, by: e.by, visibility: e.as }]
    case 'offered': return ['offered', { to: e.to }]
    case 'accepted': case 'taken': return ['assigned', { owner: e.by }]
    case 'transferred': return ['assigned', { owner: e.to, from: e.from }]
    case 'reopened': return ['assigned', { owner: e.owner }]
    case 'requeued': return ['queued', { queue: e.queue, why: e.why }]
    case 'joined': case 'observing': return ['joined', { who: e.who, as: e.type === 'joined' ? 'participant' : 'observer' }]
    case 'left': return ['left', { who: e.who }]
    case 'moved': return ['changed', { what: 'queue', queue: e.queue, by: e.by }]
    case 'prioritised': return ['changed', { what: 'priority', priority: e.priority, by: e.by }]
    case 'marked': return ['changed', { what: e.what, by: e.by }]
    case 'ended': case 'closed': case 'deleted': case 'purged': return [e.type, { by: e.by }]
    case 'filed': return ['filed', { ticket: e.ticket }]
    default: return undefined
  }
}
