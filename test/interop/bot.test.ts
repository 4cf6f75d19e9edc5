// The example bot, a program on @xmpp/component, serves at the desk of a real server as an agent.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { RealHouse } from './house.ts'
import { Program } from './program.ts'

const CROWD = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'].map(u => `${u}@localhost`)
const BOT = join(import.meta.dirname, '../../examples/bot')

describe('the example bot', function () {
  this.timeout(300_000)
  let house: RealHouse, bot: Program

  before(async () => {
    house = await RealHouse.start(`
  help.localhost:
    helpdesk:
      enabled: true
      queues:
        first: { agents: [helper@bot.localhost], assign: round-robin }
        support: { agents: all, assign: round-robin }
  bot.localhost: { external: { secret: sesame } }`, { 'anna@localhost': 'agent', ...Object.fromEntries(['carl@localhost', 'dora@localhost', ...CROWD].map(jid => [jid, undefined])) })
    const said = await house.asks('PATCH', '/operators/helper@bot.localhost', { bot: true })
    assert.equal(said.status, 200, await said.text())
    bot = await Program.start(process.execPath, ['main.js'], /online as helper@bot\.localhost/, { cwd: BOT, env: { SERVICE: `xmpp://127.0.0.1:${house.componentPort}`, SECRET: 'sesame' } })
  })
  after(async () => {
    await bot?.[Symbol.asyncDispose]()
    await house?.[Symbol.asyncDispose]()
  })

  it('takes what it is offered, answers, and ends', async () => {
    const carl = await house.person('carl@localhost/one')
    carl.types('first@help.localhost', 'hello')
    await carl.sees(/Ask me about opening hours/)
    carl.types('first@help.localhost', 'how long does shipping take?')
    await carl.sees(/two working days/)
    carl.types('first@help.localhost', 'thanks')
    await carl.sees(/Goodbye/)
    await carl.sees(/chat has ended/i)
  })

  it('serves more at once than a person may', async () => {
    const all = await Promise.all(CROWD.map(jid => house.person(`${jid}/one`)))
    for (const p of all) { p.types('first@help.localhost', 'hello'); await p.sees(/Ask me about opening hours/) }
    for (const p of all) { p.types('first@help.localhost', 'your hours, please'); await p.sees(/weekdays from 9 to 17/) } // none of them has ended
  })

  it('hands over to people', async () => {
    const carl = await house.person('carl@localhost/two')
    carl.types('first@help.localhost', 'I want a human')
    await carl.sees(/Nobody is here at the moment/)
    const anna = await house.person('anna@localhost/desk')
    await anna.actor.fence()
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
    await house.fallsAndRises()
    await bot.says(/online as helper@bot\.localhost/)
    const dora = await house.person('dora@localhost/one')
    dora.types('first@help.localhost', 'when are your hours?')
    await dora.sees(/weekdays from 9 to 17/)
  })
})
