// Who has read what (XEP-0333): markers carried between customer and agents, each with the id that its reader knows (shell).
import { el, Jid, Stanza, type Element, type Message } from '../../server/api.ts'
import type { Addresses } from './addresses.ts'
import type { Bare, Present } from './facts.ts'
import type { Line } from './lines.ts'
import type { Office } from './office.ts'
import { noStore } from './stanzas.ts'
import { mayWrite, roleOf } from './states.ts'
import { operatorsIn } from './policy.ts'

const MARKERS = 'urn:xmpp:chat-markers:0'
/** Asks the reader's client to tell when it was read. */
export const markable = (): Element => el('markable', MARKERS)
/** The id that a message says was read. */
export const displayed = (m: Message): string | undefined => m.child('displayed', MARKERS)?.attrs['id']

const marker = (from: Jid, to: string, id: string): Message => Stanza.of('message', { type: 'chat', from, to: Jid.parse(to) }, [el('displayed', MARKERS, { id }), noStore()])

/** A plain client of the customer has shown our line. */
export async function readByCustomer(o: Office, at: Addresses, n: number, s: Present, id: string): Promise<void> {
  const m = /^s(\d+)-(\d+)$/.exec(id)
  if (Number(m?.[1]) !== n) return
  const line = await find(o, n, s, l => l.shown === Number(m?.[2]))
  if (!line) return
  const seq = Math.max(o.readUpTo.get(n) ?? 0, line.seq)
  o.readUpTo.set(n, seq)
  for (const f of o.onSign) f(n, { is: 'read', seq })
  for (const jid of operatorsIn(s)) o.link.send(marker(at.conversation(n), jid, line.by === jid && line.id !== undefined ? line.id : `c${n}-${line.seq}`))
}

/** The number of the line of this conversation that an operator's client says was read. */
export const seqRead = (m: Message, n: number): number | undefined => { const [, c, seq] = /^c(\d+)-(\d+)$/.exec(displayed(m) ?? '') ?? []; return Number(c) === n ? Number(seq) : undefined }

/** A client of somebody who writes to the customer has shown the customer's line. */
export async function readByOperator(o: Office, at: Addresses, n: number, by: Bare, seq: number): Promise<void> {
  const s = o.book.states.get(n)
  if (!s || s.is === 'absent' || !mayWrite(s, by) || roleOf(s, by) === 'observer') return
  const line = await find(o, n, s, l => l.seq === seq)
  const customer = o.customerOf(s)
  if (line?.by === 'customer' && line.id !== undefined && customer) o.link.send(marker(customer.bridged ? at.conversation(n) : at.queue(customer.contact !== undefined && o.hasQueue(customer.contact) ? customer.contact : s.queue), customer.jid, line.id))
}

const find = async (o: Office, n: number, s: Present, is: (l: Line) => boolean): Promise<Line | undefined> => (await o.lines.after(n, Math.max(0, s.lines - 200), 200)).find(l => l.seq <= s.lines && is(l))
