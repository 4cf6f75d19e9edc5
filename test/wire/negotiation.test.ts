// From the first header to a session, word by word (RFC 6120 sections 4.3, 6.4 and 7).
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { Actor, House, scene } from '../harness/scene.ts'
import { tlsDoor } from '../harness/doors.ts'
import { finish } from '../unit/sasl/client.ts'
import { authenticate, bind, inHouse, login, SASL, SASL2, SM } from './sasl2-client.ts'

const ETHERX = 'http://etherx.jabber.org/streams'
const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
const SESSION = 'urn:ietf:params:xml:ns:xmpp-session'
const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='${ETHERX}' version='1.0'>`
const PLAIN = (password: string): string => `<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa(`\0romeo\0${password}`)}</auth>`

async function visitor(house: House, port = house.port): Promise<Actor> {
  const a = new Actor('a', 'romeo@localhost/orchard')
  await a.opens(port)
  return a
}

/** Opens a stream, and takes the features. */
async function greets(a: Actor): Promise<Xml> {
  a.says(HEADER)
  return a.receives`<stream:features xmlns:stream='${ETHERX}' xmlns='${ETHERX}'/>`
}

/** Must be there to go on. */
const required = (features: Xml): string[] => features.getChildElements().filter(f => f.getChild('required') || f.is('mechanisms')).map(f => f.getName())

describe('the negotiation of a stream', () => {
  it('RFC-S20 features follow every header; with TLS, login and bind behind it nothing more is offered', async () => {
    await using house = await House.open({ requireTls: true })
    await house.account('romeo')
    const a = await visitor(house, await tlsDoor(house, 'starttls'))
    assert.deepEqual(required(await greets(a)), ['starttls'])
    a.says(`<starttls xmlns='${TLS}'/>`)
    await a.receives`<proceed xmlns='${TLS}'/>`
    await a.secures()
    assert.deepEqual(required(await greets(a)), ['mechanisms'])
    a.says(PLAIN('pw'))
    await a.receives`<success xmlns='${SASL}'/>`
    const features = await greets(a)
    assert.deepEqual(required(features), ['bind'])
    for (const [name, ns] of [['starttls', TLS], ['mechanisms', SASL], ['authentication', SASL2]] as const) assert.equal(features.getChild(name, ns), undefined)
    await a.binds()
    await a.receivesNothing()
    a.leaves()
  })

  it('RFC-S20 after SASL2 without a session what is needed is told, with one only what is voluntary, and after a resumption nothing', inHouse(async (_, door) => {
    const c = await door()
    c.says(login())
    await c.succeeds()
    assert.deepEqual(required(await c.next()), ['bind'])
    const d = await door()
    d.says(login(bind(`<enable xmlns='${SM}' resume='true'/>`)))
    const id = (await d.succeeds()).getChild('bound')!.getChild('enabled', SM)!.attrs['id'] as string
    const features = await d.receives`<stream:features xmlns:stream='${ETHERX}' xmlns='${ETHERX}'/>`
    assert.deepEqual(required(features), [])
    assert.equal(features.getChild('bind', BIND), undefined)
    const e = await door()
    e.says(login(`<resume xmlns='${SM}' previd='${id}' h='0'/>`))
    await e.succeeds()
    assert.deepEqual((await e.fence()).filter(x => x.getName() === 'features').map(String), [])
  }))

  it('RFC-S20 one without a version gets none', async () => {
    await using house = await House.open()
    const a = await visitor(house)
    a.says(HEADER.replace(" version='1.0'>", '>'))
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><unsupported-version xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  })

  it('SEC-T32 compression is offered at no time, and who asks for it is turned away', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const asked = "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>"
    for (const steps of [0, 1, 2]) {
      const a = await visitor(house)
      assert.ok(!String(await greets(a)).includes('compress'))
      if (steps > 0) { a.says(PLAIN('pw')); await a.next(); assert.ok(!String(await greets(a)).includes('compress')) }
      if (steps > 1) await a.binds()
      a.says(asked)
      await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><unsupported-stanza-type xmlns='${STREAMS}'/></stream:error>`
      await a.isCutOff()
    }
  })
})

