// Messages left while nobody is there: kept, and mailed to the operators who were chosen for them (OM-20, OM-21, ST-23) (shell).
import { randomUUID } from 'node:crypto'
import type { Bare } from '../facts.ts'
import { departmentsOf } from '../entrance.ts'
import type { Ground } from '../ground.ts'
import { mailAddress } from '../mail/letter.ts'
import { short } from '../sentences.ts'

export interface Left { readonly name: string; readonly email: string; readonly body: string; readonly queue: string; readonly page?: string | undefined; readonly visitor: string; readonly address?: string | undefined; readonly id?: string | undefined }
export interface KeptMessage extends Left { readonly at: number; readonly to: readonly Bare[] }

type Chosen = Pick<Ground, 'rules' | 'operators'>
type Keeps = Pick<Ground, 'link' | 'domain'>
const COLLECTION = 'desk-left'
const PAGE = 200

/** Who gets the messages left for a queue: those of its department, else those of the desk. */
export function readersOf(o: Chosen, queue: string): readonly Bare[] {
  const own = departmentsOf(o.rules.now, queue).flatMap(d => d.offline)
  return [...new Set(own.length > 0 ? own : o.rules.now.offline.operators)].filter(j => o.operators.has(j))
}

/** Where an operator gets mail: the address in his record. */
export const mailOf = (o: Pick<Ground, 'operators'>, jid: Bare): string | undefined => mailAddress(o.operators.record(jid).email ?? '')

/** Whether a message can be left at all: somebody was chosen who can be reached. */
export const takesMessages = (o: Chosen & Pick<Ground, 'mail'>, queue: string): boolean => o.mail !== undefined && readersOf(o, queue).some(j => mailOf(o, j) !== undefined)

/** Keeps the message and mails it; words for people if something is wrong with it. The same `id` of the same visitor is kept once. */
export async function leave(o: Chosen & Keeps & Pick<Ground, 'now' | 'mail'>, l: Left): Promise<undefined | { readonly wrong: string }> {
  if (mailAddress(l.email) === undefined) return { wrong: 'Please give a mail address to which we can answer.' }
  const to = readersOf(o, l.queue)
  const key = `${o.now}-${l.id === undefined ? randomUUID() : `${l.visitor} ${l.id}`}`
  const { documents } = o.link.stores
  if (l.id !== undefined && await documents.get(COLLECTION, o.domain, `sent ${l.visitor} ${l.id}`)) return undefined
  await documents.put<KeptMessage>(COLLECTION, o.domain, key, { ...l, at: o.now, to })
  if (l.id !== undefined) await documents.put(COLLECTION, o.domain, `sent ${l.visitor} ${l.id}`, o.now)
  for (const jid of to) {
    const address = mailOf(o, jid)
    if (address === undefined) { o.link.log.warn({ operator: jid }, 'an off-line message cannot be mailed: this operator has no mail address'); continue }
    const posted = await o.mail?.send({
      kind: 'notice', to: address, subject: `Message from ${short(l.name, 60).replace(/[\p{Cc}]/gu, ' ')}`, replyTo: l.email, key: `left-${key}-${jid}`.slice(0, 200),
      text: `${l.name} <${l.email}> left a message while nobody was there.${l.page === undefined ? '' : `\nPage: ${l.page}`}\n\n${l.body}\n`,
    })
    if (posted?.is === 'refused') o.link.log.warn({ operator: jid, because: posted.because }, 'an off-line message could not be mailed')
  }
  return undefined
}

/** Whether this customer left it: under the same address, or with the same mail address. */
export const isLeftBy = (c: { readonly jid: string; readonly email?: string }) => (m: KeptMessage): boolean => m.visitor === c.jid || (c.email !== undefined && m.email.toLowerCase() === c.email.toLowerCase())

/** The messages that fit, for their copy. */
export async function leftBy(o: Keeps, fits: (m: KeptMessage) => boolean): Promise<KeptMessage[]> {
  const found: KeptMessage[] = []
  await forgetLeft(o, m => { if (fits(m)) found.push(m); return false }, false)
  return found
}

/** Counts the messages that fit, and erases them if so told. */
export async function forgetLeft(o: Keeps, fits: (m: KeptMessage) => boolean, remove = true): Promise<number> {
  const { documents } = o.link.stores
  let gone = 0
  for (let after: string | undefined; ;) {
    const page = await documents.range<KeptMessage | number>(COLLECTION, o.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
    for (const { id, value } of page) {
      if (typeof value === 'number' || !fits(value)) continue
      gone++
      if (!remove) continue
      await documents.remove(COLLECTION, o.domain, id)
      if (value.id !== undefined) await documents.remove(COLLECTION, o.domain, `sent ${value.visitor} ${value.id}`)
    }
    after = page.at(-1)?.id
    if (page.length < PAGE) return gone
  }
}
