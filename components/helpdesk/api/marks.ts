// REST for what is kept beside a conversation's lines: its dossier, its history, its custom fields (shell).
import type { HttpRequest } from '../../../server/api.ts'
import { fillIn, nameOf } from '../acts/marks.ts'
import { actorOf, happened } from '../chronicle.ts'
import { PRIORITIES, type Present } from '../facts.ts'
import { mayRead } from '../records/access.ts'
import { declined, nothing, object, ok, problem, time, whole, type Caller, type Door, type Route } from './door.ts'
import { byName, count, DONE, list, maybe, moment, PAGED, sent, shape, text, texts, yesNo } from './shapes.ts'

const noted = { id: text, at: moment, by: text }
const DOSSIER = shape({
  conversation: count, subject: maybe(text), priority: { enum: PRIORITIES }, labels: texts, pinned: yesNo, followUp: maybe(shape({ at: moment, by: text, due: yesNo })), hold: maybe(shape({ until: moment })), monitoring: { enum: ['none', 'customer', 'all'] },
  tasks: list(shape({ ...noted, text, done: maybe(moment), doneBy: maybe(text) })), times: list(shape({ ...noted, minutes: count, text })), items: list(shape({ ...noted, kind: { enum: ['ticket', 'conversation', 'link'] }, ref: text })),
  calls: list(shape({ ...noted, number: text, minutes: count, text })), files: list(shape({ ...noted, name: text, url: text })), resolutions: list(shape({ ...noted, text })),
  source: { ...maybe(shape({ site: text, link: text, page: text, department: text }, 'site', 'link', 'page', 'department')), description: 'Where the customer came from.' },
  fields: byName(shape({ value: text, by: text, at: moment, app: { ...yesNo, description: 'Filled in by a program.' } }, 'app')), survey: maybe(shape({ at: moment, rating: { type: 'integer', minimum: 1, maximum: 5 }, text })),
})
const MOST = 200
const done = { at: moment, type: text, by: maybe(text), text }
/** Something that was done with a conversation. */
export const DEED = shape(done)
const HAPPENED = shape({ seq: { ...count, description: 'Its place.' }, ...done })

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
          tasks: d.tasks.map(t => ({ ...t, at: time(t.at), done: time(t.done), doneBy: t.doneBy ?? null })), times: dated(d.times), items: dated(d.items), calls: dated(d.calls), files: dated(d.files), resolutions: dated(d.resolutions),
          source: d.source ?? null, survey: d.survey ? { at: time(d.survey.at), rating: d.survey.rating, text: d.survey.text } : null, fields: Object.fromEntries(Object.entries(d.fields).map(([k, f]) => [k, { ...f, at: time(f.at) }])),
        })
      },
    },
    {
      method: 'GET', path: '/conversations/{n}/history', id: 'history', scope: 'conversations:read', summary: 'All that was done with the conversation, in order', query: PAGED, answer: shape({ conversation: count, history: list(HAPPENED), next: maybe(text) }),
      async handle(r, who) {
        const found = await find(r, who)
        if (!found) return nothing()
        const [after, limit] = [whole(r.query.get('after'), 0), whole(r.query.get('limit'), MOST, MOST)]
        const all = (await o.book.history(found.n)).flatMap((e, i) => { const t = i < after ? undefined : happened(e, w => nameOf(o, w)); return t === undefined ? [] : [{ seq: i + 1, at: time(e.at), type: e.type, by: actorOf(e) ?? null, text: t }] })
        const history = all.slice(0, limit)
        return ok({ conversation: found.n, history, next: all.length > limit ? String(history.at(-1)?.seq) : null })
      },
    },
    {
      method: 'PUT', path: '/conversations/{n}/fields/{name}', id: 'setField', scope: 'conversations:write', summary: 'Fills in a custom field, for another program', body: sent({ value: { ...text, maxLength: 4000 } }, 'value'), refuses: [403, 404, 409], answer: DONE,
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
