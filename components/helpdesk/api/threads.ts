// REST for the agents' own talks (shell).
import { commandNamed } from '../commands.ts'
import { act } from '../actions.ts'
import type { Thread } from '../threads.ts'
import { declined, gone, nothing, object, ok, problem, time, whole, type Door, type Route } from './door.ts'
import { count, DONE, list, maybe, moment, paged, PAGED, sent, shape, text } from './shapes.ts'

const THREAD = shape({ number: count, address: text, by: text, members: list(shape({ jid: text, name: text, standing: { enum: ['in', 'asked', 'out'] } })), related: maybe(shape({ kind: { enum: ['ticket', 'conversation'] }, number: count, href: text })), begun: moment, last: moment, lastBy: text, lines: count })
const MOST = 200
const LINES = 500

export function threadRoutes({ office: o }: Door): readonly Route[] {
  const shown = (t: Thread): object => ({
    number: t.n, address: `im${t.n}@${o.domain}`, by: t.by, members: Object.entries(t.members).map(([jid, standing]) => ({ jid, name: o.operators.name(jid), standing })),
    related: t.related ? { ...t.related, href: `/api/v1/${t.related.kind === 'ticket' ? 'tickets' : 'conversations'}/${t.related.number}` } : null, begun: time(t.begun), last: time(t.last), lastBy: t.lastBy, lines: t.lines,
  })
  return [
    { method: 'GET', path: '/threads', id: 'threads', scope: 'conversations:read', needs: 'chat.with.agents', summary: 'One’s talks with colleagues, the newest on top', query: PAGED, answer: paged(THREAD), refuses: [422], handle(r, who) {
      const after = r.query.get('after')
      const [, last, n] = /^(\d{1,15})-(\d{1,15})$/.exec(after ?? '') ?? []
      if (after !== null && n === undefined) return problem(422, 'after: is no place where a page ended.', { errors: [{ pointer: '/after', detail: 'is no place where a page ended' }] })
      // Who was written to meanwhile stands on top again, and is not told twice.
      const rest = o.threads.of(who.jid).filter(t => after === null || t.last < Number(last) || (t.last === Number(last) && t.n < Number(n))).sort((a, b) => b.last - a.last || b.n - a.n)
      const items = rest.slice(0, whole(r.query.get('limit'), MOST, MOST))
      const end = items.at(-1)
      return ok({ items: items.map(shown), next: end !== undefined && rest.length > items.length ? `${end.last}-${end.n}` : null })
    } },
    {
      method: 'POST', path: '/threads', id: 'beginThread', scope: 'conversations:write', personal: true, needs: 'chat.with.agents', summary: 'Begins to talk with one or more colleagues, or goes on', body: sent({ who: { ...list(text), minItems: 1 }, text, related: { ...text, description: '#12 or ticket:5' } }, 'who', 'text'), answer: DONE,
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
      method: 'GET', path: '/threads/{n}/lines', id: 'threadLines', scope: 'conversations:read', summary: 'What was said in a talk one is in', query: { after: { ...count, description: 'Only lines with a greater `seq`: `next` of the page before.' }, limit: { type: 'integer', minimum: 1, maximum: LINES } }, answer: paged(shape({ seq: count, at: moment, by: text, name: text, text }), 'lines'),
      async handle(r, who) {
        const n = Number(r.params['n'])
        if (o.threads.get(n)?.members[who.jid] === undefined) return nothing()
        const limit = whole(r.query.get('limit'), LINES, LINES)
        const all = await o.threads.lines(n, whole(r.query.get('after'), 0), limit + 1)
        const lines = all.slice(0, limit)
        return ok({ lines: lines.map(l => ({ seq: l.seq, at: time(l.at), by: l.by, name: l.name, text: l.body })), next: all.length > limit ? String(lines.at(-1)?.seq) : null })
      },
    },
    {
      method: 'POST', path: '/threads/{n}/lines', id: 'writeThread', scope: 'conversations:write', personal: true, needs: 'chat.with.agents', summary: 'Writes into a talk, and comes in with it', status: 204, answer: {},
      body: sent({ text: { ...text, minLength: 1 } }, 'text'),
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
      method: 'PUT', path: '/threads/{n}/standing', id: 'standInThread', scope: 'conversations:write', personal: true, needs: 'chat.with.agents', summary: 'Comes into a talk, or passes', body: sent({ standing: { enum: ['in', 'out'] } }, 'standing'), answer: THREAD,
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
