// The program under npm: who stops npm has stopped the server.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { tempFolder } from '../harness/folder.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('the program under npm', () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`a server begun by npm start ends, streams told, when npm is ended by ${signal}`, async function () {
      this.timeout(300_000)
      const folder = tempFolder('npm')
      const config = join(folder, 'deskbell.yaml')
      writeFileSync(config, `data: ${folder}/data\nlisten: { c2s: { port: 0, address: 127.0.0.1 } }\nhosts: { localhost: {} }\n`)
      const npm = spawn('npm', ['start', '--silent', '--', '--config', config], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
      try {
        let said = ''
        for await (const chunk of npm.stdout.iterator({ destroyOnReturn: false })) { said += String(chunk); if (said.includes('is ready')) break }
        const client = net.connect(Number(/port (\d+) \(STARTTLS\)/.exec(said)?.[1]), '127.0.0.1')
        let heard = ''
        client.on('data', chunk => { heard += chunk.toString(); if (heard.includes('</stream:features>')) npm.kill(signal) })
        client.write(`<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>`)
        const ended = once(npm.stdout, 'end') // the server's end: it holds npm's output open
        npm.stdout.resume()
        await once(client, 'close')
        assert.match(heard, /<system-shutdown/)
        await ended
      } finally {
        npm.kill('SIGKILL')
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      }
    })
  }
})
