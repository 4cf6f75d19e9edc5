// Tables for spreadsheets, in which nothing is a formula. Pure.

/** RFC 4180, with CRLF. A text that a spreadsheet would take for a formula gets a leading apostrophe; numbers stay numbers, nothing is an empty cell. */
export function csv(rows: readonly (readonly (string | number | undefined)[])[]): string {
  return rows.map(row => `${row.map(cell).join(',')}\r\n`).join('')
}

// Full-width signs too: spreadsheets take them for the narrow ones.
const FORMULA = /^[\s\p{Cc}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u

function cell(value: string | number | undefined): string {
  if (typeof value !== 'string') return value === undefined ? '' : String(value)
  const safe = FORMULA.test(value) ? `'${value}` : value
  return safe !== value || /[",\r\n]|^\s|\s$/.test(value) ? `"${safe.replaceAll('"', '""')}"` : value
}
