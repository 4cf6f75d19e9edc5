// XEP-0133: admins look after accounts and sessions from their own client.
import { randomBytes } from 'node:crypto'
import { isAdmin } from '../protocols/admins.ts'
import { LAST_SEEN } from '../protocols/activity.ts'
import { ENDING, type Ending } from '../protocols/ending.ts'
import { HOST_COMMANDS, type AdHocCommand, type Question, type Stage } from '../protocols/commands.ts'
import {
  accountChanged, CONTENT, el, Element, everyAccount, form, Jid, makeCredentials, namingFault, note, plugin, refuse, removeAccount, Stanza, StanzaError,
  type Account, type AccountRecord, type Field, type FormValues, type Host, type Resource, type Role,
} from '../server/api.ts'

const NS = 'http://jabber.org/protocol/admin'
const NS_ROSTER = 'jabber:iq:roster'
const COLLECTION = 'message of the day'
const WELCOMES = 'welcome message' // of the host, and which accounts have had it
const SHOWN = 1000 // addresses in one answer
const LISTS: Readonly<Record<string, string>> = { active: 'get-active-users', idle: 'get-idle-users' } // sections 4.21 and 4.22 name theirs so
const DELAYS = ['30', '60', '90', '120', '180', '240', '300'] as const // seconds, as sections 4.30 and 4.31 have them
const SIZES = ['25', '50', '75', '100', '150', '200', 'none']

const greeted = note('message of the day shown', false) // on a device

