// XEP-0352: hears which devices nobody looks at.
import { el, note, plugin, Token, type Resource } from '../server/api.ts'

const NS = 'urn:xmpp:csi:0'

const inactive = note('inactive', false) // on a device

/** Whether nobody looks at a device now. */
export const INACTIVE = new Token<(device: Resource) => boolean>('inactive devices')

/** XEP-0352 Client State Indication. What it allows to hold back is left to those who ask for INACTIVE. */
export const csi = plugin('csi', host => {
  host.streamFeatures.after.push(() => el('csi', NS))
  host.onNonza(NS, 'active', (_, device) => device.set(inactive, false))
  host.onNonza(NS, 'inactive', (_, device) => device.set(inactive, true))
  host.inline.set(NS, (e, device) => device.set(inactive, e.name === 'inactive')) // XEP-0386 section 3.2
  host.provide(INACTIVE, device => device.get(inactive))
})
