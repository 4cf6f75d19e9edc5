// XEP-0377: what users report when they block somebody, kept for the admins and told to them.
import { isAdmin, tellAdmins } from '../protocols/admins.ts'
import { HOST_COMMANDS } from '../protocols/commands.ts'
import { NS_REPORTING, REPORTS, type Report } from '../protocols/reports.ts'
import { plugin } from '../server/api.ts'

const COLLECTION = 'report'
const HOUR = 3_600_000 // ms
const AN_HOUR = 10 // reports of one user
const SHOWN = 50

interface Kept extends Report { readonly by: string; readonly at: number }

/** XEP-0377 Spam Reporting: reports come with a block (XEP-0191); admins get a message, and a list among their commands. */
export const reports = plugin('reports', host => {
  host.feature(NS_REPORTING)
  host.accountFeature(NS_REPORTING)
  const counts = new Map<string, { since: number; count: number }>()
  const { documents } = host.stores

  host.provide(REPORTS, (by, all) => {
    for (const report of all) {
      if (!mayReport(by.jid.bare)) return
      const kept: Kept = { ...report, by: by.jid.bare, at: host.clock.now() }
      documents.put(COLLECTION, host.domain, `${String(kept.at).padStart(15, '0')} ${kept.by} ${kept.about}`, kept)
        .then(() => tellAdmins(host, 'A report', inWords(kept))).catch((error: unknown) => host.bug(error))
    }
  })

  host.service(HOST_COMMANDS)?.add({
    node: 'urn:deskbell:admin#reports', name: 'List reports of spam and abuse',
    may: who => who.domain === host.domain && isAdmin(host.accounts.online(who)?.record),
    async start() {
      const rows = await documents.range<Kept>(COLLECTION, host.domain, { limit: SHOWN, reverse: true })
      return rows.length ? { lines: rows.map(({ value }) => inWords(value)) } : { note: 'There are none.' }
    },
  })

  function mayReport(bare: string): boolean {
    const now = host.clock.now()
    for (const [who, c] of counts) if (now - c.since > HOUR) counts.delete(who)
    const c = counts.get(bare)
    if (!c) counts.set(bare, { since: now, count: 1 })
    return !c || ++c.count <= AN_HOUR
  }
})

const inWords = ({ at, by, about, reason, text, messages }: Kept): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} ${by} reports ${about}: ${reason}${text ? `: ${text}` : ''}${messages.length ? ` (messages ${messages.map(m => m.id).join(', ')})` : ''}`
