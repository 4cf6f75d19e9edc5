// The embedded store: one SQLite file, written by one thread and read by another beside it, never by the main thread.
import { resolve } from 'node:path'
import type { Log } from '../../ports/log.ts'
import { silent } from '../../ports/log.ts'
import type {
  AccountRecord, AccountStore, ArchiveQuery, ArchiveRow, ArchiveStore, DocumentStore, EventLog, OfflineRow, OfflineStore, Hit, Order, RosterItem, RosterStore, SearchPage, SearchQuery, SearchStore, Stored, Stores,
} from '../../ports/store.ts'
import { StoreError } from '../../ports/store.ts'
import type { Piece } from './archive.ts'
import { journalOf, watchJournal } from './journal.ts'
import { Lane } from './lane.ts'
import { Best, cursorOf, type Ranked } from './order.ts'
import type { Arg, CallName } from './protocol.ts'
import { CALLS } from './protocol.ts'

const JOURNAL = 2 ** 28 // bytes of the journal of which the admin is told
const BITE = 1000 // archive rows removed in one call: others' writes come between

export interface SqliteStores extends Stores {
  /** Writes the store as it stands to another file, whole or not at all, while all goes on. Rejects with StoreError. */
  backup(file: string): Promise<void>
  /** Gives memory back that a start or a rush has left: for when it is quiet, reads and writes wait some 10 ms for it. */
  tidy(): void
  /** What it has to do and has done. */
  readonly work: StoreWork
}

/** Counts since the start, but for the calls that wait at this moment. */
export interface StoreWork {
  readonly waiting: { readonly writes: number; readonly reads: number }
  readonly writes: number
  readonly reads: number
  readonly commits: number
  readonly failures: number
  /** Bytes of what is written first and taken in later. */
  readonly journal: number
}

/**
 * Opens the store, making it if there is none. `:memory:` is one that ends with `close()`. Rejects with StoreError whose
 * message names the file, the fault and the mend: damaged, newer than we know, not writable, or open in another process.
 */
export async function openSqlite({ file, log = silent, journal = JOURNAL }: { file: string; log?: Log; /** Bytes of the journal of which the log hears. */ journal?: number }): Promise<SqliteStores> {
  const memory = file === ':memory:'
  const path = memory ? file : resolve(file)
  const { lane: writer, notes } = await Lane.open({ file: path, part: 'writer' })
  for (const note of notes) log.info({ file: path }, `store: ${note}`)
  const [failing, growing] = [watch(path, log), watchJournal(path, journal, log)]
  writer.heard = why => { failing(why); growing() }
  if (memory) return face(path, writer, writer)
  try {
    return face(path, writer, (await Lane.open({ file: path, part: 'reader' })).lane)
  } catch (e) {
    await writer.close()
    throw e
  }
}

// A full disk fails thousands of writes a second: the log hears of the first, and when it is over.
function watch(file: string, log: Log): (why: string | undefined) => void {
  let failing = false
  return why => {
    if (why !== undefined && !failing) log.error({ file, why }, 'store: writes fail')
    if (why === undefined && failing) log.info({ file }, 'store: writes succeed again')
    failing = why !== undefined
  }
}

// The newest write to one table: its number among all writes, and when it is answered.
interface Last { number: number; done: Promise<unknown> }

