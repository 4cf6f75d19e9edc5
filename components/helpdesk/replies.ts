// Canned replies in a conversation: found by what was typed, with the names of these two put in (shell).
import { cannedIn, cannedList, expand, type Canned } from './canned.ts'
import type { Bare } from './facts.ts'
import type { Office } from './office.ts'

const MOST = 100 // in a list

/** What a typed line asks for: text to send, or to show to who typed it; undefined: it is another line. */
export function cannedHere(o: Office, by: Bare, n: number | undefined, body: string): { is: 'send' | 'show'; text: string } | undefined {
  const found = cannedIn(body, replies(o, by, n))
  if (!found) return undefined
  return found.is === 'refused' ? { is: 'show', text: found.because } : { is: found.is === 'send' ? 'send' : 'show', text: filled(o, by, n, found.canned) }
}

/** The text of one reply as the customer would read it. */
export function filled(o: Office, by: Bare, n: number | undefined, c: Canned): string {
  const s = n === undefined ? undefined : o.book.states.get(n)
  return expand(c.text, { visitor: (s && o.customerOf(s)?.name) ?? '%VISITOR%', operator: o.operators.name(by) })
}

/** The replies an operator has there, by short-cut. */
export function replies(o: Office, by: Bare, n: number | undefined): ReadonlyMap<string, Canned> {
  const s = n === undefined ? undefined : o.book.states.get(n)
  return o.canned.for(by, s && s.is !== 'absent' ? s.queue : undefined)
}

/** For `!canned`: one a line, by group. */
export function repliesList(o: Office, by: Bare, n: number | undefined, terms: string): string {
  const all = cannedList(replies(o, by, n).values(), terms)
  if (all.length === 0) return terms === '' ? 'There are no canned replies.' : 'No canned reply has these words.'
  return all.slice(0, MOST).map(c => `${c.group === undefined ? '' : `${c.group} · `}${c.shortcut}: ${c.title}`).join('\n')
}
