// XEP-0092: tells which server this is.
import { el, plugin } from '../server/api.ts'

const NS = 'jabber:iq:version'

/** XEP-0092 Software Version; `number: 1.2.3` tells which, absent: only the name. */
export const version = plugin('version', (host, options) => {
  const number = typeof options['number'] === 'string' ? options['number'] : 'unspecified' // the element is required (section 2)
  host.feature(NS)
  host.iq(['host'], 'get', NS, 'query', () => el('query', NS, {}, el('name', NS, {}, 'deskbell'), el('version', NS, {}, number)))
})
