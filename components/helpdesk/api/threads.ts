// REST for the agents' own talks (shell).
import { commandNamed } from '../commands.ts'
import { act } from '../actions.ts'
import type { Thread } from '../threads.ts'
import { declined, gone, nothing, object, ok, page, problem, time, type Door, type Route } from './door.ts'

const text = { type: 'string' }
const THREAD = { type: 'object', properties: { number: { type: 'integer' }, address: text, by: text, members: { type: 'array', items: { type: 'object', properties: { jid: text, name: text, standing: { enum: ['in', 'asked', 'out'] } } } }, related: { type: ['object', 'null'], properties: { kind: text, number: { type: 'integer' }, href: text } }, begun: text, last: text, lastBy: text, lines: { type: 'integer' } } }

export function threadRoutes({ office: o }: Door): readonly Route[] {
  const shown = (t: Thread): object => ({
    number: t.n, address: `im${t.n}@${o.domain}`, by: t.by, members: Object.entries(t.members).map(([jid, standing]) => ({ jid, name: o.operators.name(jid), standing })),
    related: t.related ? { ...t.related, href: `/api/v1/${t.related.kind === 'ticket' ? 'tickets' : 'conversations'}/${t.related.number}` } : null, begun: time(t.begun), last: time(t.last), lastBy: t.lastBy, lines: t.lines,
  })
  return [
    { method: 'GET', path: '/threads', id: 'threads', scope: 'conversations:read', needs: 'chat.with.agents', summary: 'One’s talks with colleagues, the newest on top', query: { limit: { type: 'integer' }, after: text }, answer: { type: 'object', properties: { items: { type: 'array', items: THREAD }, next: { type: ['string', 'null'] } } }, handle(r, who) { const all = o.threads.of(who.jid); const at = r.query.get('after'); const rest = at === null ? all : all.slice(all.findIndex(t => String(t.n) === at) + 1); const p = page(rest, t => String(t.n), { ...r, query: new URLSearchParams([...r.query].filter(([k]) => k !== 'after')) }); return ok({ items: p.items.map(shown), next: p.next }) } },
    {
      method: 'POST', path: '/threads', id: 'beginThread', scope: 'conversations:write', personal: true, needs: 'chat.with.agents', summary: 'Begins to talk with one or more colleagues, or goes on', body: { type: 'object', required: ['who', 'text'], properties: { who: { type: 'array', items: text }, text, related: { ...text, description: '#12 or ticket:5' } } }, answer: { type: 'object', properties: { ok: { const: true }, text } },
      async handle(r, who) {
        const { who: people, text: said, related } = object(r) ?? {}
        if (!Array.isArray(people) || people.length === 0 || !people.every(p => typeof p === 'string') || typeof said !== 'string') return problem(422, 'who and text are needed.', { errors: [{ pointer: '/who', detail: 'a list of colleagues is needed' }] })
        const command = commandNamed('im')
        if (!command) return nothing()
        const answer = await act(o, command, { by: who.jid, n: undefined, here: undefined, args: { who: people.join(','), text: said, ...(typeof related === 'string' ? { related } : {}) } })
        return answer.ok ? ok({ ok: true, text: answer.text }) : declined(answer)
      },
    },
    {
      method: 'GET', path: '/threads/{n}/lines', id: 'threadLines', scope: 'conversations:read', summary: 'What was said in a talk one is in', query: { after: { type: 'integer' } }, answer: { type: 'object', properties: { lines: { type: 'array', items: { type: 'object', properties: { seq: { type: 'integer' }, at: text, by: text, name: text, text } } } } },
      async handle(r, who) {
        const n = Number(r.params['n'])
        if (o.threads.get(n)?.members[who.jid] === undefined) return nothing()
        const lines = await o.threads.lines(n, Number(r.query.get('after') ?? 0) || 0)
        return ok({ lines: lines.map(l => ({ seq: l.seq, at: time(l.at), by: l.by, name: l.name, text: l.body })) })
      },
    },
    {
      method: 'POST', path: '/threads/{n}/lines', id: 'writeThread', scope: 'conversations:write', personal: true, needs: 'chat.with.agents', summary: 'Writes into a talk, and comes in with it', status: 204, answer: {},
      body: { type: 'object', required: ['text'], properties: { text } },
      async handle(r, who) {
        const t = o.threads.get(Number(r.params['n']))
        if (t?.members[who.jid] === undefined) return nothing()
        const { text: said } = object(r) ?? {}
        if (typeof said !== 'string' || said.trim() === '') return problem(422, 'text: this is needed.', { errors: [{ pointer: '/text', detail: 'is needed' }] })
        await o.inTurnOf(who.jid, () => o.doings.write(who.jid, t.n, said))
        return gone()
      },
    },
    {
      method: 'PUT', path: '/threads/{n}/standing', id: 'standInThread', scope: 'conversations:write', personal: true, needs: 'chat.with.agents', summary: 'Comes into a talk, or passes', body: { type: 'object', required: ['standing'], properties: { standing: { enum: ['in', 'out'] } } }, answer: THREAD,
      async handle(r, who) {
        const t = o.threads.get(Number(r.params['n']))
        if (t?.members[who.jid] === undefined) return nothing()
        const { standing } = object(r) ?? {}
        if (standing !== 'in' && standing !== 'out') return problem(422, 'standing: in or out.', { errors: [{ pointer: '/standing', detail: 'in or out' }] })
        await o.inTurnOf(who.jid, () => o.doings.stand(who.jid, t.n, standing))
        return ok(shown(o.threads.get(t.n) ?? t))
      },
    },
  ]
}
