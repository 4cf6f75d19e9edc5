// The example bot, a program on @xmpp/component, serves at the desk of a real server as an agent.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Person } from '../harness/desk.ts'
import { Actor } from '../harness/scene.ts'
import { deskbell, freePorts, Program } from './program.ts'

const CROWD = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'].map(u => `${u}@localhost`)
const BOT = join(import.meta.dirname, '../../examples/bot')

describe('the example bot', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'deskbell-bot-'))
  const file = join(folder, 'deskbell.yaml')
  let server: Program, bot: Program, port: number
  const open: Actor[] = []

  before(async () => {
    const [clients, components, web] = await freePorts(3)
    port = clients!
    writeFileSync(file, `
data: ${folder}/data
listen: { c2s: { port: ${port}, address: 127.0.0.1 }, component: { port: ${components}, address: 127.0.0.1 }, http: { port: ${web}, address: 127.0.0.1 } }
require-tls: false
hosts: { localhost: {} }
components:
  help.localhost:
    helpdesk:
      enabled: true
      queues:
        first: { agents: [helper@bot.localhost], assign: round-robin }
        support: { agents: all, assign: round-robin }
  bot.localhost: { external: { secret: sesame } }
`)
    server = await Program.deskbell('start', file)
    for (const jid of ['anna@localhost', 'carl@localhost', 'dora@localhost', ...CROWD]) await deskbell('user', 'add', jid, '--password', 'pw', ...(jid.startsWith('anna') ? ['--role', 'agent'] : []), '--config', file)
    const told = await deskbell('token', 'add', 'admin@localhost', '--config', file)
    const said = await fetch(`http://127.0.0.1:${web}/api/v1/operators/helper@bot.localhost`, { method: 'PATCH', headers: { 'authorization': `Bearer ${/token: (\S+)/.exec(told)?.[1]}`, 'content-type': 'application/json' }, body: '{"bot":true}' })
    assert.equal(said.status, 200, await said.text())
    bot = await Program.start(process.execPath, ['main.js'], /online as helper@bot\.localhost/, { cwd: BOT, env: { SERVICE: `xmpp://127.0.0.1:${components}`, SECRET: 'sesame' } })
  })
  after(async () => {
    for (const a of open) a.leaves()
    await bot?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const person = async (jid: string): Promise<Person> => {
    const actor = new Actor(jid.split('@')[0]!, jid)
    open.push(actor)
    await actor.connects(port)
    actor.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>`)
    return new Person(actor)
  }

  it('takes what it is offered, answers, and ends', async () => {
    const carl = await person('carl@localhost/one')
    carl.types('first@help.localhost', 'hello')
    await carl.sees(/Ask me about opening hours/)
    carl.types('first@help.localhost', 'how long does shipping take?')
    await carl.sees(/two working days/)
    carl.types('first@help.localhost', 'thanks')
    await carl.sees(/Goodbye/)
    await carl.sees(/chat has ended/i)
  })

  it('serves more at once than a person may', async () => {
    const all = await Promise.all(CROWD.map(jid => person(`${jid}/one`)))
    for (const p of all) { p.types('first@help.localhost', 'hello'); await p.sees(/Ask me about opening hours/) }
    for (const p of all) { p.types('first@help.localhost', 'your hours, please'); await p.sees(/weekdays from 9 to 17/) } // none of them has ended
  })

  it('hands over to people', async () => {
    const anna = await person('anna@localhost/desk')
    await anna.actor.fence()
    const carl = await person('carl@localhost/two')
    carl.types('first@help.localhost', 'I want a human')
    await carl.sees(/getting a colleague/)
    const offer = await anna.reads('desk@help.localhost', /#\d+.*!a/s)
    const [, n] = /#(\d+)/.exec(offer.text) ?? []
    anna.types('desk@help.localhost', `!a ${n}`)
    await anna.reads(`c${n}@help.localhost`, /carl@localhost/)
    anna.types(`c${n}@help.localhost`, 'Anna here')
    await carl.sees(/Anna here/)
    carl.types('first@help.localhost', 'at last')
    await anna.reads(`c${n}@help.localhost`, 'at last')
  })

  it('is back at its desk after the server was away', async () => {
    bot.forgets()
    await server.isKilled()
    server = await Program.deskbell('start', file)
    await bot.says(/online as helper@bot\.localhost/)
    const dora = await person('dora@localhost/one')
    dora.types('first@help.localhost', 'when are your hours?')
    await dora.sees(/weekdays from 9 to 17/)
  })
})
