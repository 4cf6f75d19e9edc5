import assert from 'node:assert/strict'
import { Actor, House, scene } from '../harness/scene.ts'

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

  it('SEC-P14 has ten devices and no more', scene({}, async (_, house) => {
    for (let i = 0; i < 10; i++) await house.actor(`r${i}`, `romeo@localhost/r${i}`)
    await assert.rejects(house.actor('r10', 'romeo@localhost/r10'), /resource-constraint/)
  }))
})
