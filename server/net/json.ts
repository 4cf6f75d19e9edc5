// JSON from strangers, read strictly (pure): RFC 8259, and refused where parsers are known to differ.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const DEPTH = 64

/**
 * The value, or `undefined` for what is no JSON, is deeper than 64, has a key twice or named __proto__, a number that no
 * double holds, half a surrogate pair, or a byte order mark.
 */
export function parseJson(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json // refuses a byte order mark, too
    return isSound(text) ? value : undefined
  } catch {
    return undefined
  }
}

// Walks the tokens of a text that JSON.parse has found well-formed.
function isSound(text: string): boolean {
  const open: (Set<string> | undefined)[] = [] // a set of keys for an object, undefined for a list
  let atKey = false
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === '{' || token === '[') {
      if (open.push(token === '{' ? new Set() : undefined) > DEPTH) return false
      atKey = token === '{'
    } else if (token === '}' || token === ']') {
      open.pop()
      atKey = false
    } else if (token === ',') {
      atKey = open.at(-1) !== undefined
    } else if (token.startsWith('"')) {
      const word = JSON.parse(token) as string
      const keys = open.at(-1)
      if (!word.isWellFormed() || (atKey && keys && (word === '__proto__' || keys.has(word)))) return false
      if (atKey) keys?.add(word)
      atKey = false
    } else if (token !== ':' && /^[-\d]/.test(token) && !Number.isFinite(Number(token))) {
      return false
    }
  }
  return true
}
