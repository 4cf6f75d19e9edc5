// Who the admins of a host are, and how they are told something.
import { CONTENT, el, Jid, Stanza, type AccountRecord, type Host } from '../server/api.ts'

const PAGE = 500

export const isAdmin = (r: AccountRecord | undefined): boolean => r?.role === 'admin' && !r.disabled

/** A message to each admin, from the host. */
export async function tellAdmins(host: Host, subject: string, text: string): Promise<void> {
  for (let after = ''; ;) {
    const page = await host.stores.accounts.list(host.domain, { after, limit: PAGE })
    for (const r of page) {
      if (isAdmin(r)) host.send(Stanza.of('message', { type: 'normal', from: host.jid, to: Jid.of(r.local, host.domain) }, [el('subject', CONTENT, {}, subject), el('body', CONTENT, {}, text)]))
    }
    if (page.length < PAGE) return
    after = page.at(-1)!.local // a full page has a last
  }
}
