// Roles, affiliations, configuring, destroying, asking.
import assert from 'node:assert/strict'
import { refuse, type Element } from '../../../server/api.ts'
import { readForm } from '../../../server/stanza/forms.ts'
import { codesOf, itemOf, Salon, userOf, type Heard } from './salon.ts'

const INFO = 'http://jabber.org/protocol/disco#info'

function full(config = {}, host = {}): Salon {
  const s = new Salon(config, host)
  s.joins('olga', 'Olga')
  s.admin('olga', `<item affiliation='admin' jid='adam@localhost'/>`)
  s.admin('olga', `<item affiliation='member' jid='mona@localhost'/>`)
  s.joins('adam', 'Adam')
  s.joins('mona', 'Mona')
  s.joins('ben', 'Ben')
  return s
}
const ask = (s: Salon, who: string, to: string, query: string): ReturnType<Salon['send']> => s.send(who, to, `<iq type='get' id='q'>${query}</iq>`)

describe('a room: rule', () => {
  it('kicks: 307 and the reason for him and all', () => {
    const heard = full().admin('olga', `<item nick='Ben' role='none'><reason>noise</reason></item>`)
    assert.deepEqual(heard.brief('ben'), ['Ben gone 110 307'])
    assert.deepEqual(heard.brief('mona'), ['Ben gone 307'])
    const item = userOf(heard.one('mona'))!.child('item')!
    assert.equal(item.child('reason')?.text, 'noise')
    assert.equal(item.child('actor')?.attrs['nick'], 'Olga')
    assert.deepEqual(heard.brief('olga'), ['iq result', 'Ben gone 307'])
  })

  it('SEC-U06 lets nobody rule above himself', () => {
    const s = full()
    assert.equal(s.admin('mona', `<item nick='Ben' role='moderator'/>`).error('mona'), 'forbidden')
    assert.equal(s.admin('ben', `<item nick='Mona' role='none'/>`).error('ben'), 'forbidden')
    assert.equal(s.admin('adam', `<item nick='Olga' role='none'/>`).error('adam'), 'not-allowed')
    assert.equal(s.admin('adam', `<item jid='olga@localhost' affiliation='none'/>`).error('adam'), 'not-allowed')
    assert.equal(s.admin('adam', `<item jid='ben@localhost' affiliation='owner'/>`).error('adam'), 'forbidden')
    assert.equal(s.admin('olga', `<item jid='olga@localhost' affiliation='none'/>`).error('olga'), 'conflict')
    assert.equal(s.admin('olga', `<item jid='olga@localhost' affiliation='outcast'/>`).error('olga'), 'conflict')
    s.admin('olga', `<item nick='Ben' role='moderator'/>`)
    assert.equal(s.admin('ben', `<item nick='Olga' role='none'/>`).error('ben'), 'not-allowed')
    assert.equal(s.admin('ben', `<item nick='Mona' role='moderator'/>`).error('ben'), 'forbidden')
    assert.equal(s.admin('ben', `<item nick='Adam' role='participant'/>`).error('ben'), 'not-allowed') // section 8.4
    assert.equal(s.admin('olga', `<item nick='Adam' role='visitor'/>`).error('olga'), 'not-allowed')
    assert.equal(s.admin('adam', `<item jid='adam@localhost' affiliation='outcast'/>`).error('adam'), 'conflict')
  })

  it('XEP-0045 sections 10.5 and 10.8: shows the lists of owners and admins to owners alone, and to admins where addresses are no secret', () => {
    for (const whois of ['moderators', 'anyone']) {
      const s = full()
      s.configures('olga', { whois })
      for (const affiliation of ['owner', 'admin']) {
        assert.equal(s.admin('olga', `<item affiliation='${affiliation}'/>`, 'get').one('olga').payload[0]!.elements.length, 1)
        if (whois === 'anyone') assert.equal(s.admin('adam', `<item affiliation='${affiliation}'/>`, 'get').one('adam').payload[0]!.elements.length, 1)
        else assert.equal(s.admin('adam', `<item affiliation='${affiliation}'/>`, 'get').error('adam'), 'forbidden')
      }
    }
  })

  it('does all items of a request or none', () => {
    const s = full()
    assert.equal(s.admin('adam', `<item jid='ben@localhost' affiliation='member'/><item jid='olga@localhost' affiliation='none'/>`).error('adam'), 'not-allowed')
    assert.equal(s.room.occupant('Ben')?.affiliation, 'none')
  })

  it('SEC-U07 shows form and lists to none but owners and admins', () => {
    const s = full()
    const get = `<query xmlns='http://jabber.org/protocol/muc#owner'/>`
    for (const who of ['mona', 'ben', 'adam']) assert.equal(ask(s, who, '', get).error(who), 'forbidden')
    assert.equal(s.configures('adam', { roomname: 'x' }).error('adam'), 'forbidden')
    for (const list of ['owner', 'admin', 'member', 'outcast']) assert.equal(s.admin('mona', `<item affiliation='${list}'/>`, 'get').error('mona'), 'forbidden')
    assert.equal(s.admin('mona', `<item role='participant'/>`, 'get').error('mona'), 'forbidden')
    assert.match(s.admin('adam', `<item affiliation='member'/>`, 'get').text('adam'), /mona@localhost/)
    assert.match(s.admin('olga', `<item role='participant'/>`, 'get').text('olga'), /nick='Mona'/)
  })

  it('bans: 301 for him and all, and he stays out', () => {
    const s = full()
    const heard = s.admin('adam', `<item jid='ben@localhost' affiliation='outcast'><reason>spam</reason></item>`)
    assert.deepEqual(heard.brief('ben'), ['Ben gone 110 301'])
    assert.deepEqual(heard.brief('mona'), ['Ben gone 301'])
    assert.equal(itemOf(heard.one('mona'))['affiliation'], 'outcast')
    assert.equal(s.joins('ben', 'Ben').error('ben'), 'forbidden')
    assert.match(s.admin('adam', `<item affiliation='outcast'/>`, 'get').text('adam'), /ben@localhost.*spam/)
  })

  it('SEC-U14 sends nothing more to whom it has put out', () => {
    const s = full()
    s.admin('olga', `<item nick='Ben' role='none'/>`)
    assert.deepEqual(s.says('mona', 'he is gone').by('ben'), [])
    assert.equal(s.says('ben', 'hi').error('ben'), 'not-acceptable')
  })

  it('shows a new rank to all, and to a new moderator whom he talks to', () => {
    const s = full()
    const heard = s.admin('olga', `<item jid='ben@localhost' affiliation='admin'/>`)
    assert.deepEqual(heard.brief('mona'), ['Ben moderator'])
    assert.equal(itemOf(heard.one('mona'))['affiliation'], 'admin')
    assert.match(heard.text('ben'), /mona@localhost/)
  })

  it('puts out a member of a members-only room who is none any more', () => {
    const heard = full({ membersOnly: false }).configures('olga', { membersonly: '1' })
    assert.deepEqual(heard.brief('ben'), ['Ben gone 110 322'])
    assert.deepEqual(heard.brief('mona'), ['Ben gone 322', 'room tells 104'])
    const s = new Salon({ membersOnly: true })
    s.joins('olga', 'Olga')
    s.admin('olga', `<item affiliation='member' jid='mona@localhost'/>`)
    s.joins('mona', 'Mona')
    assert.deepEqual(s.admin('olga', `<item affiliation='none' jid='mona@localhost'/>`).brief('mona'), ['Mona gone 110 321'])
  })

  it('XEP-0045 section 10.2: the form gives owners and admins in full, and is never left without an owner', () => {
    const s = full()
    const lists = (): string[][] => ['owner', 'admin'].map(rank => [...s.room.affiliates].filter(a => a.affiliation === rank).map(a => a.jid))
    assert.deepEqual(lists(), [['olga@localhost'], ['adam@localhost']])
    assert.ok(s.configures('olga', { roomadmins: 'ben@localhost' }).brief('mona').includes('Ben moderator'))
    assert.deepEqual(lists(), [['olga@localhost'], ['ben@localhost']])
    s.configures('olga', { roomowners: 'olga@localhost\nadam@localhost/x', roomadmins: '' })
    assert.deepEqual(lists(), [['olga@localhost', 'adam@localhost'], []])
    assert.equal(s.configures('olga', { roomowners: '' }).error('olga'), 'conflict')
    assert.equal(s.configures('olga', { roomowners: 'olga@localhost\n@' }).error('olga'), 'jid-malformed')
    s.configures('adam', { roomowners: 'adam@localhost' })
    assert.deepEqual(lists(), [['adam@localhost'], []])
    assert.equal(s.configures('olga', { roomname: 'x' }).error('olga'), 'forbidden')
  })

  it('XEP-0045 section 10.9: a destruction carries the way to the other room, its password too', () => {
    const s = full()
    const heard = s.send('olga', '', `<iq type='set' id='d'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy jid='new@rooms.localhost'><password>sesame</password><reason>moved</reason></destroy></query></iq>`)
    const x = heard.by('ben').find(p => p.type === 'unavailable')!.child('x', 'http://jabber.org/protocol/muc#user')!.child('destroy')!
    assert.deepEqual([x.attrs['jid'], x.child('password')?.text, x.child('reason')?.text], ['new@rooms.localhost', 'sesame', 'moved'])
  })

  it('XEP-0045 section 6.6: who is not in asks an occupant in vain', () => {
    const s = full()
    for (const ns of ['info', 'items']) assert.equal(s.send('eve', 'Ben', `<iq type='get' id='q'><query xmlns='http://jabber.org/protocol/disco#${ns}'/></iq>`).error('eve'), 'bad-request')
    assert.equal(s.send('eve', 'Ben', `<iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>`).error('eve'), 'not-acceptable')
  })

  it('XEP-0045 section 10.2.1: who turns logging on in a passing room has it logged', () => {
    const s = full()
    assert.deepEqual(s.configures('olga', { enablelogging: '1' }).brief('ben'), ['room tells 170'])
    assert.ok(s.joins('eve', 'Eve').brief('eve').includes('Eve participant 110 170'))
    assert.deepEqual(s.configures('olga', { enablelogging: '0' }).brief('ben'), ['room tells 171'])
  })

  it('COMPAT Conversations: takes Prosody’s word for the archive, in whole forms too, where one of the two fields is as before', () => {
    const s = full({ persistent: true })
    const field = (type: string): string[] => readForm(ask(s, 'olga', '', `<query xmlns='http://jabber.org/protocol/muc#owner'/>`).one('olga').payload[0]!.child('x', 'jabber:x:data'))!.values.get(`muc#roomconfig_enable${type}`)!.slice()
    assert.deepEqual([field('logging'), field('archiving')], [['1'], ['1']])
    assert.deepEqual(s.configures('olga', { enablearchiving: '0' }).brief('ben'), ['room tells 171'])
    assert.deepEqual([field('logging'), field('archiving')], [['0'], ['0']])
    assert.deepEqual(s.configures('olga', { enablelogging: '1', enablearchiving: '0' }).brief('ben'), ['room tells 170'])
    assert.deepEqual(s.configures('olga', { enablelogging: '1', enablearchiving: '0' }).brief('ben'), ['room tells 171'])
  })

  it('takes a whole form sent back, and tells what changed', () => {
    const s = full()
    const x = readForm(ask(s, 'olga', '', `<query xmlns='http://jabber.org/protocol/muc#owner'/>`).one('olga').payload[0]!.child('x', 'jabber:x:data'))!
    const fields = Object.fromEntries([...x.values].map(([k, v]) => [k.replace('muc#roomconfig_', ''), v[0] ?? '']))
    delete fields['presencebroadcast'] // has several values
    assert.deepEqual(s.configures('olga', fields).brief('olga'), ['iq result', 'room tells 170']) // what was the default is chosen now
    assert.deepEqual(s.configures('olga', fields).brief('olga'), ['iq result'])
    assert.deepEqual(s.configures('olga', { ...fields, roomname: 'Tea room', whois: 'anyone' }).brief('ben'), ['room tells 104 172'])
    assert.equal(s.room.config.name, 'Tea room')
    assert.deepEqual(s.configures('olga', { persistentroom: '1' }).brief('ben'), ['room tells 104'])
    assert.deepEqual(s.facts.map(f => f.what), ['changed'])
  })

  it('refuses a configuration that makes no sense, and keeps within the service’s limits', () => {
    const s = full()
    assert.equal(s.configures('olga', { whois: 'nobody' }).error('olga'), 'not-acceptable')
    assert.equal(s.configures('olga', { passwordprotectedroom: '1' }).error('olga'), 'not-acceptable')
    assert.equal(s.configures('olga', { maxusers: '-1' }).error('olga'), 'not-acceptable')
    s.configures('olga', { maxusers: '100000' })
    assert.equal(s.room.config.users, undefined, 'as many as the service takes')
    s.configures('olga', { maxusers: '20' })
    assert.equal(s.room.config.users, 20)
  })

  it('takes as many as the service does where no owner set a bound, or took it away', () => {
    const bounds = { users: 3, history: 20 }
    const s = new Salon({}, { bounds })
    for (const who of ['olga', 'ben', 'cleo']) s.joins(who, who)
    assert.equal(s.joins('dora', 'dora').error('dora'), 'service-unavailable')
    bounds.users = Infinity
    const form = readForm(ask(s, 'olga', '', `<query xmlns='http://jabber.org/protocol/muc#owner'/>`).one('olga').payload[0]!.child('x', 'jabber:x:data'))!
    assert.deepEqual(form.values.get('muc#roomconfig_maxusers'), ['none'])
    for (const who of Array.from({ length: 300 }, (_, i) => `u${i}`)) s.joins(who, who)
    assert.equal(s.room.size, 303)
    s.configures('olga', { maxusers: '10' })
    assert.equal(s.joins('emil', 'emil').error('emil'), 'service-unavailable')
    s.configures('olga', { maxusers: 'none' })
    s.joins('emil', 'emil')
    assert.equal(s.room.size, 304)
  })

  it('ends: all are told why and where to go', () => {
    const s = full()
    const heard = s.send('olga', '', `<iq type='set' id='d'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy jid='garden@rooms.localhost'><reason>closing</reason></destroy></query></iq>`)
    const end = userOf(heard.one('ben'))!.child('destroy')!
    assert.equal(end.attrs['jid'], 'garden@rooms.localhost')
    assert.equal(end.child('reason')?.text, 'closing')
    assert.equal(heard.by('olga').at(-1)!.type, 'result')
    assert.equal(s.facts.at(-1)!.what, 'destroyed')
    assert.equal(s.joins('ben', 'Ben').error('ben'), 'item-not-found')
  })

  it('outlives a restart by its record', () => {
    const s = full({ name: 'Tea' })
    s.send('olga', '', `<message type='groupchat'><subject>x</subject></message>`)
    const record = JSON.parse(JSON.stringify(s.room.record())) as ReturnType<typeof s.room.record>
    assert.deepEqual(record.affiliations.map(a => `${a.jid} ${a.affiliation}`), ['olga@localhost owner', 'adam@localhost admin', 'mona@localhost member'])
    assert.equal(record.subject?.text, 'x')
    assert.equal(record.config.name, 'Tea')
  })
})

