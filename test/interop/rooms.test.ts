// Stock clients and libraries in a room.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { find, needs } from '../harness/machine.ts'
import { PATIENCE } from '../harness/patience.ts'
import { finch, profanity } from './clients.ts'
import { Server } from './server.ts'
import { Script } from './xmppjs.ts'

const PYTHON = '/usr/bin/python3'
const hasSlixmpp = spawnSync(PYTHON, ['-c', 'import slixmpp']).status === 0
const terminals = find('tmux') !== undefined
const JOIN = `<x xmlns='http://jabber.org/protocol/muc'/>`

describe('stock clients in a room', function () {
  this.timeout(300_000)
  let server!: Server
  before(async () => {
    server = await Server.start()
    for (const who of ['anna', 'ben', 'cleo', 'dora']) await server.run('user', 'add', `${who}@localhost`, '--password', 'pw')
  })
  after(() => server?.[Symbol.asyncDispose]())

  const enters = async (script: Script, room: string, nick: string): Promise<void> => {
    await script.says(`<presence to='${room}/${nick}'>${JOIN}</presence>`)
    await script.finds(s => s.is('message') && s.getChild('subject') !== undefined && s.attrs['from'].startsWith(room), 'the subject')
  }

  describe('profanity', () => {
    before(needs('profanity', find('profanity') !== undefined && terminals))
    it('makes a room, talks there once and not twice, and is seen to leave', async () => {
      await using anna = await profanity(server, 'anna', 'pw')
      await using ben = await Script.login(server, 'ben', 'pw')
      await anna.types('/join tea@rooms.localhost')
      await anna.sees(/You have joined the room|Room created|room is locked|as an owner/i)
      await anna.types('/room accept') // a new room waits for its configuration
      await anna.sees(/unlocked/i)
      await enters(ben, 'tea@rooms.localhost', 'Ben')
      await anna.types('hello from profanity')
      await ben.hears('hello from profanity')
      await ben.says(`<message type='groupchat' to='tea@rooms.localhost'><body>hello from a script</body></message>`)
      await anna.sees('hello from a script')
      const lines = (await anna.screen()).split('\n').filter(l => l.includes('hello from profanity'))
      assert.equal(lines.length, 1, lines.join('\n'))
      await anna.types('/close')
      await ben.finds(s => s.is('presence') && s.attrs['type'] === 'unavailable' && s.attrs['from'] === 'tea@rooms.localhost/anna', 'her leaving')
    })
  })

  describe('finch', () => {
    before(needs('finch', find('finch') !== undefined && terminals))
    it('logs in over STARTTLS, is written to and answers', async () => {
      await using cleo = await finch(server, 'cleo', 'pw')
      await using ben = await Script.login(server, 'ben', 'pw')
      await ben.writes('cleo@localhost', 'hello finch')
      await cleo.sees('hello finch')
      await cleo.press('M-2')
      await cleo.types('hello from finch')
      await ben.hears('hello from finch')
    })
  })

  describe('slixmpp', () => {
    before(needs('python3-slixmpp', hasSlixmpp))
    it('logs in over STARTTLS, asks around, enters a room, talks and leaves', async () => {
      const { stdout } = await promisify(execFile)(PYTHON, [join(import.meta.dirname, 'slix.py'), String(server.port), 'dora', 'pw', 'python@rooms.localhost'], { timeout: PATIENCE })
        .catch((e: { stdout?: string; stderr?: string }) => ({ stdout: `${e.stdout ?? ''}${e.stderr ?? ''}` }))
      assert.deepEqual(stdout.trim().split('\n').map(l => l.replace(/\d+$/, 'N')), ['roster', 'identities N', 'pong', 'joined Slix', 'echo from slixmpp', 'form form'])
    })
  })

  describe('@xmpp/client', () => {
    it('logs in over STARTTLS and talks in a room', async () => {
      await using ben = await Script.login(server, 'ben', 'pw')
      await enters(ben, 'garden@rooms.localhost', 'Ben')
      await ben.says(`<message type='groupchat' to='garden@rooms.localhost' id='m1'><body>anybody?</body></message>`)
      assert.equal((await ben.hears('anybody?')).attrs['id'], 'm1')
    })
  })
})
