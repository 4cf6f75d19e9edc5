// An admin at work in his client's menu (XEP-0133 over XEP-0050).
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { Jid } from '../../server/stanza/jid.ts'
import { ENDING, type Ending } from '../../protocols/ending.ts'
import { Actor, House } from '../harness/scene.ts'
import { plugins } from '../../plugins/index.ts'
import { Host } from '../../server/host/host.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

const ADMIN = 'http://jabber.org/protocol/admin'
const COMMANDS = 'http://jabber.org/protocol/commands'
const DATA = 'jabber:x:data'

interface Cast { readonly admin: Actor; readonly romeo: Actor; readonly house: House }

const office = (play: (c: Cast) => Promise<void>) => async (): Promise<void> => {
  await using house = await House.open()
  await house.account('nurse', { role: 'admin' })
  const admin = await house.actor('admin', 'nurse@localhost/office')
  const romeo = await house.actor('romeo', 'romeo@localhost/orchard')
  await play({ admin, romeo, house })
}

type Answers = Readonly<Record<string, string | readonly string[]>>

/** Runs a command to its end, filling in its form if it has one; the answer's stanza. */
async function run(who: Actor, name: string, answers: Answers = {}): Promise<Xml> {
  const node = `${ADMIN}#${name}`
  who.sends`<iq type='set' id='c1' to='localhost'><command xmlns='${COMMANDS}' node='${node}' action='execute'/></iq>`
  const first = await who.hears`<iq id='c1'/>`
  const asked = first.getChild('command', COMMANDS)
  if (asked?.attrs['status'] !== 'executing') return first
  const shown = asked.getChild('x', DATA)!
  assert.equal(shown.getChildren('field').find(f => f.attrs['var'] === 'FORM_TYPE')?.getChildText('value'), ADMIN)
  for (const key of Object.keys(answers)) assert.ok(shown.getChildren('field').some(f => f.attrs['var'] === key), `the form has no ${key}`)
  const fields = Object.entries(answers).map(([key, value]) => `<field var='${key}'>${[value].flat().map(v => `<value>${v}</value>`).join('')}</field>`).join('')
  who.says(`<iq type='set' id='c2' to='localhost'><command xmlns='${COMMANDS}' node='${node}' sessionid='${asked.attrs['sessionid']}'><x xmlns='${DATA}' type='submit'><field var='FORM_TYPE'><value>${ADMIN}</value></field>${fields}</x></command></iq>`)
  return who.hears`<iq id='c2'/>`
}

const fieldOf = (answer: Xml, name: string): string[] =>
  answer.getChild('command', COMMANDS)?.getChild('x', DATA)?.getChildren('field').find(f => f.attrs['var'] === name)?.getChildren('value').map(v => v.getText()) ?? []
const done = (answer: Xml): void => { assert.equal(answer.getChild('command', COMMANDS)?.attrs['status'], 'completed', String(answer)) }
const refused = (answer: Xml): string | undefined => answer.getChild('error')?.getChildElements()[0]?.getName()
/** What it says of a form that was filled in wrongly. */
const wrong = (answer: Xml): string => { done(answer); return answer.getChild('command', COMMANDS)!.getChildren('note').find(n => n.attrs['type'] === 'error')?.getText() ?? 'no error' }

