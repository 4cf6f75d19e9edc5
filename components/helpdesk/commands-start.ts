// The actions that begin with somebody, as the table of `commands.ts` takes them. Pure.

import type { Entry } from './command.ts'

export type StartHandler = 'start' | 'here' | 'announce' | 'open'
export type RoomHandler = 'makeRoom' | 'removeRoom' | 'rooms'
export type ThreadHandler = 'im' | 'ims' | 'colleagues'

export const START_COMMANDS: readonly Entry<StartHandler | ThreadHandler | RoomHandler>[] = [
  { word: 'start', aliases: [], handler: 'start', permission: 'chat.start.customer', about: 'none', fields: [{ name: 'customer', kind: 'word', label: 'Customer (name, address, #12 or ticket:5)', required: true }, { name: 'text', kind: 'text', label: 'First line', required: true }], label: 'Start with a customer…', help: 'ask a customer who is logged in for a talk; the customer must accept' },
  { word: 'here', aliases: ['logged'], handler: 'here', permission: 'chat.serve', about: 'none', fields: [], label: 'Who is logged in', help: 'list the agents and customers who are logged in, and who can chat' },
  { word: 'im', aliases: [], handler: 'im', permission: 'chat.with.agents', about: 'none', fields: [{ name: 'who', kind: 'word', label: 'Colleagues (names, with commas between)', required: true }, { name: 'text', kind: 'text', label: 'Text (may begin with #12 or ticket:5, which it is about)', required: true }], label: 'Talk with colleagues…', help: 'talk with one colleague or more (ben,cleo), offline ones too; typed in a conversation it is about that one' },
  { word: 'ims', aliases: [], handler: 'ims', permission: 'chat.with.agents', about: 'none', fields: [], label: 'My talks', help: 'list your talks with colleagues, the newest first' },
  { word: 'colleagues', aliases: [], handler: 'colleagues', permission: 'chat.with.agents', about: 'none', fields: [], label: 'Colleagues', help: 'list your colleagues, those who are logged in first' },
  { word: 'rooms', aliases: [], handler: 'rooms', permission: 'chat.with.agents', about: 'none', fields: [{ name: 'search', kind: 'text', label: 'Search (empty: all)' }], label: 'Rooms', help: 'list the permanent rooms you may enter, who is there and who may be' },
  { word: 'makeroom', aliases: [], handler: 'makeRoom', permission: 'rooms.create', about: 'none', fields: [{ name: 'name', kind: 'word', label: 'Name', required: true }, { name: 'allow', kind: 'text', label: 'Who may enter (department:sales queue:billing role:manager ben)', required: true }], label: 'Make a room…', help: 'make a permanent room, or change who may enter it' },
  { word: 'removeroom', aliases: [], handler: 'removeRoom', permission: 'rooms.create', about: 'none', fields: [{ name: 'name', kind: 'word', label: 'Name', required: true }], label: 'Remove a room…', help: 'remove a permanent room' },
  { word: 'announce', aliases: [], handler: 'announce', permission: 'chat.serve', about: 'none', fields: [{ name: 'as', kind: 'choice', label: 'New chats', choices: ['window', 'quiet'], required: true }], label: 'New chats open…', help: 'new chats open a window of their own (window), or stand in your list until you look (quiet)' },
  { word: 'open', aliases: [], handler: 'open', permission: 'chat.serve', about: 'any', fields: [], label: 'Open', help: 'show all of a conversation that you are in, once more' },
]
