// The shapes that all statements share: what a call is run with, what it reads or writes.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Arg, CallName } from './protocol.ts'

type Run = (args: Arg[]) => unknown
export type Reads = Readonly<Partial<Record<CallName, Run>>>

/** Prepares on first use and keeps it. */
export type Prepare = (sql: string) => StatementSync

export interface Write {
  readonly run: Run
  /** Has more than one statement that writes: what it has done is undone if a later one fails. */
  readonly several?: true
}

export type Writes = Readonly<Partial<Record<CallName, Write>>>

export function preparer(db: DatabaseSync): Prepare {
  const kept = new Map<string, StatementSync>()
  return sql => {
    let statement = kept.get(sql)
    if (!statement) kept.set(sql, statement = db.prepare(sql))
    return statement
  }
}

/** SQLite counts in integers: no limit is the greatest of them. */
export const bind = (a: Arg): string | number | null => (a === Infinity ? Number.MAX_SAFE_INTEGER : a ?? null)
