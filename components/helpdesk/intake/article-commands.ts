// The commands for the desk's articles, as the table of `commands.ts` takes them. Pure.

import type { Entry, Field } from '../command.ts'

export type ArticleHandler = 'articles' | 'article' | 'addArticle' | 'editArticle' | 'deleteArticle'
/** What can be changed of one. */
export const PARTS = ['title', 'text', 'url', 'internal', 'queues'] as const
const article: Field = { name: 'article', kind: 'word', label: 'Article (its id, or the beginning of its title)', required: true }

export const ARTICLE_COMMANDS: readonly Entry<ArticleHandler>[] = [
  { word: 'articles', aliases: [], handler: 'articles', permission: 'chat.serve', scope: 'articles:read', about: 'none', fields: [{ name: 'words', kind: 'text', label: 'Words that stand in it (empty: all)' }], label: 'Articles', help: 'list the desk’s own articles; !kb looks in all that is known' },
  { word: 'article', aliases: [], handler: 'article', permission: 'chat.serve', scope: 'articles:read', about: 'none', fields: [article], label: 'An article…', help: 'read an article' },
  { word: 'addarticle', aliases: [], handler: 'addArticle', permission: 'canned.manage', scope: 'articles:write', about: 'none', fields: [{ name: 'title', kind: 'word', label: 'Title', required: true }, { name: 'text', kind: 'text', label: 'Text', required: true }], lines: true, label: 'Write an article…', help: 'write an article for customers and agents: !addarticle "The title" and its text, of several lines if need be' },
  { word: 'editarticle', aliases: [], handler: 'editArticle', permission: 'canned.manage', scope: 'articles:write', about: 'none', fields: [article, { name: 'what', kind: 'choice', label: 'What', choices: PARTS, required: true }, { name: 'value', kind: 'text', label: 'Value (internal: yes or no; queues: with blanks between; empty: none)' }], lines: true, label: 'Change an article…', help: 'change its title, text, url, whether it is internal (yes, no) or the queues it is for' },
  { word: 'delarticle', aliases: ['deletearticle'], handler: 'deleteArticle', permission: 'canned.manage', scope: 'articles:write', about: 'none', fields: [article, { name: 'confirm', kind: 'choice', label: 'It shall be deleted', choices: ['yes'], required: true }], label: 'Delete an article…', help: 'delete an article: !delarticle TITLE yes' },
]
