// Every action of an operator, once: the text command, the ad-hoc command and the REST call are all made from this table. Pure.

import type { Entry, Field } from './command.ts'
import { LIST_COMMANDS, type ListHandler } from './commands-lists.ts'
import { MARK_COMMANDS, type MarkHandler } from './commands-marks.ts'
import { START_COMMANDS, type RoomHandler, type StartHandler, type ThreadHandler } from './commands-start.ts'
import { BAN_COMMANDS, type BanHandler } from './intake/ban-commands.ts'
import { ARTICLE_COMMANDS, type ArticleHandler } from './intake/article-commands.ts'
import { KNOWLEDGE_COMMANDS, type KnowledgeHandler } from './intake/kb-commands.ts'
import { CARD_COMMANDS, type CardHandler } from './records/card-commands.ts'
import { TICKET_COMMANDS, type TicketHandler } from './tickets/ticket-commands.ts'
import { HOOK_COMMANDS, type HookHandler } from './webhooks/hook-commands.ts'

/** Which action of `actions.ts` carries it out. */
export type Handler = KnowledgeHandler | BanHandler | MarkHandler | ListHandler | StartHandler | ThreadHandler | RoomHandler | TicketHandler | ArticleHandler | HookHandler | CardHandler
  | 'queue' | 'mine' | 'done' | 'board' | 'accept' | 'decline' | 'take' | 'transfer' | 'invite' | 'observe' | 'join' | 'leave' | 'coach' | 'note' | 'say'
  | 'find' | 'delete' | 'pdf' | 'mail' | 'canned' | 'reply' | 'translate' | 'end' | 'close' | 'ticket' | 'who' | 'on' | 'off' | 'invisible' | 'max' | 'view' | 'help' | 'file'

export type CommandEntry = Entry<Handler>

const to: Field = { name: 'to', kind: 'target', label: 'To (a colleague, group:queue or department:name)', required: true }
const colleague: Field = { name: 'who', kind: 'operator', label: 'Colleague', required: true }
const text: Field = { name: 'text', kind: 'text', label: 'Text', required: true }
const group: Field = { name: 'queue', kind: 'queue', label: 'Queue (empty: all)' }

