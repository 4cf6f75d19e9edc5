// Headers as an admin writes them, a line each: `Name: value`. Pure.

const LINE = /^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\x20-\x7e]{0,1000}?)[ \t]*$/
const OURS = /^(host|content-length|content-type|transfer-encoding|connection|upgrade|te|trailer|expect|authorization|proxy-.*|cookie)$/i
const MOST = 20

/** The headers by name, or what is wrong with them. */
export function readHeaders(text: string): { readonly headers: Readonly<Record<string, string>> } | { readonly wrong: string } {
  const headers: Record<string, string> = {}
  const lines = text.split('\n').map(l => l.trim()).filter(l => l !== '')
  if (lines.length > MOST) return { wrong: `has more than ${MOST} lines` }
  for (const line of lines) {
    const m = LINE.exec(line)
    const name = m?.[1] ?? ''
    if (!m) return { wrong: `“${line.slice(0, 50)}” is no header: write a line such as X-Tenant: shop` }
    if (OURS.test(name)) return { wrong: `${name} is not set here` }
    headers[name] = m[2] ?? ''
  }
  return { headers }
}
