// How a room is set up, and the form in which its owners see that (XEP-0045 sections 10.1.3, 10.2, 15.5.3). Pure.
import { form, readForm, refuse, StanzaError, type Element } from '../../server/api.ts'
import { MUC_CONFIG, type Role } from './names.ts'

export type Whisperers = 'anyone' | 'participants' | 'moderators' | 'none'

export interface RoomConfig {
  readonly name: string
  readonly description: string
  readonly language: string
  readonly public: boolean // listed among the service's rooms
  readonly persistent: boolean // outlives its last occupant
  readonly membersOnly: boolean
  readonly moderated: boolean // who enters without affiliation is a visitor
  readonly password: string // '' = none
  readonly whois: 'anyone' | 'moderators' // who sees real addresses
  readonly users?: number | undefined // most occupants; as many as the service takes where nobody said
  readonly changeSubject: boolean // participants may
  readonly invites: boolean // members may
  readonly whispers: Whisperers // who may send private messages
  readonly history: number // lines told to whom enters
  readonly broadcast: readonly Role[] // whose presence all see; moderators see everyone's
  readonly archived: boolean | 'persistent' // what is said is kept: always, never, or (as nobody has chosen) while the room is persistent
}

/** Whether what is said here is kept; of a room that is not persistent, until it is empty. */
export const isLogged = (c: RoomConfig): boolean => (c.archived === 'persistent' ? c.persistent : c.archived)

export const defaultConfig: RoomConfig = {
  name: '', description: '', language: '', public: true, persistent: false, membersOnly: false, moderated: false, password: '',
  whois: 'moderators', changeSubject: false, invites: false, whispers: 'anyone', history: 20,
  broadcast: ['moderator', 'participant', 'visitor'], archived: 'persistent',
}

/** What an owner may not go beyond. */
export interface Bounds { readonly users: number; readonly history: number }

const BROADCAST: readonly Role[] = ['moderator', 'participant', 'visitor']
const WHISPERERS: readonly Whisperers[] = ['anyone', 'participants', 'moderators', 'none']
const WHOIS = ['moderators', 'anyone'] as const
const LOGGING = 'muc#roomconfig_enablelogging'
const ARCHIVING = 'muc#roomconfig_enablearchiving' // COMPAT: Conversations knows Prosody's name for it; not shown beside the other
const SECRET = 'muc#roomconfig_roomsecret'
const LONGEST = 1000 // characters in a text of the form

/** `owners`, `admins`: bare JIDs. */
export function configForm(c: RoomConfig, bounds: Bounds, owners: readonly string[], admins: readonly string[]): Element {
  return form({
    type: 'form', formType: MUC_CONFIG, title: 'Configuration of this room',
    fields: [
      { var: 'muc#roomconfig_roomname', type: 'text-single', label: 'Name', value: c.name },
      { var: 'muc#roomconfig_roomdesc', type: 'text-single', label: 'Description', value: c.description },
      { var: 'muc#roomconfig_lang', type: 'text-single', label: 'Language of the talk', value: c.language },
      { var: 'muc#roomconfig_publicroom', type: 'boolean', label: 'List it among the public rooms', value: c.public },
      { var: 'muc#roomconfig_persistentroom', type: 'boolean', label: 'Keep it when the last one leaves', value: c.persistent },
      { var: 'muc#roomconfig_membersonly', type: 'boolean', label: 'Only members may enter', value: c.membersOnly },
      { var: 'muc#roomconfig_allowinvites', type: 'boolean', label: 'Members may invite others', value: c.invites },
      { var: 'muc#roomconfig_passwordprotectedroom', type: 'boolean', label: 'A password is needed to enter', value: c.password !== '' },
      { var: SECRET, type: 'text-private', label: 'The password', value: c.password },
      { var: 'muc#roomconfig_moderatedroom', type: 'boolean', label: 'Only those with voice may speak', value: c.moderated },
      { var: 'muc#roomconfig_changesubject', type: 'boolean', label: 'Occupants may change the subject', value: c.changeSubject },
      { var: 'muc#roomconfig_whois', type: 'list-single', label: 'Who sees real addresses', value: c.whois, options: WHOIS },
      { var: 'muc#roomconfig_allowpm', type: 'list-single', label: 'Who may send private messages', value: c.whispers, options: WHISPERERS },
      { var: 'muc#roomconfig_presencebroadcast', type: 'list-multi', label: 'Whose presence is shown to all', value: c.broadcast, options: BROADCAST },
      { var: 'muc#roomconfig_maxusers', type: 'list-single', label: 'Most occupants', value: most(c, bounds), options: sizes(most(c, bounds), bounds.users) },
      { var: 'muc#maxhistoryfetch', type: 'text-single', label: 'Lines shown to whom enters', value: String(c.history) },
      { var: LOGGING, type: 'boolean', label: 'Keep an archive of the talk', value: c.archived !== false },
      { var: ARCHIVING, type: 'hidden', value: c.archived !== false ? '1' : '0' },
      { var: 'muc#roomconfig_roomadmins', type: 'jid-multi', label: 'Admins', value: admins },
      { var: 'muc#roomconfig_roomowners', type: 'jid-multi', label: 'Owners', value: owners },
    ],
  })
}

