// What is said in a room, and who hears it.
import assert from 'node:assert/strict'
import { Jid, refuse } from '../../../server/api.ts'
import { directInvitation } from '../../../protocols/room/inviting.ts'
import { itemOf, ROOM, Salon, userOf } from './salon.ts'

const USER = 'http://jabber.org/protocol/muc#user'

function full(config = {}, host = {}): Salon {
  const s = new Salon(config, host)
  s.joins('olga', 'Olga')
  s.joins('anna', 'Anna')
  s.joins('ben', 'Ben')
  return s
}

describe('a room: talk', () => {
  it('reflects a line to all, its sender included, whole and with its id', () => {
    const s = full()
    const heard = s.send('anna', '', `<message type='groupchat' id='m1' xml:lang='de'><body>hi</body><origin-id xmlns='urn:xmpp:sid:0' id='m1'/><thread>t</thread></message>`)
    for (const who of ['olga', 'anna', 'ben']) {
      const line = heard.one(who)
      assert.equal(line.from?.full, 'tea@rooms.localhost/Anna')
      assert.equal(line.head.id, 'm1')
      assert.equal(line.head.lang, 'de')
      assert.equal(line.child('body')?.text, 'hi')
      assert.equal(line.child('thread')?.text, 't')
      assert.equal(line.child('origin-id', 'urn:xmpp:sid:0')?.attrs['id'], 'm1')
    }
  })

  it('writes the payload of a line once for all copies', () => {
    const [a, b] = full().says('anna', 'hi').all
    assert.equal(a!.payload, b!.payload)
  })

  it('SEC-U04 SEC-U05 SEC-M05 strips what only the room may say, also from what it keeps', () => {
    const s = full()
    const forged = `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>`
    const line = `<message type='groupchat'><body>hi</body>${forged}${forged}${forged}<stanza-id xmlns='urn:xmpp:sid:0' by='tea@rooms.localhost' id='f'/><stanza-id xmlns='urn:xmpp:sid:0' by='anna@localhost' id='own'/><x xmlns='${USER}'><item affiliation='owner' jid='a@b'/><status code='110'/></x><delay xmlns='urn:xmpp:delay' from='tea@rooms.localhost' stamp='2001-01-01T00:00:00Z'/></message>`
    const heard = s.send('anna', '', line).one('ben')
    const later = s.joins('cleo', 'Cleo').by('cleo').find(x => x.child('body'))!
    for (const told of [heard, later]) {
      assert.equal(userOf(told), undefined)
      assert.equal(told.payload.filter(e => e.name === 'occupant-id').length, 1)
      const ids = told.payload.filter(e => e.name === 'stanza-id')
      assert.deepEqual(ids.map(e => e.attrs['by']).sort(), ['anna@localhost', 'tea@rooms.localhost'])
      assert.notEqual(ids.find(e => e.attrs['by'] === 'tea@rooms.localhost')!.attrs['id'], 'f')
      assert.doesNotMatch(told.write(), /2001/)
    }
  })

  it('SEC-U03 does not reflect the line of somebody who is not in, or has no voice', () => {
    const s = full({ moderated: true })
    assert.equal(s.says('eve', 'hi').error('eve'), 'not-acceptable')
    const heard = s.says('anna', 'hi')
    assert.equal(heard.error('anna'), 'forbidden')
    assert.equal(heard.all.length, 1)
    assert.deepEqual(s.facts, [])
    assert.equal(s.joins('cleo', 'Cleo').by('cleo').some(x => x.child('body')), false)
  })

  it('SEC-U11 leaves the subject to moderators, unless all may', () => {
    const subject = `<message type='groupchat'><subject>x</subject></message>`
    assert.equal(full().send('anna', '', subject).error('anna'), 'forbidden')
    assert.equal(full({ moderated: true, changeSubject: true }).send('anna', '', subject).error('anna'), 'forbidden')
    assert.deepEqual(full({ changeSubject: true }).send('anna', '', subject).brief('ben'), ['Anna subject x'])
  })

  it('takes a message with subject and body as a line', () => {
    const s = full()
    assert.deepEqual(s.send('anna', '', `<message type='groupchat'><subject>x</subject><body>y</body></message>`).brief('ben'), ['Anna says y'])
    assert.equal(s.room.subject, '')
  })

  it('reflects typing, and keeps nothing of it', () => {
    const s = full()
    assert.equal(s.send('anna', '', `<message type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`).by('ben').length, 1)
    assert.deepEqual(s.facts.map(f => f.what === 'line' && f.kept), [false])
  })

  it('carries private messages both ways, without an address in them', () => {
    const s = full()
    const heard = s.send('anna', 'Ben', `<message type='chat' id='p'><body>psst</body><x xmlns='${USER}'><status code='301'/></x></message>`)
    const told = heard.one('ben')
    assert.equal(told.from?.full, 'tea@rooms.localhost/Anna')
    assert.equal(told.head.id, 'p')
    assert.equal(userOf(told)?.children.length, 0)
    assert.doesNotMatch(told.write(), /anna@/)
    assert.equal(heard.all.length, 1)
    assert.deepEqual(s.facts, [])
  })

  it('refuses private messages from outside, to nobody, of type groupchat, and where there shall be none (SEC-U11)', () => {
    const pm = `<message type='chat'><body>psst</body></message>`
    assert.equal(full().send('eve', 'Ben', pm).error('eve'), 'not-acceptable')
    assert.equal(full().send('anna', 'Zoe', pm).error('anna'), 'item-not-found')
    assert.equal(full().send('anna', 'Ben', `<message type='groupchat'><body>psst</body></message>`).error('anna'), 'bad-request')
    assert.equal(full({ whispers: 'none' }).send('anna', 'Ben', pm).error('anna'), 'forbidden')
    assert.equal(full({ whispers: 'moderators' }).send('anna', 'Ben', pm).error('anna'), 'forbidden')
    assert.equal(full({ whispers: 'moderators' }).send('olga', 'Ben', pm).by('ben').length, 1)
  })

  it('lets its service hear each line first: refuse it, keep it from the others, or let a visitor speak', () => {
    const s = full({ moderated: true }, { speak: (_o: unknown, m: { child(n: string): { text: string } | undefined }) => {
      const text = m.child('body')?.text ?? ''
      return text.startsWith('!') ? 'withhold' : text === 'bad' ? refuse('forbidden', 'No.') : text === 'aloud' ? 'reflect' : undefined
    } })
    const command = s.says('anna', '!t bob')
    assert.deepEqual(command.brief('anna'), ['Anna says !t bob'])
    assert.equal(command.all.length, 1)
    assert.deepEqual(s.facts.map(f => f.what), ['withheld'])
    assert.equal(s.says('olga', 'bad').error('olga'), 'forbidden')
    assert.deepEqual(s.says('anna', 'aloud').brief('ben'), ['Anna says aloud'])
    assert.equal(s.says('anna', 'else').error('anna'), 'forbidden')
    assert.equal(s.joins('cleo', 'Cleo').by('cleo').filter(x => x.child('body')).length, 1)
  })

  it('seats the service’s own: it speaks, is whispered to, and is told to one alone', () => {
    const s = full()
    assert.deepEqual(s.take(s.room.seat('Helpdesk', s.now, { role: 'moderator' })).brief('anna'), ['Helpdesk moderator'])
    assert.deepEqual(s.take(s.room.say('Helpdesk', 'Welcome', s.now)).brief('ben'), ['Helpdesk says Welcome'])
    const told = s.take(s.room.tell('Ben', 'Helpdesk', '✱ for you', s.now))
    assert.deepEqual([told.brief('ben'), told.all.length], [['Helpdesk says ✱ for you'], 1])
    assert.deepEqual(s.send('anna', 'Helpdesk', `<message type='chat'><body>!help</body></message>`).all, [])
    assert.deepEqual(s.facts.map(f => f.what), ['private'])
    assert.deepEqual(s.take(s.room.setSubject('Alice: invoice', s.now, 'Helpdesk')).brief('anna'), ['Helpdesk subject Alice: invoice'])
    assert.deepEqual(s.joins('cleo', 'Cleo').brief('cleo').slice(-2), ['Helpdesk says Welcome', 'Helpdesk subject Alice: invoice'])
    assert.deepEqual(s.take(s.room.unseat('Helpdesk', s.now)).brief('anna'), ['Helpdesk gone'])
  })

  it('limits the lines of the whole room', () => {
    const s = full({}, { rates: { occupant: Infinity, room: 10 } })
    const refused = Array.from({ length: 100 }, (_, i) => s.says(i % 2 ? 'anna' : 'ben', String(i))).filter(h => h.all[0]!.type === 'error')
    assert.equal(refused.length, 70)
    assert.equal(refused[0]!.all[0]!.child('error')?.attrs['type'], 'wait')
    s.now += 1000
    assert.deepEqual(s.says('anna', 'again').brief('ben'), ['Anna says again'])
  })

  describe('invitations', () => {
    const invite = `<message><x xmlns='${USER}'><invite to='zoe@localhost'><reason>come</reason></invite></x></message>`
    it('are stamped by the room and never stored', () => {
      const told = full({ password: 'pw' }).send('olga', '', invite).all[0]!
      assert.equal(told.to?.full, 'zoe@localhost')
      assert.equal(told.from?.full, 'tea@rooms.localhost')
      const x = userOf(told)!
      assert.equal(x.child('invite')?.attrs['from'], 'olga@localhost')
      assert.equal(x.child('invite')?.child('reason')?.text, 'come')
      assert.equal(x.child('password')?.text, 'pw')
      assert.ok(told.child('no-store', 'urn:xmpp:hints'))
    })
    it('SEC-U11 come from occupants only, in members-only rooms from admins', () => {
      assert.equal(full().send('eve', '', invite).error('eve'), 'forbidden')
      const s = new Salon({ membersOnly: true })
      s.joins('olga', 'Olga')
      s.admin('olga', `<item affiliation='member' jid='anna@localhost'/>`)
      s.joins('anna', 'Anna')
      assert.equal(s.send('anna', '', invite).error('anna'), 'forbidden')
      s.send('olga', '', invite)
      assert.equal(s.room.affiliation(Jid.parse('zoe@localhost')), 'member')
    })
    it('that are declined tell their inviter', () => {
      const told = full().send('zoe', '', `<message><x xmlns='${USER}'><decline to='anna@localhost'><reason>busy</reason></decline></x></message>`)
      assert.equal(told.all.length, 1)
      assert.equal(userOf(told.one('anna'))?.child('decline')?.attrs['from'], 'zoe@localhost')
    })
    it('of a service go straight to a device', () => {
      const m = directInvitation(ROOM, Jid.parse('desk@help.localhost/desk'), Jid.parse('anna@localhost/home'), 'i1', { reason: 'Alice' })
      assert.deepEqual({ ...m.child('x', 'jabber:x:conference')?.attrs }, { jid: 'tea@rooms.localhost', reason: 'Alice' })
      assert.ok(m.child('no-store', 'urn:xmpp:hints'))
    })
  })

  it('carries a request for voice to the moderators, and their yes back', () => {
    const s = full({ moderated: true })
    const form = (fields: string): string => `<message><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>${fields}</x></message>`
    const asked = s.send('anna', '', form(`<field var='muc#role'><value>participant</value></field>`))
    assert.equal(asked.all.length, 1)
    assert.match(asked.text('olga'), /muc#request_allow/)
    const yes = s.send('olga', '', form(`<field var='muc#roomnick'><value>Anna</value></field><field var='muc#request_allow'><value>true</value></field>`))
    assert.equal(itemOf(yes.one('ben'))['role'], 'participant')
    assert.deepEqual(s.says('anna', 'thanks').brief('ben'), ['Anna says thanks'])
  })

  it('SEC-X36 takes names of Object’s own as plain nicks', () => {
    const s = new Salon()
    for (const nick of ['__proto__', 'constructor', 'hasOwnProperty']) assert.ok(s.joins(nick.replace(/_/g, '').toLowerCase(), nick).all.length > 1)
    assert.equal(s.room.size, 3)
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  })

  it('SEC-X28 escapes what is in a nick', () => {
    const s = full()
    const nick = `'/><presence to='v@x'/>`
    assert.match(s.joins('eve', nick).text('anna'), /from='tea@rooms\.localhost\/&apos;\/&gt;&lt;presence to=&apos;v@x&apos;\/&gt;'/)
  })
})
