// Reads the text back out of a PDF that pdfkit wrote: enough of the format for the tests.
import { inflateSync } from 'node:zlib'

/** All text, in the order in which it is drawn. */
export function pdfText(pdf: Buffer): string {
  const raw = pdf.toString('latin1')
  const objects = new Map<string, string>()
  for (const [, id, body] of raw.matchAll(/(\d+) 0 obj\s([\s\S]*?)\sendobj/g)) objects.set(id!, body!) // the pattern has both groups
  const stream = (id: string): string => {
    const m = /^([\s\S]*?)stream\r?\n([\s\S]*?)\r?\nendstream/.exec(objects.get(id) ?? '')
    if (!m) return ''
    return m[1]!.includes('/FlateDecode') ? inflateSync(Buffer.from(m[2]!, 'latin1')).toString('latin1') : m[2]!
  }
  // Fonts by their name on the page, each with the map from glyph to sign.
  const fonts = new Map<string, Map<number, string>>()
  for (const body of objects.values()) {
    for (const [, name, id] of body.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
      const unicode = /\/ToUnicode (\d+) 0 R/.exec(objects.get(id!) ?? '')?.[1]
      if (unicode !== undefined) fonts.set(name!, glyphs(stream(unicode)))
    }
  }
  let text = ''
  for (const [id, body] of objects) {
    if (!body.includes('stream')) continue
    let font = new Map<number, string>()
    for (const m of stream(id).matchAll(/\/(F\d+) [\d.]+ Tf|\[([^\]]*)\] TJ|(\bET\b)/g)) {
      if (m[1]) font = fonts.get(m[1]) ?? new Map()
      else if (m[3]) text += '\n'
      else for (const [, hex] of m[2]!.matchAll(/<([0-9a-f]*)>/gi)) for (let i = 0; i < hex!.length; i += 4) text += font.get(parseInt(hex!.slice(i, i + 4), 16)) ?? ''
    }
  }
  return text
}

function glyphs(cmap: string): Map<number, string> {
  const map = new Map<number, string>()
  const sign = (hex: string): string => String.fromCharCode(...(hex.match(/.{4}/g) ?? []).map(h => parseInt(h, 16)))
  for (const [, from, , list] of cmap.matchAll(/<([0-9a-f]+)>\s*<([0-9a-f]+)>\s*\[([^\]]*)\]/gi)) {
    for (const [i, [, hex]] of [...list!.matchAll(/<([0-9a-f ]*)>/gi)].entries()) map.set(parseInt(from!, 16) + i, sign(hex!.replaceAll(' ', '')))
  }
  return map
}
