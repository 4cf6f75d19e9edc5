// Where a message or iq to an account goes: the table of RFC 6121 section 8.5.4.
import { refuse } from '../stanza/errors.ts'
import { HANDLED, type Verdict } from '../route/way.ts'
import type { Passage } from '../route/passage.ts'
import type { Account, Resource } from '../session/account.ts'
import type { Jid } from '../stanza/jid.ts'

/** Whether `account` shares its presence with `other`: roster from or both, its own devices, or directed presence of `device`, absent: of any. */
export interface Sharing { sharesPresence(account: Account, other: Jid, device?: Resource): boolean }

/** Gives a message to the devices it is for; HANDLED where nobody shall miss it, else what found no device goes on to `in:missed`. */
export function deliverMessage(p: Passage, sharing: Sharing): Verdict {
  const { stanza, account } = p
  const to = stanza.to
  const named = to && !to.isBare ? account.resources.get(to.resource) : undefined
  if (named) { p.give(named); return }
  const type = stanza.type
  if (to && !to.isBare && type !== 'chat') { // section 8.5.3.2.1: only chat falls back to the bare JID
    if (type === 'error') return HANDLED
    // Section 8.1: an error shows that the device is not there, so strangers get none. A room does: it is to let its occupant go.
    const maySee = type === 'groupchat' || (stanza.from !== undefined && sharing.sharesPresence(account, stanza.from))
    return maySee ? refuse('service-unavailable') : HANDLED
  }
  switch (type) {
    case 'groupchat': return refuse('service-unavailable')
    case 'error': return HANDLED
    case 'headline':
      for (const r of account.available) if (r.priority! >= 0) p.give(r) // available says it is a number
      return p.delivered.length ? undefined : HANDLED
    default:
      for (const r of account.best) p.give(r)
  }
}

/** Answers `result` and `error` go to the named device; a get or set only to one that shares its presence with the asker. */
export function deliverIq(p: Passage, sharing: Sharing): Verdict {
  const { stanza, account } = p
  const device = stanza.to && account.resources.get(stanza.to.resource)
  if (stanza.type === 'result' || stanza.type === 'error') { if (device) p.give(device); return }
  if (!device || !stanza.from || !sharing.sharesPresence(account, stanza.from, device)) return refuse('service-unavailable') // section 8.5.3.1, RFC 6120 section 13.10.2
  p.give(device)
}
