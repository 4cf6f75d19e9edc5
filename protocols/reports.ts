// Reports of spam and abuse (XEP-0377): read from a blocking command, handed to whoever keeps them. Pure.
import { Jid, Token, type Account, type Element } from '../server/api.ts'

export const NS_REPORTING = 'urn:xmpp:reporting:1'
const NS_SID = 'urn:xmpp:sid:0'
const LONGEST = 2000 // characters of what people write
const IDS = 50

export interface Report {
  readonly about: string // JID
  readonly reason: 'spam' | 'abuse' | 'other'
  readonly text?: string
  /** The stanza ids of the messages that are complained of. */
  readonly messages: readonly { readonly by: string; readonly id: string }[]
  /** Whether the reporter lets the other's server hear of it, and services that collect reports. */
  readonly origin: boolean
  readonly thirdParty: boolean
}

/** Takes the reports of one blocking command. */
export const REPORTS = new Token<(by: Account, reports: readonly Report[]) => void>('reports')

/** The reports that are well-formed; the others are nobody's business, the block stands without them. */
export function readReports(command: Element): Report[] {
  return command.elements.flatMap(item => {
    const report = item.child('report', NS_REPORTING)
    const about = Jid.tryParse(item.attrs['jid'] ?? '')
    const reason = /^urn:xmpp:reporting:(\w+)$/.exec(report?.attrs['reason'] ?? '')?.[1]
    if (!report || !about || reason === undefined) return []
    const text = report.child('text')?.text.trim().slice(0, LONGEST)
    const messages = report.elements.filter(e => e.is('stanza-id', NS_SID)).slice(0, IDS).flatMap(({ attrs: { by, id } }) => by !== undefined && id !== undefined ? [{ by, id }] : [])
    return [{
      about: about.full, reason: reason === 'spam' || reason === 'abuse' ? reason : 'other', ...(text && { text }), messages,
      origin: report.child('report-origin') !== undefined, thirdParty: report.child('third-party') !== undefined,
    }]
  })
}
