// One person as others' words name them: by address, by the number of a conversation, by their own words, and by name where nobody else can be meant. Pure.
import type { Customer } from '../customers.ts'

export interface Person {
  readonly customer: Customer
  /** Every conversation they ever had. */
  readonly numbers: ReadonlySet<number>
  /** What they were called, without names that colleagues bear, too. */
  readonly names: readonly string[]
  /** The addresses they gave, in lower case. */
  readonly emails: readonly string[]
  /** What they wrote. */
  readonly said: readonly string[]
}

const QUOTE = 12 // characters from which on a line found in other words was quoted
const NAME = 3 // characters of a name that is looked for

/** Whether `text` is about this person. Words about another conversation (`about`, or a number they give) are not because of a name or of like words alone: others bear it, and say the same. */
export function isNamed(p: Person, text: string, about?: number): boolean {
  const words = text.toLowerCase()
  if ([p.customer.jid.toLowerCase(), ...p.emails].some(address => holds(words, address))) return true
  const given = [...text.matchAll(/#(\d{1,9})(?!\d)/g)].map(m => Number(m[1]))
  if (given.some(n => p.numbers.has(n))) return true
  if (given.length > 0 || (about !== undefined && !p.numbers.has(about))) return false
  return p.said.some(s => s.length >= QUOTE && text.includes(s)) || p.names.some(name => name.length >= NAME && plain(text).includes(plain(name)))
}

/** Whether an address stands in the words for itself: lea@example.org is not in azalea@example.org. */
function holds(words: string, address: string): boolean {
  for (let at = words.indexOf(address); at >= 0; at = words.indexOf(address, at + 1)) {
    const end = at + address.length
    if (!LONGER_BEFORE.test(words.slice(Math.max(0, at - 8), at)) && !LONGER_BEHIND.test(words.slice(end, end + 2))) return true
  }
  return false
}
const LONGER_BEFORE = /[\p{L}\p{N}][._%+'-]*$/u
const LONGER_BEHIND = /^(?:[\p{L}\p{N}]|[.-][\p{L}\p{N}])/u

/** The words alone, each between spaces. */
const plain = (text: string): string => ` ${text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(w => w !== '').join(' ')} `
