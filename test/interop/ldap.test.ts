// Logins that a directory decides on: Debian's OpenLDAP.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { Attribute, Change } from 'ldapts'
import { MovedClock } from '../harness/clock.ts'
import { needs } from '../harness/machine.ts'
import type { SceneOptions } from '../harness/scene.ts'
import { compose } from '../../app/compose.ts'
import { readConfig } from '../../config/load.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { accountChanged, keeperOf } from '../../server/host/keeping.ts'
import { removeAccount } from '../../server/account/authority.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { Papers } from '../wire/s2s-houses.ts'
import { agent, authenticate, bind, Client, FAST, identifier, inHouse, plain, SASL, SASL2 } from '../wire/sasl2-client.ts'
import { deskbell, Program } from './program.ts'
import { GROUPS, PEOPLE, READER, Slapd } from './slapd.ts'

type House = Parameters<Parameters<typeof inHouse>[0]>[0]
type Door = Parameters<Parameters<typeof inHouse>[0]>[1]

/** Logs in by SASL2; what is said to it. */
async function comes(door: Door, local: string, password: string): Promise<string> {
  const c = await door({ from: '' })
  c.says(authenticate('PLAIN', plain(local, password), agent(randomUUID()), bind(), `<request-token xmlns='${FAST}' mechanism='HT-SHA-256-NONE'/>`))
  const answer = await c.next()
  c.leaves()
  return answer.name === 'success' ? identifier(answer).split('/')[0]! : answer.getChildElements()[0]!.name
}

const ROLES = { groupBase: GROUPS, roles: { agent: '(&(cn=helpdesk)(member=%d))', admin: '(&(cn=admins)(member=%d))' } }
const patient: SceneOptions = { limits: { authFailures: { ...defaultLimits.authFailures, tarpit: Infinity, ban: Infinity } } }

