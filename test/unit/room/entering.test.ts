// Coming in, being seen, renaming, going.
import assert from 'node:assert/strict'
import { refuse } from '../../../server/api.ts'
import { codesOf, device, itemOf, Salon } from './salon.ts'

describe('a room: coming and going', () => {
  it('RFC-6.8 tells who enters first the others, then itself, then the history, then the subject', () => {
    const s = new Salon()
    s.joins('olga', 'Olga')
    s.joins('anna', 'Anna')
    s.says('olga', 'one')
    s.says('anna', 'two')
    s.send('olga', '', `<message type='groupchat'><subject>Tea</subject></message>`)
    const heard = s.joins('ben', 'Ben')
    assert.deepEqual(heard.brief('ben'), ['Olga moderator', 'Anna participant', 'Ben participant 110', 'Olga says one', 'Anna says two', 'Olga subject Tea'])
    assert.deepEqual(heard.brief('anna'), ['Ben participant'])
  })

  it('RFC-6.8 sends a subject even where there is none', () => {
    const last = new Salon().joins('anna', 'Anna').by('anna').at(-1)!
    assert.equal(last.child('subject')?.text, '')
    assert.equal(last.child('body'), undefined)
  })

  it('stamps the history with the time of each line', () => {
    const s = new Salon()
    s.joins('olga', 'Olga')
    s.says('olga', 'one')
    s.now += 60_000
    const line = s.joins('ben', 'Ben').by('ben').find(x => x.child('body'))!
    assert.deepEqual({ ...line.child('delay', 'urn:xmpp:delay')?.attrs }, { from: 'tea@rooms.localhost', stamp: '2026-01-01T12:00:00.000Z' })
    assert.equal(line.head.id, 'm-one')
  })

  for (const [asked, told] of [
    [`maxstanzas='1000000000'`, 20], [`maxstanzas='-3'`, 0], [`maxstanzas='NaN'`, 20], [`maxstanzas='2'`, 2], [`maxchars='0'`, 0],
    [`seconds='61'`, 2], [`seconds='0'`, 1], [`since='2026-01-01T12:28:00Z'`, 2], [`since='yesterday'`, 20],
  ] as const) {
    it(`SEC-U13 answers <history ${asked}/> with ${told} of 30 lines`, () => {
      const s = new Salon()
      s.joins('olga', 'Olga')
      for (let i = 0; i < 30; i++) { if (i > 0) s.now += 60_000; s.says('olga', `line ${i}`) }
      const heard = s.joins('ben', 'Ben', `<history ${asked}/>`).by('ben')
      assert.equal(heard.filter(x => x.child('body')).length, told)
    })
  }

  it('tells who made the room that he did, and only him', () => {
    const s = new Salon({}, {}, true)
    assert.deepEqual(codesOf(s.joins('olga', 'Olga').by('olga')[0]!), ['110', '201'])
    s.configures('olga', {})
    assert.deepEqual(codesOf(s.joins('anna', 'Anna').by('anna')[1]!), ['110'])
  })

  it('XEP-0045 section 10.1.1: a new room is nobody\'s but its maker\'s until he has configured it; if he cancels, it is gone', () => {
    for (const opened of [(s: Salon) => s.configures('olga', {}), (s: Salon) => s.says('olga', 'hello')]) {
      const s = new Salon({}, {}, true)
      s.joins('olga', 'Olga')
      assert.equal(s.joins('anna', 'Anna').error('anna'), 'item-not-found')
      assert.equal(s.says('anna', 'hello').error('anna'), 'item-not-found')
      assert.ok(s.joins('olga/phone', 'Olga').by('olga/phone').length > 0)
      opened(s)
      assert.ok(s.joins('anna', 'Anna').brief('anna').includes('Anna participant 110'))
    }
    const s = new Salon({}, {}, true)
    s.joins('olga', 'Olga')
    const cancel = `<iq type='set' id='c'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='cancel'/></query></iq>`
    assert.deepEqual(s.send('olga', '', cancel).by('olga').map(x => [x.kind, x.type]), [['iq', 'result'], ['presence', 'unavailable']])
    assert.ok(s.facts.some(f => f.what === 'destroyed' && f.unborn))
  })

  it('says when real addresses are seen by all, and shows them', () => {
    const s = new Salon({ whois: 'anyone' })
    s.joins('olga', 'Olga')
    s.joins('anna', 'Anna')
    const heard = s.joins('ben', 'Ben')
    assert.deepEqual(heard.brief('ben').slice(0, 3), ['Olga moderator', 'Anna participant', 'Ben participant 110 100'])
    assert.equal(itemOf(heard.one('anna'))['jid'], 'ben@localhost/home')
  })

  it('SEC-U08 shows real addresses only to moderators where the room is semi-anonymous', () => {
    const s = new Salon()
    s.joins('olga', 'Olga')
    s.joins('anna', 'Anna')
    const heard = s.joins('ben', 'Ben')
    assert.equal(itemOf(heard.one('olga'))['jid'], 'ben@localhost/home')
    assert.equal(itemOf(heard.one('anna'))['jid'], undefined)
    assert.doesNotMatch(heard.text('ben'), /olga@|anna@/)
    assert.match(heard.text('ben'), /ben@localhost\/home/)
  })

  it('XEP-0045 section 17.2: tells a client that joins again all that it was told, and the others what is new', () => {
    const s = new Salon()
    s.joins('olga', 'Olga')
    s.says('olga', 'one')
    s.joins('ben', 'Ben')
    const heard = s.joins('ben', 'Ben')
    assert.deepEqual(heard.brief('ben'), ['Olga moderator', 'Ben participant 110', 'Olga says one', 'room subject'])
    assert.deepEqual(heard.by('olga'), [])
    assert.deepEqual(s.joins('ben', 'Ben', `<history maxstanzas='0'/>`).brief('ben'), ['Olga moderator', 'Ben participant 110', 'room subject'])
    assert.deepEqual(s.send('ben', 'Ben', `<presence><show>away</show><x xmlns='http://jabber.org/protocol/muc'/></presence>`).brief('olga'), ['Ben participant'])
    assert.equal([...s.room.occupants].length, 2)
  })

  it('tells a client that is not in the room, and believes to be, that it is not', () => {
    const s = new Salon()
    const gone = s.send('ben', 'Ben', '<presence><show>away</show></presence>').one('ben')
    assert.equal(gone.type, 'unavailable')
    assert.deepEqual(codesOf(gone), ['110', '307', '333'])
  })

  it('lets the service choose the nick, says so, and knows the client by either', () => {
    const s = new Salon({}, { enter: v => ({ nick: v.nick === 'ben' ? 'Ben (Support)' : v.nick }) })
    s.joins('olga', 'Olga')
    assert.deepEqual(s.joins('ben', 'ben').brief('ben'), ['Olga moderator', 'Ben (Support) participant 110 210', 'room subject'])
    assert.deepEqual(s.send('ben', 'ben', '<presence><show>dnd</show></presence>').brief('olga'), ['Ben (Support) participant'])
    assert.deepEqual(s.joins('ben', 'ben').brief('ben').slice(0, 2), ['Olga moderator', 'Ben (Support) participant 110 210'])
  })

  it('asks the service who may enter', () => {
    const s = new Salon({}, { enter: v => (v.jid.local === 'ben' ? refuse('not-allowed') : undefined) })
    assert.equal(s.joins('ben', 'Ben').error('ben'), 'not-allowed')
  })

  describe('SEC-U01 a nick', () => {
    for (const nick of ['Anna', 'anna', 'ANNA', 'Ａnna', 'Anna ', ' anna'] as const) {
      it(`${JSON.stringify(nick)} is taken while Anna is there`, () => {
        const s = new Salon()
        s.joins('anna', 'Anna')
        assert.equal(s.joins('ben', nick).error('ben'), 'conflict')
      })
    }
    it('is taken with or without a joiner that nobody sees', () => {
      const s = new Salon()
      s.joins('anna', 'क्ष')
      assert.equal(s.joins('ben', 'क्\u200dष').error('ben'), 'conflict')
    })
    it('is not for others if it is reserved', () => {
      const s = new Salon()
      s.joins('olga', 'Olga')
      s.admin('olga', `<item affiliation='member' jid='anna@localhost' nick='Anna'/>`)
      assert.equal(s.joins('ben', 'anna').error('ben'), 'conflict')
      assert.equal(s.joins('anna', 'Anna').brief('olga')[0], 'Anna participant')
    })
    it('cannot be taken from a member by renaming, nor be nothing but space', () => {
      const s = new Salon()
      s.joins('anna', 'Anna')
      s.joins('ben', 'Ben')
      assert.equal(s.send('ben', 'aNNa', '<presence/>').error('ben'), 'conflict')
      assert.equal(s.joins('cleo', ' ').error('cleo'), 'not-acceptable')
    })
    it('of the service is nobody else’s', () => {
      const s = new Salon()
      s.take(s.room.seat('Helpdesk', s.now))
      assert.equal(s.joins('ben', 'helpdesk').error('ben'), 'conflict')
    })
  })

  describe('SEC-U02 nobody enters', () => {
    it('who is banned', () => {
      const s = new Salon()
      s.joins('olga', 'Olga')
      s.admin('olga', `<item affiliation='outcast' jid='ben@localhost'/>`)
      assert.equal(s.joins('ben', 'Ben').error('ben'), 'forbidden')
    })
    it('whose whole domain is banned', () => {
      const s = new Salon()
      s.joins('olga', 'Olga')
      s.admin('olga', `<item affiliation='outcast' jid='bad.example'/>`)
      assert.equal(s.joins('eve@bad.example/x', 'Eve').error('eve@bad.example/x'), 'forbidden')
    })
    it('who is no member of a members-only room', () => assert.equal(new Salon({ membersOnly: true }).joins('ben', 'Ben').error('ben'), 'registration-required'))
    it('without the password', () => {
      const s = new Salon({ password: 'sesame' })
      assert.equal(s.joins('ben', 'Ben').error('ben'), 'not-authorized')
      assert.equal(s.joins('ben', 'Ben', '<password>Sesame</password>').error('ben'), 'not-authorized')
      assert.ok(s.joins('ben', 'Ben', '<password>sesame</password>').by('ben').length > 1)
    })
    it('into a full room, but its admins', () => {
      const s = new Salon({ users: 1 })
      s.joins('anna', 'Anna')
      assert.equal(s.joins('ben', 'Ben').error('ben'), 'service-unavailable')
      assert.ok(s.joins('olga', 'Olga').by('olga').length > 1)
    })
    it('without a nick', () => assert.equal(new Salon().joins('ben', '').error('ben'), 'jid-malformed'))
  })

  it('SEC-U05 strips forged ids from presence, and sets its own, the same for the same account', () => {
    const s = new Salon()
    s.joins('olga', 'Olga')
    const forged = `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>`
    const seen = s.send('ben', 'Ben', `<presence><x xmlns='http://jabber.org/protocol/muc'/><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator'/><status code='110'/></x>${forged}${forged}<show>away</show></presence>`).one('olga')
    const ids = seen.payload.filter(e => e.name === 'occupant-id')
    assert.equal(ids.length, 1)
    assert.notEqual(ids[0]!.attrs['id'], 'x')
    assert.equal(itemOf(seen)['affiliation'], 'none')
    assert.deepEqual(codesOf(seen), [])
    assert.equal(seen.child('show')?.text, 'away')
    s.send('ben', 'Ben', `<presence type='unavailable'/>`)
    assert.equal(s.joins('ben/other', 'Benny').one('olga').child('occupant-id', 'urn:xmpp:occupant-id:0')?.attrs['id'], ids[0]!.attrs['id'])
  })

  it('renames: the old nick goes with 303 and the new one, then the new one comes', () => {
    const s = new Salon()
    s.joins('anna', 'Anna')
    s.joins('ben', 'Ben')
    const heard = s.send('ben', 'Benny', '<presence/>')
    assert.deepEqual(heard.brief('anna'), ['Ben gone 303', 'Benny participant'])
    assert.equal(itemOf(heard.by('anna')[0]!)['nick'], 'Benny')
    assert.equal(itemOf(heard.by('anna')[0]!)['role'], 'participant')
    assert.deepEqual(heard.brief('ben'), ['Ben gone 110 303', 'Benny participant 110'])
    assert.deepEqual(s.says('ben', 'hi').brief('anna'), ['Benny says hi'])
  })

  it('tells all when somebody goes, with his last word', () => {
    const s = new Salon()
    s.joins('anna', 'Anna')
    s.joins('ben', 'Ben')
    const heard = s.send('ben', 'Ben', `<presence type='unavailable'><status>bye</status></presence>`)
    assert.deepEqual(heard.brief('anna'), ['Ben gone'])
    assert.equal(heard.one('anna').child('status')?.text, 'bye')
    assert.deepEqual(heard.brief('ben'), ['Ben gone 110'])
    assert.equal(itemOf(heard.one('ben'))['role'], 'none')
    assert.deepEqual(s.says('anna', 'alone').brief('ben'), [])
  })

  it('tells its service when the last one has gone', () => {
    const s = new Salon()
    s.take(s.room.seat('Helpdesk', s.now))
    s.joins('anna', 'Anna')
    s.send('anna', 'Anna', `<presence type='unavailable'/>`)
    assert.deepEqual(s.facts.map(f => f.what), ['left', 'emptied'])
    assert.equal(s.room.empty, true)
  })

  it('lets several devices of one account share a nick', () => {
    const s = new Salon()
    s.joins('anna', 'Anna')
    s.joins('ben/desk', 'Ben')
    const second = s.joins('ben/phone', 'Ben')
    assert.deepEqual(second.brief('ben/phone'), ['Anna participant', 'Ben participant 110', 'room subject'])
    assert.deepEqual(second.by('anna'), [])
    const line = s.says('anna', 'hi')
    assert.deepEqual([line.brief('ben/desk'), line.brief('ben/phone')], [['Anna says hi'], ['Anna says hi']])
    const left = s.send('ben/desk', 'Ben', `<presence type='unavailable'/>`)
    assert.deepEqual(left.brief('ben/desk'), ['Ben gone 110'])
    assert.deepEqual(left.brief('anna'), ['Ben participant'])
    assert.deepEqual(s.send('ben/phone', 'Ben', `<presence type='unavailable'/>`).brief('anna'), ['Ben gone'])
  })

  it('SEC-U12 slows down who comes and goes or renames all the time, and serves on', () => {
    const s = new Salon({}, { rates: { occupant: Infinity, room: 10 } })
    s.joins('anna', 'Anna')
    const errors: unknown[] = []
    for (let i = 0; i < 50; i++) {
      const heard = s.joins('ben', 'Ben')
      if (heard.by('ben').length === 1) errors.push(heard.error('ben'))
      s.send('ben', 'Ben', `<presence type='unavailable'/>`)
    }
    assert.ok(errors.length > 25)
    assert.deepEqual([...new Set(errors)], ['resource-constraint'])
    assert.deepEqual(s.says('anna', 'still here').brief('anna'), ['Anna says still here'])
    s.now += 10_000
    assert.ok(s.joins('ben', 'Ben').by('ben').length > 1)
  })

  it('RFC-6.8 takes a device off from which a delivery error comes', () => {
    const s = new Salon()
    s.joins('anna', 'Anna')
    s.joins('ben', 'Ben')
    const heard = s.send('ben', 'Anna', `<message type='error'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
    assert.deepEqual(heard.brief('anna'), ['Ben gone 333'])
    assert.equal(s.room.occupantBy(device('ben')), undefined)
  })

  it('hides those whose presence is not broadcast from all but moderators', () => {
    const s = new Salon({ moderated: true, broadcast: ['moderator', 'participant'] })
    s.joins('olga', 'Olga')
    s.admin('olga', `<item affiliation='member' jid='anna@localhost'/>`)
    s.joins('anna', 'Anna')
    const heard = s.joins('eve', 'Eve')
    assert.deepEqual(heard.by('anna'), [])
    assert.deepEqual(heard.brief('olga'), ['Eve visitor'])
    assert.deepEqual(s.admin('olga', `<item nick='Eve' role='participant'/>`).brief('anna'), ['Eve participant'])
    assert.deepEqual(s.admin('olga', `<item nick='Eve' role='visitor'/>`).brief('anna'), ['Eve gone'])
  })
})
