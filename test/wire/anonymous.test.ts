// Guests (SASL ANONYMOUS, XEP-0175): on a host of their own, with whom they may speak, and what stays of them.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compose, type House as Program } from '../../app/compose.ts'
import { readConfig } from '../../config/load.ts'
import { muc } from '../../components/muc/muc.ts'
import { Guests } from '../../server/host/guests.ts'
import { Host } from '../../server/host/host.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { silent } from '../../server/ports/log.ts'
import type { Stores } from '../../server/ports/store.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { guestPlugins } from '../../plugins/index.ts'
import { MovedClock } from '../harness/clock.ts'
import { Actor, House, type SceneOptions } from '../harness/scene.ts'
import { tlsDoor } from '../harness/doors.ts'
import { tempFolder } from '../harness/folder.ts'
import { authenticate, bind, BIND2, Client, header, identifier, plain, SASL, SASL2, SM } from './sasl2-client.ts'

const GUESTS = 'guests.localhost'
const INFO = 'http://jabber.org/protocol/disco#info'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}@guests\.localhost$/

/** A house with a host for guests beside that of the accounts. */
const open = (play: (house: House, guests: Host, stores: Stores) => Promise<void>, options: SceneOptions = {}) => async (): Promise<void> => {
  await using house = await House.open(options)
  const stores = await openSqlite({ file: ':memory:' })
  house.keeps({ [Symbol.asyncDispose]: () => stores.close() })
  const { router, clock, limits } = house
  const guests = new Host(GUESTS, { router, stores, clock, network: house.clients.network, log: silent, limits })
  new Guests(guests)
  await guests.use(guestPlugins)
  const hosts = house.clients.hosts as Map<string, Host> // the harness made one
  hosts.set(GUESTS, guests)
  await play(house, guests, stores)
}

