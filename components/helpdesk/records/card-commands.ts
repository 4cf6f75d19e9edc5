// The commands for the customer's card and rights, as the table of `commands.ts` takes them. Pure.

import type { Entry } from '../command.ts'

export type CardHandler = 'card' | 'comment' | 'export' | 'erase'
/** What can be set, as it is typed. */
export const DETAILS = ['email', 'manager', 'priority', 'timezone', 'language', 'website', 'phones', 'address', 'avatar'] as const

export const CARD_COMMANDS: readonly Entry<CardHandler>[] = [
  { word: 'card', aliases: [], handler: 'card', permission: 'chat.serve', scope: 'customers:write', about: 'any', fields: [{ name: 'what', kind: 'choice', label: 'What', choices: DETAILS, required: true }, { name: 'value', kind: 'text', label: 'Value (empty: none; phones: with commas between; manager: a colleague)' }], label: 'Customer’s card…', help: 'fill in the customer’s card: !card email zoe@example.org; !who shows it' },
  { word: 'comment', aliases: [], handler: 'comment', permission: 'chat.serve', scope: 'customers:write', about: 'any', fields: [{ name: 'text', kind: 'text', label: 'Comment', required: true }], lines: true, label: 'Comment on the customer…', help: 'keep a comment on the customer’s card; agents see it with later conversations, the customer never' },
  { word: 'export', aliases: [], handler: 'export', permission: 'records.erase', scope: 'customers:erase', about: 'any', fields: [], label: 'Copy for the customer', help: 'make a copy of all that is kept of the customer, to be fetched once within a day' },
  { word: 'erase', aliases: [], handler: 'erase', permission: 'records.erase', scope: 'customers:erase', about: 'any', fields: [{ name: 'confirm', kind: 'choice', label: 'The customer shall be erased', choices: ['yes'], required: true }], label: 'Erase the customer…', help: 'erase the customer everywhere, at once and for good: !erase 12 yes' },
]
