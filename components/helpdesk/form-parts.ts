// The pieces of which the forms for admins are made.
import type { AdHocCommand, Outcome, Question, Stage } from '../../protocols/commands.ts'
import type { Field, FormValues, Jid } from '../../server/api.ts'
import type { Office } from './office.ts'
import type { Permission } from './permissions.ts'
import type { Changed } from './settings/rulebook.ts'

const ADMIN = 'urn:deskbell:desk:admin#'
export const isAdminNode = (node: string | undefined): node is string => node?.startsWith(ADMIN) === true

export const command = (o: Office, node: string, name: string, needs: Permission, start: (who: Jid) => Stage | Promise<Stage>): AdHocCommand =>
  ({ node: ADMIN + node, name, may: who => o.operators.may(who.bare, needs), start })
export const ask = (title: string, fields: readonly Field[], submit: Question['submit'], instructions?: string, more = false): Question =>
  ({ form: { type: 'form', title, ...(instructions === undefined ? {} : { instructions }), fields }, more, submit })
export const said = (note: string, kind: Outcome['kind'] = 'info'): Outcome => ({ note, kind })
export const one = (v: FormValues, name: string): string | undefined => { const t = v.values.get(name)?.join('\n'); return t === undefined || t.trim() === '' ? undefined : t }

/** The outcome of a change in words. */
export function told(outcome: Changed, done: string): Outcome {
  switch (outcome.is) {
    case 'done': return said(done)
    case 'conflict': return said('Somebody else has changed the settings meanwhile. Nothing is saved; please look again.', 'error')
    case 'wrong': case 'refused': return said(`Not saved. ${outcome.faults.map(f => `${f.pointer.slice(1).replaceAll('/', ' ')}: ${f.because}.`).join(' ')}`, 'error')
  }
}
