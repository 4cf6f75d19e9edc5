// `!ban`: keeps a customer out, from within the conversation (shell).
import { Jid } from '../../../server/api.ts'
import { isAnswer, label, no, unknown, yes, type Act, type Answer, type Call } from '../answers.ts'
import type { Office } from '../office.ts'
import { customerMeant } from '../records/card-acts.ts'
import { short } from '../sentences.ts'
import { momentOf } from '../spans.ts'
import type { BanHandler } from './ban-commands.ts'
import { isRange, MOST, type Ban } from './bans.ts'

const SHOWN = 50
const day = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

const timeOf = (c: Call): string => (c.args['time'] ?? '').toLowerCase()
async function banned(o: Office, c: Call, whom: { readonly visitor: string } | { readonly address: string }): Promise<Ban | Answer> {
  const time = timeOf(c)
  const until = time === 'good' ? undefined : momentOf(time, o.now)
  if (time !== 'good' && until === undefined) return no('How long? 30m, 2h, 3d, 1w or good.')
  if (o.bans.all(o.now).length >= MOST) return no(`There are ${MOST} bans already.`)
  const made = await o.bans.add({ ...whom, because: short(c.args['because'] ?? '', 500), by: c.by, at: o.now, ...(until === undefined ? {} : { until }) })
  await o.records.audit.note({ by: c.by, what: 'ban', on: `/bans/${made.id}` })
  return made
}

export const BAN_ACTS: Readonly<Record<BanHandler, Act>> = {
  async ban(o, c) {
    const found = await customerMeant(o, c)
    if ('ok' in found) return found
    const { n, customer } = found
    const made = await banned(o, c, { visitor: customer.jid })
    if (isAnswer(made)) return made
    return yes(`#${n}${label(o, n)}: may not come in any more, for ${timeOf(c)}. !close ends this one.`, n)
  },
  async unban(o, c) {
    const found = await customerMeant(o, c)
    if ('ok' in found) return found
    const { n, customer } = found
    const all = o.bans.of(customer.jid)
    for (const id of all) if (await o.bans.remove(id)) await o.records.audit.note({ by: c.by, what: 'unban', on: `/bans/${id}` })
    return all.length > 0 ? yes(`#${n}${label(o, n)}: may come in again.`, n) : no(`#${n}${label(o, n)}: is not banned.`)
  },
  async banAddress(o, c) {
    const asked = c.args['whom'] ?? ''
    const jid = isRange(asked) ? undefined : Jid.tryParse(asked)
    if (!isRange(asked) && (!jid || jid.resource !== '')) return no('Whom? An address such as eve@example.org, a domain, or a network address.')
    const made = await banned(o, c, jid ? { visitor: jid.bare } : { address: asked })
    return isAnswer(made) ? made : yes(`${made.visitor ?? made.address} may not come in any more, for ${timeOf(c)}.`)
  },
  async liftBan(o, c) {
    const asked = c.args['whom'] ?? ''
    const all = [...o.bans.all(o.now)].filter(b => b.id === asked || b.visitor === asked.toLowerCase() || b.address === asked)
    for (const { id } of all) if (await o.bans.remove(id)) await o.records.audit.note({ by: c.by, what: 'unban', on: `/bans/${id}` })
    return all.length > 0 ? yes(`${short(asked, 80)} may come in again.`) : unknown(`${short(asked, 80)} is not banned.`)
  },
  bans(o) {
    const all = [...o.bans.all(o.now)].sort((a, b) => b.at - a.at)
    const lines = all.slice(0, SHOWN).map(b => `${b.visitor ?? b.address ?? ''} · ${b.until === undefined ? 'for good' : `until ${day(b.until)}`} · by ${o.operators.name(b.by)}${b.because === '' ? '' : `: ${b.because}`}`)
    return yes(lines.length > 0 ? [...lines, ...(all.length > SHOWN ? [`and ${all.length - SHOWN} more`] : [])].join('\n') : 'Nobody is banned.')
  },
}
