// `deskbell user …`: accounts made, changed, removed and listed.
import { randomPassword } from '../../server/host/keeping.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { everyAccount } from '../../server/store/pages.ts'
import type { AccountRecord, Credentials } from '../../server/ports/store.ts'
import { removeAccount } from '../../server/account/authority.ts'
import { namingFault } from '../../server/account/naming.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { done, failed, misused, type Office, type Outcome, type Verb } from '../office.ts'
import { listTokens, removeToken } from '../tokens.ts'
import { account, isOutcome, read, role } from './words.ts'

export const user: Verb = async (args, office) => {
  const [verb, ...rest] = args
  switch (verb) {
    case 'add': return add(rest, office)
    case 'passwd': return passwd(rest, office)
    case 'remove': return remove(rest, office)
    case 'list': return list(rest, office)
    case 'role': return changeRole(rest, office)
    default: return misused('usage: deskbell user add|passwd|remove|list|role …')
  }
}

async function add(args: readonly string[], office: Office): Promise<Outcome> {
  const words = read(args, { password: { type: 'string' }, role: { type: 'string' }, name: { type: 'string' } }, 1, 'user add JID [--password P] [--role agent|manager|admin] [--name "Shown Name"]')
  if (isOutcome(words)) return words
  const jid = account(words.positionals[0] ?? '', office)
  if (isOutcome(jid)) return jid
  const wanted = role(words.values.role)
  if (isOutcome(wanted)) return wanted
  const { name } = words.values
  if (name !== undefined && (!name.trim() || name.length > 80)) return misused('a shown name has 1 to 80 characters: give another --name')
  const made = await makeAccount(office, jid, { ...(wanted && { role: wanted }), ...(name !== undefined && { name: name.trim() }) }, words.values.password)
  return isOutcome(made) ? made : done(`${jid.bare} added${wanted ? `, role ${wanted}` : ''}`, ...told(words.values.password, made.password))
}

async function passwd(args: readonly string[], office: Office): Promise<Outcome> {
  const words = read(args, { password: { type: 'string' } }, 1, 'user passwd JID [--password P]')
  if (isOutcome(words)) return words
  const jid = account(words.positionals[0] ?? '', office)
  if (isOutcome(jid)) return jid
  const record = await office.stores.accounts.find(jid.domain, jid.local)
  if (!record) return missing(jid)
  if (office.config.hosts.get(jid.domain)?.plugins['ldap']) return failed(`the directory keeps the password of ${jid.bare}: change it there`)
  const password = words.values.password ?? randomPassword()
  const credentials = await credentialsOf(password, jid, office)
  if (isOutcome(credentials)) return credentials
  await office.stores.accounts.update({ ...record, credentials })
  await office.changed?.(jid.bare, 'password')
  return done(`${jid.bare} has a new password`, ...told(words.values.password, password))
}

async function remove(args: readonly string[], office: Office): Promise<Outcome> {
  const words = read(args, {}, 1, 'user remove JID')
  if (isOutcome(words)) return words
  const jid = account(words.positionals[0] ?? '', office)
  if (isOutcome(jid)) return jid
  const record = await office.stores.accounts.find(jid.domain, jid.local)
  if (!record) return missing(jid)
  await (office.farewell ? office.farewell(jid.bare) : part(jid, office))
  if (await removeAccount(office.stores, record) === 'missing') return missing(jid)
  for (const token of await listTokens(office.stores, jid.domain, jid.bare)) await removeToken(office.stores, jid.domain, token.id)
  await office.changed?.(jid.bare, 'removed')
  return done(`${jid.bare} removed`)
}

/** Takes an account out of the subscriptions of ours that it has; those elsewhere hear of it only from a running server. */
async function part({ bare }: Jid, { stores, config }: Office): Promise<void> {
  for (const { jid } of (await stores.rosters.load(bare)).items) {
    const contact = Jid.tryParse(jid)
    if (!contact?.local || !config.hosts.has(contact.domain)) continue
    const { version, items } = await stores.rosters.load(contact.bare)
    const item = items.find(i => i.jid === bare && !i.removed)
    if (!item) continue
    const { ask: _ask, approved: _approved, request: _request, ...rest } = item
    await stores.rosters.put(contact.bare, version + 1, [{ ...rest, subscription: 'none', version: version + 1 }])
  }
}

async function changeRole(args: readonly string[], office: Office): Promise<Outcome> {
  const words = read(args, {}, 2, 'user role JID agent|manager|admin|none')
  if (isOutcome(words)) return words
  const jid = account(words.positionals[0] ?? '', office)
  if (isOutcome(jid)) return jid
  const wanted = role(words.positionals[1])
  if (isOutcome(wanted)) return wanted
  const record = await office.stores.accounts.find(jid.domain, jid.local)
  if (!record) return missing(jid)
  const { role: _, ...rest } = record
  await office.stores.accounts.update({ ...rest, ...(wanted && { role: wanted }) })
  await office.changed?.(jid.bare, 'role')
  return done(`${jid.bare} ${wanted ? `is ${wanted}` : 'has no role'} now`)
}

async function list(args: readonly string[], office: Office): Promise<Outcome> {
  const words = read(args, {}, 0, 'user list')
  if (isOutcome(words)) return words
  const lines: string[] = []
  for (const host of office.config.hosts.keys()) {
    for await (const { local, role: held, name, disabled } of everyAccount(office.stores.accounts, host)) {
      lines.push([`${local}@${host}`, held ?? '-', name ?? '', disabled ? 'disabled' : ''].join('\t').trimEnd())
    }
  }
  return done(...lines)
}

/** Makes an account, with a random password if none is given and no directory keeps it; a refusal if it exists or the password cannot be one. */
export async function makeAccount(office: Office, jid: Jid, more: Pick<AccountRecord, 'role' | 'name'>, given?: string): Promise<{ password: string | undefined } | Outcome> {
  const odd = namingFault(jid.local)
  if (odd) return misused(`${jid.bare}: ${odd}`)
  const directory = Boolean(office.config.hosts.get(jid.domain)?.plugins['ldap'])
  if (directory && given !== undefined) return misused(`the directory keeps the password of ${jid.bare}: leave out --password`)
  const password = given ?? randomPassword()
  const credentials = directory ? {} : await credentialsOf(password, jid, office)
  if (isOutcome(credentials)) return credentials
  const record: AccountRecord = { host: jid.domain, local: jid.local, created: office.clock.now(), credentials, ...more, ...(directory && { authority: 'ldap' }) }
  if (await office.stores.accounts.create(record) === 'conflict') return failed(`${jid.bare} exists already: use deskbell user passwd or user role to change it`)
  await office.changed?.(jid.bare, 'made')
  return { password: directory ? undefined : password }
}

async function credentialsOf(password: string, jid: Jid, office: Office): Promise<Credentials | Outcome> {
  try {
    const iterations = office.config.hosts.get(jid.domain)?.scramIterations
    return await makeCredentials(password, iterations === undefined ? {} : { iterations })
  } catch (error) {
    if (error instanceof TypeError) return misused(`${error.message}: give another --password, or none for a random one`)
    throw error
  }
}

const told = (given: string | undefined, password: string | undefined): string[] => given === undefined && password !== undefined ? [`password: ${password}`] : []

const missing = (jid: Jid): Outcome => failed(`there is no account ${jid.bare}: deskbell user list shows those there are`)
