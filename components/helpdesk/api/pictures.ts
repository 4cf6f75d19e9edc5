// What a conversation looks like in answers and in streams (pure).
import { count, list, maybe, moment, shape, text } from './shapes.ts'

/** As lists show it. */
export const SUMMARY = { number: count, state: { enum: ['waiting', 'offered', 'active', 'ended', 'closed'] }, queue: text, owner: maybe(text), owners: list(text), opened: moment, closed: maybe(moment), ticket: maybe(count) }
/** One conversation as it stands. */
export const CONVERSATION = shape({
  ...SUMMARY, customer: shape({ name: text, jid: maybe(text), page: maybe(text) }), ownerName: maybe(text), participants: list(shape({ jid: text, name: text, role: { enum: ['observer', 'participant'] } })),
  customerRead: { ...maybe(count), description: 'The last line that the customer’s client has shown.' }, circles: list(shape({ jid: text, name: text, role: { enum: ['owner', 'participant', 'observer', 'invited', 'left'] }, circle: { enum: ['green', 'yellow', 'pink', 'red', 'black'] } })),
  asked: { ...list(shape({ id: text, kind: { enum: ['customer', 'transfer', 'invitation'] }, who: text, name: text, by: maybe(text), until: maybe(moment) })), description: 'Who is asked at this moment, and until when.' },
  position: { ...count, description: 'In the queue, while it waits.' }, lines: count, idleSince: maybe(moment), unansweredSince: maybe(moment), assigned: maybe(moment),
}, 'position')
/** What somebody said in it. */
export const LINE = shape({ seq: count, at: moment, by: { enum: ['customer', 'agent', 'desk'] }, name: text, jid: { ...text, description: 'Of an agent.' }, visibility: { enum: ['public', 'internal', 'coaching', 'system', 'command'] }, text, file: { ...shape({ url: text, name: text, size: count, type: text }, 'size', 'type'), description: 'The line is the address of a file.' } }, 'jid', 'file')
