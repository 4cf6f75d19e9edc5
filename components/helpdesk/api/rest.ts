// REST for operators and admins: what the commands do and what stands in the store, as JSON (shell).
import type { HttpRequest, HttpResponse, HttpRouter } from '../../../server/api.ts'
import { act } from '../actions.ts'
import { COMMANDS, commandNamed } from '../commands.ts'
import { isQueued, pendingOffers, roleOf } from '../conversation.ts'
import type { Bare, Present, State } from '../facts.ts'
import { sideOf } from '../lines.ts'
import type { Line } from '../lines.ts'
import type { Office } from '../office.ts'
import type { Summary } from '../past.ts'
import { cannedRoutes } from './canned.ts'
import { banRoutes } from '../intake/bans-api.ts'
import { articleRoutes } from '../intake/articles-api.ts'
import { scriptRoutes } from '../intake/scripts-api.ts'
import { declined, Door, faulty, nothing, problem, sweepKeys, time, whole, type Caller, type Route } from './door.ts'
import { misfits } from './fit.ts'
import { participants } from '../circle.ts'
import { maySeeTicket } from '../records/access.ts'
import { listRoutes } from './lists.ts'
import { liveRoutes } from './live.ts'
import { markRoutes } from './marks.ts'
import { reportRoutes } from './reports.ts'
import { roomRoutes } from './rooms.ts'
import { threadRoutes } from './threads.ts'
import { argumentsOf, openapi } from './openapi.ts'
import { ownRoutes } from './own.ts'
import { operatorRoutes } from './operators.ts'
import { customerRoutes } from './customers.ts'
import { hookRoutes } from './hooks.ts'
import { isSearch, recordRoutes, search } from './records.ts'
import { reaches } from './scopes.ts'
import { settingsRoutes, settingsSchema } from './settings.ts'
import { CONVERSATION, LINE, SUMMARY } from './pictures.ts'
import { count, list, maybe, moment, paged, shape, text, yesNo, type Schema } from './shapes.ts'
import { ticketRoutes } from './tickets.ts'
import { tokenRoutes } from './tokens.ts'
import { translationRoutes } from '../translate/translation-api.ts'
import { questions } from '../live/own-source.ts'
import type { Shown } from '../live/timeline.ts'

const PAGE = 50
const MOST = 200
const LINES = 500
const LOOK = 25 // pages of MOST that one request looks through

const above: Schema = { type: 'integer', minimum: 1 }
const HEAD = { number: count, subject: text, status: text, queue: text, customer: text, opened: moment, email: { ...text, description: 'The customer’s.' } }
const TICKET = shape(HEAD, 'email')
/** What makes a list a search; all must fit. */
const SEARCH: Readonly<Record<string, Schema>> = {
  state: { ...text, description: 'Only those in this state.' }, queue: { ...text, description: 'Only those of this queue.' }, q: { ...text, description: 'Words that all must stand somewhere in it; “"in quotes"” together.' }, number: { ...count, description: 'This conversation.' }, email: { ...text, description: 'The customer’s address.' }, name: { ...text, description: 'Words of the customer’s name.' },
  username: { ...text, description: 'The customer’s JID or its first part.' }, since: { ...text, description: 'Begun then or later: a date, or a moment.' }, until: { ...text, description: 'Begun then or before.' }, department: { ...text, description: 'In one of its queues.' }, group: { ...text, description: 'The same as `department`.' },
  agent: { ...text, description: 'Owned at some time by this JID, or `me`.' }, status: { ...text, description: 'Like `state`; several with commas.' }, label: { ...text, description: 'With this label.' }, deleted: { ...yesNo, description: 'true: only deleted ones; else all but those.' },
  sort: { enum: ['weight', 'newest', 'oldest'], description: 'weight (unless told otherwise), newest or oldest.' }, after: { ...text, description: 'Where the last page ended (`next`).' },
}

