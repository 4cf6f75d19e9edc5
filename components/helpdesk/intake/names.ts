// Names that look like one of ours: a customer called Support, or like an agent, with other letters that look the same (SEC-W34). Pure.

const OURS = ['support', 'helpdesk', 'help desk', 'admin', 'administrator', 'moderator', 'staff', 'system', 'desk', 'operator', 'agent', 'customer service']
/** Letters that look like another, by that other. */
const ALIKE: readonly (readonly [string, string])[] = [
  ['a', 'аɑα@4'], ['b', 'Ьв8'], ['c', 'сϲ'], ['d', 'ԁ'], ['e', 'еєε3'], ['g', 'ɡ9'], ['h', 'һ'], ['i', 'іıι1l|!'], ['j', 'ј'], ['k', 'кκ'], ['m', 'м'],
  ['n', 'ոпη'], ['o', 'оοօ0'], ['p', 'рρ'], ['q', 'ԛ'], ['r', 'г'], ['s', 'ѕ5$'], ['t', 'тτ7'], ['u', 'սυ'], ['v', 'ѵν'], ['w', 'ԝω'], ['x', 'хχ'], ['y', 'уγ'], ['z', 'ᴢ2'],
]
const PLAIN = new Map(ALIKE.flatMap(([plain, others]) => [...others].map(o => [o, plain] as const)))

/** A name as the eye takes it: without marks and what is not seen, in small letters, look-alikes made one. */
export const looksOf = (name: string): string => [...name.normalize('NFKD').toLowerCase()].map(ch => PLAIN.get(ch) ?? ch).join('').replace(/[^\p{L}\p{N}]+/gu, '')

/** Whether a customer's name could be taken for one of the staff, whose names are given. */
export function looksLikeStaff(name: string, staff: readonly string[]): boolean {
  const it = looksOf(name)
  return it !== '' && [...OURS, ...staff].some(n => looksOf(n) === it)
}

/** How such a customer is shown to everybody. */
export const SUFFIX = ' (customer)'
