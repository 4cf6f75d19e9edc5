// The plugins of a host, in the order in which they are installed: within a stage that is the order in which they run.
import { adminCommands } from './admin-commands.ts'
import { approvals } from './approvals.ts'
import { avatars } from './avatars.ts'
import { blocking } from './blocking.ts'
import { bookmarks } from './bookmarks.ts'
import { carbons } from './carbons.ts'
import { commands } from './commands.ts'
import { csi } from './csi.ts'
import { disco } from './disco.ts'
import { displayed } from './displayed.ts'
import { extdisco } from './extdisco.ts'
import { gate } from './gate.ts'
import { invites } from './invites.ts'
import { isolation } from './isolation.ts'
import { jwt } from './jwt.ts'
import { last } from './last.ts'
import { ldap } from './ldap.ts'
import { mam } from './mam.ts'
import { offline } from './offline.ts'
import { outage } from './outage.ts'
import { pep } from './pep.ts'
import { ping } from './ping.ts'
import { privateStorage } from './private.ts'
import { push } from './push.ts'
import { register } from './register.ts'
import { reports } from './reports.ts'
import { retraction } from './retraction.ts'
import { shield } from './shield.ts'
import { time } from './time.ts'
import { vcard } from './vcard.ts'
import { version } from './version.ts'

export const plugins = [disco, ping, version, time, isolation, blocking, shield, carbons, mam, retraction, offline, push, vcard, privateStorage, pep, bookmarks, avatars, displayed, csi, extdisco, outage, last, commands, gate, adminCommands, reports, invites, approvals, register, jwt, ldap] as const

const KEEPERS: ReadonlySet<string> = new Set(['mam', 'retraction', 'offline', 'push', 'reports', 'last', 'admin-commands', 'invites', 'approvals', 'register', 'ldap', 'jwt'])

/** Those of a host for guests (XEP-0175): nothing that keeps what is said, reaches those who are away, or is for people with accounts. */
export const guestPlugins = plugins.filter(p => !KEEPERS.has(p.name))
