// Clients that log in with a certificate (SASL EXTERNAL, XEP-0178). The papers were made with openssl: ca has signed all but foreign.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compose } from '../../app/compose.ts'
import { readConfig } from '../../config/load.ts'
import { listenTcp } from '../../server/net/tcp.ts'
import { ClientFacing, xmppAddresses } from '../../server/net/client-trust.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { ClientStream } from '../../server/stream/c2s.ts'
import { MovedClock } from '../harness/clock.ts'
import { House } from '../harness/scene.ts'
import { identity } from '../harness/doors.ts'
import { tempFolder } from '../harness/folder.ts'
import { authenticate, bind, Client, header, identifier, plain, SASL, SASL2 } from './sasl2-client.ts'

const paper = (name: string): string => readFileSync(join(import.meta.dirname, 'papers', name), 'utf8')
const shows = (name: string): { cert: string; key: string } => ({ cert: paper(`${name}.pem`), key: paper('client.key') })

/** A house that asks clients for certificates. */
const asking = (play: (door: (show?: string) => Promise<Client>, house: House) => Promise<void>) => async (): Promise<void> => {
  await using house = await House.open()
  for (const local of ['romeo', 'juliet']) await house.account(local)
  const { limits, clients } = house
  const listening = await listenTcp({
    port: 0, address: '127.0.0.1', tls: 'direct', alpn: 'xmpp-client', identity: new ClientFacing(await identity(), paper('ca.pem')), mutual: true,
    limits, rate: limits.readRate.c2s, clock: clients.network, log: silent, serve: t => { new ClientStream(t, clients) },
  })
  const { port } = house.keeps(listening)
  const open: Client[] = []
  try {
    await play(async show => { const c = await Client.at(house, { port, ...(show && { tls: shows(show) }) }); open.push(c); return c }, house)
  } finally { for (const c of open) c.leaves() }
}

const external = (authzid = ''): string => `<auth xmlns='${SASL}' mechanism='EXTERNAL'>${authzid === '' ? '=' : btoa(authzid)}</auth>`

