// Operators and canned replies as ad-hoc commands with forms (shell).
import type { AdHocCommand, Stage } from '../../protocols/commands.ts'
import { isTrue, type Field, type FormValues, type Jid } from '../../server/api.ts'
import type { KeptCanned } from './canned-book.ts'
import { Refused } from './facts.ts'
import { ask, command, one, said } from './form-parts.ts'
import type { Office } from './office.ts'
import { People, type OperatorNews } from './people.ts'
import { roleTitle } from './permissions.ts'

export function operatorForms(o: Office): AdHocCommand[] {
  const people = new People(o)
  const roles = (): { value: string; label: string }[] => [...new Set(['agent', 'manager', 'admin', ...Object.keys(o.rules.now.roles)])].filter(r => r !== 'customer' && r !== 'public').map(value => ({ value, label: roleTitle(o.rules.now.roles, value) }))
  const fields = (jid: string | undefined): Field[] => {
    const r = jid === undefined ? undefined : o.operators.record(jid)
    return [
      { var: 'name', label: 'Shown name', value: (jid === undefined ? undefined : o.operators.person(jid)?.name) ?? '' }, { var: 'alias', label: 'Alias', value: r?.alias ?? '' }, { var: 'email', label: 'Mail address', value: r?.email ?? '' },
      { var: 'role', type: 'list-single', label: 'Role', options: roles(), value: (jid === undefined ? undefined : o.operators.holds(jid)) ?? 'agent' },
      { var: 'capacity', label: 'Chats at once (empty: as the desk says)', value: r?.capacity === undefined ? '' : String(r.capacity) },
      { var: 'bot', type: 'boolean', label: 'Is a program: serves any number, and hands over to people once', value: r?.bot === true },
      { var: 'departments', type: 'text-multi', label: 'Sees others’ chats of these departments only (empty: all)', value: r?.departments ?? [] },
      { var: 'password', type: 'text-private', label: jid === undefined ? 'Password (empty: a random one)' : 'New password (empty: unchanged)' }, { var: 'confirm', type: 'text-private', label: 'The password again' },
    ]
  }
  const read = (v: FormValues, jid: string | undefined): OperatorNews | string => {
    const capacity = one(v, 'capacity')?.trim()
    if (capacity !== undefined && !/^\d{1,4}$/.test(capacity)) return 'Chats at once: a whole number.'
    const [name, alias, email, role, password, confirm] = ['name', 'alias', 'email', 'role', 'password', 'confirm'].map(k => one(v, k)?.trim())
    const departments = v.values.get('departments')?.map(d => d.trim()).filter(d => d !== '')
    return {
      ...(name === undefined ? {} : { name }), ...(role === undefined || (jid !== undefined && role === o.operators.holds(jid)) ? {} : { role }), ...(password === undefined ? {} : { password }), ...(confirm === undefined ? password === undefined ? {} : { confirm: '' } : { confirm }),
      ...(v.values.has('alias') ? { alias: alias ?? null } : {}), ...(v.values.has('email') ? { email: email ?? null } : {}), ...(v.values.has('capacity') ? { capacity: capacity === undefined ? null : Number(capacity) } : {}),
      ...(v.values.has('bot') ? { bot: isTrue(v.values.get('bot')) === true || null } : {}),
      ...(departments === undefined ? {} : { departments: departments.length > 0 ? departments : null }),
    }
  }
  const pick = (who: Jid, title: string, then: (jid: string) => Stage | Promise<Stage>, more: boolean, extra: readonly Field[] = [], sure: (v: FormValues) => boolean = () => true): Stage => {
    const all = o.operators.all().filter(p => p.jid !== who.bare || more)
    return ask(title, [{ var: 'jid', type: 'list-single', label: 'Operator', required: true, options: all.map(p => ({ value: p.jid, label: `${o.operators.name(p.jid)} (${p.jid})` })), value: all[0]?.jid ?? '' }, ...extra], v => {
      const jid = one(v, 'jid')
      if (!sure(v)) return said('Nothing is done: it was not confirmed.')
      return jid !== undefined && o.operators.has(jid) ? then(jid) : said('There is no such operator.', 'error')
    }, undefined, more)
  }
  return [
    command(o, 'add-operator', 'Add an operator…', 'operators.manage', () => ask('Add an operator', [{ var: 'user', label: 'What stands before the @', required: true }, ...fields(undefined)], async v => {
      const news = read(v, undefined)
      if (typeof news === 'string') return said(news, 'error')
      const made = await people.make(one(v, 'user')?.trim() ?? '', news)
      if (made instanceof Refused) return said(made.because, 'error')
      return { note: `${made.jid} is made.`, ...(made.password === undefined ? {} : { title: 'The password', lines: [made.password] }) }
    })),
    command(o, 'change-operator', 'Change an operator…', 'operators.manage', who => pick(who, 'Which operator?', jid => ask(`Operator ${jid}`, fields(jid), async v => {
      const news = read(v, jid)
      if (typeof news === 'string') return said(news, 'error')
      const refused = await people.change(jid, news, who.bare)
      return refused ? said(refused.because, 'error') : said(`${jid} is saved.`)
    }), true)),
    command(o, 'delete-operator', 'Delete an operator…', 'operators.manage', who => pick(who, 'Delete which operator?', async jid => {
      const refused = await people.remove(jid, who.bare)
      return refused ? said(refused.because, 'error') : said(`${jid} is deleted; the conversations go on to others.`)
    }, false, [{ var: 'sure', type: 'boolean', label: 'Delete the account and all that is kept for it', value: false }], v => isTrue(v.values.get('sure')) === true)),
    command(o, 'connection', 'How to connect…', 'chat.serve', who => ({ title: 'How to connect', lines: Object.entries(people.connection(who.bare) ?? { jid: who.bare }).filter(([, x]) => x !== null).map(([k, x]) => `${k}: ${String(x)}`) })),
  ]
}

