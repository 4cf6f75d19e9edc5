// Opens the file of the embedded store, or refuses with words that name the file, the fault and the mend.
import { accessSync, closeSync, constants, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { APPLICATION, migrate, SCHEMA, schemaOf } from './schema.ts'

export const MEMORY = ':memory:'
const WAIT = 5000 // ms that a connection waits for another's lock
const CHECKED = 2 ** 30 // bytes: a larger file is not read through at the start, that would take many seconds
const RESTORE = 'bring back the newest backup with "deskbell restore FILE"'

/** The ending of a backup that is about to become the store. */
export const RESTORING = '.restoring'

/** Thrown by `openWriter` for what an admin has to mend. */
export class Refusal extends Error {}

export interface Writer { readonly db: DatabaseSync; readonly notes: readonly string[]; release(): void }

/** Takes the file for this process alone, makes or migrates it, and gives the one connection that writes. */
export function openWriter(file: string): Writer {
  const notes: string[] = []
  if (file === MEMORY) {
    const db = connect(file)
    migrate(db, 0)
    return { db, notes, release: () => db.close() }
  }
  reachable(file)
  const lock = takeLock(file)
  try {
    if (existsSync(file + RESTORING)) throw new Refusal(`${file}: bringing back a backup was broken off: do it again with "deskbell restore FILE"`)
    if (!existsSync(file)) {
      if (sizeOf(`${file}-wal`) > 0) {
        throw new Refusal(`${file}: the file is gone, but its journal ${file}-wal is there: put the file back beside it, or ${RESTORE}, or remove the journal to begin anew`)
      }
      make(file)
      notes.push('made a new store')
    }
    const db = openKnown(file, notes)
    return { db, notes, release: () => { db.close(); lock.close() } }
  } catch (e) {
    lock.close()
    throw e
  }
}

/** A connection beside the writer's, which cannot write. */
export function openReader(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: WAIT })
  db.exec('PRAGMA cache_size = -16000; PRAGMA trusted_schema = OFF')
  return db
}

