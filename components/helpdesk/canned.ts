// Canned replies: which short-cut stands for which text, and the text with names and fields put in. Pure.

/** A stored reply. Without queues and owner it is everybody's. */
export interface Canned {
  /** As it is typed, in lower case. */
  readonly shortcut: string
  readonly title: string
  readonly text: string
  /** Heading in lists. */
  readonly group?: string
  /** The queues it is for. */
  readonly queues?: readonly string[]
  /** A bare JID: one operator's own. */
  readonly owner?: string
}

/** What stands for the placeholders. */
export interface Values {
  readonly visitor: string
  /** The alias where the operator has one, else the shown name. */
  readonly operator: string
  /** By the field's name; `Order number` is written %ORDER_NUMBER% or %ORDER NUMBER%. */
  readonly fields?: Readonly<Record<string, string>>
}

export type Found =
  | { readonly is: 'send'; readonly canned: Canned }
  | { readonly is: 'preview'; readonly canned: Canned }
  /** Held back from the customer; the words are for who typed it. */
  | { readonly is: 'refused'; readonly because: string }

const SHORTCUT = /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,31}$/u
const TEXT = 4000 // characters
const TITLE = 80

/** Checks what an admin or an operator wants to store. `reserved` tells the commands' own words. */
export function readCanned(given: Canned, reserved: (word: string) => boolean): Canned | { readonly wrong: string } {
  const shortcut = fold(given.shortcut)
  if (!SHORTCUT.test(shortcut)) return { wrong: `shortcut: "${given.shortcut}" is no short-cut: write up to 32 letters and digits, such as hi1` }
  if (reserved(shortcut)) return { wrong: `shortcut: "${shortcut}" is a command: take another word` }
  if (given.title.trim() === '' || given.title.length > TITLE || given.title.includes('\n')) return { wrong: `title: write one line of 1 to ${TITLE} characters` }
  if (given.text.trim() === '' || given.text.length > TEXT) return { wrong: `text: write 1 to ${TEXT} characters` }
  return { ...given, shortcut }
}

/** The replies an operator has in a conversation of this queue, by short-cut: his own before the queue's before everybody's. */
export function cannedFor(all: readonly Canned[], who: { readonly operator: string; readonly queue?: string | undefined }): ReadonlyMap<string, Canned> {
  const rank = (c: Canned): number => {
    if (c.owner !== undefined) return c.owner === who.operator ? 3 : 0
    if (c.queues === undefined || c.queues.length === 0) return 1
    return who.queue !== undefined && c.queues.includes(who.queue) ? 2 : 0
  }
  const found = new Map<string, Canned>()
  for (const c of all) {
    const other = found.get(c.shortcut)
    if (rank(c) > (other ? rank(other) : 0)) found.set(c.shortcut, c)
  }
  return found
}

/**
 * What a line typed in a conversation asks for: `hi1` or `!hi1` alone sends it, `!c? hi1` shows it to the agent only.
 * None if it is another line. Ask it before the commands are read.
 */
export function cannedIn(body: string, canned: ReadonlyMap<string, Canned>): Found | undefined {
  const text = body.trim()
  const preview = /^(?:!|\/\/?)c\?(?:\s+(.*))?$/is.exec(text)
  if (preview) {
    const asked = fold(preview[1] ?? '')
    const found = canned.get(asked.replace(/^!/, ''))
    return found ? { is: 'preview', canned: found } : { is: 'refused', because: unknown(asked, canned) }
  }
  const first = /^(?:!|\/\/?)?([^\n]*)/.exec(text)?.[1]?.trim() ?? ''
  const found = canned.get(fold(first))
  if (!found) return undefined
  if (text.includes('\n')) return { is: 'refused', because: `Not sent: the short-cut ${found.shortcut} stands on a line of its own. \`!say …\` sends it as text.` }
  return { is: 'send', canned: found }
}

/** The text with its placeholders filled in one pass: what a name or a field holds is never read again. Unknown ones stay as they are. */
export function expand(text: string, values: Values): string {
  const known = new Map(Object.entries(values.fields ?? {}).map(([name, value]) => [placeholder(name), value]))
  known.set('VISITOR', values.visitor)
  known.set('OPERATOR', values.operator)
  return text.replace(/%(\p{L}[\p{L}\p{N}_ -]{0,39})%/gu, (whole, name: string) => known.get(placeholder(name)) ?? whole)
}

/** For a list: by group, then by short-cut; `terms` must all stand in short-cut, title or text. */
export function cannedList(canned: Iterable<Canned>, terms = ''): readonly Canned[] {
  const wanted = fold(terms).split(/\s+/).filter(t => t !== '')
  return [...canned]
    .filter(c => wanted.every(t => fold(`${c.shortcut} ${c.title} ${c.text}`).includes(t)))
    .sort((a, b) => order(a.group ?? '', b.group ?? '') || order(a.shortcut, b.shortcut))
}

const order = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0
const placeholder = (name: string): string => name.trim().toUpperCase().replace(/[\s-]+/g, '_')
const fold = (s: string): string => s.normalize('NFC').trim().toLowerCase()

function unknown(asked: string, canned: ReadonlyMap<string, Canned>): string {
  const near = cannedList(canned.values()).filter(c => c.shortcut.startsWith(asked)).slice(0, 10).map(c => c.shortcut)
  return near.length > 0 ? `Which one? ${near.join(', ')}` : 'There is no such canned reply.'
}
