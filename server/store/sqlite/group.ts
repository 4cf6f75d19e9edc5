// A group of calls as one transaction: one sync of the disk for all, and what fails fails alone.
import type { DatabaseSync } from 'node:sqlite'
import type { Arg, Calls } from './protocol.ts'
import { preparer, readsOf, writesOf } from './statements.ts'

interface Done { readonly results: unknown[]; readonly failed: (readonly [number, string])[] }
interface One { readonly name: string; readonly args: Arg[] }

/**
 * Gives the function that does a group on this connection. A call that fails is undone alone; when the transaction
 * itself fails (disk full), its halves are tried, down to the single call.
 */
export function group(db: DatabaseSync): (calls: Calls) => Done {
  const sql = preparer(db)
  const writes = writesOf(sql)
  const reads = readsOf(sql)

  function one({ name, args }: One): unknown {
    const write = writes[name]
    if (!write) {
      const read = reads[name]
      if (!read) throw new Error(`the store knows no call ${name}`)
      return read(args)
    }
    if (!write.several) return write.run(args)
    db.exec('SAVEPOINT one')
    try {
      const result = write.run(args)
      db.exec('RELEASE one')
      return result
    } catch (e) {
      if (db.isTransaction) db.exec('ROLLBACK TO one; RELEASE one')
      throw e
    }
  }

  function transact(calls: readonly One[], from: number, to: number, done: Done): void {
    const failed: [number, string][] = []
    try {
      db.exec(calls.some(c => writes[c.name]) ? 'BEGIN IMMEDIATE' : 'BEGIN')
    } catch (e) { // busy or broken: its parts would fare no better
      for (let i = from; i < to; i++) done.failed.push([i, words(e)])
      return
    }
    try {
      for (let i = from; i < to; i++) {
        try {
          done.results[i] = one(calls[i]!) // i is within the calls
        } catch (e) {
          if (!db.isTransaction) throw e // SQLite gave the whole transaction up
          failed.push([i, words(e)])
        }
      }
      db.exec('COMMIT')
      done.failed.push(...failed)
    } catch (e) {
      if (db.isTransaction) db.exec('ROLLBACK')
      if (to - from === 1) {
        done.failed.push([from, words(e)])
        return
      }
      const middle = (from + to) >> 1
      transact(calls, from, middle, done)
      transact(calls, middle, to, done)
    }
  }

  return flat => {
    const calls = unflatten(flat)
    const done: Done = { results: new Array<unknown>(calls.length).fill(undefined), failed: [] }
    if (calls.length > 0) transact(calls, 0, calls.length, done)
    for (const [i] of done.failed) done.results[i] = undefined
    return done
  }
}

function unflatten(flat: Calls): One[] {
  const calls: One[] = []
  for (let i = 0; i < flat.length;) {
    const count = Number(flat[i + 1])
    calls.push({ name: String(flat[i]), args: flat.slice(i + 2, i + 2 + count) })
    i += 2 + count
  }
  return calls
}

const words = (e: unknown): string => e instanceof Error ? e.message : String(e)
