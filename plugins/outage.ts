// XEP-0455: tells where to read about outages while the server cannot be reached.
import { form, plugin } from '../server/api.ts'

const NS = 'urn:xmpp:sos:0'

/** XEP-0455 Service Outage Status; `addresses` are URLs of status files, on another machine than this one. */
export const outage = plugin('outage', (host, options) => {
  const addresses = (options['addresses'] ?? []) as readonly string[] // the config's schema has looked at them
  if (addresses.length > 0) host.extensions.push(form({ type: 'result', formType: NS, fields: [{ var: 'external-status-addresses', type: 'list-multi', value: addresses }] }))
})
