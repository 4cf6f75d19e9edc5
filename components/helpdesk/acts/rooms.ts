// What is done with the agents' permanent rooms, for all ways in (shell).
import { colleague, isAnswer, no, yes, type Act } from '../answers.ts'
import type { RoomHandler } from '../commands-start.ts'
import type { Office } from '../office.ts'
import { short } from '../sentences.ts'
import { readGrants, type Grant, type StandingRoom } from '../standing-rooms.ts'

/** What is wrong with the grants, in words. */
export function wrongGrants(o: Office, grants: readonly Grant[]): string | undefined {
  if (grants.length === 0) return 'Say who may enter: department:sales, queue:billing, role:manager or a colleague.'
  for (const g of grants) {
    const known = g.kind === 'department' ? o.rules.now.departments[g.name] !== undefined : g.kind === 'queue' ? o.hasQueue(g.name) : g.kind === 'role' ? o.operators.rights(g.name).size > 0 : o.operators.has(g.name)
    if (!known) return `There is no ${g.kind} ${short(g.name, 40)}.`
  }
  return undefined
}
export const grantText = (r: StandingRoom): string => r.grants.map(g => `${g.kind}:${g.name}`).join(', ')

export const ROOM_ACTS: Readonly<Record<RoomHandler, Act>> = {
  async makeRoom(o, c) {
    const grants = readGrants(c.args['allow'] ?? '', name => { const who = colleague(o, name); return isAnswer(who) ? undefined : who })
    if (typeof grants === 'string') return no(grants)
    const wrong = wrongGrants(o, grants)
    if (wrong !== undefined) return no(wrong)
    const made = await o.rooms.make((c.args['name'] ?? '').trim().slice(0, 80), grants, c.by)
    return typeof made === 'string' ? no(made) : yes(`Room ${made.name}: xmpp:${made.jid}?join · ${made.members.length} may enter (${grantText(made)}).`)
  },
  async removeRoom(o, c) {
    const room = (c.args['name'] ?? '').trim().toLowerCase()
    const found = o.rooms.get(room) ?? o.rooms.all.find(r => r.name.toLowerCase() === room)
    return found && await o.rooms.remove(found.local) ? yes(`Room ${found.name} is removed.`) : no(`There is no room ${short(room, 40)}.`)
  },
  async rooms(o, c) {
    const search = (c.args['search'] ?? '').toLowerCase()
    const all = o.rooms.of(c.by).filter(r => r.name.toLowerCase().includes(search))
    if (all.length === 0) return yes('There are none.')
    const lines = await Promise.all(all.map(async r => { const here = await o.rooms.present(r); return `${r.name}: ${here.length > 0 ? `active, ${here.join(', ')}` : 'inactive'} · xmpp:${r.jid}?join · with access: ${r.members.map(m => o.operators.name(m)).join(', ')}` }))
    return yes(lines.join('\n'))
  },
}
