// What is left of the store when the power goes: rebuilt from what its process wrote and when it had the disk confirm it.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { tempFolder } from '../harness/folder.ts'
import { needs } from '../harness/machine.ts'

const ROWS = 40

type Act =
  | { readonly do: 'write'; readonly path: string; readonly at: number; readonly bytes: Buffer }
  | { readonly do: 'cut'; readonly path: string; readonly to: number }
  | { readonly do: 'sync'; readonly path: string }
  | { readonly do: 'unlink'; readonly path: string }
  | { readonly do: 'ack'; readonly row: number }

/** What strace saw, in order; what it saw in two halves counts from the second on. */
function actsIn(trace: string, base: string): Act[] {
  const halves = new Map<string, string>()
  return trace.split('\n').flatMap((line): Act[] => {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (rest.endsWith('<unfinished ...>')) { halves.set(pid, rest.slice(0, -'<unfinished ...>'.length)); return [] }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const call = resumed ? `${halves.get(pid) ?? ''}${resumed[1]}` : rest
    const [, name, hex = ''] = /^(\w+)\((?:\d+<([^>]*)>|"[^"]*")/.exec(call) ?? []
    const path = unhex(hex).toString()
    if (name === 'write') { const row = /^ack (\d+)\n$/.exec(unhex(/"([^"]*)"/.exec(call)?.[1] ?? '').toString()); return row ? [{ do: 'ack', row: Number(row[1]) }] : [] }
    if (name === 'unlink') { const gone = unhex(/"([^"]*)"/.exec(call)?.[1] ?? '').toString(); return gone.startsWith(base) ? [{ do: 'unlink', path: gone }] : [] }
    if (!path.startsWith(base) || !/ = \d+$/.test(call)) return []
    switch (name) {
      case 'pwrite64': {
        const [, data = '', at = ''] = /"([^"]*)", \d+, (\d+) *\)/.exec(call) ?? []
        return [{ do: 'write', path, at: Number(at), bytes: unhex(data) }]
      }
      case 'ftruncate': return [{ do: 'cut', path, to: Number(/, (\d+) *\)/.exec(call)?.[1]) }]
      case 'fsync': case 'fdatasync': return [{ do: 'sync', path }]
      default: return []
    }
  })
}
const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex')

type Kept = 'all' | 'none' | 'half'

class Disk {
  readonly #files = new Map<string, Buffer>()
  #pending: Act[] = []
  constructor(path: string, content: Buffer) { this.#files.set(path, content) }

  take(a: Act): void {
    if (a.do === 'sync') {
      for (const p of this.#pending) if ('path' in p && p.path === a.path) this.#apply(p)
      this.#pending = this.#pending.filter(p => !('path' in p) || p.path !== a.path)
    } else if (a.do !== 'ack') this.#pending.push(a)
  }

  /** What is there after a power cut: all that was confirmed, and of the rest what `kept` says. */
  left(kept: () => Kept): ReadonlyMap<string, Buffer> {
    const after = new Disk('', Buffer.alloc(0))
    for (const [path, content] of this.#files) after.#files.set(path, content)
    for (const p of this.#pending) {
      const how = kept()
      if (how === 'none') continue
      after.#apply(how === 'half' && p.do === 'write' ? { ...p, bytes: p.bytes.subarray(0, p.bytes.length >> 1) } : p)
    }
    after.#files.delete('')
    return after.#files
  }

  #apply(a: Act): void {
    if (a.do === 'ack' || a.do === 'sync') return
    if (a.do === 'unlink') { this.#files.delete(a.path); return }
    const before = this.#files.get(a.path) ?? Buffer.alloc(0)
    if (a.do === 'cut') { const to = Buffer.alloc(a.to); before.copy(to); this.#files.set(a.path, to); return }
    const content = Buffer.alloc(Math.max(before.length, a.at + a.bytes.length))
    before.copy(content)
    a.bytes.copy(content, a.at)
    this.#files.set(a.path, content)
  }
}

/** The product starts on it, too. */
async function opens(file: string, acked: ReadonlySet<string>): Promise<void> {
  const s = await openSqlite({ file })
  const { rows } = await s.archive.query({ owner: 'a@x', limit: 1000 })
  await s.close()
  assert.ok([...acked].every(id => rows.some(r => r.id === id)))
}

const canTrace = (): boolean => { try { return spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0 } catch { return false } }

describe('the embedded store when the power goes', function () {
  this.timeout(300_000)
  before(needs('strace', canTrace()))
  const folder = tempFolder('power')
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('SEC-K03 holds all that was acknowledged, whole, wherever it was cut and whatever the disk had not confirmed', async () => {
    const file = join(folder, 'd.sqlite')
    await (await openSqlite({ file })).close()
    const begun = readFileSync(file)
    const trace = join(folder, 'trace')
    execFileSync('strace', ['-f', '-y', '-xx', '-s', '100000', '-e', 'trace=pwrite64,write,fsync,fdatasync,ftruncate,unlink', '-o', trace, process.execPath, '--disable-warning=ExperimentalWarning', new URL('./power-child.ts', import.meta.url).pathname, file, String(ROWS)])
    const acts = actsIn(readFileSync(trace, 'latin1'), file).filter(a => a.do === 'ack' || !a.path.endsWith('-shm'))
    assert.equal(acts.filter(a => a.do === 'ack').length, ROWS)
    assert.ok(acts.filter(a => a.do === 'sync').length >= ROWS / 2 && acts.some(a => a.do === 'write' && a.path === file), 'it was written, confirmed, and taken into the file')

    let seed = 7
    const dice = (n: number): number => { seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; return seed % n }
    const disk = new Disk(file, begun)
    const acked = new Set<string>()
    let cuts = 0
    for (const a of acts) {
      disk.take(a)
      if (a.do === 'ack') acked.add(String(a.row))
      if (a.do !== 'ack' && dice(25) > 0) continue // at each acknowledgement, and here and there
      for (const kept of [() => 'none', () => 'all', () => (['none', 'all', 'half'] as const)[dice(3)]!] satisfies (() => Kept)[]) {
        const place = join(folder, `cut-${++cuts}`)
        const at = (path: string): string => path.replace(file, place)
        for (const [path, content] of disk.left(kept)) writeFileSync(at(path), content)
        const db = new DatabaseSync(place)
        assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
        const rows = db.prepare('SELECT id FROM archive').all().map(r => r['id'])
        db.close()
        const lost = [...acked].filter(id => !rows.includes(id))
        assert.deepEqual(lost, [], `cut ${cuts}, after ${acked.size} acknowledgements`)
        if (cuts % 40 === 0) await opens(place, acked)
        for (const end of ['', '-wal', '-shm', '.lock']) rmSync(place + end, { force: true })
      }
    }
    assert.ok(cuts > 3 * ROWS, `${cuts} cuts`)
  })
})
