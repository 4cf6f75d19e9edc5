// `deskbell token …`: REST tokens made, listed and removed.
import { oddScope } from '../../components/helpdesk/api/scopes.ts'
import { done, failed, misused, type Office, type Outcome, type Verb } from '../office.ts'
import { listTokens, makeToken, removeToken, type TokenEntry } from '../tokens.ts'
import { account, duration, isOutcome, read } from './words.ts'

const SHOWN = 12 // hex digits of a token's hash that stand for it in lists

export const token: Verb = async (args, office) => {
  const [verb, ...rest] = args
  switch (verb) {
    case 'add': return add(rest, office)
    case 'list': return list(rest, office)
    case 'remove': return remove(rest, office)
    default: return misused('usage: deskbell token add|list|remove …')
  }
}

async function add(args: readonly string[], office: Office): Promise<Outcome> {
  const words = read(args, { scope: { type: 'string', multiple: true }, expires: { type: 'string' } }, 1, 'token add JID [--scope S …] [--expires 90d]')
  if (isOutcome(words)) return words
  const jid = account(words.positionals[0] ?? '', office)
  if (isOutcome(jid)) return jid
  const scopes = words.values.scope
  const odd = oddScope(scopes ?? [])
  if (odd !== undefined) return misused(odd)
  const life = words.values.expires === undefined ? undefined : duration(words.values.expires)
  if (isOutcome(life)) return life
  if (!await office.stores.accounts.find(jid.domain, jid.local)) return failed(`there is no account ${jid.bare}: make it with deskbell user add`)
  const created = office.clock.now()
  const made = await makeToken(office.stores, jid.domain, { jid: jid.bare, created, ...(life !== undefined && { expires: created + life }), ...(scopes && { scopes }) })
  return done(`token: ${made.text}`)
}

async function list(args: readonly string[], office: Office): Promise<Outcome> {
  const words = read(args, {}, 0, 'token list')
  if (isOutcome(words)) return words
  return done(...(await all(office)).map(({ id, jid, created, expires, scopes, seal }) =>
    [id.slice(0, SHOWN), jid, `made ${day(created)}`, expires === undefined ? 'no end' : `ends ${day(expires)}`, scopes?.join(' ') ?? 'all', ...(seal === undefined ? [] : ['signed in'])].join('\t')))
}

async function remove(args: readonly string[], office: Office): Promise<Outcome> {
  const words = read(args, {}, 1, 'token remove ID')
  if (isOutcome(words)) return words
  const [wanted = ''] = words.positionals
  const found = wanted.length >= 4 ? (await all(office)).filter(({ id }) => id.startsWith(wanted)) : []
  const [one, more] = found
  if (!one || more) return failed(`${wanted} names ${one ? 'more than one token' : 'no token'}: deskbell token list shows their ids`)
  await removeToken(office.stores, one.host, one.id)
  office.tokensEnded?.()
  return done(`token ${one.id.slice(0, SHOWN)} of ${one.jid} removed`)
}

async function all(office: Office): Promise<(TokenEntry & { host: string })[]> {
  const lists = await Promise.all([...office.config.hosts.keys()].map(async host => (await listTokens(office.stores, host)).map(entry => ({ ...entry, host }))))
  return lists.flat()
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
