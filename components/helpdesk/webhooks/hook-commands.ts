// The commands for webhooks, as the table of `commands.ts` takes them. Pure.

import type { Entry, Field } from '../command.ts'

export type HookHandler = 'hooks' | 'addHook' | 'editHook' | 'deleteHook'
const hook: Field = { name: 'hook', kind: 'word', label: 'Webhook (its id or its address)', required: true }
const base = { permission: 'settings.manage', scope: 'settings:write', about: 'none' } as const

export const HOOK_COMMANDS: readonly Entry<HookHandler>[] = [
  { ...base, word: 'hooks', aliases: ['webhooks'], handler: 'hooks', scope: 'settings:read', fields: [], label: 'Webhooks', help: 'list the addresses where other programs are told of what happens' },
  { ...base, word: 'addhook', aliases: ['addwebhook'], handler: 'addHook', fields: [{ name: 'url', kind: 'word', label: 'Address', required: true }, { name: 'types', kind: 'text', label: 'Of what (conversation.closed …; empty: of all)' }], label: 'Add a webhook…', help: 'tell another program of what happens; the secret that signs it is shown once' },
  { ...base, word: 'edithook', aliases: ['editwebhook'], handler: 'editHook', fields: [hook, { name: 'what', kind: 'choice', label: 'What', choices: ['on', 'off', 'url', 'types', 'rotate'], required: true }, { name: 'value', kind: 'text', label: 'Value (of url and types)' }], label: 'Change a webhook…', help: 'turn it on or off, change its address (url) or its types, or make a new secret beside the old one (rotate)' },
  { ...base, word: 'delhook', aliases: ['delwebhook'], handler: 'deleteHook', fields: [hook, { name: 'confirm', kind: 'choice', label: 'It shall be deleted', choices: ['yes'], required: true }], label: 'Delete a webhook…', help: 'delete a webhook, and what waits for it: !delhook ID yes' },
]
