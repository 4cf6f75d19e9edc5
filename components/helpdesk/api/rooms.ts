// REST for the agents' permanent rooms (shell).
import { grantText, wrongGrants } from '../acts/rooms.ts'
import type { Grant, StandingRoom } from '../standing-rooms.ts'
import { created, gone, nothing, object, ok, page, problem, time, type Door, type Route } from './door.ts'
import { list, moment, paged, PAGED, sent, shape, text, texts, yesNo } from './shapes.ts'

const ROOM = shape({ id: text, jid: text, name: text, by: text, created: moment, grants: texts, active: yesNo, participants: texts, access: list(shape({ jid: text, name: text })) })
const KINDS = ['department', 'queue', 'role', 'agent'] as const

export function roomRoutes({ office: o }: Door): readonly Route[] {
  const shown = async (r: StandingRoom): Promise<object> => {
    const participants = await o.rooms.present(r)
    return { id: r.local, jid: r.jid, name: r.name, by: r.by, created: time(r.created), grants: grantText(r).split(', '), active: participants.length > 0, participants, access: r.members.map(jid => ({ jid, name: o.operators.name(jid) })) }
  }
  const mayManage = (jid: string): boolean => o.operators.may(jid, 'rooms.create')
  const grantsOf = (value: unknown): readonly Grant[] | string => {
    if (!Array.isArray(value)) return 'a list such as ["queue:billing", "role:manager"] is needed'
    const grants: Grant[] = []
    for (const v of value) {
      const m = /^(department|queue|role|agent):(.+)$/.exec(String(v))
      const kind = KINDS.find(k => k === m?.[1])
      if (!kind || !m?.[2]) return `“${String(v).slice(0, 40)}” is none: write department:, queue:, role: or agent: and a name`
      grants.push({ kind, name: m[2] })
    }
    return wrongGrants(o, grants) ?? grants
  }
  const write = async (name: string, value: unknown, by: string): Promise<StandingRoom | ReturnType<typeof problem>> => {
    const grants = grantsOf(value)
    if (typeof grants === 'string') return problem(422, `grants: ${grants}`, { errors: [{ pointer: '/grants', detail: grants }] })
    const made = await o.rooms.make(name, grants, by)
    return typeof made === 'string' ? problem(409, made) : made
  }
  return [
    { method: 'GET', path: '/rooms', id: 'rooms', scope: 'conversations:read', summary: 'The permanent rooms one may enter; `search` looks in their names', query: { search: text, ...PAGED }, answer: paged(ROOM), async handle(r, who) {
      const s = (r.query.get('search') ?? '').toLowerCase()
      const p = page((mayManage(who.jid) ? o.rooms.all : o.rooms.of(who.jid)).filter(x => x.name.toLowerCase().includes(s)), x => x.local, r)
      return ok({ items: await Promise.all(p.items.map(shown)), next: p.next })
    } },
    {
      method: 'POST', path: '/rooms', id: 'makeRoom', scope: 'conversations:write', needs: 'rooms.create', summary: 'Makes a permanent room', status: 201, body: sent({ name: { ...text, minLength: 1, maxLength: 80 }, grants: { ...texts, minItems: 1 } }, 'name', 'grants'), answer: ROOM,
      async handle(r, who) {
        const { name, grants } = object(r) ?? {}
        if (typeof name !== 'string' || name.trim() === '' || name.length > 80) return problem(422, 'name: 1 to 80 characters are needed.', { errors: [{ pointer: '/name', detail: 'is needed' }] })
        const made = await write(name.trim(), grants, who.jid)
        return 'local' in made ? created(`/rooms/${made.local}`, await shown(made)) : made
      },
    },
    {
      method: 'PATCH', path: '/rooms/{id}', id: 'changeRoom', scope: 'conversations:write', needs: 'rooms.create', summary: 'Changes who may enter', body: sent({ grants: { ...texts, minItems: 1 } }, 'grants'), answer: ROOM,
      async handle(r, who) {
        const room = o.rooms.get(r.params['id'] ?? '')
        if (!room) return nothing()
        const made = await write(room.name, object(r)?.['grants'], who.jid)
        return 'local' in made ? ok(await shown(made)) : made
      },
    },
    { method: 'DELETE', path: '/rooms/{id}', id: 'removeRoom', scope: 'conversations:write', needs: 'rooms.create', summary: 'Removes a room', answer: {}, status: 204, async handle(r) { return await o.rooms.remove(r.params['id'] ?? '') ? gone() : nothing() } },
  ]
}
