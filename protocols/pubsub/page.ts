// Cuts the page that somebody asks for (XEP-0059) out of a list that is in memory. Pure.
import type { Page } from '../paging.ts'

/** The items of the page and where the first stands; undefined if the item that the page is relative to is not in the list. */
export function pageOf<T>(all: readonly T[], key: (item: T) => string, { max, after, before, last }: Page): { readonly items: readonly T[]; readonly index: number } | undefined {
  const at = (id: string): number => all.findIndex(item => key(item) === id)
  const start = after === undefined ? 0 : at(after) + 1
  const end = before === undefined ? all.length : at(before)
  if ((after !== undefined && start === 0) || end < 0) return undefined
  const [from, to] = last ? [Math.max(start, end - max), end] : [start, Math.min(end, start + max)]
  return { items: from < to ? all.slice(from, to) : [], index: from }
}
