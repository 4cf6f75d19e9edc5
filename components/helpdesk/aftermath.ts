// What a customer may still do when the talk is over: have it mailed, make a ticket of it, say how it was (OT-14, ST-58, RULE-C17; shell).
import { mark } from './acts/marks.ts'
import type { Customer } from './customers.ts'
import { stepsOf } from './entrance.ts'
import type { Present, State } from './facts.ts'
import { mailAddress } from './mail/letter.ts'
import type { Office } from './office.ts'
import { recordedOf } from './records/recorded.ts'
import { short } from './sentences.ts'
import { transcriptHtml } from './transcripts/html.ts'
import { transcriptText } from './transcripts/text.ts'

export const CHOICES = ['survey', 'mail', 'ticket'] as const
export type Choice = typeof CHOICES[number]
const OPEN = 7 * 86_400_000 // ms after the end
const TEXT = 2000 // characters of a survey

/** What is offered for it now: the survey after every end, the others to who ended it himself. */
export function choices(o: Office, s: State): readonly Choice[] {
  if ((s.is !== 'ended' && s.is !== 'closed') || s.messages === 0 || o.now - s.at > OPEN) return []
  const { survey, mailAtEnd, ticketAtEnd } = stepsOf(o.rules.now, s.queue)
  const byCustomer = s.by === 'customer'
  return CHOICES.filter(c => c === 'survey' ? survey : byCustomer && (c === 'mail' ? mailAtEnd && o.mail !== undefined : ticketAtEnd && s.filing?.ticket === undefined))
}

/** How a plain client chooses. */
export function hint(all: readonly Choice[]): string | undefined {
  const ways = all.map(c => c === 'survey' ? '“!rate 5” (1 to 5, and a word if you like) says how it was' : c === 'mail' ? '“!mail you@example.org” sends it to you' : '“!ticket” makes a ticket of it')
  return ways.length === 0 ? undefined : `If you like: ${ways.join('; ')}.`
}

/** What came of it, in words for the customer. `over`: it was chosen before, or its time is over. */
export interface Outcome { readonly ok: boolean; readonly text: string; readonly over?: boolean }

/** Carries out what a customer typed or clicked; gives the words of the answer. */
export async function choose(o: Office, customer: Customer, n: number, choice: Choice, text: string): Promise<Outcome> {
  const no = (because: string): Outcome => ({ ok: false, text: because, over: true })
  const s = await o.book.state(n)
  if (s.is === 'absent' || s.customer !== customer.id || !choices(o, s).includes(choice)) return no('That is not possible now.')
  switch (choice) {
    case 'survey': return rate(o, n, text)
    case 'mail': return mail(o, customer, n, s, text)
    case 'ticket': return ticket(o, customer, n, s)
  }
}

async function rate(o: Office, n: number, text: string): Promise<Outcome> {
  const m = /^([1-5])(?:\s+([\s\S]*))?$/.exec(text.trim())
  if (!m) return { ok: false, text: 'From 1 to 5, please.' }
  const answer = await mark(o, n, 'customer', true, 'survey', (d, e) => d.survey ? 'You have told us already.' : { ...d, survey: { ...e, rating: Number(m[1]), text: (m[2] ?? '').slice(0, TEXT) } }, 'Thank you!')
  return { ok: answer.ok, text: answer.text, over: !answer.ok }
}

async function mail(o: Office, customer: Customer, n: number, s: Present, text: string): Promise<{ ok: boolean; text: string }> {
  const to = text.trim() === '' ? customer.email : mailAddress(text.trim())
  if (to === undefined) return { ok: false, text: text.trim() === '' ? 'Please give a mail address, such as you@example.org.' : 'That is no mail address: give one such as you@example.org.' }
  const recorded = await recordedOf(o, n, s)
  const posted = await o.mail?.send({ kind: 'asked', to, subject: `Conversation #${n}`, text: transcriptText(recorded), html: transcriptHtml(recorded), key: `end-${o.domain}-${n}-${to}`, from: customer.jid })
  if (posted?.is !== 'queued') return { ok: false, text: posted?.because ?? 'That is not possible now.' }
  await o.book.give(n, { do: 'mark', by: 'customer', what: 'transcript' })
  return { ok: true, text: 'The transcript is on its way.' }
}

async function ticket(o: Office, customer: Customer, n: number, s: Present): Promise<{ ok: boolean; text: string }> {
  const known = (await o.dossiers.get(n)).items.find(i => i.kind === 'ticket' && i.by === 'customer')
  if (known) return { ok: true, text: `It is ticket ${known.ref}.` }
  const opening = (await o.lines.after(n, 0, 5)).find(l => l.by === 'customer')?.body ?? `Conversation #${n}`
  const made = await o.filing.tickets.open({ subject: short(opening), queue: s.queue, customer: customer.name }, { key: `end-${n}`, at: o.now, by: 'customer', conversation: n, body: await o.filing.text(n) })
  const answer = await mark(o, n, 'customer', true, 'item', (d, e) => ({ ...d, items: [...d.items, { ...e, kind: 'ticket', ref: String(made) }] }), `It is ticket ${made}.`)
  return { ok: answer.ok, text: answer.text }
}

/** What a plain client typed, if it is one of the choices. */
export function read(body: string): { readonly choice: Choice; readonly text: string } | undefined {
  const m = /^!(rate|mail|ticket)(?:\s+([\s\S]*))?$/i.exec(body.trim())
  const word = m?.[1]?.toLowerCase()
  return word === undefined ? undefined : { choice: word === 'rate' ? 'survey' : word === 'mail' ? 'mail' : 'ticket', text: m?.[2] ?? '' }
}
