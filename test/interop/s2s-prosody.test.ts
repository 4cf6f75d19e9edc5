// Federation with Debian's Prosody, a peer with a domain and a certificate of its own.
import assert from 'node:assert/strict'
import { needs } from '../harness/machine.ts'
import { Actor } from '../harness/scene.ts'
import { Papers, Town } from '../wire/s2s-houses.ts'
import { freePorts, type Program } from './program.ts'
import { prosody, type PeerSetup } from './s2s-peers.ts'

const DOMAIN = 'prosody.test'
const ADDRESS = '127.0.0.2'

describe('federation with Prosody', function () {
  this.timeout(40_000)
  before(needs('prosody'))
  const papers = new Papers()
  after(() => papers[Symbol.dispose]())

  /** A town and a Prosody that know where the other is. */
  async function together(play: (us: Town, them: { actor(local: string): Promise<Actor>; program: Program; restart(): Promise<void>; stop(): Promise<void> }) => Promise<void>, ways: { dialback?: boolean } = {}): Promise<void> {
    const [us, port, c2s] = (await freePorts(3)) as [number, number, number] // three were asked for
    const ours = papers.make('a.test', ['a.test', 'rooms.a.test', 'help.a.test'])
    const theirs = papers.make(DOMAIN)
    const ca = papers.bundle('ca.pem', ways.dialback ? [papers.make('nobody.test')] : [ours, theirs])
    const setup: PeerSetup = { folder: papers.folder, domain: DOMAIN, address: ADDRESS, port, c2s, paper: theirs, ca, us, ours: ['a.test', 'rooms.a.test', 'help.a.test'], strict: !ways.dialback }
    await using town = await Town.open('a.test', ours, `{ ca: ${ca}, dialback: ${ways.dialback ?? false}, targets: { ${DOMAIN}: "${ADDRESS}:${port}", rooms.${DOMAIN}: "${ADDRESS}:${port}" } }`, '', us)
    let program = await prosody(setup)
    const actors: Actor[] = []
    try {
      await play(town, {
        program,
        async actor(local) {
          const actor = new Actor(local, `${local}@${DOMAIN}/p`)
          actors.push(actor)
          await actor.connects(c2s)
          return actor
        },
        async restart() { await program[Symbol.asyncDispose](); program = await prosody(setup) },
        async stop() { await program[Symbol.asyncDispose]() },
      })
    } finally {
      for (const a of actors) a.leaves()
      await program[Symbol.asyncDispose]()
    }
  }

  for (const dialback of [false, true]) {
    it(`carries messages both ways, in order, proved by ${dialback ? 'dialback' : 'certificates'}`, () => together(async (us, them) => {
      const anna = await us.actor('anna'), paul = await them.actor('paul')
      await anna.comesOnline()
      await paul.comesOnline()
      for (let i = 0; i < 30; i++) anna.sends`<message to='paul@prosody.test' type='chat' id='${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) await paul.hears`<message from='anna@a.test/x' id='${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) paul.sends`<message to='anna@a.test' type='chat' id='p${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) await anna.hears`<message from='paul@prosody.test/p' id='p${i}'><body>${i}</body></message>`
      assert.ok(us.house.pairs!().some(p => p.remote === DOMAIN && p.state === 'open'), JSON.stringify(us.house.pairs!()))
    }, { dialback }))
  }
})
