// Who may do what at the desk: one table, asked by text commands, ad-hoc commands and REST alike. Pure.

import type { DeskSettings, Section } from '../../schemas/desk-settings.ts'

export type Role = 'agent' | 'manager' | 'admin'

const AGENT = ['chat.serve', 'chat.with.customers', 'chat.with.agents', 'chat.transfer', 'chat.invite', 'chat.observe', 'chat.participate', 'chat.ticket', 'canned.own'] as const
const MANAGER = ['chat.view.others', 'chat.take.others', 'chat.act.others', 'chat.coach', 'chat.delete', 'status.others', 'rooms.create', 'canned.manage', 'macros.manage', 'operators.view', 'settings.view', 'bans.manage', 'reports.view', 'audit.view'] as const
const ADMIN = ['operators.manage', 'roles.manage', 'settings.manage', 'records.erase', 'invoices.view', 'cards.manage'] as const
/** Given to nobody until an admin grants them: agents do not begin with customers (RULE-C1), and a colleague is asked before a transfer (RULE-C4). */
const NOBODY = ['chat.start.customer', 'transfer.force'] as const

export const PERMISSIONS = [...AGENT, ...MANAGER, ...ADMIN, ...NOBODY] as const
export type Permission = typeof PERMISSIONS[number]
/** What one needs to change things of this section of the settings. */
export const neededFor = (section: Section): Permission => section === 'roles' ? 'roles.manage' : section === 'macros' ? 'macros.manage' : 'settings.manage'
export const isPermission = (text: string): text is Permission => (PERMISSIONS as readonly string[]).includes(text)

/** What a role may do unless the settings say otherwise (helpdesk.md section 2.1 C8; transfer is on by default, ST-67). */
export const GRANTED: Readonly<Record<Role | 'customer' | 'public', readonly Permission[]>> = {
  agent: AGENT, manager: [...AGENT, ...MANAGER], admin: [...AGENT, ...MANAGER, ...ADMIN], customer: ['chat.with.agents'], public: ['chat.with.agents'],
}
export const BUILT_IN = Object.keys(GRANTED) as readonly (keyof typeof GRANTED)[] // they are its keys
const isBuiltIn = (name: string): name is keyof typeof GRANTED => Object.hasOwn(GRANTED, name)

/** What each role may do now. */
export type Rights = ReadonlyMap<string, ReadonlySet<Permission>>

/** The built-in roles and the admin's own, with what the settings grant and deny. */
export function rightsOf(roles: DeskSettings['roles']): Rights {
  const rights = new Map<string, ReadonlySet<Permission>>()
  for (const name of new Set([...BUILT_IN, ...Object.keys(roles)])) {
    const role = roles[name]
    const all = new Set<Permission>(GRANTED[isBuiltIn(name) ? name : role?.base ?? 'agent'])
    for (const [what, granted] of Object.entries(role?.permissions ?? {})) if (isPermission(what)) { if (granted) all.add(what); else all.delete(what) }
    rights.set(name, all)
  }
  return rights
}

/** The shown names of the manuals' roles. */
export const roleTitle = (roles: DeskSettings['roles'], name: string): string => roles[name]?.title || ({ agent: 'Normal', manager: 'Manager', admin: 'Administrator', customer: 'Customer', public: 'Public' } as Record<string, string>)[name] || name
