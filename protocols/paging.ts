// Pages of an ordered list (XEP-0059): what is asked for, and what is told about the page that is sent. Pure.
import { el, refuse, StanzaError, type Element } from '../server/api.ts'

export const NS_RSM = 'http://jabber.org/protocol/rsm'

/** The page that somebody asks for. */
export interface Page {
  /** Items at most; 0 asks for the count alone. */
  readonly max: number
  readonly after?: string
  readonly before?: string
  /** Backwards: the items nearest to `before`, or to the end. */
  readonly last: boolean
}

/**
 * Reads the `<set/>` of a request; without one, or without a `max` in it, the page is `most` items, and it is never longer.
 * A `max` that is no number is refused with bad-request, a page by index with feature-not-implemented.
 */
export function readPage(set: Element | undefined, most: number): Page | StanzaError {
  if (!set) return { max: most, last: false }
  if (set.child('index')) return refuse('feature-not-implemented', 'Pages are found by the id of an item, not by its index.')
  const max = set.child('max')?.text.trim()
  if (max !== undefined && !/^\d{1,15}$/.test(max)) return refuse('bad-request', 'max is not a number.')
  const after = set.child('after')?.text
  const before = set.child('before')?.text
  return {
    max: max === undefined ? most : Math.min(Number(max), most),
    ...(after ? { after } : {}), // an empty one stands before the first item (section 2.2)
    ...(before ? { before } : {}),
    last: before !== undefined,
  }
}

/** The part of a sorted list that a page is: where it begins and ends among `ids`, which are compared as text. */
export function cut(ids: readonly string[], { max, after, before, last }: Page): readonly [number, number] {
  const from = after === undefined ? 0 : place(ids, id => id > after)
  const to = before === undefined ? ids.length : place(ids, id => id >= before)
  if (max === 0 || to <= from) return [from, from]
  return last ? [Math.max(from, to - max), to] : [from, Math.min(from + max, to)]
}
function place(ids: readonly string[], is: (id: string) => boolean): number {
  const i = ids.findIndex(is)
  return i < 0 ? ids.length : i
}

/** What a page turned out to be. */
export interface Told {
  /** Ids of the first and last item; absent if the page is empty. */
  readonly first?: string
  readonly last?: string
  /** Where the first item stands in the whole list, from 0; absent if nobody counted. */
  readonly index?: number
  /** The items of the whole list. */
  readonly count?: number
}

/** The `<set/>` of an answer. */
export function pageSet({ first, last, index, count }: Told): Element {
  const children: Element[] = []
  if (first !== undefined) children.push(el('first', NS_RSM, index === undefined ? {} : { index: String(index) }, first))
  if (last !== undefined) children.push(el('last', NS_RSM, {}, last))
  if (count !== undefined) children.push(el('count', NS_RSM, {}, String(count)))
  return el('set', NS_RSM, {}, ...children)
}
