// The helpdesk as a component: puts its parts together and hands each stanza to the one that knows it (shell).
import { errorReply, el, Jid, readForm, refuse, resultOf, StanzaError, Stanza, type AnyStanza, type Component, type Element, type Iq, type Link, type Message, type Presence, type Receiver } from '../../server/api.ts'
import type { Commands } from '../../protocols/commands.ts'
import { commandInfo, commandItems, execute } from './adhoc.ts'
import { Addresses, type Place } from './addresses.ts'
import { Attachments } from './attachments.ts'
import type { Show } from './availability.ts'
import { CannedBook } from './canned-book.ts'
import { Handing } from './files/handing.ts'
import { Seal } from './files/seal.ts'
import { Storage } from './files/storage.ts'
import { fixedBy, type DeskConfig } from './config.ts'
import { Control } from './control.ts'
import { caps, contactInfo, domainInfo, isCapsNode } from './disco.ts'
import type { Bare } from './facts.ts'
import { isAdminNode } from './form-parts.ts'
import { adminCommands, CHOSEN, menuOf } from './forms.ts'
import { Office } from './office.ts'
import { pendingOffers } from './conversation.ts'
import { Monitors } from './monitors.ts'
import { Talks } from './talks.ts'
import { readByOperator } from './reading.ts'
import { Reception } from './reception.ts'
import { MARK, sentence } from './sentences.ts'
import { chat, NS, objection } from './stanzas.ts'
import { Hints } from './intake/kb-acts.ts'
import { Outbox } from './mail/outbox.ts'
import { smtpCarrier } from './mail/smtp.ts'
import { Colleagues } from './views/colleagues.ts'
import { ContactWindow } from './views/contact.ts'
import { CustomerView } from './views/customers.ts'
import { OperatorView } from './views/operators.ts'
import { RoomWindow } from './views/room.ts'
import { Menus } from './views/menus.ts'
import { RosterView } from './views/rosters.ts'
import type { CommandLineDeed } from './records/audit.ts'
import { Rulebook } from './settings/rulebook.ts'
import { Tally } from './tally.ts'
import { Translations } from './translate/beneath.ts'
import { Warnings } from './warnings.ts'
import { Workgroup } from './workgroup/workgroup.ts'
import { isWorkgroup, WG } from './workgroup/words.ts'
import { Watchers } from './watchers.ts'
import type { HookBook } from './webhooks/hook-book.ts'
import { rest } from './api/rest.ts'

const GRACE = 10_000 // ms after a start in which operators come back unremarked

/** A desk with these queues. The same component runs in the server and, dialled, beside any other. */
export const helpdesk = (config: DeskConfig, ready: (desk: { readonly rules: Rulebook; readonly canned: CannedBook; readonly hooks: { readonly book: HookBook; wrong(url: string): string | undefined }; readonly tally: Tally; note(deed: CommandLineDeed): Promise<unknown> }) => void = () => {}): Component => ({
  name: 'helpdesk',
  async start(link) {
    const rules = await Rulebook.open({ documents: link.stores.documents, desk: link.domain, clock: link.clock, log: link.log, given: fixedBy(config) })
    const canned = await CannedBook.open(link.stores.documents, link.domain)
    const desk = new Desk(link, rules, canned)
    const receiver = await desk.start(config)
    ready({ rules, canned, hooks: desk.hooks, tally: desk.tally, note: deed => desk.note(deed) })
    return receiver
  },
})

class Desk implements Receiver {
  readonly tally: Tally
  readonly #link: Link
  readonly #office: Office
  readonly #at: Addresses
  readonly #rosters: RosterView
  readonly #menus: Menus
  readonly #operators: OperatorView
  readonly #customers: CustomerView
  readonly #control: Control
  readonly #reception: Reception
  readonly #watchers: Watchers
  readonly #colleagues: Colleagues
  readonly #warnings: Warnings
  readonly #talks: Talks
  readonly #rooms: RoomWindow
  readonly #workgroup: Workgroup
  readonly #translations: Translations
  readonly #off: Disposable[] = []
  /** The forms for admins. */
  readonly #forms: Commands
  readonly #returning = new Map<Bare, Disposable>()

