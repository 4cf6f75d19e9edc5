// Settings as trees of JSON: changes merged in (RFC 7396), leaves found by their pointers (RFC 6901). Pure.

export type Json = null | boolean | number | string | readonly Json[] | Tree
export interface Tree { readonly [key: string]: Json }

export const isTree = (x: unknown): x is Tree => typeof x === 'object' && x !== null && !Array.isArray(x)

/** The merge patch of RFC 7396: null deletes, objects go in, all else replaces. Keys that could reach prototypes are left out. */
export function merge(target: Json | undefined, patch: Json): Json {
  if (!isTree(patch)) return patch
  const into: Record<string, Json> = { ...(isTree(target) ? target : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue
    if (value === null) delete into[key]
    else into[key] = merge(into[key], value)
  }
  return into
}

/** The pointers of all leaves; an empty object counts as one. */
export function leaves(tree: Json, at = ''): { readonly pointer: string; readonly value: Json }[] {
  if (!isTree(tree) || (at !== '' && Object.keys(tree).length === 0)) return [{ pointer: at, value: tree }]
  return Object.entries(tree).flatMap(([key, value]) => leaves(value, `${at}/${escape(key)}`))
}

/** What stands at a pointer; undefined: nothing. */
export function at(tree: Json, pointer: string): Json | undefined {
  let found: Json | undefined = tree
  for (const key of pointer.split('/').slice(1)) found = isTree(found) ? found[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  return found
}

/** A tree that holds `value` at the pointer and nothing else. */
export function branch(pointer: string, value: Json): Tree {
  const [first = '', ...rest] = pointer.split('/').slice(1).map(k => k.replaceAll('~1', '/').replaceAll('~0', '~'))
  return { [first]: rest.length === 0 ? value : branch(`/${rest.map(escape).join('/')}`, value) }
}

export const same = (a: Json | undefined, b: Json | undefined): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
const sorted = (x: Json | undefined): Json | undefined => Array.isArray(x) ? x.map(v => sorted(v as Json) as Json) // a list of JSON
  : isTree(x) ? Object.fromEntries(Object.entries(x).sort(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, sorted(v) as Json])) : x // sorted() of a value is one

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
