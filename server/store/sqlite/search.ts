// Search in SQL: one FTS5 table whose rows lie in the order of their dates, so that the newest hits come first and dates cost nothing.
import { createHash } from 'node:crypto'
import type { Hit, Mark, Marks, Order, SearchDocument, SearchPage, SearchQuery, Section } from '../../ports/search.ts'
import { MOST_WORDS, termsOf, wordsOf } from '../words.ts'
import { bind, type Prepare, type Reads, type Writes } from './calls.ts'
import { Best, readKeyed, type Key, type Ranked } from './order.ts'

const WINDOW = 200 // hits that are ranked among each other
const SLOTS = 1024 // documents of one millisecond
const LAST = Number.MAX_SAFE_INTEGER
const LIMIT = 100
const FAR = 10_000 // of a page in an order
const PIECE = 4000 // hits that are looked at in one go
const TEXT = 1000 // characters of a query
const SIGN = { heading: '_h', names: '_n', notes: '_o' } as const
const WEIGHT = { heading: 8, names: 4, notes: 2 } as const
const WEIGHTY = ['heading', 'names', 'notes'] as const

export function searchWrites(sql: Prepare): Writes {
  const numberOf = (space: string, id: string): number | undefined => sql('SELECT no FROM search_docs WHERE space = ? AND id = ?').get(space, id)?.['no'] as number | undefined // an integer column

  function remove(space: string, id: string): boolean {
    const no = numberOf(space, id)
    if (no === undefined) return false
    sql('DELETE FROM search_words WHERE rowid = CAST(? AS INTEGER)').run(no)
    sql('DELETE FROM search_docs WHERE no = ?').run(no)
    return true
  }

  return {
    'search.put': { // space, document as JSON
      several: true,
      run: a => {
        const space = String(a[0])
        const doc = JSON.parse(String(a[1])) as SearchDocument // written by the store's own face
        const first = Math.max(0, Math.floor(doc.at)) * SLOTS
        let no = numberOf(space, doc.id)
        if (no !== undefined && Math.floor(no / SLOTS) * SLOTS !== first) {
          remove(space, doc.id)
          no = undefined
        }
        const { marks, words } = indexed(space, doc)
        const keys = doc.order === undefined ? null : JSON.stringify(doc.order)
        if (no === undefined) {
          const last = sql('SELECT max(no) AS no FROM search_docs WHERE no >= ? AND no < ?').get(first, first + SLOTS)?.['no']
          no = last === null || last === undefined ? first : Number(last) + 1
          sql('INSERT INTO search_docs VALUES (?, ?, ?, ?)').run(no, space, doc.id, keys)
          sql('INSERT INTO search_words (rowid, marks, words) VALUES (CAST(? AS INTEGER), ?, ?)').run(no, marks, words)
        } else {
          sql('UPDATE search_words SET marks = ?, words = ? WHERE rowid = CAST(? AS INTEGER)').run(marks, words, no)
          sql('UPDATE search_docs SET keys = ? WHERE no = ?').run(keys, no)
        }
      },
    },
    'search.remove': { several: true, run: a => remove(String(a[0]), String(a[1])) ? 'ok' : 'missing' }, // space, id
  }
}

/** What a document's row holds. Signs with `_` are none of people's words: no text can pass for a mark. */
function indexed(space: string, doc: SearchDocument): { marks: string; words: string } {
  const signs = [spaceSign(space)]
  for (const [name, value] of Object.entries(doc.marks)) for (const v of list(value)) signs.push(markSign(name, v))
  const words: string[] = []
  for (const section of [...WEIGHTY, 'body'] satisfies Section[]) {
    const own = wordsOf(doc.text[section] ?? '')
    if (section !== 'body') for (const w of new Set(own)) signs.push(SIGN[section] + w)
    words.push(...own, '_') // nothing stands together over the end of a section
  }
  return { marks: signs.join(' '), words: words.join(' ') }
}

const spaceSign = (space: string): string => `_s${hash(space)}`
const markSign = (name: string, value: Mark): string => `_m${hash(`${name}\0${String(value).normalize('NFC').toLowerCase()}`)}`
const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24)
const list = (value: Mark | readonly Mark[]): readonly Mark[] => typeof value === 'object' ? value : [value]

// Without CAST a number of JavaScript is a REAL, which FTS5 does not take for a bound: it would look at every hit.
const BASE = 'SELECT rowid AS no, marks FROM search_words WHERE search_words MATCH ?1 AND rowid BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER) ORDER BY rowid'
const KEYED = `SELECT w.rowid AS no, d.keys ->> ?5 AS by, d.keys ->> ?6 AS also FROM search_words w JOIN search_docs d ON d.no = w.rowid
  WHERE search_words MATCH ?1 AND w.rowid BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER) ORDER BY w.rowid LIMIT ?4`
