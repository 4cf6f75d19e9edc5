// What is done with webhooks, for all ways in (shell).
import { isAnswer, no, unknown, yes, type Act, type Answer, type Call } from '../answers.ts'
import type { Office } from '../office.ts'
import { short } from '../sentences.ts'
import type { HookBook, HookNews } from './hook-book.ts'
import type { HookHandler } from './hook-commands.ts'
import type { Hook } from './webhooks.ts'

const bookOf = (o: Office): HookBook | Answer => o.records.hooks?.hooks ?? no('The desk is starting.')
const split = (text: string | undefined): readonly string[] => (text ?? '').split(/[\s,]+/).filter(t => t !== '')
/** How one is shown in a line. */
export const hookLine = (h: Hook): string => `${h.id} ${h.url} · ${h.types.includes('*') ? 'all' : h.types.join(', ')}${h.disabled === true ? ' · off' : ''}`

function meantHook(book: HookBook, c: Call): Hook | Answer {
  const asked = (c.args['hook'] ?? '').trim()
  const found = book.list().filter(h => h.id === asked.toLowerCase() || h.url === asked)
  if (found.length > 1) return no(`Which one? ${found.map(h => h.id).join(', ')}.`)
  return found[0] ?? unknown(`There is no webhook “${short(asked, 60)}”.`)
}

async function kept(o: Office, c: Call, book: HookBook, news: HookNews, old?: Hook): Promise<Answer> {
  const put = await book.put(news, old?.id, u => o.records.fetcher.wrong(u))
  if ('wrong' in put) return no(`Not saved. ${put.wrong}.`)
  await o.records.audit.note({ by: c.by, what: old ? 'changeWebhook' : 'makeWebhook', on: `/webhooks/${put.id}`, detail: { url: put.url, types: [...put.types], disabled: put.disabled === true, ...(news.rotate === true ? { rotate: true } : {}) } })
  const secret = !old || news.rotate === true ? ` Its ${old ? 'new ' : ''}secret, shown this once: ${put.secrets[0]}` : ''
  return yes(`Webhook ${hookLine(put)}.${secret}`)
}

const withBook = (act: (o: Office, c: Call, book: HookBook) => Promise<Answer> | Answer): Act => (o, c) => { const book = bookOf(o); return isAnswer(book) ? book : act(o, c, book) }

export const HOOK_ACTS: Readonly<Record<HookHandler, Act>> = {
  hooks: withBook((_, __, book) => yes(book.list().length > 0 ? book.list().map(hookLine).join('\n') : 'There are no webhooks.')),
  addHook: withBook((o, c, book) => kept(o, c, book, { url: c.args['url'] ?? '', ...(split(c.args['types']).length > 0 ? { types: split(c.args['types']) } : {}) })),
  editHook: withBook((o, c, book) => {
    const h = meantHook(book, c)
    if (isAnswer(h)) return h
    const value = (c.args['value'] ?? '').trim()
    switch (c.args['what']?.toLowerCase()) {
      case 'on': case 'off': return kept(o, c, book, { disabled: c.args['what']?.toLowerCase() === 'off' }, h)
      case 'url': return kept(o, c, book, { url: value }, h)
      case 'types': return kept(o, c, book, { types: value === '' ? ['*'] : split(value) }, h)
      default: return kept(o, c, book, { rotate: true }, h)
    }
  }),
  deleteHook: withBook(async (o, c, book) => {
    const h = meantHook(book, c)
    if (isAnswer(h)) return h
    await book.remove(h.id)
    await o.records.audit.note({ by: c.by, what: 'deleteWebhook', on: `/webhooks/${h.id}` })
    return yes(`Webhook ${h.id} is deleted.`)
  }),
}
