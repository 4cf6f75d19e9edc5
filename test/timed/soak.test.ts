// A server that runs for long under half its load: what it holds does not grow. A minute by default; DESKBELL_SOAK says how many seconds.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Actor } from '../harness/scene.ts'

const COMMAND = join(import.meta.dirname, '../../bin/deskbell.js')
const SECONDS = Number(process.env['DESKBELL_SOAK'] ?? 60)
const HOUR = 3600
const MiB = 2 ** 20

/** The slope of the least squares through these points. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (i: 0 | 1): number => points.reduce((sum, p) => sum + p[i], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  return points.reduce((sum, p) => sum + (p[0] - x) * (p[1] - y), 0) / points.reduce((sum, p) => sum + (p[0] - x) ** 2, 0)
}

describe('a server that runs on', function () {
  this.timeout(SECONDS * 1000 + 120_000)

  it(`SEC-K32 holds no more heap and files after ${SECONDS} s than before`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'deskbell-soak-'))
    const config = join(folder, 'deskbell.yaml')
    writeFileSync(config, `data: ${folder}/data\nlisten: { c2s: { port: 0, address: 127.0.0.1 }, http: { port: 0, address: 127.0.0.1 } }\nrequire-tls: false\nlimits: unlimited\nhosts: { localhost: { scram-iterations: 4096 } }\n`)
    for (const who of ['romeo', 'juliet']) await promisify(execFile)(process.execPath, [COMMAND, 'user', 'add', `${who}@localhost`, '--password', 'pw', '--config', config])
    const child = spawn(process.execPath, [COMMAND, 'start', '--config', config], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      let said = ''
      while (!said.includes('deskbell is ready')) said += String((await once(child.stdout, 'data') as [Buffer])[0])
      const port = Number(/port (\d+) \(STARTTLS\)/.exec(said)?.[1])
      const page = (/browser: (\S+)\//.exec(said)?.[1] ?? '').replace('localhost', '127.0.0.1')
      const files = (): number => readdirSync(`/proc/${child.pid}/fd`).length
      const heap = async (): Promise<number> => Number(/^deskbell_heap_bytes (\d+)/m.exec(await (await fetch(`${page}/metrics`)).text())?.[1])

      const juliet = new Actor('juliet', 'juliet@localhost/balcony')
      await juliet.connects(port)
      await juliet.comesOnline()
      await heap()
      const heaps: [number, number][] = []
      const fds: [number, number][] = []
      const begun = performance.now()
      for (let n = 0, seconds = 0; seconds < SECONDS; n++) {
        const romeo = new Actor('romeo', `romeo@localhost/${n}`)
        await romeo.connects(port)
        await romeo.comesOnline()
        for (let i = 0; i < 20; i++) romeo.says(`<message to='juliet@localhost' type='chat' id='${n}-${i}'><body>${'x'.repeat(200)}</body></message>`)
        await romeo.fence()
        await juliet.fence()
        if (n % 3 === 0) romeo.leaves() // without a word
        else { romeo.says('</stream:stream>'); await romeo.isCutOff() }
        await fetch(`${page}/`)
        seconds = (performance.now() - begun) / 1000
        if (n % 10 === 0 && seconds > SECONDS / 5) { // it is warm by then
          heaps.push([seconds, await heap()])
          fds.push([seconds, files()])
        }
      }
      juliet.leaves()
      assert.ok(heaps.length > 5, `${heaps.length} looks`)
      const least = (from: number, to: number): number => Math.min(...heaps.slice(Math.floor(from * heaps.length), Math.ceil(to * heaps.length)).map(h => h[1]))
      const [before, after] = [least(0, 0.3), least(0.7, 1)] // the heap between two collections says little: its lowest says more
      assert.ok(after < Math.max(before * (1 + 0.01 * SECONDS / HOUR), before + 4 * MiB), `the heap went from ${before} to ${after}`)
      const growth = slope(fds) * Math.min(HOUR, SECONDS)
      assert.ok(growth < Math.max(5, 0.01 * fds[0]![1]), `${growth.toFixed(1)} more files, of ${fds[0]![1]}`)
      child.kill('SIGTERM')
      await once(child, 'exit')
    } finally {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
