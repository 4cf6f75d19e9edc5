import assert from 'node:assert/strict'
import { MovedClock } from '../harness/clock.ts'
import { Actor, House, scene } from '../harness/scene.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

const STREAM = (to: string, more = "version='1.0'"): string => `<?xml version='1.0'?><stream:stream to='${to}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' ${more}>`

/** A raw connection that has said nothing. */
async function stranger(house: House): Promise<Actor> {
  const a = new Actor('stranger', 'stranger@localhost/raw')
  await a.opens(house.port)
  return a
}

const raw = (play: (a: Actor, house: House) => Promise<void>) => async (): Promise<void> => {
  await using house = await House.open()
  const a = await stranger(house)
  try { await play(a, house) } finally { a.leaves() }
}

const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'

describe('a stream', () => {
  it('RFC-S1 to a host that is not ours is answered with a header and host-unknown', raw(async a => {
    a.says(STREAM('elsewhere.example'))
    await a.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><host-unknown xmlns='${STREAMS}'/></stream:error>`
    assert.ok(a.header?.attrs['id'])
    await a.isCutOff()
  }))

  it('RFC-S3 has a new id after every restart, and RFC-S21 says from, id and language', async () => {
    await using house = await House.open()
    const a = new Actor('a', 'romeo@localhost/orchard')
    await house.account('romeo')
    await a.opens(house.port)
    a.says(STREAM('localhost'))
    await a.next()
    const first = a.header!
    assert.equal(first.attrs['from'], 'localhost')
    assert.equal(first.attrs['xml:lang'], 'en')
    assert.equal(first.attrs['to'], undefined)
    a.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0pw')}</auth>`)
    await a.receives`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`
    a.says(STREAM('localhost', "version='1.0' id='mine'"))
    await a.next()
    assert.ok(a.header!.attrs['id'] && a.header!.attrs['id'] !== first.attrs['id'] && a.header!.attrs['id'] !== 'mine')
    a.leaves()
  })

  it('RFC-S22 takes no stanza before login', raw(async (a, house) => {
    const victim = await house.actor('victim', 'victim@localhost/home')
    await victim.comesOnline()
    a.says(`${STREAM('localhost')}<message to='victim@localhost'><body>psst</body></message>`)
    await a.next()
    await a.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><not-authorized xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
    await victim.receivesNothing()
  }))

  it('RFC-B1 takes no stanza for others before bind', async () => {
    await using house = await House.open()
    const victim = await house.actor('victim', 'victim@localhost/home')
    await victim.comesOnline()
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/orchard')
    await a.opens(house.port)
    await a.logsIn()
    a.says("<message to='victim@localhost'><body>psst</body></message>")
    await a.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><not-authorized xmlns='${STREAMS}'/></stream:error>`
    await victim.receivesNothing()
    a.leaves()
  })

  it('SEC-T23 cannot change its host after login', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/orchard')
    await a.opens(house.port)
    a.says(STREAM('localhost')); await a.next()
    a.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0pw')}</auth>`); await a.next()
    a.says(STREAM('other.example'))
    await a.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><host-unknown xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  })

  it('RFC-A3 goes on after an abort, RFC-A4 after a failure, and SEC-T19 ends at the fifth', raw(async (a, house) => {
    await house.account('romeo')
    a.says(STREAM('localhost')); await a.next()
    a.says("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'/>")
    await a.receives`<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`
    a.says("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    await a.receives`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/></failure>`
    for (let i = 0; i < 5; i++) {
      a.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0wrong')}</auth>`)
      await a.receives`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>`
    }
    await a.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><policy-violation xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  }))

  it('RFC-A2 tells broken base64 from an unknown mechanism', raw(async a => {
    a.says(STREAM('localhost')); await a.next()
    a.says("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>===</auth>")
    await a.receives`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><incorrect-encoding/></failure>`
    a.says("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='DIGEST-MD5'/>")
    await a.receives`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>`
  }))

  it('RFC-S8 answers a close with a close', scene({ romeo: 'romeo@localhost/orchard' }, async ({ romeo }) => {
    romeo.says('</stream:stream>')
    await romeo.isCutOff()
  }))

  it('RFC-S13 ends at an element that is no stanza', scene({ romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    romeo.says("<foo xmlns='urn:bar' to='juliet@localhost'/>")
    await romeo.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><unsupported-stanza-type xmlns='${STREAMS}'/></stream:error>`
    await juliet.receivesNothing()
  }))
})

/** A header, then this: the stream ends with `condition`. */
const endsWith = (condition: string, said: string, ...also: string[]) => raw(async (a, house) => {
  a.says(said)
  let came = await a.next()
  if (came.name === 'stream:features') came = await a.next()
  assert.ok(came.getChild(condition, STREAMS), came.toString())
  for (const [name, ns] of also.map(x => x.split(' ') as [string, string])) assert.ok(came.getChild(name, ns), came.toString())
  assert.ok(a.header?.attrs['id'], 'the header comes first')
  await a.isCutOff()
  assert.equal(house.devices.streams.size, 0)
})

describe('a stream that is wrong', () => {
  it('SEC-X17 ends without a version', endsWith('unsupported-version', STREAM('localhost', '')))
  it('SEC-X17 is taken in a later version and answered in ours', raw(async a => {
    a.says(STREAM('localhost', "version='9.9'"))
    await a.next()
    assert.equal(a.header!.attrs['version'], '1.0')
  }))
  it('SEC-X18 ends for nobody', endsWith('improper-addressing', STREAM('localhost').replace("to='localhost'", '')))
  it('SEC-X18 ends for a name that is too long for one', endsWith('policy-violation', STREAM('x'.repeat(5000))))
  it('SEC-X15 ends in another stream namespace', endsWith('invalid-namespace', STREAM('localhost').replace('etherx', 'ether')))
  it('SEC-X15 ends in another content namespace', endsWith('invalid-namespace', STREAM('localhost').replace('jabber:client', 'jabber:server')))
  it('SEC-X16 ends at something else than a stream', endsWith('bad-format', "<message xmlns='jabber:client'/>"))
  it('SEC-X16 ends at a text', endsWith('bad-format', 'EHLO localhost'))
  it('SEC-X19 ends at a second header', endsWith('bad-format', STREAM('localhost') + "<stream:stream to='localhost' xmlns='jabber:client' version='1.0'>"))
  it('SEC-X34 ends at a stanza before login that is too big', endsWith('policy-violation', `${STREAM('localhost')}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${'A'.repeat(10_001)}</auth>`, 'stanza-too-big urn:xmpp:errors'))
  it('SEC-X25 ends at a stanza of another stream', endsWith('invalid-namespace', `${STREAM('localhost')}<message xmlns='jabber:server' to='a@localhost'/>`))

  it('SEC-X16 a browser is hung up on', raw(async (a, house) => {
    a.says('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await a.isCutOff()
    assert.equal(a.header, undefined)
    assert.equal(house.devices.streams.size, 0)
  }))

  it('RFC-S7 the peer\'s own stream error ends it in due form', raw(async a => {
    a.says(`${STREAM('localhost')}<stream:error><internal-server-error xmlns='${STREAMS}'/></stream:error>`)
    await a.next()
    await a.isCutOff()
  }))

  it('RFC-S24 is understood where it needs no prefix and each stanza says its namespace', raw(async (a, house) => {
    await house.account('romeo')
    const header = "<stream xmlns='http://etherx.jabber.org/streams' to='localhost' version='1.0'>"
    a.says(`${header}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0pw')}</auth>${header}<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await a.hears`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`
    await a.hears`<iq type='result' id='b'/>`
    await a.hears`<iq type='result' id='p' from='localhost'/>`
  }))

  it('RFC-S12 says how much it takes', raw(async (a, house) => {
    a.says(STREAM('localhost'))
    const before = await a.next()
    const said = (features: typeof before): (string | null)[] => ['max-bytes', 'idle-seconds'].map(n => features.getChild('limits', 'urn:xmpp:stream-limits:0')!.getChildText(n))
    assert.deepEqual(said(before), ['10000', null])
    await house.account('romeo')
    a.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0pw')}</auth>`)
    await a.next()
    a.says(STREAM('localhost'))
    assert.deepEqual(said(await a.next()), ['262144', '60'])
  }))
})