export function cannedForms(o: Office): AdHocCommand[] {
  const may = (who: Jid, own: boolean): boolean => o.operators.may(who.bare, own ? 'canned.own' : 'canned.manage')
  const fields = (who: Jid, c: KeptCanned | undefined): Field[] => [
    { var: 'shortcut', label: 'Short-cut', required: true, value: c?.shortcut ?? '' }, { var: 'title', label: 'Title', value: c?.title ?? '' }, { var: 'text', type: 'text-multi', label: 'Text (%VISITOR%, %OPERATOR%)', required: true, value: c?.text ?? '' },
    { var: 'group', label: 'Group', value: c?.group ?? '' }, { var: 'queues', type: 'text-multi', label: 'Queues (empty: all)', value: c?.queues ?? [] },
    ...(c || !may(who, false) ? [] : [{ var: 'own', type: 'boolean' as const, label: 'For me alone', value: false }]),
  ]
  const save = async (who: Jid, v: FormValues, old: KeptCanned | undefined): Promise<Stage> => {
    const own = old ? old.owner !== undefined : !may(who, false) || isTrue(v.values.get('own')) === true
    if (!may(who, own)) return said('You may not do that.', 'error')
    const shortcut = one(v, 'shortcut')?.trim() ?? ''
    const queues = (v.values.get('queues') ?? []).map(q => q.trim()).filter(q => q !== '')
    const odd = queues.find(q => !o.hasQueue(q))
    if (odd !== undefined) return said(`There is no queue ${odd}.`, 'error')
    const group = one(v, 'group')?.trim()
    const kept = await o.canned.put({ shortcut, title: one(v, 'title')?.trim() ?? shortcut, text: one(v, 'text') ?? '', ...(group === undefined ? {} : { group }), ...(queues.length > 0 ? { queues } : {}), ...(own ? { owner: who.bare } : {}) }, old?.id)
    return 'wrong' in kept ? said(kept.wrong, 'error') : said(`${kept.shortcut} is saved.`)
  }
  const pick = (who: Jid, then: (c: KeptCanned) => Stage | Promise<Stage>, more: boolean): Stage => {
    const all = o.canned.list(who.bare).filter(c => may(who, c.owner !== undefined))
    return all.length === 0 ? said('There are no canned replies of yours to change.') : ask('Which canned reply?', [{ var: 'id', type: 'list-single', label: 'Canned reply', required: true, options: all.map(c => ({ value: c.id, label: `${c.shortcut}: ${c.title}` })), value: all[0]?.id ?? '' }],
      v => { const c = all.find(x => x.id === one(v, 'id')); return c ? then(c) : said('There is no such canned reply.', 'error') }, undefined, more)
  }
  return [
    command(o, 'add-canned', 'Add a canned reply…', 'canned.own', who => ask('Add a canned reply', fields(who, undefined), v => save(who, v, undefined))),
    command(o, 'change-canned', 'Change a canned reply…', 'canned.own', who => pick(who, c => ask(`Canned reply ${c.shortcut}`, fields(who, c), v => save(who, v, c)), true)),
    command(o, 'delete-canned', 'Delete a canned reply…', 'canned.own', who => pick(who, async c => { await o.canned.remove(c.id); return said(`${c.shortcut} is deleted.`) }, false)),
  ]
}
