// XEP-0030: says what the host and its accounts are and can do; the hash of it stands among the stream features (XEP-0115).
import { capsElement, NS_CAPS } from '../protocols/caps.ts'
import { HOST_COMMANDS, NS_COMMANDS } from '../protocols/commands.ts'
import { NODE_DISCO } from '../protocols/personal.ts'
import { el, form, note, plugin, refuse, Token, type Account, type Element, type Host, type Identity, type Jid } from '../server/api.ts'

const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const NODE = 'https://deskbell.example/caps'

const capabilities = note<Element | undefined>('capabilities as last said', undefined) // on a device

/** The domains of the components, which the host lists as its items. */
export const COMPONENTS = new Token<readonly string[]>('components')

/** XEP-0030 Service Discovery; `contact: { admin: [mailto:…], abuse: […], … }` gives the addresses of XEP-0157. */
export const disco = plugin('disco', (host, options) => {
  host.feature(INFO, ITEMS, NS_CAPS, `${NS_CAPS}#optimize`)
  host.accountFeature(INFO, ITEMS)
  const contact = contactForm(options['contact'])
  let made: { readonly of: number; readonly info: readonly Element[]; readonly caps: Element } | undefined
  /** What the host says of itself, with the element that tells the hash of it: made when something was added, not for each who asks. */
  const ofHost = (): { readonly info: readonly Element[]; readonly caps: Element } => {
    const of = host.features.size + host.identities.host.length + host.extensions.length // nothing is ever taken back
    if (made?.of === of) return made
    const info = [el('identity', INFO, { category: 'server', type: 'im', name: 'deskbell' }), ...host.identities.host.map(identity), ...listed(host.features), ...contact, ...host.extensions]
    made = { of, info, caps: capsElement(NODE, el('query', INFO, {}, ...info)) }
    return made
  }
  host.streamFeatures.after.push(() => ofHost().caps)

  host.on('out:mark', ({ stanza, sender }) => { // XEP-0115 section 8.4: a client may say its capabilities once, everybody hears them
    if (stanza.kind !== 'presence' || stanza.type !== 'available' || !sender) return
    const said = stanza.child('c', NS_CAPS)
    if (!said) { const before = sender.get(capabilities) ?? sender.presence?.child('c', NS_CAPS); return before && stanza.with(before) } // its presence outlives a restart of ours
    sender.set(capabilities, said)
  })

  host.iq(['host'], 'get', INFO, 'query', (query, { from }) => {
    const { node } = query.attrs
    const { info, caps } = ofHost()
    if (node === undefined) return el('query', INFO, {}, ...info)
    return node === `${NODE}#${caps.attrs['ver']}` ? el('query', INFO, { node }, ...info) : host.service(HOST_COMMANDS)?.info(node, from) ?? refuse('item-not-found')
  })
  host.iq(['host'], 'get', ITEMS, 'query', (query, { from }) => {
    const { node } = query.attrs
    if (node === undefined) return el('query', ITEMS, {}, ...(host.service(COMPONENTS) ?? []).map(jid => el('item', ITEMS, { jid })))
    return (node === NS_COMMANDS && host.service(HOST_COMMANDS)?.items(host.jid, from)) || refuse('item-not-found')
  })

  host.iq(['self', 'other'], 'get', INFO, 'query', (query, { account, from }) => {
    if (!account || !mayLook(host, account, from)) return refuse('service-unavailable') // section 8: who exists is nobody's business
    const { node } = query.attrs
    const command = node !== undefined && from.bare === account.jid.bare && host.service(HOST_COMMANDS)?.info(node, from)
    if (command) return command
    if (node !== undefined) return host.service(NODE_DISCO)?.info(account, query, from) ?? refuse('item-not-found')
    return el('query', INFO, {}, el('identity', INFO, { category: 'account', type: host.guests ? 'anonymous' : 'registered' }), ...host.identities.account.map(identity), ...listed(host.accountFeatures))
  })
  host.iq(['self', 'other', 'nobody'], 'get', ITEMS, 'query', (query, { account, from }) => {
    const { node } = query.attrs
    if (!account || !mayLook(host, account, from)) return el('query', ITEMS, node === undefined ? {} : { node }) // section 8: nothing, whether there is somebody or not
    if (node === NS_COMMANDS && from.bare === account.jid.bare) return host.service(HOST_COMMANDS)?.items(account.jid, from) ?? refuse('item-not-found')
    return host.service(NODE_DISCO)?.items(account, query, from) ?? (node === undefined ? el('query', ITEMS) : refuse('item-not-found'))
  })
})

/** The account itself, and those who may see its presence. */
const mayLook = (host: Host, account: Account, who: Jid): boolean =>
  who.bare === account.jid.bare || host.guests !== undefined || // XEP-0175 section 5: whoever knows a guest's address may
  (host.rosters.of(account).isWatcher(who.bare) && !host.barred(account, who))

const listed = (features: ReadonlySet<string>): Element[] => [...features].sort().map(f => el('feature', INFO, { var: f }))

const identity = (attrs: Identity): Element => el('identity', INFO, { ...attrs })

const ROLES = ['abuse', 'admin', 'feedback', 'sales', 'security', 'status', 'support']

function contactForm(given: unknown): Element[] {
  if (typeof given !== 'object' || given === null) return []
  const of = new Map(Object.entries(given))
  const fields = ROLES.flatMap(role => {
    const all: unknown = of.get(role)
    const uris = Array.isArray(all) ? all.filter(u => typeof u === 'string') : []
    return uris.length ? [{ var: `${role}-addresses`, type: 'list-multi' as const, value: uris }] : []
  })
  return fields.length ? [form({ type: 'result', formType: 'http://jabber.org/network/serverinfo', fields })] : []
}
