// Archives of messages (XEP-0313) as accounts and rooms share them: ids, queries, answers. Time and randomness come from the caller.
import { CONTENT, el, Element, form, Jid, note, readForm, refuse, Stanza, StanzaError, type AnyStanza, type ArchiveQuery, type ArchiveRow, type ArchiveStore } from '../server/api.ts'
import { NS_RSM, pageSet, readPage, type Page, type Told } from './paging.ts'

export const NS_MAM = 'urn:xmpp:mam:2'
export const NS_SID = 'urn:xmpp:sid:0'
const NS_FULLTEXT = 'urn:xmpp:fulltext:0' // XEP-0431
const FULLTEXT = `{${NS_FULLTEXT}}fulltext`
export const NS_HINTS = 'urn:xmpp:hints' // XEP-0334
/** What disco#info of an archive tells. */
export const ARCHIVE_FEATURES = [NS_MAM, `${NS_MAM}#extended`, `${NS_MAM}#groupchat-field`, NS_FULLTEXT, NS_SID, NS_RSM] as const

const NS_FORWARD = 'urn:xmpp:forward:0'
const NS_DELAY = 'urn:xmpp:delay'
const NS_VALIDATE = 'http://jabber.org/protocol/xdata-validate'
const PAGE_LENGTH = 512 * 1024 // characters of messages in a page: a page of long messages ends earlier

const DIGITS = '0123456789abcdefghijklmnopqrstuv'

/**
 * Ids that sort by time, are never given twice and cannot be guessed: milliseconds since 1970, a counter within them, and
 * randomness, in the letters 0-9a-v. Where the clock goes back, ids stay at the last time; `at` is that time.
 */
export class ArchiveIds {
  readonly #random: () => string
  #at = 0
  #count = 0
  #stamp = ''

