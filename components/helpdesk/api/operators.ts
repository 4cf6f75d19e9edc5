// REST for operators: their accounts, records and connections, the board, the count for the bill (shell).
import type { HttpResponse } from '../../../server/api.ts'
import { act } from '../actions.ts'
import { commandNamed } from '../commands.ts'
import { Refused } from '../facts.ts'
import { People, type OperatorNews } from '../people.ts'
import { created, declined, faulty, gone, nothing, object, ok, page, problem, time, whole, type Caller, type Door, type Route } from './door.ts'
import { PAGED } from './settings.ts'

const text = { type: 'string' }
const texts = { type: ['array', 'null'], items: text }
const NEWS: Readonly<Record<keyof OperatorNews, object>> = {
  name: text, password: { type: 'string', description: 'None at the making: a random one is made and told once.' }, confirm: text, role: text, disabled: { type: 'boolean' },
  alias: { type: ['string', 'null'], maxLength: 80 }, email: { type: ['string', 'null'], maxLength: 254 }, capacity: { type: ['integer', 'null'], minimum: 0, maximum: 1000 }, perQueue: { type: ['object', 'null'] },
  departments: texts, skills: texts, languages: texts, bot: { type: ['boolean', 'null'] }, view: { enum: ['contact', 'room', null] },
}
const ROW = { type: 'object', properties: { jid: text, name: text, status: { enum: ['available', 'away', 'busy', 'offline'] }, activeChats: { type: 'integer' }, activeGroups: { type: 'integer' }, totalGroups: { type: 'integer' } } }
const none = { type: ['string', 'null'] }
const CARD = {
  type: 'object', properties: {
    ...ROW.properties, shownName: none, role: text, roleTitle: text, permissions: { type: 'array', items: text }, alias: none, email: none, capacity: { type: ['integer', 'null'], description: 'The operator’s own; null: the desk’s.' }, maxChats: { type: 'integer', description: 'How many at once, all in all.' },
    perQueue: { type: 'object', additionalProperties: { type: 'integer' } }, departments: { ...texts, description: 'Others’ conversations are theirs to see in these only; null: in all.' }, skills: texts, languages: texts, bot: { type: 'boolean' }, view: { enum: ['contact', 'room', null] },
    invisible: { enum: ['no', 'customers', 'all'] }, devices: { type: 'integer', description: 'Clients, and pages, that are here.' }, queues: { type: 'array', items: { type: 'object', properties: { queue: text, active: { type: 'boolean' } } } }, connection: { type: ['object', 'null'] },
    password: { type: ['string', 'null'], description: 'A random one that was made just now; told once.' },
  },
}