/** Registers the routes of this desk under /api/v1. The first desk of a server has them; a second one finds them taken and serves XMPP only. */
export function rest(http: HttpRouter, office: Office): void {
  if (http.table.some(r => r.pattern === '/api/v1/conversations')) return
  const door = new Door(http, office)
  const api = new Api(door)
  door.add(...settingsRoutes(door), ...operatorRoutes(door), ...cannedRoutes(door), ...recordRoutes(door), ...customerRoutes(door), ...hookRoutes(door), ...ticketRoutes(door))
  door.add(...tokenRoutes(door), ...markRoutes(door), ...listRoutes(door), ...threadRoutes(door), ...roomRoutes(door), ...ownRoutes(door), ...reportRoutes(door))
  door.add(...banRoutes(door), ...scriptRoutes(door), ...articleRoutes(door), ...translationRoutes(door), ...liveRoutes(door, http, (r, who) => api.live(r, who)))
  http.on('GET', '/api/v1/openapi.json', 'open', () => ({ status: 200, body: openapi(door.routes, settingsSchema()) }))
  http.on('GET', '/api/v1/exports/:key', 'open', async r => { const copy = await office.records.erasure.fetch(r.params['key'] ?? ''); return copy ? { status: 200, headers: { 'cache-control': 'no-store', ...(copy instanceof Uint8Array ? { 'content-type': 'application/pdf', 'content-disposition': 'attachment; filename="conversation.pdf"' } : {}) }, body: copy } : nothing() })
  door.add(...api.routes())
  door.on('POST', '/conversations/:n/commands/:command', 'conversations:write', (r, who) => api.command(r, who), true)
  door.on('POST', '/commands/:command', 'conversations:write', (r, who) => api.command(r, who), true)
  office.later(() => sweepKeys(office))
  office.records.keeping.daily.push(() => sweepKeys(office))
}

