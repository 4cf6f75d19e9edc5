// Accounts made, changed and removed while the house runs: the store first, then the sessions.
import { randomInt } from 'node:crypto'
import type { AccountChange, AccountKeeper, Connection } from '../component/component.ts'
import type { AccountRecord, Credentials } from '../ports/store.ts'
import type { Resource } from '../session/account.ts'
import type { StreamCondition } from '../session/ending.ts'
import { removeAccount } from '../account/authority.ts'
import { namingFault } from '../account/naming.ts'
import { Jid } from '../stanza/jid.ts'
import { revokeTokens } from '../stream/sasl/fast.ts'
import { makeCredentials } from '../stream/sasl/credentials.ts'
import type { Host } from './host.ts'

const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789' // nothing that looks like something else
const NAME = 80 // characters

/** A password of 99 random bits, fit to be read out: 20 letters of 31. */
export const randomPassword = (): string =>
  Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')).join('-')

/**
 * Takes in what was changed in the store. If password, state or existence changed, what is open in the account's name ends: its
 * sessions but `but`, logins that have no session yet, tokens (SEC-T22).
 */
export function accountChanged(host: Host, at: Jid, record: AccountRecord | undefined, what: 'made' | 'password' | 'role' | 'removed' | 'disabled', but?: Resource): void {
  const open = [...host.accounts.online(at)?.resources.values() ?? []]
  host.accounts.refresh(at, record)
  host.tellPeople()
  if (what === 'made' || what === 'role') return // a role holds at once, without a new login
  if (what !== 'removed') revokeTokens(host.stores.documents, at.bare).catch((error: unknown) => host.bug(error))
  const [condition, why] = what === 'password' ? ['reset', 'The password was changed.'] as const : ['not-authorized', 'The account was removed or disabled.'] as const
  endLogins(host, at, condition, why)
  for (const r of open) if (r !== but) r.end(condition, why)
}

/** Ends the streams on which `at` has logged in and has no session yet. */
export function endLogins(host: Host, at: Jid, condition: StreamCondition, why: string): void {
  for (const stream of [...host.unbound]) if (stream.user?.bare === at.bare) stream.fail(condition, why)
}

/** What a component may do with the accounts of `host`. */
export function keeperOf(host: Host, connection: () => Connection): AccountKeeper {
  const keys = async (password: string): Promise<Credentials | undefined> => { try { return await makeCredentials(password) } catch { return undefined } }
  const refused = (because: string): { refused: string } => ({ refused: because })
  const find = async (jid: string): Promise<{ at: Jid; record: AccountRecord } | undefined> => {
    const at = Jid.tryParse(jid)
    const record = at?.domain === host.domain ? await host.stores.accounts.find(at.domain, at.local) : undefined
    return at && record && { at, record }
  }
  return {
    domain: host.domain,
    connection,
    find: async jid => { const f = await find(jid); return f && { role: f.record.role, disabled: f.record.disabled === true, created: f.record.created, ...(f.record.name === undefined ? {} : { name: f.record.name }) } },
    async make(local, { name, role, password: given }) {
      const at = Jid.tryParse(`${local}@${host.domain}`)
      if (!at?.local || at.resource || local.includes('@')) return refused(`"${local}" cannot stand before the @ of an address.`)
      const odd = namingFault(at.local)
      if (odd) return refused(odd)
      if (wrongName(name)) return refused(`A shown name has 1 to ${NAME} characters.`)
      const elsewhere = host.authorities.find(a => a.keepsPasswords)
      if (elsewhere && given !== undefined) return refused(ELSEWHERE)
      const password = elsewhere ? undefined : given ?? randomPassword()
      const credentials = password === undefined ? {} : await keys(password)
      if (!credentials) return refused('This cannot be a password.')
      const record: AccountRecord = { host: at.domain, local: at.local, created: host.clock.now(), credentials, ...(name ? { name } : {}), ...(role ? { role } : {}), ...(elsewhere && { authority: elsewhere.name }) }
      if (await host.stores.accounts.create(record) === 'conflict') return refused(`There is an account ${at.bare} already.`)
      accountChanged(host, at, record, 'made')
      return { jid: at.bare, password }
    },
    async change(jid, news) {
      const found = await find(jid)
      if (!found) return refused('There is no such account here.')
      if (wrongName(news.name)) return refused(`A shown name has 1 to ${NAME} characters.`)
      if (news.password !== undefined && host.passwordsElsewhere) return refused(ELSEWHERE)
      const credentials = news.password === undefined ? undefined : await keys(news.password)
      if (news.password !== undefined && !credentials) return refused('This cannot be a password.')
      const record = changed(found.record, news, credentials)
      if (await host.stores.accounts.update(record) === 'missing') return refused('There is no such account here.')
      accountChanged(host, found.at, record, credentials ? 'password' : news.disabled === true ? 'disabled' : 'role')
      return undefined
    },
    async remove(jid) {
      const found = await find(jid)
      const account = found && await host.accounts.at(found.at)
      if (account) await host.rosters.farewell(account)
      if (!found || await removeAccount(host.stores, found.record) === 'missing') return refused('There is no such account here.')
      accountChanged(host, found.at, undefined, 'removed')
      return undefined
    },
  }
}

const ELSEWHERE = 'It cannot be set here: passwords of this host are kept elsewhere.'
const wrongName = (name: string | undefined): boolean => name !== undefined && (name.trim() === '' || [...name].length > NAME || /[\r\n]/.test(name))

function changed(record: AccountRecord, { name, role, disabled }: AccountChange, credentials: Credentials | undefined): AccountRecord {
  const { role: held, disabled: was, ...rest } = record
  const [isRole, isOff] = [role === undefined ? held : role ?? undefined, disabled ?? was]
  return { ...rest, ...(name === undefined ? {} : { name }), ...(credentials ? { credentials } : {}), ...(isRole ? { role: isRole } : {}), ...(isOff ? { disabled: true } : {}) }
}
