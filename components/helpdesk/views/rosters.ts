// The operators' contact lists: the desk's bot and one contact for each conversation, in the groups Waiting, My chats and Watching (shell).
import { Jid, type Element, type InjectedItem } from '../../../server/api.ts'
import type { Addresses } from '../addresses.ts'
import { capacityOf, isReceiving } from '../availability.ts'
import { assigns, queueName } from '../config.ts'
import { isOver, pendingOffers } from '../conversation.ts'
import { inLine } from '../dispatch.ts'
import type { Bare, Present } from '../facts.ts'
import type { Office } from '../office.ts'
import { short } from '../sentences.ts'
import { relatedText } from '../threads.ts'
import { absence, presence } from '../stanzas.ts'
import { isShared } from './colleagues.ts'

const MOST_WAITING = 20 // contacts in Waiting; the rest is a number in the bot's status
const PAUSE = 1000 // ms between two pushes to one operator
const MANY = 100 // operators; of more, fewer a second are told how many wait
const EACH = 25 // ms for each of them
type Shown = InjectedItem & { readonly status: string }

export class RosterView {
  readonly #office: Office
  readonly #at: Addresses
  readonly #caps: Element
  /** What each operator's list holds of ours, by address. */
  readonly #shown = new Map<Bare, Map<string, Shown>>()
  readonly #status = new Map<Bare, string>()
  readonly #due = new Map<Bare, Disposable>()
  readonly #last = new Map<Bare, number>()
  readonly #turns = new Map<Bare, Promise<void>>()
  #stopped = false
  #round: Disposable | undefined
  #lastRound = -Infinity
  /** Called after a push, and where nothing was to be pushed. */
  onPushed: (jid: Bare) => void = () => {}
  /** Whether an operator sees this conversation as a room instead. */
  isRoom: (jid: Bare, s: Present) => boolean = () => false

  constructor(office: Office, at: Addresses, caps: Element) {
    this.#office = office
    this.#at = at
    this.#caps = caps
  }

