// Agents at terminals: the room view in Finch, both views in mcabber.
import { find, needs } from '../harness/machine.ts'
import { finch, mcabber } from './clients.ts'
import { Server } from './server.ts'
import { Script } from './xmppjs.ts'

const terminals = find('tmux') !== undefined

describe('an agent at a terminal', function () {
  this.timeout(300_000)
  let server!: Server
  beforeEach(async () => { server = await Server.staffed() })
  afterEach(() => server?.[Symbol.asyncDispose]())

  describe('mcabber', () => {
    before(needs('mcabber', find('mcabber') !== undefined && terminals))

    it('finds the Helpdesk, takes a chat with !a, talks, and goes on in a room', async () => {
      await using anna = await mcabber(server, 'anna', 'pw')
      await using alice = await Script.login(server, 'alice', 'pw')
      await anna.sees(/\[o\] Helpdesk/)
      await anna.types('/roster search desk@help')
      await anna.press('Enter') // chat mode
      await anna.types('!help')
      await anna.sees(/!view contact\|room/)
      await alice.writes('support@help.localhost', 'my invoice is wrong')
      await anna.sees(/New chat #1: Alice/)
      await anna.types('!a')
      await alice.hears(/Anna joined/)
      await anna.sees(/\[o\] Alice · Suppo/)
      await anna.types('/roster search c1@help')
      await anna.sees(/<== my invoice is wrong/)
      await anna.types('how can I help?')
      await alice.hears('how can I help?')

      await anna.types('!view room')
      await anna.press('Escape') // the status window, where invitations stand
      const [, event] = await anna.sees(/\/event (\d+) accept/)
      await anna.types(`/event ${event} accept`)
      await anna.sees(/You have joined/)
      await anna.types('/roster search alice-1@')
      await anna.press('Enter')
      await anna.sees(/<Alice> my invoice is wrong/)
      await anna.types('from the room')
      await alice.hears('from the room')
      await alice.writes('support@help.localhost', 'still 12 instead of 10')
      await anna.sees(/<Alice> still 12 instead of 10/)
      await anna.types('!end')
      await alice.hears(/chat has ended/)
    })
  })

  describe('finch', () => {
    before(needs('finch', find('finch') !== undefined && terminals))

    it('is asked into a room, talks there, and a command there is a command', async () => {
      await using anna = await finch(server, 'anna', 'pw')
      await using alice = await Script.login(server, 'alice', 'pw')
      await anna.sees(/◯ Helpdesk/)
      await alice.writes('support@help.localhost', 'my invoice is wrong')
      await anna.sees(/New chat #1: Alice/)
      await anna.press('M-2')
      await anna.types('!view room')
      await anna.sees(/shown as rooms/)
      await anna.types('!a')
      await anna.sees(/alice-1@help\.localhost:/) // the dialog, half hidden
      await anna.press('M-3')
      await anna.sees(/Accept chat invitation\?/)
      await anna.press('Enter')
      await anna.sees(/alice-1@help\.localhost \(anna/) // among the windows
      await anna.press('M-3')
      await anna.sees(/Alice: my invoice is wrong/)
      await anna.types('how can I help?')
      await alice.hears('how can I help?')
      await anna.types('!end')
      await alice.hears(/chat has ended/)
    })
  })
})
