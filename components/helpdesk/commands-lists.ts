// The actions on lists, as the table of `commands.ts` takes them. Pure.

import type { Entry } from './command.ts'

export type ListHandler = 'list' | 'channels' | 'bulk'
const LISTS = ['mine', 'done', 'queue', 'customers', 'public', 'agents', 'active', 'completed'] as const

export const LIST_COMMANDS: readonly Entry<ListHandler>[] = [
  { word: 'list', aliases: ['ls'], handler: 'list', permission: 'chat.serve', about: 'none', fields: [{ name: 'list', kind: 'choice', label: 'List', choices: LISTS, required: true }, { name: 'filter', kind: 'text', label: 'Filter (dept:sales queue:billing agent:ben sort:-idle all mine)' }], label: 'A list…', help: 'list your own (mine, done), who waits (queue, customers, public), what colleagues ask you (agents), or all (active, completed); dept:, queue:, agent:, sort: filter and order it' },
  { word: 'channels', aliases: [], handler: 'channels', permission: 'chat.serve', about: 'none', fields: [{ name: 'show', kind: 'choice', label: 'Lists show', choices: ['all', 'mine'], required: true }], label: 'Lists show…', help: 'your lists show all channels, or only yours' },
  { word: 'bulk', aliases: [], handler: 'bulk', permission: 'chat.serve', about: 'none', fields: [{ name: 'conversations', kind: 'word', label: 'Conversations (1,2,3, or a list: mine, queue)', required: true }, { name: 'command', kind: 'text', label: 'Command (t ben, take, close …)', required: true }], label: 'Several at once…', help: 'do the same with several: !bulk 1,2,3 t ben; mine and queue stand for those lists' },
]