export function operatorRoutes(door: Door): readonly Route[] {
  const o = door.office
  const people = new People(o)
  const jidOf = (r: { params: Readonly<Record<string, string>> }): string => (r.params['jid'] ?? '').toLowerCase()
  const card = (jid: string, who: Caller, more: object = {}): object => ({ ...people.card(jid), ...(jid === who.jid || o.operators.may(who.jid, 'operators.manage') ? { connection: people.connection(jid) ?? null } : {}), ...more })
  const refused = (r: Refused): HttpResponse => problem(r.forbidden ? 403 : 409, r.because.replaceAll('{who}', ''))
  const mayRead = (who: Caller, jid: string): boolean => who.jid === jid || o.operators.may(who.jid, 'operators.view')
  const all = (): string[] => o.operators.all().map(p => p.jid).sort()
  return [
    { method: 'GET', path: '/operators', id: 'operators', scope: 'operators:read', needs: 'operators.view', summary: 'All operators', query: PAGED, answer: { type: 'object', properties: { items: { type: 'array', items: CARD }, next: { type: ['string', 'null'] } } }, handle: (r, who) => { const p = page(all(), j => j, r); return ok({ items: p.items.map(j => card(j, who)), next: p.next }) } },
    {
      method: 'POST', path: '/operators', id: 'makeOperator', scope: 'operators:write', needs: 'operators.manage', summary: 'Makes an operator account; without a password a random one is made, and told once', status: 201,
      body: { type: 'object', required: ['user'], properties: { user: { type: 'string', description: 'What stands before the @.' }, ...NEWS } }, answer: CARD,
      async handle(r, who) {
        const { user, ...rest } = object(r) ?? {}
        const news = readNews(rest)
        if (typeof user !== 'string' || user === '') return problem(422, 'user: what stands before the @ is needed.', { errors: [{ pointer: '/user', detail: 'is needed' }] })
        if ('faults' in news) return faulty(422, news.faults)
        const made = await people.make(user, news)
        if (made instanceof Refused) return problem(/no role|not the same|no queue|no department|cannot|characters/.test(made.because) ? 422 : 409, made.because)
        return created(`/operators/${encodeURIComponent(made.jid)}`, card(made.jid, who, made.password === undefined ? {} : { password: made.password }))
      },
    },
    { method: 'GET', path: '/operators/{jid}', id: 'operator', scope: 'operators:read', summary: 'One operator; oneself and for administrators with what a third-party client needs', answer: CARD, handle: (r, who) => o.operators.has(jidOf(r)) && mayRead(who, jidOf(r)) ? ok(card(jidOf(r), who)) : nothing() },
    {
      method: 'PATCH', path: '/operators/{jid}', id: 'changeOperator', scope: 'operators:write', summary: 'Changes an operator; oneself may change name, alias, email, password, skills and languages', body: { type: 'object', properties: NEWS }, answer: CARD,
      async handle(r, who) {
        const jid = jidOf(r)
        if (!mayRead(who, jid) || !(o.operators.has(jid) || await o.link.privileges?.accounts?.find(jid))) return nothing()
        const news = readNews(object(r) ?? {})
        if ('faults' in news) return faulty(422, news.faults)
        const outcome = await people.change(jid, news, who.jid)
        if (outcome) return refused(outcome)
        return o.operators.has(jid) ? ok(card(jid, who)) : ok({ jid, disabled: true })
      },
    },
    {
      method: 'DELETE', path: '/operators/{jid}', id: 'deleteOperator', scope: 'operators:write', needs: 'operators.manage', summary: 'Deletes an operator account; its conversations go on to others', answer: {}, status: 204,
      async handle(r, who) {
        if (!o.operators.has(jidOf(r)) && !await o.link.privileges?.accounts?.find(jidOf(r))) return nothing()
        const outcome = await people.remove(jidOf(r), who.jid)
        return outcome ? refused(outcome) : gone()
      },
    },
    {
      method: 'PUT', path: '/operators/{jid}/receiving', id: 'setReceiving', scope: 'operators:write', summary: 'Makes an operator active or inactive, in one queue or in all (ST-31, ST-32)',
      body: { type: 'object', required: ['active'], properties: { active: { type: 'boolean' }, queue: text } }, answer: CARD,
      async handle(r, who) {
        const { active, queue } = object(r) ?? {}
        if (!o.operators.has(jidOf(r))) return nothing()
        if (typeof active !== 'boolean') return problem(422, 'active: true or false.')
        if (queue !== undefined && (typeof queue !== 'string' || !o.hasQueue(queue))) return problem(422, 'queue: there is no such queue.')
        const command = commandNamed(active ? 'on' : 'off')
        const answer = command && await act(o, command, { by: who.jid, n: undefined, here: undefined, args: { ...(typeof queue === 'string' ? { queue } : {}), who: jidOf(r) } })
        return answer?.ok ? ok(card(jidOf(r), who)) : declined(answer ?? { text: '' })
      },
    },
    {
      method: 'GET', path: '/operators/{jid}/connection', id: 'connection', scope: 'operators:read', summary: 'What a third-party chat application needs to connect (OM-11)', answer: { type: 'object' },
      handle(r, who) {
        const found = o.operators.has(jidOf(r)) && (who.jid === jidOf(r) || o.operators.may(who.jid, 'operators.manage')) ? people.connection(jidOf(r)) : undefined
        return found ? ok(found) : nothing()
      },
    },
    { method: 'GET', path: '/board', id: 'board', scope: 'operators:read', summary: 'Agents with state, active chats, active and total groups (ST-33)', query: { queue: { type: 'string', description: 'Only those of this queue.' }, ...PAGED }, answer: { type: 'object', properties: { agents: { type: 'array', items: ROW }, next: { type: ['string', 'null'] } } }, handle(r) {
      const queue = r.query.get('queue')
      const p = page(queue === null ? all() : [...o.operators.of(queue)].sort(), j => j, r)
      return ok({ agents: p.items.map(j => people.row(j)), next: p.next })
    } },
    { method: 'GET', path: '/usage', id: 'usage', scope: 'operators:read', needs: 'operators.view', summary: 'How many operator accounts are active (OM-02)', answer: { type: 'object' }, handle: () => ok({ ...people.usage(), at: time(o.now) }) },
    { method: 'GET', path: '/invoices', id: 'invoices', scope: 'billing:read', needs: 'invoices.view', summary: 'Invoices: none, deskbell costs nothing', answer: { type: 'object' }, handle: () => ok({ items: [], next: null }) },
    { method: 'GET', path: '/cards', id: 'cards', scope: 'billing:read', needs: 'cards.manage', summary: 'Saved credit cards: none', answer: { type: 'object' }, handle: () => ok({ items: [], next: null }) },
    { method: 'GET', path: '/me', id: 'me', scope: 'operators:read', summary: 'Who the token speaks for', answer: CARD, handle: (_, who) => ok(card(who.jid, who)) },
  ]
}

