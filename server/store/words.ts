// How text becomes words that are found again: the same for documents and queries, in every adapter. Pure.

/** Words that one query may have. */
export const MOST_WORDS = 16

// Scripts that write no blanks between words: there each sign is a word, and a query's signs must stand together.
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const WORD = new RegExp(`${UNSPACED.source}|(?:(?!${UNSPACED.source})[\\p{L}\\p{N}\\p{M}])+`, 'gu')
const LONGEST = 64

/** The words of a text in their order: small letters, no accents, nothing but letters and digits. */
export function wordsOf(text: string): string[] {
  const folded = text.normalize('NFKD').replace(/[\u0300-\u036F]/g, '').normalize('NFC').toLowerCase()
  return (folded.match(WORD) ?? []).map(w => w.slice(0, LONGEST))
}

/** What a query asks for: each entry is one word, or several that must stand together. */
export function termsOf(text: string): string[][] {
  const terms: string[][] = []
  for (const [, quoted, plain] of text.matchAll(/"([^"]*)"?|([^\s"]+)/g)) {
    const words = wordsOf(quoted ?? plain ?? '')
    if (words.length > 0) terms.push(words)
  }
  return terms
}