/** A guest by the classic profile, bound. */
async function guest(house: House, auth = `<auth xmlns='${SASL}' mechanism='ANONYMOUS'/>`): Promise<Actor & { full: string }> {
  const a = new Actor('guest', `guest@${GUESTS}/x`)
  await a.opens(house.port)
  a.says(header(undefined, GUESTS)); await a.next()
  a.says(auth)
  await a.receives`<success xmlns='${SASL}'/>`
  a.says(header(undefined, GUESTS)); await a.next()
  a.says("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
  const full = (await a.receives`<iq type='result' id='bind'/>`).getChild('bind')!.getChildText('jid')!
  return Object.assign(a, { full })
}

const bare = (full: string): string => full.split('/')[0]!
const until = async (is: () => boolean | Promise<boolean>): Promise<void> => { while (!await is()) await new Promise(ok => setImmediate(ok)) }

describe('a guest (XEP-0175)', () => {
  it('SEC-T13 is let in on the host for guests, which has nothing else, and on no other', open(async house => {
    const a = new Actor('a', 'romeo@localhost/x')
    await house.account('romeo')
    await a.opens(house.port)
    a.says(header())
    const ours = await a.next()
    assert.ok(!ours.getChild('mechanisms', SASL)!.getChildren('mechanism').some(m => m.getText() === 'ANONYMOUS'))
    a.says(`<auth xmlns='${SASL}' mechanism='ANONYMOUS'/>`)
    await a.receives`<failure xmlns='${SASL}'><invalid-mechanism/></failure>`
    a.leaves()
    const c = await Client.at(house, { to: GUESTS })
    assert.deepEqual(c.mechanisms(SASL), ['ANONYMOUS'])
    assert.deepEqual(c.mechanisms(SASL2), ['ANONYMOUS'])
    c.says(authenticate('PLAIN', plain('romeo')))
    await c.failsWith('invalid-mechanism')
    c.leaves()
  }))

  it('RFC 4505 has a random name; what it says of itself is no part of it', open(async house => {
    const [one, two] = [await guest(house), await guest(house, `<auth xmlns='${SASL}' mechanism='ANONYMOUS'>${btoa('sirhc')}</auth>`)]
    for (const g of [one, two]) assert.match(bare(g.full), UUID)
    assert.notEqual(bare(one.full), bare(two.full))
    assert.ok(!two.full.includes('sirhc'))
    const bad = new Actor('bad', `bad@${GUESTS}/x`)
    await bad.opens(house.port)
    bad.says(header(undefined, GUESTS)); await bad.next()
    bad.says(`<auth xmlns='${SASL}' mechanism='ANONYMOUS'>${btoa('x'.repeat(256))}</auth>`)
    await bad.receives`<failure xmlns='${SASL}'><malformed-request/></failure>`
    for (const a of [one, two, bad]) a.leaves()
  }))

  it('logs in and binds by SASL2 in one step, and gets no token', open(async house => {
    const c = await Client.at(house, { to: GUESTS, from: `someone@${GUESTS}` })
    assert.equal(c.features.getChild('authentication', SASL2)!.getChild('inline')!.getChild('fast'), undefined)
    c.says(authenticate('ANONYMOUS', undefined, "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>", bind(), "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"))
    const success = await c.succeeds()
    assert.match(bare(identifier(success)), UUID)
    assert.equal(success.getChild('token'), undefined)
    c.leaves()
  }))

  it('speaks with users, sits in rooms, and says what it is', open(async house => {
    await using _rooms = await house.mount('rooms.localhost', muc())
    const romeo = await house.actor('romeo', 'romeo@localhost/x')
    const g = await guest(house)
    g.says(`<message to='romeo@localhost/x' type='chat' id='m'><body>hello</body></message>`)
    await romeo.receives`<message from='${g.full}' id='m'><body>hello</body></message>`
    romeo.says(`<iq type='get' id='d' to='${bare(g.full)}'><query xmlns='${INFO}'/></iq>`)
    await romeo.hears`<iq type='result' id='d'><query xmlns='${INFO}'><identity category='account' type='anonymous'/></query></iq>`
    romeo.says("<presence to='hall@rooms.localhost/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    await romeo.hears`<message type='groupchat'/>`
    romeo.says("<iq type='set' id='open' to='hall@rooms.localhost'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
    g.says("<presence to='hall@rooms.localhost/Guest'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    await romeo.hears`<presence from='hall@rooms.localhost/Guest'/>`
    g.leaves()
  }))

  it('reaches nobody on other servers', open(async house => {
    const g = await guest(house)
    for (const stanza of ["<message to='a@elsewhere.example' id='m'><body>spam</body></message>", "<presence to='a@elsewhere.example' type='subscribe' id='m'/>", "<iq to='elsewhere.example' type='get' id='m'><ping xmlns='urn:xmpp:ping'/></iq>"]) {
      g.says(stanza)
      const x = await g.next()
      assert.deepEqual([x.attrs['type'], x.attrs['id'], x.getChild('error')?.getChild('not-allowed') !== undefined], ['error', 'm', true])
    }
    g.leaves()
  }))

  it('leaves nothing behind: no contact, no message, no archive, no private data, no name', open(async (house, guests, stores) => {
    const romeo = await house.actor('romeo', 'romeo@localhost/x')
    romeo.says("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    await romeo.comesOnline()
    const g = await guest(house)
    const owner = bare(g.full)
    g.says("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    await g.comesOnline()
    g.says("<presence to='romeo@localhost' type='subscribe'/>")
    await romeo.hears`<presence from='${owner}' type='subscribe'/>`
    romeo.says(`<presence to='${owner}' type='subscribed'/>`)
    await g.hears`<presence from='romeo@localhost' type='subscribed'/>`
    g.says("<iq type='set' id='s'><query xmlns='jabber:iq:private'><x xmlns='test:x'>mine</x></query></iq>")
    await g.hears`<iq type='result' id='s'/>`
    romeo.says(`<message to='${owner}' type='chat' id='m'><body>hello</body></message>`)
    await g.hears`<message id='m'/>`
    assert.equal((await stores.archive.ends(owner)).first, undefined) // not even while it is here
    g.says('</stream:stream>')
    await g.isCutOff()
    await until(async () => await stores.accounts.find(GUESTS, owner.split('@')[0]!) === undefined)
    assert.equal((await stores.archive.ends(owner)).first, undefined)
    assert.deepEqual((await stores.rosters.load(owner)).items, [])
    assert.deepEqual(await stores.offline.list(owner), [])
    assert.equal([...guests.accounts.all].length, 0)
    await romeo.hears`<presence from='${owner}' type='unsubscribe'/>`
    romeo.says(`<message to='${owner}' type='chat' id='late'><body>still there?</body></message>`)
    await romeo.hears`<message type='error' id='late'><error type='cancel'/></message>`
    assert.equal((await house.stores.accounts.list(GUESTS, { limit: 10 })).length, 0)
  }))

  it('is gone too if it never bound, or could not', open(async (house, _, stores) => {
    const c = await Client.at(house, { to: GUESTS })
    c.says(authenticate('ANONYMOUS', undefined))
    await c.succeeds()
    assert.equal((await stores.accounts.list(GUESTS, { limit: 10 })).length, 1)
    c.leaves()
    await until(async () => (await stores.accounts.list(GUESTS, { limit: 10 })).length === 0)
    assert.ok(house)
  }))

  it('XEP-0198 goes on after its connection was lost, as the same guest, and is forgotten when it does not come back', open(async (house, _, stores) => {
    const port = await tlsDoor(house, 'direct')
    const c = await Client.at(house, { to: GUESTS, port })
    c.says(authenticate('ANONYMOUS', undefined, bind(`<enable xmlns='${SM}' resume='true'/>`)))
    const success = await c.succeeds()
    const id = success.getChild('bound', BIND2)!.getChild('enabled', SM)!.attrs['id'] as string
    await c.next()
    c.leaves()
    const local = identifier(success).split('@')[0]!
    await until(() => [...(house.clients.hosts.get(GUESTS)!.accounts.all)].every(a => [...a.resources.values()].every(r => !r.attached)))
    assert.ok(await stores.accounts.find(GUESTS, local))
    await house.clock.advance(defaultLimits.streamManagement.resume + 1)
    await until(async () => await stores.accounts.find(GUESTS, local) === undefined)
    assert.equal(house.devices.at(id), undefined)
  }))

  it('SEC-E01 only so many come from one address', open(async house => {
    for (const g of [await guest(house), await guest(house)]) { // asleep: connections have a limit of their own
      g.says(`<enable xmlns='${SM}' resume='true'/>`)
      await g.receives`<enabled xmlns='${SM}'/>`
      g.leaves()
    }
    await until(() => house.devices.streams.size === 0)
    const c = new Actor('c', `c@${GUESTS}/x`)
    await c.opens(house.port)
    c.says(header(undefined, GUESTS)); await c.next()
    c.says(`<auth xmlns='${SASL}' mechanism='ANONYMOUS'/>`)
    await c.receives`<failure xmlns='${SASL}'><temporary-auth-failure/></failure>`
    c.leaves()
  }, { limits: { connections: { ...defaultLimits.connections, perAddress: 2, newPerAddress: { rate: Infinity, burst: Infinity } } } }))
})

describe('a program with a host for guests', () => {
  const folder = tempFolder('guests')
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('keeps no word of them on disk', async () => {
    const read = readConfig(`data: ${folder}\nrequire-tls: false\nlisten: { c2s: { port: 0, address: 127.0.0.1 } }\nhosts: { localhost: {}, ${GUESTS}: { anonymous: true } }`, join(folder, 'x.yaml'))
    assert.ok(read.ok)
    const stores = await openSqlite({ file: join(folder, 'd.sqlite') })
    {
      await using program: Program = await compose(read.config, { stores, clock: new MovedClock(), log: silent })
      const g = await guest({ port: program.ports['c2s'] } as House) // it asks for no more
      g.says(`<enable xmlns='${SM}' resume='true'/>`)
      await g.receives`<enabled xmlns='${SM}'/>`
      g.says(`<message to='${bare(g.full)}' type='chat' id='m'><body>xyzzy-plugh</body></message>`)
      await g.fence()
      g.leaves()
    }
    await stores.close()
    for (const file of readdirSync(folder).filter(f => f.startsWith('d.sqlite'))) assert.ok(!readFileSync(join(folder, file), 'latin1').includes('xyzzy-plugh'))
  })
})
