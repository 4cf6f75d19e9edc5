// The command that asks what is known, as the table of `commands.ts` takes it. Pure.

import type { Entry } from '../command.ts'

export type KnowledgeHandler = 'kb'
export const KNOWLEDGE_COMMANDS: readonly Entry<KnowledgeHandler>[] = [
  { word: 'kb', aliases: [], handler: 'kb', permission: 'chat.serve', about: 'any', fields: [{ name: 'words', kind: 'text', label: 'About (empty: what the customer asked)' }], label: 'What is known…', help: 'look for articles, and for resolutions of conversations you may see; without words: about what the customer asked' },
]
