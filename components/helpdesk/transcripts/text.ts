// A transcript as plain text, for mails and tickets. Pure.
import type { PublicLine } from '../lines.ts'
import { printed, printedLine, retold, type PrintedLine, type Recorded } from './record.ts'

/** Details, custom fields and the public lines. */
export function transcriptText(recorded: Recorded): string {
  const { title, details, fields, lines } = printed(recorded)
  return [title, ...[...details, ...fields].map(f => `${f.label}: ${f.value}`), '', ...lines.map(said), ''].join('\n')
}

/** What a ticket is given, `queue` by its title: nothing that changes stands before the lines, so that a later text of the same conversation begins with the earlier one. */
export function articleText(head: { readonly number: number; readonly queue: string; readonly customer: string }, lines: readonly PublicLine[]): string {
  const inOrder = [...lines].sort((a, b) => a.shown - b.shown)
  return [`Conversation #${head.number} with ${head.customer}, ${head.queue}`, '', ...inOrder.map(l => said(printedLine({ ...l, body: retold(l.body, l.who, head.customer) }, l.who))), ''].join('\n')
}

/** `[2026-11-20 10:15:03Z] Alice: text`; further lines of one message are indented. */
function said(l: PrintedLine): string {
  const body = l.body.replaceAll('\n', '\n    ')
  return l.desk ? `[${l.at}] * ${body}` : `[${l.at}] ${l.name}: ${body}`
}
