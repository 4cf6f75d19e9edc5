// A transcript as one HTML page that loads nothing, for printing. Pure.
import { printed, type Labelled, type Recorded } from './record.ts'

const STYLE = 'body{font:14px/1.5 sans-serif;max-width:48em;margin:2em auto;padding:0 1em}th{text-align:start;padding-inline-end:1em;vertical-align:top}'
  + 'time{color:#555;font-size:.85em}dt{font-weight:bold;margin-top:.8em}dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}.desk{font-style:italic}'

/** A whole page: details, custom fields, public lines. Nothing that people wrote is markup or a link, and the page may fetch nothing. */
export function transcriptHtml(recorded: Recorded): string {
  const { title, details, fields, lines } = printed(recorded)
  const said = lines.map(l => `<dt><bdi>${l.desk ? '*' : escaped(l.name)}</bdi> <time>${l.at}</time></dt><dd${l.desk ? ' class="desk"' : ''} dir="auto">${escaped(l.body)}</dd>`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width"><style>${STYLE}</style></head>
<body><h1>${title}</h1>
${table('Details', details)}
${table('Custom fields', fields)}
<h2>Conversation</h2>
<dl>
${said.join('\n')}
</dl></body></html>
`
}

const table = (heading: string, rows: readonly Labelled[]): string => rows.length === 0 ? ''
  : `<h2>${heading}</h2>\n<table>${rows.map(f => `<tr><th scope="row">${escaped(f.label)}</th><td dir="auto">${escaped(f.value)}</td></tr>`).join('')}</table>`

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replace(/[&<>"']/g, c => ENTITIES[c] ?? c)
