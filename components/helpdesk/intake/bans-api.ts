// REST for bans: who may not come in (shell).
import { Jid } from '../../../server/api.ts'
import { created, gone, nothing, object, ok, page, problem, time, type Door, type Route } from '../api/door.ts'
import { maybe, moment, paged, PAGED, sent, shape, text } from '../api/shapes.ts'
import { isRange, MOST, type Ban } from './bans.ts'

const BAN = shape({ id: text, visitor: { ...maybe(text), description: 'A bare JID, or a whole domain.' }, address: { ...maybe(text), description: 'A network address, or a range: 192.0.2.0/24.' }, because: text, by: text, at: moment, until: maybe(moment) })
const LONGEST = 10 * 366 * 86_400 // seconds
const ASKED = { ...sent({ visitor: text, address: text, conversation: { type: 'integer', minimum: 1, description: 'Instead: the customer of this conversation.' }, because: { ...text, maxLength: 500 }, seconds: { type: 'integer', minimum: 1, maximum: LONGEST, description: 'Absent: for good.' } }), description: 'One of visitor, address and conversation.' }

export function banRoutes({ office: o }: Door): readonly Route[] {
  const shown = (b: Ban): object => ({ id: b.id, visitor: b.visitor ?? null, address: b.address ?? null, because: b.because, by: b.by, at: time(b.at), until: time(b.until) })
  return [
    {
      method: 'GET', path: '/bans', id: 'bans', scope: 'bans:read', needs: 'bans.manage', summary: 'Bans that hold', query: PAGED, answer: paged(BAN),
      handle(r) { const p = page(o.bans.all(o.now), b => b.id, r); return ok({ items: p.items.map(shown), next: p.next }) },
    },
    {
      method: 'POST', path: '/bans', id: 'ban', scope: 'bans:write', personal: true, needs: 'bans.manage', summary: 'Bans a visitor or a network address', body: ASKED, answer: BAN, status: 201,
      async handle(r, who) {
        const { visitor, address, conversation, because = '', seconds } = object(r) ?? {}
        if (typeof because !== 'string' || because.length > 500) return problem(422, 'because: a text of at most 500 characters.')
        if (seconds !== undefined && !(typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0 && seconds <= LONGEST)) return problem(422, `seconds: a whole number from 1 to ${LONGEST}.`)
        if ([visitor, address, conversation].filter(x => x !== undefined).length !== 1) return problem(422, 'Give one of visitor, address and conversation.')
        const whom = await meant(who.jid, visitor, address, conversation)
        if ('wrong' in whom) return problem(422, whom.wrong)
        if (o.bans.all(o.now).length >= MOST) return problem(409, `There are ${MOST} bans already.`)
        const made = await o.bans.add({ ...whom, because, by: who.jid, at: o.now, ...(seconds === undefined ? {} : { until: o.now + seconds * 1000 }) })
        return created(`/bans/${made.id}`, shown(made))
      },
    },
    { method: 'GET', path: '/bans/{id}', id: 'oneBan', scope: 'bans:read', needs: 'bans.manage', summary: 'One ban', answer: BAN, handle: r => { const b = o.bans.get(r.params['id'] ?? ''); return b ? ok(shown(b)) : nothing() } },
    { method: 'DELETE', path: '/bans/{id}', id: 'unban', scope: 'bans:write', needs: 'bans.manage', summary: 'Lifts a ban', answer: {}, status: 204, handle: async r => await o.bans.remove(r.params['id'] ?? '') ? gone() : nothing() },
  ]

  async function meant(by: string, visitor: unknown, address: unknown, conversation: unknown): Promise<{ visitor: string } | { address: string } | { wrong: string }> {
    if (address !== undefined) return typeof address === 'string' && isRange(address) ? { address } : { wrong: 'address: a network address, or a range such as 192.0.2.0/24.' }
    if (visitor !== undefined) {
      const jid = typeof visitor === 'string' ? Jid.tryParse(visitor) : undefined
      return jid && !jid.resource ? { visitor: jid.bare } : { wrong: 'visitor: a bare JID, or a domain.' }
    }
    const s = typeof conversation === 'number' ? await o.records.seen(by, conversation) : undefined
    const customer = s ? await o.customers.byId(s.customer) : undefined
    return customer ? { visitor: customer.jid } : { wrong: 'conversation: there is none of this number.' }
  }
}