/** XEP-0133 Service Administration, for local accounts with the role admin. */
export const adminCommands = plugin('admin-commands', host => {
  const commands = host.service(HOST_COMMANDS)
  if (!commands) return // the config has none
  const office = new Office(host)
  const may = (who: Jid): boolean => who.domain === host.domain && isAdmin(host.accounts.online(who)?.record)
  const add = (name: string, title: string, start: (who: Jid) => Stage | Promise<Stage>, there: () => boolean = () => true): void => {
    const logged = (who: Jid): Stage | Promise<Stage> => { host.log.info({ by: who.bare, command: name }, 'an admin command'); return start(who) }
    const command: AdHocCommand = { node: `${NS}#${name}`, name: title, may: who => there() && may(who), start: logged }
    commands.add(command)
  }
  const jid: Field = { var: 'accountjid', type: 'jid-single', label: 'The address of the account', required: true }
  const jids: Field = { var: 'accountjids', type: 'jid-multi', label: 'The addresses of the accounts', required: true }

  add('add-user', 'Add a user', () => ask('Adding a user', 'Without a password one is made up.', [
    jid,
    { var: 'password', type: 'text-private', label: 'The password' },
    { var: 'password-verify', type: 'text-private', label: 'The password again' },
    { var: 'given_name', label: 'Given name' },
    { var: 'surname', label: 'Family name' },
  ], v => office.add(v)))
  add('delete-user', 'Delete users', who => ask('Deleting users', 'Everything that is kept for them is deleted, too.', [jids], v => office.each(v, who, (r, a) => office.remove(r, a), 'removed')))
  add('disable-user', 'Disable users', who => ask('Disabling users', 'They cannot log in until they are enabled again.', [jids], v => office.each(v, who, (r, a) => office.disable(r, a, true), 'disabled')))
  add('reenable-user', 'Enable users again', () => ask('Enabling users', 'They can log in again.', [jids], v => office.each(v, undefined, (r, a) => office.disable(r, a, false), 'enabled')))
  add('end-user-session', 'End sessions', () => ask('Ending sessions', 'An address with a resource ends that session only.', [jids], v => office.kick(v)))
  add('change-user-password', 'Change a password', () => ask('Changing a password', 'The sessions of that user end.', [
    jid, { var: 'password', type: 'text-private', label: 'The new password', required: true },
  ], v => office.password(v)))
  add('get-user-roster', 'Look at a contact list', () => ask('A contact list', 'Whose?', [jids], v => office.roster(v)))
  add('get-user-lastlogin', 'Look when a user was last here', () => ask('The last login', 'Whose?', [jids], v => office.lastLogin(v)))
  add('user-stats', 'Look at a user', () => ask('A user', 'Which?', [
    { ...jid, required: false }, { ...jids, label: 'The address, as other commands want it', required: false }, // COMPAT: Smack's tests fill in the second
  ], v => office.stats(v)))

  for (const [of, title, which] of office.groups) {
    add(`get-${of}-users-num`, `Count ${title}`, async () => ({ result: result([{ var: `${of}usersnum`, label: `The number of ${title}`, value: String((await which()).length) }]) }))
    add(LISTS[of] ?? `get-${of}-users-list`, `List ${title}`, () => ask(`Listing ${title}`, 'How many at most?', [
      { var: 'max_items', type: 'list-single', label: 'At most', value: '100', options: SIZES },
    ], async v => {
      const most = Math.min(Number(one(v, 'max_items') ?? SHOWN) || SHOWN, SHOWN)
      const all = await which()
      return { result: result([{ var: `${of}userjids`, type: 'jid-multi', label: title, value: all.slice(0, most) }]), ...(all.length > most && { note: `${all.length - most} more.` }) }
    }))
  }

  const text = (name: string, label: string, value: readonly string[] = []): Field => ({ var: name, type: 'text-multi', label, required: true, value })
  add('announce', 'Send an announcement', () => ask('An announcement', 'Everybody who is online gets it.', [text('announcement', 'Announcement')], v => office.announce('Announcement', many(v, 'announcement'))))
  add('set-motd', 'Set the message of the day', () => ask('The message of the day', 'Everybody gets it now, or when he comes.', [text('motd', 'Message of the day')], v => office.setMotd(many(v, 'motd'), true)))
  add('edit-motd', 'Edit the message of the day', async () => ask('The message of the day', 'It is not sent again to those who are here.', [text('motd', 'Message of the day', await office.motd())], v => office.setMotd(many(v, 'motd'), false)))
  add('delete-motd', 'Delete the message of the day', async () => { await office.setMotd([], false); return { note: 'Deleted.' } })
  add('set-welcome', 'Set the welcome message', async () => ask('The welcome message', 'Who has a new account gets it when he first comes.', [text('welcome', 'Welcome message', (await office.welcome())?.lines)], v => office.setWelcome(many(v, 'welcome'))))
  add('delete-welcome', 'Delete the welcome message', () => office.setWelcome([]))
  add('edit-admin', 'Edit the list of admins', async who => ask('The admins', 'They may do all that this menu offers.', [
    { var: 'adminjids', type: 'jid-multi', label: 'The admins', required: true, value: await office.addresses(isAdmin) },
  ], v => office.setAdmins(v, who)))

  for (const [name, title, how] of [['restart', 'Restart the server', 'restart'], ['shutdown', 'Shut the server down', 'stop']] as const) {
    add(name, title, () => ask(title, 'Whoever is online is told before. Sessions can go on after a restart.', [
      { var: 'delay', type: 'list-single', label: 'After how many seconds', value: DELAYS[0], options: DELAYS, required: true },
      { var: 'announcement', type: 'text-multi', label: 'Announcement' },
    ], v => office.end(v, how)), () => host.service(ENDING) !== undefined)
  }

  host.when('presence', device => {
    if (device.priority === undefined || device.priority < 0 || device.get(greeted)) return
    device.set(greeted, true)
    void office.greet(device).catch((error: unknown) => host.bug(error))
  })
})

const ask = (title: string, instructions: string, fields: readonly Field[], submit: (values: FormValues) => Stage | Promise<Stage>): Question =>
  ({ form: { type: 'form', formType: NS, title, instructions, fields }, submit: async values => told(await submit(values)) })

/** A form that was filled in wrongly is told so in words; errors of the stanza are those of section 5's table. */
const told = (stage: Stage): Stage =>
  stage instanceof StanzaError && (stage.condition === 'not-acceptable' || stage.condition === 'item-not-found') ? { note: stage.text ?? 'That was not understood.', kind: 'error' } : stage
const result = (fields: readonly Field[]): Element => form({ type: 'result', formType: NS, fields })
const one = (v: FormValues, name: string): string | undefined => v.values.get(name)?.[0]
const many = (v: FormValues, name: string): string[] => (v.values.get(name) ?? []).flatMap(line => line.split('\n')).filter(line => line.trim() !== '')
const SELF = refuse('not-allowed', 'Not to your own account, or nobody might be left who can undo it.')

/** `since`: accounts made before have been here already, ms since 1970. */
interface Welcome { readonly lines: readonly string[]; readonly since: number }