/** JSON from outside: each value is looked at. */
function readNews(given: Readonly<Record<string, unknown>>): OperatorNews | { readonly faults: readonly { pointer: string; because: string }[] } {
  const faults: { pointer: string; because: string }[] = []
  const wrong = (k: string, because: string): void => { faults.push({ pointer: `/${k}`, because }) }
  for (const [k, v] of Object.entries(given)) {
    switch (k) {
      case 'name': case 'password': case 'confirm': case 'role': if (typeof v !== 'string') wrong(k, 'must be a text'); break
      case 'alias': case 'email': if (v !== null && (typeof v !== 'string' || v.trim() === '' || v.length > 254 || /[\r\n]/.test(v))) wrong(k, 'must be one line of text, or null'); break
      case 'disabled': if (typeof v !== 'boolean') wrong(k, 'must be true or false'); break
      case 'bot': if (v !== null && typeof v !== 'boolean') wrong(k, 'must be true or false'); break
      case 'capacity': if (v !== null && whole(String(v), NaN) !== v) wrong(k, 'must be a whole number from 0 to 1000'); else if (typeof v === 'number' && v > 1000) wrong(k, 'must be a whole number from 0 to 1000'); break
      case 'view': if (v !== null && v !== 'contact' && v !== 'room') wrong(k, 'must be contact, room or null'); break
      case 'departments': case 'skills': case 'languages': if (v !== null && !(Array.isArray(v) && v.length <= 1000 && v.every(x => typeof x === 'string' && x.length <= 100))) wrong(k, 'must be a list of texts, or null'); break
      case 'perQueue': if (v !== null && !(typeof v === 'object' && v !== null && Object.values(v).every(x => typeof x === 'number' && Number.isInteger(x) && x >= 0 && x <= 1000))) wrong(k, 'must name whole numbers by queue'); break
      default: wrong(k, 'is nothing that can be said of an operator')
    }
  }
  return faults.length > 0 ? { faults } : given as OperatorNews // each was looked at
}
