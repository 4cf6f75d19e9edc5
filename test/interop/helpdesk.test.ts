// An agent at work in a stock client, with nothing added to it: finds the desk, takes a chat, talks, ends it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { find, needs } from '../harness/machine.ts'
import { finch, profanity } from './clients.ts'
import { pidgin } from './pidgin.ts'
import { Server } from './server.ts'
import { Script } from './xmppjs.ts'

const terminals = find('tmux') !== undefined
const driven = ['pidgin', 'Xvfb', 'dbus-run-session'].every(c => find(c) !== undefined) && spawnSync('/usr/bin/python3', ['-c', 'import dbus, gi']).status === 0

describe('an agent with a stock client', function () {
  this.timeout(300_000)
  let server!: Server
  beforeEach(async () => { server = await Server.staffed() })
  afterEach(() => server?.[Symbol.asyncDispose]())

  describe('profanity', () => {
    before(needs('profanity', find('profanity') !== undefined && terminals))

    it('OM-32 finds the Helpdesk in the roster, asks !help, takes a chat with !a, talks and ends it with !end', async () => {
      await using anna = await profanity(server, 'anna', 'pw')
      await using alice = await Script.login(server, 'alice', 'pw')
      await anna.types('/roster')
      await anna.sees(/desk@help\.localhost \(Helpdesk\) - both - Helpdesk/)
      await anna.types('/msg desk@help.localhost')
      await anna.types('!help')
      await anna.sees(/!help.*: this list/) // its end: the list is longer than a screen

      await alice.writes('support@help.localhost', 'my invoice is wrong')
      await anna.sees(/✱ New chat #1: Alice/)
      await anna.types('!a')
      await alice.hears(/Anna joined/)

      await anna.types('/msg c1@help.localhost')
      await anna.sees(/: my invoice is wrong/)
      await anna.types('how can I help?')
      const line = await alice.hears('how can I help?')
      assert.doesNotMatch(String(line), /anna@/)
      await alice.writes('support@help.localhost', 'it says 12 instead of 10')
      await anna.sees(/: it says 12 instead of 10/)
      await anna.types('!end')
      await anna.sees(/#1 \(Alice\) has ended/)
      await alice.hears(/chat has ended/)
    })

    it('works in rooms after !view room: is invited, talks there, and a command there is a command', async () => {
      await using anna = await profanity(server, 'anna', 'pw')
      await using alice = await Script.login(server, 'alice', 'pw')
      await anna.types('/msg desk@help.localhost')
      await anna.types('!view room')
      await anna.sees(/✱ .*room/i)
      await alice.writes('support@help.localhost', 'my invoice is wrong')
      await anna.sees(/New chat #1: Alice/)
      await anna.types('!a')
      await alice.hears(/Anna joined/)
      await anna.types('/win 1')
      await anna.sees(/alice-1@help\.localhost/)
      await anna.types('/join alice-1@help.localhost')
      await anna.sees(/You have joined the room/)
      await anna.sees(/Alice: my invoice is wrong/)
      await anna.types('how can I help?')
      await alice.hears('how can I help?')
      await alice.writes('support@help.localhost', 'it says 12 instead of 10')
      await anna.sees(/Alice: it says 12 instead of 10/)
      await anna.types('!who')
      await anna.sees(/Helpdesk: ✱ .*Alice/)
      await anna.types('!end')
      await alice.hears(/chat has ended/)
      await assert.rejects(async () => alice.finds(s => /!who|!end/.test(String(s)), 'nothing', 0))
    })

    it('keeps from the customer what looks like a command and is none', async () => {
      await using anna = await profanity(server, 'anna', 'pw')
      await using alice = await Script.login(server, 'alice', 'pw')
      await alice.writes('support@help.localhost', 'hello')
      await anna.sees('chat message: Helpdesk')
      await anna.types('/msg desk@help.localhost !a')
      await alice.hears(/Anna joined/)
      await anna.types('/msg c1@help.localhost')
      await anna.types('!nonsense secret')
      await anna.types('a public line')
      await alice.hears('a public line')
      await assert.rejects(async () => alice.finds(s => String(s).includes('secret'), 'nothing', 0))
    })
  })

  describe('finch', () => {
    before(needs('finch', find('finch') !== undefined && terminals))

    it('finds the Helpdesk among its buddies, takes a chat with !a, asks !help, talks and ends it with !end', async () => {
      await using anna = await finch(server, 'anna', 'pw')
      await using alice = await Script.login(server, 'alice', 'pw')
      await anna.sees(/◯ Helpdesk/)
      await alice.writes('support@help.localhost', 'my invoice is wrong')
      await anna.sees(/New chat #1: Alice/)
      await anna.press('M-2') // the first conversation, right of the buddy list
      await anna.types('!a')
      await anna.sees(/accepted/)
      await alice.hears(/Anna joined/)
      await anna.press('M-3')
      await anna.sees(/: my invoice is wrong/)
      await anna.types('how can I help?')
      await alice.hears('how can I help?')
      await anna.types('!help')
      await anna.sees(/!help: this list/)
      await anna.types('!end')
      await anna.sees(/has ended/)
      await alice.hears(/chat has ended/)
    })
  })

  describe('pidgin', () => {
    before(needs('pidgin', driven))

    it('OM-32 ST-96 finds the Helpdesk among its buddies, asks !help, takes a chat with !a, talks and ends it with !end', async () => {
      await using anna = await pidgin(server, 'anna', 'pw')
      await using alice = await Script.login(server, 'alice', 'pw')
      const desk = await anna.findsContact('desk@help.localhost')
      assert.deepEqual([desk.buddy, desk.group], ['Helpdesk', 'Helpdesk'])
      anna.says('desk@help.localhost', '!help')
      await anna.hears(/!t to/)
      await alice.writes('support@help.localhost', 'my invoice is <b>wrong</b> & late')
      await anna.hears(/New chat #1: Alice/)
      anna.says('desk@help.localhost', '!a')
      await alice.hears(/Anna joined/)
      const line = await anna.hears(/my invoice is &lt;b&gt;wrong&lt;\/b&gt; &amp; late/) // Pidgin shows HTML: what was text stays text
      assert.match(line.from ?? '', /^c1@help\.localhost/)
      assert.equal((await anna.findsContact('c1@help.localhost')).group, 'My chats')
      anna.says('c1@help.localhost', 'how can I help?')
      await alice.hears('how can I help?')
      anna.says('c1@help.localhost', '!end')
      await anna.hears(/has ended/)
      await alice.hears(/chat has ended/)
    })
  })
})
