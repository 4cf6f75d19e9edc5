// The model-based run: a desk in a process of its own, killed at random moments; after each death the logs are replayed from zero.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import type { News } from '../fault/desk-child.ts'
import { replay, settled, type Replayed } from './invariants.ts'
import { DESK } from './desk.ts'

const CAPACITY = 3
// A killed process leaves to the system what it has written, so a disk in memory proves the same, without its waits.
const DISK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const LEAP = 120_000 // ms: the play moves its clock while commits are on their way, and what is not committed is not in line yet
const LATE = 300 // conversations before the newest that are replayed after each death; all of them after every tenth, and in the end
const BEGIN = Date.UTC(2026, 10, 20, 8)

/** Does so many random things with so many deaths in between; gives what was done and the last replay. */
export async function modelRun({ operations, deaths, seed }: { operations: number; deaths: number; seed: number }): Promise<{ done: number; last: Replayed }> {
  const folder = mkdtempSync(join(DISK, 'deskbell-model-'))
  const file = join(folder, 'desk.sqlite')
  let [now, done, rolls] = [BEGIN, 0, seed >>> 0]
  const roll = (): number => { rolls = (Math.imul(rolls, 1664525) + 1013904223) >>> 0; return rolls / 2 ** 32 }
  try {
    let last: Replayed | undefined
    for (let run = 0; run <= deaths; run++) {
      const isLast = run === deaths
      const count = isLast ? Math.max(1, operations - done) : Math.ceil(operations / (deaths + 1))
      const dies = isLast ? Infinity : Math.ceil(count * (0.5 + roll() / 2))
      const child = fork(new URL('../fault/desk-child.ts', import.meta.url), [file, String(seed + run), String(count), String(now), isLast ? 'drain' : ''], { execArgv: ['--disable-warning=ExperimentalWarning'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') } })
      let over = false
      let here = 0
      let [leak, lost]: [string | undefined, string | undefined] = [undefined, undefined]
      child.on('message', (news: News) => {
        if ('leak' in news) { leak ??= news.leak; return }
        if ('lost' in news) { lost ??= news.lost; return }
        now = Math.max(now, news.now)
        if ('over' in news) { over = true; return }
        here = news.done
        if (news.done >= dies) child.kill('SIGKILL')
      })
      await once(child, 'close')
      done += here
      assert.equal(leak, undefined, 'I8: a customer got what is not public')
      assert.equal(lost, undefined, 'I4: nobody sees to a conversation whose agent is gone')
      assert.ok(over || !isLast, 'the last run came to its end')
      now += 300_000 // what was done after the last news
      await using stores = await opened(file)
      last = await replay(stores.all, DESK, CAPACITY, isLast || run % 10 === 9 ? Infinity : LATE, LEAP)
      if (isLast) {
        await settled(stores.all, DESK, last)
        for (const [n, s] of last.states) assert.ok(s.is === 'closed' || s.is === 'absent', `I3: #${n} is ${s.is}`)
      }
    }
    assert.ok(last)
    return { done, last }
  } finally { rmSync(folder, { recursive: true, force: true }) }
}

async function opened(file: string): Promise<{ all: Awaited<ReturnType<typeof openSqlite>> } & AsyncDisposable> {
  const all = await openSqlite({ file })
  return { all, [Symbol.asyncDispose]: () => all.close() }
}
