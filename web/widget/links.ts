// Finds what may be clicked in a line of text: http and https only (pure).

export type Piece = { readonly text: string; readonly href?: string }

const LINK = /\bhttps?:\/\/[^\s<>"'`\u202a-\u202e\u2066-\u2069]+/gi

/** Cuts `text` into plain pieces and links; joined again they are `text`. */
export function pieces(text: string): Piece[] {
  const all: Piece[] = []
  let from = 0
  for (const found of text.matchAll(LINK)) {
    const link = trimmed(found[0])
    const href = safe(link)
    if (!href) continue
    if (found.index > from) all.push({ text: text.slice(from, found.index) })
    all.push({ text: link, href })
    from = found.index + link.length
  }
  if (from < text.length) all.push({ text: text.slice(from) })
  return all
}

/** Without the full stop of the sentence and the bracket that was opened before the link. */
function trimmed(link: string): string {
  for (;;) {
    const last = link.at(-1)!
    if (/[.,;:!?]/.test(last) || (last === ')' && !link.includes('(')) || (last === ']' && !link.includes('['))) link = link.slice(0, -1)
    else return link
  }
}

function safe(link: string): string | undefined {
  try {
    const url = new URL(link)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
  } catch {
    return undefined
  }
}
