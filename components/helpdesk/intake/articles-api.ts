// REST for the desk's articles (shell).
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import { created, gone, nothing, object, ok, page, problem, time, whole, type Caller, type Door, type Route } from '../api/door.ts'
import { count, list, maybe, moment, paged, PAGED, sent, shape, text, texts, yesNo } from '../api/shapes.ts'
import { givenOf, readArticle } from './article-acts.ts'
import { MOST, type Article } from './knowledge.ts'

const QUESTION = 1000 // characters
const WORDS = { title: { ...text, minLength: 1, maxLength: 200 }, text: { ...text, maxLength: 100_000 }, url: { ...maybe(text), description: 'Where it stands in full; http or https.' }, internal: { ...yesNo, description: 'For agents only. Default: false.' }, queues: { ...texts, description: 'Empty: all.' } }
const ARTICLE = shape({ id: text, ...WORDS, at: moment, by: text })

export function articleRoutes({ office: o }: Door): readonly Route[] {
  const { articles } = o.knowledge
  const shown = (a: Article): object => ({ ...a, url: a.url ?? null, at: time(a.at) })
  const keep = async (r: HttpRequest, who: Caller, old: Article | undefined): Promise<HttpResponse> => {
    const given = readArticle(o, { ...old && givenOf(old), ...object(r) })
    if ('wrong' in given) return problem(422, given.wrong)
    if (!old && articles.all.length >= MOST) return problem(409, `There are ${MOST} articles already.`)
    const kept = await articles.put(given, who.jid, old?.id)
    return old ? ok(shown(kept)) : created(`/articles/${kept.id}`, shown(kept))
  }
  const find = (r: HttpRequest): Article | undefined => articles.get(r.params['id'] ?? '')
  return [
    {
      method: 'GET', path: '/articles', id: 'articles', scope: 'articles:read', needs: 'chat.serve', summary: 'Articles, or those in which all words of `q` stand, the best first', query: { q: { ...text, description: 'Words; what is found comes on one page.' }, ...PAGED }, answer: paged(ARTICLE),
      async handle(r) {
        const q = r.query.get('q')
        if (q !== null && q.trim() !== '') return ok({ items: (await articles.find(q, Math.max(1, whole(r.query.get('limit'), 20, 100)))).map(shown), next: null })
        const p = page(articles.all, a => a.id, r)
        return ok({ items: p.items.map(shown), next: p.next })
      },
    },
    { method: 'POST', path: '/articles', id: 'makeArticle', scope: 'articles:write', needs: 'canned.manage', summary: 'Writes an article', body: sent(WORDS, 'title', 'text'), answer: ARTICLE, status: 201, handle: (r, who) => keep(r, who, undefined) },
    { method: 'GET', path: '/articles/{id}', id: 'article', scope: 'articles:read', needs: 'chat.serve', summary: 'One article', answer: ARTICLE, handle: r => { const a = find(r); return a ? ok(shown(a)) : nothing() } },
    { method: 'PATCH', path: '/articles/{id}', id: 'changeArticle', scope: 'articles:write', needs: 'canned.manage', summary: 'Changes an article', body: sent(WORDS), answer: ARTICLE, handle: (r, who) => { const a = find(r); return a ? keep(r, who, a) : nothing() } },
    {
      method: 'GET', path: '/suggestions', id: 'suggestions', scope: 'articles:read', needs: 'chat.serve', summary: 'What may answer a question: articles in which most of its words stand, and what the knowledge base finds', demands: ['q'], query: { q: { ...text, minLength: 1, description: 'The question.' }, queue: text, customers: { ...yesNo, description: 'true: only what customers may read.' }, limit: { type: 'integer', minimum: 1, maximum: 20, description: 'The best so many; there is no next page.' } },
      answer: shape({ items: list(shape({ title: text, text, url: maybe(text) })) }),
      async handle(r) {
        const [q, queue] = [r.query.get('q') ?? '', r.query.get('queue') ?? undefined]
        if (q.trim() === '') return problem(422, 'q: a question is needed.', { errors: [{ pointer: '/q', detail: 'a question is needed' }] })
        if (queue !== undefined && !o.hasQueue(queue)) return problem(422, `queue: there is no queue ${queue}.`, { errors: [{ pointer: '/queue', detail: 'there is no such queue' }] })
        const found = await o.knowledge.suggest(q.slice(0, QUESTION), { queue, open: r.query.get('customers') === 'true', limit: Math.max(1, whole(r.query.get('limit'), 3, 20)) })
        return ok({ items: found.map(({ title, text: words, url }) => ({ title, text: words, url: url ?? null })) })
      },
    },
    {
      method: 'GET', path: '/knowledge', id: 'knowledge', scope: 'settings:read', needs: 'settings.view', summary: 'How the knowledge base stands: whether it is asked, left alone because it failed, and why', answer: shape({ on: yesNo, failures: count, leftAloneUntil: maybe(moment), because: maybe(text) }),
      handle() { const { on, failures, until, because } = o.remoteKnowledge.standing; return ok({ on, failures, leftAloneUntil: time(until), because: because ?? null }) },
    },
    { method: 'DELETE', path: '/articles/{id}', id: 'deleteArticle', scope: 'articles:write', needs: 'canned.manage', summary: 'Deletes an article', answer: {}, status: 204, handle: async r => await articles.remove(r.params['id'] ?? '') ? gone() : nothing() },
  ]
}
