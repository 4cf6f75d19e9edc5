// The actions that note something at a conversation, as the table of `commands.ts` takes them. Pure.

import type { Entry, Field } from './command.ts'
import { PRIORITIES } from './facts.ts'

export type MarkHandler =
  | 'resolution' | 'subject' | 'label' | 'priority' | 'followUp' | 'pin' | 'hold' | 'unhold' | 'task' | 'taskDone' | 'time' | 'related' | 'newTicket' | 'call' | 'addFile'
  | 'event' | 'macro' | 'field' | 'history' | 'monitor' | 'channel' | 'dossier'

const text: Field = { name: 'text', kind: 'text', label: 'Text', required: true }
const minutes: Field = { name: 'minutes', kind: 'number', label: 'Minutes', required: true }
const comment: Field = { name: 'text', kind: 'text', label: 'Comment' }

/** All are for who is in the conversation or was its owner at some time, and for managers. */
export const MARK_COMMANDS: readonly Entry<MarkHandler>[] = ([
  { word: 'res', aliases: ['resolution'], handler: 'resolution', fields: [text], lines: true, label: 'Add a resolution…', help: 'keep how it was solved; colleagues find it with !kb, the customer never sees it' },
  { word: 'subject', aliases: [], handler: 'subject', fields: [{ name: 'text', kind: 'text', label: 'Subject (empty: none)' }], label: 'Subject…', help: 'say what it is about' },
  { word: 'label', aliases: [], handler: 'label', fields: [{ name: 'label', kind: 'text', label: 'Label (with a - before it: take it away)', required: true }], label: 'Label…', help: 'add a label, or take it away with a - before it' },
  { word: 'prio', aliases: ['priority'], handler: 'priority', fields: [{ name: 'priority', kind: 'choice', label: 'Priority', choices: PRIORITIES, required: true }], label: 'Priority…', help: 'how urgent it is' },
  { word: 'follow', aliases: ['followup'], handler: 'followUp', fields: [{ name: 'when', kind: 'text', label: 'When (30m, 2h, 3d, 2026-12-24T10:00Z, off)', required: true }], label: 'Follow-up…', help: 'be reminded of it' },
  { word: 'pin', aliases: [], handler: 'pin', fields: [{ name: 'to', kind: 'choice', label: 'Pinned', choices: ['on', 'off'] }], label: 'Pin', help: 'keep it first in your lists, or no more (off)' },
  { word: 'hold', aliases: ['snooze'], handler: 'hold', fields: [{ ...minutes, label: 'Minutes (empty: until the customer writes)', required: false }], label: 'Put aside…', help: 'put it aside: no warnings, until then or until the customer writes' },
  { word: 'unhold', aliases: [], handler: 'unhold', fields: [], label: 'No longer put aside', help: 'go on with what was put aside' },
  { word: 'task', aliases: [], handler: 'task', fields: [text], label: 'Add a task…', help: 'add something that is to be done' },
  { word: 'taskdone', aliases: [], handler: 'taskDone', fields: [{ name: 'task', kind: 'word', label: 'Task (its id)', required: true }], label: 'A task is done…', help: 'mark a task as done' },
  { word: 'time', aliases: ['timelog'], handler: 'time', fields: [minutes, comment], label: 'Add a time log…', help: 'keep how many minutes you worked on it' },
  { word: 'related', aliases: ['link'], handler: 'related', fields: [{ name: 'item', kind: 'word', label: 'ticket:5, chat:4 or a link', required: true }], label: 'Add a related item…', help: 'attach an existing ticket (ticket:5), a conversation (chat:4) or a link' },
  { word: 'newticket', aliases: [], handler: 'newTicket', permission: 'chat.ticket', fields: [{ name: 'subject', kind: 'text', label: 'Subject', required: true }], label: 'Start a ticket…', help: 'start a ticket from it and attach it; the conversation goes on' },
  { word: 'call', aliases: ['calllog'], handler: 'call', fields: [{ name: 'phone', kind: 'word', label: 'Phone number', required: true }, minutes, comment], label: 'Add a call log…', help: 'keep a call with the customer: number, minutes' },
  { word: 'addfile', aliases: [], handler: 'addFile', fields: [{ name: 'url', kind: 'word', label: 'Address', required: true }, { name: 'name', kind: 'text', label: 'Name' }], label: 'Add a file…', help: 'attach a file by its address; the customer does not see it' },
  { word: 'macro', aliases: ['macros'], handler: 'macro', fields: [{ name: 'macro', kind: 'word', label: 'Macro (empty: list them)' }], label: 'Macro…', help: 'carry out all the steps of a macro, or list the macros' },
  { word: 'event', aliases: ['events'], handler: 'event', fields: [{ name: 'event', kind: 'word', label: 'Event (empty: list them)' }], label: 'Manual event…', help: 'carry out what the admin has prepared, or list it' },
  { word: 'field', aliases: [], handler: 'field', fields: [{ name: 'name', kind: 'word', label: 'Field', required: true }, { name: 'value', kind: 'text', label: 'Value (empty: none)' }], lines: true, label: 'Custom field…', help: 'fill in a custom field' },
  { word: 'history', aliases: [], handler: 'history', fields: [], label: 'History', help: 'list all that was done with it' },
  { word: 'mon', aliases: ['monitor'], handler: 'monitor', fields: [{ name: 'to', kind: 'choice', label: 'Tell me of', choices: ['off', 'cust', 'all'] }], label: 'Monitor…', help: 'be told of nothing (off), of what the customer does (cust) or of all; without a word: the next of the three' },
  { word: 'chan', aliases: ['channel'], handler: 'channel', permission: 'chat.transfer', fields: [{ name: 'queue', kind: 'queue', label: 'Queue', required: true }], label: 'Change the channel…', help: 'move it to another queue; who serves it goes on' },
  { word: 'dossier', aliases: ['details'], handler: 'dossier', fields: [], label: 'Details', help: 'list subject, labels, fields, tasks, times, links, calls and files' },
] as const).map(c => ({ permission: 'chat.serve', about: 'any', ...c }))
