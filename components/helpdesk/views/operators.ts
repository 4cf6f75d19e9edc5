// What operators are told: lines, notices, offers and the briefing, each in the window that the operator has chosen (shell).
import { Jid } from '../../../server/api.ts'
import type { Addresses } from '../addresses.ts'
import { isReceiving } from '../availability.ts'
import type { Commit } from '../book.ts'
import { assigns, queueName } from '../config.ts'
import { isQueued, roleOf } from '../conversation.ts'
import type { Bare, Event, Present, State } from '../facts.ts'
import type { Line } from '../lines.ts'
import type { View } from '../ground.ts'
import { managerOf } from '../intake/wishes.ts'
import type { Office } from '../office.ts'
import { follow, operatorsIn, type Effect, type Notice } from '../policy.ts'
import { header, MARK, sentence } from '../sentences.ts'
import { chat } from '../stanzas.ts'
import type { Window } from './contact.ts'
import type { RosterView } from './rosters.ts'

/** How far a conversation's lines have been handed to their readers: what a crash left over is handed over after it. */
interface Delivered { readonly seq: number; readonly briefed: readonly Bare[] }
const COLLECTION = 'desk-delivered'

export class OperatorView implements View {
  readonly #office: Office
  readonly #at: Addresses
  readonly #rosters: RosterView
  readonly #briefed = new Map<number, Set<Bare>>()
  /** The window in which he has this conversation. */
  window: (jid: Bare, s: Present) => Window
  /** Where there are rooms: what all in a conversation's room hear, and who is in it. */
  rooms: { spread(n: number, s: Present, l: Line): void; sync(n: number, s: State): void } | undefined

