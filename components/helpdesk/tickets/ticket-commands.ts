// The commands for tickets themselves, as the table of `commands.ts` takes them. Pure.

import type { Entry, Field } from '../command.ts'

export type TicketHandler = 'tickets' | 'ticketInfo' | 'makeTicket' | 'ticketNote' | 'ticketStatus' | 'ticketSubject' | 'mergeTicket' | 'splitTicket'
const ticket: Field = { name: 'ticket', kind: 'number', label: 'Ticket', required: true }

export const TICKET_COMMANDS: readonly Entry<TicketHandler>[] = [
  { word: 'tickets', aliases: [], handler: 'tickets', permission: 'chat.ticket', scope: 'tickets:read', about: 'none', fields: [{ name: 'words', kind: 'text', label: 'Words of subject, customer or status (empty: the newest)' }], label: 'Tickets', help: 'list tickets, the newest first' },
  { word: 'ticketinfo', aliases: ['showticket'], handler: 'ticketInfo', permission: 'chat.ticket', scope: 'tickets:read', about: 'none', fields: [ticket], label: 'A ticket…', help: 'show a ticket, and its articles with their numbers' },
  { word: 'maketicket', aliases: ['addticket'], handler: 'makeTicket', permission: 'chat.ticket', scope: 'tickets:write', about: 'none', fields: [{ name: 'queue', kind: 'queue', label: 'Queue', required: true }, { name: 'subject', kind: 'word', label: 'Subject', required: true }, { name: 'text', kind: 'text', label: 'Text', required: true }], lines: true, label: 'Make a ticket of its own…', help: 'make a ticket that belongs to no conversation: !maketicket support "The pump" It leaks; !ticket and !newticket make one from a conversation' },
  { word: 'ticketnote', aliases: [], handler: 'ticketNote', permission: 'chat.ticket', scope: 'tickets:write', about: 'none', fields: [ticket, { name: 'text', kind: 'text', label: 'Text', required: true }], lines: true, label: 'Add to a ticket…', help: 'add an article to a ticket: !ticketnote 5 The part has come' },
  { word: 'ticketstatus', aliases: ['tstatus'], handler: 'ticketStatus', permission: 'chat.ticket', scope: 'tickets:write', about: 'none', fields: [ticket, { name: 'status', kind: 'text', label: 'Status', required: true }], label: 'Status of a ticket…', help: 'change the status of a ticket: !ticketstatus 5 closed' },
  { word: 'ticketsubject', aliases: ['tsubject'], handler: 'ticketSubject', permission: 'chat.ticket', scope: 'tickets:write', about: 'none', fields: [ticket, { name: 'subject', kind: 'text', label: 'Subject', required: true }], label: 'Subject of a ticket…', help: 'change the subject of a ticket' },
  { word: 'merge', aliases: ['mergetickets'], handler: 'mergeTicket', permission: 'chat.act.others', scope: 'tickets:write', about: 'none', fields: [ticket, { name: 'into', kind: 'number', label: 'Into ticket', required: true }], label: 'Merge tickets…', help: 'put all articles of a ticket into another: !merge 5 7; what comes later goes there, too' },
  { word: 'split', aliases: ['splitticket'], handler: 'splitTicket', permission: 'chat.act.others', scope: 'tickets:write', about: 'none', fields: [ticket, { name: 'articles', kind: 'word', label: 'Articles (their numbers, as 2,3)', required: true }, { name: 'subject', kind: 'text', label: 'Subject of the new ticket', required: true }], label: 'Split a ticket…', help: 'put some articles of a ticket into a new one: !split 5 2,3 The other question; !ticketinfo 5 shows the numbers' },
]