class Api {
  readonly #o: Office
  readonly #door: Door
  constructor(door: Door) { this.#o = door.office; this.#door = door }

  routes(): readonly Route[] {
    const pages = { before: { ...above, description: 'Only numbers below this.' }, limit: { type: 'integer', minimum: 1, maximum: MOST, description: 'At most so many; of a search 100.' } }
    return [
      { method: 'GET', path: '/conversations', id: 'conversations', scope: 'conversations:read', refuses: [403, 422], summary: 'Conversations you may see, the newest first; by the further parameters a search. `field.NAME` asks for the value of a custom field. A page may hold fewer than `limit`, even none, and go on all the same: it ends where `next` is null', query: { ...pages, ...SEARCH }, answer: paged(shape({ ...SUMMARY, customer: text, deleted: { ...maybe(moment), description: 'Of a search.' }, weight: { ...count, description: 'Of a search.' } }, 'deleted', 'weight'), 'conversations'), handle: (r, who) => this.list(r, who) },
      { method: 'GET', path: '/conversations/{n}', id: 'conversation', scope: 'conversations:read', summary: 'One conversation', answer: CONVERSATION, handle: (r, who) => this.one(r, who) },
      { method: 'GET', path: '/conversations/{n}/lines', id: 'lines', scope: 'conversations:read', summary: 'What was said, in order', query: { after: { ...count, description: 'Only lines with a greater `seq`: `next` of the page before.' }, limit: { type: 'integer', minimum: 1, maximum: LINES } }, answer: shape({ conversation: count, complete: { ...yesNo, description: 'There is no line after these.' }, lines: list(LINE), next: maybe(text) }), handle: (r, who) => this.lines(r, who) },
      { method: 'GET', path: '/tickets', id: 'tickets', scope: 'tickets:read', summary: 'Tickets you may see, the newest first', query: { after: { ...above, description: 'Where the last page ended (`next`).' }, ...pages }, answer: paged(TICKET, 'tickets'), handle: (r, who) => this.tickets(r, who) },
      { method: 'GET', path: '/tickets/{n}', id: 'ticket', scope: 'tickets:read', summary: 'One ticket', answer: shape({ ...HEAD, articles: list(shape({ id: text, at: moment, by: text, conversation: count, body: text })) }, 'email'), handle: (r, who) => this.ticket(r, who) },
    ]
  }

  async list(r: HttpRequest, who: Caller): Promise<HttpResponse> {
    if (isSearch(r.query)) return search(this.#o, r, who)
    const limit = Math.max(1, whole(r.query.get('limit'), PAGE, MOST))
    const [state, queue] = [r.query.get('state'), r.query.get('queue')]
    const fits = (s: Summary): boolean => this.#mayRead(who, s, this.#o.book.states.get(s.number)) && (state === null || s.state === state) && (queue === null || s.queue === queue)
    const { found, next } = await looked(r, limit, before => this.#o.everything({ before, limit: MOST }), fits)
    return { status: 200, body: { conversations: found.map(s => this.#summary(s)), next } }
  }

  async one(r: HttpRequest, who: Caller): Promise<HttpResponse> {
    const found = await this.#find(r, who)
    if (!found) return nothing()
    return { status: 200, body: await this.#picture(found.n, found.s, found.summary) }
  }

  async #picture(n: number, s: Present, summary: Summary): Promise<object> {
    const customer = await this.#o.customers.byId(s.customer)
    const name = (jid: Bare): string => this.#o.operators.name(jid)
    const owner = s.is === 'active' || s.is === 'ended' ? s.owner : s.is === 'closed' ? s.owner ?? null : null
    return {
      ...this.#summary(summary), number: n, state: s.is, queue: s.queue,
      customer: { name: customer?.name ?? summary.customer, jid: customer?.jid ?? null, page: customer?.page ?? null },
      owner, ownerName: owner === null ? null : name(owner),
      participants: Object.entries(s.crew).filter(([, role]) => role !== 'invited').map(([jid, role]) => ({ jid, name: name(jid), role })),
      customerRead: this.#o.readUpTo.get(n) ?? null, circles: participants(this.#o, s, await this.#o.book.history(n)),
      asked: questions(this.#o, n, s).map(({ to, asked: { id, kind, by, until } }) => ({ id, kind, who: to, name: name(to), by, until })),
      ...(isQueued(s) ? { position: this.#o.position(n) } : {}),
      lines: s.lines, opened: time(s.opened), idleSince: time(s.clocks.idle), unansweredSince: time(s.clocks.unanswered), assigned: time(s.clocks.assigned),
    }
  }

  /** A conversation as a stream tells it to this one. */
  async live(r: HttpRequest, who: Caller): Promise<{ n: number; s: Present; shown: Shown } | undefined> {
    const found = await this.#find(r, who)
    if (!found) return undefined
    const { n, s, summary } = found
    return {
      n, s,
      shown: {
        mayRead: now => this.#o.threads.reviews(who.jid, n) || this.#mayRead(who, { ...summary, queue: now.queue, owners: now.owners }, now), isHis: (now, l) => this.#isHis(who, now, l), line: shownLine,
        picture: now => this.#picture(n, now, { ...summary, state: now.is, queue: now.queue, owners: now.owners, ...(now.is === 'closed' ? { closed: now.at } : {}), ...(now.filing?.ticket === undefined ? {} : { ticket: now.filing.ticket }) }),
      },
    }
  }

  /** Internal chats of two are theirs alone, and those of who may see others' conversations. */
  #isHis(who: Caller, s: Present, l: Line): boolean {
    return l.chat === undefined || s.invitations.some(i => i.id === l.chat && (i.by === who.jid || i.who === who.jid)) || l.by === who.jid || this.#o.operators.may(who.jid, 'chat.view.others', s.queue)
  }

  async lines(r: HttpRequest, who: Caller): Promise<HttpResponse> {
    const found = await this.#find(r, who)
    if (!found) return nothing()
    const after = whole(r.query.get('after'), 0)
    const limit = whole(r.query.get('limit'), LINES, LINES)
    const all = (await this.#o.lines.after(found.n, after, limit)).filter(l => l.seq <= found.s.lines)
    const last = all.at(-1)?.seq ?? found.s.lines
    const complete = last >= found.s.lines
    return { status: 200, body: { conversation: found.n, complete, lines: all.filter(l => this.#isHis(who, found.s, l)).map(shownLine), next: complete ? null : String(last) } }
  }

  async command(r: HttpRequest, who: Caller): Promise<HttpResponse> {
    const command = commandNamed((r.params['command'] ?? '').toLowerCase())
    if (!command) return problem(404, `There is no such command. There are: ${COMMANDS.map(c => c.word).join(', ')}.`)
    if (!this.#o.operators.has(who.jid)) return nothing()
    let here: number | undefined
    if (r.params['n'] !== undefined) {
      const found = await this.#find(r, who, command.handler === 'take')
      if (!found) return nothing()
      here = found.n
    } else if (command.about !== 'none') return problem(404, 'That command is given to a conversation: /api/v1/conversations/N/commands/…')
    if (!this.#o.operators.may(who.jid, command.permission)) return problem(403, 'You may not do that.')
    if (command.scope !== undefined && !reaches(who.scopes, command.scope)) return problem(403, `This token lacks the scope ${command.scope}.`)
    const faults = misfits(argumentsOf(command), r.body)
    if (faults.length > 0) return faulty(422, faults)
    const body = r.body ?? {}
    const args: Record<string, string> = {}
    for (const f of command.fields) {
      const v = (body as Record<string, unknown>)[f.name] // JSON from outside: each value is looked at
      if (v === undefined || v === null || v === '') { if (f.required) return problem(422, `${f.name}: this is needed.`); continue }
      if (typeof v !== 'string' && typeof v !== 'number') return problem(422, `${f.name}: a text is needed.`)
      if (f.choices && !f.choices.includes(String(v).toLowerCase())) return problem(422, `${f.name}: one of ${f.choices.join(', ')}.`)
      args[f.name] = String(v)
    }
    const answer = await act(this.#o, command, { by: who.jid, n: here, here, args })
    return answer.ok ? { status: 200, body: { ok: true, text: answer.text, ...(answer.link === undefined ? {} : { link: answer.link }) } } : declined(answer)
  }

  async tickets(r: HttpRequest, who: Caller): Promise<HttpResponse> {
    const { found, next } = await looked(r, Math.max(1, whole(r.query.get('limit'), PAGE, MOST)), before => this.#o.filing.tickets.list({ before, limit: MOST }), t => maySeeTicket(this.#o, who.jid, t.queue))
    return { status: 200, body: { tickets: found.map(t => ({ ...t, status: t.status ?? 'open', opened: time(t.opened) })), next } }
  }

  async ticket(r: HttpRequest, who: Caller): Promise<HttpResponse> {
    const n = numbered(r)
    const t = n === undefined ? undefined : await this.#o.filing.tickets.get(n)
    if (!t || !maySeeTicket(this.#o, who.jid, t.queue)) return nothing()
    const { version, ...shown } = t
    return { status: 200, headers: version === undefined ? {} : { etag: `"${version}"` }, body: { ...shown, status: t.status ?? 'open', opened: time(t.opened), articles: t.articles.map(({ key, at, by, conversation, body }) => ({ id: key, at: time(at), by, conversation, body })) } }
  }


  async #find(r: HttpRequest, who: Caller, toTake = false): Promise<{ n: number; s: Present; summary: Summary } | undefined> {
    const n = numbered(r)
    if (n === undefined) return undefined
    const s = await this.#o.book.state(n)
    if (s.is === 'absent' || s.deleted !== undefined) return undefined
    const summary: Summary = await this.#o.summary(n) ?? { number: n, state: s.is, queue: s.queue, customer: '', customerId: s.customer, owners: s.owners, opened: s.opened }
    const may = this.#o.threads.reviews(who.jid, n) || this.#mayRead(who, { ...summary, owners: s.owners }, s) || (toTake && this.#o.operators.may(who.jid, 'chat.take.others', s.queue))
    if (!may) await this.#door.denials.note(r, who.jid) // he is told that there is nothing
    return may ? { n, s, summary } : undefined
  }

  /** One's own conversations, past ones too; those one is asked about, or that wait in one's queues; all of them, by permission (C8). */
  #mayRead(who: Caller, summary: Pick<Summary, 'owners' | 'queue'>, s: State | undefined): boolean {
    if (this.#o.operators.may(who.jid, 'chat.view.others', summary.queue)) return true
    if (!this.#o.operators.has(who.jid)) return false
    if (summary.owners.includes(who.jid)) return true
    if (!s || s.is === 'absent') return false
    const role = roleOf(s, who.jid)
    return (role !== undefined && role !== 'invited') || pendingOffers(s).some(p => p.to === who.jid) || (isQueued(s) && this.#o.eligible(s).includes(who.jid))
  }

  #summary(s: Summary): object {
    return { number: s.number, state: s.state, queue: s.queue, customer: s.customer, owner: s.owners.at(-1) ?? null, owners: s.owners, opened: time(s.opened), closed: time(s.closed), ticket: s.ticket ?? null }
  }
}

/** One page of what is numbered, the newest first, of which only some fit. A request looks through so much and no more: `next` says where to go on, also where nothing was found yet. */
async function looked<T extends { readonly number: number }>(r: HttpRequest, limit: number, read: (before: number | undefined) => Promise<readonly T[]>, fits: (t: T) => boolean): Promise<{ found: T[]; next: string | null }> {
  const found: T[] = []
  const cursor = r.query.get('after') ?? r.query.get('before')
  let before = cursor === null ? undefined : whole(cursor, 0)
  for (let pages = 0; pages < LOOK; pages++) {
    const page = await read(before)
    for (const t of page) {
      if (found.length >= limit) return { found, next: String(before) }
      before = t.number
      if (fits(t)) found.push(t)
    }
    if (page.length < MOST) return { found, next: null }
  }
  return { found, next: String(before) }
}

const numbered = (r: HttpRequest): number | undefined => { const t = r.params['n'] ?? ''; return /^[1-9]\d{0,8}$/.test(t) ? Number(t) : undefined }
const shownLine = (l: Line): object => ({ seq: l.seq, at: time(l.at), by: sideOf(l.by), name: l.name, visibility: l.as, text: l.body, ...(l.file ? { file: { url: l.body.trim(), ...l.file } } : {}), ...(sideOf(l.by) === 'agent' ? { jid: l.by } : {}) })
