// What a file is called, what it is served as, and which part of it is asked for (pure).

const LONGEST = 150 // bytes of UTF-8
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i
// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNWANTED = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff<>:"|?*`{}^\\]/g // controls, what turns the writing direction, what paths and shells trip over

/** A name that can stand in a URL, a header and a folder, its ending kept (SEC-F03). */
export function safeName(given: string): string {
  const last = given.toWellFormed().normalize('NFC').split(/[/\\]/).at(-1) ?? ''
  const plain = last.replace(UNWANTED, '').replace(/\s+/g, ' ').replace(/^[. ]+|[. ]+$/g, '')
  const dot = plain.lastIndexOf('.')
  const ending = dot > 0 && plain.length - dot <= 12 ? plain.slice(dot) : ''
  const short = clip(plain.slice(0, plain.length - ending.length), LONGEST - bytes(ending)) + ending
  if (short === '') return 'file'
  return RESERVED.test(short) ? `_${short}` : short
}

/** A path segment (RFC 3986 section 3.3) for a name. */
export const inUrl = (name: string): string => encodeURIComponent(name).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Saved, never shown by a browser as a page of ours (RFC 6266). */
export const disposition = (name: string): string =>
  `attachment; filename="${name.replace(/[^\x20-\x7e]|["\\%]/g, '_')}"; filename*=UTF-8''${inUrl(name)}`

const INERT = /^(?:image\/(?:png|jpeg|gif|webp|avif|bmp)|audio\/[\w.+-]{1,40}|video\/[\w.+-]{1,40}|application\/(?:zip|gzip|octet-stream))$/

/** The type a file is served as: what a browser would run or render as a page is bytes (SEC-F04). */
export function servedAs(type: string | undefined): string {
  const plain = essence(type)
  if (plain === 'text/plain') return 'text/plain; charset=utf-8'
  return plain !== undefined && INERT.test(plain) ? plain : 'application/octet-stream'
}

/** A media type without its parameters, in lower case; undefined for what is none. */
export function essence(type: string | undefined): string | undefined {
  const plain = type?.split(';')[0]?.trim().toLowerCase()
  return plain !== undefined && /^[\w.+-]{1,60}\/[\w.+-]{1,80}$/.test(plain) ? plain : undefined
}

/** Whether `type` is among patterns such as `image/png`, `image/*`; none of them: any is. */
export function isAllowed(type: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some(p => p === type || (p.endsWith('/*') && type.startsWith(p.slice(0, -1))))
}

/** What a Range header asks of `size` bytes: the first and last byte, 'none' to be had, or undefined: all of it (RFC 9110 section 14.2). */
export function rangeOf(header: string | undefined, size: number): { first: number; last: number } | 'none' | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [] // several ranges: all of it
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (first >= size || (from === '' && Number(to) === 0)) return 'none'
  return last < first ? undefined : { first, last }
}

const bytes = (text: string): number => new TextEncoder().encode(text).length

function clip(text: string, most: number): string {
  let kept = ''
  let length = 0
  for (const c of text) {
    length += bytes(c)
    if (length > most) break
    kept += c
  }
  return kept
}