describe('a room: registration', () => {
  const MUC_REGISTER = 'http://jabber.org/protocol/muc#register'
  const get = (s: Salon, who: string): Element => ask(s, who, '', `<query xmlns='jabber:iq:register'/>`).one(who).payload[0]!
  const set = (s: Salon, who: string, inside: string): Heard => s.send(who, '', `<iq type='set' id='r'><query xmlns='jabber:iq:register'>${inside}</query></iq>`)
  const form = (nick: string): string => `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${MUC_REGISTER}</value></field><field var='muc#register_roomnick'><value>${nick}</value></field></x>`
  const at = (config = {}): Salon => { const s = new Salon(config, { registers: true }); s.joins('olga', 'Olga'); return s }

  it('XEP-0045 section 7.10: a stranger reserves a nick in an open room and becomes a member; others do not get it', () => {
    const s = at()
    s.joins('ben', 'Ben')
    assert.ok(get(s, 'ben').child('x', 'jabber:x:data')!.elements.some(f => f.attrs['var'] === 'muc#register_roomnick'))
    assert.ok(set(s, 'ben', form('Benjamin')).brief('olga').includes('Ben participant'))
    assert.equal(get(s, 'ben').child('username')?.text, 'Benjamin')
    assert.equal(ask(s, 'ben', '', `<query xmlns='${INFO}' node='x-roomuser-item'/>`).one('ben').payload[0]!.child('identity')?.attrs['name'], 'Benjamin')
    assert.equal(ask(s, 'anna', '', `<query xmlns='${INFO}' node='x-roomuser-item'/>`).one('anna').payload[0]!.elements.length, 0)
    assert.equal(s.joins('anna', 'Benjamin').error('anna'), 'conflict')
    for (const taken of ['Benjamin', 'Olga']) assert.equal(set(s, 'anna', form(taken)).error('anna'), 'conflict')
    for (const none of ['', form(''), form(' ')]) assert.equal(set(s, 'anna', none).error('anna'), 'bad-request')
    assert.equal([...s.room.affiliates].find(a => a.jid === 'ben@localhost')?.affiliation, 'member')
    set(s, 'ben', '<remove/>')
    assert.equal(get(s, 'ben').child('registered'), undefined)
    set(s, 'ben', form('Benjamin'))
    s.admin('olga', `<item affiliation='outcast' jid='ben@localhost'/>`) // section 9.1: the nick goes, too
    assert.ok(!s.joins('anna', 'Benjamin').brief('anna').includes('error'))
    assert.equal(set(s, 'ben', form('Ben')).error('ben'), 'forbidden')
  })

  it('XEP-0045 section 7.10: nobody becomes a member by himself where that means more than a name', () => {
    for (const config of [{ membersOnly: true }, { moderated: true }]) {
      const s = at(config)
      assert.equal(ask(s, 'ben', '', `<query xmlns='jabber:iq:register'/>`).error('ben'), 'not-allowed')
      assert.equal(set(s, 'ben', form('Ben')).error('ben'), 'not-allowed')
      assert.deepEqual(set(s, 'olga', form('Olga')).brief('olga'), ['iq result'])
    }
  })
})

