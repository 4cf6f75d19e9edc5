// Operators as an admin sees them: made, changed, deleted, shown on the board, counted for the bill (shell).
import { Jid, type AccountKeeper } from '../../server/api.ts'
import { capacityOf, colour, isReceiving, takesFrom } from './availability.ts'
import { Refused, type Bare } from './facts.ts'
import type { Office } from './office.ts'
import type { OperatorRecord } from './operators.ts'
import { GRANTED, roleTitle, type Role } from './permissions.ts'

/** What may be said of an operator from outside; null takes a word back. */
export interface OperatorNews {
  readonly name?: string
  readonly password?: string
  readonly confirm?: string
  /** agent (Normal), manager, admin (Administrator), or one of the admin's own. */
  readonly role?: string
  readonly disabled?: boolean
  readonly alias?: string | null
  readonly email?: string | null
  readonly capacity?: number | null
  readonly perQueue?: Readonly<Record<string, number>> | null
  readonly departments?: readonly string[] | null
  readonly skills?: readonly string[] | null
  readonly languages?: readonly string[] | null
  readonly bot?: boolean | null
  /** Who sees conversations how; null: as the queue says. */
  readonly view?: 'contact' | 'room' | null
}

const ACCOUNT = ['name', 'password', 'confirm', 'role', 'disabled'] as const
const ADMIN_ONLY = ['role', 'disabled', 'capacity', 'perQueue', 'departments', 'bot'] as const

