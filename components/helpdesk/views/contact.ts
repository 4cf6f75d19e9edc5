// The contact view: a conversation is a 1:1 contact, the same for every operator in it (shell).
import { Jid, type Link } from '../../../server/api.ts'
import type { Addresses } from '../addresses.ts'
import type { Bare, Present } from '../facts.ts'
import { oobOf } from '../files/links.ts'
import type { Line } from '../lines.ts'
import { markable } from '../reading.ts'
import { MARK } from '../sentences.ts'
import { chat, typing } from '../stanzas.ts'

/** How one operator is shown one conversation: as a contact or as a room. */
export interface Window {
  /** Before the first word of a conversation that becomes his. */
  opens(n: number, s: Present, to: Bare): void | Promise<void>
  /** A line of somebody else; `late` = it was said before he could see it. */
  line(n: number, to: Bare, line: Line, late: boolean): void
  /** The desk's own words to him alone. */
  notice(n: number, to: Bare, text: string): void
  typing(n: number, to: Bare, state: string): void
}

export class ContactWindow implements Window {
  readonly #link: Link
  readonly #at: Addresses
  constructor(link: Link, at: Addresses) { this.#link = link; this.#at = at }

  opens(): void {}
  line(n: number, to: Bare, l: Line, late: boolean): void {
    const from = l.chat === undefined ? this.#at.conversation(n) : this.#at.internal(n, l.chat)
    this.#link.send(chat(from, Jid.parse(to), labelled(l), { id: `c${n}-${l.seq}`, delayed: late ? l.at : undefined, more: [...(l.by === 'customer' ? [markable()] : []), ...oobOf(l)] }))
  }
  notice(n: number, to: Bare, text: string): void { this.#link.send(chat(this.#at.conversation(n), Jid.parse(to), MARK + text)) }
  typing(n: number, to: Bare, state: string): void { this.#link.send(typing(this.#at.conversation(n), Jid.parse(to), state)) }
}

/** A line as an operator reads it in a plain client: the customer's unchanged, others' with who and how. */
export function labelled(l: Line): string {
  if (l.by === 'customer' || l.chat !== undefined) return l.body
  if (l.by === 'desk') return MARK + l.body
  return `${l.name}${l.as === 'coaching' ? ' (coaching)' : l.as === 'internal' ? ' (note)' : ''}: ${l.body}`
}
