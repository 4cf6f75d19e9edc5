// What pages ask of the desk before there is a conversation: whether anybody receives, what to ask a customer for, and to be let in (shell).
import { el, refuse, StanzaError, type Element, type Jid } from '../../../server/api.ts'
import type { DeskSettings, LinkSetting } from '../../../schemas/desk-settings.ts'
import { because } from '../actions.ts'
import type { Bare } from '../facts.ts'
import { kindOf, type Customer } from '../customers.ts'
import type { Dossier } from '../dossier.ts'
import { stepsOf } from '../entrance.ts'
import { Refused } from '../facts.ts'
import type { Office } from '../office.ts'
import { short } from '../sentences.ts'
import { NS } from '../stanzas.ts'
import type { CustomerView } from '../views/customers.ts'
import { match } from '../words.ts'
import { takesFiles } from '../files/allowed.ts'
import { asked, fill } from './fields.ts'
import { looksLikeStaff, SUFFIX } from './names.ts'
import { leave, takesMessages } from './offline.ts'
import { Proof } from './proof.ts'
import { Questions } from './questions.ts'
import { isAstray, modeOf, route, shownDepartments, type Astray, type Target, type Wish } from './routing.ts'

type Reply = Element | undefined | StanzaError
const REFRESH = 30 // seconds between two looks of a page, where no link says otherwise (SS-27)
const SUGGESTED = 3 // articles
const EXCERPT = 1500 // characters
const NOT_HERE = 'You may not chat here.'
const LEFT_A_DAY = 5 // messages of one visitor

