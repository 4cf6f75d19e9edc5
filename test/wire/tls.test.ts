// TLS and logins over real sockets: STARTTLS, TLS from the first byte, channel binding, and what may not be had without.
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import net from 'node:net'
import type tls from 'node:tls'
import { MovedClock } from '../harness/clock.ts'
import { Actor, House, type SceneOptions } from '../harness/scene.ts'
import { identity, tlsDoor } from '../harness/doors.ts'
import { finish } from '../unit/sasl/client.ts'
import { TestClock } from '../../server/ports/clock.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
const ETHERX = 'http://etherx.jabber.org/streams'
const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='${ETHERX}' version='1.0'>`
const PLAIN = (local: string, password: string): string => `<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa(`\0${local}\0${password}`)}</auth>`

/** A connection to a door with TLS, on which nothing is said yet. */
const atDoor = (play: (a: Actor, house: House, port: number) => Promise<void>, options: SceneOptions = { requireTls: true }) => async (): Promise<void> => {
  await using house = await House.open(options)
  const port = await tlsDoor(house, 'starttls')
  const a = new Actor('a', 'romeo@localhost/orchard')
  await house.account('romeo')
  await a.opens(port)
  try { await play(a, house, port) } finally { a.leaves() }
}

async function upgrades(a: Actor): Promise<tls.TLSSocket> {
  a.says(`${HEADER}<starttls xmlns='${TLS}'/>`)
  await a.next()
  await a.receives`<proceed xmlns='${TLS}'/>`
  return a.secures()
}

/** SCRAM-SHA-256 with PLUS; gives what the server answers to the final message. */
async function scramPlus(a: Actor, type: string, data: Uint8Array, flag = `p=${type}`, mechanism = 'SCRAM-SHA-256-PLUS'): ReturnType<Actor['next']> {
  const [gs2, bare] = [`${flag},,`, 'n=romeo,r=fyko+d2lbbFgONRv9qkxdawL']
  a.says(`<auth xmlns='${SASL}' mechanism='${mechanism}'>${btoa(gs2 + bare)}</auth>`)
  const challenge = await a.next()
  if (challenge.name !== 'challenge') return challenge
  const { final, verifier } = finish('sha-256', bare, atob(challenge.getText()), Buffer.concat([Buffer.from(gs2), data]), 'pw')
  a.says(`<response xmlns='${SASL}'>${btoa(final)}</response>`)
  const answer = await a.next()
  if (answer.name === 'success') assert.equal(atob(answer.getText()), verifier)
  return answer
}

const mechanisms = (features: Awaited<ReturnType<Actor['next']>>): string[] => features.getChild('mechanisms', SASL)?.getChildren('mechanism').map(m => m.getText()) ?? []
const failedWith = (x: Awaited<ReturnType<Actor['next']>>): string | undefined => (x.children[0] as { name?: string } | undefined)?.name

describe('TLS', () => {
  it('RFC-T1 SEC-T05 without it there is nothing but the offer of it', atDoor(async a => {
    a.says(HEADER)
    const features = await a.receives`<stream:features xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><starttls xmlns='${TLS}'><required/></starttls></stream:features>`
    assert.deepEqual(mechanisms(features), [])
    a.says(PLAIN('romeo', 'pw'))
    await a.receives`<failure xmlns='${SASL}'><encryption-required/></failure>`
    a.says("<iq type='get' id='reg'><query xmlns='jabber:iq:register'/></iq>")
    await a.receives`<iq type='error' id='reg'/>`
  }))

  it('RFC-T4 after it the stream begins anew, offers logins and no TLS', atDoor(async a => {
    await upgrades(a)
    a.says(HEADER)
    const features = await a.receives`<stream:features xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><mechanisms xmlns='${SASL}'/></stream:features>`
    assert.equal(features.getChild('starttls', TLS), undefined)
    const offer = mechanisms(features)
    assert.deepEqual(offer.filter(m => /MD5|ANONYMOUS|EXTERNAL/.test(m)), []) // SEC-T13
    assert.equal(offer.at(-1), 'PLAIN')
    a.says(PLAIN('romeo', 'pw'))
    await a.receives`<success xmlns='${SASL}'/>`
    a.says(HEADER); await a.next()
    await a.binds()
    await a.comesOnline()
    a.says(`<starttls xmlns='${TLS}'/>`)
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><unsupported-stanza-type xmlns='${STREAMS}'/></stream:error>`
  }))

  it('RFC-T2 SEC-T04 what came in the clear behind the request for it has no effect', atDoor(async (a, house) => {
    const victim = await house.actor('victim', 'victim@localhost/home').catch(() => undefined) // require-tls: he cannot log in here
    assert.equal(victim, undefined)
    a.says(`${HEADER}<starttls xmlns='${TLS}'/>${HEADER}${PLAIN('romeo', 'pw')}`)
    await a.next()
    await a.receives`<proceed xmlns='${TLS}'/>`
    await a.secures()
    a.says("<iq type='get' id='injected?'><query xmlns='jabber:iq:roster'/></iq>") // no header: as an injected one it would have been known
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><bad-format xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  }))

  it('RFC-T3 refused where it is in use already, with an end in due form', atDoor(async a => {
    await upgrades(a)
    a.says(`${HEADER}<starttls xmlns='${TLS}'/>`)
    await a.next()
    await a.receives`<failure xmlns='${TLS}'/>`
    await a.isCutOff()
  }))

  it('RFC-T3 a handshake that fails ends the connection without a word', atDoor(async (a, house) => {
    a.says(`${HEADER}<starttls xmlns='${TLS}'/>`)
    await a.next()
    await a.receives`<proceed xmlns='${TLS}'/>`
    a.says('this is no TLS')
    await a.isCutOff()
    assert.equal(house.devices.streams.size, 0)
  }))

  it('SEC-T06 a handshake that is never finished is given up', async () => {
    const network = new MovedClock()
    await using house = await House.open({ network })
    const socket = net.connect(await tlsDoor(house, 'direct'), '127.0.0.1')
    await new Promise<void>(ok => socket.once('connect', () => ok()))
    while (house.devices.streams.size === 0) await new Promise(ok => setImmediate(ok))
    const gone = new Promise<void>(ok => socket.once('close', () => ok()))
    socket.resume()
    await network.advance(10_001)
    await gone
  })

  it('RFC-T7 SEC-T03 a renegotiation ends the connection at once, without a word', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const direct = await tlsDoor(house, 'direct')
    const a = new Actor('a', 'romeo@localhost/x')
    const socket = await a.opensTls(direct, { maxVersion: 'TLSv1.2' })
    await a.logsIn()
    await a.binds()
    const said: string[] = []
    socket.on('data', text => said.push(String(text)))
    assert.equal(socket.renegotiate({ rejectUnauthorized: false }, () => {}), true)
    await a.isCutOff()
    assert.deepEqual(said, [])
    while (house.devices.streams.size > 0) await new Promise(ok => setImmediate(ok))

    const { HttpRouter, listenHttp } = await import('../../server/net/http.ts')
    const web = house.keeps(await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router: new HttpRouter(), identity: await identity(), limits: house.limits, clock: house.clients.network, log: house.host.log }))
    const browser = new Actor('b', 'b@localhost/x')
    const other = await browser.opensTls(web.port, { maxVersion: 'TLSv1.2' })
    other.renegotiate({ rejectUnauthorized: false }, () => {})
    await browser.isCutOff()
  })

  it('SEC-T01 takes TLS 1.2 and 1.3 and nothing older', async () => {
    await using house = await House.open()
    const port = await tlsDoor(house, 'direct')
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const a = new Actor('a', 'romeo@localhost/x')
      const socket = await a.opensTls(port, { minVersion: version, maxVersion: version })
      assert.equal(socket.getProtocol(), version)
      a.leaves()
    }
    await assert.rejects(new Actor('a', 'romeo@localhost/x').opensTls(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))
  })

  it('RFC-T5 SEC-T08 speaks xmpp-client on its own port, and nothing else there', async () => {
    await using house = await House.open()
    const port = await tlsDoor(house, 'direct')
    const a = new Actor('a', 'romeo@localhost/orchard')
    await house.account('romeo')
    const socket = await a.opensTls(port, { ALPNProtocols: ['xmpp-client'], servername: 'localhost' })
    assert.equal(socket.alpnProtocol, 'xmpp-client')
    await a.logsIn()
    await a.binds()
    a.leaves()
    await assert.rejects(new Actor('b', 'b@localhost/x').opensTls(port, { ALPNProtocols: ['http/1.1'] }), /alert|closed/i)
    const other = new Actor('c', 'c@localhost/x')
    await other.opensTls(port, { servername: 'other.example' })
    other.says(HEADER.replace('localhost', 'other.example'))
    await other.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><host-unknown xmlns='${STREAMS}'/></stream:error>`
  })

  it('SEC-T07 a new certificate is shown to new streams, and the old ones live', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const first = await identity()
    const { ServerIdentity, selfSigned } = await import('../../server/net/tls.ts')
    const { mkdtempSync, rmSync } = await import('node:fs')
    const folder = mkdtempSync(`${(await import('node:os')).tmpdir()}/deskbell-renewed-`)
    try {
      const made = await selfSigned(folder, ['localhost'], Date.now())
      const own = await ServerIdentity.load(made)
      const port = await tlsDoor(house, 'direct', own)
      const a = new Actor('a', 'romeo@localhost/a')
      const before = await a.opensTls(port)
      await a.logsIn()
      rmSync(folder, { recursive: true })
      await own.reload(await selfSigned(folder, ['localhost'], Date.now()))
      const b = new Actor('b', 'romeo@localhost/b')
      const after = await b.opensTls(port)
      assert.notEqual(after.getPeerCertificate().fingerprint256, before.getPeerCertificate().fingerprint256)
      assert.notEqual(after.getPeerCertificate().fingerprint256, new X509Certificate(first.current().certificate).fingerprint256)
      await a.binds()
      a.leaves(); b.leaves()
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })
})

describe('a login', () => {
  it('SEC-T09 binds to the channel by tls-exporter', atDoor(async a => {
    const socket = await upgrades(a)
    a.says(HEADER)
    const features = await a.next()
    assert.ok(mechanisms(features).includes('SCRAM-SHA-256-PLUS'))
    const types = features.getChild('sasl-channel-binding', 'urn:xmpp:sasl-cb:0')!.getChildren('channel-binding').map(c => String(c.attrs['type']))
    assert.deepEqual(types.toSorted(), ['tls-exporter', 'tls-server-end-point'])
    const answer = await scramPlus(a, 'tls-exporter', socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)))
    assert.equal(answer.name, 'success')
  }))

  it('SEC-T09 binds to the channel by tls-server-end-point', atDoor(async a => {
    const socket = await upgrades(a)
    a.says(HEADER); await a.next()
    const answer = await scramPlus(a, 'tls-server-end-point', createHash('sha256').update(socket.getPeerCertificate().raw).digest())
    assert.equal(answer.name, 'success')
  }))

  it('SEC-T09 SEC-T10 is refused where it is bound to another channel', atDoor(async a => {
    await upgrades(a)
    a.says(HEADER); await a.next()
    for (const type of ['tls-exporter', 'tls-server-end-point']) assert.equal(failedWith(await scramPlus(a, type, Buffer.alloc(32, 1))), 'not-authorized')
    assert.equal(failedWith(await scramPlus(a, 'tls-nonsense', Buffer.alloc(32))), 'not-authorized')
  }))

  it('SEC-T11 is refused where the client saw no PLUS that was offered', atDoor(async a => {
    await upgrades(a)
    a.says(HEADER); await a.next()
    assert.equal(failedWith(await scramPlus(a, '', new Uint8Array(), 'y', 'SCRAM-SHA-256')), 'not-authorized')
    assert.equal((await scramPlus(a, '', new Uint8Array(), 'n', 'SCRAM-SHA-256')).name, 'success')
  }))

  it('SEC-T14 opens nobody else\'s account', atDoor(async (a, house) => {
    await house.account('victim')
    await upgrades(a)
    a.says(HEADER); await a.next()
    a.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa('victim\0romeo\0pw')}</auth>`)
    await a.receives`<failure xmlns='${SASL}'><invalid-authzid/></failure>`
    a.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa('victim@localhost\0romeo\0pw')}</auth>`)
    await a.receives`<failure xmlns='${SASL}'><invalid-authzid/></failure>`
    a.says(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${btoa('n,a=victim@localhost,n=romeo,r=abcdefgh')}</auth>`)
    await a.receives`<failure xmlns='${SASL}'><invalid-authzid/></failure>`
    a.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa('romeo@localhost\0romeo\0pw')}</auth>`)
    await a.receives`<success xmlns='${SASL}'/>`
  }))

  it('SEC-T15 SEC-T28 tells what is wrong with what it is sent', async () => {
    await using house = await House.open({ limits: { authFailures: { ...defaultLimits.authFailures, perStream: 100, tarpit: Infinity, ban: Infinity } } })
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/x')
    await a.opens(house.port)
    a.says(HEADER); await a.next()
    const tries: [mechanism: string, message: string, condition: string][] = [
      ['SCRAM-SHA-256', btoa('n,,n=romeo'), 'malformed-request'], ['SCRAM-SHA-256', btoa('n,,m=x,n=romeo,r=abc'), 'malformed-request'],
      ['SCRAM-SHA-256', btoa('n,,n=romeo,r=abc,x=1,x=2'), 'malformed-request'], ['SCRAM-SHA-256', btoa(`n,,n=romeo,r=${'a'.repeat(2000)}`), 'malformed-request'],
      ['PLAIN', btoa('\0ro\0meo\0pw'), 'malformed-request'], ['PLAIN', btoa('\0romeo\0'), 'malformed-request'], ['PLAIN', 'YWJj=', 'incorrect-encoding'],
      ['', btoa('x'), 'invalid-mechanism'], ['SCRAM-SHA-256-PLUS', btoa('p=tls-exporter,,n=romeo,r=abc'), 'invalid-mechanism'], ['PLAIN', btoa('\0romeo\0wrong'), 'not-authorized'],
    ]
    for (const [mechanism, message, condition] of tries) {
      a.sends`<auth xmlns='${SASL}' mechanism='${mechanism}'>${message}</auth>`
      const came = await a.next()
      assert.equal(failedWith(came), condition, `${mechanism} ${atob(message.replace(/=+$/, ''))}`)
    }
    a.leaves()
  })

  it('SEC-T17 says the same of one who does not exist, each time', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/x')
    await a.opens(house.port)
    a.says(HEADER); await a.next()
    const asked = async (name: string): Promise<RegExpExecArray> => {
      a.says(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${btoa(`n,,n=${name},r=abcdefgh`)}</auth>`)
      return /s=([^,]+),i=(\d+)/.exec(atob((await a.next()).getText()))!
    }
    const [one, two, there] = [await asked('nobody'), await asked('nobody'), await asked('romeo')]
    assert.deepEqual([one[1], one[2]], [two[1], two[2]])
    assert.equal(one[2], there[2])
    assert.equal(one[1]!.length, there[1]!.length)
    a.leaves()
  })

  it('SEC-T16 cannot be said again on another stream', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const [one, two] = [new Actor('one', 'romeo@localhost/1'), new Actor('two', 'romeo@localhost/2')]
    const bare = 'n=romeo,r=abcdefgh'
    const begin = async (a: Actor): Promise<string> => {
      await a.opens(house.port)
      a.says(`${HEADER}<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${btoa(`n,,${bare}`)}</auth>`)
      await a.next()
      return atob((await a.next()).getText())
    }
    const [first, second] = [await begin(one), await begin(two)]
    assert.notEqual(first.split(',')[0], second.split(',')[0])
    const { final } = finish('sha-256', bare, first, Buffer.from('n,,'), 'pw')
    for (const a of [two, one]) a.says(`<response xmlns='${SASL}'>${btoa(final)}</response>`)
    await two.receives`<failure xmlns='${SASL}'><not-authorized/></failure>`
    await one.receives`<success xmlns='${SASL}'/>`
    one.leaves(); two.leaves()
  })

  it('SEC-T26 is not granted by a store that fails', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    let broken = false
    const find: typeof stores.accounts.find = (host, local) => broken ? Promise.reject(new Error('gone')) : stores.accounts.find(host, local)
    await using house = await House.open({ stores: Object.create(stores, { accounts: { value: Object.create(stores.accounts, { find: { value: find } }) } }) as typeof stores })
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/x')
    await a.opens(house.port)
    a.says(HEADER); await a.next()
    broken = true
    a.says(PLAIN('romeo', 'pw'))
    await a.receives`<failure xmlns='${SASL}'><temporary-auth-failure/></failure>`
    broken = false
    a.says(PLAIN('romeo', 'pw'))
    await a.receives`<success xmlns='${SASL}'/>`
    a.leaves()
  })

  it('SEC-T26 is not granted before the store has answered, and two in flight make one session', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const gate = Promise.withResolvers<void>()
    const find: typeof stores.accounts.find = async (host, local) => { if (local === 'slow') await gate.promise; return stores.accounts.find(host, local) }
    await using house = await House.open({ stores: Object.create(stores, { accounts: { value: Object.create(stores.accounts, { find: { value: find } }) } }) as typeof stores })
    const credentials = (await import('../../server/stream/sasl/credentials.ts')).makeCredentials('pw', { iterations: 4096 })
    await stores.accounts.create({ host: 'localhost', local: 'slow', created: 1, credentials: await credentials })
    const a = new Actor('a', 'slow@localhost/x')
    await a.opens(house.port)
    a.says(`${HEADER}${PLAIN('slow', 'pw')}${PLAIN('slow', 'pw')}`) // SEC-T27
    await a.next()
    gate.resolve()
    await a.receives`<success xmlns='${SASL}'/>`
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><bad-format xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  })

  it('SEC-T27 is refused to one who is logged in', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/x')
    await a.opens(house.port)
    await a.logsIn()
    a.says(PLAIN('romeo', 'pw'))
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><policy-violation xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  })
})