describe('a login (RFC 6120 section 6.4)', () => {
  it('RFC-A9 success carries its data; the stream begins anew with another id and other features, without a closing tag, and nothing of before counts', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = await visitor(house)
    await greets(a)
    const before = a.header!.attrs['id']
    const bare = 'n=romeo,r=fyko+d2lbbFgONRv9qkxdawL'
    a.says(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${btoa(`n,,${bare}`)}</auth>`)
    const { final, verifier } = finish('sha-256', bare, atob((await a.receives`<challenge xmlns='${SASL}'/>`).getText()), Buffer.from('n,,'), 'pw')
    a.says(`<response xmlns='${SASL}'>${btoa(final)}</response>`)
    assert.equal(atob((await a.receives`<success xmlns='${SASL}'/>`).getText()), verifier)
    const features = await greets(a)
    assert.notEqual(a.header!.attrs['id'], before)
    assert.ok(features.getChild('bind', BIND) && !features.getChild('mechanisms', SASL))
    a.leaves()
  })

  it('RFC-A9 who goes on without a new header has no stream, and who logs in again is turned away', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = await visitor(house)
    await greets(a)
    a.says(PLAIN('pw'))
    await a.receives`<success xmlns='${SASL}'/>`
    a.says(`<iq type='set' id='b'><bind xmlns='${BIND}'/></iq>`)
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><bad-format xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
    const b = await visitor(house)
    await b.logsIn()
    b.says(PLAIN('pw'))
    await b.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><policy-violation xmlns='${STREAMS}'/></stream:error>`
    await b.isCutOff()
    assert.equal(house.host.unbound.size, 0)
  })

  it('RFC-A12 an <auth/> in the midst of a handshake begins another; the first is forgotten', async () => {
    await using house = await House.open()
    await house.account('romeo')
    await house.account('juliet')
    const a = await visitor(house)
    await greets(a)
    const bare = 'n=juliet,r=fyko+d2lbbFgONRv9qkxdawL'
    a.says(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${btoa(`n,,${bare}`)}</auth>`)
    const first = atob((await a.receives`<challenge xmlns='${SASL}'/>`).getText())
    a.says(`<auth xmlns='${SASL}' mechanism='PLAIN'/>`)
    await a.receives`<challenge xmlns='${SASL}'/>`
    a.says(`<response xmlns='${SASL}'>${btoa(finish('sha-256', bare, first, Buffer.from('n,,'), 'pw').final)}</response>`) // an answer to the first
    await a.receives`<failure xmlns='${SASL}'><malformed-request/></failure>`
    a.says(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-1'>${btoa(`n,,${bare}`)}</auth>`)
    await a.receives`<challenge xmlns='${SASL}'/>`
    a.says(PLAIN('pw'))
    await a.receives`<success xmlns='${SASL}'/>`
    await greets(a)
    await a.binds()
    a.says("<iq type='get' id='who'><query xmlns='jabber:iq:register'/></iq>")
    await a.receives`<iq type='result' id='who'><query xmlns='jabber:iq:register'><username>romeo</username></query></iq>`
    a.leaves()
  })

  it('RFC-A12 SASL2 says that it is one login at a time (XEP-0388 section 2.4)', inHouse(async (_, door) => {
    const c = await door()
    c.says(authenticate('PLAIN', undefined))
    await c.receives`<challenge xmlns='${SASL2}'/>`
    c.says(authenticate('PLAIN', undefined))
    await c.ends('policy-violation')
  }))
})