async function mayLogIn(house: House, local: string, password: string): Promise<boolean> {
  const a = new Actor(local, `${local}@localhost/test`)
  await a.opens(house.port)
  try {
    a.says("<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
    await a.next()
    a.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa(`\0${local}\0${password}`)}</auth>`)
    return (await a.next()).getName() === 'success'
  } finally { a.leaves() }
}

describe('service administration', () => {
  it('shows its menu to admins alone', office(async ({ admin, romeo }) => {
    for (const [who, some] of [[admin, true], [romeo, false]] as const) {
      who.sends`<iq type='get' id='i' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
      const items = (await who.hears`<iq type='result' id='i'/>`).getChild('query')!.getChildren('item').map(i => i.attrs['node'])
      assert.equal(items.includes(`${ADMIN}#add-user`), some)
    }
    admin.sends`<iq type='get' id='n' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info' node='${ADMIN}#add-user'/></iq>`
    await admin.receives`<iq type='result' id='n'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='automation' type='command-node'/><feature var='${COMMANDS}'/></query></iq>`
    romeo.sends`<iq type='get' id='n' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info' node='${ADMIN}#add-user'/></iq>`
    await romeo.receives`<iq type='error' id='n'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }))

  it('XEP-0133 section 3: has its menu at the admin\'s own account, too, where many clients look', office(async ({ admin, romeo }) => {
    for (const [who, some] of [[admin, true], [romeo, false]] as const) {
      who.sends`<iq type='get' id='i' to='${who.bare}'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
      const items = (await who.hears`<iq type='result' id='i'/>`).getChild('query')!.getChildren('item')
      assert.equal(items.some(i => i.attrs['node'] === `${ADMIN}#add-user` && i.attrs['jid'] === who.bare), some)
      who.sends`<iq type='get' id='n' to='${who.bare}'><query xmlns='http://jabber.org/protocol/disco#info' node='${ADMIN}#add-user'/></iq>`
      assert.equal((await who.hears`<iq id='n'/>`).attrs['type'], some ? 'result' : 'error')
      who.sends`<iq type='set' id='c' to='${who.bare}'><command xmlns='${COMMANDS}' node='${ADMIN}#get-online-users-num' action='execute'/></iq>`
      assert.equal((await who.hears`<iq id='c'/>`).attrs['type'], some ? 'result' : 'error')
    }
    romeo.sends`<iq type='get' id='i' to='${admin.bare}'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
    assert.equal((await romeo.hears`<iq type='result' id='i'/>`).getChild('query')!.children.length, 0)
    romeo.sends`<iq type='set' id='c' to='${admin.bare}'><command xmlns='${COMMANDS}' node='${ADMIN}#get-online-users-num' action='execute'/></iq>`
    await romeo.receives`<iq type='error' id='c'/>`
  }))

  it('SEC-C18 obeys nobody else: no user, no component, no former admin', async () => {
    await using house = await House.open({ externals: { 'bot.localhost': 's' } })
    await house.account('nurse', { role: 'admin' })
    await house.account('abram', { role: 'manager' })
    const admin = await house.actor('admin', 'nurse@localhost/office')
    const manager = await house.actor('manager', 'abram@localhost/office')
    assert.equal(refused(await run(manager, 'add-user')), 'forbidden')
    const bot = await house.component('bot.localhost', 's')
    bot.says(`<iq type='set' id='x' from='nurse@bot.localhost/x' to='localhost'><command xmlns='${COMMANDS}' node='${ADMIN}#add-user'/></iq>`)
    assert.equal(refused(await bot.next()), 'forbidden')
    done(await run(admin, 'edit-admin', { adminjids: ['nurse@localhost', 'abram@localhost'] }))
    done(await run(manager, 'edit-admin', { adminjids: ['abram@localhost'] }))
    assert.equal(refused(await run(admin, 'add-user')), 'forbidden')
  })

  it('SEC-T30 an admin of one host is nobody at another, whatever his name', office(async ({ admin, house }) => {
    const { router, clock, limits } = house
    const stores = await openSqlite({ file: ':memory:' })
    house.keeps({ [Symbol.asyncDispose]: () => stores.close() })
    const other = await new Host('b.example', { router, stores, clock, network: house.clients.network, log: silent, limits }).use(plugins)
    ;(house.clients.hosts as Map<string, Host>).set('b.example', other) // the harness made one
    const credentials = (await house.stores.accounts.find('localhost', 'nurse'))!.credentials
    await stores.accounts.create({ host: 'b.example', local: 'nurse', created: clock.now(), credentials, role: 'admin' })
    const stranger = new Actor('stranger', 'nurse@b.example/office')
    await stranger.connects(house.port)
    for (const [who, to] of [[stranger, 'localhost'], [stranger, 'nurse@localhost'], [admin, 'b.example'], [admin, 'nurse@b.example']] as const) {
      for (const node of ['add-user', 'delete-user', 'get-online-users-num', 'announce', 'shutdown', 'edit-admin']) {
        who.sends`<iq type='set' id='x' to='${to}'><command xmlns='${COMMANDS}' node='${ADMIN}#${node}' action='execute'/></iq>`
        const condition = refused(await who.hears`<iq type='error' id='x'/>`)
        assert.ok(['forbidden', 'item-not-found', 'service-unavailable'].includes(condition ?? ''), `${node} at ${to}: ${String(condition)}`)
        if (node === 'add-user' && !to.includes('@')) assert.equal(condition, 'forbidden')
      }
      who.sends`<iq type='get' id='i' to='${to}'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
      assert.ok(!String(await who.hears`<iq id='i'/>`).includes(`${ADMIN}#add-user`))
    }
    stranger.sends`<iq type='set' id='own' to='b.example'><command xmlns='${COMMANDS}' node='${ADMIN}#get-online-users-num' action='execute'/></iq>`
    await stranger.hears`<iq type='result' id='own'/>`
    stranger.leaves()
  }))

  it('adds a user, who can log in; and not twice', office(async ({ admin, house }) => {
    done(await run(admin, 'add-user', { 'accountjid': 'juliet@localhost', 'password': 'R0m30', 'password-verify': 'R0m30', 'given_name': 'Juliet', 'surname': 'Capulet' }))
    assert.ok(await mayLogIn(house, 'juliet', 'R0m30'))
    assert.equal((await house.stores.accounts.find('localhost', 'juliet'))?.name, 'Juliet Capulet')
    assert.equal(refused(await run(admin, 'add-user', { accountjid: 'juliet@localhost', password: 'x' })), 'conflict')
  }))

  it('adds nobody for another server, without a name, or with two passwords; makes one up where none is given', office(async ({ admin, house }) => {
    for (const accountjid of ['juliet@elsewhere.example', 'localhost', '@', '']) assert.match(wrong(await run(admin, 'add-user', { accountjid, password: 'x' })), /address of localhost/)
    assert.match(wrong(await run(admin, 'add-user', { 'accountjid': 'juliet@localhost', 'password': 'a', 'password-verify': 'b' })), /passwords differ/)
    const told = await run(admin, 'add-user', { accountjid: 'juliet@localhost' })
    const [, password = ''] = /password: (\S+?)</.exec(String(told)) ?? []
    assert.ok(await mayLogIn(house, 'juliet', password))
  }))

  it('RFC-J6 adds nobody whose name other servers would read as another one', office(async ({ admin, house }) => {
    const answer = await run(admin, 'add-user', { accountjid: 'straße@localhost', password: 'V3r0n4' })
    assert.ok(wrong(answer).includes('"strasse"'), String(answer))
    assert.equal(await house.stores.accounts.find('localhost', 'straße'), undefined)
  }))

  it('deletes users: their sessions end, they cannot come back; oneself is safe', office(async ({ admin, romeo, house }) => {
    done(await run(admin, 'delete-user', { accountjids: ['romeo@localhost'] }))
    await romeo.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    await romeo.isCutOff()
    assert.ok(!await mayLogIn(house, 'romeo', 'pw'))
    assert.equal(refused(await run(admin, 'delete-user', { accountjids: 'nurse@localhost' })), 'not-allowed')
    assert.match(wrong(await run(admin, 'delete-user', { accountjids: 'nobody@localhost' })), /no account nobody@localhost/)
  }))

  it('disables users and enables them again', office(async ({ admin, romeo, house }) => {
    done(await run(admin, 'disable-user', { accountjids: 'romeo@localhost' }))
    await romeo.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    assert.ok(!await mayLogIn(house, 'romeo', 'pw'))
    assert.deepEqual(fieldOf(await run(admin, 'get-disabled-users-list', { max_items: '25' }), 'disableduserjids'), ['romeo@localhost'])
    assert.deepEqual(fieldOf(await run(admin, 'get-disabled-users-num'), 'disabledusersnum'), ['1'])
    done(await run(admin, 'reenable-user', { accountjids: 'romeo@localhost' }))
    assert.ok(await mayLogIn(house, 'romeo', 'pw'))
  }))

  it('changes a password: the old one is over, and so are the sessions', office(async ({ admin, romeo, house }) => {
    done(await run(admin, 'change-user-password', { accountjid: 'romeo@localhost', password: 'V3r0n4' }))
    await romeo.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    assert.deepEqual([await mayLogIn(house, 'romeo', 'pw'), await mayLogIn(house, 'romeo', 'V3r0n4')], [false, true])
    assert.match(wrong(await run(admin, 'change-user-password', { accountjid: 'romeo@localhost', password: '' })), /password/)
  }))

  it('ends one session, or all of a user', office(async ({ admin, romeo, house }) => {
    const phone = await house.actor('phone', 'romeo@localhost/phone')
    done(await run(admin, 'end-user-session', { accountjids: 'romeo@localhost/phone' }))
    await phone.isCutOff()
    await romeo.receivesNothing()
    done(await run(admin, 'end-user-session', { accountjids: 'romeo@localhost' }))
    await romeo.isCutOff()
  }))

  it('counts and lists users: all, online, active, idle', office(async ({ admin, romeo, house }) => {
    await house.account('tybalt')
    await romeo.comesOnline('<presence><show>away</show></presence>')
    await admin.comesOnline()
    const list = (of: string): string => (of === 'active' || of === 'idle' ? `get-${of}-users` : `get-${of}-users-list`) // as the document names them
    const count = async (of: string): Promise<[string[], string[]]> => [fieldOf(await run(admin, `get-${of}-users-num`), `${of}usersnum`), fieldOf(await run(admin, list(of), { max_items: 'none' }), `${of}userjids`)]
    assert.deepEqual(await count('registered'), [['3'], ['nurse@localhost', 'romeo@localhost', 'tybalt@localhost']])
    assert.deepEqual(await count('online'), [['2'], ['nurse@localhost', 'romeo@localhost']])
    assert.deepEqual(await count('active'), [['1'], ['nurse@localhost']])
    assert.deepEqual(await count('idle'), [['1'], ['romeo@localhost']])
    for (let i = 0; i < 30; i++) await house.account(`extra${i}`)
    const some = await run(admin, 'get-registered-users-list', { max_items: '25' })
    assert.equal(fieldOf(some, 'registereduserjids').length, 25)
    assert.match(String(some), /8 more/)
  }))

  it('shows a contact list, the last login, and the sessions of a user', office(async ({ admin, romeo, house }) => {
    romeo.sends`<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' name='J'><group>Friends</group></item></query></iq>`
    await romeo.hears`<iq type='result' id='r'/>`
    const roster = await run(admin, 'get-user-roster', { accountjids: 'romeo@localhost' })
    const item = roster.getChild('command', COMMANDS)!.getChild('x', DATA)!.getChild('query', 'jabber:iq:roster')!.getChild('item')!
    assert.deepEqual([item.attrs['jid'], item.attrs['name'], item.getChildText('group')], ['juliet@localhost', 'J', 'Friends'])
    const began = Date.parse(fieldOf(await run(admin, 'get-user-lastlogin', { accountjids: 'romeo@localhost' }), 'lastlogin')[0]!)
    assert.ok(Math.abs(began - house.clock.now()) < 60_000)
    const stats = await run(admin, 'user-stats', { accountjid: 'romeo@localhost' })
    assert.deepEqual([fieldOf(stats, 'rostersize'), fieldOf(stats, 'onlineresources')], [['1'], ['orchard']])
    assert.deepEqual(fieldOf(await run(admin, 'user-stats', { accountjids: 'romeo@localhost' }), 'rostersize'), ['1'])
    assert.match(wrong(await run(admin, 'user-stats')), /no account/)
  }))

  it('announces to whoever is online', office(async ({ admin, romeo, house }) => {
    const away = await house.actor('away', 'tybalt@localhost/away')
    await romeo.comesOnline()
    done(await run(admin, 'announce', { announcement: ['Going down', 'in two minutes'] }))
    await romeo.hears`<message from='localhost'><subject>Announcement</subject><body>Going down\nin two minutes</body></message>`
    await away.receivesNothing()
  }))

  it('greets with the message of the day: who is here, and who comes', office(async ({ admin, romeo, house }) => {
    await romeo.comesOnline()
    done(await run(admin, 'set-motd', { motd: 'Be kind' }))
    await romeo.hears`<message from='localhost'><body>Be kind</body></message>`
    done(await run(admin, 'edit-motd', { motd: 'Be quiet' }))
    await romeo.receivesNothing()
    const late = await house.actor('late', 'tybalt@localhost/late')
    late.says('<presence/>')
    await late.hears`<message from='localhost'><body>Be quiet</body></message>`
    done(await run(admin, 'delete-motd'))
    const later = await house.actor('later', 'paris@localhost/later')
    later.says('<presence/>')
    assert.ok((await later.fence()).every(s => s.getName() !== 'message'))
  }))

  it('welcomes who is new, once; nobody who was here before', office(async ({ admin, romeo, house }) => {
    await house.clock.advance(1000)
    done(await run(admin, 'set-welcome', { welcome: 'Welcome to Verona' }))
    romeo.says('<presence/>')
    assert.ok((await romeo.fence()).every(s => s.getName() !== 'message'))
    for (const [name, times] of [['first', 1], ['second', 0]] as const) {
      const fresh = await house.actor(name, `paris@localhost/${name}`)
      fresh.says('<presence/>')
      if (times) await fresh.hears`<message from='localhost'><body>Welcome to Verona</body></message>`
      else assert.ok((await fresh.fence()).every(s => s.getName() !== 'message'))
    }
    done(await run(admin, 'delete-welcome'))
    const late = await house.actor('late', 'mercutio@localhost/late')
    late.says('<presence/>')
    assert.ok((await late.fence()).every(s => s.getName() !== 'message'))
  }))

  it('XEP-0133 sections 4.30 and 4.31: ends the program after a while, where it lets that happen, and tells everybody before', office(async ({ admin, romeo, house }) => {
    assert.equal(refused(await run(admin, 'shutdown')), 'forbidden')
    const ended: Ending[] = []
    house.host.provide(ENDING, how => { ended.push(how) })
    await romeo.comesOnline()
    assert.match(wrong(await run(admin, 'shutdown', { delay: '5' })), /delays/)
    done(await run(admin, 'shutdown', { delay: '60', announcement: 'Going down' }))
    await romeo.hears`<message from='localhost'><body>Going down</body></message>`
    await house.clock.advance(59_000)
    done(await run(admin, 'restart', { delay: '30' })) // takes the place of the first word
    await house.clock.advance(29_000)
    assert.deepEqual(ended, [])
    await house.clock.advance(1000)
    assert.deepEqual(ended, ['restart'])
    romeo.sends`<iq type='set' id='c' to='localhost'><command xmlns='${COMMANDS}' node='${ADMIN}#shutdown' action='execute'/></iq>`
    await romeo.hears`<iq type='error' id='c'><error><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }))

  it('does not let an admin lose his own rights by a slip', office(async ({ admin }) => {
    assert.equal(refused(await run(admin, 'edit-admin', { adminjids: 'romeo@localhost' })), 'not-allowed')
    assert.equal(refused(await run(admin, 'disable-user', { accountjids: ['romeo@localhost', 'nurse@localhost'] })), 'not-allowed')
    done(await run(admin, 'get-registered-users-num'))
  }))

  it('SEC-R09 another device cannot go on with a session', office(async ({ admin, house }) => {
    admin.sends`<iq type='set' id='c' to='localhost'><command xmlns='${COMMANDS}' node='${ADMIN}#delete-user'/></iq>`
    const { sessionid } = (await admin.hears`<iq id='c'/>`).getChild('command', COMMANDS)!.attrs
    const other = await house.actor('other', 'nurse@localhost/other')
    other.says(`<iq type='set' id='d' to='localhost'><command xmlns='${COMMANDS}' node='${ADMIN}#delete-user' sessionid='${sessionid}'><x xmlns='${DATA}' type='submit'><field var='accountjids'><value>romeo@localhost</value></field></x></command></iq>`)
    assert.equal(refused(await other.next()), 'bad-request')
    assert.ok(await house.stores.accounts.find('localhost', 'romeo'))
  }))
})

describe('last activity', () => {
  const LAST = 'jabber:iq:last'
  const asks = async (who: Actor, to: string): Promise<Xml> => { who.sends`<iq type='get' id='l' to='${to}'><query xmlns='${LAST}'/></iq>`; return who.hears`<iq id='l'/>` }
  const seconds = (x: Xml): number => Number(x.getChild('query', LAST)?.attrs['seconds'])

  it('tells how long the server runs', office(async ({ romeo, house }) => {
    await house.clock.advance(100_000)
    assert.ok(seconds(await asks(romeo, 'localhost')) >= 100)
  }))

  it('SEC-P07 tells a friend how long ago one left, and a stranger nothing, not even whether there is such an account', office(async ({ admin, romeo, house }) => {
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    await juliet.comesOnline(); await romeo.comesOnline()
    romeo.sends`<presence type='subscribe' to='juliet@localhost'/>`
    await juliet.hears`<presence type='subscribe' from='romeo@localhost'/>`
    juliet.sends`<presence type='subscribed' to='romeo@localhost'/>`
    await romeo.hears`<presence from='juliet@localhost/balcony'/>`
    assert.equal(seconds(await asks(romeo, 'juliet@localhost')), 0)
    juliet.leaves()
    await romeo.hears`<presence from='juliet@localhost/balcony' type='unavailable'/>`
    await house.clock.advance(903_000)
    const away = seconds(await asks(romeo, 'juliet@localhost'))
    assert.ok(away >= 903 && away < 960, String(away))
    for (const to of ['juliet@localhost', 'nobody@localhost']) assert.equal(refused(await asks(admin, to)), 'forbidden')
  }))

  it('tells what was said at the end, until one comes again', office(async ({ romeo, house }) => {
    const phone = await house.actor('phone', 'juliet@localhost/phone')
    await romeo.comesOnline(); await phone.comesOnline()
    romeo.sends`<presence type='subscribe' to='juliet@localhost'/>`
    await phone.hears`<presence type='subscribe' from='romeo@localhost'/>`
    phone.sends`<presence type='subscribed' to='romeo@localhost'/>`
    await romeo.hears`<presence from='juliet@localhost/phone'/>`
    phone.says('<presence type="unavailable"><status>Heading home</status></presence>')
    await romeo.hears`<presence from='juliet@localhost/phone' type='unavailable'/>`
    phone.leaves()
    while (house.host.accounts.online(Jid.parse('juliet@localhost'))?.resources.size) await new Promise(ok => setImmediate(ok))
    assert.equal((await asks(romeo, 'juliet@localhost')).getChildText('query'), 'Heading home')
    const again = await house.actor('again', 'juliet@localhost/phone')
    await again.comesOnline()
    await romeo.hears`<presence from='juliet@localhost/phone'/>`
    again.leaves()
    await romeo.hears`<presence from='juliet@localhost/phone' type='unavailable'/>`
    assert.equal((await asks(romeo, 'juliet@localhost')).getChildText('query'), '')
  }))

  it('a device answers for itself', office(async ({ romeo, house }) => {
    const phone = await house.actor('phone', 'romeo@localhost/phone')
    await phone.comesOnline()
    romeo.sends`<iq type='get' id='l' to='romeo@localhost/phone'><query xmlns='${LAST}'/></iq>`
    await phone.hears`<iq type='get' from='romeo@localhost/orchard'><query xmlns='${LAST}'/></iq>`
  }))
})
