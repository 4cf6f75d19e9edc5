// What is done with a customer's card, with the copy for the customer and the erasure, for all ways in (ST-59, SEC-W27; shell).
import { colleague, isAnswer, label, meant, mine, no, owned, yes, type Act, type Answer, type Call } from '../answers.ts'
import type { Customer } from '../customers.ts'
import type { Bare } from '../facts.ts'
import type { Office } from '../office.ts'
import { short } from '../sentences.ts'
import { exportAt, NOWHERE } from './acts.ts'
import { DETAILS, type CardHandler } from './card-commands.ts'
import { LONGEST, readDetails } from './card-details.ts'
import type { Erased } from './erasure.ts'

/** In the customer's turn, so that nothing is kept of who is being erased. Who has become an operator writes to no queue, and may be the very one whose command this is: he would wait for himself. */
const inTurn = <T>(o: Office, { jid }: Customer, work: () => Promise<T>): Promise<T> => o.operators.has(jid) ? work() : o.inTurnOf(jid, work)

/** Sets what is given on a card; or says what is wrong with it. False: who it is was erased meanwhile, and nothing is kept. */
export async function fillCard(o: Office, c: Customer, given: Readonly<Record<string, unknown>> | undefined): Promise<string | false | undefined> {
  const read = readDetails(given, name => o.rules.now.fields[name] !== undefined, jid => o.operators.has(jid))
  if ('wrong' in read) return read.wrong
  const { card, catalogue, erasure } = o.records
  return inTurn(o, c, async () => {
    if (!await o.customers.byId(c.id)) return false
    if (Object.keys(read.record).length > 0) await o.customers.note(c.id, Object.fromEntries(Object.entries(read.record).map(([k, v]) => [k, v ?? undefined]))) // null = none
    await card.details(c.id, read.details)
    if (Object.keys(read.fields).length > 0) await card.fields(c.id, read.fields)
    for (const n of await erasure.numbers(c.id)) catalogue.touch(n)
    await catalogue.flush()
    return undefined
  })
}
/** Keeps a comment of `by`; false: who it is about was erased meanwhile, and nothing is kept. */
export const commentOn = (o: Office, c: Customer, by: Bare, text: string): Promise<boolean> => inTurn(o, c, async () => {
  if (!await o.customers.byId(c.id)) return false
  await o.records.card.comment(c.id, by, text)
  return true
})
/** Erases the customer; what the customer does meanwhile waits, and is somebody new's. */
export const eraseCustomer = (o: Office, c: Customer, by: Bare): Promise<Erased | undefined> => inTurn(o, c, () => o.records.erasure.erase(c.id, by))

/** Whose conversation is named, or whose he is in; of one that he may see. */
export async function customerMeant(o: Office, c: Call): Promise<{ n: number; customer: Customer } | Answer> {
  const n = meant(o, c, s => mine(c.by)(s) || owned(c.by)(s), 'You are in no conversation; give a number.')
  if (isAnswer(n)) return n
  const s = await o.records.seen(c.by, n)
  const customer = s && await o.customers.byId(s.customer)
  return customer ? { n, customer } : unseen(n)
}
const unseen = (n: number): Answer => no(`There is no conversation #${n} that you could see.`)

/** One value as a card takes it: none if it is empty; a colleague by any name. */
function valueOf(o: Office, what: typeof DETAILS[number], text: string): unknown {
  if (what === 'phones') return text.split(',').map(p => p.trim()).filter(p => p !== '')
  if (text === '') return null
  if (what !== 'manager') return what === 'priority' ? text.toLowerCase() : text
  const who = colleague(o, text)
  return isAnswer(who) ? text : who
}

export const CARD_ACTS: Readonly<Record<CardHandler, Act>> = {
  async card(o, c) {
    const found = await customerMeant(o, c)
    if (isAnswer(found)) return found
    const { n, customer } = found
    const what = DETAILS.find(d => d === c.args['what']?.toLowerCase()) ?? 'email'
    const value = (c.args['value'] ?? '').trim()
    const wrong = await fillCard(o, customer, { [what === 'timezone' ? 'timeZone' : what]: valueOf(o, what, value) })
    if (wrong === false) return unseen(n)
    if (wrong !== undefined) return no(`Not saved. ${wrong}`)
    await o.records.audit.note({ by: c.by, what: 'changeCustomer', on: `/customers/${customer.id}`, detail: [what] })
    return yes(`#${n}${label(o, n)}: ${what} ${value === '' ? 'is empty now' : `is ${short(value)}`}.`, n)
  },
  async comment(o, c) {
    const found = await customerMeant(o, c)
    if (isAnswer(found)) return found
    const text = (c.args['text'] ?? '').trim()
    if (text.length > LONGEST) return no(`At most ${LONGEST} characters, please.`)
    if (!await commentOn(o, found.customer, c.by, text)) return unseen(found.n)
    await o.records.audit.note({ by: c.by, what: 'commentCustomer', on: `/customers/${found.customer.id}`, detail: ['text'] })
    return yes('The comment is kept.', found.n)
  },
  async export(o, c) {
    const found = await customerMeant(o, c)
    if (isAnswer(found)) return found
    if (o.link.http === undefined) return no(NOWHERE)
    const made = await o.records.erasure.offer(found.customer.id)
    if (!made) return unseen(found.n)
    await o.records.audit.note({ by: c.by, what: 'exportCustomer', on: `/customers/${found.customer.id}` })
    return yes(`The copy of all that is kept of the customer of #${found.n}, to be fetched once within a day: ${exportAt(o, made.key)}`, found.n)
  },
  async erase(o, c) {
    const found = await customerMeant(o, c)
    if (isAnswer(found)) return found
    const { n, customer } = found
    const erased = await eraseCustomer(o, customer, c.by)
    if (!erased) return unseen(n)
    await o.records.audit.note({ by: c.by, what: 'eraseCustomer', on: `/customers/${customer.id}` })
    return yes(`The customer of #${n} is erased; ${erased.left === 0 ? 'a second look found nothing' : `a second look found ${erased.left} more`}. GET /api/v1/erasures has the proof.`)
  },
}