  /** `random` gives letters that nobody can foresee, new ones at each call. */
  constructor(random: () => string) { this.#random = random }

  next(now: number): { readonly id: string; readonly at: number } {
    if (now > this.#at || this.#count === 32 ** 3 - 1) {
      this.#at = Math.max(now, this.#at + 1)
      this.#count = 0
      this.#stamp = this.#at.toString(32).padStart(9, '0')
    } else this.#count++
    const n = this.#count
    return { id: `${this.#stamp}${DIGITS[n >> 10]}${DIGITS[n >> 5 & 31]}${DIGITS[n & 31]}${this.#random()}`, at: this.#at }
  }
}

/** On a passage: under which id the account's archive keeps the message; undefined if it does not. Copies for the account's devices bear it. */
export const archivedAs = note<string | undefined>('archived as', undefined)

/** `<stanza-id/>` of XEP-0359: under which id `by` keeps the message. */
export const stanzaId = (by: Jid, id: string): Element => new Element('stanza-id', NS_SID, { by: by.full, id })

/** The stanza without ids that somebody else wrote in the name of `by`, an address as it is compared (XEP-0359 section 3, rule 2). */
export function withoutForgedIds<S extends AnyStanza>(stanza: S, by: string): S {
  const { payload } = stanza
  for (const e of payload) {
    if (isIdBy(e, by)) return Stanza.of(stanza.kind, stanza.head, payload.filter(other => !isIdBy(other, by))) as S // of the same kind
  }
  return stanza
}

function isIdBy(e: Element, by: string): boolean {
  if (e.name !== 'stanza-id' || e.ns !== NS_SID) return false
  const said = e.attrs['by'] ?? ''
  return said === by || Jid.tryParse(said)?.full === by
}

/** What somebody wants to see of an archive. */
export interface ArchiveAsk {
  readonly queryId: string | undefined
  readonly page: Page
  readonly with?: string
  readonly start?: number
  readonly end?: number
  readonly afterId?: string
  readonly beforeId?: string
  readonly ids?: readonly string[]
  /** Words that must stand in the message (XEP-0431). */
  readonly text?: string
  /** Newest first on the wire; the page is the same (section 4.3.3). */
  readonly flipped: boolean
}

const FIELDS = new Set(['with', 'start', 'end', 'after-id', 'before-id', 'ids', 'include-groupchat', FULLTEXT])

/** Reads `<query/>`; pages are `most` messages at most. Unknown fields are refused (section 4.1.5). */
export function readAsk(query: Element, most: number): ArchiveAsk | StanzaError {
  if (query.attrs['node'] !== undefined) return refuse('feature-not-implemented', 'This archive has no nodes.')
  const page = readPage(query.child('set', NS_RSM), most)
  if (page instanceof StanzaError) return page
  const x = query.child('x', 'jabber:x:data')
  const ask = { queryId: query.attrs['queryid'], page, flipped: query.child('flip-page') !== undefined }
  if (!x) return ask
  const filled = readForm(x)
  if (filled?.type !== 'submit' || filled.formType !== NS_MAM) return refuse('bad-request', `The form's FORM_TYPE is not ${NS_MAM}.`)
  const one = (name: string): string | undefined => filled.values.get(name)?.[0]?.trim() || undefined
  for (const name of filled.values.keys()) if (!FIELDS.has(name)) return refuse('feature-not-implemented', `Nothing is known of a field ${name}.`)

  const jid = one('with')
  const other = jid === undefined ? undefined : Jid.tryParse(jid)
  if (jid !== undefined && !other) return refuse('bad-request', 'with is not an address.')
  const start = readStamp(one('start'))
  const end = readStamp(one('end'))
  if (Number.isNaN(start) || Number.isNaN(end)) return refuse('bad-request', 'start or end is not a date and time of XEP-0082.')
  const ids = filled.values.get('ids')?.filter(id => id !== '')
  const afterId = one('after-id')
  const beforeId = one('before-id')
  const text = one(FULLTEXT)
  if (text !== undefined && text.length > LONGEST_TEXT) return refuse('bad-request', `Search for at most ${LONGEST_TEXT} characters.`)
  return {
    ...ask,
    ...(other ? { with: other.full } : {}),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(afterId === undefined ? {} : { afterId }),
    ...(beforeId === undefined ? {} : { beforeId }),
    ...(ids?.length ? { ids: [...new Set(ids)] } : {}),
    ...(text === undefined ? {} : { text }),
  }
}

const LONGEST_TEXT = 1000 // characters of a search
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since 1970 of a DateTime of XEP-0082; NaN if it is none. */
export const readStamp = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : DATE_TIME.test(text) ? Date.parse(text) : Number.NaN

/** What answering needs of an archive: the store's, or lines that are kept as something else. */
export type ReadableArchive = Pick<ArchiveStore, 'query' | 'count' | 'has' | 'ends'>

export interface ArchivePage { readonly rows: readonly ArchiveRow[]; readonly fin: Element }

/** The page that `ask` asks for, with the `<fin/>` that ends it; item-not-found where an id in it is not in the archive (sections 4.1.3 and 4.3.1). */
export async function findPage(store: ReadableArchive, owner: string, ask: ArchiveAsk): Promise<ArchivePage | StanzaError> {
  const { page, ids } = ask
  const named = [page.after, page.before, ask.afterId, ask.beforeId].filter(id => id !== undefined)
  const there = await Promise.all([
    ...named.map(id => store.has(owner, id)),
    ...(ids ? [store.count({ owner, ids }).then(n => n === ids.length)] : []),
  ])
  if (there.includes(false)) return refuse('item-not-found', 'This archive has no message of that id.')

  const filter = {
    owner,
    ...(ask.with === undefined ? {} : { with: ask.with }),
    ...(ask.start === undefined ? {} : { start: ask.start }),
    ...(ask.end === undefined ? {} : { end: ask.end }),
    ...(ids ? { ids } : {}),
  }
  const afterId = latest(page.after, ask.afterId)
  const beforeId = earliest(page.before, ask.beforeId)
  const query: ArchiveQuery = {
    ...filter, ...(afterId === undefined ? {} : { afterId }), ...(beforeId === undefined ? {} : { beforeId }),
    ...(ask.text === undefined ? {} : { text: ask.text }), limit: page.max, last: page.last,
  }
  const whole = ask.afterId === undefined && ask.beforeId === undefined && ask.text === undefined // the store counts without regard to ids and words
  const [found, counted] = await Promise.all([store.query(query), whole ? store.count(filter) : undefined])
  const rows = fitting(found.rows, page.last)
  const complete = found.complete && rows.length === found.rows.length
  // what was looked for by its words is counted where all of it stands on this page
  const count = counted ?? (complete && afterId === undefined && beforeId === undefined ? rows.length : undefined)
  // COMPAT: slixmpp, and poezio with it, pages backwards no further once an index tells that the list ends with this page
  const index = count !== undefined && rows.length > 0 && !page.last && page.after === undefined ? 0 : undefined
  const told: Told = {
    ...(rows.length ? { first: rows[0]!.id, last: rows.at(-1)!.id } : {}), // length says they are there
    ...(index === undefined ? {} : { index }),
    ...(count === undefined ? {} : { count }),
  }
  return { rows: ask.flipped ? rows.toReversed() : rows, fin: el('fin', NS_MAM, complete ? { complete: 'true' } : {}, pageSet(told)) }
}

/** As many rows as fit a page, one at least, counted from the end for the last page. */
function fitting(rows: readonly ArchiveRow[], last: boolean): readonly ArchiveRow[] {
  let length = 0
  for (let n = 0; n < rows.length; n++) {
    length += (last ? rows[rows.length - 1 - n]! : rows[n]!).stanza.length // n < length
    if (length > PAGE_LENGTH && n > 0) return last ? rows.slice(-n) : rows.slice(0, n)
  }
  return rows
}

const latest = (a: string | undefined, b: string | undefined): string | undefined => a === undefined || b !== undefined && b > a ? b : a
const earliest = (a: string | undefined, b: string | undefined): string | undefined => a === undefined || b !== undefined && b < a ? b : a

/** `<result/>` around an archived message (section 4.2). Its text is ready; it has no children to look at, for it goes to a stream and nowhere else. */
export function archived(row: ArchiveRow, queryId: string | undefined): Element {
  const head = new Element('result', NS_MAM, { ...(queryId === undefined ? {} : { queryid: queryId }), id: row.id })
  const stamp = stampOf(row)
  const open = head.write('').slice(0, -2) // without the '/>'
  return new Written(head, `${open}><forwarded xmlns='${NS_FORWARD}'><delay xmlns='${NS_DELAY}' stamp='${stamp}'/>${row.stanza}</forwarded></result>`)
}

/** COMPAT: Gajim turns the order of messages of one time around, so those of one millisecond are told a microsecond apart. */
function stampOf({ id, at }: ArchiveRow): string {
  const stamp = new Date(at).toISOString()
  const count = ID.test(id) ? parseInt(id.slice(9, 12), 32) : 0
  return count === 0 ? stamp : `${stamp.slice(0, -1)}${String(Math.min(count, 999)).padStart(3, '0')}Z`
}
const ID = /^[0-9a-v]{24}$/ // as `ArchiveIds` gives them

/** An element that was written before: its text is stored, and reading it in to write it out again would cost more than all the rest. */
class Written extends Element {
  readonly #text: string
  constructor(like: Element, text: string) { super(like.name, like.ns, like.attrs); this.#text = text }
  override write(): string { return this.#text }
}

/** The text of a message as an archive keeps it: whole, with its namespace. */
export const archiveText = (stanza: AnyStanza): string => stanza.write(CONTENT)

/** The form that tells which fields a query may have (section 4.1.5). */
export function queryForm(): Element {
  const x = form({
    type: 'form', formType: NS_MAM,
    fields: [
      { var: 'with', type: 'jid-single' }, { var: 'start' }, { var: 'end' }, { var: 'before-id' }, { var: 'after-id' },
      { var: 'ids', type: 'list-multi' }, { var: 'include-groupchat', type: 'boolean' }, { var: FULLTEXT },
    ],
  })
  const open = el('validate', NS_VALIDATE, { datatype: 'xs:string' }, el('open', NS_VALIDATE))
  const fields = x.children.map(f => typeof f !== 'string' && f.attrs['var'] === 'ids' ? el(f.name, f.ns, f.attrs, ...f.children, open) : f)
  return el('query', NS_MAM, {}, el(x.name, x.ns, x.attrs, ...fields))
}

/** `<metadata/>`: where an archive begins and ends (section 5). */
export async function metadata(store: ReadableArchive, owner: string): Promise<Element> {
  const { first, last } = await store.ends(owner)
  const end = (name: string, row: ArchiveRow): Element => el(name, NS_MAM, { id: row.id, timestamp: new Date(row.at).toISOString() })
  return el('metadata', NS_MAM, {}, ...(first && last ? [end('start', first), end('end', last)] : []))
}