// 'none' is of XEP-0045 section 10.1.3: no bound of its own
const NONE = 'none'
const most = (c: RoomConfig, bounds: Bounds): string => { const n = c.users ?? bounds.users; return n === Infinity ? NONE : String(n) }
const sizes = (now: string, bound: number): string[] => [...[...new Set([10, 20, 50, 100, 200, 500, Number(now)])].filter(n => n <= bound || String(n) === now).sort((a, b) => a - b).map(String), NONE]

/** The configuration that a submitted form asks for: fields left out keep what `old` says. Options that make no sense are `not-acceptable`. */
export function readConfig(x: Element, old: RoomConfig, bounds: Bounds): RoomConfig | StanzaError {
  const read = readForm(x)
  if (!read || (read.formType !== undefined && read.formType !== MUC_CONFIG)) return refuse('bad-request')
  const faults: string[] = []
  const one = (name: string): string | undefined => read.values.get(name)?.[0]
  const text = (name: string, before: string): string => one(name)?.slice(0, LONGEST) ?? before
  const bool = (name: string, before: boolean): boolean => {
    const v = one(name)?.trim()
    if (v === undefined) return before
    if (v !== '0' && v !== '1' && v !== 'true' && v !== 'false') faults.push(name)
    return v === '1' || v === 'true'
  }
  const among = <T extends string>(name: string, all: readonly T[], before: T): T => {
    const v = one(name)
    if (v === undefined) return before
    const known = all.find(a => a === v)
    if (known === undefined) faults.push(name)
    return known ?? before
  }
  const count = <T extends number | undefined>(name: string, least: number, most: number, before: T, none: T): number | T => {
    const v = one(name)?.trim()
    if (v === undefined || v === '' || v === NONE) return v === NONE ? none : before
    if (!/^\d{1,9}$/.test(v) || Number(v) < least) { faults.push(name); return before }
    return Number(v) < most ? Number(v) : none
  }
  const shown = read.values.get('muc#roomconfig_presencebroadcast')
  const secret = text(SECRET, old.password)
  const emptied = read.values.has(SECRET) && !one(SECRET) // with nothing said of protection, that takes the password away
  const locked = bool('muc#roomconfig_passwordprotectedroom', !emptied && secret !== '')
  if (locked && secret === '') faults.push(SECRET)
  // Of two fields for one thing, the one that was changed counts.
  const archiving = (): RoomConfig['archived'] => {
    const was = old.archived !== false
    const said = [LOGGING, ARCHIVING].filter(name => read.values.has(name)).map(name => bool(name, was))
    return said.find(v => v !== was) ?? said[0] ?? old.archived
  }
  const config: RoomConfig = {
    name: text('muc#roomconfig_roomname', old.name),
    description: text('muc#roomconfig_roomdesc', old.description),
    language: text('muc#roomconfig_lang', old.language),
    public: bool('muc#roomconfig_publicroom', old.public),
    persistent: bool('muc#roomconfig_persistentroom', old.persistent),
    membersOnly: bool('muc#roomconfig_membersonly', old.membersOnly),
    moderated: bool('muc#roomconfig_moderatedroom', old.moderated),
    password: locked ? secret : '',
    whois: among('muc#roomconfig_whois', WHOIS, old.whois),
    users: count('muc#roomconfig_maxusers', 1, bounds.users, old.users, undefined),
    changeSubject: bool('muc#roomconfig_changesubject', old.changeSubject),
    invites: bool('muc#roomconfig_allowinvites', old.invites),
    whispers: among('muc#roomconfig_allowpm', WHISPERERS, old.whispers),
    history: count('muc#maxhistoryfetch', 0, bounds.history, old.history, bounds.history),
    broadcast: shown ? BROADCAST.filter(r => shown.includes(r)) : old.broadcast,
    archived: archiving(),
  }
  return faults.length > 0 ? refuse('not-acceptable', `Not understood: ${faults.join(', ')}`) : config
}
