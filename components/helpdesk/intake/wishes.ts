// Whom a customer is to be offered to first, and how urgent: what the card says, what the site has signed, who served last. Pure.

import type { DeskSettings } from '../../../schemas/desk-settings.ts'
import type { Customer } from '../customers.ts'
import { PRIORITIES, type Bare, type Priority } from '../facts.ts'
import { match, type Named } from '../words.ts'

/** What is asked of the desk: its people and its settings. */
interface Around {
  readonly rules: { readonly now: Pick<DeskSettings, 'distribution'> }
  readonly operators: { has(jid: Bare): boolean; all(): readonly Named[]; name(jid: Bare): string }
}

/** Signed claims that are read here; what a customer fills in himself never counts. */
export const CLAIMS = { manager: 'manager', priority: 'priority' } as const

/** The card wins over the site; who is no operator is nobody. */
export function wishesOf(o: Around, c: Customer): { readonly preferred: readonly Bare[]; readonly priority: Priority | undefined } {
  const { accountManager, lastAgent } = o.rules.now.distribution
  const wanted = [accountManager ? managerOf(o, c) : undefined, lastAgent ? c.agent : undefined]
  return { preferred: [...new Set(wanted.filter(w => w !== undefined && o.operators.has(w)))] as Bare[], priority: priorityOf(c) } // what is undefined was left out
}

/** How urgent this customer is: by the card, else by the site's signed claim. */
export const priorityOf = (c: Customer): Priority | undefined => c.priority ?? PRIORITIES.find(p => p === c.claims?.[CLAIMS.priority]?.toLowerCase())

/** The customer's account manager: by the card, else by the site's signed claim (an address, a localpart or a shown name). */
export function managerOf(o: Around, c: Customer): Bare | undefined {
  if (c.manager !== undefined && o.operators.has(c.manager)) return c.manager
  const claimed = c.claims?.[CLAIMS.manager]
  if (claimed === undefined) return undefined
  const found = match(claimed, o.operators.all().map(p => ({ jid: p.jid, name: o.operators.name(p.jid) })))
  return found.is === 'one' ? found.it.jid : undefined
}
