// A talk that an agent asks for: until the customer accepts, nothing of it is a chat (RULE-C1, OT-10 to OT-13). Pure.

import { Refused, type Command, type Event, type Present } from './facts.ts'
import { mayWrite } from './states.ts'

/** What a command brings about while the customer has not accepted yet; undefined: the same as always. */
export function underProposal(s: Present, c: Command): readonly Event[] | Refused | undefined {
  if (c.do === 'propose') return new Refused('The conversation is open already.')
  if (s.is !== 'active' || !s.proposal) return c.do === 'answer' || c.do === 'lapse proposal' ? [] : undefined
  const over = (why: 'declined' | 'lapsed' | 'revoked', by: string): readonly Event[] => [{ type: 'proposal passed', at: c.now, why }, { type: 'closed', at: c.now, by }]
  const wait = new Refused('The customer has not accepted yet.')
  switch (c.do) {
    case 'answer': return c.yes ? [{ type: 'proposal accepted', at: c.now }] : over('declined', 'customer')
    case 'lapse proposal': return c.now >= s.proposal.until ? over('lapsed', 'desk') : []
    case 'say':
      if (c.by === 'customer') return [{ type: 'proposal accepted', at: c.now }, { type: 'said', at: c.now, seq: 0, by: 'customer', as: 'public' }] // numbered on the way out
      return c.as === 'public' && c.by !== 'desk' ? new Refused('Not sent: the customer has not accepted yet.') : undefined
    case 'end': case 'close':
      if (c.by === 'customer') return over('declined', 'customer')
      return c.by === 'desk' || c.force === true || mayWrite(s, c.by) ? over('revoked', c.by) : undefined
    case 'hand off': case 'silence': return over('revoked', 'desk')
    case 'remove operator': return c.who === s.owner ? over('revoked', 'desk') : undefined
    case 'take': return c.by === s.owner ? undefined : wait
    case 'transfer': case 'requeue': case 'invite': case 'observe': case 'join': case 'file': case 'hold': case 'move': return wait
    default: return undefined
  }
}

/** The events of a new conversation that an agent asks a customer for. */
export const proposed = (c: Extract<Command, { do: 'propose' }>): readonly Event[] => [
  { type: 'opened', at: c.now, queue: c.queue, customer: c.customer, by: c.by },
  { type: 'proposed', at: c.now, by: c.by, seat: c.seat, until: c.until },
]
