// XEP-0202: tells the server's time.
import { el, plugin } from '../server/api.ts'

const NS = 'urn:xmpp:time'

/** XEP-0202 Entity Time, in UTC. */
export const time = plugin('time', host => {
  host.feature(NS)
  host.iq(['host'], 'get', NS, 'time', () => {
    const utc = new Date(host.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    return el('time', NS, {}, el('tzo', NS, {}, '+00:00'), el('utc', NS, {}, utc))
  })
})
