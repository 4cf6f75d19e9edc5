// XMPP over WebSocket (RFC 7395): one message is one element.
import assert from 'node:assert/strict'
import { MovedClock } from '../harness/clock.ts'
import { House, type Actor, type SceneOptions } from '../harness/scene.ts'
import { Framed, OPEN, webDoor } from '../harness/doors.ts'
import { defaultLimits } from '../../server/ports/limits.ts'

const FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing'
const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
const ETHERX = 'http://etherx.jabber.org/streams'
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const SM = 'urn:xmpp:sm:3'
const AUTH = `<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa('\0romeo\0pw')}</auth>`
const error = (condition: string): string => `<stream:error xmlns:stream='${ETHERX}'><${condition} xmlns='${STREAMS}'/></stream:error>`

interface Stage { readonly house: House; readonly port: number; readonly romeo: Framed; readonly juliet: Actor }

/** Juliet on a byte stream, and somebody on a WebSocket who has said nothing yet. */
const web = (play: (s: Stage) => Promise<void>, options?: SceneOptions) => async (): Promise<void> => {
  await using house = await House.open(options)
  const port = await webDoor(house)
  await house.account('romeo')
  const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
  await juliet.comesOnline()
  await using romeo = await Framed.opens(port)
  await play({ house, port, romeo, juliet })
}

/** Ends with a stream error in a message of its own, then <close/>, then the connection (sections 3.5 and 3.6). */
async function endsWith(a: Framed, condition: string): Promise<void> {
  await a.receives(error(condition))
  await a.receives(`<close xmlns='${FRAMING}'/>`)
  assert.equal(await a.next(), undefined)
  assert.equal(a.code, 1000)
}