function face(file: string, writer: Lane, reader: Lane): SqliteStores {
  let closing: Promise<void> | undefined
  const tables = new Map<string, Last>()
  const lastOf = new Map<CallName, Last>()
  for (const call of CALLS) {
    const table = call.slice(0, call.indexOf('.'))
    const last = tables.get(table) ?? { number: 0, done: Promise.resolve() }
    tables.set(table, last)
    lastOf.set(call, last)
  }

  const refused = (): Promise<never> => Promise.reject(new StoreError('the store is closed'))

  // The results have the types that the thread's statements give: the casts of both functions are for that.
  function write<T>(call: CallName, ...args: Arg[]): Promise<T> {
    if (closing) return refused()
    const done = writer.ask(call, args) as Promise<T>
    const last = lastOf.get(call)
    if (last) { last.number = writer.asked; last.done = done }
    return done
  }

  /**
   * A read sees every write that was issued before it: it waits on this side until the newest write to its table is
   * answered, committed or not. So it never sees what may yet be undone, nor waits for writes that are not its concern.
   */
  function read<T>(call: CallName, ...args: Arg[]): Promise<T> {
    if (closing) return refused()
    const send = (): Promise<T> => reader.ask(call, args) as Promise<T>
    const before = lastOf.get(call)
    return before && before.number > writer.answered ? before.done.then(send, send) : send()
  }

  const accounts: AccountStore = {
    find: async (host, local) => {
      const record = parse<AccountRecord>(await read<string>('accounts.find', host, local))
      return record.local === '' ? undefined : record // which is read as any other is
    },
    create: record => write('accounts.create', record.host, record.local, JSON.stringify(record)),
    update: record => write('accounts.update', record.host, record.local, JSON.stringify(record)),
    remove: async (host, local) => {
      if (!await accounts.find(host, local)) return 'missing'
      while (await write<number>('archive.wipe', `${local}@${host}`, BITE) === BITE);
      const done = write<'ok' | 'missing'>('accounts.remove', host, local)
      for (const last of tables.values()) { last.number = writer.asked; last.done = done }
      return done
    },
    list: async (host, page) => (await read<string[]>('accounts.list', host, page.after ?? '', page.limit)).map(parse<AccountRecord>),
  }

  const rosters: RosterStore = {
    load: async owner => {
      const [version, ...items] = await read<[number, ...string[]]>('rosters.load', owner)
      return { version, items: items.map(parse<RosterItem>) }
    },
    put: (owner, version, items) => write('rosters.put', owner, version, JSON.stringify(items)),
    forget: (owner, jid) => write('rosters.forget', owner, jid),
  }

  const archive: ArchiveStore = {
    append: row => write('archive.append', row.owner, row.id, row.at, row.with, row.stanza),
    query: q => q.text === undefined && q.holds === undefined ? read('archive.query', JSON.stringify(q)) : look(q),
    count: q => read('archive.count', JSON.stringify(q)),
    has: (owner, id) => read('archive.has', owner, id),
    ends: owner => read<{ first?: ArchiveRow; last?: ArchiveRow }>('archive.ends', owner),
    expire: async (owner, before) => {
      let total = 0
      for (;;) {
        const removed = await write<number>('archive.expire', owner, before, BITE)
        total += removed
        if (removed < BITE) return total
      }
    },
    replace: (owner, id, stanza) => write('archive.replace', owner, id, stanza),
    remove: (owner, ids) => write('archive.remove', owner, JSON.stringify(ids)),
  }

  // Piece by piece, and one piece of all searches at a time: other reads wait for no more than that.
  let turn: Promise<unknown> = Promise.resolve()
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }
  async function look(q: ArchiveQuery): Promise<{ rows: ArchiveRow[]; complete: boolean }> {
    const found: ArchiveRow[] = []
    for (let from = q; ;) {
      const piece = JSON.stringify(from)
      const { rows, next } = await inTurn(() => read<Piece>('archive.search', piece))
      found.push(...rows)
      if (found.length > q.limit || next === undefined) break
      from = { ...from, [q.last ? 'beforeId' : 'afterId']: next }
    }
    const rows = found.slice(0, q.limit)
    return { rows: q.last ? rows.reverse() : rows, complete: found.length <= q.limit }
  }

  const offline: OfflineStore = {
    push: (owner, at, stanza, limit) => write('offline.push', owner, at, stanza, limit),
    list: owner => read<OfflineRow[]>('offline.list', owner),
    clear: (owner, id) => write('offline.clear', owner, id),
    remove: (owner, ids) => write('offline.remove', owner, JSON.stringify(ids)),
  }

  interface Row { id: string; version: number; value: string }
  const stored = <T>(row: Row): Stored<T> => ({ id: row.id, version: row.version, value: parse<T>(row.value) })
  const documents: DocumentStore = {
    get: async <T>(collection: string, owner: string, id: string) => {
      const row = await read<Row | undefined>('documents.get', owner, collection, id)
      return row ? stored<T>(row) : undefined
    },
    put: (collection, owner, id, value, expected) => write('documents.put', owner, collection, id, JSON.stringify(value), expected),
    remove: (collection, owner, id, expected) => write('documents.remove', owner, collection, id, expected),
    range: async <T>(collection: string, owner: string, page: { after?: string; before?: string; limit: number; reverse?: boolean }) =>
      (await read<Row[]>('documents.range', owner, collection, page.limit, page.after, page.before, page.reverse ? 1 : 0)).map(stored<T>),
  }

  const events: EventLog = {
    load: async <E>(stream: string) => {
      const commits = await read<string[]>('events.load', stream)
      return { version: commits.length, events: commits.flatMap(parse<E[]>) }
    },
    append: (stream, expected, list, more) =>
      write('events.append', stream, expected, JSON.stringify(list), more?.live ? 1 : 0, more?.todo?.length ? JSON.stringify(more.todo) : undefined),
    live: prefix => read('events.live', prefix),
    undone: async prefix => (await read<{ stream: string; version: number; todo: string }[]>('events.undone', prefix))
      .map(row => ({ stream: row.stream, version: row.version, todo: parse<unknown[]>(row.todo) })),
    done: (stream, version) => write('events.done', stream, version),
  }

  async function listed(space: string, q: SearchQuery): Promise<SearchPage | { wrong: string }> {
    const text = JSON.stringify(q)
    const page = await read<SearchPage | { wrong: string }>('search.find', space, text)
    return q.count && !('wrong' in page) ? { ...page, total: await inTurn(() => read<number>('search.count', space, text)) } : page
  }
  async function ranked(space: string, q: SearchQuery, order: Order): Promise<SearchPage | { wrong: string }> {
    const text = JSON.stringify(q)
    const best = new Best(order, q.limit + 1, undefined)
    let total = 0
    for (let from: number | undefined = 0; from !== undefined;) {
      const begin: number = from
      const piece: Ranked | { wrong: string } = await inTurn(() => read<Ranked | { wrong: string }>('search.rank', space, text, begin))
      if ('wrong' in piece) return piece
      for (const k of piece.best) best.put(k)
      total += piece.count
      from = piece.next
    }
    const found = best.list.slice(0, q.limit)
    const hits = await read<Hit[]>('search.ids', JSON.stringify(found.map(([no]) => no)))
    const last = best.list.length > q.limit ? found.at(-1) : undefined
    return { hits, total, ...(last === undefined ? {} : { next: cursorOf(order, last) }) }
  }

  const search: SearchStore = {
    put: (space, document) => write('search.put', space, JSON.stringify(document)),
    remove: (space, id) => write('search.remove', space, id),
    find: (space, query) => typeof query.sort === 'object' ? ranked(space, query, query.sort) : listed(space, query),
  }

  async function backup(to: string): Promise<void> {
    await Promise.allSettled([...tables.values()].map(last => last.done))
    // In a thread of its own, so that nobody waits for it.
    const lane = reader === writer ? writer : (await Lane.open({ file, part: 'reader' })).lane
    const why = await lane.backup(resolve(to))
    if (lane !== writer) await lane.close()
    if (why !== undefined) throw new StoreError(`${to}: the backup was not written (${why}): look at the folder and its free space`)
  }

  async function close(): Promise<void> {
    await Promise.allSettled(backups)
    await writer.idle()
    await new Promise(done => { setImmediate(done) }) // reads that waited for a write are sent by now
    if (reader !== writer) await reader.close()
    await writer.close()
  }

  const backups = new Set<Promise<void>>()
  return {
    accounts, rosters, archive, offline, documents, events, search,
    get work() {
      return {
        waiting: { writes: writer.asked - writer.answered, reads: reader.asked - reader.answered },
        writes: writer.answered, reads: reader.answered, commits: writer.groups, failures: writer.failed + (reader === writer ? 0 : reader.failed),
        journal: journalOf(file),
      }
    },
    tidy: () => { if (!closing) for (const lane of new Set([writer, reader])) lane.tidy() },
    backup: to => {
      if (closing) return refused()
      const one = backup(to).finally(() => backups.delete(one))
      backups.add(one)
      return one
    },
    close: () => closing ??= close(),
  }
}

// What was written by JSON.stringify of the same type.
const parse = <T>(text: string): T => JSON.parse(text) as T