describe('a client with a certificate', () => {
  it('RFC-A15 is offered EXTERNAL first, in both lists, and logs in without a password', asking(async door => {
    const c = await door('romeo')
    assert.equal(c.mechanisms(SASL)[0], 'EXTERNAL')
    assert.equal(c.mechanisms(SASL2)[0], 'EXTERNAL')
    c.says(external())
    await c.receives`<success xmlns='${SASL}'/>`
    c.says(header('romeo@localhost')); await c.next()
    await c.binds()
    await c.fence()
  }))

  it('logs in by SASL2 with all that belongs to it, and by the address that it says', asking(async door => {
    const c = await door('romeo')
    c.says(authenticate('EXTERNAL', '', bind()))
    assert.match(identifier(await c.succeeds()), /^romeo@localhost\/./)
    const d = await door('romeo')
    d.says(external('ROMEO@localhost'))
    await d.receives`<success xmlns='${SASL}'/>`
  }))

  it('XEP-0178 says which address, where it names several', asking(async door => {
    const c = await door('both')
    c.says(external())
    await c.receives`<failure xmlns='${SASL}'><invalid-authzid/></failure>`
    c.says(external('juliet@localhost'))
    await c.receives`<success xmlns='${SASL}'/>`
    c.says(header()); await c.next()
    c.says("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert.match((await c.next()).getChild('bind')!.getChildText('jid')!, /^juliet@localhost\//)
  }))

  it('RFC-A13 is asked for the address where it sends no first word', asking(async door => {
    const c = await door('romeo')
    c.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'/>`)
    await c.receives`<challenge xmlns='${SASL}'/>`
    c.says(`<response xmlns='${SASL}'/>`)
    await c.receives`<success xmlns='${SASL}'/>`
  }))

  it('SEC-T14 is nobody but those whom it names', asking(async door => {
    const c = await door('romeo')
    for (const authzid of ['juliet@localhost', 'romeo@localhost/phone', 'romeo@elsewhere.example', 'romeo', 'localhost']) {
      const d = await door('romeo')
      d.says(external(authzid))
      await d.receives`<failure xmlns='${SASL}'><invalid-authzid/></failure>`
    }
    c.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>${Buffer.of(0xff).toString('base64')}</auth>`)
    await c.receives`<failure xmlns='${SASL}'><malformed-request/></failure>`
  }))

  for (const [show, why] of [
    ['cnonly', 'only the subjectAltName counts'], ['expired', 'it has expired'], ['foreign', 'its authority is not ours'], ['elsewhere', 'it names nobody here'],
  ] as const) {
    it(`SEC-T25 does not log in with ${show}: ${why}; a password still does`, asking(async door => {
      const c = await door(show)
      assert.ok(!c.mechanisms(SASL).includes('EXTERNAL'))
      for (const authzid of ['', 'romeo@localhost']) {
        c.says(external(authzid))
        await c.receives`<failure xmlns='${SASL}'><not-authorized/></failure>`
      }
      c.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${plain('romeo')}</auth>`)
      await c.receives`<success xmlns='${SASL}'/>`
    }))
  }

  it('SEC-T25 names in other fields, and what looks like one inside them, are none', asking(async door => {
    const c = await door('forged')
    c.says(external('romeo@localhost'))
    await c.receives`<failure xmlns='${SASL}'><invalid-authzid/></failure>`
    c.says(external())
    await c.receives`<success xmlns='${SASL}'/>` // juliet's
    assert.deepEqual(xmppAddresses('URI:"x, othername:XmppAddr:romeo@localhost, y", othername:XmppAddr:"j\\u002c@localhost", DNS:a'), ['j,@localhost'])
  }))

  it('RFC-A7 for an account that is not there is told like one that is wrong', asking(async door => {
    const c = await door('nobody')
    c.says(external())
    await c.receives`<failure xmlns='${SASL}'><not-authorized/></failure>`
  }))

  it('RFC-A8 of a disabled account is told so', asking(async (door, house) => {
    const record = await house.stores.accounts.find('localhost', 'romeo')
    await house.stores.accounts.update({ ...record!, disabled: true })
    const c = await door('romeo')
    c.says(external())
    await c.receives`<failure xmlns='${SASL}'><account-disabled/></failure>`
  }))

  it('RFC-A5 without one EXTERNAL is unknown', asking(async door => {
    const c = await door()
    assert.ok(!c.mechanisms(SASL).includes('EXTERNAL'))
    c.says(external('romeo@localhost'))
    await c.receives`<failure xmlns='${SASL}'><invalid-mechanism/></failure>`
  }))
})

describe('a server', () => {
  const folder = tempFolder('external')
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** The program with this under `tls`, and how it sees romeo's certificate. */
  async function offers(more: string): Promise<string[]> {
    const own = (await identity()).current()
    writeFileSync(join(folder, 'cert.pem'), own.certificate)
    writeFileSync(join(folder, 'key.pem'), own.key)
    writeFileSync(join(folder, 'ca.pem'), paper('ca.pem'))
    const read = readConfig(`data: ${folder}\ntls: { certificate: cert.pem, key: key.pem${more} }\nlisten: { c2s-tls: { port: 0, address: 127.0.0.1 } }\nhosts: { localhost: {} }`, join(folder, 'x.yaml'))
    assert.ok(read.ok)
    const stores = await openSqlite({ file: ':memory:' })
    try {
      await using house = await compose(read.config, { stores, clock: new MovedClock(), log: silent })
      const client = new Client('romeo', 'romeo@localhost/x')
      client.socket = await client.opensTls(house.ports['c2s-tls']!, { ALPNProtocols: ['xmpp-client'], ...shows('romeo') })
      client.says(header())
      client.features = await client.next()
      client.leaves()
      return client.mechanisms(SASL)
    } finally { await stores.close() }
  }

  it('asks clients for certificates only where the config names an authority for them', async () => {
    assert.equal((await offers(', client-ca: ca.pem'))[0], 'EXTERNAL')
    assert.ok(!(await offers('')).includes('EXTERNAL'))
  })
})
