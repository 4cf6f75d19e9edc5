// XEP-0490: keeps for a user's devices how far he has read, from what his messages say of it.
import { PERSONAL_NODES } from '../protocols/personal.ts'
import { plugin, StanzaError, type AnyStanza } from '../server/api.ts'

const NS = 'urn:xmpp:mds:displayed:0'
const NS_SID = 'urn:xmpp:sid:0'
const CONFIG = { access: 'whitelist', persist: true, maxItems: 'max', sendLast: 'never' } as const // sections 4.2 and 7

/** XEP-0490 Message Displayed Synchronization: its node is one of XEP-0163; here is what the server does for it (section 4.5). */
export const displayed = plugin('displayed', host => {
  const nodes = host.service(PERSONAL_NODES)
  if (!nodes) return
  host.accountFeature('urn:xmpp:mds:server-assist:0')
  host.on('out:mark', p => {
    const { stanza, account } = p
    const told = stanza.kind === 'message' ? stanza.child('displayed', NS) : undefined
    if (!told || !stanza.to) return
    if (told.child('stanza-id', NS_SID)) {
      p.hold(nodes.publish(account, NS, { id: stanza.to.full, payload: told }, CONFIG).then(refused => {
        if (refused instanceof StanzaError) host.log.warn({ account: account.jid.bare, condition: refused.condition }, 'how far somebody has read is not kept')
      }))
    }
    return stanza.without('displayed', NS) as AnyStanza // a message stays one; nobody else shall know the id
  })
})
