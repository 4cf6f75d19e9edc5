// An operator's own affairs as they come: how he stands, what he is asked, what the bot tells him, his talks with colleagues (shell).
import { time } from '../api/door.ts'
import type { Commit } from '../book.ts'
import { queueName } from '../config.ts'
import type { Bare, State } from '../facts.ts'
import type { Told } from '../notices.ts'
import type { Office } from '../office.ts'
import { People } from '../people.ts'
import { pendingOffers } from '../states.ts'
import type { Thread } from '../threads.ts'
import { written, type Feed } from './feed.ts'
import type { Source } from './live.ts'

/** A question that waits for an operator's answer: a customer, a transfer, an invitation. */
export interface Asked {
  readonly id: string
  readonly number: number
  readonly kind: 'customer' | 'transfer' | 'invitation'
  readonly queue: string
  readonly queueName: string
  readonly customer: string
  readonly by: Bare | null
  readonly byName: string | null
  readonly until: string | null
}

/** What this conversation asks now, and whom. */
export function questions(o: Office, n: number, s: State): readonly { readonly to: Bare; readonly asked: Asked }[] {
  if (s.is === 'absent') return []
  return pendingOffers(s).filter(p => p.until > o.now).map(p => ({ to: p.to, asked: {
    id: p.id, number: n, kind: s.is === 'offered' && s.offer.id === p.id ? 'customer' : s.is === 'active' && s.transfer?.id === p.id ? 'transfer' : 'invitation',
    queue: s.queue, queueName: queueName(o.config, s.queue), customer: o.customerOf(s)?.name ?? 'Customer', by: p.by ?? null, byName: p.by === undefined ? null : o.operators.name(p.by), until: time(p.until),
  } }))
}
const askedIn = (o: Office, who: Bare, n: number, s: State): readonly Asked[] => questions(o, n, s).flatMap(q => q.to === who ? [q.asked] : [])
export const askedOf = (o: Office, who: Bare): readonly Asked[] => [...o.hands.of(who)].sort((a, b) => a - b).flatMap(n => askedIn(o, who, n, o.book.states.get(n) ?? { is: 'absent' }))

export class OwnSource implements Source {
  readonly #o: Office
  readonly #who: Bare
  readonly #feed: Feed
  /** By the id of the question: the conversation it is about. */
  readonly #asked = new Map<string, number>()
  readonly #people: People
  /** How he stands, as he was told. */
  #card = ''
  constructor(o: Office, who: Bare, feed: Feed) { this.#o = o; this.#who = who; this.#feed = feed; this.#people = new People(o) }

  /** How he stands, and all that waits for an answer. What was told meanwhile is not told again. */
  first(): readonly string[] {
    const all = askedOf(this.#o, this.#who)
    for (const a of all) this.#asked.set(a.id, a.number)
    const card = this.#people.card(this.#who)
    this.#card = JSON.stringify(card)
    return [written('reset', {}), written('me', card), ...all.map(a => written('asked', a)), written('ready', { total: all.length })]
  }

  commit({ n, after }: Commit): void {
    const now = askedIn(this.#o, this.#who, n, after)
    for (const [id, number] of [...this.#asked]) if (number === n && !now.some(a => a.id === id)) { this.#asked.delete(id); this.#feed.send('over', { id, number }) }
    for (const a of now) if (!this.#asked.has(a.id)) { this.#asked.set(a.id, n); this.#feed.send('asked', a) }
  }
  told({ to, text, urgent }: Told): void { if (to === this.#who) this.#feed.send('told', { text, urgent }) }
  talk(t: Thread): void {
    const standing = t.members[this.#who]
    if (standing !== undefined) this.#feed.send('talk', { number: t.n, standing, lines: t.lines, last: time(t.last), lastBy: t.lastBy })
  }
  settings(): void { this.#feed.send('settings', { version: this.#o.rules.version }) }
  agent(jid: Bare): void {
    if (jid !== this.#who || !this.#o.operators.has(jid)) return
    const card = this.#people.card(jid)
    const text = JSON.stringify(card)
    if (text === this.#card) return
    this.#card = text
    this.#feed.send('me', card)
  }
  look(): void {
    if (this.#o.operators.may(this.#who, 'chat.serve')) this.agent(this.#who)
    else this.#feed.end('forbidden')
  }
}