export class People {
  readonly #o: Office
  constructor(office: Office) { this.#o = office }
  get #accounts(): AccountKeeper | undefined { return this.#o.link.privileges?.accounts }

  /** Makes an account that serves. Gives the password where none was chosen (OM-04). */
  async make(local: string, news: OperatorNews): Promise<{ jid: Bare; password: string | undefined } | Refused> {
    const accounts = this.#accounts
    if (!accounts) return new Refused('This desk runs beside its server: make the account there.')
    const wrong = this.#wrong(news)
    if (wrong) return wrong
    const role = news.role ?? 'agent'
    const made = await accounts.make(local, { role: this.#accountRole(role), ...(news.name === undefined ? {} : { name: news.name }), ...(news.password === undefined ? {} : { password: news.password }) })
    if ('refused' in made) return new Refused(made.refused)
    await this.#o.onPeople()
    await this.#note(made.jid, { ...news, role })
    return { jid: made.jid, password: news.password === undefined ? made.password : undefined }
  }

  async change(jid: Bare, news: OperatorNews, by: Bare): Promise<Refused | undefined> {
    const { operators } = this.#o
    const all = operators.may(by, 'operators.manage')
    if (!all && (by !== jid || ADMIN_ONLY.some(k => news[k] !== undefined))) return new Refused('You may not change that.', undefined, true)
    const wrong = this.#wrong(news)
    if (wrong) return wrong
    if (by === jid && (news.disabled === true || (news.role !== undefined && news.role !== operators.holds(jid)))) return new Refused('You cannot take your own role: ask another administrator.')
    if (ACCOUNT.some(k => news[k] !== undefined)) {
      const local = await this.#accounts?.find(jid)
      if (!local && ACCOUNT.some(k => k !== 'role' && news[k] !== undefined)) return new Refused('This operator’s account is on another server: change it there.')
      const refused = local && await this.#accounts?.change(jid, {
        ...(news.name === undefined ? {} : { name: news.name }), ...(news.password === undefined ? {} : { password: news.password }), ...(news.disabled === undefined ? {} : { disabled: news.disabled }),
        ...(news.role === undefined ? {} : { role: this.#accountRole(news.role) }),
      })
      if (refused) return new Refused(refused.refused)
      await this.#o.onPeople()
    }
    if (operators.has(jid)) await this.#note(jid, news)
    this.#o.operatorChanged(jid)
    return undefined
  }

  /** Deletes the account; its conversations go on to others, and its name stays with what it said (OM-12). */
  async remove(jid: Bare, by: Bare): Promise<Refused | undefined> {
    if (jid === by) return new Refused('You cannot delete yourself: ask another administrator.')
    const refused = await this.#accounts?.remove(jid) ?? (this.#accounts ? undefined : { refused: 'This desk runs beside its server: delete the account there.' })
    if (refused) return new Refused(refused.refused)
    await this.#o.onPeople()
    await this.#o.operators.forget(jid)
    return undefined
  }

  /** OM-02: operators who count. */
  usage(): { readonly operators: number; readonly byRole: Readonly<Record<string, number>> } {
    const byRole: Record<string, number> = {}
    for (const p of this.#o.operators.all()) { const r = this.#o.operators.holds(p.jid) ?? p.role; byRole[r] = (byRole[r] ?? 0) + 1 }
    return { operators: this.#o.operators.all().length, byRole }
  }

  /** ST-33: state, conversations, and how many queues of all are active. */
  row(jid: Bare): { readonly jid: Bare; readonly name: string; readonly status: 'available' | 'away' | 'busy' | 'offline'; readonly activeChats: number; readonly activeGroups: number; readonly totalGroups: number } {
    const { operators } = this.#o
    const o = operators.operator(jid)
    const queues = operators.queuesOf(jid)
    return { jid, name: operators.name(jid), status: STATUS[colour(o)], activeChats: this.#o.serves(jid), activeGroups: queues.filter(q => isReceiving(o, q)).length, totalGroups: queues.length }
  }

  /** Everything but secrets. */
  card(jid: Bare): object {
    const { operators, rules } = this.#o
    const { intake, view, role: _, ...rest } = operators.record(jid)
    const o = operators.operator(jid)
    const role = operators.holds(jid) ?? ''
    return {
      ...this.row(jid), shownName: operators.person(jid)?.name ?? null, role, roleTitle: roleTitle(rules.now.roles, role), permissions: [...operators.rights(role)].sort(),
      alias: rest.alias ?? null, email: rest.email ?? null, capacity: rest.capacity ?? null, maxChats: capacityOf(o), perQueue: rest.perQueue ?? {}, departments: rest.departments ?? null,
      skills: rest.skills ?? [], languages: rest.languages ?? [], bot: rest.bot === true, view: view ?? null, invisible: intake.invisible, devices: o.devices.length,
      queues: operators.queuesOf(jid).map(queue => ({ queue, active: takesFrom(o, queue) })),
    }
  }

  /** OM-11: what a third-party client must be told. */
  connection(jid: Bare): object | undefined {
    const at = Jid.tryParse(jid)
    const accounts = this.#accounts
    if (!at || !accounts || at.domain !== accounts.domain) return undefined
    const { starttls, tls, websocket, bosh, selfSigned } = accounts.connection()
    return { jid: at.bare, user: at.local, domain: at.domain, host: at.domain, port: starttls ?? tls ?? null, starttls: starttls ?? null, directTls: tls ?? null, security: starttls === undefined && tls === undefined ? null : starttls === undefined ? 'direct TLS' : 'STARTTLS', websocket: websocket ?? null, bosh: bosh ?? null, selfSigned }
  }

  #wrong(n: OperatorNews): Refused | undefined {
    if ((n.password !== undefined || n.confirm !== undefined) && n.password !== n.confirm && n.confirm !== undefined) return new Refused('password and confirm are not the same.')
    if (n.confirm !== undefined && n.password === undefined) return new Refused('password and confirm are not the same.')
    if (n.role !== undefined && !this.#isRole(n.role)) return new Refused(`There is no role ${n.role}.`)
    for (const q of Object.keys(n.perQueue ?? {})) if (!this.#o.hasQueue(q)) return new Refused(`There is no queue ${q}.`)
    for (const d of n.departments ?? []) if (this.#o.rules.now.departments[d] === undefined) return new Refused(`There is no department ${d}.`)
    return undefined
  }
  #isRole(role: string): boolean { return role in GRANTED ? role !== 'customer' && role !== 'public' : this.#o.rules.now.roles[role] !== undefined }
  #accountRole(role: string): Role { return role === 'agent' || role === 'manager' || role === 'admin' ? role : this.#o.rules.now.roles[role]?.base ?? 'agent' }

  async #note(jid: Bare, n: OperatorNews): Promise<void> {
    const word = <K extends keyof OperatorNews & keyof OperatorRecord>(k: K): object => n[k] === undefined ? {} : { [k]: n[k] ?? undefined }
    await this.#o.operators.change(jid, {
      ...word('alias'), ...word('email'), ...word('capacity'), ...word('perQueue'), ...word('departments'), ...word('skills'), ...word('languages'), ...word('bot'), ...word('view'),
      ...(n.role === undefined ? {} : { role: this.#o.rules.now.roles[n.role] !== undefined && !(n.role in GRANTED) ? n.role : undefined }),
    })
  }
}

const STATUS = { green: 'available', yellow: 'away', red: 'busy', black: 'offline' } as const
