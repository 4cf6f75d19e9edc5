// Logins over real sockets: channel binding, what is refused, and how many strangers may try.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Actor, House } from '../harness/scene.ts'
import { finish } from '../unit/sasl/client.ts'
import { TestClock } from '../../server/ports/clock.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { atDoor, ETHERX, failedWith, HEADER, mechanisms, PLAIN, SASL, scramPlus, STREAMS, upgrades } from './tls-scene.ts'

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
