// XEP-0199: answers a ping.
import { plugin } from '../server/api.ts'

const NS = 'urn:xmpp:ping'

/** XEP-0199 XMPP Ping, to the host or to the sender's own account. */
export const ping = plugin('ping', host => {
  host.feature(NS)
  host.iq(['host', 'self'], 'get', NS, 'ping', () => undefined)
})
