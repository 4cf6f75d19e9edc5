// What noting something at a conversation does, for all ways in (shell).
import { randomUUID } from 'node:crypto'
import { asked, isAnswer, label, meant, mine, no, owned, queueOf, refused, told, yes, type Act, type Answer, type Call } from '../answers.ts'
import { actorOf, happened } from '../chronicle.ts'
import type { MarkHandler } from '../commands-marks.ts'
import { queueName } from '../config.ts'
import { isClosed, noQueue } from './handing-on.ts'
import { entry, MOST, type Dossier, type Entry } from '../dossier.ts'
import { PRIORITIES, Refused, type Mark, type Who } from '../facts.ts'
import type { Office } from '../office.ts'
import { short } from '../sentences.ts'
import { momentOf } from '../spans.ts'
import { queueMeant } from '../words.ts'

const TEXT = 4000 // characters
const ANY = 'You are in no conversation; give a number.'

const here = (o: Office, c: Call): number | Answer => meant(o, c, s => mine(c.by)(s) || owned(c.by)(s), ANY)
/** Managers and up may note at any. */
const force = (o: Office, c: Call, n: number): boolean => o.operators.may(c.by, 'chat.act.others', queueOf(o, n))
const arg = (c: Call, name: string): string => (c.args[name] ?? '').trim()
const number = (c: Call, name: string): number => Number(arg(c, name).replace('#', ''))

/** Keeps a mark in the log and what it says in the dossier. `change` gives the new dossier, or why not. */
export async function mark(o: Office, n: number, by: Who, may: boolean, what: Mark, change: (d: Dossier, e: Entry) => Dossier | string, done: string | ((e: Entry) => string), id?: string): Promise<Answer> {
  const e = entry(by, o.now)
  const outcome = await o.dossiers.edit<Answer>(n, async d => {
    const dossier = change(d, e)
    if (typeof dossier === 'string') return no(dossier)
    const kept = await o.book.give(n, { do: 'mark', by, what, id: id ?? e.id, force: may })
    return kept instanceof Refused ? refused(o, kept) : { dossier }
  })
  return outcome ?? yes(typeof done === 'string' ? done : done(e), n)
}
const added = <K extends 'tasks' | 'times' | 'items' | 'calls' | 'files' | 'resolutions'>(d: Dossier, list: K, x: Dossier[K][number]): Dossier | string =>
  d[list].length >= MOST ? `There are ${MOST} already.` : { ...d, [list]: [...d[list], x] }

async function note(o: Office, c: Call, what: Mark, change: (d: Dossier, e: Entry) => Dossier | string, done: string | ((e: Entry) => string), id?: string): Promise<Answer> {
  const n = here(o, c)
  if (isAnswer(n)) return n
  if (Object.values(c.args).some(v => v.length > TEXT)) return no(`At most ${TEXT} characters, please.`)
  return mark(o, n, c.by, force(o, c, n), what, change, done, id)
}