/** Counts the waits that are as long as the one for somebody who failed too often. */
class Waits extends TestClock {
  begun = 0
  override alarm(at: number, ring: () => void | Promise<void>): Disposable {
    const wait = at - this.now()
    if (wait > failures.tarpitDelay - 1000 && wait <= failures.tarpitDelay) this.begun++
    return super.alarm(at, ring)
  }
}
const failures = { ...defaultLimits.authFailures, perStream: 100, tarpit: 3, ban: 5 }

describe('strangers', () => {
  const greeted = async (house: House): Promise<Actor> => {
    const a = new Actor('a', 'romeo@localhost/x')
    await a.opens(house.port)
    a.says(HEADER); await a.next()
    return a
  }
  it('SEC-T20 wait longer after many failures, and are refused after more', async () => {
    const network = new Waits()
    await using house = await House.open({ network, limits: { authFailures: failures, deadlines: { ...defaultLimits.deadlines, auth: Infinity } } })
    await house.account('romeo')
    const a = await greeted(house)
    for (let i = 0; i < 3; i++) { a.says(PLAIN('romeo', 'wrong')); await a.receives`<failure xmlns='${SASL}'><not-authorized/></failure>` }

    const late = async (): Promise<string | undefined> => {
      const before = network.begun
      a.says(PLAIN('romeo', 'wrong'))
      while (network.begun === before) await new Promise(ok => setImmediate(ok))
      await network.advance(failures.tarpitDelay)
      return failedWith(await a.next())
    }
    assert.equal(await late(), 'not-authorized')
    assert.equal(await late(), 'not-authorized')
    await late()
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><policy-violation xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
    const refused = new Actor('c', 'romeo@localhost/z')
    await refused.opens(house.port)
    await refused.isCutOff()
    await network.advance(3_600_001)
    const later = new Actor('d', 'romeo@localhost/z')
    await later.opens(house.port)
    await later.logsIn()
    later.leaves()
  })

  it('SEC-E11 with passwords are looked at so many at a time, the rest is asked to come again', async () => {
    const free = { rate: Infinity, burst: Infinity }
    await using house = await House.open({ limits: { connections: { perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: free } } })
    await house.account('romeo')
    const many = await Promise.all(Array.from({ length: 160 }, () => greeted(house)))
    const outcomes = await Promise.all(many.map(async a => { a.says(PLAIN('romeo', 'pw')); const x = await a.next(); return x.name === 'success' ? x.name : failedWith(x) }))
    const [good, later] = ['success', 'temporary-auth-failure'].map(what => outcomes.filter(o => o === what).length) as [number, number]
    assert.equal(good + later, 160)
    assert.ok(good >= 128)
    const again = await greeted(house)
    again.says(PLAIN('romeo', 'pw'))
    await again.receives`<success xmlns='${SASL}'/>`
    for (const a of [...many, again]) a.leaves()
  })

  it('SEC-E03 that come too fast from one address wait a moment, and no more than a few of them', async () => {
    await using house = await House.open({ limits: { connections: { perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: { rate: 1, burst: 1 } } } })
    const all: Actor[] = []
    for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) {
      const a = new Actor(name, 'x@localhost/x')
      await a.opens(house.port)
      a.says(HEADER)
      all.push(a)
    }
    await all[4]!.isCutOff() // it would have waited longer than three seconds
    await all[0]!.next()
    for (const late of [1, 2, 3]) {
      assert.ok(all.slice(late, 4).every(a => a.header === undefined), `not before its turn: ${late}`)
      await house.clock.advance(1000)
      await all[late]!.next()
    }
    for (const a of all) a.leaves()
  })

  it('SEC-E01 are bounded by address, and who has logged in is none', async () => {
    await using house = await House.open({ limits: { connections: { perAddress: 100, unauthenticatedPerAddress: 2, unauthenticated: 100, newPerAddress: { rate: Infinity, burst: Infinity } } } })
    const friends = [await house.actor('r', 'romeo@localhost/1'), await house.actor('r', 'romeo@localhost/2'), await house.actor('r', 'romeo@localhost/3')]
    const [one, two, three] = [new Actor('1', 'x@localhost/1'), new Actor('2', 'x@localhost/2'), new Actor('3', 'x@localhost/3')]
    await one.opens(house.port); await two.opens(house.port); await three.opens(house.port)
    await three.isCutOff()
    for (const a of [one, two]) { a.says(HEADER); await a.next() }
    one.leaves()
    while (house.devices.streams.size > 4) await new Promise(ok => setImmediate(ok))
    const four = new Actor('4', 'x@localhost/4')
    await four.opens(house.port)
    four.says(HEADER); await four.next()
    for (const f of friends) await f.receivesNothing()
    two.leaves(); four.leaves()
  })
})

