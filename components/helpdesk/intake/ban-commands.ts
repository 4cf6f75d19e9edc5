// The commands that keep somebody out, as the table of `commands.ts` takes them. Pure.

import type { Entry } from '../command.ts'

export type BanHandler = 'ban' | 'unban' | 'bans' | 'banAddress' | 'liftBan'
export const BAN_COMMANDS: readonly Entry<BanHandler>[] = [
  { word: 'ban', aliases: ['block'], handler: 'ban', permission: 'bans.manage', scope: 'bans:write', about: 'any', fields: [{ name: 'time', kind: 'word', label: 'How long (30m, 2h, 3d, 1w, good)', required: true }, { name: 'because', kind: 'text', label: 'Why' }], label: 'Ban the customer…', help: 'keep the customer out, for 2h, 3d or for good, as !ban 3d spam; the conversation goes on until !close' },
  { word: 'unban', aliases: ['unblock'], handler: 'unban', permission: 'bans.manage', scope: 'bans:write', about: 'any', fields: [], label: 'Lift the customer’s ban', help: 'let the customer in again' },
  { word: 'bans', aliases: [], handler: 'bans', permission: 'bans.manage', scope: 'bans:read', about: 'none', fields: [], label: 'Bans', help: 'list who is kept out, and until when' },
  { word: 'banaddress', aliases: [], handler: 'banAddress', permission: 'bans.manage', scope: 'bans:write', about: 'none', fields: [{ name: 'whom', kind: 'word', label: 'Whom (an address such as eve@example.org, a domain, 192.0.2.7 or 192.0.2.0/24)', required: true }, { name: 'time', kind: 'word', label: 'How long (30m, 2h, 3d, 1w, good)', required: true }, { name: 'because', kind: 'text', label: 'Why' }], label: 'Ban an address…', help: 'keep out an address, a whole domain or a network: !banaddress 192.0.2.0/24 1d spam' },
  { word: 'liftban', aliases: [], handler: 'liftBan', permission: 'bans.manage', scope: 'bans:write', about: 'none', fields: [{ name: 'whom', kind: 'word', label: 'Whom (as !bans lists it)', required: true }], label: 'Lift a ban…', help: 'let in again whom !bans lists' },
]