export const MARK_ACTS: Readonly<Record<Exclude<MarkHandler, 'event' | 'macro'>, Act>> = {
  async resolution(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const text = arg(c, 'text')
    const said = await o.book.give(n, { do: 'say', by: c.by, as: 'internal', force: force(o, c, n) || (await o.book.state(n) as { owners?: readonly string[] }).owners?.includes(c.by) === true }, { body: `Resolution: ${text}`, name: o.operators.name(c.by), id: c.id })
    if (said instanceof Refused) return refused(o, said)
    return note(o, { ...c, n }, 'resolution', (d, e) => added(d, 'resolutions', { ...e, text }), 'The resolution is kept.')
  },
  subject: (o, c) => note(o, c, 'subject', d => { const { subject: _, ...rest } = d; return arg(c, 'text') === '' ? rest : { ...rest, subject: short(arg(c, 'text'), 250) } }, arg(c, 'text') === '' ? 'It has no subject any more.' : `Subject: ${short(arg(c, 'text'), 250)}`),
  label(o, c) {
    const away = arg(c, 'label').startsWith('-')
    const name = short(arg(c, 'label').replace(/^-/, ''), 40).toLowerCase()
    if (name === '') return no('A label needs a name.')
    return note(o, c, 'label', d => {
      const others = d.labels.filter(l => l !== name)
      if (away) return others.length < d.labels.length ? { ...d, labels: others } : `It has no label ${name}.`
      return others.length >= 50 ? 'There are 50 labels already.' : { ...d, labels: [...others, name].sort() }
    }, away ? `Label ${name} is taken away.` : `Label: ${name}.`, away ? 'off' : 'on')
  },
  async priority(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const priority = PRIORITIES.find(p => p === arg(c, 'priority').toLowerCase()) ?? 'normal'
    return told(o, n, await o.book.give(n, { do: 'prioritise', by: c.by, priority, force: force(o, c, n) }), `#${n}${label(o, n)}: priority ${priority}.`)
  },
  async followUp(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const when = arg(c, 'when')
    const due = when.toLowerCase() === 'off' ? undefined : momentOf(when, o.now)
    if (due === undefined && when.toLowerCase() !== 'off') return no('When? Give a span (30m, 2h, 3d) or a date to come (2026-12-24T10:00Z), or off.')
    return told(o, n, await o.book.give(n, { do: 'follow up', by: c.by, due, force: force(o, c, n) }), due === undefined ? 'No follow-up.' : `Follow-up on ${new Date(due).toISOString().slice(0, 16).replace('T', ' ')} UTC.`)
  },
  pin: (o, c) => {
    const on = arg(c, 'to').toLowerCase() !== 'off'
    return note(o, c, 'pin', d => ({ ...d, pinned: [...d.pinned.filter(p => p !== c.by), ...(on ? [c.by] : [])] }), on ? 'Pinned.' : 'No longer pinned.', on ? 'on' : 'off')
  },
  async hold(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const minutes = arg(c, 'minutes') === '' ? undefined : number(c, 'minutes')
    if (minutes !== undefined && (minutes < 1 || minutes > 527_040)) return no('From 1 minute to a year, please.')
    return told(o, n, await o.book.give(n, { do: 'hold', by: c.by, until: minutes === undefined ? undefined : o.now + minutes * 60_000, force: force(o, c, n) }), `#${n}${label(o, n)} is put aside ${minutes === undefined ? 'until the customer writes' : `for ${minutes} min`}.`)
  },
  async unhold(o, c) {
    const n = here(o, c)
    return isAnswer(n) ? n : told(o, n, await o.book.give(n, { do: 'unhold', by: c.by, force: force(o, c, n) }), `#${n}${label(o, n)} goes on.`)
  },
  task: (o, c) => note(o, c, 'task', (d, e) => added(d, 'tasks', { ...e, text: arg(c, 'text') }), e => `Task ${e.id}: ${short(arg(c, 'text'))}. !taskdone ${e.id} when it is done.`),
  taskDone(o, c) {
    const id = arg(c, 'task').toLowerCase()
    return note(o, c, 'task', d => {
      const task = d.tasks.find(t => t.id === id)
      if (!task) return `There is no task ${short(id, 20)}.`
      return task.done === undefined ? { ...d, tasks: d.tasks.map(t => t.id === id ? { ...t, done: o.now, doneBy: c.by } : t) } : 'It is done already.'
    }, `Task ${id} is done.`, id)
  },
  time(o, c) {
    const minutes = number(c, 'minutes')
    if (minutes < 1 || minutes > 100_000) return no('From 1 to 100000 minutes, please.')
    return note(o, c, 'time', (d, e) => added(d, 'times', { ...e, minutes, text: arg(c, 'text') }), `${minutes} min are kept.`)
  },
  async related(o, c) {
    const m = /^(ticket|t|chat|conversation|c):#?(\d{1,9})$/i.exec(arg(c, 'item'))
    const url = /^https?:\/\/\S{1,2000}$/i.test(arg(c, 'item'))
    if (!m && !url) return no('What? ticket:5, chat:4 or a link, please.')
    const kind = m ? (m[1]!.toLowerCase().startsWith('t') ? 'ticket' : 'conversation') : 'link' // m has its groups
    const ref = m ? String(Number(m[2])) : arg(c, 'item')
    if (kind === 'ticket' && !await o.filing.tickets.get(Number(ref))) return no(`There is no ticket ${ref}.`)
    if (kind === 'conversation' && (await o.book.state(Number(ref))).is === 'absent') return no(`There is no conversation #${ref}.`)
    return note(o, c, 'item', (d, e) => d.items.some(i => i.kind === kind && i.ref === ref) ? 'It is attached already.' : added(d, 'items', { ...e, kind, ref }), `${kind === 'link' ? 'The link' : `${kind} ${ref}`} is attached.`)
  },
  async newTicket(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const s = await o.book.state(n)
    if (s.is === 'absent') return no(`There is no conversation #${n}.`)
    if (!force(o, c, n) && !s.owners.includes(c.by) && s.crew[c.by] === undefined) return refused(o, new Refused('You are not in this conversation.', undefined, true))
    const customer = (await o.customers.byId(s.customer))?.name ?? 'Customer'
    const ticket = await o.filing.tickets.open({ subject: short(arg(c, 'subject'), 250), queue: s.queue, customer }, { key: randomUUID(), at: o.now, by: c.by, conversation: n, body: await o.filing.text(n) })
    return note(o, { ...c, n }, 'item', (d, e) => added(d, 'items', { ...e, kind: 'ticket', ref: String(ticket) }), `Ticket ${ticket} is started, and attached.`)
  },
  call(o, c) {
    const phone = arg(c, 'phone').replace(/[\s()/-]/g, '')
    if (!/^\+?\d{2,20}$/.test(phone)) return no('That is no phone number.')
    const minutes = number(c, 'minutes')
    if (minutes > 10_000) return no('At most 10000 minutes, please.')
    return note(o, c, 'call', (d, e) => added(d, 'calls', { ...e, number: phone, minutes, text: arg(c, 'text') }), 'The call is kept.')
  },
  addFile(o, c) {
    const url = arg(c, 'url')
    if (!/^https?:\/\/[^\s/]+\/\S*$/i.test(url)) return no('An address that begins with http:// or https://, please.')
    return note(o, c, 'file', (d, e) => added(d, 'files', { ...e, url, name: short(arg(c, 'name') || decoded(url.split('/').at(-1) ?? ''), 120) }), 'The file is attached.')
  },
  async field(o, c) {
    const n = here(o, c)
    return isAnswer(n) ? n : fillIn(o, n, c.by, force(o, c, n), arg(c, 'name'), arg(c, 'value'))
  },
  async history(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const s = await o.book.state(n)
    if (s.is === 'absent') return no(`There is no conversation #${n}.`)
    if (!o.operators.may(c.by, 'chat.view.others', s.queue) && !s.owners.includes(c.by) && s.crew[c.by] === undefined && !asked(c.by)(s)) return refused(o, new Refused('You are not in this conversation.', undefined, true))
    const lines = (await o.book.history(n)).flatMap(e => { const text = happened(e, who => nameOf(o, who)); return text === undefined ? [] : [`${new Date(e.at).toISOString().slice(0, 19).replace('T', ' ')} ${text}`] })
    return yes(lines.join('\n'), n)
  },
  async monitor(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const s = await o.book.state(n)
    const now = s.is === 'absent' ? undefined : s.monitors[c.by]
    const typed = arg(c, 'to').toLowerCase()
    const to = typed === 'off' ? 'none' : typed === 'cust' ? 'customer' : typed === 'all' ? 'all' : now === undefined ? 'customer' : now === 'customer' ? 'all' : 'none'
    const outcome = await o.book.give(n, { do: 'monitor', by: c.by, to, force: o.operators.may(c.by, 'chat.view.others', queueOf(o, n)) })
    return told(o, n, outcome, to === 'none' ? `You are told nothing of #${n}.` : `You are told of ${to === 'all' ? 'all that happens' : 'what the customer does'} in #${n}.`)
  },
  async channel(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const queue = queueMeant(arg(c, 'queue')) ?? arg(c, 'queue').toLowerCase()
    if (!o.hasQueue(queue)) return noQueue(o, queue)
    if (!o.takesNew(queue)) return isClosed(o, queue)
    return told(o, n, await o.book.give(n, { do: 'move', by: c.by, queue, force: force(o, c, n) }), `#${n}${label(o, n)} belongs to ${queueName(o.config, queue)} now.`)
  },
  async dossier(o, c) {
    const n = here(o, c)
    if (isAnswer(n)) return n
    const s = await o.book.state(n)
    if (s.is === 'absent') return no(`There is no conversation #${n}.`)
    if (!o.operators.may(c.by, 'chat.view.others', s.queue) && !s.owners.includes(c.by) && s.crew[c.by] === undefined) return refused(o, new Refused('You are not in this conversation.', undefined, true))
    const d = await o.dossiers.get(n)
    const each = <T>(title: string, all: readonly T[], say: (t: T) => string): string[] => all.length > 0 ? [`${title}: ${all.map(say).join('; ')}`] : []
    const status = (s.is === 'closed' ? 'Completed' : s.is) + (s.followUp ? ', follow-up' : '')
    return yes([
      `#${n}${label(o, n)} · ${status} · ${minutes((s.is === 'closed' || s.is === 'ended' ? s.at : o.now) - s.opened)} · priority ${s.priority}`,
      ...(d.subject ? [`Subject: ${d.subject}`] : []), ...each('Labels', d.labels, l => l),
      ...Object.entries(d.fields).map(([name, f]) => `${o.rules.now.fields[name]?.label ?? name}: ${f.value}`),
      ...each('Tasks', d.tasks, t => `${t.id} ${t.text}${t.done === undefined ? '' : ' (done)'}`), ...each('Time', d.times, t => `${t.minutes} min ${t.text}`.trim()),
      ...each('Related', d.items, i => i.kind === 'link' ? i.ref : `${i.kind} ${i.ref}`), ...each('Calls', d.calls, x => `${x.number}, ${x.minutes} min`), ...each('Files', d.files, f => `${f.name} ${f.url}`),
      ...each('Resolutions', d.resolutions, r => short(r.text, 200)),
    ].join('\n'), n)
  },
}

