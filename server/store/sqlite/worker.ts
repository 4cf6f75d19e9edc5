// A thread of the embedded store: holds one connection, does the calls that come, group by group.
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { MEMORY, openReader, openWriter, Refusal, syncFolder } from './boot.ts'
import { group } from './group.ts'
import type { Answer, Call, Start, Told } from './protocol.ts'
import { unpack } from './protocol.ts'

const MOST = 4000 // calls: no more are gathered into a group that has as many

const { file, part } = workerData as Start // given by lane.ts
const port = inThread()
const tell = (answer: Answer): void => port.postMessage(answer)

try {
  if (part === 'reader') serve(openReader(file), [], db => db.close())
  else {
    const { db, notes, release } = openWriter(file)
    serve(db, notes, release)
  }
} catch (e) {
  tell({ tag: 'refused', why: e instanceof Refusal ? e.message : `${file}: cannot be opened (${String(e)}): look at the file and its folder` })
  port.close()
}

function serve(db: DatabaseSync, notes: readonly string[], release: (db: DatabaseSync) => void): void {
  const run = group(db)
  port.on('message', (told: Told) => {
    for (let next: Told | undefined = told; next !== undefined;) {
      let after: Told | undefined
      if ('calls' in next) {
        const calls: Call[] = []
        unpack(next.calls, calls)
        // Everything that arrived during the last commit goes into this one.
        while (calls.length < MOST && (after = waiting()) && 'calls' in after) {
          unpack(after.calls, calls)
          after = undefined
        }
        tell(run(calls))
      } else if ('backup' in next) tell(backup(db, next.backup))
      else if ('tidy' in next) tidy()
      else {
        release(db)
        port.close()
        return
      }
      next = after
    }
  })
  tell({ tag: 'ready', notes })
  flushCompileCache() // a thread that ends with its process writes nothing
}

// A thread that starts leaves a quarter of its memory behind as garbage, and V8 does not look while nothing happens.
function tidy(): void {
  void globalThis.gc?.({ type: 'major', flavor: 'last-resort', execution: 'sync' }) // is there where the program has asked for it before it opened the store
}

const waiting = (): Told | undefined => receiveMessageOnPort(port)?.message as Told | undefined // lane.ts sends nothing else

// Under another name until it is whole and on the disk: a broken backup is never taken for a good one.
function backup(db: DatabaseSync, to: string): Answer {
  const half = `${to}.part`
  try {
    if (file !== MEMORY && real(to) === real(file)) throw new Error('that is the store itself')
    rmSync(half, { force: true })
    closeSync(openSync(half, 'wx', 0o600))
    db.prepare('VACUUM INTO ?').run(half)
    const fd = openSync(half, 'r+')
    try { fsyncSync(fd) } finally { closeSync(fd) }
    renameSync(half, to)
    syncFolder(to)
    return { tag: 'backup' }
  } catch (e) {
    rmSync(half, { force: true })
    return { tag: 'backup', why: e instanceof Error ? e.message : String(e) }
  }
}

function real(path: string): string {
  try { return realpathSync(path) } catch { return path }
}

function inThread(): NonNullable<typeof parentPort> {
  if (!parentPort) throw new Error('runs as a worker thread only')
  return parentPort
}
