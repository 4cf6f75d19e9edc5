// The archive of a conversation's room (XEP-0313), read from the conversation's lines: nothing is kept twice (shell).
import { el, finder, refuse, resultOf, Stanza, StanzaError, type ArchiveRow, type Iq, type Jid, type Link, type Message } from '../../../server/api.ts'
import { archived, archiveText, findPage, metadata, queryForm, readAsk, type ReadableArchive } from '../../../protocols/archive.ts'
import { oobOf } from '../files/links.ts'
import type { Line } from '../lines.ts'

/** Commands, the desk's own bookkeeping and internal chats have windows of their own. */
export const isShown = (l: Line): boolean => l.chat === undefined && l.as !== 'command' && l.as !== 'system'

/** A line's id in the archive; sorts as the lines do. */
export const archiveId = (l: Line): string => String(l.seq).padStart(10, '0')

/** A line as the room says it. */
export const lineOf = (n: number, l: Line, from: Jid, text: string): Message =>
  Stanza.of('message', { type: 'groupchat', from, id: `c${n}-${l.seq}` }, [el('body', 'jabber:client', {}, text), ...oobOf(l)])

/** Answers an iq of the archive's namespace from these lines, oldest first. */
export async function answerArchive(link: Link, room: Jid, iq: Iq, said: readonly (readonly [Line, Message])[]): Promise<void | StanzaError> {
  const query = iq.payload[0]
  const archive = asArchive(said.map(([l, m]) => ({ owner: room.bare, id: archiveId(l), at: l.at, with: m.from?.full ?? '', stanza: archiveText(m) })))
  if (query?.name === 'metadata') return link.send(resultOf(iq, await metadata(archive, room.bare)))
  if (query?.name !== 'query') return refuse('service-unavailable') // a room has no preferences
  if (iq.type === 'get') return link.send(resultOf(iq, queryForm()))
  const ask = readAsk(query, link.limits.mam.page)
  if (ask instanceof StanzaError) return ask
  const page = await findPage(archive, room.bare, ask)
  if (page instanceof StanzaError) return page
  for (const row of page.rows) link.send(Stanza.of('message', { type: 'normal', from: room, to: iq.from }, [archived(row, ask.queryId)]))
  link.send(resultOf(iq, page.fin))
}

type Filter = Parameters<ReadableArchive['count']>[0]

/** Rows in memory, asked as the store is asked. */
function asArchive(rows: readonly ArchiveRow[]): ReadableArchive {
  const fits = (q: Filter) => (r: ArchiveRow): boolean =>
    (q.with === undefined || r.with === q.with || r.with.startsWith(`${q.with}/`))
    && (q.start === undefined || r.at >= q.start) && (q.end === undefined || r.at <= q.end)
    && (q.ids === undefined || q.ids.includes(r.id))
  return {
    query: async q => {
      const says = q.text === undefined ? undefined : finder(q.text)
      const found = rows.filter(fits(q)).filter(r => (says === undefined || says(r.stanza)) && (q.afterId === undefined || r.id > q.afterId) && (q.beforeId === undefined || r.id < q.beforeId))
      return { rows: q.limit === 0 ? [] : q.last === true ? found.slice(-q.limit) : found.slice(0, q.limit), complete: found.length <= q.limit }
    },
    count: async q => rows.filter(fits(q)).length,
    has: async (_owner, id) => rows.some(r => r.id === id),
    ends: async () => ({ ...(rows[0] && { first: rows[0] }), ...(rows.at(-1) && { last: rows.at(-1)! }) }),
  }
}
