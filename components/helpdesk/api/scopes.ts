// The scopes that cut what a REST token may do; a word without its colon stands for all that begin with it (pure).

export const SCOPES = [
  'articles:read', 'articles:write', 'audit:read', 'bans:read', 'bans:write', 'billing:read', 'canned:read', 'canned:write', 'conversations:read', 'conversations:write',
  'customers:erase', 'customers:read', 'customers:write', 'operators:read', 'operators:write', 'settings:read', 'settings:write', 'tickets:read', 'tickets:write', 'tokens:read', 'tokens:write',
] as const
export type Scope = (typeof SCOPES)[number]

/** The words that stand for several. */
export const AREAS: readonly string[] = [...new Set(SCOPES.map(s => s.replace(/:.*/, '')))]

export const isScope = (word: string): boolean => (SCOPES as readonly string[]).includes(word) || AREAS.includes(word)

/** Whether a token that is cut to `held` reaches `wanted`. */
export const reaches = (held: readonly string[] | undefined, wanted: Scope): boolean => held === undefined || held.includes(wanted) || held.includes(wanted.replace(/:.*/, ''))

/** What is wrong with these words, for people; undefined: nothing. */
export function oddScope(words: readonly string[]): string | undefined {
  const odd = words.find(w => !isScope(w))
  return odd === undefined ? undefined : `${JSON.stringify(odd.slice(0, 64))} is no scope: take some of ${[...AREAS, ...SCOPES].sort().join(', ')}`
}
