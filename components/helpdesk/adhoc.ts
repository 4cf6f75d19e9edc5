// The same actions as ad-hoc commands with forms, for clients' menus (XEP-0050). Holds no session: the form brings all that is needed (shell).
import { randomUUID } from 'node:crypto'
import { el, form, readForm, refuse, StanzaError, type Element, type Iq, type Jid } from '../../server/api.ts'
import { act, type Answer } from './actions.ts'
import type { Place } from './addresses.ts'
import type { Field } from './command.ts'
import { COMMANDS, type CommandEntry } from './commands.ts'
import { pendingOffers, roleOf } from './conversation.ts'
import type { Bare, Present } from './facts.ts'
import type { Office } from './office.ts'
import { NS } from './stanzas.ts'

const PREFIX = 'urn:deskbell:desk:command#'

/** The commands that stand in the menu of this contact for this operator. */
function offered(o: Office, who: Bare, at: Place): CommandEntry[] {
  const inside = at.is === 'conversation' || at.is === 'internal' || at.is === 'room'
  return COMMANDS.filter(c => o.operators.may(who, c.permission) && (!inside || c.about !== 'none'))
}

/** The commands as disco#items of a contact. */
export const commandItems = (o: Office, who: Bare, at: Place, jid: Jid): Element =>
  el('query', NS.items, { node: NS.commands }, ...offered(o, who, at).map(c => el('item', NS.items, { jid: jid.full, node: PREFIX + c.word, name: c.label })))

/** disco#info of one command; undefined if there is none of that name. */
export function commandInfo(o: Office, who: Bare, at: Place, node: string): Element | undefined {
  const c = offered(o, who, at).find(x => PREFIX + x.word === node)
  return c && el('query', NS.info, { node }, el('identity', NS.info, { category: 'automation', type: 'command-node', name: c.label }), el('feature', NS.info, { var: NS.commands }), el('feature', NS.info, { var: 'jabber:x:data' }))
}

/** Carries a command out, or asks for what it needs first. A missing action is the default one (COMPAT: Pidgin, Psi, Profanity). */
export async function execute(o: Office, who: Bare, at: Place, iq: Iq, request: Element): Promise<Element | StanzaError> {
  const node = request.attrs['node'] ?? ''
  const command = COMMANDS.find(c => PREFIX + c.word === node)
  if (!command) return refuse('item-not-found', 'There is no such command.')
  if (!o.operators.may(who, command.permission)) return refuse('forbidden', 'You may not do that.')
  const session = request.attrs['sessionid'] ?? randomUUID()
  const action = request.attrs['action']
  const answer = (status: string, ...inside: Element[]): Element => el('command', NS.commands, { node, sessionid: session, status }, ...inside)
  if (action === 'cancel') return answer('canceled')
  if (action !== undefined && !['execute', 'next', 'complete'].includes(action)) return refuse('bad-request', 'There is no such action.')
  const here = 'n' in at ? at.n : undefined
  const fields = [...conversationField(o, who, command, here), ...command.fields.map(f => asField(o, who, f, command))]
  const filled = readForm(request.child('x', 'jabber:x:data'))
  if (filled?.type === 'cancel') return answer('canceled')
  if (fields.length > 0 && filled?.type !== 'submit') {
    return answer('executing', el('actions', NS.commands, { execute: 'complete' }, el('complete', NS.commands)), form({ type: 'form', title: command.label, instructions: `${command.help}.`, fields }))
  }
  const value = (name: string): string | undefined => { const v = filled?.values.get(name)?.join('\n').trim(); return v === '' ? undefined : v }
  const missing = command.fields.find(f => f.required && value(f.name) === undefined)
  if (missing) return refuse('bad-request', `${missing.label}: this is needed.`)
  const n = value('conversation')
  const args = Object.fromEntries(command.fields.flatMap(f => { const v = value(f.name); return v === undefined ? [] : [[f.name, v] as const] }))
  const done: Answer = await act(o, command, { by: who, n: n === undefined || !/^\d{1,9}$/.test(n) ? undefined : Number(n), here, args, id: iq.head.id })
  const text = done.text || 'Done.'
  return answer('completed', el('note', NS.commands, { type: done.ok ? 'info' : 'error' }, text),
    form({ type: 'result', title: command.label, fields: [{ var: 'result', type: 'text-multi', label: 'Result', value: text }] }))
}

type FormField = NonNullable<Parameters<typeof form>[0]['fields']>[number]

/** Outside a conversation, which one is meant is a question where several fit. */
function conversationField(o: Office, who: Bare, c: CommandEntry, here: number | undefined): FormField[] {
  if (here !== undefined || c.about === 'none') return []
  const fits = (s: Present): boolean => c.about === 'pending' ? pendingOffers(s).some(p => p.to === who)
    : c.about === 'open' ? roleOf(s, who) !== undefined
    : roleOf(s, who) !== undefined || s.invitations.some(i => i.who === who) || (c.handler === 'take' && o.eligible(s).includes(who)) || o.operators.may(who, 'chat.view.others')
  const all = [...o.book.states].flatMap(([n, s]) => s.is !== 'absent' && fits(s) ? [{ value: String(n), label: `#${n} ${o.customerOf(s)?.name ?? ''}` }] : [])
  return all.length < 2 ? [] : [{ var: 'conversation', type: 'list-single', label: 'Conversation', options: all, value: all[0]?.value ?? '' }]
}

function asField(o: Office, who: Bare, f: Field, c: CommandEntry): FormField {
  const base = { var: f.name, label: f.label, ...(f.required ? { required: true } : {}) }
  const people = o.operators.all().filter(p => p.jid !== who).map(p => ({ label: o.operators.name(p.jid), value: p.jid }))
  const queues = [...o.config.queues.keys()]
  const optional = f.required ? [] : [{ label: '', value: '' }]
  switch (f.kind) {
    case 'target': return { ...base, type: 'list-single', options: [...people, ...queues.map(q => ({ label: `group:${q}`, value: `group:${q}` }))] }
    case 'operator': return { ...base, type: 'list-single', options: [...optional, ...people] }
    case 'queue': return { ...base, type: 'list-single', options: [...optional, ...queues.map(q => ({ label: q, value: q }))] }
    case 'choice': return { ...base, type: 'list-single', options: f.choices ?? [], value: f.choices?.[0] ?? '' }
    case 'text': return { ...base, type: c.lines ? 'text-multi' : 'text-single' }
    case 'number': case 'word': return { ...base, type: 'text-single' }
  }
}