const COUNT = 'SELECT count(*) AS n FROM search_words WHERE search_words MATCH ?1 AND rowid BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER)'
const NO_PLACE = 'after: is no place where a page of this query ended'
interface Row { readonly no: number; readonly marks: string }
interface Weighed { readonly no: number; readonly weight: number; readonly top: number }

export function searchReads(sql: Prepare): Reads {
  const rows = (match: string, from: number, to: number, order: 'ASC' | 'DESC', limit: number): Row[] =>
    sql(`${BASE} ${order} LIMIT ?4`).all(match, from, to, limit) as unknown as Row[] // the columns of BASE

  function hitsOf(rows: readonly { readonly no: number; readonly weight: number }[]): Hit[] {
    const ids = new Map(sql('SELECT no, id FROM search_docs WHERE no IN (SELECT value FROM json_each(?))').all(bind(JSON.stringify(rows.map(r => r.no)))).map(r => [Number(r['no']), String(r['id'])]))
    return rows.map(({ no, weight }) => ({ id: ids.get(no) ?? '', at: Math.floor(no / SLOTS), weight }))
  }

  function byDate(q: SearchQuery, match: string, from: number, to: number, after: readonly number[]): Weighed[] {
    const order = q.sort === 'oldest' ? 'ASC' : 'DESC'
    const [no] = after
    const found = rows(match, order === 'ASC' && no !== undefined ? Math.max(from, no + 1) : from, order === 'DESC' && no !== undefined ? Math.min(to, no - 1) : to, order, q.limit + 1)
    return found.map(r => ({ no: r.no, weight: 0, top: 0 }))
  }

  function byWeight(q: SearchQuery, match: string, terms: readonly string[][], from: number, to: number, after: readonly number[]): Weighed[] {
    const found: Weighed[] = []
    let [top = to, weight = Infinity, no = Infinity] = after
    while (found.length <= q.limit) {
      const window = rows(match, from, Math.min(top, to), 'DESC', WINDOW)
      const [newest, oldest] = [window[0]?.no ?? 0, window.at(-1)?.no ?? 0]
      const weighed = window.map(r => ({ no: r.no, weight: weigh(r.marks, terms), top: newest })).sort((a, b) => b.weight - a.weight || b.no - a.no)
      found.push(...weighed.filter(w => w.weight < weight || (w.weight === weight && w.no < no)))
      if (window.length < WINDOW) break
      ;[top, weight, no] = [oldest - 1, Infinity, Infinity]
    }
    return found
  }

  return {
    'search.find': a => { // space, query as JSON
      const q = JSON.parse(String(a[1])) as SearchQuery // written by the store's own face
      const after = readCursor(q)
      const asked = expression(String(a[0]), q)
      if (after === undefined) return { wrong: NO_PLACE }
      if (!Number.isInteger(q.limit) || q.limit < 1 || q.limit > LIMIT) return { wrong: `limit: write 1 to ${LIMIT}` }
      if ('wrong' in asked) return asked
      if (asked.match === undefined) return { hits: [] }
      const { from, to } = bounds(q)
      const found = from > to ? [] : (q.sort ?? 'weight') === 'weight' && asked.terms.length > 0 ? byWeight(q, asked.match, asked.terms, from, to, after) : byDate(q, asked.match, from, to, after)
      const page = found.slice(0, q.limit)
      const hits = hitsOf(page)
      const last = page.at(-1)
      return (found.length > page.length && last ? { hits, next: cursor(q, last) } : { hits }) satisfies SearchPage
    },

    'search.rank': a => { // space, query with an order as JSON, the row to begin with: one piece
      const q = JSON.parse(String(a[1])) as SearchQuery & { readonly sort: Order } // written by the store's own face
      const after = q.after === undefined ? undefined : readKeyed(q.sort, q.after)
      const asked = expression(String(a[0]), q)
      if (q.after !== undefined && after === undefined) return { wrong: NO_PLACE }
      if (!Number.isInteger(q.limit) || q.limit < 1 || q.limit > FAR) return { wrong: `limit: write 1 to ${FAR}` }
      if ('wrong' in asked) return asked
      const { from, to } = bounds(q)
      const best = new Best(q.sort, q.limit + 1, after)
      const { by, then = by, names } = q.sort
      const found = asked.match === undefined ? [] : sql(KEYED).all(asked.match, Math.max(from, Number(a[2] ?? 0)), to, PIECE, `$.${JSON.stringify(by)}`, `$.${JSON.stringify(then)}`) as unknown as { readonly no: number; readonly by: Key | null; readonly also: Key | null }[] // the columns of KEYED
      for (const r of found) best.put([r.no, named(names, r.by ?? ''), r.also ?? ''])
      const last = found.at(-1)
      return (found.length === PIECE && last ? { best: best.list, count: found.length, next: last.no + 1 } : { best: best.list, count: found.length }) satisfies Ranked
    },

    'search.ids': a => hitsOf((JSON.parse(String(a[0])) as number[]).map(no => ({ no, weight: 0 }))), // rows, as JSON

    'search.count': a => { // space, query as JSON
      const q = JSON.parse(String(a[1])) as SearchQuery // written by the store's own face
      const asked = expression(String(a[0]), q)
      const { from, to } = bounds(q)
      return 'wrong' in asked || asked.match === undefined ? 0 : Number(sql(COUNT).get(asked.match, from, to)?.['n'])
    },
  }
}

