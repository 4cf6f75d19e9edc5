// The same actions as ad-hoc commands with forms, for clients' menus (XEP-0050). Holds no session: the form brings all that is needed (shell).
import { randomUUID } from 'node:crypto'
import { el, form, readForm, refuse, StanzaError, type Element, type Iq, type Jid } from '../../server/api.ts'
import { act, type Answer } from './actions.ts'
import { situationOf } from './acts/help.ts'
import type { Place } from './addresses.ts'
import type { Field } from './command.ts'
import { COMMANDS, type CommandEntry } from './commands.ts'
import { pendingOffers, roleOf } from './conversation.ts'
import type { Bare, Present } from './facts.ts'
import { GROUPS, isPossible } from './help.ts'
import type { Office } from './office.ts'
import { NS } from './stanzas.ts'

const PREFIX = 'urn:deskbell:desk:command#'
// The session of “More…” lies in its forms: which command was chosen, and that its own form was shown.
const [CHOSEN, ASKED] = ['chosen', 'asked']

/** What stands in the menus themselves where it is possible, the daily ones first: a client such as Pidgin shows each as an entry. */
const AT_BOT = ['a', 'r', 'q', 'take', 't', 'i', 'ticket', 'end', 'close', 'mine', 'find', 'board', 'on', 'off', 'view', 'help']
const INSIDE = ['a', 'r', 'take', 't', 'i', 'ticket', 'end', 'close', 'obs', 'join', 'leave', 'who', 'n', 'c', 'reply', 'file', 'prio']
/** All the others stand behind this one, as far as they are possible now. */
const MORE = `${PREFIX}more`
const MORE_LABEL = 'More…'

const isInside = (at: Place): boolean => at.is === 'conversation' || at.is === 'internal' || at.is === 'room'
const permitted = (o: Office, who: Bare): CommandEntry[] => COMMANDS.filter(c => o.operators.may(who, c.permission))

/** The commands as disco#items of a contact: the daily ones that may come to anything now, and what leads to the others. */
export function commandItems(o: Office, who: Bare, at: Place, jid: Jid, beside: readonly Element[]): Element {
  const now = situationOf(o, who, 'n' in at ? at.n : undefined)
  const mine = permitted(o, who).filter(c => isPossible(c, now))
  const shown = (isInside(at) ? INSIDE : AT_BOT).flatMap(word => mine.find(c => c.word === word) ?? [])
  return el('query', NS.items, { node: NS.commands }, ...[...shown.map(c => [PREFIX + c.word, c.label] as const), [MORE, MORE_LABEL] as const].map(([node, name]) => el('item', NS.items, { jid: jid.full, node, name })), ...beside)
}

/** disco#info of one command; undefined if there is none of that name. */
export function commandInfo(o: Office, who: Bare, node: string): Element | undefined {
  const name = node === MORE ? MORE_LABEL : permitted(o, who).find(x => PREFIX + x.word === node)?.label
  return name === undefined ? undefined : el('query', NS.info, { node }, el('identity', NS.info, { category: 'automation', type: 'command-node', name }), el('feature', NS.info, { var: NS.commands }), el('feature', NS.info, { var: 'jabber:x:data' }))
}

/** The rest of the menu: group by group, and only what could come to anything now. */
function others(o: Office, who: Bare, at: Place): { readonly value: string; readonly label: string }[] {
  const mine = permitted(o, who)
  const now = situationOf(o, who, 'n' in at ? at.n : undefined)
  const shown = new Set([...(isInside(at) ? INSIDE : AT_BOT), ...(isInside(at) ? mine.filter(c => c.about === 'none').map(c => c.word) : [])])
  const titles = new Map(GROUPS.flatMap(g => g.words.map(w => [w, g.title] as const)))
  const order = [...titles.keys()]
  return mine.filter(c => !shown.has(c.word) && isPossible(c, now)).sort((a, b) => order.indexOf(a.word) - order.indexOf(b.word)).map(c => ({ value: c.word, label: `${titles.get(c.word) ?? 'Other'}: ${c.label}` }))
}

