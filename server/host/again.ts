// Whom an authority outside has let in is looked at again while he is online: sessions of those whom it no longer knows end.
import type { Authority, Finding } from '../account/authority.ts'
import type { Account } from '../session/account.ts'
import { enrol } from './enrolment.ts'
import type { Host } from './host.ts'
import { endLogins } from './keeping.ts'

const WHY = 'You are no longer let in: log in again.'

/**
 * Every `interval` ms, asks `look` about each account that is online, one after another. Who is refused loses his sessions
 * (not-authorized); name and role are taken in as at a login. Where it cannot be asked nothing changes, and the rest waits for the next time.
 */
export async function lookAgain(host: Host, authority: Authority, interval: number, look: (account: Account) => Finding | Promise<Finding>): Promise<void> {
  const name = `look again: ${authority.name}`
  if (!Number.isFinite(interval) || interval <= 0) { await host.jobs.cancel(name); return }
  host.jobs.define(name, async () => {
    for (const account of [...host.accounts.all]) {
      if (account.resources.size === 0) continue
      const found = await look(account)
      if (found === 'unavailable') return
      const entry = await enrol(host, authority, found)
      if (typeof entry === 'object' || entry === 'unavailable') continue
      host.log.info({ jid: account.jid.bare, authority: authority.name }, 'somebody who is online is no longer let in')
      endLogins(host, account.jid, 'not-authorized', WHY)
      for (const r of [...account.resources.values()]) r.end('not-authorized', WHY)
    }
  })
  await host.jobs.every(name, interval)
}
