// A power cut while messages wait for another server.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { freePorts } from '../harness/ports.ts'
import { Actor } from '../harness/scene.ts'
import { deskbell, Program } from '../interop/program.ts'
import { Papers, Town } from '../wire/s2s-houses.ts'

const SM = 'urn:xmpp:sm:3'

describe('what waits for another server', function () {
  this.timeout(300_000)

  it('SEC-K01 outlives a kill -9 if its sender was told that it is taken, goes out in order and with its time, and then no more', async () => {
    using papers = new Papers()
    const [c2s, s2s, theirs] = await freePorts(3) as [number, number, number] // three were asked for
    const [mine, other] = [papers.make('a.test'), papers.make('b.test')]
    const config = join(papers.folder, 'deskbell.yaml')
    writeFileSync(config, `
data: ${papers.folder}/data
tls: { certificate: ${mine.certificate}, key: ${mine.key} }
require-tls: false
listen: { c2s: { port: ${c2s}, address: 127.0.0.1 }, s2s: { port: ${s2s}, address: 127.0.0.1 } }
hosts: { a.test: {} }
s2s: { ca: ${other.certificate}, targets: { b.test: "127.0.0.1:${theirs}" } }
`)
    await deskbell('user', 'add', 'anna@a.test', '--password', 'pw', '--config', config)
    const says = async (id: string, ...ids: string[]): Promise<Actor> => {
      const anna = new Actor('anna', 'anna@a.test/x')
      await anna.connects(c2s)
      anna.says(`<enable xmlns='${SM}'/>`)
      await anna.receives`<enabled xmlns='${SM}'/>`
      for (const n of [id, ...ids]) anna.says(`<message to='ben@b.test' type='chat' id='${n}'><body>${n}</body></message>`)
      anna.says(`<r xmlns='${SM}'/>`)
      await anna.hears`<a xmlns='${SM}' h='${1 + ids.length}'/>`
      return anna
    }

    const silent = net.createServer(() => {}) // takes connections, and says nothing
    const open = new Set<net.Socket>()
    silent.on('connection', socket => { open.add(socket); socket.on('error', () => {}) })
    await new Promise<void>(ok => { silent.listen(theirs, '127.0.0.1', ok) })
    const first = await Program.deskbell('start', config)
    const before = await says('one', 'two', 'three')
    await first.isKilled()
    before.leaves()
    for (const s of open) s.destroy()
    await new Promise(ok => silent.close(ok))

    await using b = await Town.open('b.test', other, `{ ca: ${mine.certificate}, targets: { a.test: "127.0.0.1:${s2s}" } }`, '', theirs)
    const ben = await b.actor('ben')
    await ben.comesOnline()
    const second = await Program.deskbell('start', config)
    try {
      for (const id of ['one', 'two', 'three']) await ben.receives`<message from='anna@a.test/x' id='${id}'><body>${id}</body><delay xmlns='urn:xmpp:delay' from='a.test'/></message>`
      assert.equal(await second.isTold('SIGTERM'), 0)
    } finally { await second[Symbol.asyncDispose]() }

    await using third = await Program.deskbell('start', config)
    void third
    const after = await says('four')
    await ben.receives`<message from='anna@a.test/x' id='four'><body>four</body></message>`
    after.leaves()
  })
})
