// What is done with the desk's articles, for all ways in (ST-49; shell).
import { isAnswer, no, unknown, yes, type Act, type Answer, type Call } from '../answers.ts'
import type { Office } from '../office.ts'
import { queueName } from '../config.ts'
import { short } from '../sentences.ts'
import { PARTS, type ArticleHandler } from './article-commands.ts'
import { MOST, type Article, type Given } from './knowledge.ts'

const SHOWN = 20 // in an answer to a command
const TITLE = 200 // characters
const TEXT = 100_000 // characters

/** What an article would be with these parts, or what is wrong with them. `odd`: JSON from outside, each value is looked at. */
export function readArticle(o: Pick<Office, 'hasQueue'>, odd: Readonly<Record<string, unknown>>): Given | { readonly wrong: string } {
  const { title, text, url, internal = false, queues = [], ...others } = odd
  const [strange] = Object.keys(others)
  if (strange !== undefined) return { wrong: `${strange}: is nothing that an article has.` }
  if (typeof title !== 'string' || title.trim() === '' || title.length > TITLE) return { wrong: `title: a text of 1 to ${TITLE} characters.` }
  if (typeof text !== 'string' || text.length > TEXT) return { wrong: `text: a text of at most ${TEXT} characters.` }
  if (url !== undefined && url !== null && (typeof url !== 'string' || url.length > 2000 || !/^https?:\/\/[^\s]+$/i.test(url))) return { wrong: 'url: an address that begins with http or https.' }
  if (typeof internal !== 'boolean') return { wrong: 'internal: true or false.' }
  if (!Array.isArray(queues) || !queues.every(q => typeof q === 'string' && o.hasQueue(q))) return { wrong: 'queues: a list of queues there are.' }
  return { title: title.trim(), text, internal, queues: queues as string[], ...(typeof url === 'string' ? { url } : {}) } // looked at above
}
/** The parts of one that can be given anew. */
export function givenOf(a: Article): Given {
  const { id: _, at: __, by: ___, ...given } = a
  return given
}

/** By its id, its title, or the beginning of one of them. */
function meantArticle(o: Office, c: Call): Article | Answer {
  const asked = (c.args['article'] ?? '').trim().toLowerCase()
  const { all } = o.knowledge.articles
  for (const fits of [(a: Article) => a.id === asked, (a: Article) => a.title.toLowerCase() === asked, (a: Article) => a.id.startsWith(asked) || a.title.toLowerCase().startsWith(asked)]) {
    const found = all.filter(fits)
    if (found[0] && found.length === 1) return found[0]
    if (found.length > 1) return no(`Which one? ${found.slice(0, SHOWN).map(a => `${a.id.slice(0, 8)} (${short(a.title)})`).join(', ')}.`)
  }
  return unknown(`There is no article “${short(asked, 40)}”.`)
}
const noted = (o: Office, c: Call, what: string, a: Article): Promise<unknown> => o.records.audit.note({ by: c.by, what, on: `/articles/${a.id}`, detail: { title: a.title } })
const about = (o: Office, a: Article): string => [...(a.internal ? ['internal'] : []), ...a.queues.map(q => queueName(o.config, q))].join(', ')
const line = (o: Office, a: Article): string => `${a.id.slice(0, 8)} ${a.title}${about(o, a) === '' ? '' : ` (${about(o, a)})`}${a.url === undefined ? '' : ` ${a.url}`}`

async function kept(o: Office, c: Call, given: Given | { readonly wrong: string }, old?: Article): Promise<Answer> {
  if ('wrong' in given) return no(`Not saved. ${given.wrong}`)
  if (!old && o.knowledge.articles.all.length >= MOST) return no(`There are ${MOST} articles already.`)
  const a = await o.knowledge.articles.put(given, c.by, old?.id)
  await noted(o, c, old ? 'changeArticle' : 'makeArticle', a)
  return yes(`Article ${a.id.slice(0, 8)}, “${short(a.title)}”, is ${old ? 'changed' : 'written'}.`)
}

export const ARTICLE_ACTS: Readonly<Record<ArticleHandler, Act>> = {
  async articles(o, c) {
    const words = (c.args['words'] ?? '').trim()
    const found = words === '' ? o.knowledge.articles.all : await o.knowledge.articles.find(words, SHOWN + 1)
    const lines = found.slice(0, SHOWN).map(a => line(o, a))
    return yes(lines.length > 0 ? [...lines, ...(found.length > SHOWN ? ['There are more: add a word.'] : [])].join('\n') : 'There are no articles.')
  },
  article(o, c) {
    const a = meantArticle(o, c)
    return isAnswer(a) ? a : yes(`${line(o, a)}\n${a.text}`)
  },
  addArticle: (o, c) => kept(o, c, readArticle(o, { title: c.args['title'], text: c.args['text'] })),
  async editArticle(o, c) {
    const a = meantArticle(o, c)
    if (isAnswer(a)) return a
    const what = PARTS.find(p => p === c.args['what']?.toLowerCase()) ?? 'text'
    const value = (c.args['value'] ?? '').trim()
    if (what === 'internal' && !['yes', 'no'].includes(value.toLowerCase())) return no('Not saved. internal: yes or no.')
    const news = what === 'internal' ? value.toLowerCase() === 'yes' : what === 'queues' ? value.toLowerCase().split(/[\s,]+/).filter(q => q !== '') : what === 'url' && value === '' ? null : value
    return kept(o, c, readArticle(o, { ...givenOf(a), [what]: news }), a)
  },
  async deleteArticle(o, c) {
    const a = meantArticle(o, c)
    if (isAnswer(a)) return a
    if (!await o.knowledge.articles.remove(a.id)) return unknown(`There is no article “${short(a.title, 40)}”.`)
    await noted(o, c, 'deleteArticle', a)
    return yes(`Article “${short(a.title)}” is deleted.`)
  },
}
