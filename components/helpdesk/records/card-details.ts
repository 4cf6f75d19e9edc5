// What may be set on a customer's card, and whether it is well-formed. Pure.
import { PRIORITIES, type Bare, type Priority } from '../facts.ts'
import { zoneExists } from '../hours/zone.ts'
import { mailAddress } from '../mail/letter.ts'
import { NOTHING_KNOWN, type Details } from './card.ts'

/** Characters of one value. */
export const LONGEST = 2000

/** What was given, by where it is kept: the card, its custom fields, the record itself (null = none). */
export interface Given { readonly details: Partial<Details>; readonly fields: Readonly<Record<string, string>>; readonly record: Partial<Record<'email' | 'manager' | 'priority', string | null>> }

/** Reads what comes from outside, value by value; or says what is wrong with it. */
export function readDetails(given: Readonly<Record<string, unknown>> | undefined, isField: (name: string) => boolean, isOperator: (jid: Bare) => boolean): Given | { readonly wrong: string } {
  const details: Record<string, unknown> = {}
  const fields: Record<string, string> = {}
  const record: { email?: string | null; manager?: Bare | null; priority?: Priority | null } = {}
  for (const [k, v] of Object.entries(given ?? {})) {
    if (k === 'email') {
      const address = v === null ? null : typeof v === 'string' ? mailAddress(v.trim()) : undefined
      if (address === undefined) return { wrong: 'email: a plain mail address, or null.' }
      record.email = address
    } else if (k === 'manager') {
      if (v !== null && (typeof v !== 'string' || !isOperator(v))) return { wrong: 'manager: the bare JID of an operator, or null.' }
      record.manager = v
    } else if (k === 'priority') {
      const priority = v === null ? null : PRIORITIES.find(p => p === v)
      if (priority === undefined) return { wrong: `priority: one of ${PRIORITIES.join(', ')}, or null.` }
      record.priority = priority
    } else if (k === 'timeZone') {
      if (v !== null && (typeof v !== 'string' || !zoneExists(v))) return { wrong: 'timeZone: an IANA time zone such as Europe/Berlin, or null.' }
      details[k] = v
    } else if (k === 'fields') {
      for (const [name, value] of Object.entries(typeof v === 'object' && v !== null ? v : {})) {
        if (!isField(name) || typeof value !== 'string' || value.length > LONGEST) return { wrong: `fields: ${name} is no custom field, or its value no text.` }
        fields[name] = value
      }
    } else if (k === 'phones') {
      if (!Array.isArray(v) || v.length > 20 || !v.every(p => typeof p === 'string' && p.length <= 100)) return { wrong: 'phones: a list of texts.' }
      details[k] = v
    } else if (k === 'avatarApproved' || k === 'subscribed') {
      if (v !== null && typeof v !== 'boolean') return { wrong: `${k}: true, false or null.` }
      details[k] = v
    } else if (Object.hasOwn(NOTHING_KNOWN, k)) {
      if (v !== null && (typeof v !== 'string' || v.length > LONGEST)) return { wrong: `${k}: a text, or null.` }
      details[k] = v
    } else return { wrong: `${k}: is nothing that can be changed.` }
  }
  return { details: details as Partial<Details>, fields, record } // each was looked at
}
