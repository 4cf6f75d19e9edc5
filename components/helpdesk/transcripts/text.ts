// A transcript as plain text, for mails and tickets. Pure.
import { printed, type Recorded } from './record.ts'

/** Details, custom fields and the public lines: `[2026-11-20 10:15:03Z] Alice: text`, further lines of one message indented. */
export function transcriptText(recorded: Recorded): string {
  const { title, details, fields, lines } = printed(recorded)
  const pairs = [...details, ...fields].map(f => `${f.label}: ${f.value}`)
  const said = lines.map(l => {
    const body = l.body.replaceAll('\n', '\n    ')
    return l.desk ? `[${l.at}] * ${body}` : `[${l.at}] ${l.name}: ${body}`
  })
  return [title, ...pairs, '', ...said, ''].join('\n')
}