export const COMMANDS: readonly CommandEntry[] = [
  { word: 'a', aliases: ['accept'], handler: 'accept', permission: 'chat.serve', about: 'pending', fields: [], label: 'Accept', help: 'accept what is offered to you: a customer, a transfer, an invitation' },
  { word: 'r', aliases: ['reject', 'decline'], handler: 'decline', permission: 'chat.serve', about: 'pending', fields: [], label: 'Pass', help: 'pass on what is offered to you' },
  { word: 'q', aliases: ['queue'], handler: 'queue', permission: 'chat.serve', about: 'none', fields: [], label: 'Who waits', help: 'list who waits' },
  { word: 'take', aliases: [], handler: 'take', permission: 'chat.with.customers', about: 'any', fields: [], label: 'Take a customer', help: 'take a customer from the queue (without a number: the first), or from a colleague if you may' },
  { word: 't', aliases: ['transfer'], handler: 'transfer', permission: 'chat.transfer', about: 'open', fields: [to, { name: 'comment', kind: 'text', label: 'Comment (agents see it, the customer does not)' }], label: 'Transfer…', help: 'transfer to a colleague (who must accept) or to group:queue, with a comment if you like' },
  { word: 'i', aliases: ['invite'], handler: 'invite', permission: 'chat.invite', about: 'open', fields: [colleague], label: 'Invite a colleague…', help: 'ask a colleague in: first the two of you talk alone' },
  { word: 'obs', aliases: ['observe'], handler: 'observe', permission: 'chat.observe', about: 'any', fields: [], label: 'Watch', help: 'watch: the customer neither sees nor hears you' },
  { word: 'join', aliases: ['participate'], handler: 'join', permission: 'chat.participate', about: 'any', fields: [], label: 'Take part', help: 'take part: everybody is told' },
  { word: 'leave', aliases: [], handler: 'leave', permission: 'chat.serve', about: 'open', fields: [], label: 'Leave', help: 'leave a conversation that you watch or take part in' },
  { word: 'c', aliases: ['coach'], handler: 'coach', permission: 'chat.serve', about: 'any', fields: [text], lines: true, label: 'Coach…', help: 'say something to the agents of the conversation; the customer never sees it' },
  { word: 'n', aliases: ['note'], handler: 'note', permission: 'chat.serve', about: 'any', fields: [text], lines: true, label: 'Add a note…', help: 'keep a note with the conversation; the customer never sees it' },
  { word: 'say', aliases: [], handler: 'say', permission: 'chat.with.customers', about: 'open', fields: [text], lines: true, label: 'Say…', help: 'send text to the customer as it stands, even if it looks like a command' },
  { word: 'file', aliases: ['upload'], handler: 'file', permission: 'chat.with.customers', about: 'open', fields: [], label: 'Send a file…', help: 'get a link where you can upload a file for the customer, if your client cannot' },
  { word: 'ticket', aliases: [], handler: 'ticket', permission: 'chat.ticket', about: 'open', fields: [{ name: 'ticket', kind: 'number', label: 'Ticket number (empty: a new one)' }], label: 'Make a ticket…', help: 'put the transcript into a new ticket or, with a number, into that one, and close' },
  { word: 'end', aliases: [], handler: 'end', permission: 'chat.with.customers', about: 'open', fields: [], label: 'End', help: 'end the talk; it stays on your list' },
  { word: 'close', aliases: [], handler: 'close', permission: 'chat.with.customers', about: 'open', fields: [], label: 'Close', help: 'end the talk, if it has not ended, and put it away; better say goodbye first' },
  { word: 'who', aliases: ['info'], handler: 'who', permission: 'chat.serve', about: 'any', fields: [], label: 'Who is this?', help: 'tell about the customer and who is in the conversation' },
  ...MARK_COMMANDS,
  ...LIST_COMMANDS,
  ...START_COMMANDS,
  ...KNOWLEDGE_COMMANDS,
  ...CARD_COMMANDS,
  ...TICKET_COMMANDS,
  ...ARTICLE_COMMANDS,
  ...HOOK_COMMANDS,
  ...BAN_COMMANDS,
  { word: 'mine', aliases
: [], handler: 'mine', permission: 'chat.serve', about: 'none', fields: [], label: 'My conversations', help: 'list your conversations' },
  { word: 'done', aliases: [], handler: 'done', permission: 'chat.serve', about: 'none', fields: [], label: 'My past conversations', help: 'list the last conversations that you served' },
  { word: 'find', aliases: ['search'], handler: 'find', permission: 'chat.serve', about: 'none', fields: [{ name: 'words', kind: 'text', label: 'Words, and criteria such as queue:billing status:closed', required: true }], label: 'Find conversations…', help: 'find conversations by words; also number: email: name: username: since: until: department: queue: agent: status: label: field.NAME: sort:' },
  { word: 'delete', aliases: [], handler: 'delete', permission: 'chat.delete', about: 'any', fields: [{ name: 'confirm', kind: 'choice', label: 'It shall be deleted', choices: ['yes'], required: true }], label: 'Delete…', help: 'delete a closed conversation: !delete 12 yes' },
  { word: 'pdf', aliases: ['transcript'], handler: 'pdf', permission: 'chat.serve', about: 'any', fields: [], label: 'Transcript as PDF', help: 'get a link to the transcript as PDF' },
  { word: 'mail', aliases: [], handler: 'mail', permission: 'chat.serve', about: 'any', fields: [{ name: 'to', kind: 'word', label: 'To (empty: the customer)' }], label: 'Mail the transcript…', help: 'mail the transcript to the customer or an operator' },
  { word: 'board', aliases: ['agents'], handler: 'board', permission: 'chat.serve', about: 'none', fields: [], label: 'Who is here', help: 'list the agents, their state and their load' },
  { word: 'on', aliases: ['resume'], handler: 'on', permission: 'chat.serve', about: 'none', fields: [group, { ...colleague, label: 'Colleague (empty: yourself)', required: false }], label: 'Resume receiving', help: 'receive customers again, of one queue or of all' },
  { word: 'off', aliases: ['pause'], handler: 'off', permission: 'chat.serve', about: 'none', fields: [group, { ...colleague, label: 'Colleague (empty: yourself)', required: false }], label: 'Pause receiving', help: 'receive no new customers, of one queue or of all' },
  { word: 'inv', aliases: ['invisible'], handler: 'invisible', permission: 'chat.serve', about: 'none', fields: [{ name: 'to', kind: 'choice', label: 'Invisible to', choices: ['cust', 'all', 'off'], required: true }], label: 'Invisibility…', help: 'be invisible to customers (cust) or to all, or no more (off)' },
  { word: 'max', aliases: [], handler: 'max', permission: 'chat.serve', about: 'none', fields: [{ name: 'number', kind: 'number', label: 'Conversations at once', required: true }], label: 'How many at once…', help: 'serve at most so many conversations at once' },
  { word: 'view', aliases: [], handler: 'view', permission: 'chat.serve', about: 'none', fields: [{ name: 'as', kind: 'choice', label: 'Show conversations as', choices: ['contact', 'room'], required: true }], label: 'Show conversations as…', help: 'show your conversations as contacts or as rooms' },
  { word: 'canned', aliases: ['replies'], handler: 'canned', permission: 'chat.serve', about: 'any', fields: [{ name: 'words', kind: 'text', label: 'Words that stand in it (empty: all)' }], label: 'Canned replies', help: 'list the canned replies; a short-cut alone on a line sends its text, !c? short-cut shows it to you only' },
  { word: 'reply', aliases: [], handler: 'reply', permission: 'chat.with.customers', about: 'open', fields: [{ name: 'shortcut', kind: 'word', label: 'Short-cut', required: true }], label: 'Send a canned reply…', help: 'send the text of a short-cut' },
  { word: 'tr', aliases: ['translate'], handler: 'translate', permission: 'chat.serve', about: 'any', fields: [{ name: 'language', kind: 'word', label: 'Into (en, de, …; empty: your own language)' }], label: 'Translate…', help: 'read the customer’s newest line in another language: !tr de; the customer sees nothing of it' },
  { word: 'help', aliases: [], handler: 'help', permission: 'chat.serve', about: 'none', fields: [{ name: 'word', kind: 'word', label: 'Command, or all (empty: what you can do now)' }], label: 'Help', help: 'what you can do now; with a word: that command; all: every command' },
]

const BY_WORD = new Map(COMMANDS.flatMap(c => [c.word, ...c.aliases].map(w => [w, c] as const)))
/** The command that bears this name or alias, written in lower case. */
export const commandNamed = (word: string): CommandEntry | undefined => BY_WORD.get(word)
