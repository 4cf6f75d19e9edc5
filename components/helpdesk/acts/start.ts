// What beginning with a customer or a colleague does, for all ways in (OT-06 to OT-13, OT-53; shell).
import { isAnswer, meant, mine, no, notYours, owned, refused, yes, type Act, type Answer } from '../answers.ts'
import type { StartHandler } from '../commands-start.ts'
import { colour } from '../availability.ts'
import { kindOf, type Customer } from '../customers.ts'
import { Refused, type Bare } from '../facts.ts'
import type { Office } from '../office.ts'
import { PATIENCE } from '../policy.ts'
import { mayRead } from '../records/access.ts'
import { BY_WRITING, short } from '../sentences.ts'
import { isOver, roleOf } from '../states.ts'
import { match } from '../words.ts'

const STATE = { green: 'available', yellow: 'away', red: 'not available', black: 'not here' } as const

/** By name or address among who is here, or by `#12` or `ticket:5`, as far as he may see those. */
async function meantCustomer(o: Office, by: Bare, typed: string): Promise<Customer | Answer> {
  const m = /^(#|chat:|ticket:)(\d{1,9})$/i.exec(typed)
  if (m) {
    const ticket = m[1]?.toLowerCase() === 'ticket:' ? await o.filing.tickets.get(Number(m[2])) : undefined
    const n = m[1]?.toLowerCase() === 'ticket:' ? ticket?.articles[0]?.conversation : Number(m[2])
    const s = n === undefined ? undefined : await o.book.state(n)
    const sees = s && s.is !== 'absent' && s.deleted === undefined && (ticket ? o.operators.may(by, 'chat.view.others', ticket.queue) || o.operators.of(ticket.queue).includes(by) : mayRead(o, by, s))
    const customer = sees ? await o.customers.byId(s.customer) : undefined
    return customer ?? no(`There is no ${typed}.`)
  }
  const found = match(typed, await o.present.all())
  if (found.is === 'several') return no(`Whom do you mean? ${found.all.map(p => `${p.name} (${p.jid})`).join(', ')}.`)
  if (found.is === 'none') return no(`“${short(typed, 40)}” is not logged in, or does not show it here.`)
  return await o.customers.byJid(found.it.jid) ?? o.customers.meet(found.it.jid, { name: found.it.name ?? typed, bridged: false })
}

export const START_ACTS: Readonly<Record<StartHandler, Act>> = {
  async start(o, c) {
    const text = (c.args['text'] ?? '').trim()
    if (text === '') return no('Write what you want to say first: !start WHO TEXT.')
    const customer = await meantCustomer(o, c.by, c.args['customer'] ?? '')
    if ('ok' in customer) return customer
    if (!o.present.has(customer.jid)) return no(`${customer.name} is not logged in.`)
    if (!o.operators.grants(kindOf(customer), 'chat.with.agents')) return notYours(`${customer.name} may not chat.`)
    const current = o.current(customer)
    if (current && !isOver(current.s)) return no(`#${current.n} with ${customer.name} is open already.`)
    const mine = o.operators.queuesOf(c.by)
    const queue = customer.contact !== undefined && mine.includes(customer.contact) ? customer.contact : mine[0]
    if (queue === undefined) return no('You serve no queue.')
    const shown = o.rules.now.conversation.aliasOnInvitations ? o.operators.name(c.by) : 'The helpdesk'
    const n = await o.book.number(customer.id)
    const outcome = await o.inTurnOf(customer.jid, async () => {
      await o.customers.note(customer.id, { last: n })
      return o.book.withSeat(n, c.by, o.room(c.by, queue), seat => ({ do: 'propose', queue, customer: customer.id, by: c.by, seat, until: o.now + PATIENCE.proposal }), { body: `${shown} would like to talk with you: “${text}”${BY_WRITING}`, name: 'Helpdesk' })
    })
    return outcome instanceof Refused ? refused(o, outcome) : yes(`#${n}: ${customer.name} is asked; nothing you write goes there before the answer.`, n)
  },
  async here(o, c) {
    const agents = o.operators.all().filter(p => p.jid !== c.by).map(p => ({ p, op: o.operators.operator(p.jid) })).filter(({ op }) => colour(op) !== 'black')
    const customers = await o.present.all()
    const lines = [
      ...agents.map(({ p, op }) => `${o.operators.name(p.jid)}: agent, ${STATE[colour(op)]}${o.operators.may(p.jid, 'chat.with.agents') ? ', can chat' : ''}`),
      ...customers.map(x => `${x.name} <${x.jid}>: customer${x.mayChat ? ', can chat' : ''}`),
    ]
    return yes(lines.length > 0 ? lines.join('\n') : 'Nobody is here.')
  },
  async announce(o, c) {
    const announce = c.args['as']?.toLowerCase() === 'quiet' ? 'quiet' as const : 'window' as const
    await o.operators.change(c.by, { announce })
    return yes(announce === 'quiet' ? 'New chats stand in your list until you look.' : 'New chats open a window of their own.')
  },
  async open(o, c) {
    const n = meant(o, c, s => mine(c.by)(s) || owned(c.by)(s), 'You are in no conversation; give a number.')
    if (isAnswer(n)) return n
    const s = o.book.states.get(n)
    if (!s || s.is === 'absent' || (roleOf(s, c.by) ?? 'invited') === 'invited') return notYours('You are not in this conversation.')
    await o.brief(n, c.by)
    return yes('', n)
  },
}
