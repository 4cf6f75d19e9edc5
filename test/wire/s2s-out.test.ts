// What we do on a stream that we open to another server, and what becomes of what cannot be sent.
import assert from 'node:assert/strict'
import { perform } from '../../app/admin.ts'
import type { Office } from '../../app/office.ts'
import { dialbackKey } from '../../server/stream/s2s/words.ts'
import { Actor } from '../harness/scene.ts'
import { Papers, Town } from './s2s-houses.ts'
import { dials, features, header, logsIn, MECHANISMS, Stranger, Talk } from './s2s-stranger.ts'

const BIDI = `<bidi xmlns='urn:xmpp:features:bidi'/>`
const SM = `<sm xmlns='urn:xmpp:sm:3'/>`
const DIALBACK = `<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>`
const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'

describe('a stream to another server', () => {
  const papers = new Papers()
  const ours = papers.make('a.test'), theirs = papers.make('b.test', ['b.test', 'c.test']), unknown = papers.make('unknown', ['b.test'])
  const ca = papers.bundle('ca.pem', [theirs])
  after(() => papers[Symbol.dispose]())

  /** A town of ours with anna, and a scripted server for b.test. */
  async function play(scene: (anna: Actor, b: Stranger, us: Town) => Promise<void>, more: { s2s?: string; limits?: string; paper?: typeof theirs } = {}): Promise<void> {
    await using b = await Stranger.listens('b.test', more.paper ?? theirs)
    await using us = await Town.open('a.test', ours, `{ ca: ${ca}, targets: { b.test: "127.0.0.1:${b.port}", c.test: "127.0.0.1:1", d.test: "127.0.0.1:${b.port}" }${more.s2s ?? ''} }`, more.limits ? `limits: { s2s: ${more.limits} }` : '')
    const anna = await us.actor('anna')
    await anna.comesOnline()
    await scene(anna, b, us)
  }
  const timesOut = (anna: Actor, id: string, by = 'ben@b.test'): Promise<unknown> =>
    anna.receives`<message type='error' id='${id}' from='${by}'><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
  const isNotFound = (anna: Actor, id: string): Promise<unknown> =>
    anna.receives`<message type='error' id='${id}'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
  const writes = (anna: Actor, id: string, to = 'ben@b.test'): void => anna.sends`<message to='${to}' type='chat' id='${id}'><body>${id}</body></message>`

  it('RFC-X6 RFC-S6 carries everything for a pair on one stream, in order, in the namespace of servers, and leaves what lies inside untouched', () => play(async (anna, b) => {
    for (let i = 0; i < 20; i++) writes(anna, `m${i}`)
    anna.says(`<message to='ben@b.test' id='f'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='x@y.test' xml:lang='de'><body>inside</body></message></forwarded><x xmlns='urn:example' a='1'><y/> text </x></message>`)
    const talk = await b.accepts()
    for (let i = 0; i < 20; i++) await talk.reads(new RegExp(`^[^]{0,200}?<message type='chat' to='ben@b.test' from='anna@a.test/x' id='m${i}'[^>]*><body>m${i}</body></message>`))
    const [last] = await talk.reads(/<message [^>]*id='f'.*?<\/x><\/message>/)
    assert.match(last, /<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='x@y\.test' xml:lang='de'><body>inside<\/body><\/message><\/forwarded><x xmlns='urn:example' a='1'><y\/> text <\/x><\/message>$/)
    assert.ok(!last.startsWith('<message xmlns'), 'no namespace where the stream has it')
    assert.equal(b.connections, 1)
  }))

  it('RFC-X4 proves itself by EXTERNAL with its domain, and asks for TLS first', () => play(async (anna, b) => {
    writes(anna, '1')
    const talk = await b.next()
    const [first] = await talk.reads(/<stream:stream[^>]*>/)
    for (const part of ["from='a.test'", "to='b.test'", "xmlns='jabber:server'", "xmlns:db='jabber:server:dialback'"]) assert.ok(first.includes(part), first)
    talk.says(header('b.test', 'a.test', 'x') + features(MECHANISMS)) // a man in the middle takes starttls away
    await timesOut(anna, '1')
    assert.ok(!talk.rest.includes('<auth'), talk.rest)
  }))

  it('SEC-C13 sends nothing to a server whose certificate is not trusted', () => play(async (anna, b, us) => {
    writes(anna, '1')
    const talk = await b.secured(MECHANISMS, DIALBACK)
    await talk.reads(/<stream:error><not-authorized/)
    await timesOut(anna, '1')
    assert.match(us.house.pairs!()[0]?.error ?? '', /not trusted/)
  }, { paper: unknown }))

  it('SEC-C13 nor to one whose certificate is for another domain', () => play(async (anna, b, us) => {
    writes(anna, '1', 'ben@d.test')
    await (await b.secured(MECHANISMS)).reads(/<stream:error><not-authorized/)
    await anna.hears`<message type='error' id='1' from='ben@d.test'/>`
    assert.match(us.house.pairs!()[0]?.error ?? '', /its certificate is for b\.test, c\.test, not for d\.test/)
  }))

  it('RFC-X5 without EXTERNAL there is dialback where the config allows it, with a key for this stream and this pair', () => play(async (anna, b, us) => {
    writes(anna, '1')
    const talk = await b.secured(DIALBACK)
    const [, key] = await talk.reads(/<db:result from='a\.test' to='b\.test'>([0-9a-f]{64})<\/db:result>/)
    assert.ok(!talk.rest.includes('<message'), 'nothing before it is accepted')
    const secret = Buffer.from((await us.stores.documents.get<string>('secret', 'server', 'dialback'))!.value, 'base64')
    assert.equal(secret.length, 32) // SEC-C11
    assert.equal(key, dialbackKey(secret, 'b.test', 'a.test', 'two'))
    talk.says(`<db:result from='b.test' to='x.test' type='valid'/>`) // SEC-C09: asked by nobody
    talk.says(`<db:result from='b.test' to='a.test' type='valid'/>`)
    await talk.reads(/<message [^>]*id='1'/)
  }, { s2s: ', dialback: true', paper: unknown }))

  for (const dialback of [true, false]) {
    it(`RFC-X5 a certificate of ours that is refused ${dialback ? 'leaves dialback' : 'leaves nothing where dialback is off'}`, () => play(async (anna, b, us) => {
      writes(anna, '1')
      const talk = await b.secured(MECHANISMS, DIALBACK)
      await talk.reads(/<\/auth>/)
      talk.says(`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>who?</text></failure>`)
      if (dialback) await talk.reads(/<db:result from='a\.test' to='b\.test'>/)
      else {
        await timesOut(anna, '1')
        assert.match(us.house.pairs!()[0]?.error ?? '', /it refused our certificate: not-authorized \(who\?\), and s2s\.dialback is off/)
      }
    }, { s2s: `, dialback: ${dialback}` }))
  }

  const lame: readonly (readonly [string, string])[] = [
    ['speaks no XMPP 1.0', header('b.test', 'a.test', 'x').replace(" version='1.0'>", '>')],
    ['refuses TLS', header('b.test', 'a.test', 'x') + features(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`) + `<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>`],
    ['knows no such host', header('b.test', 'a.test', 'x') + `<stream:error><host-unknown xmlns='${STREAMS}'/></stream:error></stream:stream>`],
    ['sends what is no XML', header('b.test', 'a.test', 'x') + '<a></b>'],
    ['takes what was never begun for proved', header('b.test', 'a.test', 'x') + `<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`],
    ['is for web pages', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ]
  for (const [what, text] of lame) {
    it(`RFC-N8 a server that ${what} gets no stanza, and the sender an error`, () => play(async (anna, b) => {
      writes(anna, '1')
      const talk = await b.next()
      await talk.reads(/<stream:stream[^>]*>/)
      talk.says(text)
      await anna.receives`<message type='error' id='1' from='ben@b.test'/>`
      assert.ok(!talk.rest.includes('<message'), talk.rest)
    }))
  }

  it('RFC-X5 a key that is found wrong gives the senders an internal error, an error there a timeout', () => play(async (anna, b) => {
    writes(anna, '1')
    let talk = await b.secured(DIALBACK)
    await talk.reads(/<\/db:result>/)
    talk.says(`<db:result from='b.test' to='a.test' type='invalid'/>`)
    await anna.hears`<message type='error' id='1'><error type='cancel'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    writes(anna, '2')
    talk = await b.secured(DIALBACK)
    await talk.reads(/<\/db:result>/)
    talk.says(`<db:result from='b.test' to='a.test' type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>`)
    await timesOut(anna, '2')
  }, { s2s: ', dialback: true' }))

  it('RFC-X5 asks the domain\'s own server about a key, not the one that showed it', () => play(async (anna, b, us) => {
    const talk = await dials(us.port, 'b.test', 'a.test', unknown)
    const [, id] = (await talk.reads(/<stream:stream[^>]* id='([^']+)'[^]*<\/stream:features>/))
    talk.says(`<db:result from='b.test' to='a.test'>the-key</db:result>`)
    const asked = await b.secured(DIALBACK)
    await asked.reads(new RegExp(`<db:verify from='a.test' to='b.test' id='${id}'>the-key</db:verify>`))
    asked.says(`<db:verify from='b.test' to='a.test' id='other' type='valid'/><db:verify from='c.test' to='a.test' id='${id}' type='valid'/>`) // SEC-C09
    asked.says(`<db:verify from='b.test' to='a.test' id='${id}' type='valid'/>`)
    await talk.reads(/<db:result from='a.test' to='b.test' type='valid'\/>/)
    talk.says(`<message from='ben@b.test/x' to='anna@a.test' id='in'><body>hello</body></message>`)
    await anna.hears`<message from='ben@b.test/x' id='in'/>`
    talk.says(`<db:result from='c.test' to='a.test'>k</db:result>`) // its server is not there
    await talk.reads(/<db:result from='a.test' to='c.test' type='error'><error type='wait'><remote-server-timeout /)
    talk.leaves()
  }, { s2s: ', dialback: true', paper: unknown }))

  it('SEC-C11 SEC-C10 says which keys are its own, also after a restart', async () => {
    await using b = await Stranger.listens('b.test', theirs)
    const s2s = `{ ca: ${ca}, dialback: true, targets: { b.test: "127.0.0.1:${b.port}" } }`
    await using us = await Town.open('a.test', ours, s2s)
    const anna = await us.actor('anna')
    writes(anna, '1')
    const [, key] = await (await b.secured(DIALBACK)).reads(/<db:result[^>]*>([0-9a-f]{64})<\/db:result>/)
    const check = async (town: Town): Promise<void> => {
      const talk = await dials(town.port, 'b.test', 'a.test', theirs)
      await talk.reads(/<\/stream:features>/)
      for (const [id, text, type] of [['two', key, 'valid'], ['tw', key, 'invalid'], ['two', key!.toUpperCase(), 'invalid'], ['two', '', 'invalid']] as const) {
        talk.says(`<db:verify from='b.test' to='a.test' id='${id}'>${text}</db:verify>`)
        await talk.reads(new RegExp(`<db:verify from='a.test' to='b.test' id='${id}' type='${type}'/>`))
      }
      talk.says(`<db:verify from='b.test' to='rooms.a.test' id='two'>${key}</db:verify>`) // another pair
      await talk.reads(/type='invalid'/)
      talk.leaves()
    }
    await check(us)
    await using again = await us.again(ours, s2s)
    await check(again)
  })

  it('RFC-X7 takes no stanza on a stream that was not made for both ways', () => play(async (anna, b) => {
    writes(anna, '1')
    const talk = await b.accepts()
    await talk.reads(/<message [^>]*id='1'/)
    talk.says(`<message from='ben@b.test' to='anna@a.test'><body>x</body></message>`)
    await talk.reads(/<stream:error><not-authorized/)
    await anna.receivesNothing()
  }))

  it('XEP-0288 takes them where it was, from the domain it was opened to alone (SEC-C20)', () => play(async (anna, b) => {
    writes(anna, '1')
    const talk = await b.secured(MECHANISMS, BIDI)
    await talk.reads(/<bidi xmlns='urn:xmpp:bidi'\/><auth/)
    talk.says(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`)
    await talk.reads(/<stream:stream[^>]*>/)
    talk.says(header('b.test', 'a.test', 'three') + features())
    await talk.reads(/<message [^>]*id='1'/)
    talk.says(`<message from='ben@b.test/x' to='anna@a.test' id='back'><body>x</body></message>`)
    await anna.receives`<message from='ben@b.test/x' id='back'/>`
    talk.says(`<message from='carl@c.test/x' to='anna@a.test'><body>x</body></message>`)
    await talk.reads(/<stream:error><invalid-from/)
    await anna.receivesNothing()
  }))

  it('SEC-C21 what was not acknowledged when the peer is lost goes back to its senders, in order', () => play(async (anna, b) => {
    writes(anna, '1')
    const talk = await b.accepts(SM)
    await talk.reads(/<enable xmlns='urn:xmpp:sm:3'\/>/)
    talk.says(`<enabled xmlns='urn:xmpp:sm:3'/>`)
    await talk.reads(/id='1'/)
    talk.says(`<a xmlns='urn:xmpp:sm:3' h='1'/>`)
    for (const id of ['2', '3', '4']) writes(anna, id)
    await talk.reads(/id='4'/)
    talk.leaves()
    for (const id of ['2', '3', '4']) await timesOut(anna, id)
    await anna.receivesNothing()
  }))

  it('SEC-C21 a peer that says after all that it does not count has what it was sent: nothing waits for it at the end, and nothing comes twice', () => play(async (anna, b, us) => {
    writes(anna, '1')
    const talk = await b.accepts(SM)
    await talk.reads(/<message [^>]*id='1'/)
    talk.says(`<failed xmlns='urn:xmpp:sm:3'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`)
    await using again = await us.again(ours, `{ ca: ${ca}, targets: { b.test: "127.0.0.1:${b.port}" } }`)
    const later = await again.actor('anna')
    writes(later, '2')
    const second = await b.accepts(SM)
    const [, id] = await second.reads(/<message [^>]*id='(\d)'/)
    assert.equal(id, '2')
  }))

  it('RFC-X6 a burst of thousands is carried whole, whether or not the peer has acknowledged anything yet', () => play(async (anna, b) => {
    writes(anna, 'first')
    const talk = await b.accepts(SM)
    await talk.reads(/id='first'/)
    for (let i = 0; i < 3000; i++) writes(anna, `${i}`)
    await talk.reads(/<message [^>]*id='2999'[^>]*><body>2999<\/body><\/message>/)
    await anna.receivesNothing()
    assert.equal(b.connections, 1)
  }))

  it('RFC-S16 follows a redirection under TLS, for the same domain, and not for ever', () => play(async (anna, b) => {
    await using other = await Stranger.listens('b.test', theirs)
    writes(anna, '1')
    const talk = await b.secured(MECHANISMS)
    talk.says(`<stream:error><see-other-host xmlns='${STREAMS}'>127.0.0.1:${other.port}</see-other-host></stream:error></stream:stream>`)
    await (await other.accepts()).reads(/<message [^>]*id='1'/)
  }, { s2s: ', networks: [127.0.0.0/8]' }))

  it('SEC-C15 but not into our own network', () => play(async (anna, b) => {
    await using other = await Stranger.listens('b.test', theirs)
    writes(anna, '1')
    const talk = await b.secured(MECHANISMS)
    talk.says(`<stream:error><see-other-host xmlns='${STREAMS}'>127.0.0.1:${other.port}</see-other-host></stream:error></stream:stream>`)
    await isNotFound(anna, '1')
    assert.equal(other.connections, 0)
  }))

  it('SEC-C15 RFC-N8 connects to no private address that an address or a name says', () => play(async anna => {
    for (const [i, domain] of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '[::1]', '[::ffff:127.0.0.1]', 'nodots'].entries()) {
      writes(anna, `p${i}`, `x@${domain}`)
      await isNotFound(anna, `p${i}`)
    }
  }))

  it('RFC-N8 a server that is there and takes no connection is a timeout', () => play(async anna => {
    writes(anna, '1', 'ben@c.test')
    await timesOut(anna, '1', 'ben@c.test')
  }))

  it('RFC-N14 nothing for a domain of ours goes abroad, also where its component is away', () => play(async (anna, b) => {
    writes(anna, '1', 'x@bot.a.test')
    await isNotFound(anna, '1')
    assert.equal(b.connections, 0)
  }))

  it('SEC-C14 nothing goes to a domain that is blocked, or that is not in the list of those allowed', () => play(async (anna, b) => {
    writes(anna, '1')
    await isNotFound(anna, '1')
    assert.equal(b.connections, 0)
  }, { s2s: ', allow: [elsewhere.test]' }))

  it('SEC-C14 a domain that is blocked while the server runs is cut off at once, both ways', () => play(async (anna, b, us) => {
    writes(anna, '1')
    const out = await b.accepts()
    await out.reads(/id='1'/)
    const into = await logsIn(us.port, 'b.test', 'a.test', theirs)
    const targets = `targets: { b.test: "127.0.0.1:${b.port}", c.test: "127.0.0.1:1", d.test: "127.0.0.1:${b.port}" }`
    assert.deepEqual(await us.rereads(`{ ca: ${ca}, ${targets}, block: [b.test] }`), [])
    for (const talk of [out, into]) await talk.reads(/<stream:error><policy-violation/)
    writes(anna, '2')
    await isNotFound(anna, '2')
    const again = await Talk.to(us.port)
    again.says(header('b.test', 'a.test'))
    await again.reads(/<stream:error><policy-violation/)
    assert.deepEqual(await us.rereads(`{ ca: ${ca} }`), ['s2s.targets'])
  }))

  it('SEC-C16 what waits for a server that does not answer comes back after the time for it, and is never too much', () => play(async (anna, b) => {
    writes(anna, '1')
    await b.next()
    anna.sends`<message to='ben@b.test' id='big'><body>${'x'.repeat(3000)}</body></message>`
    await anna.receives`<message type='error' id='big'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    writes(anna, '2')
    for (const id of ['1', '2']) await timesOut(anna, id)
  }, { limits: '{ timeout: 500ms, queue: 2KiB }' }))

  it('RFC-N5 an error that cannot be sent comes back to nobody', () => play(async anna => {
    anna.sends`<message to='ben@c.test' type='error' id='e'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    anna.sends`<iq to='ben@c.test/x' type='result' id='r'/>`
    writes(anna, 'last', 'ben@c.test')
    await anna.receives`<message type='error' id='last'/>`
  }))

  it('RFC-P10 a request that cannot be delivered comes back as presence, with its id', () => play(async anna => {
    anna.sends`<presence to='ben@c.test' type='subscribe' id='s'/>`
    await anna.hears`<presence type='error' id='s' from='ben@c.test'><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
  }))

  it('RFC-S15 tells its peers when it stops', async () => {
    await using b = await Stranger.listens('b.test', theirs)
    const us = await Town.open('a.test', ours, `{ ca: ${ca}, targets: { b.test: "127.0.0.1:${b.port}" } }`)
    const anna = await us.actor('anna')
    writes(anna, '1')
    const out = await b.accepts()
    await out.reads(/id='1'/)
    const into = await logsIn(us.port, 'b.test', 'a.test', theirs)
    const stopped = us[Symbol.asyncDispose]()
    await out.reads(/<stream:error><system-shutdown[^>]*\/><\/stream:error><\/stream:stream>/)
    out.says('</stream:stream>')
    out.leaves()
    await into.reads(/<stream:error><system-shutdown/)
    await stopped
  })

  it('SEC-K22 RFC-N8 gives back what waits before it stops, to who is here and to who will resume', async () => {
    await using b = await Stranger.listens('b.test', theirs) // and says nothing
    const s2s = `{ ca: ${ca}, targets: { b.test: "127.0.0.1:${b.port}" } }`
    const us = await Town.open('a.test', ours, s2s)
    const [anna, ben] = [await us.actor('anna'), await us.actor('ben')]
    ben.says(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
    const { id } = (await ben.receives`<enabled xmlns='urn:xmpp:sm:3' resume='true'/>`).attrs as { id: string }
    writes(ben, 'bens')
    await ben.fence()
    ben.leaves()
    writes(anna, '1')
    writes(anna, '2')
    await anna.fence()
    const again = us.again(ours, s2s, false)
    await timesOut(anna, '1')
    await timesOut(anna, '2')
    await anna.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    await using later = await again
    const back = new Actor('ben', 'ben@a.test/x')
    await back.opens(later.c2s)
    await back.logsIn()
    back.says(`<resume xmlns='urn:xmpp:sm:3' previd='${id}' h='1'/>`)
    await back.receives`<resumed xmlns='urn:xmpp:sm:3' previd='${id}'/>`
    await timesOut(back, 'bens')
    back.leaves()
  })

  it('SEC-K22 SEC-C21 waits a moment for what a peer has not acknowledged before it stops, and gives that back where it never will', async () => {
    for (const acknowledges of [true, false]) {
      await using b = await Stranger.listens('b.test', theirs)
      const s2s = `{ ca: ${ca}, targets: { b.test: "127.0.0.1:${b.port}" } }`
      const us = await Town.open('a.test', ours, s2s)
      const anna = await us.actor('anna')
      writes(anna, '1')
      const talk = await b.accepts(SM)
      await talk.reads(/<message [^>]*id='1'.*<r xmlns='urn:xmpp:sm:3'\/>/)
      await anna.fence()
      const again = us.again(ours, s2s, false)
      if (acknowledges) talk.says(`<a xmlns='urn:xmpp:sm:3' h='1'/>`)
      else { talk.leaves(); await timesOut(anna, '1') }
      await anna.receives`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
      talk.leaves()
      await (await again)[Symbol.asyncDispose]()
    }
  })

  it('is there for the admin to see, with what went wrong', () => play(async (anna, b, us) => {
    writes(anna, '1')
    await (await b.accepts()).reads(/id='1'/)
    writes(anna, '2', 'ben@c.test')
    await anna.hears`<message type='error' id='2'/>`
    const office = { config: { listen: { s2s: { port: 1 } } }, running: true, pairs: us.house.pairs } as unknown as Office // all that it looks at
    const { code, lines } = await perform(['s2s'], office)
    assert.equal(code, 0)
    assert.match(lines.join('\n'), /^a\.test -> b\.test: open for \d s$/m)
    assert.match(lines.join('\n'), /^a\.test -> c\.test: closed for \d s: 127\.0\.0\.1:1: nobody listens there$/m)
  }))

  it('SEC-C14 is off, port and all, until it is configured', async () => {
    assert.equal((await perform(['s2s'], { config: { listen: {} }, running: true } as unknown as Office)).code, 1) // all that it looks at
    await assert.rejects(Talk.to(1))
  })
})
