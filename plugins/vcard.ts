// XEP-0054: keeps a user's vCard and shows it to everybody.
import { el, parseFrame, plugin, refuse } from '../server/api.ts'

const NS = 'vcard-temp'
const COLLECTION = 'vcard'

/** XEP-0054 vcard-temp. */
export const vcard = plugin('vcard', host => {
  host.feature(NS)
  host.accountFeature(NS)
  const { documents } = host.stores

  host.iq(['self', 'other'], 'get', NS, 'vCard', async (_, { account, from }) => {
    const own = account !== undefined && from.bare === account.jid.bare
    if (!account || (!own && host.barred(account, from))) return refuse('service-unavailable')
    const kept = await documents.get<string>(COLLECTION, account.jid.bare, '')
    if (kept) return parseFrame(kept.value)
    return own ? el('vCard', NS) : refuse('service-unavailable') // as for an account that does not exist
  })

  host.iq(['self'], 'set', NS, 'vCard', async (card, { account }) => {
    if (!account) return refuse('forbidden')
    await documents.put(COLLECTION, account.jid.bare, '', card.toString())
    return undefined
  })
  host.iq(['other'], 'set', NS, '*', () => refuse('forbidden'))
})
