// What a kept message says, and whether the words that somebody looks for stand in it: the same in every adapter. Pure.
import { termsOf, wordsOf } from './words.ts'

const BODY = /<body((?: [^>]*)?)>([^<]*)<\/body>/g
const ENTITY = /&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([\dA-Fa-f]{1,6}));/g
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** The text of a message's bodies, of the message as text in the namespace `jabber:client`; those of other namespaces say the same again. */
export function saidIn(stanza: string): string {
  let said = ''
  for (const [, attrs, text] of stanza.matchAll(BODY)) if (!attrs?.includes('xmlns')) said += `${text}\n`
  return said.replace(ENTITY, (whole, name: string | undefined, dec: string | undefined, hex: string | undefined) => {
    if (name) return NAMED[name] ?? whole
    const code = dec ? parseInt(dec, 10) : parseInt(hex ?? '', 16)
    return code <= 0x10FFFF ? String.fromCodePoint(code) : whole
  })
}

/** A test of messages: every word of `query` must stand in it, `"in quotes"` together. A query without words finds nothing. */
export function finder(query: string): (stanza: string) => boolean {
  const terms = termsOf(query).map(t => ` ${t.join(' ')} `)
  if (terms.length === 0) return () => false
  return stanza => {
    const words = ` ${wordsOf(saidIn(stanza)).join(' ')} `
    return terms.every(t => words.includes(t))
  }
}