  constructor(link: Link, rules: Rulebook, canned: CannedBook) {
    this.#link = link
    this.#office = new Office(link, rules, canned)
    this.#at = new Addresses(link.domain, queue => this.#office.hasQueue(queue))
    this.#rosters = new RosterView(this.#office, this.#at, caps)
    const contact = new ContactWindow(link, this.#at)
    this.#operators = new OperatorView(this.#office, this.#at, this.#rosters, contact)
    this.#customers = new CustomerView(this.#office, this.#at)
    this.#control = new Control(this.#office, this.#at, this.#customers)
    this.#reception = new Reception(this.#office, this.#at, this.#customers, this.#operators)
    this.#rooms = new RoomWindow(this.#office, this.#at, this.#control)
    this.#rosters.isRoom = this.#rooms.isRoom
    this.#workgroup = new Workgroup(this.#office, this.#at, (m, n) => this.#reception.message(m, undefined, n))
    this.#customers.elsewhere = n => this.#workgroup.hasRoom(n)
    this.#rooms.asRoom = (jid, s) => this.#workgroup.agents.has(jid, s.queue)
    this.#rooms.invitation = (n, s, room, device) => this.#workgroup.agents.invitation(n, s, room, device)
    this.#operators.rooms = this.#rooms
    this.#operators.window = (jid, s) => this.#rooms.isRoom(jid, s) ? this.#rooms : contact
    this.#office.onView = jid => this.#office.later(async () => { await this.#rosters.now(jid); await this.#rooms.switched(jid) })
    this.#colleagues = new Colleagues(this.#office, this.#at)
    this.#watchers = new Watchers(this.#office, this.#at)
    this.#office.onErased.push(jid => this.#watchers.forget(jid))
    this.#office.onErased.push(jid => this.#office.present.note(Jid.parse(jid), false))
    this.#warnings = new Warnings(this.#office)
    this.#talks = new Talks(this.#office, this.#at)
    this.#office.talk = (by, who, text, related, id) => this.#talks.begin(by, who, text, related, id)
    this.#office.touchRoster = jid => this.#rosters.touch(jid)
    this.#office.rosterNow = jid => this.#rosters.now(jid)
    this.#office.views.push(this.#office.paces, new Hints(this.#office, this.#operators))
    this.#office.views.push(this.#workgroup, this.#operators, this.#customers, this.#warnings, this.#office.records.catalogue)
    this.#office.views.push(this.#translations = new Translations(this.#office, this.#operators))
    this.#office.views.push(new Monitors(this.#office), new Attachments(this.#office))
    this.#office.views.push(this.tally = new Tally(this.#office))
    this.#office.onTyping = n => this.#warnings.touch(n)
    this.#office.doings = {
      typing: (by, n, state) => this.#control.typing(by, n, state), read: (by, n, seq) => readByOperator(this.#office, this.#at, n, by, seq),
      write: (by, talk, text, id) => this.#talks.write(talk, by, text, id), stand: (by, talk, as) => this.#talks.stand(talk, by, as),
    }
    this.#office.onRules.push(() => this.#warnings.wind())
    this.#forms = adminCommands(this.#office)
    this.#menus = new Menus(this.#office, (who, place, contact) => commandItems(this.#office, who.bare, place, contact, place.is === 'bot' || place.is === 'domain' ? menuOf(this.#forms.items(contact, who).elements) : []))
    this.#rosters.onPushed = jid => this.#menus.refresh(jid)
    this.#office.onPeople = () => this.#people()
    rules.onChange.push(async () => { await this.#watchers.open(); await this.#office.settingsChanged() })
    this.#office.onQueues.push(() => { this.#rosters.touchAll(); this.#watchers.tell(); this.#customers.look() })
    this.#office.operators.onRenamed = () => this.#colleagues.touch()
    this.#office.onOperator.push(jid => this.#rosters.touch(jid))
  }

  /** Where other programs are told; there from the start on. */
  get hooks(): { readonly book: HookBook; wrong(url: string): string | undefined } {
    const { hooks, fetcher } = this.#office.records
    return { book: hooks!.hooks, wrong: url => fetcher.wrong(url) } // made at the start
  }

  /** Something was done from the command line. */
  note(deed: CommandLineDeed): Promise<unknown> { return this.#office.records.audit.note({ by: 'command line', ...deed }) }

  async start({ mail, allow, upload, secrets }: DeskConfig): Promise<Receiver> {
    if (secrets) this.#office.secrets = secrets
    const { book, operators, customers } = this.#office
    if (mail) {
      const { stores, domain, limits, log } = this.#link
      this.#office.mail = await Outbox.open({ documents: stores.documents, desk: domain, clock: this.#link.clock, jobs: this.#link.jobs, log, limits: limits.mail, carrier: smtpCarrier({ ...mail, from: { name: mail.name, address: mail.from } }) })
    }
    this.#office.records.keeping.daily.push(async () => { await this.#office.mail?.sweep() })
    if (upload) this.#office.storage = new Storage(this.#link, upload.service, upload.base)
    await this.#office.bans.open()
    await this.#office.paces.open()
    await this.#office.knowledge.articles.open()
    const since = this.#office.now
    await book.open()
    this.#office.begun()
    for (const s of book.states.values()) if (s.is !== 'absent') await customers.byId(s.customer)
    await this.#people()
    await this.#watchers.open()
    await this.#office.opening.recall()
    await this.#office.threads.open()
    await this.#office.rooms.open()
    await this.#office.records.open(allow)
    if (this.#office.records.hooks) this.#office.views.push(this.#office.records.hooks)
    const { privileges, clock, http } = this.#link
    const apart = privileges?.keepApart?.((from, to) => operators.apart(from, to))
    if (apart) this.#off.push(apart)
    if (privileges) {
      this.#off.push(privileges.onPeople(() => this.#office.later(() => this.#people())))
      this.#off.push(privileges.onAttachment((device, attached) => { const at = Jid.tryParse(device); if (at && operators.attachment(device, attached)) this.#office.operatorChanged(at.bare) }))
    }
    if (http) rest(http, this.#office)
    if (http && upload && !http.table.some(r => r.pattern === '/file/')) { // the first desk of a server has it
      const handing = new Handing(this.#office, await Seal.open(this.#link.stores.documents, this.#link.domain), upload.base)
      handing.serve(http)
      this.#office.handing = handing
    }
    // The rest when the server is open: what is sent before has nobody to go to.
    this.#off.push(clock.alarm(since, async () => {
      for (const p of operators.all()) this.#link.send(Stanza.of('presence', { type: 'probe', from: this.#at.bot.toBare(), to: Jid.parse(p.jid) }))
      await this.#workgroup.visitors.resume()
      await this.#customers.resume()
      await this.#operators.resume()
      this.#office.filing.resume((n, s, to, what) => this.#operators.bot(to, sentence(what, this.#office.scene(n, s))))
      book.wind()
      this.#warnings.wind()
      this.#rosters.touchAll()
      this.#watchers.tell()
      this.#customers.look()
      await this.#office.dispatch()
    }))
    this.#off.push(clock.alarm(since + GRACE, () => { this.#office.missing(since); return this.#office.idle() }))
    return this
  }

  /** Who is in a room hears that the desk goes (XEP-0045 section 11.2). */
  leaving(): void { this.#rooms.stop(); this.#workgroup.visitors.rooms.stop() }

  async stop(): Promise<void> {
    for (const d of [...this.#off, ...this.#returning.values()]) d[Symbol.dispose]()
    this.#rooms.stop()
    this.#workgroup.stop()
    this.#translations.stop()
    this.#rosters.stop()
    this.#customers.stop()
    this.#warnings.stop()
    await this.#office.records.stop()
    await this.#office.stop()
    await this.#rosters.idle()
  }

  /** Who came gets our contacts; who is no operator any more loses them and his chairs. */
  async #people(): Promise<void> {
    const { operators } = this.#office
    const { came, gone } = await operators.read()
    for (const jid of came) {
      await this.#rosters.open(jid)
      await this.#colleagues.open(jid)
      this.#rosters.touch(jid)
      this.#link.send(Stanza.of('presence', { type: 'probe', from: this.#at.bot.toBare(), to: Jid.parse(jid) }))
    }
    for (const jid of gone) {
      await this.#office.removed(jid)
      await this.#rosters.forget(jid)
      await this.#colleagues.forget(jid)
    }
    this.#rosters.touchAll()
    this.#colleagues.touch()
  }

  receive(s: AnyStanza): void | Promise<void> {
    const { from, to } = s
    if (!from || !to) return
    if (this.#office.operators.has(from.bare)) this.#office.heard.set(from.bare, this.#office.now)
    const place = this.#at.read(to)
    if (place.is === 'room') return this.#orError(s, this.#rooms.receive(s, place.n))
    if (place.is === 'talk') return this.#orError(s, this.#workgroup.talk(s, place.n))
    if (s.type === 'error') return
    switch (s.kind) {
      case 'presence': return this.#presence(s, from, place)
      case 'message': return this.#orError(s, this.#message(s, from, place))
      case 'iq': return s.type === 'get' || s.type === 'set' ? this.#iq(s, from, place) : undefined
    }
  }

  async #orError(s: AnyStanza, outcome: Promise<void | StanzaError>): Promise<void> {
    const error = await outcome
    const reply = error && errorReply(s, error)
    if (reply) this.#link.send(reply)
  }

  async #message(m: Message, from: Jid, place: Place): Promise<void | StanzaError> {
    if (m.type === 'groupchat' && this.#office.rooms.has(from.bare)) return undefined // the desk is in it for a moment; an error would put it out
    if (m.type === 'groupchat' || m.type === 'headline') return refuse('service-unavailable')
    const refused = objection(m)
    if (refused !== undefined && (place.is === 'queue' || place.is === 'bot' || place.is === 'conversation' || place.is === 'internal')) {
      this.#link.send(chat(m.to!.withResource('desk'), from, MARK + refused, { keep: false })) // it came here
      return
    }
    // One operator's doings go one after the other, as he typed them.
    const control = (): Promise<void | StanzaError> => this.#office.inTurnOf(from.bare, () => this.#control.message(m, place))
    const operator = this.#office.operators.has(from.bare)
    switch (place.is) {
      case 'bot': return operator ? control() : refuse('forbidden', 'The bot serves operators only.')
      case 'queue':
        if (operator) return control()
        await this.#workgroup.visitors.plain(from.bare)
        return this.#reception.message(m, place.queue, undefined)
      case 'conversation': return operator ? control() : this.#reception.message(m, undefined, place.n)
      case 'internal': return operator ? control() : refuse('item-not-found')
      case 'thread': return operator && await this.#office.inTurnOf(from.bare, () => this.#talks.message(m, place.thread)) !== 'unknown' ? undefined : refuse('item-not-found')
      default: return refuse(place.is === 'domain' ? 'service-unavailable' : 'item-not-found')
    }
  }

  // Presence

  #presence(p: Presence, from: Jid, place: Place): void | Promise<void> {
    const operator = this.#office.operators.has(from.bare)
    const me = p.to?.toBare()
    switch (p.type) {
      case 'available': case 'unavailable':
        if (operator && place.is === 'bot') this.#device(from, p)
        else if (place.is === 'queue' && (p.child('agent-status', WG) || (operator && p.type === 'unavailable'))) this.#workgroup.presence(p, from, place.queue)
        else if (!operator && place.is === 'queue') {
          this.#office.present.note(from, p.type === 'available')
          if (p.type === 'unavailable' || !this.#watchers.has(place.queue, from)) this.#workgroup.look(from, place.queue, p.type === 'available')
        }
        return
      case 'probe':
        if (operator && place.is !== 'queue') this.#rosters.greet(from.bare, from, me?.bare)
        else if (place.is === 'queue') this.#watchers.greet(place.queue, from)
        return
      case 'subscribe':
        if (!me) return
        if (place.is === 'queue') return this.#watchers.add(place.queue, from)
        this.#link.send(Stanza.of('presence', { type: operator && place.is === 'bot' ? 'subscribed' : 'unsubscribed', from: me, to: from.toBare() }))
        if (!operator || place.is !== 'bot') return
        // An operator of another server: his presence is asked for in turn.
        this.#link.send(Stanza.of('presence', { type: 'subscribe', from: me, to: from.toBare() }))
        this.#rosters.greet(from.bare, from.toBare())
        return
      case 'unsubscribe': case 'unsubscribed':
        if (place.is === 'queue') return this.#watchers.remove(place.queue, from)
        return
      default: return
    }
  }

  #device(device: Jid, p: Presence): void {
    const { operators } = this.#office
    const wasHere = operators.devices(device.bare).includes(device.full)
    const first = operators.devices(device.bare).length === 0
    if (device.isBare && p.type === 'unavailable') for (const d of operators.devices(device.bare)) operators.presence(Jid.parse(d), undefined)
    // A negative priority says: no messages here (RFC 6121 section 4.7.2.3). Who has only that is not there for customers.
    const isHere = p.type === 'available' && !(Number(p.child('priority')?.text ?? 0) < 0)
    if (!isHere) this.#workgroup.agents.gone(device)
    const changed = !device.isBare && operators.presence(device, isHere ? showOf(p) : undefined)
    if (isHere && !wasHere) {
      this.#rosters.greet(device.bare, device)
      if (first) this.#remind(device.bare)
    }
    if (changed || device.isBare) this.#office.operatorChanged(device.bare)
  }

  /** Who comes back hears what waits for his answer; and is asked into his rooms again, if his client does not go there by itself. */
  #remind(jid: Bare): void {
    this.#returning.get(jid)?.[Symbol.dispose]()
    this.#returning.set(jid, this.#link.clock.alarm(this.#office.now + GRACE, () => { this.#returning.delete(jid); return this.#rooms.comesBack(jid) }))
    for (const [n, s] of this.#office.book.states) {
      if (s.is === 'absent') continue
      for (const o of pendingOffers(s)) {
        if (o.to !== jid || o.until <= this.#office.now) continue
        const what = s.is === 'offered' ? { is: 'offer' as const, id: o.id, until: o.until }
          : { is: s.is === 'active' && s.transfer?.id === o.id ? 'transfer' as const : 'invitation' as const, id: o.id, until: o.until, by: o.by ?? '' }
        this.#office.later(() => this.#operators.remind(n, s, jid, what))
      }
    }
  }

  // Iq

  async #iq(iq: Iq, from: Jid, place: Place): Promise<void> {
    const query = iq.payload[0]
    if (query && place.is === 'queue' && isWorkgroup(query)) return this.#workgroup.iq(iq, query, from, place.queue)
    let answer: Element | undefined | StanzaError
    try {
      answer = query ? await this.#answer(iq, query, from, place) : refuse('bad-request')
    } catch (error) {
      this.#link.log.error({ err: error, domain: this.#office.domain }, 'the desk met a bug')
      answer = refuse('internal-server-error')
    }
    const reply = answer instanceof StanzaError ? errorReply(iq, answer) : answer ? resultOf(iq, answer) : resultOf(iq)
    if (reply) this.#link.send(reply)
  }

  /** What an admin does by a form stands in the audit, as what is done by REST does. */
  async #runForm(q: Element, from: Jid, node: string): Promise<Element | StanzaError> {
    const filled = readForm(q.child('x', 'jabber:x:data'))
    if (!filled) return this.#forms.run(q, from)
    return this.#office.records.audit.around(this.#office, 'all', async () => this.#forms.run(q, from), answer => {
      const done = !(answer instanceof StanzaError) && answer.attrs['status'] === 'completed' && answer.child('note')?.attrs['type'] === 'info'
      return done ? { by: from.bare, what: (filled.values.get(CHOSEN)?.[0] ?? node).replace(/^.*#/, ''), on: 'form', detail: Object.fromEntries([...filled.values].filter(([k]) => k !== CHOSEN).map(([k, v]) => [k, v.join('\n')])) } : undefined
    })
  }

  #answer(iq: Iq, q: Element, from: Jid, place: Place): Element | undefined | StanzaError | Promise<Element | undefined | StanzaError> {
    if (q.ns === NS.desk) return place.is === 'domain' ? this.#reception.answer(iq, q) : refuse('service-unavailable')
    if (place.is === 'nothing' || place.is === 'room' || place.is === 'talk') return refuse('item-not-found')
    const operator = this.#office.operators.has(from.bare)
    const node = q.attrs['node']
    switch (`${iq.type} {${q.ns}}${q.name}`) {
      case `get {${NS.info}}query`: {
        if (isAdminNode(node)) return this.#forms.info(node, from) ?? refuse('item-not-found')
        if (node !== undefined && !isCapsNode(node)) return (operator ? commandInfo(this.#office, from.bare, node) : undefined) ?? (node === NS.commands ? contactInfo(node) : refuse('item-not-found'))
        if (place.is === 'queue' && node === undefined) return this.#workgroup.info(place.queue, contactInfo(undefined))
        return place.is === 'domain' ? domainInfo([]) : contactInfo(node)
      }
      case `get {${NS.items}}query`: {
        if (node === NS.commands) {
          if (!operator || !iq.to) return el('query', NS.items, { node })
          return this.#menus.fetch(from, place, iq.to)
        }
        if (node !== undefined) return refuse('item-not-found')
        const queues = place.is === 'domain' ? [...this.#office.config.queues.keys()] : []
        return el('query', NS.items, {}, ...queues.map(name => el('item', NS.items, { jid: this.#at.queue(name).bare, name })))
      }
      case `set {${NS.commands}}command`: if (isAdminNode(node)) return operator ? this.#office.inTurnOf(from.bare, () => this.#runForm(q, from, node)) : refuse('forbidden', 'The commands are for operators.')
        return operator ? this.#office.inTurnOf(from.bare, () => execute(this.#office, from.bare, place, iq, q)) : refuse('forbidden', 'The commands are for operators.')
      case 'get {urn:xmpp:ping}ping': return undefined
      default: return refuse('service-unavailable')
    }
  }
}

function showOf(p: Presence): Show {
  const show = p.child('show')?.text.trim()
  return show === 'chat' || show === 'away' || show === 'xa' || show === 'dnd' ? show : 'available'
}
