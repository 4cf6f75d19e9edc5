// REST for customers: their cards, what is known of them, a copy for them, and forgetting them (shell).
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import { kindOf, type Customer } from '../customers.ts'
import { PRIORITIES } from '../facts.ts'
import type { Summary } from '../past.ts'
import { commentOn, eraseCustomer, fillCard } from '../records/card-acts.ts'
import { LONGEST } from '../records/card-details.ts'
import { byName, count, list, maybe, moment, paged, PAGED, sent, shape, text, texts, yesNo } from './shapes.ts'
import { created, nothing, object, ok, page, problem, time, whole, type Caller, type Door, type Route } from './door.ts'

const known = maybe(text)
const DETAILS = { email: known, manager: { ...known, description: 'The account manager: the bare JID of an operator, who is asked first.' }, priority: maybe({ enum: PRIORITIES, description: 'What every conversation of this customer begins with.' }), timeZone: known, language: known, website: known, phones: texts, address: known, avatar: known, avatarApproved: maybe(yesNo), subscribed: maybe(yesNo), fields: byName(text) }
const COUNTS = shape({ last7: count, last30: count, last90: count, all: count })
const noted = { id: text, at: moment, by: text }
const CARD = shape({
  id: text, name: text, jid: text, page: known, authentication: text, roles: texts, ...DETAILS,
  comments: list(shape({ ...noted, text })), tickets: list(shape({ number: count, subject: text, status: text, messages: count, agent: known, opened: moment })),
  chats: list(shape({ number: count, state: text, group: text, started: moment, queueTime: { ...maybe(count), description: 'Seconds.' }, agent: known, ticket: maybe(count) })),
  calls: list(shape({ ...noted, number: text, minutes: count, text, group: text, conversation: count })), times: list(shape({ ...noted, minutes: count, text, conversation: count })),
  surveys: list(shape({ name: text, completed: moment, conversation: count, score: count, text })), forms: list(shape({ name: text, completed: moment, conversation: count, fields: byName(text) })),
  statistics: shape({ chats: COUNTS, tickets: COUNTS, calls: COUNTS, timeLogs: COUNTS }), history: shape({ lastLogin: maybe(moment), lastTicket: maybe(moment), lastChat: maybe(moment) }),
})
const BRIEF = shape({ id: text, name: text, jid: text, email: known, roles: texts })
const erased = { id: text, at: moment, person: { ...text, description: 'SHA-256 of the address.' }, counts: byName(count), left: count, proof: { ...text, description: 'SHA-256 over the rest.' } }
const ERASED = shape(erased)