/** What the commands do. */
class Office {
  readonly #host: Host
  #ending: Disposable | undefined
  #motd: Promise<readonly string[]> | undefined
  #welcome: Promise<Welcome | undefined> | undefined
  constructor(host: Host) { this.#host = host }

  /** Groups of users: the word in the node's name, what people call them, and who is in them. */
  readonly groups: readonly (readonly [string, string, () => Promise<string[]>])[] = [
    ['registered', 'all users', () => this.addresses(() => true)],
    ['disabled', 'disabled users', () => this.addresses(r => r.disabled === true)],
    ['online', 'users who are online', async () => this.#online(a => a.available.length > 0)],
    ['active', 'users who are active', async () => this.#online(a => a.available.some(isActive))],
    ['idle', 'users who are idle', async () => this.#online(a => a.available.length > 0 && !a.available.some(isActive))],
  ]

  async add(v: FormValues): Promise<Stage> {
    const { domain, clock, stores } = this.#host
    const jid = this.#local(one(v, 'accountjid'))
    if (!jid) return refuse('not-acceptable', `An address of ${domain} is needed.`)
    const odd = namingFault(jid.local)
    if (odd) return refuse('not-acceptable', odd)
    const given = one(v, 'password') || undefined
    if (given !== (one(v, 'password-verify') || given)) return refuse('not-acceptable', 'The passwords differ.')
    const elsewhere = this.#host.authorities.find(a => a.keepsPasswords)
    if (elsewhere && given !== undefined) return refuse('not-allowed', 'Passwords of this host are kept elsewhere.')
    const password = given ?? randomBytes(12).toString('base64url')
    const credentials = elsewhere ? {} : await keys(password)
    if (credentials instanceof StanzaError) return credentials
    const name = [one(v, 'given_name'), one(v, 'surname')].map(part => part?.trim()).filter(Boolean).join(' ').slice(0, 80)
    const record = { host: domain, local: jid.local, created: clock.now(), credentials, ...(name && { name }), ...(elsewhere && { authority: elsewhere.name }) }
    if (await stores.accounts.create(record) === 'conflict') return refuse('conflict', `${jid.bare} exists.`)
    accountChanged(this.#host, jid, record, 'made')
    return { note: `${jid.bare} added.`, ...(given === undefined && !elsewhere && { lines: [`password: ${password}`] }) }
  }

  /** Does something to each account that is named, or nothing at all if one is not there. */
  async each(v: FormValues, notFor: Jid | undefined, act: (record: AccountRecord, account: Account) => Promise<void>, done: string): Promise<Stage> {
    const found = await this.#named(many(v, 'accountjids'))
    if (found instanceof StanzaError) return found
    if (found.some(({ account }) => account.jid.bare === notFor?.bare)) return SELF
    for (const { account, record } of found) await act(record, account)
    return { note: `${found.map(({ account }) => account.jid.bare).join(', ')} ${done}.` }
  }

  async remove(record: AccountRecord, account: Account): Promise<void> {
    const { rosters, stores } = this.#host
    await rosters.farewell(account)
    await removeAccount(stores, record)
    accountChanged(this.#host, account.jid, undefined, 'removed')
  }

  async disable(record: AccountRecord, account: Account, yes: boolean): Promise<void> {
    const { disabled: _, ...rest } = record
    await this.#write(account, yes ? { ...rest, disabled: true } : rest, yes ? 'disabled' : 'role')
  }

  async kick(v: FormValues): Promise<Stage> {
    const wanted = many(v, 'accountjids').map(text => this.#local(text))
    if (wanted.length === 0 || wanted.includes(undefined)) return refuse('not-acceptable', 'Addresses of this server are needed.')
    let ended = 0
    for (const jid of wanted as Jid[]) { // looked at in the line above
      const devices = [...this.#host.accounts.online(jid)?.resources.values() ?? []].filter(d => jid.isBare || d.jid.resource === jid.resource)
      for (const d of devices) { ended++; d.end('policy-violation', 'An admin has ended the session.') }
    }
    return { note: ended === 1 ? 'One session ended.' : `${ended} sessions ended.` }
  }

  async password(v: FormValues): Promise<Stage> {
    const found = await this.#named([one(v, 'accountjid') ?? ''])
    if (found instanceof StanzaError) return found
    if (this.#host.passwordsElsewhere) return refuse('not-allowed', 'Passwords of this host are kept elsewhere.')
    const credentials = await keys(one(v, 'password') ?? '')
    if (credentials instanceof StanzaError) return credentials
    const { account, record } = found[0]! // one was named
    await this.#write(account, { ...record, credentials }, 'password')
    return { note: `${account.jid.bare} has a new password.` }
  }

  async roster(v: FormValues): Promise<Stage> {
    const found = await this.#named(many(v, 'accountjids').slice(0, 1))
    if (found instanceof StanzaError) return found
    const { account } = found[0]! // one was named
    const items = this.#host.rosters.of(account).listed.map(i =>
      el('item', NS_ROSTER, { jid: i.jid, subscription: i.subscription, ...(i.name && { name: i.name }) }, ...i.groups.map(g => el('group', NS_ROSTER, {}, g))))
    const shown = result([
      { var: 'accountjids', type: 'jid-multi', label: 'Whose', value: [account.jid.bare] },
      { var: 'roster', type: 'text-multi', label: 'Contacts', value: items.map(i => `${i.attrs['jid'] ?? ''} (${i.attrs['subscription'] ?? ''})`) }, // for clients that do not look for the query
    ])
    return { result: new Element(shown.name, shown.ns, shown.attrs, [...shown.children, el('query', NS_ROSTER, {}, ...items)]) }
  }

  async lastLogin(v: FormValues): Promise<Stage> {
    const found = await this.#named(many(v, 'accountjids').slice(0, 1))
    if (found instanceof StanzaError) return found
    const { jid } = found[0]!.account // one was named
    const login = (await this.#host.service(LAST_SEEN)?.(jid))?.login
    return { result: result([
      { var: 'accountjids', type: 'jid-multi', label: 'Who', value: [jid.bare] },
      { var: 'lastlogin', label: 'Last login', value: login === undefined ? 'never' : new Date(login).toISOString() },
    ]) }
  }

  async stats(v: FormValues): Promise<Stage> {
    const found = await this.#named([one(v, 'accountjid') || one(v, 'accountjids') || ''])
    if (found instanceof StanzaError) return found
    const { account } = found[0]! // one was named
    return { result: result([
      { var: 'accountjid', type: 'jid-single', label: 'Who', value: account.jid.bare },
      { var: 'rostersize', label: 'Contacts', value: String(this.#host.rosters.of(account).listed.length) },
      { var: 'onlineresources', type: 'text-multi', label: 'Sessions', value: [...account.resources.keys()] },
    ]) }
  }

  announce(subject: string, lines: readonly string[]): Stage {
    if (lines.length === 0) return refuse('not-acceptable', 'Say something.')
    let reached = 0
    for (const account of this.#host.accounts.all) {
      for (const d of account.available) if (d.priority! >= 0) { this.give(d, subject, lines); reached++ } // available says it is a number
    }
    return { note: reached === 1 ? 'Sent to one device.' : `Sent to ${reached} devices.` }
  }

  /** The whole program, not this host alone. A later word takes the place of an earlier one. */
  end(v: FormValues, how: Ending): Stage {
    const { clock, log } = this.#host
    const seconds = DELAYS.find(d => d === one(v, 'delay'))
    if (!seconds) return refuse('not-acceptable', 'Choose one of the delays.')
    const lines = many(v, 'announcement')
    if (lines.length > 0) this.announce('Announcement', lines)
    this.#ending?.[Symbol.dispose]()
    this.#ending = clock.alarm(clock.now() + Number(seconds) * 1000, () => {
      log.warn({ how }, 'an admin ends the program')
      this.#host.service(ENDING)?.(how)
    })
    return { note: `In ${seconds} seconds.` }
  }

  give(device: Resource, subject: string, lines: readonly string[]): void {
    const said = [el('subject', CONTENT, {}, subject), el('body', CONTENT, {}, lines.join('\n'))]
    device.deliver(Stanza.of('message', { type: 'normal', from: this.#host.jid, to: device.jid }, said))
  }

  motd(): Promise<readonly string[]> {
    return (this.#motd ??= this.#host.stores.documents.get<readonly string[]>(COLLECTION, this.#host.domain, 'all').then(kept => kept?.value ?? []))
  }

  async setMotd(lines: readonly string[], now: boolean): Promise<Stage> {
    const { documents } = this.#host.stores
    await (lines.length ? documents.put(COLLECTION, this.#host.domain, 'all', lines) : documents.remove(COLLECTION, this.#host.domain, 'all'))
    this.#motd = Promise.resolve(lines)
    return now && lines.length ? this.announce('Message of the day', lines) : { note: 'Done.' }
  }

  welcome(): Promise<Welcome | undefined> {
    return (this.#welcome ??= this.#host.stores.documents.get<Welcome>(WELCOMES, this.#host.domain, 'all').then(kept => kept?.value))
  }

  async setWelcome(lines: readonly string[]): Promise<Stage> {
    const { documents } = this.#host.stores
    const now: Welcome | undefined = lines.length ? { lines, since: (await this.welcome())?.since ?? this.#host.clock.now() } : undefined
    await (now ? documents.put(WELCOMES, this.#host.domain, 'all', now) : documents.remove(WELCOMES, this.#host.domain, 'all'))
    this.#welcome = Promise.resolve(now)
    return { note: 'Done.' }
  }

  /** To a device that has just come: the welcome message to a new account once, the message of the day every time. */
  async greet(device: Resource): Promise<void> {
    const { account } = device
    const motd = this.motd() // as it is now: one that is set meanwhile is told to all who are here
    const welcome = await this.welcome()
    if (welcome && account.record.created >= welcome.since && await this.#host.stores.documents.put(WELCOMES, account.jid.bare, 'had', true, 0) !== 'conflict') this.give(device, 'Welcome', welcome.lines)
    const lines = await motd
    if (lines.length) this.give(device, 'Message of the day', lines)
  }

  async setAdmins(v: FormValues, who: Jid): Promise<Stage> {
    const found = await this.#named(many(v, 'adminjids'))
    if (found instanceof StanzaError) return found
    const wanted = new Set(found.map(({ account }) => account.jid.bare))
    if (!wanted.has(who.bare)) return SELF
    const { accounts } = this.#host
    const before = await this.addresses(isAdmin)
    for (const { account, record } of found) if (record.role !== 'admin') await this.#write(account, { ...record, role: 'admin' satisfies Role }, 'role')
    for (const bare of before.filter(b => !wanted.has(b))) {
      const account = await accounts.at(Jid.parse(bare))
      if (!account) continue
      const { role: _, ...rest } = account.record
      await this.#write(account, rest, 'role')
    }
    return { note: `Admins: ${[...wanted].join(', ')}.` }
  }

  /** The addresses of the accounts that fit, in their order. */
  async addresses(fits: (r: AccountRecord) => boolean): Promise<string[]> {
    const { stores, domain } = this.#host
    const all: string[] = []
    for await (const r of everyAccount(stores.accounts, domain)) if (fits(r)) all.push(`${r.local}@${domain}`)
    return all
  }

  #online(fits: (a: Account) => boolean): string[] { return [...this.#host.accounts.all].filter(fits).map(a => a.jid.bare).sort() }

  #local(text: string | undefined): Jid | undefined {
    const jid = Jid.tryParse(text?.trim() ?? '')
    return jid && jid.local !== '' && jid.domain === this.#host.domain ? jid : undefined
  }

  async #named(texts: readonly string[]): Promise<{ account: Account; record: AccountRecord }[] | StanzaError> {
    const found: { account: Account; record: AccountRecord }[] = []
    for (const text of texts) {
      const jid = this.#local(text)
      const account = jid && await this.#host.accounts.at(jid.toBare())
      if (!account) return refuse('item-not-found', `There is no account ${text}.`)
      found.push({ account, record: account.record })
    }
    return found.length > 0 ? found : refuse('not-acceptable', 'An address is needed.')
  }

  async #write(account: Account, record: AccountRecord, what: 'password' | 'disabled' | 'role'): Promise<void> {
    await this.#host.stores.accounts.update(record)
    accountChanged(this.#host, account.jid, record, what)
  }
}

const isActive = (d: Resource): boolean => { const show = d.presence?.child('show')?.text; return show !== 'away' && show !== 'xa' }

async function keys(password: string): Promise<Awaited<ReturnType<typeof makeCredentials>> | StanzaError> {
  if (password === '') return refuse('not-acceptable', 'A password is needed.')
  try { return await makeCredentials(password) } catch { return refuse('not-acceptable', 'This cannot be a password.') }
}
