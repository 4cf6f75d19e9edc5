// REST for operators: their accounts, records and connections, the board, the count for the bill (shell).
import type { HttpResponse } from '../../../server/api.ts'
import { act } from '../actions.ts'
import { commandNamed } from '../commands.ts'
import { Refused } from '../facts.ts'
import { People, type OperatorNews } from '../people.ts'
import { created, declined, faulty, gone, nothing, object, ok, page, problem, time, whole, type Caller, type Door, type Route } from './door.ts'
import { byName, count, list, maybe, moment, paged, PAGED, sent, shape, text, texts, yesNo, type Schema } from './shapes.ts'

const words = maybe(texts)
const known = maybe(text)
const NEWS: Readonly<Record<keyof OperatorNews, Schema>> = {
  name: text, password: { ...text, description: 'None at the making: a random one is made and told once.' }, confirm: text, role: text, disabled: yesNo,
  alias: { ...known, minLength: 1, maxLength: 254 }, email: { ...known, minLength: 1, maxLength: 254 }, capacity: maybe({ ...count, maximum: 1000 }), perQueue: maybe(byName({ ...count, maximum: 1000 })),
  departments: words, skills: words, languages: words, bot: maybe(yesNo), view: { enum: ['contact', 'room', null] },
}
/** A line of the board. */
export const AGENT = { jid: text, name: text, status: { enum: ['available', 'away', 'busy', 'offline'] }, activeChats: count, activeGroups: count, totalGroups: count }
const CONNECTION = shape({ jid: text, user: text, domain: text, host: text, port: maybe(count), starttls: maybe(count), directTls: maybe(count), security: maybe({ enum: ['STARTTLS', 'direct TLS'] }), websocket: known, bosh: known, selfSigned: yesNo })
const NOTHING = shape({ items: { ...list(text), maxItems: 0 }, next: { type: 'null' } })
/** How an operator stands; only some see the connection, and a password is told once. */
const CELLS = {
  ...AGENT, shownName: known, role: text, roleTitle: text, permissions: texts, alias: known, email: known, capacity: { ...maybe(count), description: 'The operator’s own; null: the desk’s.' }, maxChats: { ...count, description: 'How many at once, all in all.' },
  perQueue: byName(count), departments: { ...words, description: 'Others’ conversations are theirs to see in these only; null: in all.' }, skills: texts, languages: texts, bot: yesNo, view: { enum: ['contact', 'room', null] },
  invisible: { enum: ['no', 'customers', 'all'] }, devices: { ...count, description: 'Clients, and pages, that are here.' }, queues: list(shape({ queue: text, active: yesNo })), connection: { ...maybe(CONNECTION), description: 'For oneself, and for administrators.' },
  password: { ...known, description: 'A random one that was made just now; told once.' },
}
const CARD = shape(CELLS, 'connection', 'password')
/** As one is told of oneself while it changes. */
export const OWN_CARD = shape(Object.fromEntries(Object.entries(CELLS).filter(([k]) => k !== 'connection' && k !== 'password')))

export function operatorRoutes(door: Door): readonly Route[] {
  const o = door.office
  const people = new People(o)
  const jidOf = (r: { params: Readonly<Record<string, string>> }): string => (r.params['jid'] ?? '').toLowerCase()
  const card = (jid: string, who: Caller, more: object = {}): object => ({ ...people.card(jid), ...(jid === who.jid || o.operators.may(who.jid, 'operators.manage') ? { connection: people.connection(jid) ?? null } : {}), ...more })
  const refused = (r: Refused): HttpResponse => problem(r.forbidden ? 403 : 409, r.because.replaceAll('{who}', ''))
  const mayRead = (who: Caller, jid: string): boolean => who.jid === jid || o.operators.may(who.jid, 'operators.view')
  const all = (): string[] => o.operators.all().map(p => p.jid).sort()
  return [
    { method: 'GET', path: '/operators', id: 'operators', scope: 'operators:read', needs: 'operators.view', summary: 'All operators', query: PAGED, answer: paged(CARD), handle: (r, who) => { const p = page(all(), j => j, r); return ok({ items: p.items.map(j => card(j, who)), next: p.next }) } },
    {
      method: 'POST', path: '/operators', id: 'makeOperator', scope: 'operators:write', needs: 'operators.manage', summary: 'Makes an operator account; without a password a random one is made, and told once', status: 201,
      body: sent({ user: { ...text, minLength: 1, description: 'What stands before the @.' }, ...NEWS }, 'user'), answer: CARD,
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
      method: 'PATCH', path: '/operators/{jid}', id: 'changeOperator', scope: 'operators:write', summary: 'Changes an operator; oneself may change name, alias, email, password, skills and languages', body: sent(NEWS), refuses: [403], answer: { anyOf: [CARD, { ...shape({ jid: text, disabled: { const: true } }), description: 'An account that is disabled now serves no more.' }] },
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
      body: sent({ active: yesNo, queue: { ...text, description: 'Absent: all.' } }, 'active'), answer: CARD,
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
      method: 'GET', path: '/operators/{jid}/connection', id: 'connection', scope: 'operators:read', summary: 'What a third-party chat application needs to connect (OM-11)', answer: CONNECTION,
      handle(r, who) {
        const found = o.operators.has(jidOf(r)) && (who.jid === jidOf(r) || o.operators.may(who.jid, 'operators.manage')) ? people.connection(jidOf(r)) : undefined
        return found ? ok(found) : nothing()
      },
    },
    { method: 'GET', path: '/board', id: 'board', scope: 'operators:read', summary: 'Agents with state, active chats, active and total groups (ST-33)', query: { queue: { ...text, description: 'Only those of this queue.' }, ...PAGED }, answer: paged(shape(AGENT), 'agents'), handle(r) {
      const queue = r.query.get('queue')
      const p = page(queue === null ? all() : [...o.operators.of(queue)].sort(), j => j, r)
      return ok({ agents: p.items.map(j => people.row(j)), next: p.next })
    } },
    { method: 'GET', path: '/usage', id: 'usage', scope: 'operators:read', needs: 'operators.view', summary: 'How many operator accounts are active (OM-02)', answer: shape({ operators: count, byRole: byName(count), at: moment }), handle: () => ok({ ...people.usage(), at: time(o.now) }) },
    { method: 'GET', path: '/invoices', id: 'invoices', scope: 'billing:read', needs: 'invoices.view', summary: 'Invoices: none, deskbell costs nothing', answer: NOTHING, handle: () => ok({ items: [], next: null }) },
    { method: 'GET', path: '/cards', id: 'cards', scope: 'billing:read', needs: 'cards.manage', summary: 'Saved credit cards: none', answer: NOTHING, handle: () => ok({ items: [], next: null }) },
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