  constructor(office: Office, at: Addresses, rosters: RosterView, contact: Window) {
    this.#office = office
    this.#at = at
    this.#rosters = rosters
    this.window = () => contact
    office.brief = async (n, jid) => { const s = office.book.states.get(n); if (s && s.is !== 'absent') await this.#brief(n, s, jid, true) }
  }

  async onCommit({ n, before, after, events, lines }: Commit): Promise<void> {
    for (const step of events) {
      if (step.event.type === 'said') {
        const { seq } = step.event
        const line = lines.find(l => l.seq === seq)
        if (line && step.after.is !== 'absent') this.#spread(n, step.after, line, step.event)
      }
      for (const effect of follow(step.event, step.before, step.after)) await this.#do(n, step.after, effect, lines)
    }
    if (after.is !== 'absent' && (lines.length > 0 || events.some(e => e.event.type !== 'said'))) this.#mark(n, after)
    this.rooms?.sync(n, after)
    this.#touch(before, after)
  }

  /** The same for all that a crash cut off: lines nobody was given yet. */
  async resume(): Promise<void> {
    const { book, link } = this.#office
    for (const [n, s] of [...book.states]) {
      if (s.is === 'absent') continue
      const known = (await link.stores.documents.get<Delivered>(COLLECTION, this.#office.domain, String(n)))?.value ?? { seq: 0, briefed: [] }
      this.#briefed.set(n, new Set(known.briefed))
      for (const line of known.seq < s.lines ? await book.lines.after(n, known.seq, 1000) : []) {
        if (line.seq <= s.lines) this.#spread(n, s, line, undefined, jid => known.briefed.includes(jid), true)
      }
      for (const jid of operatorsIn(s)) if (!known.briefed.includes(jid)) await this.#brief(n, s, jid)
      this.#mark(n, s)
    }
  }

  #mark(n: number, s: Present): void {
    const { documents } = this.#office.link.stores
    if (s.is === 'closed') { this.#briefed.delete(n); this.#office.later(() => documents.remove(COLLECTION, this.#office.domain, String(n))); return }
    const here = new Set(operatorsIn(s))
    const briefed = [...this.#briefed.get(n) ?? []].filter(j => here.has(j))
    this.#briefed.set(n, new Set(briefed))
    void documents.put(COLLECTION, this.#office.domain, String(n), { seq: s.lines, briefed } satisfies Delivered).catch((error: unknown) => this.#office.link.log.warn({ err: error, conversation: n }, 'how far a conversation was delivered could not be kept'))
  }

  /** Gives a line to every operator who may see it and did not write it. */
  #spread(n: number, s: Present, l: Line, e?: Extract<Event, { type: 'said' }>, only: (jid: Bare) => boolean = () => true, late = false): void {
    if (l.as === 'command' || l.as === 'system' || (l.by === 'desk' && e?.line !== undefined)) return // of these they hear as notices
    if (!late) this.rooms?.spread(n, s, l)
    const readers = l.chat === undefined ? operatorsIn(s) : s.invitations.filter(i => i.id === l.chat).flatMap(i => [i.by, i.who])
    for (const jid of readers) if (jid !== l.by && only(jid)) this.window(jid, s).line(n, jid, l, late)
  }

  async #do(n: number, s: State, e: Effect, lines: readonly Line[]): Promise<void> {
    if (s.is === 'absent') return
    switch (e.do) {
      case 'dispatch': case 'file': return // the office sees to it
      case 'announce': return this.#announce(n, s)
      case 'brief': return this.#brief(n, s, e.who)
      case 'tell': {
        const opening = e.what.is === 'offer' ? await this.#opening(n) : e.what.is === 'transfer' ? lines.find(l => l.as === 'internal')?.body ?? '' : ''
        const text = sentence(e.what, this.#office.scene(n, s, opening))
        if (e.what.is === 'internal chat') {
          const hint = s.crew[e.to] === 'invited' ? ' !obs to watch the conversation, !join to take part.' : ''
          await this.#rosters.now(e.to)
          this.#office.link.send(chat(this.#at.internal(n, e.what.chat), Jid.parse(e.to), MARK + text + hint))
        } else if (e.bot) this.bot(e.to, text, e.what.is !== 'offer' && e.what.is !== 'transfer' && e.what.is !== 'invitation' && e.what.is !== 'offer over')
        else this.window(e.to, s).notice(n, e.to, text)
      }
    }
  }

  /** A message of the bot. What is stale in a minute is not kept. */
  bot(to: Bare, text: string, keep = true): void { this.#office.notices.tell(to, text, { keep }) }

  /** What waits for an answer, once more: in the words of the first time. */
  async remind(n: number, s: Present, to: Bare, what: Extract<Notice, { is: 'offer' | 'transfer' | 'invitation' }>): Promise<void> {
    const comment = what.is === 'transfer' && s.is === 'active' && s.transfer?.id === what.id ? s.transfer.comment : undefined
    const said = comment === undefined ? '' : (await this.#office.lines.after(n, comment - 1, 1))[0]?.body ?? ''
    this.bot(to, sentence(what, this.#office.scene(n, s, what.is === 'offer' ? await this.#opening(n) : said)), false)
  }

  async #opening(n: number): Promise<string> { return (await this.#office.lines.after(n, 0, 5)).find(l => l.by === 'customer')?.body ?? '' }

  /** ST-22: everybody who could take it hears that somebody waits. */
  async #announce(n: number, s: Present): Promise<void> {
    const { operators } = this.#office
    if (s.is !== 'waiting' || assigns(this.#office.config, s.queue) !== 'pull') return
    const opening = await this.#opening(n)
    const { customer } = this.#office.scene(n, s)
    const known = this.#office.customerOf(s)
    const manager = known && this.#office.rules.now.distribution.accountManager ? managerOf(this.#office, known) : undefined
    for (const jid of this.#office.eligible(s)) {
      if (isReceiving(operators.operator(jid), s.queue)) this.bot(jid, `#${n} ${customer} waits${jid === manager ? ' for you, the account manager' : ''}, ${queueName(this.#office.config, s.queue)}${opening ? `: “${this.#office.scene(n, s, opening).opening}”` : ''} — !take ${n} takes it`, false)
    }
  }

  /** All that one who comes into a conversation needs: who it is, and what was said. */
  async #brief(n: number, s: Present, jid: Bare, asked = false): Promise<void> {
    const role = roleOf(s, jid)
    if (role === undefined) return
    await this.#rosters.now(jid)
    if (!asked && this.#office.operators.record(jid).announce === 'quiet') { this.bot(jid, `#${n} (${this.#office.customerOf(s)?.name ?? 'Customer'}) stands in your list; !open ${n} shows it.`, false); return }
    if (asked) this.#briefed.get(n)?.delete(jid)
    const customer = this.#office.customerOf(s)
    const w = this.window(jid, s)
    await w.opens(n, s, jid)
    if (this.#briefed.get(n)?.has(jid) === true) { w.notice(n, jid, sentence({ is: 'yours' }, this.#office.scene(n, s))); return }
    const others = [...(s.is === 'active' && s.owner !== jid ? [s.owner] : []), ...Object.keys(s.crew).filter(j => j !== jid && s.crew[j] !== 'invited')]
    const waited = isQueued(s) ? this.#office.now - s.place.since : s.waited ?? 0
    w.notice(n, jid, header(this.#office.scene(n, s), { waited, page: customer?.page, address: customer?.jid ?? '?', role, crew: others.map(o => this.#office.operators.name(o)), asked: s.is === 'active' && s.proposal !== undefined }))
    for (const l of await this.#office.lines.all(n, s.lines)) if (l.as !== 'command' && l.chat === undefined) w.line(n, jid, l, true)
    if (this.#office.rules.now.conversation.userComment) for (const comment of await this.#office.records.card.comments(s.customer)) w.notice(n, jid, `Comment of ${this.#office.operators.name(comment.by)}: ${comment.text}`)
    let briefed = this.#briefed.get(n)
    if (!briefed) this.#briefed.set(n, briefed = new Set())
    briefed.add(jid)
  }

  #touch(before: State, after: State): void {
    const all = new Set<Bare>()
    for (const s of [before, after]) {
      if (s.is === 'absent') continue
      for (const j of operatorsIn(s)) all.add(j)
      for (const i of s.invitations) { all.add(i.by); all.add(i.who) }
      if (s.is === 'offered') all.add(s.offer.to)
      if (s.is === 'active' && s.transfer) all.add(s.transfer.to)
    }
    for (const j of all) this.#rosters.touch(j)
    // Who waits where agents pull stands in their lists; elsewhere they read how many wait.
    const isShown = (s: State): boolean => isQueued(s) && assigns(this.#office.config, s.queue) === 'pull'
    if (isShown(before) || isShown(after) || (isQueued(before) && isQueued(after) && before.queue !== after.queue)) this.#rosters.touchAll()
  }
}
