// An agent with Gajim, with nothing added to it: finds the desk, takes a chat, talks, ends it.
import assert from 'node:assert/strict'
import { needs } from '../harness/machine.ts'
import { gajim, hasGajim } from './gajim.ts'
import { Server } from './server.ts'
import { Script } from './xmppjs.ts'

describe('an agent with Gajim', function () {
  this.timeout(300_000)
  before(needs('gajim', hasGajim))

  it('finds the Helpdesk, asks !help, takes a chat with !a, talks and ends it with !end', async () => {
    await using server = await Server.staffed()
    await using anna = await gajim(server, 'anna', 'pw')
    await using alice = await Script.login(server, 'alice', 'pw')
    const desk = await anna.findsContact('desk@help.localhost')
    assert.deepEqual([desk.buddy, desk.group], ['Helpdesk', 'Helpdesk'])
    anna.says('desk@help.localhost', '!help')
    await anna.hears(/!t to/)
    await alice.writes('support@help.localhost', 'my invoice is <b>wrong</b> & late')
    await anna.hears(/New chat #1: Alice/)
    anna.says('desk@help.localhost', '!a')
    await alice.hears(/Anna joined/)
    const line = await anna.hears(/^my invoice is <b>wrong<\/b> & late$/)
    assert.equal(line.from, 'c1@help.localhost')
    assert.equal((await anna.findsContact('c1@help.localhost')).group, 'My chats')
    anna.says('c1@help.localhost', 'how can I help?')
    await alice.hears('how can I help?')
    anna.says('c1@help.localhost', '!end')
    await anna.hears(/has ended/)
    await alice.hears(/chat has ended/)
  })
})