describe('a session', () => {
  const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }

  it('RFC-B3 SEC-P13 replaces one with the same resource, which ends with conflict', scene(cast, async ({ romeo }, house) => {
    const again = await house.actor('again', 'romeo@localhost/orchard')
    await romeo.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><conflict xmlns='${STREAMS}'/></stream:error>`
    await romeo.isCutOff()
    await again.receivesNothing()
  }))

  it('RFC-N1 SEC-R01 may not speak for others', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    romeo.says("<message from='nurse@localhost' to='juliet@localhost'><body>hi</body></message>")
    await romeo.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><invalid-from xmlns='${STREAMS}'/></stream:error>`
    await juliet.receivesNothing()
  }))

  it('RFC-N3 SEC-R02 answers an iq without id, of a bogus type, with two children', scene(cast, async ({ romeo }) => {
    romeo.says("<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    await romeo.receives`<iq type='error'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    romeo.says("<iq type='bogus' id='b'><ping xmlns='urn:xmpp:ping'/></iq>")
    await romeo.receives`<iq type='error' id='b'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    romeo.says("<iq type='get' id='c'><ping xmlns='urn:xmpp:ping'/><ping xmlns='urn:xmpp:ping'/></iq>")
    await romeo.receives`<iq type='error' id='c'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }))

  it('RFC-N4 answers what nobody knows, and RFC-N7 what is addressed to no address', scene(cast, async ({ romeo }) => {
    romeo.says("<iq type='get' id='x' to='localhost'><nonsense xmlns='urn:nothing'/></iq>")
    await romeo.receives`<iq type='error' id='x' from='localhost'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    romeo.says("<message id='m' to='@@@'><body>hm</body></message>")
    await romeo.receives`<message type='error' id='m'><error type='modify'><jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    romeo.says("<message id='n' to='juliet@unknown.example'><body>hm</body></message>")
    await romeo.receives`<message type='error' id='n' from='juliet@unknown.example'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
  }))

  it('RFC-N9 the server answers by the address that it was asked at, and gives back what it has no use for', scene(cast, async ({ romeo }) => {
    for (const to of ['localhost', 'localhost/here', 'LOCALHOST']) {
      romeo.sends`<iq type='get' id='p' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`
      await romeo.receives`<iq type='result' id='p' from='${to.toLowerCase()}' to='${romeo}'/>`
      romeo.sends`<message id='m' to='${to}' type='chat'><body>hello?</body></message>`
      await romeo.receives`<message type='error' id='m' from='${to.toLowerCase()}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    }
    romeo.says("<presence to='localhost'/><presence to='localhost' type='probe'/><message to='localhost' type='error' id='e'><error type='cancel'/></message>")
    await romeo.receivesNothing()
  }))

  it('RFC-N2 what is addressed to nobody is for the own account', scene({ romeo: cast.romeo, phone: 'romeo@localhost/phone' }, async ({ romeo, phone }) => {
    await phone.comesOnline()
    romeo.says("<message id='note' type='chat'><body>to myself</body></message>")
    await phone.receives`<message id='note' from='${romeo}' to='romeo@localhost'/>`
    romeo.says("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
    const { attrs } = await romeo.hears`<iq type='result' id='p'/>`
    assert.ok(attrs['from'] === undefined || attrs['from'] === 'romeo@localhost') // RFC-N10
  }))

  it('RFC-N13 SEC-R04 an answer that nobody waits for is ignored', scene(cast, async ({ romeo }) => {
    for (const to of ['localhost', 'romeo@localhost', 'juliet@localhost', 'nobody@localhost/x', 'juliet@localhost/nowhere']) {
      romeo.sends`<iq type='result' id='1' to='${to}'/>`
      romeo.sends`<iq type='error' id='2' to='${to}'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    }
    await romeo.receivesNothing()
  }))

  it('SEC-X28 says an id back as it was, however it looks', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    const id = `'/><presence to='juliet@localhost'/>"&<>`
    romeo.sends`<iq type='get' id='${id}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`
    assert.equal((await romeo.next()).attrs['id'], id)
    romeo.sends`<iq type='get' id='${id}' to='localhost'><nonsense xmlns='${id}'/></iq>`
    assert.equal((await romeo.next()).attrs['id'], id)
    romeo.sends`<message id='${id}' to='juliet@localhost' type='chat'><body>${id}</body></message>`
    const came = await juliet.next()
    assert.equal(came.attrs['id'], id)
    assert.equal(came.getChildText('body'), id)
    await juliet.receivesNothing()
  }))

  it('RFC-S18 keeps the order of what it sends', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    romeo.says(Array.from({ length: 200 }, (_, i) => `<message to='juliet@localhost${i % 2 ? '/balcony' : ''}' type='chat' id='m${i}'><body>${i}</body></message>`).join(''))
    for (let i = 0; i < 200; i++) assert.equal((await juliet.next()).attrs['id'], `m${i}`)
  }))

  it('SEC-X09 passes an emoji that is cut at every byte', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    const bytes = Buffer.from("<message to='juliet@localhost' type='chat'><body>🦄晚安</body></message>")
    for (const b of bytes) romeo.saysBytes(Buffer.from([b]))
    await juliet.receives`<message from='${romeo}' type='chat'><body>🦄晚安</body></message>`
  }))

  it('RFC-B4 is bound once, though two are asked for in one piece', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/one')
    await a.opens(house.port)
    await a.logsIn()
    for (const r of ['one', 'two']) a.sends`<iq type='set' id='${r}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${r}</resource></bind></iq>`
    await a.receives`<iq type='result' id='one'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>romeo@localhost/one</jid></bind></iq>`
    await a.receives`<iq type='error' id='two'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    a.leaves()
  })

  it('does not begin on a stream that ended while it was bound', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const gates: PromiseWithResolvers<void>[] = []
    const load: typeof stores.rosters.load = async owner => { const gate = Promise.withResolvers<void>(); gates.push(gate); await gate.promise; return stores.rosters.load(owner) }
    await using house = await House.open({ stores: Object.create(stores, { rosters: { value: Object.create(stores.rosters, { load: { value: load } }) } }) as typeof stores })
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/one')
    await a.opens(house.port)
    a.says(`${STREAM('localhost')}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0pw')}</auth>`)
    await a.next()
    while (gates.length === 0) await new Promise(ok => setImmediate(ok))
    const romeo = Jid.parse('romeo@localhost')
    house.host.accounts.refresh(romeo, undefined) // so that bind has to load again
    gates[0]!.resolve()
    while (gates.length < 2) await new Promise(ok => setImmediate(ok))
    house.host.accounts.refresh(romeo, undefined)
    a.leaves()
    while (house.devices.streams.size) await new Promise(ok => setImmediate(ok))
    while (gates.length < 3) { for (const g of gates) g.resolve(); await new Promise(ok => setImmediate(ok)) }
    for (const g of gates) g.resolve()
    const account = await house.host.accounts.at(romeo)
    assert.equal(account!.resources.size, 0)
  })

  it('RFC-S17 gives its language to what has none, if it is one', scene(cast, async ({ juliet }, house) => {
    await juliet.comesOnline()
    for (const [lang, expected] of [['cs', 'cs'], ['x'.repeat(2000), undefined]] as const) {
      const a = new Actor('a', 'romeo@localhost/a')
      await house.account('romeo').catch(() => {})
      await a.opens(house.port)
      a.says(`${STREAM('localhost')}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0pw')}</auth>${STREAM('localhost', `version='1.0' xml:lang='${lang}'`)}<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><message to='juliet@localhost' type='chat'><body>1</body></message><message to='juliet@localhost' type='chat' xml:lang='de'><body>2</body></message>`)
      assert.equal((await juliet.receives`<message><body>1</body></message>`).attrs['xml:lang'], expected)
      assert.equal((await juliet.receives`<message><body>2</body></message>`).attrs['xml:lang'], 'de')
      a.leaves()
    }
  }))

  it('SEC-E06 of one who does not read is given up, and those who write to him do not notice', scene(cast, async ({ romeo, juliet }, house) => {
    await juliet.comesOnline()
    juliet.stopsReading()
    const text = 'x'.repeat(50_000)
    for (let i = 0; house.devices.streams.size > 1; i++) {
      assert.ok(i < 1000, 'there is a bound')
      romeo.says(`<message to='juliet@localhost/balcony' type='headline'><body>${text}</body></message>`)
      await romeo.receivesNothing()
    }
    juliet.leaves()
  }, { limits: { writeBuffer: { bytes: 1_000_000, stall: 30_000 } } }))

  it('SEC-E06 of one who does not read for half a minute sleeps', async () => {
    const network = new MovedClock()
    await using house = await House.open({ network, limits: { writeBuffer: { bytes: Infinity, stall: 30_000 }, streamManagement: { ...defaultLimits.streamManagement, bytes: Infinity } } })
    const romeo = await house.actor('romeo', cast.romeo)
    const juliet = await house.actor('juliet', cast.juliet)
    juliet.says("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    await juliet.next()
    juliet.stopsReading()
    const text = 'x'.repeat(50_000)
    const stream = [...house.devices.streams].find(s => s.device?.jid.full === cast.juliet)!
    const look = (): void => stream.probe(network.now())
    for (let i = 0; i < 300; i++) { // more than the kernel takes
      romeo.says(`<message to='juliet@localhost/balcony' type='headline'><body>${text}</body></message>`)
      await romeo.receivesNothing()
    }
    look()
    await network.advance(29_000)
    look()
    assert.equal(house.devices.streams.has(stream), true)
    await network.advance(2_000)
    look()
    assert.equal(house.devices.streams.has(stream), false)
    assert.equal(house.devices.resumable, 1)
    juliet.leaves()
  })

  it('SEC-P14 has ten devices and no more', scene({}, async (_, house) => {
    for (let i = 0; i < 10; i++) await house.actor(`r${i}`, `romeo@localhost/r${i}`)
    await assert.rejects(house.actor('r10', 'romeo@localhost/r10'), /resource-constraint/)
  }))
})
