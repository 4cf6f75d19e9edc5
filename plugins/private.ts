// XEP-0049: keeps XML for a user's clients, such as bookmarks and notes of older ones.
import { VAULTS, type Vault } from '../protocols/personal.ts'
import { el, parseFrame, plugin, refuse } from '../server/api.ts'

const NS = 'jabber:iq:private'
const COLLECTION = 'private'
const MOST = 100 // elements of one account

/** XEP-0049 Private XML Storage. */
export const privateStorage = plugin('private', host => {
  host.feature(NS)
  const { documents } = host.stores
  const vaults = new Map<string, Vault>()
  host.provide(VAULTS, vaults)

  host.iq(['self'], 'get', NS, 'query', async (query, { account }) => {
    const [wanted, second] = query.elements
    if (!account || !wanted || second || wanted.ns === NS) return refuse('bad-request')
    const id = `{${wanted.ns}}${wanted.name}`
    const vault = vaults.get(id)
    if (vault) return el('query', NS, {}, await vault.get(account))
    const kept = await documents.get<string>(COLLECTION, account.jid.bare, id)
    return el('query', NS, {}, kept ? parseFrame(kept.value) : el(wanted.name, wanted.ns))
  })

  host.iq(['self'], 'set', NS, 'query', async (query, { account }) => {
    if (!account || query.elements.length === 0) return refuse('bad-request')
    if (query.elements.some(e => e.ns === NS || e.ns === 'jabber:client')) return refuse('not-acceptable') // section 4: it needs a namespace of its own
    for (const e of query.elements) {
      const id = `{${e.ns}}${e.name}`
      const owner = account.jid.bare
      const refused = await vaults.get(id)?.set(account, e)
      if (refused) return refused
      if (vaults.has(id)) continue
      if (!(await documents.get(COLLECTION, owner, id)) && (await documents.range(COLLECTION, owner, { limit: MOST })).length >= MOST) return refuse('resource-constraint')
      await documents.put(COLLECTION, owner, id, e.toString())
    }
    return undefined
  })

  for (const type of ['get', 'set'] as const) host.iq(['other', 'nobody'], type, NS, '*', () => refuse('forbidden'))
})