describe('a host whose passwords a directory keeps', function () {
  this.timeout(300_000)
  before(needs('slapd'))

  let papers: Papers, slapd: Slapd, ca: string
  before(async () => {
    papers = new Papers()
    const paper = papers.make('ldap.test', ['localhost', '127.0.0.1'])
    ca = paper.pem
    slapd = await Slapd.start(papers.folder, paper)
  })
  after(async () => { await slapd?.[Symbol.asyncDispose](); papers?.[Symbol.dispose]() })

  /** By ldaps, looked for below the people, in the reader's name. */
  const searched = (): Record<string, unknown> => ({ url: `ldaps://localhost:${slapd.secure}`, ca, base: PEOPLE, filter: '(&(objectClass=inetOrgPerson)(uid=%u)(!(employeeType=left)))', name: 'cn', ...READER, ...ROLES })
  /** By StartTLS, each as himself. */
  const direct = (more: object = {}): Record<string, unknown> => ({ url: `ldap://localhost:${slapd.port}`, startTls: true, ca, userDn: `uid=%u,${PEOPLE}`, ...more })
  const office = (play: (house: House, door: Door) => Promise<void>, options: () => Record<string, unknown> = searched, more: SceneOptions = {}) =>
    () => inHouse(play, { ...patient, pluginOptions: { ldap: options() }, ...more })()
  const record = (house: House, local: string): ReturnType<House['stores']['accounts']['find']> => house.stores.accounts.find('localhost', local)

  it('SEC-T13 offers PLAIN over TLS and nothing else; in the clear TLS and nothing else', office(async (house, door) => {
    const c = await door()
    for (const ns of [SASL, SASL2]) assert.deepEqual(c.mechanisms(ns), ['PLAIN'])
    assert.equal(c.features.getChild('authentication', SASL2)!.getChild('inline')!.getChild('fast'), undefined)
    assert.equal(c.features.getChild('register', 'http://jabber.org/features/iq-register'), undefined)
    const bare = new Client('x', 'anna@localhost/x')
    await bare.opens(house.port)
    bare.says("<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
    assert.equal((await bare.next()).getChild('mechanisms', SASL), undefined)
    bare.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${plain('anna', 'anna-pw')}</auth>`)
    await bare.receives`<failure xmlns='${SASL}'><encryption-required/></failure>`
    bare.leaves()
  }))

  it('lets in whom it knows, and makes the account with name and role; no token stands in for the password', office(async (house, door) => {
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'anna@localhost')
    const anna = await record(house, 'anna')
    assert.deepEqual([anna?.name, anna?.role, anna?.credentials, anna?.authority], ['Anna Smith', 'agent', {}, 'ldap'])
    assert.equal(await comes(door, 'Ben', 'ben-pw'), 'ben@localhost')
    assert.equal((await record(house, 'ben'))?.role, 'admin')
    assert.equal((await house.stores.documents.range('fast', 'anna@localhost', { limit: 5 })).length, 0)
    const classic = await door({ from: '' })
    classic.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${plain('anna', 'anna-pw')}</auth>`)
    await classic.receives`<success xmlns='${SASL}'/>`
  }))

  it('SEC-T18 RFC-A7 says the same of a wrong password, of nobody, of who has left, and of names that are filters', office(async (house, door) => {
    await house.account('local') // with a password of the store's, which counts for nothing here
    for (const [local, password] of [['anna', 'wrong'], ['nobody', 'x'], ['carl', 'carl-pw'], ['*', 'anna-pw'], ['an*', 'anna-pw'], ['anna)(uid=*', 'anna-pw'], ['\\2a', 'anna-pw'], ['local', 'pw'], ['romeo', 'pw']] as const) {
      assert.equal(await comes(door, local, password), 'not-authorized', local)
    }
    assert.equal(await record(house, 'carl'), undefined)
  }))

  it('a role is that of the groups at each login', office(async (house, door) => {
    await comes(door, 'anna', 'anna-pw')
    const member = { type: 'member', values: [`uid=anna,${PEOPLE}`] }
    await slapd.changes(root => root.modify(`cn=admins,${GROUPS}`, new Change({ operation: 'add', modification: new Attribute(member) })))
    await comes(door, 'anna', 'anna-pw')
    assert.equal((await record(house, 'anna'))?.role, 'admin')
    await slapd.changes(root => root.modify(`cn=admins,${GROUPS}`, new Change({ operation: 'delete', modification: new Attribute(member) })))
    await slapd.changes(root => root.modify(`cn=helpdesk,${GROUPS}`, new Change({ operation: 'replace', modification: new Attribute({ ...member, values: [`uid=ben,${PEOPLE}`] }) })))
    await comes(door, 'anna', 'anna-pw')
    assert.equal((await record(house, 'anna'))?.role, undefined)
    await slapd.changes(root => root.modify(`cn=helpdesk,${GROUPS}`, new Change({ operation: 'replace', modification: new Attribute(member) })))
  }))

  it('SEC-T22 whoever is online when it locks or forgets him loses his sessions; the others stay, and their roles are those of the groups', office(async (house, door) => {
    const stays = await door({ from: '' }), goes = await door({ from: '' })
    for (const [c, local] of [[stays, 'anna'], [goes, 'ben']] as const) {
      c.says(authenticate('PLAIN', plain(local, `${local}-pw`), agent(randomUUID()), bind()))
      await c.succeeds(); await c.next()
    }
    const ben = `uid=ben,${PEOPLE}`, left = new Attribute({ type: 'employeeType', values: ['left'] })
    const member = { type: 'member', values: [`uid=anna,${PEOPLE}`] }
    await house.clock.advance(5 * 60_000)
    for (const c of [stays, goes]) await c.fence()
    await slapd.changes(root => root.modify(ben, new Change({ operation: 'add', modification: left })))
    await slapd.changes(root => root.modify(`cn=admins,${GROUPS}`, new Change({ operation: 'add', modification: new Attribute(member) })))
    try {
      await house.clock.advance(5 * 60_000)
      await goes.ends('not-authorized')
      await stays.fence()
      assert.equal((await record(house, 'anna'))?.role, 'admin')
      assert.equal(await comes(door, 'ben', 'ben-pw'), 'not-authorized')
    } finally {
      await slapd.changes(root => root.modify(ben, new Change({ operation: 'delete', modification: left })))
      await slapd.changes(root => root.modify(`cn=admins,${GROUPS}`, new Change({ operation: 'delete', modification: new Attribute(member) })))
    }
  }))

  it('nobody who is online loses anything because it cannot be asked', async () => {
    await using away = await Slapd.start(papers.folder, papers.make('ldap.test', ['localhost', '127.0.0.1']))
    await inHouse(async (house, door) => {
      const c = await door({ from: '' })
      c.says(authenticate('PLAIN', plain('anna', 'anna-pw'), agent(randomUUID()), bind()))
      await c.succeeds(); await c.next()
      await away.ends()
      await house.clock.advance(20 * 60_000)
      await c.fence()
    }, { ...patient, pluginOptions: { ldap: { ...searched(), url: `ldap://127.0.0.1:${away.port}`, startTls: false } } })()
  })

  it('binds as the user over StartTLS, whatever stands in his name; the password never crosses the wire in the clear', async () => {
    const seen: Buffer[] = []
    const tap = net.createServer(c => {
      const on = net.connect(slapd.port, '127.0.0.1')
      c.on('data', d => { seen.push(d) })
      c.pipe(on).pipe(c)
      for (const s of [c, on]) s.on('error', () => {})
    })
    await new Promise<void>(ok => { tap.listen(0, '127.0.0.1', ok) })
    try {
      await office(async (_, door) => {
        for (const who of ['anna', 'o,neill']) assert.equal(await comes(door, who, `${who}-pw`), `${who}@localhost`)
        assert.equal(await comes(door, 'anna', 'wrong'), 'not-authorized')
        assert.equal(await comes(door, 'carl', 'carl-pw'), 'carl@localhost') // there is no filter
      }, () => direct({ url: `ldap://localhost:${(tap.address() as net.AddressInfo).port}` }))()
      const wire = Buffer.concat(seen)
      assert.ok(wire.length > 500 && !wire.includes('-pw') && !wire.includes('uid='))
    } finally { tap.close() }
  })

  it('a filter counts for who binds as himself, too', office(async (_, door) => {
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'anna@localhost')
    assert.equal(await comes(door, 'carl', 'carl-pw'), 'not-authorized')
  }, () => direct({ filter: '(!(employeeType=left))' })))

  it('a directory that cannot be trusted is told nothing: another certificate, no TLS', async () => {
    await using open = await Slapd.start(papers.folder)
    const other = papers.make('other.test', ['localhost']).pem
    for (const options of [{ ...searched(), ca: other }, direct({ ca: other }), { ...searched(), url: `ldaps://127.0.0.2:${slapd.secure}` }, direct({ url: `ldap://localhost:${open.port}` })]) {
      await office(async (house, door) => {
        assert.equal(await comes(door, 'anna', 'anna-pw'), 'temporary-auth-failure')
        assert.equal(await record(house, 'anna'), undefined)
      }, () => options)()
    }
  })

  it('who is disabled or was removed stays out, until an admin makes the account again', office(async (house, door) => {
    await comes(door, 'anna', 'anna-pw')
    const at = Jid.parse('anna@localhost')
    const disabled = { ...(await record(house, 'anna'))!, disabled: true }
    await house.stores.accounts.update(disabled)
    accountChanged(house.host, at, disabled, 'disabled')
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'account-disabled')
    await removeAccount(house.stores, disabled)
    accountChanged(house.host, at, undefined, 'removed')
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'not-authorized')
    assert.equal(await record(house, 'anna'), undefined)
    await house.account('anna')
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'anna@localhost')
  }))

  it('without `create` only accounts that are there already come in', office(async (house, door) => {
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'not-authorized')
    await house.account('anna', { role: 'manager', name: 'Anna' })
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'anna@localhost')
    assert.deepEqual([(await record(house, 'anna'))?.role, (await record(house, 'anna'))?.name], ['manager', 'Anna']) // no roles are configured
  }, () => ({ ...searched(), roles: undefined, create: false })))

  it('an account that an admin makes has no password of its own', office(async (house, door) => {
    const keeper = keeperOf(house.host, () => ({ selfSigned: true }))
    assert.ok('refused' in await keeper.make('anna', { role: 'manager', password: 'x' }))
    assert.deepEqual(await keeper.make('anna', { role: 'manager' }), { jid: 'anna@localhost', password: undefined })
    assert.ok((await keeper.change('anna@localhost', { password: 'x' }))?.refused)
    assert.equal(await comes(door, 'anna', 'x'), 'not-authorized')
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'anna@localhost')
    await keeper.remove('anna@localhost')
    assert.equal(await comes(door, 'anna', 'anna-pw'), 'not-authorized')
  }))

  it('nobody makes an account or sets a password here', office(async (house, door) => {
    const c = await door()
    c.says("<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>new</username><password>x</password></query></iq>")
    await c.receives`<iq type='error' id='r'><error><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    const anna = await door()
    anna.says(authenticate('PLAIN', plain('anna', 'anna-pw'), bind()))
    await anna.succeeds(); await anna.next()
    anna.says("<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>anna</username><password>x</password></query></iq>")
    await anna.receives`<iq type='error' id='r'><error><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    assert.deepEqual((await record(house, 'anna'))?.credentials, {})
  }))

  it('many log in over few connections; a restart of the directory is not noticed, its absence said as what it is', async () => {
    const own = papers.make('mine.test', ['localhost'])
    await using mine = await Slapd.start(papers.folder, own)
    await office(async (_, door) => {
      const all = await Promise.all(Array.from({ length: 9 }, (_x, i) => i % 3 === 0 ? comes(door, 'anna', 'wrong') : comes(door, 'ben', 'ben-pw')))
      assert.deepEqual(all, Array.from({ length: 9 }, (_x, i) => i % 3 === 0 ? 'not-authorized' : 'ben@localhost'))
      assert.equal(mine.accepted, 2)
      await mine.ends()
      assert.equal(await comes(door, 'anna', 'anna-pw'), 'temporary-auth-failure')
      await mine.again()
      assert.equal(await comes(door, 'anna', 'anna-pw'), 'anna@localhost')
      await mine.ends()
      await mine.again()
      assert.equal(await comes(door, 'anna', 'anna-pw'), 'anna@localhost')
    }, () => ({ ...searched(), url: `ldaps://localhost:${mine.secure}`, ca: own.pem, connections: 2 }))()
  })

  it('is set up by the config file', async () => {
    writeFileSync(join(papers.folder, 'ca.pem'), ca)
    const read = readConfig(`data: ${papers.folder}\nlisten: { c2s-tls: { port: 0, address: 127.0.0.1 } }\nhosts: { localhost: { plugins: { ldap: { url: "ldaps://localhost:${slapd.secure}", ca: ca.pem, base: "${PEOPLE}", bind-dn: "${READER.bindDn}", bind-password: ${READER.bindPassword}, name: cn } } } }`, join(papers.folder, 'x.yaml'))
    assert.ok(read.ok, JSON.stringify(read))
    const stores = await openSqlite({ file: ':memory:' })
    {
      await using program = await compose(read.config, { stores, clock: new MovedClock(), log: silent })
      const c = await Client.at({} as House, { port: program.ports['c2sTls'] ?? program.ports['c2s-tls']! }) // the port is all that is asked for
      assert.deepEqual(c.mechanisms(SASL2), ['PLAIN'])
      c.says(authenticate('PLAIN', plain('anna', 'anna-pw')))
      assert.equal(identifier(await c.succeeds()), 'anna@localhost')
      assert.equal((await stores.accounts.find('localhost', 'anna'))?.name, 'Anna Smith')
      c.leaves()
    }
    await stores.close()
  })

  it('beside an issuer of tokens each looks at its own: a token is never shown to the directory', async () => {
    const secret = 'a secret of thirty-two characters'
    const signed = (key: string): string => {
      const body = [{ alg: 'HS256' }, { iss: 'us', aud: 'chat', sub: 'dora', exp: Math.floor(Date.now() / 1000) + 60 }].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
      return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`
    }
    await inHouse(async (house, door) => {
      assert.deepEqual((await door()).mechanisms(SASL2), ['OAUTHBEARER', 'PLAIN'])
      assert.equal(await comes(door, 'anna', 'anna-pw'), 'anna@localhost')
      assert.equal(await comes(door, 'dora', signed(secret)), 'dora@localhost')
      assert.equal((await record(house, 'dora'))?.authority, 'jwt')
      const before = slapd.accepted
      assert.equal(await comes(door, 'dora', signed('another')), 'not-authorized')
      assert.equal(slapd.accepted, before)
    }, { ...patient, pluginOptions: { ldap: searched(), jwt: { issuer: 'us', audience: 'chat', secret } } })()
  })

  it('no admin is made at the first start, whose password nobody could use', async () => {
    const config = join(papers.folder, 'start.yaml')
    writeFileSync(join(papers.folder, 'ca.pem'), ca)
    writeFileSync(config, `data: ${papers.folder}/started\nlisten: { c2s: { port: 0, address: 127.0.0.1 } }\nhosts: { localhost: { plugins: { ldap: { url: "ldaps://localhost:${slapd.secure}", ca: ca.pem, base: "${PEOPLE}" } } } }\n`)
    await using program = await Program.deskbell('start', config)
    assert.match(program.said, /deskbell user role/)
    assert.doesNotMatch(program.said, /password: /)
    assert.equal(await deskbell('user', 'list', '--config', config), '')
    assert.equal(await deskbell('user', 'add', 'anna@localhost', '--role', 'admin', '--config', config), 'anna@localhost added, role admin\n')
    await assert.rejects(deskbell('user', 'add', 'ben@localhost', '--password', 'x', '--config', config), /leave out --password/)
    await assert.rejects(deskbell('user', 'passwd', 'anna@localhost', '--password', 'x', '--config', config), /the directory keeps the password/)
  })

  it('one that does not answer is given up in time', async () => {
    const mute = net.createServer(() => {})
    await new Promise<void>(ok => { mute.listen(0, '127.0.0.1', ok) })
    const { port } = mute.address() as net.AddressInfo
    const network = new MovedClock()
    try {
      for (const options of [{ ...searched(), url: `ldaps://localhost:${port}` }, direct({ url: `ldap://localhost:${port}` })]) {
        await office(async (_, door) => {
          const reached = new Promise(ok => { mute.once('connection', ok) })
          const answer = comes(door, 'anna', 'anna-pw')
          await reached
          await network.advance(5_000)
          assert.equal(await answer, 'temporary-auth-failure')
        }, () => options, { network })()
      }
    } finally { mute.close() }
  })
})
