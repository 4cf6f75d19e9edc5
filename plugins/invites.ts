// XEP-0401 with XEP-0379 and XEP-0445: links by which friends become contacts, and strangers users.
import { createHash, randomBytes } from 'node:crypto'
import { HOST_COMMANDS, type Stage } from '../protocols/commands.ts'
import { INVITATIONS, LANDING } from '../protocols/invitations.ts'
import { el, form, isTrue, Jid, namingFault, note, plugin, refuse, type AccountRecord, type Field, type Host } from '../server/api.ts'

const NS_PARS = 'urn:xmpp:pars:0'
const NS_IBR_TOKEN = 'urn:xmpp:ibr-token:0'
const INVITE = 'urn:xmpp:invite#invite'
const CREATE = 'urn:xmpp:invite#create-account'
const RESULT = 'urn:xmpp:invite#invitation'
const COLLECTION = 'invitation'
const WEEK = 7 * 86_400_000 // ms
const HOUR = 3_600_000
const AN_HOUR = 20 // invitations of one user
const PAGE = 500
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789' // nothing that looks like something else

/** An invitation, kept under the hash of its token. */
interface Kept {
  readonly kind: 'friend' | 'account'
  readonly by: string // bare JID
  readonly until: number // ms since 1970
  /** It lets its bearer make an account, */
  readonly register: boolean
  /** of this name only, */
  readonly local?: string
  /** who is a friend of the inviter then. */
  readonly befriend: boolean
}
interface Reserved { readonly key: string; readonly until: number }
interface Shown { readonly key: string; readonly kept: Kept }

const shownHere = note<Shown | undefined>('invitation shown', undefined) // on a stream

/** Invitations. `register`: whose invitations let strangers make an account: nobody's, admins', everyone's. `life`: milliseconds. */
export const invites = plugin('invites', (host, options) => {
  const commands = host.service(HOST_COMMANDS)
  if (!commands) return // the config has none
  const who = options['register'] ?? 'nobody'
  const life = (options['life'] ?? WEEK) as number
  const desk = new Desk(host)
  const isLocal = (jid: Jid): boolean => jid.domain === host.domain && jid.local !== ''
  const mayRegister = (jid: Jid): boolean => isLocal(jid) && (who === 'everyone' || (who === 'admins' && isAdmin(host.accounts.online(jid)?.record)))

  commands.add({
    node: INVITE, name: 'Invite a friend', may: isLocal,
    start: by => desk.give(by, { kind: 'friend', by: by.bare, until: host.clock.now() + life, register: mayRegister(by), befriend: true }),
  })
  host.on('in:admit', ({ stanza, account }) => {
    const token = stanza.kind === 'presence' && stanza.type === 'subscribe' ? stanza.child('preauth', NS_PARS)?.attrs['token'] : undefined
    const { from } = stanza
    if (token === undefined || !from) return
    return desk.redeem(token, account.jid.bare).then(good => good ? host.presences.befriend(account, from.toBare()) : undefined)
  })
  if (who === 'nobody') return

  commands.add({
    node: CREATE, name: 'Invite a new user', may: mayRegister,
    start: by => ({
      form: { type: 'form', title: 'Inviting a new user', instructions: 'Who opens the link makes an account and chooses its password.', fields: [
        { var: 'username', label: 'The name of the account; empty: he chooses it' },
        { var: 'roster-subscription', type: 'boolean', label: 'He and you are contacts then', value: true },
      ] },
      async submit({ values }) {
        const name = values.get('username')?.[0]?.trim() ?? ''
        const jid = name === '' ? undefined : Jid.tryParse(`${name}@${host.domain}`)
        if (name !== '' && (!jid?.isBare || jid.local === '')) return refuse('not-acceptable', 'This name cannot stand in an address.')
        const odd = jid && namingFault(jid.local)
        if (odd) return refuse('not-acceptable', odd)
        if (jid && await host.stores.accounts.find(host.domain, jid.local)) return refuse('conflict', 'There is such an account already.')
        const befriend = isTrue(values.get('roster-subscription')) ?? false
        return desk.give(by, { kind: 'account', by: by.bare, until: host.clock.now() + life, register: true, befriend, ...(jid && { local: jid.local }) })
      },
    }),
  })

  host.streamFeatures.before.push(() => el('register', NS_IBR_TOKEN))
  host.iq(['stream'], 'set', NS_PARS, 'preauth', async (preauth, { stream }) => {
    const key = hash(preauth.attrs['token'] ?? '')
    const kept = await desk.find(key)
    if (!stream || !kept?.register) return refuse('item-not-found', 'The invitation is unknown or over.')
    stream.set(shownHere, { key, kept })
    return undefined
  })
  host.provide(INVITATIONS, {
    shown: stream => stream.get(shownHere)?.kept,
    async take(stream) {
      const shown = stream.get(shownHere)
      if (!shown || !await desk.take(shown.key)) return undefined
      stream.set(shownHere, undefined)
      return {
        async putBack() { await desk.keep(shown.key, shown.kept); stream.set(shownHere, shown) },
        welcome: newcomer => desk.welcome(shown.kept, newcomer),
      }
    },
    isKept: (local, stream) => desk.isKept(local, stream.get(shownHere)?.key),
  })
})