describe('a WebSocket', () => {
  it('opens with <open/>, and each thing comes in a message of its own', web(async ({ romeo }) => {
    romeo.says(OPEN)
    const header = await romeo.receives(`<open xmlns='${FRAMING}' from='localhost' version='1.0' xml:lang='en'/>`)
    assert.ok(header.attrs['id'])
    await romeo.receives(`<stream:features xmlns:stream='${ETHERX}'><mechanisms xmlns='${SASL}'/></stream:features>`)
  }))

  it('carries a session: login, restart, bind, messages both ways with their namespace', web(async ({ romeo, juliet }) => {
    await romeo.logsIn('romeo', 'orchard')
    romeo.says("<message xmlns='jabber:client' to='juliet@localhost' type='chat' id='1'><body>ho — 🌙</body></message>")
    await juliet.receives`<message from='romeo@localhost/orchard' id='1'><body>ho — 🌙</body></message>`
    juliet.says("<message to='romeo@localhost/orchard' type='chat' id='2'><body>hi</body><x xmlns='urn:x'><y xmlns='jabber:client'/></x></message>")
    const came = await romeo.receives("<message xmlns='jabber:client' id='2'><body>hi</body></message>")
    assert.equal(came.attrs['xmlns'], 'jabber:client')
  }))

  it('brings messages of every length whole, also many at once and in other scripts', web(async ({ romeo, juliet }) => {
    await romeo.logsIn('romeo', 'orchard')
    const raw: Buffer[] = []
    romeo.raw.on('message', (data: Buffer) => raw.push(data))
    const says = (body: string): void => juliet.says(`<message to='romeo@localhost/orchard' type='chat' id='n'><body>${body}</body></message>`)
    const hears = async (body: string): Promise<void> => { await romeo.receives(`<message xmlns='jabber:client' id='n'><body>${body}</body></message>`) }
    says('')
    await hears('')
    const around = raw[0]!.length // without a body's content
    const bodies = [255, 256, 65_535, 65_536, 65_537].flatMap(n => ['x'.repeat(n - around), `🌙${'ß'.repeat(n >> 2)}`])
    for (const body of bodies) says(body)
    for (const body of bodies) await hears(body)
  }))

  it('SEC-H01 is refused without the subprotocol, and another path has none', web(async ({ port }) => {
    await assert.rejects(Framed.opens(port, []), /400/)
    await assert.rejects(Framed.opens(port, ['chat']), /400/)
    await using both = await Framed.opens(port, ['chat', 'xmpp'])
    assert.equal(both.raw.protocol, 'xmpp')
  }))

  for (const [what, frame, condition] of [
    ['a stanza instead of <open/>', "<message xmlns='jabber:client'/>", 'bad-format'],
    ['a stream header', `<stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='${ETHERX}' version='1.0'>`, 'not-well-formed'],
    ['<open/> for another host', OPEN.replace('localhost', 'elsewhere.example'), 'host-unknown'],
    ['<open/> for nobody', OPEN.replace("to='localhost'", ''), 'improper-addressing'],
    ['space', ' ', 'bad-format'],
    ['nothing', '', 'bad-format'],
    ['an <open/> cut in two', OPEN.slice(0, 20), 'not-well-formed'],
    ['a document type', "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", 'restricted-xml'],
    ['a processing instruction', '<?xml-stylesheet href="x"?>', 'restricted-xml'],
  ] as const) {
    it(`SEC-H07 SEC-X01 ends at the beginning with ${what}: <open/>, the error, <close/>`, web(async ({ romeo, house }) => {
      romeo.says(frame)
      await romeo.receives(`<open xmlns='${FRAMING}'/>`)
      await endsWith(romeo, condition)
      assert.equal(house.devices.streams.size, 1)
    }))
  }

  for (const [what, frame, condition] of [
    ['two stanzas in one message', "<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>", 'not-well-formed'],
    ['half a stanza', "<message xmlns='jabber:client' to='juliet@localhost' type='chat'><body>psst", 'not-well-formed'],
    ['a stanza without its namespace', "<message to='juliet@localhost' type='chat'><body>psst</body></message>", 'invalid-namespace'],
    ['a stanza of another kind of stream', "<message xmlns='jabber:server' to='juliet@localhost'/>", 'invalid-namespace'],
    ['a stream header', `<stream:stream xmlns:stream='${ETHERX}'/>`, 'bad-format'],
    ['a second <open/>', OPEN, 'bad-format'],
    ['space to keep it alive (section 3.8)', ' ', 'bad-format'],
  ] as const) {
    it(`SEC-H07 SEC-X25 ends a session at ${what}`, web(async ({ romeo, juliet }) => {
      await romeo.logsIn('romeo', 'orchard')
      romeo.says(frame)
      await endsWith(romeo, condition)
      await juliet.receivesNothing()
    }))
  }

  it('needs a new <open/> after login', web(async ({ romeo }) => {
    romeo.says(OPEN); await romeo.next(); await romeo.next()
    romeo.says(AUTH)
    await romeo.receives(`<success xmlns='${SASL}'/>`)
    romeo.says("<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    await romeo.receives(`<open xmlns='${FRAMING}'/>`)
    await endsWith(romeo, 'bad-format')
  }))

  it('RFC-S18 takes everything at once, in its order', web(async ({ romeo, juliet }) => {
    const socket = (romeo.raw as unknown as { _socket: { cork(): void; uncork(): void } })._socket // one piece on the wire
    socket.cork()
    for (const frame of [OPEN, AUTH, OPEN, "<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>o</resource></bind></iq>"]) romeo.says(frame)
    for (let i = 0; i < 5; i++) romeo.says(`<message xmlns='jabber:client' to='juliet@localhost' type='chat' id='m${i}'/>`)
    romeo.says(`<close xmlns='${FRAMING}'/>`)
    socket.uncork()
    for (let i = 0; i < 5; i++) await juliet.hears`<message from='romeo@localhost/o' id='m${i}'/>`
    const names: string[] = []
    for (let x = await romeo.next(); x; x = await romeo.next()) names.push(x.name)
    assert.deepEqual(names.slice(0, 6), ['open', 'stream:features', 'success', 'open', 'stream:features', 'iq'])
    assert.equal(names.at(-1), 'close')
  }))

  it('closes in due form: the session ends at once', web(async ({ romeo, juliet, house }) => {
    await romeo.logsIn('romeo', 'orchard')
    romeo.says(`<enable xmlns='${SM}' resume='true'/>`)
    await romeo.receives(`<enabled xmlns='${SM}'/>`)
    romeo.says(`<presence xmlns='jabber:client' to='${juliet}'/>`)
    await juliet.receives`<presence from='romeo@localhost/orchard'/>`
    romeo.says(`<close xmlns='${FRAMING}'/>`)
    await romeo.receives(`<close xmlns='${FRAMING}'/>`)
    assert.equal(await romeo.next(), undefined)
    await juliet.receives`<presence from='romeo@localhost/orchard' type='unavailable'/>`
    assert.equal(house.devices.resumable, 0)
  }))

  it('cut off without a word, the session can be resumed, also on a byte stream', web(async ({ romeo, juliet, house, port }) => {
    await romeo.logsIn('romeo', 'orchard')
    romeo.says(`<enable xmlns='${SM}' resume='true'/>`)
    const id = (await romeo.receives(`<enabled xmlns='${SM}'/>`)).attrs['id']
    romeo.raw.terminate()
    assert.equal(await romeo.next(), undefined)
    while (house.devices.streams.size > 1) await new Promise(ok => setImmediate(ok))
    juliet.says("<message to='romeo@localhost/orchard' type='chat' id='m'><body>still there?</body></message>")
    await juliet.receivesNothing()
    await using back = await Framed.opens(port)
    back.says(OPEN); await back.next(); await back.next()
    back.says(AUTH); await back.next()
    back.says(OPEN); await back.next(); await back.next()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.receives(`<resumed xmlns='${SM}' previd='${id}'/>`)
    await back.receives("<message xmlns='jabber:client' id='m'><body>still there?</body></message>")
  }))

  it('SEC-H04 ends at a binary message with 1003', web(async ({ romeo, house }) => {
    await romeo.logsIn('romeo', 'orchard')
    romeo.raw.send(Buffer.from(OPEN), { binary: true })
    assert.equal(await romeo.next(), undefined)
    assert.equal(romeo.code, 1003)
    assert.equal(house.devices.streams.size, 1)
  }))

  it('SEC-H05 ends at a message that is too long with 1009', web(async ({ romeo }) => {
    await romeo.logsIn('romeo', 'orchard')
    romeo.says(`<message xmlns='jabber:client'><body>${'x'.repeat(600 * 1024)}</body></message>`)
    assert.equal(await romeo.next(), undefined)
    assert.equal(romeo.code, 1009)
  }))

  it('SEC-X34 SEC-X35 ends at a stanza that is too big, before login earlier', web(async ({ romeo, port }) => {
    await romeo.logsIn('romeo', 'orchard')
    romeo.says(`<message xmlns='jabber:client'><body>${'x'.repeat(256 * 1024)}</body></message>`)
    const said = await romeo.receives(`<stream:error xmlns:stream='${ETHERX}'><policy-violation xmlns='${STREAMS}'/><stanza-too-big xmlns='urn:xmpp:errors'/></stream:error>`)
    assert.ok(said.toString().length < 1000)
    await using early = await Framed.opens(port)
    early.says(OPEN); await early.next(); await early.next()
    early.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${'A'.repeat(10_001)}</auth>`)
    await endsWith(early, 'policy-violation')
  }))

  it('SEC-H06 is never compressed', web(async ({ port }) => {
    await using a = await Framed.opens(port, 'xmpp', { perMessageDeflate: true })
    assert.equal(a.raw.extensions, '')
  }))

  it('SEC-H08 is asked now and then whether it is there, and dropped when it is not', async () => {
    const network = new MovedClock()
    await using house = await House.open({ network })
    const port = await webDoor(house)
    await house.account('romeo')
    await using well = await Framed.opens(port)
    await using dead = await Framed.opens(port, 'xmpp', { autoPong: false })
    for (const a of [well, dead]) await a.logsIn('romeo', a === well ? 'well' : 'dead')
    const asked = [well, dead].map(a => new Promise<void>(ok => { a.raw.once('ping', () => ok()) }))
    await network.advance(30_000)
    await Promise.all(asked)
    well.says("<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>") // so that the server has read the pong before it
    await well.receives("<iq xmlns='jabber:client' type='result' id='p'/>")
    await network.advance(30_000)
    assert.equal(await dead.next(), undefined)
    assert.equal(dead.code, 1006)
    await network.advance(1)
    well.says("<iq xmlns='jabber:client' type='get' id='q' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    await well.receives("<iq xmlns='jabber:client' type='result' id='q'/>")
  })

  it('SEC-E06 is given up when it has taken nothing for half a minute, though it speaks and is asked meanwhile', async () => {
    const network = new MovedClock()
    await using house = await House.open({ network, limits: { writeBuffer: { bytes: Infinity, stall: 30_000 }, websocket: { ...defaultLimits.websocket, ping: 10_000 } } })
    const port = await webDoor(house)
    await house.account('romeo')
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    await using romeo = await Framed.opens(port)
    await romeo.logsIn('romeo', 'orchard')
    romeo.raw.pause()
    for (let i = 0; i < 300; i++) { // more than the kernel takes
      juliet.says(`<message to='romeo@localhost/orchard' type='headline'><body>${'x'.repeat(50_000)}</body></message>`)
      await juliet.receivesNothing()
    }
    const stream = [...house.devices.streams].find(s => s.device?.jid.full === 'romeo@localhost/orchard')!
    for (const isThere of [true, true, true, false]) {
      stream.probe(network.now())
      assert.equal(house.devices.streams.has(stream), isThere)
      if (!isThere) break
      romeo.says("<message xmlns='jabber:client' to='juliet@localhost/balcony' type='headline'><body>still here</body></message>")
      await juliet.receives`<message from='romeo@localhost/orchard'><body>still here</body></message>`
      await network.advance(10_000)
    }
  })

  it('SEC-E05 is read no faster than it may send, and loses nothing', async () => {
    const network = new MovedClock()
    await using house = await House.open({ network, limits: { readRate: { ...defaultLimits.readRate, c2s: { rate: 1000, burst: 2000 } } } })
    const port = await webDoor(house)
    await house.account('romeo')
    await using romeo = await Framed.opens(port)
    await romeo.logsIn('romeo', 'orchard')
    for (let i = 0; i < 8; i++) {
      romeo.says(`<iq xmlns='jabber:client' type='get' id='p${i}'><ping xmlns='urn:xmpp:ping'/></iq>`)
      romeo.says(`<message xmlns='jabber:client' to='romeo@localhost/orchard' type='headline' id='m${i}'><body>${'x'.repeat(900)}</body></message>`)
    }
    let heard = 0
    while (heard < 16) {
      const next = romeo.next().then(() => { heard++ })
      let came = false
      void next.finally(() => { came = true })
      while (!came) { await network.advance(250); await new Promise(ok => setImmediate(ok)) }
      await next
    }
    assert.equal(heard, 16)
  })
})
