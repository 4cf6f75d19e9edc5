// `!ban`: keeps a customer out, from within the conversation (shell).
import { label, no, yes, type Act } from '../answers.ts'
import { customerMeant } from '../records/card-acts.ts'
import { short } from '../sentences.ts'
import { momentOf } from '../spans.ts'
import type { BanHandler } from './ban-commands.ts'
import { MOST } from './bans.ts'

const SHOWN = 50
const day = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

export const BAN_ACTS: Readonly<Record<BanHandler, Act>> = {
  async ban(o, c) {
    const found = await customerMeant(o, c)
    if ('ok' in found) return found
    const { n, customer } = found
    const time = (c.args['time'] ?? '').toLowerCase()
    const until = time === 'good' ? undefined : momentOf(time, o.now)
    if (time !== 'good' && until === undefined) return no('How long? 30m, 2h, 3d, 1w or good.')
    if (o.bans.all(o.now).length >= MOST) return no(`There are ${MOST} bans already.`)
    const made = await o.bans.add({ visitor: customer.jid, because: short(c.args['because'] ?? '', 500), by: c.by, at: o.now, ...(until === undefined ? {} : { until }) })
    await o.records.audit.note({ by: c.by, what: 'ban', on: `/bans/${made.id}` })
    return yes(`#${n}${label(o, n)}: may not come in any more, for ${time}. !close ends this one.`, n)
  },
  async unban(o, c) {
    const found = await customerMeant(o, c)
    if ('ok' in found) return found
    const { n, customer } = found
    const all = o.bans.of(customer.jid)
    for (const id of all) if (await o.bans.remove(id)) await o.records.audit.note({ by: c.by, what: 'unban', on: `/bans/${id}` })
    return all.length > 0 ? yes(`#${n}${label(o, n)}: may come in again.`, n) : no(`#${n}${label(o, n)}: is not banned.`)
  },
  bans(o) {
    const all = [...o.bans.all(o.now)].sort((a, b) => b.at - a.at)
    const lines = all.slice(0, SHOWN).map(b => `${b.visitor ?? b.address ?? ''} · ${b.until === undefined ? 'for good' : `until ${day(b.until)}`} · by ${o.operators.name(b.by)}${b.because === '' ? '' : `: ${b.because}`}`)
    return yes(lines.length > 0 ? [...lines, ...(all.length > SHOWN ? [`and ${all.length - SHOWN} more`] : [])].join('\n') : 'Nobody is banned.')
  },
}
