// XEP-0313: keeps every user's conversations, each message once, and lets him search them.
import { randomBytes } from 'node:crypto'
import { ARCHIVE_FEATURES, archived, archivedAs, ArchiveIds, archiveText, findPage, metadata, NS_MAM, queryForm, readAsk, stanzaId } from '../protocols/archive.ts'
import { isWorthKeeping } from '../protocols/keeping.ts'
import { note, plugin, refuse, Stanza, StanzaError, type AnyStanza, type Passage } from '../server/api.ts'

const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'
const NS_INVITE = 'jabber:x:conference'
const DAY = 86_400_000 // ms
const SPANS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY, w: 7 * DAY, y: 365 * DAY }

const swept = note<number>('archive swept', 0) // on an account: ms since 1970

/** XEP-0313 Message Archive Management; `keep` (ms, or `365d`) tells for how long. */
export const mam = plugin('mam', (host, options) => {
  host.accountFeature(...ARCHIVE_FEATURES)
  const { archive } = host.stores
  const keep = span(options['keep']) ?? host.limits.mam.keep
  const ids = new ArchiveIds(() => randomBytes(6).toString('hex'))
  const times = new WeakMap<Passage, number>()

  function name(p: Passage): string {
    const { id, at } = ids.next(host.clock.now())
    p.set(archivedAs, id)
    times.set(p, at)
    return id
  }
  /** The row's commit delays the sender's acknowledgement and nothing else. */
  function write(p: Passage, id: string, other: string | undefined): void {
    const { account } = p
    const owner = account.jid.bare
    const at = times.get(p)! // name() has set it
    p.hold(archive.append({ owner, id, at, with: other ?? owner, stanza: archiveText(p.stanza) }))
    if (!Number.isFinite(keep) || at - account.get(swept) < DAY) return
    account.set(swept, at)
    archive.expire(owner, at - keep).catch((error: unknown) => host.bug(error))
  }

  // The recipient's: the message is shown with its id.
  host.on('in:mark', p => {
    if (!isKept(p.stanza) || willBounce(p)) return
    return p.stanza.with(stanzaId(p.account.jid, name(p))) as AnyStanza // a message stays one
  })
  host.on('in:archive', p => {
    const id = p.get(archivedAs)
    if (id === undefined) return
    write(p, id, p.stanza.from?.full)
    p.kept = true
  })
  // The sender's; not with an id in it, which is no business of the recipient. What he writes to himself is kept where it arrives.
  host.on('out:archive', p => {
    if (isKept(p.stanza) && p.stanza.to?.bare !== p.account.jid.bare) write(p, name(p), p.stanza.to?.full)
  })

  host.iq(['self'], 'get', NS_MAM, 'query', queryForm)
  host.iq(['self'], 'get', NS_MAM, 'metadata', (_, { account }) => account ? metadata(archive, account.jid.bare) : refuse('forbidden'))
  host.iq(['self'], 'set', NS_MAM, 'query', async (query, { account, device }) => {
    if (!account || !device) return refuse('forbidden')
    const ask = readAsk(query, host.limits.mam.page)
    if (ask instanceof StanzaError) return ask
    const due = host.clock.now() - keep // what is older is gone, though it may not have been cleared away yet
    const start = Math.max(ask.start ?? -Infinity, due)
    const page = await findPage(archive, account.jid.bare, Number.isFinite(start) ? { ...ask, start } : ask)
    if (page instanceof StanzaError) return page
    for (const row of page.rows) device.deliver(Stanza.of('message', { type: 'normal', from: account.jid, to: device.jid }, [archived(row, ask.queryId)]))
    return page.fin
  })
  host.iq(['other'], 'get', NS_MAM, '*', () => refuse('forbidden')) // section 9
  host.iq(['other'], 'set', NS_MAM, '*', () => refuse('forbidden'))
})

/** Groupchat is the room's to keep; an invitation read again in the archive opens dialogs for rooms long gone. */
function isKept(s: AnyStanza): boolean {
  if (s.kind !== 'message' || s.type === 'groupchat' || !isWorthKeeping(s)) return false
  return s.child('x', NS_INVITE) === undefined && s.child('x', NS_MUC_USER)?.child('invite') === undefined
}

/** What is given back is not kept: a message other than chat to a device that is not there (RFC 6121 section 8.5.3.2.1). */
const willBounce = ({ stanza, account }: Passage): boolean => stanza.type === 'normal' && stanza.to !== undefined && !stanza.to.isBare && !account.resources.has(stanza.to.resource)

/** ms; undefined: not given. Throws where it is no span. */
function span(given: unknown): number | undefined {
  if (given === undefined) return undefined
  if (typeof given === 'number' && given >= 0) return given
  if (given === 'unlimited') return Infinity
  const [, n, unit] = /^(\d+)([mhdwy])$/.exec(String(given)) ?? []
  if (n === undefined || unit === undefined) throw new Error(`mam: keep: ${String(given)} is no span of time; write 365d`)
  return Number(n) * SPANS[unit]! // the expression names the units
}
