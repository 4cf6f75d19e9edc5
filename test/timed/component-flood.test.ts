// A component that sends as fast as it can: how long everybody else waits. What only time shows.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Actor } from '../harness/scene.ts'

const COMMAND = join(import.meta.dirname, '../../bin/deskbell.js')
const SECONDS = 10

describe('a component that floods', function () {
  this.timeout(120_000)

  it('SEC-C06 keeps nobody waiting for more than 200 ms', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'deskbell-flood-'))
    const config = join(folder, 'deskbell.yaml')
    writeFileSync(config, `data: ${folder}/data\nlisten: { c2s: { port: 0, address: 127.0.0.1 }, component: { port: 0 } }\nrequire-tls: false\nhosts: { localhost: { scram-iterations: 4096 } }\ncomponents: { bot.localhost: { external: { secret: s } } }\n`)
    await promisify(execFile)(process.execPath, [COMMAND, 'user', 'add', 'romeo@localhost', '--password', 'pw', '--config', config])
    const child = spawn(process.execPath, [COMMAND, 'start', '--config', config], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      let said = ''
      while (!said.includes('deskbell is ready')) said += String((await once(child.stdout, 'data') as [Buffer])[0])
      const romeo = new Actor('romeo', 'romeo@localhost/orchard')
      await romeo.connects(Number(/port (\d+) \(STARTTLS\)/.exec(said)?.[1]))
      await romeo.comesOnline()

      const bot = net.connect(Number(/components: port (\d+)/.exec(said)?.[1]), '127.0.0.1').on('error', () => {})
      bot.write("<?xml version='1.0'?><stream:stream to='bot.localhost' xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>")
      const [header] = await once(bot, 'data') as [Buffer]
      bot.write(`<handshake>${createHash('sha1').update(`${/ id=['"]([^'"]+)/.exec(String(header))?.[1]}s`).digest('hex')}</handshake>`)
      await once(bot, 'data')
      const flood = Buffer.from(`<message from='b@bot.localhost' to='romeo@localhost/gone' type='headline'><body>${'x'.repeat(1000)}</body></message>`.repeat(200))
      let sent = 0
      const pour = (): void => { do sent += flood.length; while (bot.write(flood)) }
      bot.on('drain', pour)
      pour()

      const waits: number[] = []
      for (const end = performance.now() + SECONDS * 1000; performance.now() < end;) {
        const begun = performance.now()
        await romeo.fence()
        waits.push(performance.now() - begun)
      }
      bot.destroy()
      romeo.leaves()
      const p99 = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)]!
      assert.ok(sent > 20 * 2 ** 20, `only ${sent} octets were sent`)
      assert.ok(p99 <= 200, `99 of 100 pings of ${waits.length} took up to ${p99.toFixed(0)} ms, beside ${Math.round(sent / SECONDS / 2 ** 20)} MiB a second`)
      child.kill('SIGTERM')
      await once(child, 'exit')
    } finally {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
