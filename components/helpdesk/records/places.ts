// Where a person may be found besides their conversations: archives and waiting messages of whoever served them, talks and rooms of agents, tickets of no conversation, off-line messages, mails, traces (shell).
import { everyDocument, Jid, parseFrame, XmlError } from '../../../server/api.ts'
import { Addresses } from '../addresses.ts'
import type { Bare } from '../facts.ts'
import type { Ground } from '../ground.ts'
import type { Presented } from '../identity/presented.ts'
import type { Bans } from '../intake/bans.ts'
import { forgetLeft, isLeftBy } from '../intake/offline.ts'
import type { Letter } from '../mail/letter.ts'
import type { StandingRooms } from '../standing-rooms.ts'
import { ERASED, type Thread, type ThreadLine } from '../threads.ts'
import type { Tickets } from '../tickets/port.ts'
import { isNamed, type Person } from './person.ts'

type Under = Pick<Ground, 'book' | 'operators' | 'threads' | 'config' | 'link' | 'domain' | 'mail' | 'storage'>
interface Beside { readonly bans: () => Pick<Bans, 'of' | 'remove'>; readonly presented: Pick<Presented, 'of'>; readonly rooms: () => Pick<StandingRooms, 'all' | 'takeBack'>; readonly tickets: Pick<Tickets, 'about'> }
const PAGE = 500
const EXPORTS = 'desk-exports'
const IDEMPOTENT = 'desk-idempotency'
const WATCHERS = 'desk-watchers'
const LEFT_COUNT = 'desk-left-count'

/** Counts what there is of the person, and removes it if so told. */
export type Place = (p: Person, remove: boolean) => Promise<number>