describe('binding a resource (RFC 6120 section 7)', () => {
  /** Binds with what is given inside <bind/>; the answer. */
  const binding = async (a: Actor, inner: string, id = 'b'): Promise<Xml> => { a.says(`<iq type='set' id='${id}'><bind xmlns='${BIND}'>${inner}</bind></iq>`); return a.next() }
  const resourceOf = (answer: Xml): string => {
    const [, resource = ''] = /^romeo@localhost\/(.+)$/s.exec(answer.getChild('bind', BIND)?.getChildText('jid') ?? '') ?? []
    return resource
  }
  const entered = async (house: House): Promise<Actor> => { const a = await visitor(house); await a.logsIn(); return a }

  it('RFC-B2 a resource of the server’s is random; one that is asked for is given as it is; one that cannot be is replaced', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const made = new Set<string>()
    for (const inner of ['', '', '<resource/>', '<resource></resource>', `<resource>${'x'.repeat(1024)}</resource>`, '<resource>\u0378</resource>', '<resource>\u2028</resource>']) {
      const a = await entered(house)
      const resource = resourceOf(await binding(a, inner))
      assert.ok(resource.length >= 12 && !resource.includes('xxx'), `${inner} gives ${resource}`)
      made.add(resource)
      a.leaves()
    }
    assert.equal(made.size, 7)
    for (const resource of ['balcony', 'Balcony ♥', 'a/b@c', 'x'.repeat(1023), '0']) {
      const a = await entered(house)
      assert.equal(resourceOf(await binding(a, `<resource>${resource}</resource>`)), resource)
      a.leaves()
    }
  })

  it('RFC-B7 the result tells the full address as it counts from now on, on the same stream; several of one account live side by side', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = new Actor('a', 'romeo@localhost/x')
    await a.opens(house.port)
    a.says(HEADER); await a.next()
    a.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa('\0ROMEO\0pw')}</auth>`); await a.next()
    a.says(HEADER); await a.next()
    const id = a.header!.attrs['id']
    assert.equal((await binding(a, '<resource>e\u0301tude</resource>')).getChild('bind', BIND)!.getChildText('jid'), 'romeo@localhost/\u00e9tude') // mapped: NFC
    const b = await house.actor('b', 'romeo@localhost/second')
    await a.comesOnline()
    await b.comesOnline()
    b.says("<message to='romeo@localhost/\u00e9tude' type='chat' id='m'><body>x</body></message>")
    await a.hears`<message id='m' from='romeo@localhost/second' to='romeo@localhost/\u00e9tude'/>`
    assert.equal(a.header!.attrs['id'], id) // no restart
    a.leaves()
  })

  it('RFC-B5 a session is offered as optional, answered where it is asked for, and needed by nobody', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = await visitor(house)
    await greets(a)
    a.says(PLAIN('pw')); await a.next()
    assert.ok((await greets(a)).getChild('session', SESSION)!.getChild('optional', SESSION))
    await binding(a, '')
    for (const to of ['', " to='localhost'"]) {
      a.says(`<iq type='set' id='s'${to}><session xmlns='${SESSION}'/></iq>`)
      await a.receives`<iq type='result' id='s'/>`
    }
    const b = await house.actor('b', 'romeo@localhost/b') // without
    await b.comesOnline()
    a.leaves()
  })

  it('RFC-B6 after ten binds that failed the stream ends', async () => {
    await using house = await House.open({ limits: { resources: { perAccount: 0, hibernated: 0 } } })
    await house.account('romeo')
    const a = await entered(house)
    for (let i = 0; i < 10; i++) {
      assert.ok((await binding(a, `<resource>r${i}</resource>`)).getChild('error')!.getChild('resource-constraint', STANZAS))
    }
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><policy-violation xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  })

  it('RFC-B6 a bind that cannot be read counts as well, and the tenth try may still succeed', scene({}, async (_, house) => {
    await house.account('romeo')
    const a = await entered(house)
    for (let i = 0; i < 9; i++) {
      a.says(`<iq type='set'${i % 2 ? " id='x' to='@@'" : ''}><bind xmlns='${BIND}'/></iq>`)
      await a.receives`<iq type='error'/>`
    }
    assert.ok(resourceOf(await binding(a, '')))
    a.leaves()
  }))
})