describe('a room: questions', () => {
  it('says what it is', () => {
    const s = full({ name: 'Tea', description: 'hot', membersOnly: true, whois: 'anyone' })
    const query = ask(s, 'eve', '', `<query xmlns='${INFO}'/>`).one('eve').payload[0]!
    const features = query.elements.filter(e => e.name === 'feature').map(e => e.attrs['var'])
    assert.equal(query.child('identity')?.attrs['name'], 'Tea')
    for (const f of ['http://jabber.org/protocol/muc', 'muc_membersonly', 'muc_nonanonymous', 'muc_public', 'muc_temporary', 'muc_unmoderated', 'muc_unsecured', 'urn:xmpp:occupant-id:0', 'urn:xmpp:sid:0', 'http://jabber.org/protocol/muc#self-ping-optimization']) assert.ok(features.includes(f), f)
    const info = readForm(query.child('x', 'jabber:x:data'))!
    assert.equal(info.formType, 'http://jabber.org/protocol/muc#roominfo')
    assert.deepEqual(info.values.get('muc#roominfo_description'), ['hot'])
    assert.deepEqual(info.values.get('muc#roominfo_occupants'), ['3'])
  })

  it('refuses in the words of the specification what it does not do', () => {
    const s = full()
    assert.equal(ask(s, 'ben', '', `<query xmlns='${INFO}' node='x-roomuser-item'/>`).error('ben'), 'feature-not-implemented')
    assert.equal(ask(s, 'ben', '', `<query xmlns='${INFO}' node='http://jabber.org/protocol/muc#traffic'/>`).error('ben'), 'service-unavailable')
    assert.equal(ask(s, 'ben', '', `<query xmlns='jabber:iq:register'/>`).error('ben'), 'service-unavailable')
  })

  it('lists who is in, not to strangers where it is not public', () => {
    const items = `<query xmlns='http://jabber.org/protocol/disco#items'/>`
    assert.match(ask(full(), 'eve', '', items).text('eve'), /tea@rooms\.localhost\/Ben/)
    const hidden = full({ public: false })
    assert.doesNotMatch(ask(hidden, 'eve', '', items).text('eve'), /Ben/)
    assert.match(ask(hidden, 'mona', '', items).text('mona'), /Ben/)
  })

  it('SEC-U18 answers a self-ping of who is in, and tells who is not (XEP-0410)', () => {
    const s = full()
    const ping = `<ping xmlns='urn:xmpp:ping'/>`
    const heard = ask(s, 'ben', 'Ben', ping)
    assert.deepEqual([heard.one('ben').type, heard.all.length], ['result', 1])
    assert.equal(ask(s, 'eve', 'Ben', ping).error('eve'), 'not-acceptable')
    assert.equal(ask(s, 'ben', 'Nobody', ping).error('ben'), 'item-not-found')
  })

  it('SEC-U08 carries a question to an occupant and the answer back, without an address in either', () => {
    const s = full()
    const asked = ask(s, 'ben', 'Mona', `<query xmlns='jabber:iq:version'/>`).one('mona')
    assert.equal(asked.from?.full, 'tea@rooms.localhost/Ben')
    const answer = s.send('mona', 'Ben', `<iq type='result' id='${asked.head.id}'><query xmlns='jabber:iq:version'><name>C</name></query></iq>`).one('ben')
    assert.equal(answer.from?.full, 'tea@rooms.localhost/Mona')
    assert.equal(answer.head.id, 'q')
    assert.doesNotMatch((answer.write() + asked.write()).replace(/to='[^']*'/g, ''), /mona@|ben@/)
  })

  it('SEC-R03 takes an answer only from whom it asked, and once', () => {
    const s = full()
    const { id } = ask(s, 'ben', 'Mona', `<query xmlns='jabber:iq:version'/>`).one('mona').head
    assert.deepEqual(s.send('adam', 'Ben', `<iq type='result' id='${id}'/>`).all, [])
    assert.equal(s.send('mona', 'Ben', `<iq type='result' id='${id}'/>`).all.length, 1)
    assert.deepEqual(s.send('mona', 'Ben', `<iq type='result' id='${id}'/>`).all, [])
  })

  it('SEC-U09 is not there for those who may not know of it', () => {
    const s = full({}, { known: (j: { local: string }) => j.local !== 'eve' })
    assert.equal(ask(s, 'eve', '', `<query xmlns='${INFO}'/>`).error('eve'), 'item-not-found')
    assert.equal(s.joins('eve', 'Eve').error('eve'), 'item-not-found')
    assert.equal(s.says('eve', 'hi').error('eve'), 'item-not-found')
  })

  it('lets the service say who rules beside the lists', () => {
    const s = new Salon({}, { affiliation: (bare: string) => (bare === 'root@localhost' ? 'owner' : undefined), enter: v => (v.affiliation === 'none' ? refuse('forbidden') : undefined) })
    assert.equal(itemOf(s.joins('root', 'Root').by('root')[0]!)['affiliation'], 'owner')
    assert.deepEqual(codesOf(s.joins('root', 'Root').by('root')[0]!), ['110'])
    assert.equal(s.joins('ben', 'Ben').error('ben'), 'forbidden')
  })
})