/** Carries a command out, or asks for what it needs first. A missing action is the default one (COMPAT: Pidgin, Psi, Profanity). */
export async function execute(o: Office, who: Bare, at: Place, iq: Iq, request: Element): Promise<Element | StanzaError> {
  const node = request.attrs['node'] ?? ''
  const filled = readForm(request.child('x', 'jabber:x:data'))
  const chosen = node === MORE ? filled?.values.get(CHOSEN)?.[0] : undefined
  const command = COMMANDS.find(c => chosen === undefined ? PREFIX + c.word === node : c.word === chosen)
  if (!command && (node !== MORE || chosen !== undefined)) return refuse('item-not-found', 'There is no such command.')
  if (!o.operators.may(who, command?.permission ?? 'chat.serve')) return refuse('forbidden', 'You may not do that.')
  const session = request.attrs['sessionid'] ?? randomUUID()
  const action = request.attrs['action']
  const answer = (status: string, ...inside: Element[]): Element => el('command', NS.commands, { node, sessionid: session, status }, ...inside)
  if (action === 'cancel') return answer('canceled')
  if (action !== undefined && !['execute', 'next', 'complete'].includes(action)) return refuse('bad-request', 'There is no such action.')
  if (filled?.type === 'cancel') return answer('canceled')
  const asks = (how: 'next' | 'complete', title: string, instructions: string, fields: readonly FormField[]): Element =>
    answer('executing', el('actions', NS.commands, { execute: how }, el(how, NS.commands)), form({ type: 'form', title, instructions, fields }))
  if (!command) {
    const rest = others(o, who, at)
    return asks('next', MORE_LABEL, 'What shall be done?', [{ var: CHOSEN, type: 'list-single', label: 'Command', required: true, options: rest, value: rest[0]?.value ?? '' }])
  }
  const here = 'n' in at ? at.n : undefined
  const fields = [...conversationField(o, who, command, here), ...command.fields.map(f => asField(o, who, f, command))]
  const isAsked = chosen === undefined ? filled?.type === 'submit' : filled?.values.get(ASKED) !== undefined
  if (fields.length > 0 && !isAsked) {
    return asks('complete', command.label, `${command.help.slice(0, 1).toUpperCase()}${command.help.slice(1)}.`, [...fields, ...(chosen === undefined ? [] : [CHOSEN, ASKED].map(v => ({ var: v, type: 'hidden' as const, value: chosen })))])
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

/** Words that name one of a list, which a form shows where it is no longer than this. */
const LISTED = 100
const CHOSEN_FROM: Readonly<Record<string, (o: Office) => readonly { readonly value: string; readonly label: string }[]>> = {
  macro: o => Object.entries(o.rules.now.macros).map(([value, m]) => ({ value, label: m.title })),
  article: o => o.knowledge.articles.all.map(a => ({ value: a.id, label: a.title })),
  hook: o => (o.records.hooks?.hooks.list() ?? []).map(h => ({ value: h.id, label: h.url })),
}

function asField(o: Office, who: Bare, f: Field, c: CommandEntry): FormField {
  const base = { var: f.name, label: f.label, ...(f.required ? { required: true } : {}) }
  const people = o.operators.all().filter(p => p.jid !== who && (f.kind !== 'target' || o.operators.queuesOf(p.jid).length > 0)).map(p => ({ label: o.operators.name(p.jid), value: p.jid }))
  const queues = [...o.config.queues.keys()]
  const optional = f.required ? [] : [{ label: '', value: '' }]
  switch (f.kind) {
    case 'target': return { ...base, type: 'list-single', options: [...people, ...queues.map(q => ({ label: `group:${q}`, value: `group:${q}` })), ...Object.keys(o.rules.now.departments).map(d => ({ label: `department:${d}`, value: `department:${d}` }))] }
    case 'operator': return { ...base, type: 'list-single', options: [...optional, ...people] }
    case 'queue': return { ...base, type: 'list-single', options: [...optional, ...queues.map(q => ({ label: q, value: q }))] }
    case 'choice': return { ...base, type: 'list-single', options: f.choices ?? [], value: f.choices?.[0] ?? '' }
    case 'text': return { ...base, type: c.lines ? 'text-multi' : 'text-single' }
    case 'word': {
      const chosen = CHOSEN_FROM[f.name]?.(o) ?? []
      return chosen.length === 0 || chosen.length > LISTED ? { ...base, type: 'text-single' } : { ...base, type: 'list-single', options: [...optional, ...chosen] }
    }
    case 'number': return { ...base, type: 'text-single' }
  }
}