/** By the name under which it is counted. */
export function places(o: Under, beside: Beside): Readonly<Record<'files' | 'archived' | 'waiting' | 'talks' | 'rooms' | 'tickets' | 'messages' | 'mails' | 'traces', Place>> {
  const { archive, offline, documents } = o.link.stores
  const at = new Addresses(o.domain, queue => o.config.queues.has(queue))

  /** Operators of today, and everybody whom a log or a talk names: who was one. */
  async function readers(p: Person): Promise<ReadonlySet<Bare>> {
    const all = new Set<Bare>([p.customer.jid, ...o.operators.all().map(x => x.jid)])
    for (const n of p.numbers) for (const e of await o.book.history(n)) for (const v of Object.values(e)) if (typeof v === 'string' && v.includes('@')) all.add(v)
    for (const { t } of talksOf(p)) for (const jid of Object.keys(t.members)) all.add(jid)
    return all
  }
  /** The customer's own account on this server; who has become an operator since has others' words there, too. */
  const isOwn = (p: Person, reader: Bare): boolean => reader === p.customer.jid && !o.operators.has(reader)
  const talksOf = (p: Person): { readonly t: Thread; readonly whole: boolean }[] => o.threads.all().map(t => ({ t, whole: t.related?.kind === 'conversation' && p.numbers.has(t.related.number) }))

  /** Whether what `reader` has from or to this address of the desk is about the person. */
  function isTheirs(p: Person, reader: Bare, peer: Jid, words: string): boolean {
    if (peer.domain !== o.domain) return false
    if (isOwn(p, reader)) return true
    const place = at.read(peer)
    switch (place.is) {
      case 'conversation': case 'internal': case 'room': case 'talk': return p.numbers.has(place.n)
      case 'thread': { const t = o.threads.get(place.thread); return (t?.related?.kind === 'conversation' && p.numbers.has(t.related.number)) || isNamed(p, words, t?.related?.kind === 'conversation' ? t.related.number : undefined) }
      default: return isNamed(p, words)
    }
  }

  const archived: Place = async (p, remove) => {
    let found = 0
    const talks = talksOf(p)
    const histories = await Promise.all([...p.numbers].map(async n => ({ n, history: await o.book.history(n) })))
    const begun = Math.min(...histories.flatMap(({ history }) => history[0]?.at ?? []))
    const own = histories.flatMap(({ n, history }) => [at.conversation(n), at.talk(n), ...p.names.map(name => at.room(n, name)), ...history.flatMap(e => e.type === 'invited' ? [at.internal(n, e.id)] : [])])
    for (const reader of await readers(p)) {
      const peers = isOwn(p, reader) ? [at.bot, ...own, ...[...o.config.queues.keys()].map(q => at.queue(q))] : [at.bot, ...own, ...talks.filter(x => x.t.members[reader] !== undefined).map(x => at.thread(x.t.n))]
      for (const peer of peers) {
        for (let afterId: string | undefined; ;) {
          const { rows, complete } = await archive.query({ owner: reader, with: peer.bare, limit: PAGE, ...(Number.isFinite(begun) && peer === at.bot ? { start: begun } : {}), ...(afterId === undefined ? {} : { afterId }) })
          const mine = rows.filter(r => isTheirs(p, reader, peer, wordsOf(r.stanza).text)).map(r => r.id)
          found += mine.length
          if (remove && mine.length > 0) await archive.remove(reader, mine)
          afterId = rows.at(-1)?.id
          if (complete) break
        }
      }
    }
    return found
  }

  const waiting: Place = async (p, remove) => {
    let found = 0
    for (const reader of await readers(p)) {
      const mine = (await offline.list(reader)).filter(row => { const { from, text } = wordsOf(row.stanza); return from !== undefined && isTheirs(p, reader, from, text) }).map(row => row.id)
      found += mine.length
      if (remove && mine.length > 0) await offline.remove(reader, mine)
    }
    return found
  }

  const talks: Place = async (p, remove) => {
    let found = 0
    for (const { t, whole } of talksOf(p)) {
      const about = t.related?.kind === 'conversation' ? t.related.number : undefined
      const mine: ThreadLine[] = (await o.threads.everything(t.n)).filter(l => l.body !== ERASED && (whole || isNamed(p, l.body, about)))
      found += mine.length
      if (remove) for (const l of mine) await o.threads.blank(t.n, l)
    }
    return found
  }

  /** What agents said in the desk's rooms; a room service that cannot be asked loses the lines from its archive. */
  const rooms: Place = async (p, remove) => {
    let found = 0
    for (const room of beside.rooms().all) {
      for (let afterId: string | undefined; ;) {
        const { rows, complete } = await archive.query({ owner: room.jid, limit: PAGE, ...(afterId === undefined ? {} : { afterId }) })
        const mine = rows.filter(r => isNamed(p, wordsOf(r.stanza).text)).map(r => r.id)
        found += mine.length
        if (remove && mine.length > 0) {
          await beside.rooms().takeBack(room, mine)
          const kept = (await archive.query({ owner: room.jid, ids: mine, limit: mine.length })).rows.filter(r => isNamed(p, wordsOf(r.stanza).text)).map(r => r.id)
          if (kept.length > 0) await archive.remove(room.jid, kept)
        }
        afterId = rows.at(-1)?.id
        if (complete) break
      }
    }
    return found
  }

  const tickets: Place = (p, remove) => beside.tickets.about((text, about) => isNamed(p, text, about), remove)

  const messages: Place = (p, remove) => forgetLeft(o, isLeftBy(p.customer), remove)

  const mails: Place = async (p, remove) => {
    const { jid } = p.customer
    const isTheirs = (l: Letter): boolean => [l.to, l.replyTo].some(a => a !== undefined && p.emails.includes(a.toLowerCase())) || l.from === jid || isNamed(p, `${l.subject}\n${l.text}`)
    const found = o.mail?.waiting(isTheirs).length ?? 0
    if (remove) {
      await o.mail?.erase(isTheirs)
      for (const email of p.emails) await o.mail?.forget(email)
      await o.mail?.forget(undefined, jid)
    }
    return found
  }

  const traces: Place = async (p, remove) => {
    const { id, jid } = p.customer
    let found = 0
    const clear = async <T>(collection: string, owner: string, fits: (value: T, key: string) => boolean): Promise<void> => {
      for await (const d of everyDocument<T>(documents, collection, owner)) if (fits(d.value, d.id)) { found++; if (remove) await documents.remove(collection, owner, d.id) }
    }
    await clear<{ id?: string; n?: number }>(EXPORTS, o.domain, v => v.id === id || (v.n !== undefined && p.numbers.has(v.n)))
    await clear<unknown>(IDEMPOTENT, o.domain, v => { const text = JSON.stringify(v); return [id, jid, ...p.emails].some(x => text.includes(x)) })
    await clear<unknown>(LEFT_COUNT, o.domain, (_, key) => key === jid)
    for (const q of o.config.queues.keys()) await clear<unknown>(WATCHERS, `${o.domain}/${q}`, (_, key) => key === jid)
    for (const ban of beside.bans().of(jid)) { found++; if (remove) await beside.bans().remove(ban) }
    found += await beside.presented.of(jid, remove)
    return found
  }

  const files: Place = async ({ customer }, remove) => await (remove ? o.storage?.remove([], customer.jid) : o.storage?.count(customer.jid)) ?? 0

  return { files, archived, waiting, talks, rooms, tickets, messages, mails, traces }
}

/** What a kept stanza says, and who sent it. */
function wordsOf(stanza: string): { readonly from: Jid | undefined; readonly text: string } {
  try {
    const e = parseFrame(stanza)
    return { from: Jid.tryParse(e.attrs['from'] ?? ''), text: e.elements.filter(x => x.name === 'body' || x.name === 'subject').map(x => x.text).join('\n') }
  } catch (error) {
    if (error instanceof XmlError) return { from: undefined, text: stanza }
    throw error
  }
}
