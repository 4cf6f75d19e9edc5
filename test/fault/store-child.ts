// A process that holds a store and does what its parent says: the fault tests kill it and take its disk away.
import type { Stores } from '../../server/ports/store.ts'
import { StoreError } from '../../server/ports/store.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

/** `load`: write without end and report each thing when it is acknowledged; `rows`: append these ids; `read`: count them. */
export type Order = { load: true } | { rows: number[] } | { read: true } | { close: true }
export type Report =
  | { opened: true } | { refused: string }
  | { row: string } | { commit: number } | { roster: number }
  | { written: number[]; failed: [number, string][] }
  | { count: number; found: boolean }

/** Resolves when it is out of this process: what is awaited is heard though the process is killed at once. */
const tell = (report: Report): Promise<void> => new Promise(out => { process.send?.(report, () => out()) })
const file = process.argv[2] ?? ''

let s: Stores
try {
  s = await openSqlite({ file })
} catch (e) {
  await tell({ refused: e instanceof Error ? e.message : String(e) })
  process.exit(1)
}

process.on('message', (order: Order) => void obey(order))
process.on('disconnect', () => process.exit())
void tell({ opened: true })

async function obey(order: Order): Promise<void> {
  if ('load' in order) await Promise.all([rows(), rows(), commits(), rosters()])
  else if ('rows' in order) {
    const results = await Promise.allSettled(order.rows.map(i => s.archive.append({ owner: 'a@x', id: String(i), at: i, with: 'b@x', stanza: `<message>${'x'.repeat(10_000)}</message>` })))
    const failed = results.flatMap((r, i): [number, string][] => r.status === 'rejected' ? [[order.rows[i] ?? 0, r.reason instanceof StoreError ? 'StoreError' : String(r.reason)]] : [])
    await tell({ written: order.rows.filter(i => !failed.some(([n]) => n === i)), failed })
  } else if ('read' in order) await tell({ count: await s.archive.count({ owner: 'a@x' }), found: await s.accounts.find('x', 'a') !== undefined })
  else {
    await s.close()
    process.disconnect()
  }
}

let next = 0

async function rows(): Promise<void> {
  for (;;) {
    await Promise.all(Array.from({ length: 20 }, async () => {
      const id = `r${next++}`
      await s.archive.append({ owner: 'a@x', id, at: 1, with: 'b@x', stanza: '<message>'.padEnd(2000, 'x') })
      await tell({ row: id })
    }))
  }
}

async function commits(): Promise<void> {
  for (let n = 0; ; n++) {
    await s.events.append('stream', n, [n, 'and', n], { live: true, todo: [n] })
    await tell({ commit: n + 1 })
  }
}

async function rosters(): Promise<void> {
  for (let version = 1; ; version++) {
    await s.rosters.put('a@x', version, Array.from({ length: 30 }, (_, i) => ({ jid: `${i}@y`, groups: ['g'.repeat(500)], subscription: 'both', version })))
    await tell({ roster: version })
  }
}
