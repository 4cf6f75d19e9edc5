// REST for canned replies: everybody's, a queue's, one's own (shell).
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import type { Canned } from '../canned.ts'
import type { KeptCanned } from '../canned-book.ts'
import { created, gone, nothing, object, ok, page, problem, type Caller, type Door, type Route } from './door.ts'
import { maybe, paged, PAGED, sent, shape, text, texts, yesNo } from './shapes.ts'

const REPLY = { shortcut: { ...text, minLength: 1, maxLength: 32, description: 'Up to 32 letters and digits; no command’s word.' }, title: { ...text, minLength: 1, maxLength: 80 }, text: { ...text, description: '%VISITOR%, %OPERATOR% and the fields by name are put in.' }, group: maybe(text), queues: texts, own: { ...yesNo, description: 'Only the caller’s.' } }
const CANNED = shape({ id: text, ...REPLY })

export function cannedRoutes({ office: { canned, operators, rules } }: Door): readonly Route[] {
  const shown = (c: KeptCanned): object => ({ id: c.id, shortcut: c.shortcut, title: c.title, text: c.text, group: c.group ?? null, queues: c.queues ?? [], own: c.owner !== undefined })
  const find = (r: HttpRequest, who: Caller): KeptCanned | undefined => { const c = canned.get(r.params['id'] ?? ''); return c && (c.owner === undefined || c.owner === who.jid) ? c : undefined }
  const mayWrite = (who: Caller, own: boolean): boolean => operators.may(who.jid, own ? 'canned.own' : 'canned.manage')
  const keep = async (r: HttpRequest, who: Caller, old: KeptCanned | undefined): Promise<HttpResponse> => {
    const { shortcut, title, text: words, group, queues, own, ...other } = { ...(old ? shown(old) : {}), ...object(r), id: undefined } as Readonly<Record<string, unknown>> // JSON from outside: each value is looked at
    const odd = Object.keys(other).find(k => k !== 'id')
    if (odd !== undefined) return problem(422, `${odd}: is nothing that a canned reply has.`)
    if (typeof shortcut !== 'string' || typeof words !== 'string') return problem(422, 'shortcut and text are needed.')
    if (title !== undefined && typeof title !== 'string') return problem(422, 'title: a text.')
    if (group !== undefined && group !== null && typeof group !== 'string') return problem(422, 'group: a text, or null.')
    if (queues !== undefined && queues !== null && !(Array.isArray(queues) && queues.every(q => typeof q === 'string' && rules.now.queues[q] !== undefined))) return problem(422, 'queues: a list of queues there are.')
    const mine = old ? old.owner !== undefined : own === true
    if (!mayWrite(who, mine)) return problem(403, 'You may not do that.')
    const given: Canned = { shortcut, title: typeof title === 'string' ? title : shortcut, text: words, ...(typeof group === 'string' && group !== '' ? { group } : {}), ...(Array.isArray(queues) && queues.length > 0 ? { queues: queues as string[] } : {}), ...(mine ? { owner: who.jid } : {}) } // looked at above
    const kept = await canned.put(given, old?.id)
    if ('wrong' in kept) return problem(/is taken/.test(kept.wrong) ? 409 : 422, kept.wrong)
    return old ? ok(shown(kept)) : created(`/canned/${kept.id}`, shown(kept))
  }
  return [
    {
      method: 'GET', path: '/canned', id: 'canned', scope: 'canned:read', summary: 'Canned replies: everybody’s and one’s own', query: { search: { ...text, description: 'Words that all stand in it.' }, queue: { ...text, description: 'Those one has in a conversation of this queue.' }, ...PAGED }, answer: paged(CANNED),
      handle(r, who) {
        const queue = r.query.get('queue')
        const here = queue === null ? undefined : new Set(canned.for(who.jid, queue).values())
        const all = canned.list(who.jid, r.query.get('search') ?? '').filter(c => !here || here.has(c))
        const p = page(all, c => c.id, r)
        return ok({ items: p.items.map(shown), next: p.next })
      },
    },
    { method: 'POST', path: '/canned', id: 'makeCanned', scope: 'canned:write', summary: 'Keeps a canned reply; `own`: for oneself alone', body: sent(REPLY, 'shortcut', 'text'), answer: CANNED, status: 201, handle: (r, who) => keep(r, who, undefined) },
    { method: 'GET', path: '/canned/{id}', id: 'cannedReply', scope: 'canned:read', summary: 'One canned reply', answer: CANNED, handle: (r, who) => { const c = find(r, who); return c ? ok(shown(c)) : nothing() } },
    { method: 'PATCH', path: '/canned/{id}', id: 'changeCanned', scope: 'canned:write', summary: 'Changes a canned reply', body: sent(REPLY), answer: CANNED, handle: (r, who) => { const c = find(r, who); return c ? keep(r, who, c) : nothing() } },
    {
      method: 'DELETE', path: '/canned/{id}', id: 'deleteCanned', scope: 'canned:write', summary: 'Deletes a canned reply', answer: {}, status: 204,
      async handle(r, who) {
        const c = find(r, who)
        if (!c) return nothing()
        if (!mayWrite(who, c.owner !== undefined)) return problem(403, 'You may not do that.')
        await canned.remove(c.id)
        return gone()
      },
    },
  ]
}