const isAdmin = (r: AccountRecord | undefined): boolean => r?.role === 'admin' && !r.disabled

class Desk {
  readonly #host: Host
  readonly #given = new Map<string, { since: number; count: number }>()
  constructor(host: Host) { this.#host = host }

  /** Makes an invitation; the answer holds the link. */
  async give(by: Jid, kept: Kept): Promise<Stage> {
    if (!this.#mayGive(by.bare)) return refuse('resource-constraint', 'That is enough for this hour.')
    await this.#clear()
    const token = Array.from(randomBytes(24), byte => ALPHABET[byte % ALPHABET.length]).join('') // some 118 bit
    const key = hash(token)
    if (kept.local !== undefined && !await this.#reserve(kept.local, { key, until: kept.until })) return refuse('conflict', 'The name is kept for somebody else.')
    await this.keep(key, kept)
    const { domain } = this.#host
    const uri = kept.kind === 'account' ? `xmpp:${inUri(kept.local === undefined ? domain : `${kept.local}@${domain}`)}?register;preauth=${token}`
      : `xmpp:${inUri(kept.by)}?roster;preauth=${token}${kept.register ? ';ibr=y' : ''}`
    const landing = this.#host.service(LANDING)?.()
    const fields: Field[] = [{ var: 'uri', label: 'The link', value: uri }, ...(landing ? [{ var: 'landing-url', label: 'The link for a browser', value: `${landing}#${uri.slice('xmpp:'.length)}` }] : []), { var: 'expire', label: 'Good until', value: new Date(kept.until).toISOString() }]
    return { result: form({ type: 'result', formType: RESULT, title: 'The invitation', fields }) }
  }

  async keep(key: string, kept: Kept): Promise<void> { await this.#documents.put(COLLECTION, this.#host.domain, key, kept) }

  /** The invitation, if it is still good. */
  async find(key: string): Promise<Kept | undefined> {
    const kept = (await this.#documents.get<Kept>(COLLECTION, this.#host.domain, key))?.value
    return kept && kept.until > this.#host.clock.now() ? kept : undefined
  }

  /** True for the first who comes. */
  async take(key: string): Promise<boolean> { return await this.#documents.remove(COLLECTION, this.#host.domain, key) === 'ok' }

  /** XEP-0379 section 3.5: whether a request bears an invitation of that account, which is used up then. */
  async redeem(token: string, by: string): Promise<boolean> {
    const key = hash(token)
    const kept = await this.find(key)
    return kept?.by === by && kept.kind === 'friend' && await this.take(key)
  }

  async isKept(local: string, key: string | undefined): Promise<boolean> {
    const kept = (await this.#documents.get<Reserved>(COLLECTION, this.#host.domain, `name ${local}`))?.value
    return kept !== undefined && kept.until > this.#host.clock.now() && kept.key !== key
  }

  async welcome({ by, befriend, local }: Kept, newcomer: Jid): Promise<void> {
    if (local !== undefined) await this.#documents.remove(COLLECTION, this.#host.domain, `name ${local}`)
    const { accounts, presences } = this.#host
    this.#host.tellPeople()
    const [inviter, fresh] = [await accounts.at(Jid.parse(by)), await accounts.at(newcomer)]
    if (!befriend || !inviter || !fresh) return
    await presences.befriend(fresh, inviter.jid)
    await presences.befriend(inviter, fresh.jid)
  }

  async #reserve(local: string, mine: Reserved): Promise<boolean> {
    const id = `name ${local}`
    const there = await this.#documents.get<Reserved>(COLLECTION, this.#host.domain, id)
    if (there && there.value.until > this.#host.clock.now()) return false
    return await this.#documents.put(COLLECTION, this.#host.domain, id, mine, there?.version ?? 0) !== 'conflict'
  }

  /** Forgets what is over. */
  async #clear(): Promise<void> {
    const now = this.#host.clock.now()
    for (let after = ''; ;) {
      const page = await this.#documents.range<{ until: number }>(COLLECTION, this.#host.domain, { ...(after && { after }), limit: PAGE })
      for (const { id, value } of page) if (value.until <= now) await this.#documents.remove(COLLECTION, this.#host.domain, id)
      if (page.length < PAGE) return
      after = page.at(-1)!.id // a full page has a last
    }
  }

  #mayGive(bare: string): boolean {
    const now = this.#host.clock.now()
    for (const [whom, g] of this.#given) if (now - g.since > HOUR) this.#given.delete(whom)
    const g = this.#given.get(bare)
    if (!g) this.#given.set(bare, { since: now, count: 1 })
    return !g || ++g.count <= AN_HOUR
  }

  get #documents(): Host['stores']['documents'] { return this.#host.stores.documents }
}

const hash = (token: string): string => createHash('sha256').update(token).digest('base64url')
const inUri = (jid: string): string => encodeURIComponent(jid).replace('%40', '@')
