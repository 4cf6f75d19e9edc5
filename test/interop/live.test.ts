// Live lists of a real server: what ends when a token is removed on the command line, and when the server is told to stop.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '../harness/folder.ts'
import { freePorts } from '../harness/ports.ts'
import { deskbell, Program } from './program.ts'

describe('live lists of a real server', function () {
  this.timeout(300_000)
  const folder = tempFolder('live')
  const file = join(folder, 'deskbell.yaml')
  let server: Program, web: number

  before(async () => {
    [web] = await freePorts(1) as [number]
    writeFileSync(file, `
data: ${folder}/data
listen: { http: { port: ${web}, address: 127.0.0.1 } }
hosts: { localhost: {} }
components:
  help.localhost: { helpdesk: { enabled: true, queues: { support: { agents: all, assign: pull } } } }
`)
    server = await Program.deskbell('start', file)
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const token = async (): Promise<string> => /token: (\S+)/.exec(await deskbell('token', 'add', 'admin@localhost', '--config', file))?.[1] ?? ''
  /** A program of its own that writes what comes. */
  const listens = (text: string): Promise<Program> => Program.start(process.execPath, ['--input-type=module', '-e', `
    const answer = await fetch('http://127.0.0.1:${web}/api/v1/board/events', { headers: { authorization: 'Bearer ${text}' } })
    for await (const piece of answer.body) process.stdout.write(Buffer.from(piece))
  `], /event: ready/)

  it('end at once with a token that is removed on the command line, and no other', async () => {
    const [first, second] = [await token(), await token()]
    await using one = await listens(first)
    await using two = await listens(second)
    const ids = (await deskbell('token', 'list', '--config', file)).trim().split('\n').map(l => l.split('\t')[0] ?? '')
    const id = ids.find(i => createHash('sha256').update(first).digest('hex').startsWith(i))
    assert.ok(id)
    await deskbell('token', 'remove', id, '--config', file)
    await one.says(/event: end\ndata: \{"reason":"token"[\s\S]*ended with 0/)
    assert.doesNotMatch(two.said, /event: end/)
  })

  it('say a last word when the server is told to stop, and hold it up no longer than that', async () => {
    await using one = await listens(await token())
    const ended = server.isTold('SIGTERM')
    await one.says(/event: end\ndata: \{"reason":"stopping"[\s\S]*ended with 0/)
    assert.equal(await ended, 0)
  })
})