function connect(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: WAIT, enableForeignKeyConstraints: true })
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = FAST;
    PRAGMA journal_size_limit = ${2 ** 26}; PRAGMA wal_autocheckpoint = 4000`)
  return db
}

// Existing and ours: never a silent empty store in place of one that was lost.
function openKnown(file: string, notes: string[]): DatabaseSync {
  whole(file, file, RESTORE)
  let db: DatabaseSync | undefined
  try {
    db = connect(file)
    const schema = known(db, file, RESTORE)
    if (statSync(file).size <= CHECKED) check(db, file, RESTORE)
    else notes.push('too large to be checked at the start: "PRAGMA integrity_check" on a backup tells whether it is whole')
    if (schema < SCHEMA) {
      migrate(db, schema)
      notes.push(`led from schema ${schema} to ${SCHEMA}`)
    }
    return db
  } catch (e) {
    db?.close()
    throw e instanceof Refusal ? e : new Refusal(explain(file, e, RESTORE))
  }
}

/** Looks a copy of a backup through; throws a Refusal that speaks of `name`. */
export function checkBackup(copy: string, name: string): void {
  const another = 'take another backup'
  whole(copy, name, another)
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(copy)
    known(db, name, another)
    check(db, name, another)
  } catch (e) {
    throw e instanceof Refusal ? e : new Refusal(explain(name, e, another))
  } finally { db?.close() }
}

function known(db: DatabaseSync, name: string, mend: string): number {
  const schema = schemaOf(db)
  const application = Number(db.prepare('PRAGMA application_id').get()?.['application_id'])
  if (application !== APPLICATION) throw new Refusal(`${name}: is not a store of deskbell: move it away, or give another "data" folder`)
  if (schema > SCHEMA) throw new Refusal(`${name}: was written by a newer deskbell (schema ${schema}, this one knows ${SCHEMA}): start the newer one again, or ${mend}`)
  return schema
}

function check(db: DatabaseSync, name: string, mend: string): void {
  // Table by table: all at once would also read every word of the search again, which takes five times as long as the rest.
  for (const table of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'").all()) {
    const found = db.prepare(`PRAGMA quick_check("${String(table['name'])}")`).get()?.['quick_check']
    if (found !== 'ok') throw new Refusal(`${name}: is damaged (${String(found).split('\n').at(-1)}): ${mend}`)
  }
}

// SQLite takes an empty file for a new database, and a page beyond the end for an empty one.
function whole(file: string, name: string, mend: string): void {
  const size = sizeOf(file)
  const bytes = new Uint8Array(100)
  const fd = openSync(file, 'r')
  try { readSync(fd, bytes, 0, 100, 0) } finally { closeSync(fd) }
  const head = new DataView(bytes.buffer)
  const page = head.getUint16(16) === 1 ? 65536 : head.getUint16(16)
  const journal = sizeOf(`${file}-wal`) > 0 // what it holds may make the file longer than it is
  if (size < 512 || !new TextDecoder('latin1').decode(bytes).startsWith('SQLite format 3\0') || (!journal && size < page * head.getUint32(28))) {
    throw new Refusal(`${name}: is damaged (${size} bytes are left of it, or it is no database): ${mend}`)
  }
}

// Under another name first: a kill in between must not leave an empty file that looks like a lost store.
function make(file: string): void {
  const fresh = `${file}.new`
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(fresh + end, { force: true })
  closeSync(openSync(fresh, 'wx', 0o600)) // it holds credentials; the journal takes the same mode
  const db = connect(fresh)
  try { migrate(db, 0) } finally { db.close() }
  renameSync(fresh, file)
  syncFolder(file)
}

/** Makes a rename in the file's folder outlive a power cut. */
export function syncFolder(file: string): void {
  const fd = openSync(dirname(file), 'r')
  try { fsyncSync(fd) } finally { closeSync(fd) }
}

/**
 * Holds the file for this process: a database of its own, held exclusively, because locking the store itself would
 * keep the readers out. The kernel drops the lock with the process, however that ends.
 */
export function takeLock(file: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(`${file}.lock`, { timeout: 0 })
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (e) {
    lock?.close()
    throw new Refusal(codeOf(e) === 5
      ? `${file}: another deskbell has this store open: stop that one first, or give this one another "data" folder`
      : explain(`${file}.lock`, e, RESTORE))
  }
}

/** Refuses a folder that is missing, and files in it that cannot be written. */
export function reachable(file: string): void {
  const folder = dirname(file)
  if (!existsSync(folder)) throw new Refusal(`${folder}: there is no such folder: make it, or correct "data" in the config`)
  for (const path of [folder, file, `${file}-wal`, `${file}-shm`, `${file}.lock`]) {
    if (!existsSync(path)) continue
    try { accessSync(path, constants.R_OK | constants.W_OK) } catch {
      throw new Refusal(`${path}: cannot be written by the user that runs deskbell (uid ${process.getuid?.() ?? '?'}): give it to that user, or correct "data" in the config`)
    }
  }
}

const codeOf = (e: unknown): number => e instanceof Error && 'errcode' in e ? Number(e.errcode) & 0xff : 0

function explain(path: string, e: unknown, mend: string): string {
  const text = e instanceof Error ? e.message : String(e)
  switch (codeOf(e)) {
    case 8: case 14: return `${path}: cannot be opened for writing (${text}): see that the folder is writable, or correct "data" in the config`
    case 10: return `${path}: the disk reports an error (${text}): look at the disk, then ${mend}`
    case 11: case 26: return `${path}: is damaged (${text}): ${mend}`
    case 13: return `${path}: the disk is full: free some space`
    default: return `${path}: cannot be opened (${text}): look at the file and its folder, or ${mend}`
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
