// Who the admins of a host are, and how they are told something.
import { CONTENT, el, everyAccount, Jid, Stanza, type AccountRecord, type Host } from '../server/api.ts'

export const isAdmin = (r: AccountRecord | undefined): boolean => r?.role === 'admin' && !r.disabled

/** A message to each admin, from the host. */
export async function tellAdmins(host: Host, subject: string, text: string): Promise<void> {
  for await (const r of everyAccount(host.stores.accounts, host.domain)) {
    if (isAdmin(r)) host.send(Stanza.of('message', { type: 'normal', from: host.jid, to: Jid.of(r.local, host.domain) }, [el('subject', CONTENT, {}, subject), el('body', CONTENT, {}, text)]))
  }
}
