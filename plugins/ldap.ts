// LDAP: passwords are looked at by a directory, which may say as well what people are called and what they may do.
import { Directory, DirectoryLost, inFilter, inName, lookAgain, plugin, type Authority, type DirectoryAddress, type Finding, type Host, type Role } from '../server/api.ts'

const PATIENCE = 5_000 // ms
const CONNECTIONS = 4
const WAITING = 256 // logins that wait for a connection
const AGAIN = 300_000 // ms between two looks at those who are online
const ROLES: readonly Role[] = ['admin', 'manager', 'agent'] // the highest that fits is taken

/** As the config has it. `%u` stands for the name before the @, `%d` for the DN of the user's entry. */
interface Options {
  readonly url: string
  readonly startTls: boolean
  readonly ca?: string // PEM
  readonly timeout?: number // ms
  readonly connections?: number
  /** Whose entries are looked through, by `filter`; or `userDn` says at once where a user's entry is. */
  readonly base?: string
  readonly filter?: string
  readonly userDn?: string
  /** In whose name; absent: nobody's, or with `userDn` the user's own. */
  readonly bindDn?: string
  readonly bindPassword?: string
  /** The attribute that holds the shown name. */
  readonly name?: string
  /** Filters, by role: of entries below `groupBase`, absent: of the user's own entry. */
  readonly roles?: Readonly<Partial<Record<Role, string>>>
  readonly groupBase?: string
  readonly create?: boolean
  readonly recheck?: number // ms; Infinity: never
}

/** Authentication by a directory: SASL PLAIN over TLS, and nothing else. */
export const ldap = plugin('ldap', async (host, options) => {
  if (typeof options['url'] !== 'string') return
  const wanted = options as unknown as Options // the config's schema has looked at it
  const directory = new Asked(host, wanted)
  const authority: Authority = {
    name: 'ldap', keepsPasswords: true, enrols: wanted.create !== false,
    password: (local, password) => directory.judge(local, password),
  }
  host.authorities.push(authority)
  await lookAgain(host, authority, directory.canLook ? wanted.recheck ?? AGAIN : Infinity, account => directory.knows(account.jid.local))
})

class Asked {
  readonly #host: Host
  readonly #o: Options
  readonly #at: DirectoryAddress
  readonly #idle: Directory[] = []
  readonly #waiting: (() => void)[] = []
  #open = 0
  constructor(host: Host, options: Options) {
    this.#host = host
    this.#o = options
    const { url, startTls, ca, timeout = PATIENCE } = options
    this.#at = { url, startTls, patience: timeout, ...(ca !== undefined && { ca }) }
  }

  judge(local: string, password: string): Promise<Finding> { return this.#ask(d => this.#look(d, local, password)) }

  /** Whether it can look without the user's password. */
  get canLook(): boolean { return this.#o.bindDn !== undefined || this.#o.userDn === undefined }

  /** What it says of somebody who was let in before. */
  knows(local: string): Promise<Finding> {
    return this.#ask(async d => {
      const dn = await this.#find(d, local)
      return dn === undefined ? 'refused' : this.#describe(d, local, dn)
    })
  }

  async #ask(work: (d: Directory) => Promise<Finding>): Promise<Finding> {
    try {
      return await this.#with(work)
    } catch (error) {
      this.#host.log.error({ domain: this.#host.domain, err: error }, 'the directory cannot be asked')
      return 'unavailable'
    }
  }

  async #look(d: Directory, local: string, password: string): Promise<Finding> {
    const dn = await this.#find(d, local)
    if (!await d.bind(dn ?? `cn=${inName(local)},${this.#o.base}`, password) || dn === undefined) return 'refused' // for one who is not there it takes as long
    return this.#describe(d, local, dn)
  }

  #fits(local: string): string {
    const { filter, userDn } = this.#o
    return (filter ?? (userDn === undefined ? '(uid=%u)' : '(objectClass=*)')).replaceAll('%u', inFilter(local))
  }

  /** Where a user's entry is; undefined: nowhere, or in several places. */
  async #find(d: Directory, local: string): Promise<string | undefined> {
    const { base, userDn } = this.#o
    if (userDn !== undefined) return userDn.replaceAll('%u', inName(local))
    await this.#asOurselves(d)
    const found = await d.search(base!, 'sub', this.#fits(local)) // the config has one of the two
    if (found.length > 1) this.#host.log.warn({ domain: this.#host.domain }, 'ldap: the filter fits to several entries, so nobody is let in')
    return found.length === 1 ? found[0]!.dn : undefined
  }

  /** What the entry says, where there is one that fits. */
  async #describe(d: Directory, local: string, dn: string): Promise<Finding> {
    const { name, roles } = this.#o
    await this.#asOurselves(d)
    const [entry, more] = await d.search(dn, 'base', this.#fits(local), name === undefined ? ['1.1'] : [name])
    if (!entry || more) return 'refused' // there is such an entry, but the filter leaves it out
    const called = name === undefined ? undefined : [entry[name]].flat()[0]?.toString().trim().slice(0, 80)
    return { local, ...(called && { name: called }), ...(roles && { role: await this.#role(d, local, dn) ?? null }) }
  }

  async #role(d: Directory, local: string, dn: string): Promise<Role | undefined> {
    const { roles, groupBase } = this.#o
    for (const role of ROLES) {
      const filter = roles?.[role]?.replaceAll('%u', inFilter(local)).replaceAll('%d', inFilter(dn))
      if (filter !== undefined && (await d.search(groupBase ?? dn, groupBase === undefined ? 'base' : 'sub', filter)).length > 0) return role
    }
    return undefined
  }

  /** Who looks through the directory: whom the config names, else the user himself where his DN is known, else nobody. */
  async #asOurselves(d: Directory): Promise<void> {
    const { bindDn, bindPassword = '', userDn } = this.#o
    if (bindDn !== undefined && !await d.bind(bindDn, bindPassword)) throw new Error(`it refuses ${bindDn}`)
    if (bindDn === undefined && userDn === undefined) await d.unbind() // not who logged in before
  }

  /** Does `work` on a connection that nobody else has; once more on a fresh one where that turns out to have been lost. */
  async #with<T>(work: (d: Directory) => Promise<T>): Promise<T> {
    if (this.#open >= (this.#o.connections ?? CONNECTIONS)) {
      if (this.#waiting.length >= WAITING) throw new Error('too many logins wait for it')
      await new Promise<void>(go => { this.#waiting.push(go) })
    } else this.#open++
    try {
      let d: Directory | undefined
      while ((d = this.#idle.pop()) && !d.alive);
      if (d) {
        try { return await this.#lend(d, work) } catch (error) { if (!(error instanceof DirectoryLost)) throw error }
      }
      return await this.#lend(await Directory.open(this.#at, this.#host.network), work)
    } finally {
      const next = this.#waiting.shift()
      if (next) next() // it has the place now
      else this.#open--
    }
  }

  async #lend<T>(d: Directory, work: (d: Directory) => Promise<T>): Promise<T> {
    try { return await work(d) } finally { if (d.alive) this.#idle.push(d) }
  }
}
