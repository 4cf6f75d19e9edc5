// Who may do what at the desk: one table, asked by text commands, ad-hoc commands and REST alike. Pure.

export type Permission =
  | 'chat.serve' | 'chat.transfer' | 'chat.invite' | 'chat.observe' | 'chat.participate' | 'chat.ticket'
  | 'chat.view.others' | 'chat.take.others' | 'chat.act.others' | 'chat.coach' | 'status.others'
export type Role = 'agent' | 'manager' | 'admin'

const AGENT: readonly Permission[] = ['chat.serve', 'chat.transfer', 'chat.invite', 'chat.observe', 'chat.participate', 'chat.ticket']
const OTHERS: readonly Permission[] = ['chat.view.others', 'chat.take.others', 'chat.act.others', 'chat.coach', 'status.others']

/** What a role may do unless the desk denies it (helpdesk.md section 2.1 C8; transfer is on by default, ST-67). */
export const GRANTED: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  agent: new Set(AGENT),
  manager: new Set([...AGENT, ...OTHERS]),
  admin: new Set([...AGENT, ...OTHERS]),
}

/** What a desk takes away from a role. */
export type Denied = Readonly<Partial<Record<Role, readonly Permission[]>>>

export const may = (role: Role | undefined, what: Permission, denied: Denied = {}): boolean =>
  role !== undefined && GRANTED[role].has(what) && denied[role]?.includes(what) !== true