describe('several certificates', () => {
  it('RFC-T6 RFC-T5 the one for the host that the stream is to, or that TLS asks for; the first where there is none', async () => {
    await using house = await House.open({ requireTls: true })
    await house.account('romeo')
    const { ServerIdentity, selfSigned } = await import('../../server/net/tls.ts')
    const { ClientFacing } = await import('../../server/net/client-trust.ts')
    const { mkdtempSync, rmSync } = await import('node:fs')
    const folder = mkdtempSync(`${(await import('node:os')).tmpdir()}/deskbell-several-`)
    try {
      const [ours, theirs] = [await selfSigned(`${folder}/a`, ['a.example'], Date.now()), await selfSigned(`${folder}/b`, ['b.example', 'x.c.example', 'bücher.example'], Date.now())]
      const { Host } = await import('../../server/host/host.ts')
      const { router, stores, clock, limits } = house
      for (const name of ['b.example', 'x.c.example']) (house.clients.hosts as Map<string, typeof house.host>).set(name, new Host(name, { router, stores, clock, network: house.clients.network, log: house.host.log, limits })) // the harness made one
      const own = await ServerIdentity.load(ours, theirs)
      for (const identity of [own, new ClientFacing(own, own.current().certificate)]) {
        const [upgraded, direct] = [await tlsDoor(house, 'starttls', identity as typeof own), await tlsDoor(house, 'direct', identity as typeof own)]
        const shown = async (to: string, servername?: string): Promise<string> => {
          const a = new Actor('a', 'romeo@localhost/x')
          await a.opens(upgraded)
          a.says(`${HEADER.replace("to='localhost'", `to='${to}'`)}<starttls xmlns='${TLS}'/>`)
          for (;;) if ((await a.next()).name === 'proceed') break
          const socket = await a.secures(servername === undefined ? {} : { servername })
          const [name = ''] = socket.getPeerCertificate().subjectaltname!.split(', ')
          a.leaves()
          return name
        }
        assert.equal(await shown('localhost'), 'DNS:a.example')
        assert.equal(await shown('b.example'), 'DNS:b.example')
        assert.equal(await shown('x.c.example'), 'DNS:b.example')
        assert.equal(await shown('b.example', 'a.example'), 'DNS:b.example') // the stream says whom it wants
        for (const [name, leaf] of [['a.example', 'a'], ['b.example', 'b'], ['x.c.example', 'b'], ['xn--bcher-kva.example', 'b'], ['else.example', 'a'], [undefined, 'a']] as const) {
          const a = new Actor('a', 'romeo@localhost/x')
          const socket = await a.opensTls(direct, { ALPNProtocols: ['xmpp-client'], ...(name && { servername: name }) })
          assert.equal(socket.getPeerCertificate().subjectaltname!.split(', ')[0], `DNS:${leaf}.example`, String(name))
          if (name === 'b.example') { // a login is bound to the one that was shown
            a.says(HEADER); await a.next()
            const data = createHash('sha256').update(socket.getPeerX509Certificate()!.raw).digest()
            assert.equal((await scramPlus(a, 'tls-server-end-point', data)).name, 'success')
          }
          a.leaves()
        }
      }
      await own.reload(theirs, ours)
      assert.deepEqual([own.current().certificate === own.current('b.example').certificate, own.current('a.example').certificate === own.current('b.example').certificate], [true, false])
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })
})
