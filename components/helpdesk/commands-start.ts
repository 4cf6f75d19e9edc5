// The actions that begin with somebody, as the table of `commands.ts` takes them. Pure.

import type { CommandEntry } from './commands.ts'

export type StartHandler = 'start' | 'here'

export const START_COMMANDS: readonly CommandEntry[] = [
  { word: 'start', aliases: [], handler: 'start', permission: 'chat.start.customer', about: 'none', fields: [{ name: 'customer', kind: 'word', label: 'Customer (name, address, #12 or ticket:5)', required: true }, { name: 'text', kind: 'text', label: 'First line', required: true }], label: 'Start with a customer…', help: 'ask a customer who is logged in for a talk; the customer must accept' },
  { word: 'here', aliases: ['logged'], handler: 'here', permission: 'chat.serve', about: 'none', fields: [], label: 'Who is logged in', help: 'list the agents and customers who are logged in, and who can chat' },
]
