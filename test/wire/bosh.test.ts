// XMPP over HTTP, as a browser would speak it (XEP-0124, XEP-0206).
import assert from 'node:assert/strict'
import { Browser, conditionOf, everywhere, NS, roomy, SASL, settled, talk, withBosh } from './bosh-client.ts'

describe('BOSH', () => {
  it('opens a session, says what it allows, and offers mechanisms (XEP-0124 section 7, XEP-0206 section 4)', () => withBosh(async port => {
    const { body, status } = await new Browser(port).opens("ver='1.6' wait='30' hold='3'")
    assert.equal(status, 200)
    const { sid, wait, hold, requests, polling, inactivity, maxpause, ver, from } = body.attrs
    assert.deepEqual({ wait, hold, requests, polling, inactivity, maxpause, ver, from }, { wait: '30', hold: '1', requests: '2', polling: '5', inactivity: '60', maxpause: '120', ver: '1.6', from: 'localhost' })
    assert.ok(sid.length >= 22) // 128 bit
    assert.equal(body.attrs['xmpp:restartlogic'], 'true')
    assert.ok(body.getChild('features', 'http://etherx.jabber.org/streams')?.getChild('mechanisms', SASL))
  }))

  it('logs in, talks both ways, and a reader waits until there is something', talk(async (romeo, juliet) => {
    const waiting = romeo.asks()
    juliet.sends`<message to='romeo@localhost/web' type='chat'><body>hi</body></message>`
    const { body } = await waiting
    assert.equal(body.getChild('message')?.getChildText('body'), 'hi')
    assert.equal(body.getChild('message')?.attrs['xmlns'], 'jabber:client')
    void romeo.asks("<message xmlns='jabber:client' to='juliet@localhost/balcony' type='chat'><body>art thou</body></message><message to='juliet@localhost/balcony' type='chat'><body>there</body></message>")
    await juliet.receives`<message from='romeo@localhost/web'><body>art thou</body></message>`
    await juliet.receives`<message from='romeo@localhost/web'><body>there</body></message>`
    void romeo.asks('', "type='terminate'")
  }))

  it('SASL with several steps works over it', () => withBosh(async (port, house) => {
    await house.account('romeo')
    const romeo = new Browser(port)
    await romeo.opens()
    const challenge = await romeo.asks(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-1'>${btoa('n,,n=romeo,r=abc')}</auth>`)
    assert.ok(challenge.body.getChild('challenge', SASL))
    const failure = await romeo.asks(`<response xmlns='${SASL}'>${btoa('c=biws,r=nonsense,p=AAAA')}</response>`)
    assert.ok(failure.body.getChild('failure', SASL))
  }))

  it('answers the held request when another comes, in their order', talk(async (romeo, juliet) => {
    const first = romeo.asks()
    await settledFor(romeo)
    const second = romeo.asks("<message xmlns='jabber:client' to='juliet@localhost/balcony'><body>one</body></message>")
    assert.equal((await first).body.children.length, 0)
    await juliet.hears`<message><body>one</body></message>`
    juliet.sends`<message to='romeo@localhost/web'><body>two</body></message>`
    assert.match((await second).text, /two/)
  }))

  it('takes requests that come out of order in their order (section 14.2)', talk(async (romeo, juliet) => {
    const { rid } = romeo
    const later = romeo.asksAs(rid + 2, "<message xmlns='jabber:client' to='juliet@localhost/balcony'><body>2</body></message>")
    await settledFor(romeo)
    await juliet.receivesNothing()
    const earlier = romeo.asksAs(rid + 1, "<message xmlns='jabber:client' to='juliet@localhost/balcony'><body>1</body></message>")
    await juliet.receives`<message><body>1</body></message>`
    await juliet.receives`<message><body>2</body></message>`
    assert.equal((await earlier).body.children.length, 0)
    romeo.rid += 2
    void romeo.asks('', "type='terminate'")
    await later
  }))

  it('SEC-H09 a request that is sent again hears the very same, and nothing is done twice', talk(async (romeo, juliet) => {
    const question = "<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq><message xmlns='jabber:client' to='juliet@localhost/balcony'><body>once</body></message>"
    const first = await romeo.asks(question)
    assert.match(first.text, /id='p'/)
    const again = await romeo.asksAs(romeo.rid, question)
    assert.equal(again.text, first.text)
    await juliet.receives`<message><body>once</body></message>`
    await juliet.receivesNothing()
  }))

  it('a held request that is sent again goes on on the new connection (section 14.3)', talk(async (romeo, juliet) => {
    const lost = romeo.asks()
    await settledFor(romeo)
    const again = romeo.asksAs(romeo.rid)
    assert.equal((await lost).body.attrs['type'], 'error')
    juliet.sends`<message to='romeo@localhost/web'><body>still there?</body></message>`
    assert.match((await again).text, /still there/)
  }))

  it('what was to be said on a connection that broke is said on the next', talk(async (romeo, juliet) => {
    const broken = new AbortController()
    const lost = romeo.asksAs(++romeo.rid, '', '', { signal: broken.signal })
    await settledFor(romeo)
    broken.abort()
    await assert.rejects(lost)
    juliet.sends`<message to='romeo@localhost/web'><body>hello?</body></message>`
    await juliet.fence()
    const again = await romeo.asksAs(romeo.rid)
    assert.match(again.text + (await romeo.asks("<presence xmlns='jabber:client'/>")).text, /hello\?/)
  }))

  it('what came while nothing was held is said to the next request at once (section 11)', talk(async (romeo, juliet) => {
    void romeo.asks("<presence xmlns='jabber:client'/>")
    await romeo.asks("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
    for (const word of ['one', 'two']) {
      juliet.sends`<message to='romeo@localhost/web' type='chat'><body>${word}</body></message>`
      await juliet.fence()
      assert.equal((await romeo.asks()).body.getChild('message')?.getChildText('body'), word)
    }
  }))

  it('SEC-H09 a request id above the window or long forgotten ends the session with item-not-found', () => withBosh(async (port, house) => {
    await house.account('romeo')
    for (const step of [3, -3]) {
      const romeo = new Browser(port)
      await romeo.opens()
      await romeo.logsIn('romeo')
      assert.equal(conditionOf(await romeo.asksAs(romeo.rid + step)), 'terminate item-not-found')
      assert.equal(conditionOf(await romeo.asks()), 'terminate item-not-found')
    }
  }))

  it('SEC-H09 a request id of 2^53, or none, is a bad-request', () => withBosh(async port => {
    for (const rid of ['9007199254740992', '0', '-1', 'x', '1e3']) {
      const romeo = new Browser(port)
      assert.equal(conditionOf(await romeo.asksAs(rid, '', "to='localhost' ver='1.6'")), 'terminate bad-request')
      await romeo.opens()
      assert.equal(conditionOf(await romeo.asksAs(rid)), 'terminate bad-request')
    }
  }))

  it('SEC-H10 more requests at once than may be end the session with policy-violation', talk(async romeo => {
    const { rid } = romeo
    const held = romeo.asksAs(rid + 1)
    await settledFor(romeo)
    const early = romeo.asksAs(rid + 3, "<presence xmlns='jabber:client'/>")
    await settledFor(romeo)
    const third = romeo.asksAs(rid + 2, "<presence xmlns='jabber:client'/>")
    assert.deepEqual((await Promise.all([held, early, third])).map(conditionOf), Array(3).fill('terminate policy-violation'))
  }))

  it('SEC-H10 an empty request beside a held one, sooner than the polling interval, is policy-violation', talk(async romeo => {
    const first = romeo.asks()
    await settledFor(romeo)
    const second = romeo.asks()
    assert.equal(conditionOf(await first), 'terminate policy-violation')
    assert.equal(conditionOf(await second), 'terminate policy-violation')
  }))

  it('SEC-H10 one that polls is answered at once, and ended when it polls too often', () => withBosh(async (port, house) => {
    const romeo = new Browser(port)
    await romeo.opens("ver='1.6' wait='0' hold='0'")
    assert.equal((await romeo.asks()).body.attrs['type'], undefined)
    await house.clock.advance(5_000)
    assert.equal((await romeo.asks()).body.attrs['type'], undefined)
    assert.equal(conditionOf(await romeo.asks()), 'terminate policy-violation')
  }))

  it('SEC-H10 more sessions from one address than may be are refused', () => withBosh(async port => {
    const answers: string[] = []
    for (let i = 0; i < 3; i++) answers.push(conditionOf(await new Browser(port).opens()))
    assert.deepEqual(answers, ['undefined undefined', 'undefined undefined', 'terminate policy-violation'])
  }, { ...roomy, connections: { ...everywhere, perAddress: 2 } }))

  it('SEC-H11 guessed session ids find nothing, and soon nobody listens', () => withBosh(async port => {
    const guesser = new Browser(port)
    guesser.sid = 'guess'
    assert.equal(conditionOf(await guesser.asks()), 'terminate item-not-found')
    let status = 200
    for (let i = 0; i < 1000 && status === 200; i++) status = (await guesser.asks()).status
    assert.equal(status, 429)
  }))

  it('SEC-H11 GET and PUT are refused, and so is an empty POST', () => withBosh(async port => {
    const at = `http://127.0.0.1:${port}/http-bind`
    assert.equal((await fetch(at)).status, 405)
    assert.equal((await fetch(at, { method: 'PUT', body: 'x' })).status, 405)
    const empty = await fetch(at, { method: 'POST' })
    assert.equal(empty.status, 400)
    assert.match(await empty.text(), /condition='bad-request'/)
  }))

  it('SEC-X01 XML that XMPP forbids ends the session, and what is no XML is a bad-request', () => withBosh(async port => {
    const cases: [string, RegExp][] = [
      ['<!DOCTYPE a [<!ENTITY b "c">]><message/>', /remote-stream-error.*<restricted-xml/],
      ['<!-- hush -->', /remote-stream-error.*<restricted-xml/],
      ['<message><body></message>', /condition='bad-request'/],
      ['a word', /remote-stream-error.*<bad-format/],
      [`<message>${'<x>'.repeat(80)}${'</x>'.repeat(80)}</message>`, /remote-stream-error.*<policy-violation/],
    ]
    for (const [inner, answer] of cases) {
      const romeo = new Browser(port)
      await romeo.opens()
      assert.match((await romeo.asks(inner)).text, answer)
      assert.equal(conditionOf(await romeo.asks()), 'terminate item-not-found')
    }
  }))

  it('SEC-H13 a body that is too long is refused before it is read', () => withBosh(async port => {
    const romeo = new Browser(port)
    await romeo.opens()
    assert.equal((await romeo.asks(`<message xmlns='jabber:client'><body>${'a'.repeat(600_000)}</body></message>`)).status, 413)
  }))

  it('an error of the stream is told whole as remote-stream-error (XEP-0206 section 6)', () => withBosh(async port => {
    const romeo = new Browser(port)
    await romeo.opens()
    const said = await romeo.asks("<message xmlns='jabber:client' to='juliet@localhost'><body>psst</body></message>")
    assert.equal(conditionOf(said), 'terminate remote-stream-error')
    assert.ok(said.body.getChild('error', 'http://etherx.jabber.org/streams')?.getChild('not-authorized'))
  }))

  it('an end while nobody asks is told to the next that does', talk(async (romeo, _, house) => {
    for (const s of house.devices.streams) if (s.device?.jid.resource === 'web') s.device.end('conflict', 'Replaced.')
    assert.match((await romeo.asks()).text, /type='terminate' condition='remote-stream-error'.*<conflict/)
  }))

  it('says host-unknown and improper-addressing of a wrong and a missing domain', () => withBosh(async port => {
    const stranger = new Browser(port)
    assert.equal(conditionOf(await stranger.asksAs(5, '', "to='elsewhere.example' ver='1.6'")), 'terminate host-unknown')
    assert.equal(conditionOf(await stranger.asksAs(5, '', "ver='1.6'")), 'terminate improper-addressing')
  }))

  it('tells an old client by HTTP what it would not understand (section 17.1)', () => withBosh(async port => {
    const old = new Browser(port)
    assert.equal((await old.opens("wait='60' hold='1'")).body.attrs['ver'], undefined)
    assert.equal((await old.asksAs(old.rid + 7)).status, 404)
  }))

  it('answers with nothing when the wait is over', talk(async (romeo, _, house) => {
    const waiting = romeo.asks()
    await settled(house)
    await house.clock.advance(60_000)
    const { body } = await waiting
    assert.deepEqual([body.children.length, body.attrs['type']], [0, undefined])
  }))

  it('a session that is silent for too long ends, and others see him leave (section 10)', talk(async (romeo, juliet, house) => {
    await romeo.asks(`<presence xmlns='jabber:client' to='juliet@localhost'/><iq xmlns='jabber:client' type='get' id='f' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await juliet.receives`<presence from='romeo@localhost/web'/>`
    await house.clock.advance(60_000)
    await juliet.receives`<presence from='romeo@localhost/web' type='unavailable'/>`
    assert.equal(conditionOf(await romeo.asks()), 'terminate item-not-found')
  }))

  it('what a client never fetched waits for its user\'s next visit (XEP-0206 section 7)', talk(async (romeo, juliet, house) => {
    await romeo.asks("<presence xmlns='jabber:client'/>")
    juliet.sends`<message to='romeo@localhost' type='chat'><body>are you there?</body></message>`
    await juliet.fence()
    await house.clock.advance(60_000)
    const again = await house.actor('again', 'romeo@localhost/later')
    again.says('<presence/>')
    await again.hears`<message from='juliet@localhost/balcony'><body>are you there?</body><delay xmlns='urn:xmpp:delay'/></message>`
  }))

  it('who sends too fast is answered later', () => withBosh(async (port, house) => {
    await house.account('romeo')
    const romeo = new Browser(port)
    await romeo.opens()
    await romeo.logsIn('romeo')
    let answered = false
    const late = romeo.asks(`<iq xmlns='jabber:client' type='get' id='big' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq><presence xmlns='jabber:client'><status>${'x'.repeat(3000)}</status></presence>`).then(said => { answered = true; return said })
    await settledFor(romeo)
    assert.equal(answered, false)
    await house.clock.advance(4_000)
    assert.match((await late).text, /id='big'/)
  }, { ...roomy, readRate: { ...roomy.readRate, c2s: { rate: 1000, burst: 2000 } } }))

  it('a paused session lives longer, and what is held is given back without payloads (section 10)', talk(async (romeo, juliet, house) => {
    const held = romeo.asks()
    await settledFor(romeo)
    const paused = romeo.asks('', "pause='120'")
    assert.deepEqual([(await held).body.children.length, (await paused).body.children.length], [0, 0])
    juliet.sends`<message to='romeo@localhost/web'><body>later</body></message>`
    await juliet.fence()
    await house.clock.advance(110_000)
    assert.match((await romeo.asks("<presence xmlns='jabber:client'/>")).text, /later/)
  }))

  it('a pause longer than may be is policy-violation', talk(async romeo => {
    assert.equal(conditionOf(await romeo.asks('', "pause='121'")), 'terminate policy-violation')
  }))

  it('a client that leaves is gone for others, with its last words (section 13)', talk(async (romeo, juliet) => {
    void romeo.asks("<presence xmlns='jabber:client' to='juliet@localhost'/>")
    await juliet.receives`<presence from='romeo@localhost/web'/>`
    const bye = await romeo.asks("<message xmlns='jabber:client' to='juliet@localhost/balcony'><body>bye</body></message>", "type='terminate'")
    assert.equal(bye.status, 200)
    await juliet.receives`<message><body>bye</body></message>`
    await juliet.receives`<presence from='romeo@localhost/web' type='unavailable'/>`
    assert.equal(conditionOf(await romeo.asks()), 'terminate item-not-found')
  }))

  it('acknowledges what it took where the client asks for that (section 9.1)', () => withBosh(async (port, house) => {
    await house.account('romeo')
    const romeo = new Browser(port)
    const opened = await romeo.opens("ver='1.11' ack='1' wait='60' hold='1'")
    assert.equal(opened.body.attrs['ack'], String(romeo.rid))
    const first = romeo.asks(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-1'>${btoa('n,,n=romeo,r=abc')}</auth>`)
    assert.equal((await first).body.attrs['ack'], undefined)
  }))

  it('SEC-H02 any page may use it, none with another\'s cookies', () => withBosh(async port => {
    const at = `http://127.0.0.1:${port}/http-bind`
    const asked = await fetch(at, { method: 'OPTIONS', headers: { 'origin': 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' } })
    assert.deepEqual([asked.status, asked.headers.get('access-control-allow-origin'), asked.headers.get('access-control-allow-credentials')], [204, 'https://app.example', null])
    const cookie = await fetch(at, { method: 'POST', headers: { origin: 'https://app.example', cookie: 'a=b' }, body: `<body xmlns='${NS}' rid='7' to='localhost'/>` })
    assert.equal(cookie.status, 403)
  }))

  it('a session that began over TLS goes on over TLS only (section 18.1)', () => withBosh(async port => {
    const romeo = new Browser(port)
    const tls = { headers: { 'content-type': 'text/xml', 'x-forwarded-proto': 'https' } }
    const opened = await romeo.asksAs(++romeo.rid, '', "to='localhost' ver='1.6'", tls)
    romeo.sid = opened.body.attrs['sid'] as string
    const auth = `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-1'>${btoa('n,,n=romeo,r=abc')}</auth>`
    assert.equal((await romeo.asksAs(romeo.rid + 1, auth)).status, 403)
    assert.ok((await romeo.asksAs(romeo.rid + 1, auth, '', tls)).body.getChild('challenge', SASL)) // and the session is none the worse
  }, roomy, ['127.0.0.1']))

  it('SEC-X28 what a client names in its request cannot write markup into the answer', () => withBosh(async port => {
    const said = await new Browser(port).asksAs(9, '', `to='localhost' ver='1.6' xmpp:version='1.0' from="a'/&gt;&lt;presence to='v@x'/&gt;" content="text/html" ack='1'`)
    assert.doesNotMatch(said.text, /<presence/)
    assert.equal(said.body.getName(), 'body')
  }))
})

/** Gives the request that was just sent time to be taken: another of a stranger's is answered after it. */
async function settledFor(romeo: Browser): Promise<void> {
  for (let i = 0; i < 3; i++) await romeo.raw('')
}
