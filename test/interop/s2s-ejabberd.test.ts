// Federation with Debian's ejabberd, a peer with a domain and a certificate of its own.
import { needs } from '../harness/machine.ts'
import { Actor } from '../harness/scene.ts'
import { Papers, Town } from '../wire/s2s-houses.ts'
import { freePorts } from './program.ts'
import { Ejabberd, type PeerSetup } from './s2s-peers.ts'

// It asks the machine where a domain is, and the machine knows one of ours without a DNS.
const DOMAIN = 'ejabberd.test'
const ADDRESS = '127.0.0.3'

describe('federation with ejabberd', function () {
  this.timeout(60_000)
  before(needs('ejabberdctl'))
  const papers = new Papers()
  after(() => process.env['KEEP'] || papers[Symbol.dispose]())

  async function together(play: (us: Town, them: { actor(local: string): Promise<Actor> }) => Promise<void>, ways: { dialback?: boolean } = {}): Promise<void> {
    const [us, port, c2s, erlang] = (await freePorts(4)) as [number, number, number, number] // four were asked for
    const ours = papers.make('localhost')
    const theirs = papers.make(DOMAIN)
    const ca = papers.bundle('ca.pem', ways.dialback ? [papers.make('nobody.test')] : [ours, theirs])
    const setup: PeerSetup = { folder: papers.folder, domain: DOMAIN, address: ADDRESS, port, c2s, paper: theirs, ca, us, ours: ['localhost', 'rooms.localhost', 'help.localhost'], strict: !ways.dialback }
    await using town = await Town.open('localhost', ours, `{ ca: ${ca}, dialback: ${ways.dialback ?? false}, targets: { ${DOMAIN}: "${ADDRESS}:${port}", rooms.${DOMAIN}: "${ADDRESS}:${port}" } }`, '', us)
    await using ejabberd = await Ejabberd.start(setup, erlang)
    const actors: Actor[] = []
    try {
      await play(town, {
        async actor(local) {
          await ejabberd.registers(local, DOMAIN, 'pw')
          const actor = new Actor(local, `${local}@${DOMAIN}/e`)
          actors.push(actor)
          await actor.connects(c2s)
          return actor
        },
      })
    } finally { for (const a of actors) a.leaves() }
  }

  for (const dialback of [false, true]) {
    it(`carries messages both ways, in order, proved by ${dialback ? 'dialback' : 'certificates'}`, () => together(async (us, them) => {
      const anna = await us.actor('anna'), eva = await them.actor('eva')
      await anna.comesOnline()
      await eva.comesOnline()
      for (let i = 0; i < 30; i++) anna.sends`<message to='eva@ejabberd.test' type='chat' id='${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) await eva.hears`<message from='anna@localhost/x' id='${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) eva.sends`<message to='anna@localhost' type='chat' id='p${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) await anna.hears`<message from='eva@ejabberd.test/e' id='p${i}'><body>${i}</body></message>`
    }, { dialback }))
  }
})
