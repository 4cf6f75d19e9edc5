// REST for what an operator is asked, and for what he does beside commands: to type, to have read (shell).
import type { HttpRequest } from '../../../server/api.ts'
import type { Present } from '../facts.ts'
import { askedOf } from '../live/own-source.ts'
import { mayRead } from '../records/access.ts'
import { count, list, maybe, moment, sent, shape, text } from './shapes.ts'
import { gone, nothing, object, ok, problem, type Caller, type Door, type Route } from './door.ts'

/** What waits for an operator’s answer. */
export const ASKED = shape({ id: text, number: count, kind: { enum: ['customer', 'transfer', 'invitation'] }, queue: text, queueName: text, customer: text, by: maybe(text), byName: maybe(text), until: maybe(moment) })
const STATES: readonly unknown[] = ['composing', 'paused']

export function ownRoutes({ office: o, denials }: Door): readonly Route[] {
  const find = async (r: HttpRequest, who: Caller): Promise<{ n: number; s: Present } | undefined> => {
    const n = /^[1-9]\d{0,8}$/.test(r.params['n'] ?? '') ? Number(r.params['n']) : undefined
    const s = n === undefined ? undefined : await o.book.state(n)
    if (n === undefined || !s || s.is === 'absent' || s.deleted !== undefined) return undefined
    if (mayRead(o, who.jid, s)) return { n, s }
    await denials.note(r, who.jid)
    return undefined
  }
  return [
    { method: 'GET', path: '/me/asked', id: 'asked', scope: 'conversations:read', summary: 'What waits for one’s answer: customers, transfers, invitations; `accept` and `decline` are commands of the conversation (a, r)', answer: shape({ items: list(ASKED), next: { type: 'null' } }), handle: (_, who) => ok({ items: askedOf(o, who.jid), next: null }) },
    {
      method: 'POST', path: '/conversations/{n}/typing', id: 'typing', scope: 'conversations:write', needs: 'chat.with.customers', summary: 'One types, or has paused: the customer sees it, if one may write there', status: 204, answer: {},
      body: sent({ state: { enum: STATES } }, 'state'),
      async handle(r, who) {
        const found = await find(r, who)
        if (!found) return nothing()
        const { state } = object(r) ?? {}
        if (typeof state !== 'string' || !STATES.includes(state)) return problem(422, 'state: composing or paused.', { errors: [{ pointer: '/state', detail: 'composing or paused' }] })
        o.doings.typing(who.jid, found.n, state)
        return gone()
      },
    },
    {
      method: 'POST', path: '/conversations/{n}/read', id: 'read', scope: 'conversations:write', needs: 'chat.with.customers', summary: 'One has read the lines up to this one: the customer’s client may show it, if one may write there', status: 204, answer: {},
      body: sent({ seq: { type: 'integer', minimum: 1 } }, 'seq'),
      async handle(r, who) {
        const found = await find(r, who)
        if (!found) return nothing()
        const { seq } = object(r) ?? {}
        if (typeof seq !== 'number' || !Number.isInteger(seq) || seq < 1 || seq > found.s.lines) return problem(422, 'seq: the number of a line.', { errors: [{ pointer: '/seq', detail: 'the number of a line' }] })
        await o.doings.read(who.jid, found.n, seq)
        return gone()
      },
    },
  ]
}