export class Intake {
  readonly #office: Office
  readonly #view: CustomerView
  readonly #proof: Proof
  readonly #questions = new Questions()
  constructor(office: Office, view: CustomerView) { this.#office = office; this.#view = view; this.#proof = new Proof(office, () => office.records.fetcher) }

  /** Whether somebody is there for this request. */
  availability(q: Element): Reply {
    const wish = wishOf(q)
    if (!this.#office.hasQueue(wish.queue)) return refuse('item-not-found', 'There is no such queue.')
    const open = this.#open(wish)
    return el('availability', NS.desk, { queue: wish.queue, open: String(open), waiting: String(this.#office.distribution.waiting(this.#target(wish)?.queue ?? wish.queue)), messages: String(!open && this.#takesMessages(wish)), refresh: String(this.#refresh(wish)), active: String(this.#office.rules.now.system.messageInterval), idle: String(this.#office.rules.now.system.requestInterval) })
  }

  /** What a page of this site needs to know to show its form. */
  site(q: Element): Reply {
    const wish = wishOf(q)
    const { rules } = this.#office
    const s = rules.now
    if (!this.#office.hasQueue(wish.queue) || (wish.site !== undefined && !Object.hasOwn(s.sites, wish.site)) || (wish.link !== undefined && !Object.hasOwn(s.links, wish.link))) return refuse('item-not-found', 'There is no such site.')
    const site = wish.site === undefined ? undefined : s.sites[wish.site]
    const mode = modeOf(s)
    const departments = shownDepartments(s, wish)
    const choose = mode === 'departments' && departments.length > 1
    const open = this.#open(wish)
    const steps = stepsOf(s, this.#target(wish)?.queue ?? wish.queue)
    return el('site', NS.desk, { open: String(open), messages: String(!open && this.#takesMessages(wish)), refresh: String(this.#refresh(wish)), mode, suggests: String(this.#office.knowledge.suggests), proof: String(this.#proof.kind(wish.site) !== 'none'), identity: String(requires(s, wish.site)), files: String(this.#office.storage !== undefined && takesFiles(s, wish.site)), survey: String(steps.survey), mail: String(steps.mailAtEnd && this.#office.mail !== undefined), ticket: String(steps.ticketAtEnd) },
      ...(choose ? [el('selection', NS.desk, {}, s.conversation.selectionText), ...departments.map(id => el('department', NS.desk, { id, name: s.departments[id]?.name ?? capital(id), open: String(this.#open({ ...wish, department: id })) }))] : []),
      ...(mode === 'agents' ? this.#agents(wish).map(jid => el('operator', NS.desk, { name: this.#office.operators.name(jid) })) : []),
      ...asked(s, departments).map(([id, f]) => el('field', NS.desk, { id, label: f.label, kind: f.kind, required: String(f.required), ...(f.departments.length > 0 ? { departments: f.departments.join(' ') } : {}) }, ...f.choices.map(c => el('choice', NS.desk, {}, c)))),
      ...(wish.link === undefined ? [] : faces(s.links[wish.link])),
      ...(site?.origins ?? []).map(o => el('origin', NS.desk, {}, o)),
      ...Object.entries(site?.texts ?? {}).map(([key, text]) => el('text', NS.desk, { key }, text)),
    )
  }

  /** What may answer the question before it is put (ST-05): nothing waits in a queue for it. */
  async suggest(from: Jid, q: Element): Promise<Reply> {
    const banned = this.banned(from, q.attrs['address'])
    if (banned) return banned
    if (from.local !== '' && !this.#questions.take(from.bare, this.#office.now)) return refuse('resource-constraint', 'Not so fast, please.') // a bridge asks for many, and counts them itself
    const wish = wishOf(q)
    const found = await this.#office.knowledge.suggest(short(q.child('body')?.text ?? '', 1000), { queue: this.#target(wish)?.queue ?? wish.queue, open: true, limit: SUGGESTED })
    return el('suggestions', NS.desk, {}, ...found.map((f, i) => el('article', NS.desk, { id: String(i + 1), title: f.title, ...(f.url === undefined ? {} : { url: f.url }) }, f.text.length > EXCERPT ? `${f.text.slice(0, EXCERPT)}…` : f.text)))
  }

  /** What is to be proved before the visitor is let in. */
  async challenge(from: Jid, q: Element): Promise<Element> { return this.#proof.challenge(from, q.attrs['site'], await this.#office.customers.byJid(from.bare)) }

  /** Begins a conversation, or adds to the one that goes on. */
  async open(from: Jid, q: Element, wrongText: (body: string) => StanzaError | undefined): Promise<Reply> {
    const { visitor } = this.#office.link.limits
    const wish = wishOf(q)
    const body = q.child('body')?.text ?? ''
    if (!this.#office.hasQueue(wish.queue)) return refuse('item-not-found', 'There is no such queue.')
    const known = await this.#office.customers.byJid(from.bare)
    const no = this.barred(from, q, known)
    if (no) return no
    const given = known?.verified === true ? known.name : (q.attrs['name'] ?? '').trim()
    if (given === '') return refuse('not-acceptable', 'Please tell us your name.')
    if ([...given].length > visitor.name) return refuse('not-acceptable', `A name has at most ${visitor.name} characters.`)
    const wrong = wrongText(body)
    if (wrong) return wrong
    const id = q.attrs['id']
    const before = known?.last === undefined ? undefined : await this.#office.book.sent(known.last, 'customer', id)
    if (before && known?.last !== undefined) return this.#show(known.last)
    const staff = (): string[] => this.#office.operators.all().flatMap(p => [this.#office.operators.name(p.jid), p.name ?? ''])
    const name = known?.verified !== true && looksLikeStaff(given, staff()) ? given + SUFFIX : given
    const news = { name, bridged: true, ...visitOf(q) }
    const current = known && this.#office.current(known)
    if (current && current.s.is !== 'ended') {
      await this.#office.customers.meet(from.bare, news)
      const outcome = await this.#office.hear(current.n, { body, name, id })
      if (!(outcome instanceof Refused)) return this.#show(current.n)
      if (this.#office.book.states.has(current.n)) return this.#refused(outcome) // else it was closed while this was on its way
    }
    const target = route(this.#office.rules.now, wish, this.#known(wish))
    if (isAstray(target)) return astray(target)
    const filled = fill(asked(this.#office.rules.now, wish.department === undefined ? shownDepartments(this.#office.rules.now, wish) : [wish.department]), fieldsOf(q))
    if ('wrong' in filled) return refuse('not-acceptable', filled.wrong)
    const unproved = await this.#proof.lacks(from, q, known)
    if (unproved) return unproved
    const many = this.#office.quota.begins(from)
    if (many) return many
    const customer = await this.#office.customers.meet(from.bare, news)
    const begun = await this.#office.begin(customer, target.queue, { body, name, id }, target.only)
    if (begun instanceof Refused) return this.#refused(begun)
    await this.#keep(begun.n, wish, filled.fields)
    return this.#show(begun.n)
  }

  /** Why a line to what is over begins nothing new; undefined: it does. Who was served last time need not prove anything again. */
  async again(from: Jid, q: Element, known: Customer): Promise<StanzaError | undefined> {
    const site = q.attrs['site'] ?? (await this.#sourceOf(known.last))?.site
    const no = this.barred(from, q, known, site)
    if (no) return no
    const s = known.last === undefined ? undefined : await this.#office.book.state(known.last)
    const wasServed = s !== undefined && s.is !== 'absent' && s.owners.length > 0
    return (wasServed ? undefined : await this.#proof.lacks(from, q, known, site)) ?? this.#office.quota.begins(from)
  }

  /** What such a line has begun bears what the page says that it was typed on, and else what the conversation before bore. */
  async carry(from: Jid, q: Element, known: Customer, begun: number): Promise<void> {
    const { site, link, page } = wishOf(q)
    const { sites, links } = this.#office.rules.now
    await this.#office.customers.meet(from.bare, { name: known.name, bridged: known.bridged ?? false, ...visitOf(q) })
    await this.#keep(begun, { ...await this.#sourceOf(known.last), ...(site !== undefined && Object.hasOwn(sites, site) && { site }), ...(link !== undefined && Object.hasOwn(links, link) && { link }), ...(page !== undefined && { page }) }, {})
  }
  async #sourceOf(n: number | undefined): Promise<Dossier['source']> { return n === undefined ? undefined : (await this.#office.dossiers.get(n)).source }

  /** A message for the time when somebody is there again. */
  async leave(from: Jid, q: Element, wrongText: (body: string) => StanzaError | undefined): Promise<Reply> {
    const wish = wishOf(q)
    const body = q.child('body')?.text ?? ''
    const name = short(q.attrs['name'] ?? '', 80)
    if (!this.#office.hasQueue(wish.queue)) return refuse('item-not-found', 'There is no such queue.')
    const known = await this.#office.customers.byJid(from.bare)
    const no = this.barred(from, q, known)
    if (no) return no
    if (name === '') return refuse('not-acceptable', 'Please tell us your name.')
    const wrong = wrongText(body)
    if (wrong) return wrong
    if (this.#open(wish)) return refuse('unexpected-request', 'Somebody is here now: please begin a chat.')
    if (!this.#takesMessages(wish)) return refuse('service-unavailable', 'Messages cannot be left here.')
    const unproved = await this.#proof.lacks(from, q, known)
    if (unproved) return unproved
    if (!await this.#budget(from.bare)) return refuse('resource-constraint', 'You have left enough messages for today.')
    if (!known) await this.#office.customers.meet(from.bare, { name, bridged: true }) // so that there is somebody to be erased
    const left = await leave(this.#office, { name, email: (q.attrs['email'] ?? '').trim(), body, queue: this.#target(wish)?.queue ?? wish.queue, page: wish.page, visitor: from.bare, address: q.attrs['address'], id: q.attrs['id'] })
    return left ? refuse('not-acceptable', left.wrong) : undefined
  }

  /** Who is banned, or of a kind that may not chat. Asked before all else. */
  barred(from: Jid, q: Element, known: Customer | undefined, site = q.attrs['site']): StanzaError | undefined {
    const banned = this.banned(from, q.attrs['address'] ?? known?.address)
    if (banned) return banned
    const kind = known ? kindOf(known) : 'public'
    if (kind === 'public' && requires(this.#office.rules.now, site)) return refuse('forbidden', 'Please log in first: the chat is for registered users.')
    const barred = this.#office.barred(kind)
    return barred && refuse('forbidden', because(this.#office, barred))
  }

  banned(from: Jid, address: string | undefined): StanzaError | undefined {
    return this.#office.bans.bans(from.bare, address, this.#office.now) ? refuse('forbidden', NOT_HERE) : undefined
  }

  async #keep(n: number, wish: Omit<Wish, 'queue'>, fields: Readonly<Record<string, string>>): Promise<void> {
    const at = this.#office.now
    const source = { ...(wish.site === undefined ? {} : { site: wish.site }), ...(wish.link === undefined ? {} : { link: wish.link }), ...(wish.page === undefined ? {} : { page: short(wish.page, 1000) }), ...(wish.department === undefined ? {} : { department: wish.department }) }
    if (Object.keys(fields).length === 0 && Object.keys(source).length === 0) return
    await this.#office.dossiers.edit(n, async d => ({ dossier: { ...d, source, fields: { ...d.fields, ...Object.fromEntries(Object.entries(fields).map(([k, value]) => [k, { value, by: 'customer' as const, at }])) } } }))
  }

  /** At most so many off-line messages of one visitor within a day. */
  async #budget(visitor: string): Promise<boolean> {
    const { documents } = this.#office.link.stores
    const day = Math.floor(this.#office.now / 86_400_000)
    const found = (await documents.get<{ day: number; count: number }>('desk-left-count', this.#office.domain, visitor))?.value
    const count = found?.day === day ? found.count : 0
    if (count >= LEFT_A_DAY) return false
    await documents.put('desk-left-count', this.#office.domain, visitor, { day, count: count + 1 })
    return true
  }

  #target(wish: Wish): Target | undefined {
    const t = route(this.#office.rules.now, wish, this.#known(wish))
    return isAstray(t) ? undefined : t
  }
  /** Where a department is still to be chosen: whether any is open. */
  #open(wish: Wish): boolean {
    const s = this.#office.rules.now
    if (modeOf(s) === 'departments' && wish.department === undefined) { const all = shownDepartments(s, wish); if (all.length > 1) return all.some(department => this.#open({ ...wish, department })) }
    const t = this.#target(wish)
    return t !== undefined && this.#office.isOpen(t.queue, t.only)
  }
  #takesMessages(wish: Wish): boolean { return takesMessages(this.#office, this.#target(wish)?.queue ?? wish.queue) }
  #refresh(wish: Wish): number { return (wish.link === undefined ? undefined : this.#office.rules.now.links[wish.link]?.refresh) ?? REFRESH }

  #known(wish: Wish): Parameters<typeof route>[2] {
    return {
      isOpen: q => this.#office.isOpen(q),
      operator: text => {
        const found = match(text, this.#agents(wish).map(jid => ({ jid, name: this.#office.operators.name(jid) })))
        return found.is === 'one' ? found.it.jid : undefined
      },
    }
  }
  /** Whom a customer may choose: who serves him, or all; nobody who is invisible to customers (FP-03, FP-17). */
  #agents(wish: Wish): readonly Bare[] {
    const { operators, rules } = this.#office
    const s = rules.now
    const site = wish.site === undefined ? undefined : s.sites[wish.site]
    const own = [site?.queue ?? wish.queue, ...(site?.departments ?? []).flatMap(d => s.departments[d]?.queues ?? [])]
    const queues = s.system.ownWorkspaces ? own : Object.keys(s.queues)
    return [...new Set(queues.flatMap(q => operators.of(q)))].filter(j => operators.operator(j).intake.invisible === 'no').sort()
  }

  async #show(n: number): Promise<Element> { return this.#view.conversation(n, await this.#office.book.state(n)) }
  #refused(r: Refused): StanzaError { return refuse(r.forbidden ? 'forbidden' : 'service-unavailable', because(this.#office, r)) }
}

/** Whether only those may chat here whom the site has signed. */
const requires = (s: DeskSettings, site: string | undefined): boolean => s.system.requires === 'registered' || (site !== undefined && Object.hasOwn(s.sites, site) && s.sites[site]?.requires === 'registered')
const astray = (a: Astray): StanzaError => refuse(a.why === 'unknown' ? 'item-not-found' : a.why === 'needed' ? 'not-acceptable' : 'forbidden', a.because)
const wishOf = (q: Element): Wish => ({ queue: q.attrs['queue'] ?? '', site: q.attrs['site'], link: q.attrs['link'], department: q.attrs['department'], operator: q.attrs['operator'], page: q.child('page')?.text })
/** What is remembered of the page and the browser. */
const visitOf = (q: Element): { page?: string; address?: string; language?: string } => {
  const [page, { address, lang }] = [q.child('page')?.text, q.attrs]
  return { ...(page === undefined ? {} : { page: short(page, 1000) }), ...(address === undefined ? {} : { address }), ...(lang === undefined ? {} : { language: short(lang, 35) }) }
}
const fieldsOf = (q: Element): Record<string, string> => Object.fromEntries(q.elements.filter(e => e.is('field', NS.desk)).map(e => [e.attrs['name'] ?? '', e.text]))
/** How a saved link looks, online and offline (SS-29, SS-31). */
const faces = (link: LinkSetting | undefined): Element[] => link === undefined ? [] : (['online', 'offline'] as const).map(of => {
  const { display, image, description, anchorTitle, url, target, cssClass } = link[of]
  return el('face', NS.desk, { of, title: link.title, display, image, description, anchorTitle, url, cssClass, ...(target === undefined ? {} : { target }) })
})
const capital = (s: string): string => s.slice(0, 1).toUpperCase() + s.slice(1)
