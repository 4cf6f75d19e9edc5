// REST for tickets: made, added to, changed, merged and split (shell).
import { createHash, randomUUID } from 'node:crypto'
import type { HttpRequest } from '../../../server/api.ts'
import { maySeeTicket } from '../records/access.ts'
import { seenTicket, splitOff } from '../tickets/ticket-acts.ts'
import { count, sent, shape, text, texts } from './shapes.ts'
import { created, expected, gone, nothing, object, ok, problem, type Caller, type Door, type Route } from './door.ts'

const line = { ...text, minLength: 1, maxLength: 250 }
const NUMBER = shape({ number: count })

export function ticketRoutes({ office: o }: Door): readonly Route[] {
  const maySee = (who: Caller, t: { readonly queue: string }): boolean => maySeeTicket(o, who.jid, t.queue)
  return [
    {
      method: 'PATCH', path: '/tickets/{n}', id: 'changeTicket', scope: 'tickets:write', personal: true, needs: 'chat.ticket', summary: 'Changes subject or status; If-Match with the ETag that was seen keeps two from overwriting each other', body: sent({ subject: line, status: line }), answer: shape({ number: count, subject: text, status: text }),
      async handle(r, who) {
        const n = /^[1-9]\d{0,8}$/.test(r.params['n'] ?? '') ? Number(r.params['n']) : 0
        const ticket = n === 0 ? undefined : await o.filing.tickets.get(n)
        if (!ticket || !maySee(who, ticket)) return nothing()
        const { subject, status } = object(r) ?? {}
        for (const [k, v] of Object.entries({ subject, status })) if (v !== undefined && (typeof v !== 'string' || v.trim() === '' || v.length > 250)) return problem(422, `${k}: 1 to 250 characters.`)
        const outcome = await o.filing.tickets.change(n, { ...(typeof subject === 'string' ? { subject } : {}), ...(typeof status === 'string' ? { status } : {}) }, expected(r))
        if (outcome === 'missing') return nothing()
        if (outcome === 'conflict') return problem(412, 'Somebody else has changed the ticket.')
        const now = await o.filing.tickets.get(n)
        return ok({ number: n, subject: now?.subject, status: now?.status ?? 'open' }, { etag: `"${outcome}"` })
      },
    },
    {
      method: 'POST', path: '/tickets', id: 'makeTicket', scope: 'tickets:write', personal: true, needs: 'chat.ticket', summary: 'Makes a ticket', body: sent({ subject: line, body: text, queue: text, customer: text }, 'subject', 'body'), answer: NUMBER, status: 201,
      async handle(r, who) {
        const { subject, body, queue, customer } = object(r) ?? {}
        if (typeof subject !== 'string' || subject.trim() === '' || subject.length > 250 || typeof body !== 'string') return problem(422, 'subject (1 to 250 characters) and body are needed.')
        if (queue !== undefined && (typeof queue !== 'string' || !o.hasQueue(queue))) return problem(422, 'queue: there is no such queue.')
        const number = await o.filing.tickets.open({ subject, queue: queue ?? '', customer: typeof customer === 'string' ? customer : '' }, { key: keyOf(r, who), at: o.now, by: who.jid, conversation: 0, body })
        return created(`/tickets/${number}`, { number })
      },
    },
    {
      method: 'POST', path: '/tickets/{n}/articles', id: 'addArticle', scope: 'tickets:write', personal: true, needs: 'chat.ticket', summary: 'Adds an article to a ticket', body: sent({ body: { ...text, minLength: 1 } }, 'body'), answer: NUMBER, status: 201,
      async handle(r, who) {
        const [n, body] = [r.params['n'] ?? '', object(r)?.['body']]
        const ticket = /^[1-9]\d{0,8}$/.test(n) ? await o.filing.tickets.get(Number(n)) : undefined
        if (!ticket || !maySee(who, ticket)) return nothing()
        if (typeof body !== 'string' || body.trim() === '') return problem(422, 'body: a text.')
        return await o.filing.tickets.append(ticket.number, { key: keyOf(r, who), at: o.now, by: who.jid, conversation: 0, body }) === 'ok' ? created(`/tickets/${n}`, { number: ticket.number }) : nothing()
      },
    },
    {
      method: 'POST', path: '/tickets/{n}/merge', id: 'mergeTicket', scope: 'tickets:write', needs: 'chat.act.others', summary: 'Puts the articles of a ticket into another', body: sent({ into: { type: 'integer', minimum: 1 } }, 'into'), answer: {}, status: 204,
      async handle(r, who) {
        const [n, into] = [r.params['n'] ?? '', object(r)?.['into']]
        if (!/^[1-9]\d{0,8}$/.test(n)) return nothing()
        if (!Number.isInteger(into)) return problem(422, 'into: the number of a ticket.')
        const both = await Promise.all([o.filing.tickets.get(Number(n)), o.filing.tickets.get(Number(into))])
        if (!both.every(x => x && maySee(who, x))) return nothing()
        return await o.filing.tickets.merge(Number(n), Number(into)) === 'ok' ? gone() : nothing()
      },
    },
    {
      method: 'POST', path: '/tickets/{n}/split', id: 'splitTicket', scope: 'tickets:write', personal: true, needs: 'chat.act.others', summary: 'Puts some articles of a ticket, named by their ids, into a new one; one must stay', body: sent({ articles: { ...texts, minItems: 1 }, subject: line }, 'articles', 'subject'), answer: NUMBER, status: 201,
      async handle(r, who) {
        const t = await seenTicket(o, who.jid, /^[1-9]\d{0,8}$/.test(r.params['n'] ?? '') ? Number(r.params['n']) : 0)
        if (!t) return nothing()
        const { articles, subject } = object(r) ?? {}
        if (!Array.isArray(articles) || articles.length === 0 || !articles.every(a => typeof a === 'string')) return problem(422, 'articles: a list of their ids.')
        if (typeof subject !== 'string' || subject.trim() === '' || subject.length > 250) return problem(422, 'subject: 1 to 250 characters.')
        const done = await splitOff(o, t.number, articles as string[], subject, keyOf(r, who)) // looked at above
        return 'wrong' in done ? done.missing ? nothing() : problem(409, done.wrong) : created(`/tickets/${done.number}`, { number: done.number })
      },
    },
  ]
}

/** The same key again is the same article, also after a crash in the middle. */
const keyOf = (r: HttpRequest, who: Caller): string => { const key = r.headers['idempotency-key']; return typeof key === 'string' ? `rest-${createHash('sha256').update(`${who.jid}\n${r.path}\n${key}`).digest('hex')}` : `rest-${randomUUID()}` }
