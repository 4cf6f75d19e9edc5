// REST for the desk's records: search, transcripts, deleting, the audit (shell).
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import { queuesOf } from '../records/access.ts'
import { readWanted, SEARCHES } from '../records/finding.ts'
import { Refused, type Present } from '../facts.ts'
import type { Office } from '../office.ts'
import { mailTranscript, recordedOf } from '../records/recorded.ts'
import { transcriptHtml } from '../transcripts/html.ts'
import { transcriptText } from '../transcripts/text.ts'
import { count, list, maybe, moment, sent, shape, text } from './shapes.ts'
import { gone, nothing, object, ok, problem, time, whole, type Caller, type Door, type Route } from './door.ts'

/** Whether a list is asked as a search. */
export const isSearch = (q: URLSearchParams): boolean => SEARCHES.some(p => q.has(p)) || [...q.keys()].some(k => k.startsWith('field.'))

/** Conversations that fit, ranked, with a cursor. */
export async function search(o: Office, r: HttpRequest, who: Caller): Promise<HttpResponse> {
  const { departments, fields } = o.rules.now
  const query = new URLSearchParams(r.query)
  if (query.get('agent') === 'me') query.set('agent', who.jid)
  const wanted = readWanted(query, name => departments[name] && queuesOf(o, [name]), name => fields[name] !== undefined)
  if ('wrong' in wanted) return problem(422, wanted.wrong)
  if (wanted.deleted && !o.operators.may(who.jid, 'chat.delete')) return problem(403, 'You may not look among deleted conversations.')
  const found = await o.records.find(who.jid, wanted)
  if ('wrong' in found) return problem(422, found.wrong)
  return {
    status: 200,
    body: {
      conversations: found.items.map(s => ({ number: s.number, state: s.state, queue: s.queue, customer: s.customer, owner: s.owners.at(-1) ?? null, owners: s.owners, opened: time(s.opened), closed: time(s.closed), ticket: s.ticket ?? null, deleted: time(s.deleted), weight: s.weight })),
      next: found.next ?? null,
    },
  }
}

const TRANSCRIPTS = { txt: 'text/plain; charset=utf-8', html: 'text/html; charset=utf-8', pdf: 'application/pdf' } as const
const MOST = 200
const DEED = shape({ id: count, at: moment, by: text, from: text, what: text, on: text, changes: list(shape({ at: { ...text, description: 'RFC 6901.' }, before: {}, after: {} })), detail: { description: 'What was sent; of what says something of a customer the names only.' } }, 'from', 'changes', 'detail')

export function recordRoutes({ office: o }: Door): readonly Route[] {
  const find = async (r: HttpRequest, who: Caller): Promise<{ n: number; s: Present } | undefined> => {
    const t = r.params['n'] ?? ''
    const n = /^[1-9]\d{0,8}$/.test(t) ? Number(t) : 0
    const s = n === 0 ? undefined : await o.records.seen(who.jid, n)
    return s && { n, s }
  }
  const transcripts = (Object.keys(TRANSCRIPTS) as (keyof typeof TRANSCRIPTS)[]).map((kind): Route => ({
    method: 'GET', path: `/conversations/{n}/transcript.${kind}`, id: `transcript_${kind}`, scope: 'conversations:read', summary: 'Details, custom fields and public lines; nothing internal', answer: text, media: TRANSCRIPTS[kind].replace(/;.*/, ''), ...(kind === 'pdf' ? { refuses: [503] } : {}),
    async handle(r, who) {
      const found = await find(r, who)
      if (!found) return nothing()
      const recorded = await recordedOf(o, found.n, found.s)
      const body = kind === 'pdf' ? await o.records.printer.pdf(recorded) : kind === 'txt' ? transcriptText(recorded) : transcriptHtml(recorded)
      if (body === 'busy' && kind === 'pdf') return problem(503, 'Too many are being drawn.', {}, { 'retry-after': '5' })
      return { status: 200, headers: { 'content-type': TRANSCRIPTS[kind], 'content-disposition': `attachment; filename="conversation-${found.n}.${kind}"`, 'x-content-type-options': 'nosniff' }, body }
    },
  }))
  return [
    ...transcripts,
    {
      method: 'POST', path: '/conversations/{n}/transcript', id: 'mailTranscript', scope: 'conversations:write', summary: 'Mails the transcript to the customer, or to an operator', body: sent({ to: { ...text, description: 'Absent: the customer’s own address.' } }), answer: shape({ ok: { const: true }, to: text }), status: 202,
      async handle(r, who) {
        const found = await find(r, who)
        if (!found) return nothing()
        const to = object(r)?.['to']
        const sent = await mailTranscript(o, found.n, found.s, typeof to === 'string' ? to : undefined)
        return 'to' in sent ? { status: 202, body: { ok: true, to: sent.to } } : problem(sent.status, sent.wrong)
      },
    },
    {
      method: 'DELETE', path: '/conversations/{n}', id: 'deleteConversation', scope: 'conversations:write', summary: 'Deletes a closed conversation; it can be found among the deleted ones until it is purged', query: { confirm: { type: 'boolean', description: 'true: it is meant.' } }, refuses: [409], answer: {}, status: 204,
      async handle(r, who) {
        const found = await find(r, who)
        if (!found) return nothing()
        if (!o.operators.may(who.jid, 'chat.delete', found.s.queue)) return problem(403, 'You may not delete conversations.')
        if (found.s.is !== 'closed') return problem(409, 'Only a closed conversation can be deleted: close it first.')
        if (r.query.get('confirm') !== 'true') return problem(422, `confirm: ?confirm=true if #${found.n} shall be deleted.`)
        const outcome = await o.records.keeping.delete(found.n, who.jid)
        return outcome instanceof Refused ? problem(409, outcome.because) : gone()
      },
    },
    {
      method: 'GET', path: '/audit', id: 'audit', scope: 'audit:read', needs: 'audit.view', summary: 'Who changed what, from where, and how it was before; the newest first', query: { after: { type: 'integer', minimum: 1, description: 'Go on after this: `next` of the page before.' }, before: { type: 'integer', minimum: 1, description: 'The same.' }, limit: { type: 'integer', minimum: 1, maximum: MOST } },
      answer: shape({ items: list(DEED), next: maybe(count) }),
      async handle(r) {
        const limit = Math.max(1, whole(r.query.get('limit'), MOST, MOST))
        const cursor = r.query.get('after') ?? r.query.get('before')
        const items = await o.records.audit.list({ limit: limit + 1, before: cursor === null ? undefined : whole(cursor, 0) })
        const shown = items.slice(0, limit)
        return ok({ items: shown.map(d => ({ ...d, at: time(d.at) })), next: items.length > limit ? shown.at(-1)?.id ?? null : null })
      },
    },
  ]
}