  /** Takes over what the lists held before the start. */
  async open(jid: Bare): Promise<void> {
    const items = await this.#office.link.privileges?.injected(jid) ?? []
    this.#shown.set(jid, new Map(items.filter(i => !i.removed && !isShared(i.jid, this.#at)).map(i => [i.jid, { jid: i.jid, groups: i.groups, subscription: i.subscription, status: '', ...(i.name === undefined ? {} : { name: i.name }) }])))
  }
  /** Resolves when no push is under way. */
  async idle(): Promise<void> { await Promise.all(this.#turns.values()) }
  stop(): void { this.#stopped = true; this.#round?.[Symbol.dispose](); for (const d of this.#due.values()) d[Symbol.dispose](); this.#due.clear() }

  /** Soon, and at most once a second. */
  touch(jid: Bare): void {
    if (this.#stopped || this.#due.has(jid)) return
    const { clock } = this.#office.link
    const last = this.#last.get(jid)
    if (last === undefined || clock.now() - last >= PAUSE) { this.#office.later(() => this.now(jid)); return }
    this.#due.set(jid, clock.alarm(last + PAUSE, () => { this.#due.delete(jid); return this.now(jid) }))
  }
  /** All of them; where they are many, not all of them again too soon. */
  touchAll(): void {
    if (this.#stopped || this.#round) return
    const { clock } = this.#office.link
    const all = this.#office.operators.all()
    const next = this.#lastRound + (all.length > MANY ? all.length * EACH : 0)
    const touch = (): void => { this.#round = undefined; this.#lastRound = clock.now(); for (const p of this.#office.operators.all()) this.touch(p.jid) }
    if (clock.now() >= next) touch()
    else this.#round = clock.alarm(next, touch)
  }

  /** At once: what follows to this operator finds its contact there. */
  now(jid: Bare): Promise<void> {
    const work = (): Promise<void> => this.#push(jid).catch((error: unknown) => this.#office.link.log.warn({ err: error, operator: jid }, 'a contact list could not be changed; the next change tries again'))
    const turn = (this.#turns.get(jid) ?? Promise.resolve()).then(work)
    this.#turns.set(jid, turn)
    return turn
  }

  /** An operator who is none any more loses our contacts. */
  async forget(jid: Bare): Promise<void> {
    const items = [...this.#shown.get(jid)?.keys() ?? []]
    this.#shown.delete(jid)
    if (items.length > 0) await this.#office.link.privileges?.withdraw(jid, items)
  }

  async #push(jid: Bare): Promise<void> {
    const { link, operators } = this.#office
    if (!operators.has(jid)) return
    this.#last.set(jid, link.clock.now())
    const old = this.#shown.get(jid) ?? new Map<string, Shown>()
    const want = this.#wanted(jid)
    const news = [...want.values()].filter(i => !same(i, old.get(i.jid)))
    const gone = [...old.keys()].filter(j => !want.has(j))
    const to = Jid.parse(jid)
    const isHere = operators.devices(jid).length > 0
    if (isHere) for (const j of gone) link.send(absence(Jid.parse(j).withResource('desk'), to))
    await Promise.all([news.length > 0 && link.privileges?.inject(jid, news.map(bare)), gone.length > 0 && link.privileges?.withdraw(jid, gone)])
    this.#shown.set(jid, want)
    if (!isHere) return
    this.onPushed(jid)
    for (const i of want.values()) if (i.jid !== this.#at.bot.bare && i.status !== old.get(i.jid)?.status) link.send(this.#presenceOf(i, to))
    const status = this.#botStatus(jid)
    if (status !== this.#status.get(jid)) { this.#status.set(jid, status); link.send(presence(this.#at.bot, to, { status, caps: this.#caps })) }
  }

  /** A device has come, or asks: the presence of everything on his list. */
  greet(jid: Bare, to: Jid, contact?: string): void {
    const { link } = this.#office
    if (contact === undefined || contact === this.#at.bot.bare) {
      const status = this.#botStatus(jid)
      this.#status.set(jid, status)
      link.send(presence(this.#at.bot, to, { status, caps: this.#caps }))
    }
    for (const i of this.#shown.get(jid)?.values() ?? []) if (i.jid !== this.#at.bot.bare && (contact === undefined || contact === i.jid)) link.send(this.#presenceOf(i, to))
  }
  #presenceOf(i: Shown, to: Jid): ReturnType<typeof presence> { return presence(Jid.parse(i.jid).withResource('desk'), to, { status: i.status, caps: this.#caps }) }

  #botStatus(jid: Bare): string {
    const { operators } = this.#office
    const queues = new Set(operators.queuesOf(jid))
    const waiting = [...queues].reduce((sum, q) => sum + this.#office.distribution.waiting(q), 0)
    const o = operators.operator(jid)
    const receives = [...queues].some(q => isReceiving(o, q)) || queues.size === 0
    return `${waiting} waiting · ${this.#office.serves(jid)} of ${capacityOf(o)} yours${receives ? '' : ' · paused'}`
  }

  #wanted(jid: Bare): Map<string, Shown> {
    const { book, operators, config } = this.#office
    const want = new Map<string, Shown>()
    const add = (at: Jid, name: string, group: string, status: string): void => { want.set(at.bare, { jid: at.bare, name, groups: [group], subscription: 'both', status }) }
    add(this.#at.bot, 'Helpdesk', 'Helpdesk', '')
    const o = operators.operator(jid)
    for (const t of this.#office.threads.shown(jid, this.#office.now)) add(this.#at.thread(t.n), short(Object.keys(t.members).filter(j => j !== jid).map(j => operators.name(j)).join(', '), 60) + (t.related ? ` · talk about ${t.related.kind === 'ticket' ? 'ticket ' : '#'}${t.related.number}` : ' · talk'), 'Colleagues', relatedText(t.related))
    for (const n of this.#office.hands.of(jid)) {
      const s = book.states.get(n)
      if (!s || s.is === 'absent' || s.is === 'closed') continue
      for (const i of s.invitations) {
        if (i.until !== undefined || (i.by !== jid && i.who !== jid)) continue
        add(this.#at.internal(n, i.id), `${operators.name(i.by === jid ? i.who : i.by)} · #${n} internal`, 'My chats', `about #${n}`)
      }
      if (this.isRoom(jid, s)) continue
      const group = this.#group(jid, s)
      if (group) add(this.#at.conversation(n), this.#name(n, s), group, this.#state(s))
    }
    const pulled = [...config.queues.keys()].filter(q => assigns(config, q) === 'pull' && isReceiving(o, q)).flatMap(q => this.#office.distribution.first(q, jid, MOST_WAITING))
    let shown = 0
    for (const { n } of pulled.sort(inLine)) {
      const s = book.states.get(n)
      if (!s || s.is === 'absent' || this.isRoom(jid, s) || want.has(this.#at.conversation(n).bare)) continue
      if (++shown > MOST_WAITING) break
      add(this.#at.conversation(n), this.#name(n, s), 'Waiting', this.#state(s))
    }
    return want
  }

  #group(jid: Bare, s: Present): string | undefined {
    if ((s.is === 'active' || s.is === 'ended') && s.owner === jid) return 'My chats'
    const role = s.crew[jid]
    if (role === 'participant') return 'My chats'
    if (role === 'observer') return 'Watching'
    return pendingOffers(s).some(p => p.to === jid) ? 'Waiting' : undefined
  }
  #name(n: number, s: Present): string { return `${short(this.#office.customerOf(s)?.name ?? 'Customer', 40)} · ${queueName(this.#office.config, s.queue)} · #${n}` }
  #state(s: Present): string {
    const gone = s.gone !== undefined ? ', customer away' : ''
    if (s.is === 'active') return `with ${this.#office.operators.name(s.owner)}${gone}`
    return isOver(s) ? 'ended' : `waiting${gone}`
  }
}

const bare = ({ jid, name, groups, subscription }: Shown): InjectedItem => ({ jid, groups, subscription, ...(name === undefined ? {} : { name }) })
const same = (a: Shown, b: Shown | undefined): boolean => b !== undefined && a.name === b.name && a.subscription === b.subscription && a.groups.join('\n') === b.groups.join('\n')