/** The rows between the dates that are asked for. */
function bounds(q: SearchQuery): { readonly from: number; readonly to: number } {
  return { // an infinite bound has become null on the way
    from: Math.max(0, Math.ceil(q.since ?? 0)) * SLOTS, to: typeof q.until !== 'number' ? LAST : Math.min(LAST, Math.floor(q.until) * SLOTS + SLOTS - 1),
  }
}
const named = (names: Readonly<Record<string, string>> | undefined, key: Key): Key => names && typeof key === 'string' && Object.hasOwn(names, key) ? names[key] ?? key : key

/** The query in FTS5's words; no `match` if nothing can meet it. Every sign of people's text is in quotes. */
function expression(space: string, q: SearchQuery): { match: string | undefined; terms: readonly string[][] } | { wrong: string } {
  const text = q.text ?? ''
  const sections = WEIGHTY.flatMap(s => q.sections?.[s] === undefined ? [] : [{ sign: SIGN[s], text: q.sections[s] }])
  if ([text, ...sections.map(s => s.text)].some(t => t.length > TEXT)) return { wrong: `text: at most ${TEXT} characters` }
  const terms = termsOf(text)
  const inSections = sections.flatMap(s => wordsOf(s.text).map(w => s.sign + w))
  if (terms.flat().length + inSections.length > MOST_WORDS) return { wrong: `text: at most ${MOST_WORDS} words` }
  // Asked for words, and given none that could be found.
  if ([text, ...sections.map(s => s.text)].some(t => t.trim() !== '' && wordsOf(t).length === 0)) return { match: undefined, terms }
  const all = [...terms.map(t => quote(t.join(' '))), ...inSections.map(quote), spaceSign(space)]
  const own = every(q.where ?? {})
  const within = q.within?.map(every).filter(w => w !== undefined)
  if (own === undefined || within?.length === 0) return { match: undefined, terms }
  all.push(...own)
  if (within && within.every(w => w.length > 0)) all.push(`(${within.map(w => `(${w.join(' AND ')})`).join(' OR ')})`) // an empty one lets all through
  return { match: all.join(' AND '), terms }
}

/** One expression for each mark, undefined if one of them is an empty list. */
function every(marks: Marks): string[] | undefined {
  const all = Object.entries(marks).map(([name, value]) => list(value).map(v => markSign(name, v)))
  return all.some(any => any.length === 0) ? undefined : all.map(any => any.length === 1 ? any.join() : `(${any.join(' OR ')})`)
}

const quote = (text: string): string => `"${text}"` // words have no quotes in them

function weigh(marks: string, terms: readonly string[][]): number {
  const signs = new Set(marks.split(' '))
  return terms.reduce((sum, words) => sum + (WEIGHTY.map(s => words.every(w => signs.has(SIGN[s] + w)) ? WEIGHT[s] : 0).find(w => w > 0) ?? 1), 0)
}

const cursor = (q: SearchQuery, at: Weighed): string => Buffer.from(JSON.stringify([q.sort ?? 'weight', ...at.top === 0 ? [at.no] : [at.top, at.weight, at.no]])).toString('base64url')

/** The numbers of a cursor, none for the first page, undefined for a cursor that is not ours. */
function readCursor(q: SearchQuery): number[] | undefined {
  if (q.after === undefined) return []
  try {
    const [sort, ...numbers] = JSON.parse(Buffer.from(q.after, 'base64url').toString()) as unknown[]
    return sort === (q.sort ?? 'weight') && (numbers.length === 1 || numbers.length === 3) && numbers.every(Number.isSafeInteger) ? numbers as number[] : undefined
  } catch { return undefined }
}