/** One custom field, whoever fills it in; empty = none. */
export async function fillIn(o: Office, n: number, by: Who, may: boolean, name: string, value: string, app = false): Promise<Answer> {
  const key = Object.keys(o.rules.now.fields).find(k => k === name.toLowerCase() || o.rules.now.fields[k]?.label.toLowerCase() === name.toLowerCase())
  const field = key === undefined ? undefined : o.rules.now.fields[key]
  if (key === undefined || !field) return no(`There is no field “${short(name, 40)}”. There are: ${Object.keys(o.rules.now.fields).join(', ') || 'none'}.`)
  if (by === 'customer' && !field.ask) return no('That is not for you to fill in.')
  const wrong = value === '' ? undefined : field.kind === 'number' && !/^-?\d+(?:\.\d+)?$/.test(value) ? 'a number' : field.kind === 'choice' && !field.choices.includes(value) ? `one of ${field.choices.join(', ')}`
    : field.kind === 'yes-no' && !['yes', 'no'].includes(value.toLowerCase()) ? 'yes or no' : field.kind !== 'lines' && value.includes('\n') ? 'one line' : undefined
  if (wrong) return no(`${field.label}: ${wrong}, please.`)
  return mark(o, n, by, may, 'field', d => {
    const { [key]: _, ...others } = d.fields
    return { ...d, fields: value === '' ? others : { ...others, [key]: { value, by, at: o.now, ...(app ? { app } : {}) } } }
  }, value === '' ? `${field.label} is empty.` : `${field.label}: ${short(value)}`, key)
}

export const nameOf = (o: Office, who: string): string => who === 'customer' ? 'the customer' : who === 'desk' ? 'the desk' : o.operators.name(who)
export { actorOf }
const minutes = (ms: number): string => { const all = Math.max(0, Math.floor(ms / 1000)); return `${Math.floor(all / 60)}m ${all % 60}s` }
const decoded = (text: string): string => { try { return decodeURIComponent(text) } catch { return text } }
