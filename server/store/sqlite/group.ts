// A group of calls as one transaction: one sync of the disk for all, and what fails fails alone.
import type { DatabaseSync } from 'node:sqlite'
import { Names } from './names.ts'
import type { Answer, Call } from './protocol.ts'
import { preparer } from './calls.ts'
import { readsOf, writesOf } from './statements.ts'

/**
 * Gives the function that does a group on this connection. A call that fails is undone alone; when the transaction
 * itself fails (disk full), its halves are tried, down to the single call.
 */
export function group(db: DatabaseSync): (calls: readonly Call[]) => Answer {
  const sql = preparer(db)
  const names = new Names(sql)
  const writes = writesOf(sql, names)
  const reads = readsOf(sql)

  function one({ name, args }: Call): unknown {
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

  function transact(calls: readonly Call[], from: number, to: number, results: unknown[], failed: Map<number, string>): void {
    const here = new Map<number, string>()
    try {
      db.exec(calls.some(c => writes[c.name]) ? 'BEGIN IMMEDIATE' : 'BEGIN')
    } catch (e) { // busy or broken: its parts would fare no better
      for (let i = from; i < to; i++) failed.set(i, words(e))
      return
    }
    try {
      for (let i = from; i < to; i++) {
        try {
          results[i] = one(calls[i]!) // i is within the calls
        } catch (e) {
          if (!db.isTransaction) throw e // SQLite gave the whole transaction up
          here.set(i, words(e))
        }
      }
      db.exec('COMMIT')
      for (const [i, why] of here) failed.set(i, why)
    } catch (e) {
      if (db.isTransaction) db.exec('ROLLBACK')
      names.forget()
      if (to - from === 1) {
        failed.set(from, words(e))
        return
      }
      const middle = (from + to) >> 1
      transact(calls, from, middle, results, failed)
      transact(calls, middle, to, results, failed)
    }
  }

  return calls => {
    const count = calls.length
    const results = Array.from<unknown>({ length: count })
    const failed = new Map<number, string>()
    if (count > 0) transact(calls, 0, count, results, failed)
    for (const i of failed.keys()) results[i] = undefined
    const answer: Answer = { tag: 'group', count, failed: [...failed] }
    return results.every(r => r === undefined) ? answer : { ...answer, results }
  }
}

const words = (e: unknown): string => e instanceof Error ? e.message : String(e)