export function customerRoutes({ office: o }: Door): readonly Route[] {
  const { card, erasure } = o.records
  const may = (who: Caller) => (s: Summary): boolean => o.operators.may(who.jid, 'chat.view.others', s.queue) || s.owners.includes(who.jid)
  /** Who sees everybody's conversations, and who sees one of this customer's. */
  const sees = async (c: Customer, who: Caller): Promise<boolean> => {
    if (o.operators.may(who.jid, 'chat.view.others') && o.operators.record(who.jid).departments === undefined) return true
    const current = o.current(c)
    return (current && await o.records.seen(who.jid, current.n)) !== undefined || (await card.conversations(c)).some(may(who))
  }
  const find = async (r: HttpRequest, who: Caller): Promise<Customer | undefined> => {
    const c = await o.customers.byId(r.params['id'] ?? '')
    return c && o.operators.has(who.jid) && await sees(c, who) ? c : undefined
  }
  const shown = async (c: Customer, who: Caller): Promise<object> => {
    const whole = await card.of(c, may(who))
    const dated = (all: readonly { readonly at: number }[]): object[] => all.map(x => ({ ...x, at: time(x.at) }))
    return {
      ...whole, comments: dated(whole.comments), calls: dated(whole.calls), times: dated(whole.times), tickets: whole.tickets.map(t => ({ ...t, opened: time(t.opened) })), chats: whole.chats.map(s => ({ ...s, started: time(s.started) })),
      surveys: whole.surveys.map(x => ({ ...x, completed: time(x.completed) })), forms: whole.forms.map(x => ({ ...x, completed: time(x.completed) })),
      history: { lastLogin: time(whole.history.lastLogin ?? undefined), lastTicket: time(whole.history.lastTicket ?? undefined), lastChat: time(whole.history.lastChat ?? undefined) },
    }
  }

  return [
    {
      method: 'GET', path: '/customers', id: 'customers', scope: 'customers:read', needs: 'chat.view.others', summary: 'Customers, or the one with this address', query: { jid: { ...text, description: 'The one with this JID.' }, ...PAGED }, answer: paged(BRIEF),
      async handle(r, who) {
        const jid = r.query.get('jid')
        const limit = whole(r.query.get('limit'), 100, 200)
        const one = jid === null ? undefined : await o.customers.byJid(jid)
        const all = jid !== null ? (one ? [one] : []) : await o.customers.page({ after: r.query.get('after') ?? undefined, limit: limit + 1 })
        const shown = all.slice(0, limit)
        const seen = await Promise.all(shown.map(c => sees(c, who)))
        return ok({ items: shown.filter((_, i) => seen[i]).map(c => ({ id: c.id, name: c.name, jid: c.jid, email: c.email ?? null, roles: [kindOf(c)] })), next: all.length > limit ? shown.at(-1)?.id ?? null : null })
      },
    },
    {
      method: 'GET', path: '/conversations/{n}/customer', id: 'conversationCustomer', scope: 'customers:read', summary: 'The card of a conversation’s customer', answer: CARD,
      async handle(r, who) {
        const s = /^[1-9]\d{0,8}$/.test(r.params['n'] ?? '') ? await o.records.seen(who.jid, Number(r.params['n'])) : undefined
        const c = s && await o.customers.byId(s.customer)
        return c ? ok(await shown(c, who)) : nothing()
      },
    },
    { method: 'GET', path: '/customers/{id}', id: 'customer', scope: 'customers:read', summary: 'A customer’s card: details, comments, conversations, tickets, calls, statistics, history', answer: CARD, handle: async (r, who) => { const c = await find(r, who); return c ? ok(await shown(c, who)) : nothing() } },
    {
      method: 'PATCH', path: '/customers/{id}', id: 'changeCustomer', scope: 'customers:write', personal: true, summary: 'Fills in what is known of a customer; null forgets it', body: sent(DETAILS), answer: CARD,
      async handle(r, who) {
        const c = await find(r, who)
        if (!c) return nothing()
        const wrong = await fillCard(o, c, object(r))
        if (wrong === false) return nothing()
        if (wrong !== undefined) return problem(422, wrong)
        return ok(await shown(await o.customers.byId(c.id) ?? c, who))
      },
    },
    {
      method: 'POST', path: '/customers/{id}/comments', id: 'commentCustomer', scope: 'customers:write', personal: true, summary: 'Adds a comment that agents see', body: sent({ text: { ...text, minLength: 1, maxLength: 2000 } }, 'text'), answer: CARD, status: 201,
      async handle(r, who) {
        const c = await find(r, who)
        if (!c) return nothing()
        const words = object(r)?.['text']
        if (typeof words !== 'string' || words.trim() === '' || words.length > LONGEST) return problem(422, `text: 1 to ${LONGEST} characters.`)
        if (!await commentOn(o, c, who.jid, words)) return nothing()
        return created(`/customers/${c.id}`, await shown(c, who))
      },
    },
    {
      method: 'POST', path: '/customers/{id}/erase', id: 'eraseCustomer', scope: 'customers:erase', needs: 'records.erase', summary: 'Erases one person: all conversations, what stands in tickets, talks of agents, archives, waiting messages and mails, the index, the record; gives a proof', body: sent({ confirm: { ...text, description: 'The same id again.' } }, 'confirm'), answer: ERASED,
      async handle(r, who): Promise<HttpResponse> {
        const id = r.params['id'] ?? ''
        const customer = await o.customers.byId(id)
        if (!customer) return nothing()
        if (object(r)?.['confirm'] !== id) return problem(422, 'confirm: give the id of the customer once more; nothing was erased.')
        const erased = await eraseCustomer(o, customer, who.jid)
        return erased ? ok({ ...erased, at: time(erased.at) }) : nothing()
      },
    },
    {
      method: 'GET', path: '/erasures', id: 'erasures', scope: 'customers:erase', needs: 'records.erase', summary: 'Whom the desk has forgotten, as far as that can be said: when, at whose word, what went, and the proof', query: PAGED, answer: paged(shape({ ...erased, by: text })),
      async handle(r) {
        const p = page(await erasure.proofs(), e => e.id, r)
        return ok({ items: p.items.map(e => ({ ...e, at: time(e.at) })), next: p.next })
      },
    },
    {
      method: 'POST', path: '/customers/{id}/export', id: 'exportCustomer', scope: 'customers:erase', needs: 'records.erase', summary: 'Makes a copy of one person’s data, from all the places that an erasure reaches, to be fetched once within a day', answer: shape({ link: text, until: moment }), status: 201,
      async handle(r) {
        const made = await erasure.offer(r.params['id'] ?? '')
        return made ? created(`/exports/${made.key}`, { link: `/api/v1/exports/${made.key}`, until: time(made.until) }) : nothing()
      },
    },
  ]
}
