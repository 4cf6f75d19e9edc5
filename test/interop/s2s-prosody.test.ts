// Federation with Debian's Prosody, a peer with a domain and a certificate of its own.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/machine.ts'
import { freePorts } from '../harness/ports.ts'
import { Actor } from '../harness/scene.ts'
import { Papers } from '../wire/s2s-houses.ts'
import { deskbell, Program } from './program.ts'
import { prosody } from './s2s-peers.ts'
import { federates } from './s2s-scenes.ts'

describe('federation with Prosody', function () {
  this.timeout(300_000)
  before(needs('prosody'))
  federates({ domain: 'prosody.test', address: '127.0.0.2', ours: 'a.test', findsAll: true, hasDirect: true, start: prosody })

  it('is seen by deskbell s2s, and does not keep the program from ending', async () => {
    using papers = new Papers()
    const [us, port, direct, c2s, ours] = (await freePorts(5)) as [number, number, number, number, number] // five were asked for
    const mine = papers.make('a.test'), theirs = papers.make('prosody.test')
    await using peer = await prosody({ folder: papers.folder, domain: 'prosody.test', address: '127.0.0.2', port, direct, c2s, paper: theirs, ca: papers.bundle('ca.pem', [mine]), us, ours: ['a.test'], strict: true })
    const config = join(papers.folder, 'deskbell.yaml')
    writeFileSync(config, `
data: ${papers.folder}/data
tls: { certificate: ${mine.certificate}, key: ${mine.key} }
require-tls: false
listen: { c2s: { port: ${ours}, address: 127.0.0.1 }, s2s: { port: ${us}, address: 127.0.0.1 } }
hosts: { a.test: {} }
s2s: { ca: ${theirs.certificate}, targets: { prosody.test: "127.0.0.2:${port}", gone.test: "127.0.0.2:1" } }
`)
    await using program = await Program.deskbell('start', config)
    await deskbell('user', 'add', 'anna@a.test', '--password', 'pw', '--config', config)
    const anna = new Actor('anna', 'anna@a.test/x')
    try {
      await anna.connects(ours)
      const paul = await peer.actor('paul')
      await paul.comesOnline()
      anna.sends`<message to='paul@prosody.test' type='chat' id='1'><body>hello</body></message>`
      await paul.hears`<message id='1'/>`
      anna.sends`<message to='x@gone.test' type='chat' id='2'><body>hello</body></message>`
      await anna.hears`<message type='error' id='2'/>`
      const shown = await deskbell('s2s', '--config', config)
      assert.match(shown, /^a\.test -> prosody\.test: open for \d+ s$/m)
      assert.match(shown, /^a\.test -> gone\.test: closed for \d+ s: 127\.0\.0\.2:1: nobody listens there$/m)
      await program[Symbol.asyncDispose]()
      assert.match(program.said, /\(ended with 0\)/)
    } finally { anna.leaves() }
  })
})
