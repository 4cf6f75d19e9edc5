// XEP-0424: what somebody takes back is taken out of the archives of both, where a tombstone stays.
import { archivedAs, archiveText } from '../protocols/archive.ts'
import { isRetractable, NS_RETRACT, NS_TOMBSTONE, retracted, retracts, tombstone } from '../protocols/retraction.ts'
import { CONTENT, el, parseFrame, plugin, readStanza, refuse, Unreadable, type Element, type Host, type Jid, type Message } from '../server/api.ts'

const PAGE = 20 // rows that hold the id, in whatever place: who fills an archive with such finds no further ones
const MOST = 100 // that are looked for at a time for one author: each look may read a whole archive
const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'

/** XEP-0424 Message Retraction in the archives of accounts. The archive (XEP-0313) keeps the retraction itself. */
export const retraction = plugin('retraction', host => {
  if (!host.installed.includes('mam')) return
  host.feature(NS_RETRACT)
  host.accountFeature(NS_RETRACT, NS_TOMBSTONE)
  const looks = new Map<string, number>() // under way, by bare JID
  const look = async (author: Jid, work: Promise<void>): Promise<void> => {
    const { bare } = author
    looks.set(bare, (looks.get(bare) ?? 0) + 1)
    try { await work } catch (error) { host.bug(error) }
    const left = looks.get(bare)! - 1 // it is in there
    if (left > 0) looks.set(bare, left)
    else looks.delete(bare)
  }
  for (const stage of ['out:admit', 'in:admit'] as const) {
    host.on(stage, ({ stanza, sender }) => {
      if (looks.size === 0 || (stage === 'in:admit' && sender)) return // a sender of ours was asked on his way out
      const under = stanza.from === undefined ? undefined : looks.get(stanza.from.bare)
      return under !== undefined && under >= MOST && retracts(stanza) !== undefined ? refuse('resource-constraint', 'Wait until what you took back before is gone.') : undefined
    })
  }
  for (const stage of ['out:archive', 'in:archive'] as const) {
    host.on(stage, p => {
      const id = retracts(p.stanza)
      if (id === undefined) return
      const { stanza: { from, to }, account } = p
      const kept = p.get(archivedAs)
      const other = stage === 'out:archive' ? to : from
      if (kept === undefined || !other || !from) return // what is not kept does nothing
      const mark = retracted(p.stanza.head.id, host.clock.now())
      p.hold(look(from, entomb(host, account.jid.bare, { id, before: kept, other, author: from, mark })))
    })
  }
})

/** The message `id` that `author` wrote, in the talk with `other`, older than the one of the archive's id `before`. */
interface Wanted { readonly id: string; readonly before: string; readonly other: Jid; readonly author: Jid; readonly mark: Element }

/** Puts a tombstone in the place of a message, if it is there. */
async function entomb(host: Host, owner: string, { id, before, other, author, mark }: Wanted): Promise<void> {
  const { archive } = host.stores
  const { rows } = await archive.query({ owner, with: other.bare, holds: inArchive(id), limit: PAGE, last: true, beforeId: before })
  for (const row of rows.toReversed()) {
    const original = readStanza(parseFrame(row.stanza))
    if (original instanceof Unreadable || original.kind !== 'message' || original.head.id !== id || !isRetractable(original) || !isBySame(original, author)) continue
    await archive.replace(owner, row.id, archiveText(tombstone(original, mark)))
    return
  }
}

/** Section 5: the same account; where it is a room that speaks for its occupants, the same occupant. */
const isBySame = (m: Message, author: Jid): boolean =>
  m.child('x', NS_MUC_USER) ? m.from?.full === author.full : m.from?.bare === author.bare

/** An id as it stands in what is kept. */
const inArchive = (id: string): string => el('message', CONTENT, { id }).write(CONTENT).slice('<message'.length, -'/>'.length)
