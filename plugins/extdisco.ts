// XEP-0215: tells users where the media relays and other services outside of XMPP are, with credentials that end soon.
import { createHash, createHmac } from 'node:crypto'
import { el, plugin, refuse, type Ask, type Element, type Host, type StanzaError } from '../server/api.ts'

const NS = 'urn:xmpp:extdisco:2'
const LIFE = 12 * 3_600_000 // ms

/** A service as the config has it. With `secret` (shared with the relay) its users get credentials of their own. */
interface Service {
  readonly type: string
  readonly host: string
  readonly port?: number
  readonly transport?: 'udp' | 'tcp'
  readonly name?: string
  readonly secret?: string
  readonly username?: string
  readonly password?: string
}

/** XEP-0215 External Service Discovery; `services` names them, `life` is how long credentials hold, in milliseconds. */
export const extdisco = plugin('extdisco', (host, options) => {
  const services = (options['services'] ?? []) as readonly Service[] // the config's schema has looked at them
  const life = (options['life'] ?? LIFE) as number
  if (services.length === 0) return
  host.feature(NS)

  host.iq(['host', 'self'], 'get', NS, 'services', (query, ask) => {
    if (!isOurs(host, ask)) return refuse('forbidden')
    const { type } = query.attrs
    const wanted = services.filter(s => type === undefined || s.type === type)
    return el('services', NS, type === undefined ? {} : { type }, ...wanted.map(s => told(s, credentials(host, s, ask, life))))
  })

  host.iq(['host', 'self'], 'get', NS, 'credentials', (query, ask): Element | StanzaError => {
    if (!isOurs(host, ask)) return refuse('forbidden')
    const asked = query.child('service')
    if (!asked?.attrs['host'] || !asked.attrs['type']) return refuse('bad-request', 'Say which service.')
    const { host: at, type, port } = asked.attrs
    const found = services.filter(s => s.host === at && s.type === type && (port === undefined || String(s.port) === port))
    const given = found.map(s => ({ s, keys: credentials(host, s, ask, life) })).filter(({ keys }) => keys['username'] !== undefined)
    return given.length === 0 ? refuse('item-not-found') : el('credentials', NS, {}, ...given.map(({ s, keys }) => told(s, keys)))
  })
})

const isOurs = (host: Host, { from }: Ask): boolean => from.domain === host.domain && from.local !== ''

function told({ type, host, port, transport, name }: Service, keys: Readonly<Record<string, string>>): Element {
  return el('service', NS, { type, host, ...(port !== undefined && { port: String(port) }), ...(transport && { transport }), ...(name && { name }), ...keys })
}

/** Of a relay that shares a secret with us: the user name is its end in seconds, the password proves that we made it (draft-uberti-behave-turn-rest-00 section 2.2). */
function credentials(host: Host, { secret, username, password }: Service, { from }: Ask, life: number): Record<string, string> {
  if (secret === undefined) return username === undefined ? {} : { restricted: 'true', username, password: password ?? '' }
  const expires = Math.ceil((host.clock.now() + life) / 1000)
  const user = createHash('sha256').update(from.bare).digest('base64url').slice(0, 16) // the relay can count by user, and learns no address
  const name = `${expires}:${user}`
  return {
    restricted: 'true',
    username: name,
    password: createHmac('sha1', secret).update(name).digest('base64'),
    expires: new Date(expires * 1000).toISOString().replace('.000Z', 'Z'),
  }
}
