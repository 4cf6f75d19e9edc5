// XEP-0054: keeps a user's vCard and shows it to everybody.
import { PHOTOS } from '../protocols/personal.ts'
import { el, Element, parseFrame, plugin, refuse } from '../server/api.ts'

const NS = 'vcard-temp'
const COLLECTION = 'vcard'

/** XEP-0054 vcard-temp. */
export const vcard = plugin('vcard', host => {
  host.feature(NS)
  host.accountFeature(NS)
  const { documents } = host.stores

  host.iq(['self', 'other'], 'get', NS, 'vCard', async (_, { account, from }) => {
    const own = account !== undefined && from.bare === account.jid.bare
    if (!account || (!own && host.barred(account, from, true))) return refuse('service-unavailable')
    const kept = await documents.get<string>(COLLECTION, account.jid.bare, '')
    const photo = await host.service(PHOTOS)?.get(account, from)
    if (kept || photo) return dressed(kept ? parseFrame(kept.value) : el('vCard', NS), photo)
    return own ? el('vCard', NS) : refuse('service-unavailable') // as for an account that does not exist
  })

  host.iq(['self'], 'set', NS, 'vCard', async (card, { account }) => {
    if (!account) return refuse('forbidden')
    const elsewhere = await host.service(PHOTOS)?.set(account, card.child('PHOTO')) ?? false
    await documents.put(COLLECTION, account.jid.bare, '', (elsewhere ? bare(card) : card).toString())
    return undefined
  })
  host.iq(['other', 'nobody'], 'set', NS, '*', () => refuse('forbidden'))
})

const bare = (card: Element): Element => new Element(card.name, card.ns, card.attrs, card.children.filter(c => typeof c === 'string' || !c.is('PHOTO', NS)))
const dressed = (card: Element, photo: Element | undefined): Element => (photo ? new Element(card.name, card.ns, card.attrs, [...bare(card).children, photo]) : card)
