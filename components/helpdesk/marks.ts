// What is noted at a conversation beside its life: put aside, follow-up, priority, channel, marks whose words stand in the dossier. Pure.

import { Refused, type Command, type Event, type Present, type Who } from './facts.ts'
import { isOver, mayWrite, roleOf } from './states.ts'

type Outcome = readonly Event[] | Refused
const notYours = (): Refused => new Refused('You are not in this conversation.', undefined, true)
/** Its owners of any time, who is in it, and who may act for others. */
const mayMark = (s: Present, by: Who, force: boolean | undefined): boolean => force === true || by === 'customer' || by === 'desk' || s.owners.includes(by) || (roleOf(s, by) !== undefined && roleOf(s, by) !== 'invited')

export function decideMark(s: Present, c: Command): Outcome {
  switch (c.do) {
    case 'warn': return s.is === 'active' && (s.warned[c.level] ?? -1) < c.since ? [{ type: 'warned', at: c.now, level: c.level }] : []
    case 'hold':
      if (s.is !== 'active') return new Refused('Only a conversation that is being served can be put aside.')
      if (!mayWrite(s, c.by) && c.force !== true) return notYours()
      return [{ type: 'held', at: c.now, by: c.by, ...(c.until === undefined ? {} : { until: c.until }) }]
    case 'unhold':
      if (s.hold === undefined) return []
      if (c.by !== 'desk' && !mayMark(s, c.by, c.force)) return notYours()
      return c.by === 'desk' && (s.hold.until ?? Infinity) > c.now ? [] : [{ type: 'resumed', at: c.now, by: c.by }]
    case 'follow up':
      if (!mayMark(s, c.by, c.force)) return notYours()
      if (c.due === undefined && s.followUp === undefined) return []
      return [{ type: 'follow-up', at: c.now, by: c.by, ...(c.due === undefined ? {} : { due: c.due }) }]
    case 'remind': return s.followUp && !s.followUp.due && s.followUp.at <= c.now ? [{ type: 'follow-up due', at: c.now, by: s.followUp.by }] : []
    case 'prioritise':
      if (!mayMark(s, c.by, c.force)) return notYours()
      return s.priority === c.priority ? [] : [{ type: 'prioritised', at: c.now, by: c.by, priority: c.priority }]
    case 'mark': return mayMark(s, c.by, c.force) ? [{ type: 'marked', at: c.now, by: c.by, what: c.what, ...(c.id === undefined ? {} : { id: c.id }) }] : notYours()
    case 'monitor':
      if (!mayMark(s, c.by, c.force)) return notYours()
      return (s.monitors[c.by] ?? 'none') === c.to ? [] : [{ type: 'monitored', at: c.now, who: c.by, to: c.to }]
    case 'move':
      if (isOver(s)) return new Refused('The conversation is over.')
      if (s.is === 'offered') return new Refused('Not now: it is offered to {who}.', s.offer.to)
      if (s.is === 'active' ? !mayWrite(s, c.by) && c.force !== true : c.force !== true) return notYours()
      return s.queue === c.queue ? [] : [{ type: 'moved', at: c.now, by: c.by, queue: c.queue }]
    case 'delete':
      if (s.is !== 'closed') return new Refused('Only a closed conversation can be deleted: close it first.')
      return s.deleted === undefined ? [{ type: 'deleted', at: c.now, by: c.by }] : []
    case 'purge': return s.deleted !== undefined && s.purged === undefined ? [{ type: 'purged', at: c.now, by: 'desk' }] : []
    default: return []
  }
}

export function evolveMark(s: Present, e: Event): Present {
  switch (e.type) {
    case 'warned': return { ...s, warned: { ...s.warned, [e.level]: e.at } }
    case 'held': return { ...s, hold: { until: e.until } }
    case 'resumed': return { ...s, hold: undefined, clocks: { ...s.clocks, resumed: e.at } }
    case 'follow-up': return { ...s, followUp: e.due === undefined ? undefined : { at: e.due, by: e.by, due: false } }
    case 'follow-up due': return s.followUp ? { ...s, followUp: { ...s.followUp, due: true } } : s
    case 'prioritised': return { ...s, priority: e.priority }
    case 'monitored': { const { [e.who]: _, ...others } = s.monitors; return { ...s, monitors: e.to === 'none' ? others : { ...others, [e.who]: e.to } } }
    case 'moved': return s.is === 'waiting' ? { ...s, queue: e.queue, only: undefined, place: { ...s.place, passed: [], rest: undefined } } : { ...s, queue: e.queue }
    case 'deleted': return { ...s, deleted: e.at }
    case 'purged': return { ...s, purged: e.at }
    default: return s
  }
}
