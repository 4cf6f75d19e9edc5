// REST for what is kept beside a conversation's lines: its dossier, its history, its custom fields (shell).
import type { HttpRequest } from '../../../server/api.ts'
import { fillIn, nameOf } from '../acts/marks.ts'
import { actorOf, happened } from '../chronicle.ts'
import type { Present } from '../facts.ts'
import { mayRead } from '../records/access.ts'
import { declined, nothing, object, ok, problem, time, type Caller, type Door, type Route } from './door.ts'

const text = { type: 'string' }
const moment = { type: ['string', 'null'], format: 'date-time' }
const texts = { type: 'array', items: text }
const listOf = (properties: object): object => ({ type: 'array', items: { type: 'object', properties: { id: text, at: moment, by: text, ...properties } } })
const DOSSIER = {
  type: 'object', properties: {
    conversation: { type: 'integer' }, subject: { type: ['string', 'null'] }, priority: text, labels: texts, pinned: { type: 'boolean' }, followUp: { type: ['object', 'null'] }, hold: { type: ['object', 'null'] }, monitoring: text,
    tasks: listOf({ text, done: moment }), times: listOf({ minutes: { type: 'integer' }, text }), items: listOf({ kind: text, ref: text }), calls: listOf({ number: text, minutes: { type: 'integer' }, text }),
    files: listOf({ name: text, url: text }), resolutions: listOf({ text }), source: { type: ['object', 'null'], description: 'Where the customer came from.' }, fields: { type: 'object' }, survey: { type: ['object', 'null'] },
  },
}

export function markRoutes(door: Door): readonly Route[] {
  const o = door.office
  const find = async (r: HttpRequest, who: Caller): Promise<{ n: number; s: Present } | undefined> => {
    const t = r.params['n'] ?? ''
    const n = /^[1-9]\d{0,8}$/.test(t) ? Number(t) : undefined
    const s = n === undefined ? undefined : await o.book.state(n)
    if (n === undefined || !s || s.is === 'absent' || s.deleted !== undefined) return undefined
    if (mayRead(o, who.jid, s)) return { n, s }
    await door.denials.note(r, who.jid)
    return undefined
  }
  const dated = <T extends { readonly at: number }>(all: readonly T[]): object[] => all.map(x => ({ ...x, at: time(x.at) }))
  return [
    {
      method: 'GET', path: '/conversations/{n}/dossier', id: 'dossier', scope: 'conversations:read', summary: 'Subject, labels, tasks, time logs, related items, calls, files, custom fields', answer: DOSSIER,
      async handle(r, who) {
        const found = await find(r, who)
        if (!found) return nothing()
        const { n, s } = found
        const d = await o.dossiers.get(n)
        return ok({
          conversation: n, subject: d.subject ?? null, priority: s.priority, labels: d.labels, pinned: d.pinned.includes(who.jid), monitoring: s.monitors[who.jid] ?? 'none',
          followUp: s.followUp ? { at: time(s.followUp.at), by: s.followUp.by, due: s.followUp.due } : null, hold: s.hold ? { until: time(s.hold.until) } : null,
          tasks: dated(d.tasks).map(t => ({ ...t, done: time((t as { done?: number }).done) })), times: dated(d.times), items: dated(d.items), calls: dated(d.calls), files: dated(d.files), resolutions: dated(d.resolutions),
          source: d.source ?? null, survey: d.survey ? { at: time(d.survey.at), rating: d.survey.rating, text: d.survey.text } : null, fields: Object.fromEntries(Object.entries(d.fields).map(([k, f]) => [k, { ...f, at: time(f.at) }])),
        })
      },
    },
    {
      method: 'GET', path: '/conversations/{n}/history', id: 'history', scope: 'conversations:read', summary: 'All that was done with the conversation, in order', answer: { type: 'object', properties: { conversation: { type: 'integer' }, history: { type: 'array', items: { type: 'object', properties: { at: moment, type: text, by: { type: ['string', 'null'] }, text } } } } },
      async handle(r, who) {
        const found = await find(r, who)
        if (!found) return nothing()
        const history = (await o.book.history(found.n)).flatMap(e => { const t = happened(e, w => nameOf(o, w)); return t === undefined ? [] : [{ at: time(e.at), type: e.type, by: actorOf(e) ?? null, text: t }] })
        return ok({ conversation: found.n, history })
      },
    },
    {
      method: 'PUT', path: '/conversations/{n}/fields/{name}', id: 'setField', scope: 'conversations:write', summary: 'Fills in a custom field, for another program', body: { type: 'object', required: ['value'], properties: { value: text } }, answer: { type: 'object', properties: { ok: { const: true }, text } },
      async handle(r, who) {
        const found = await find(r, who)
        if (!found) return nothing()
        const value = object(r)?.['value']
        if (typeof value !== 'string' || value.length > 4000) return problem(422, 'value: a text of at most 4000 characters is needed.', { errors: [{ pointer: '/value', detail: 'a text is needed' }] })
        const answer = await fillIn(o, found.n, who.jid, o.operators.may(who.jid, 'chat.act.others', found.s.queue), r.params['name'] ?? '', value.trim(), true)
        return answer.ok ? ok({ ok: true, text: answer.text }) : declined(answer)
      },
    },
  ]
}
