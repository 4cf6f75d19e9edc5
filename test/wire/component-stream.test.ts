// A component on a wire (XEP-0114): who may be one, and what it may send.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Actor, House, scene, type SceneOptions } from '../harness/scene.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { Stanza, Jid, el, type AnyStanza } from '../../server/api.ts'

const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const ETHERX = 'http://etherx.jabber.org/streams'
const ACCEPT = 'jabber:component:accept'
const options: SceneOptions = { externals: { 'bot.localhost': 'geheim' } }
const HEADER = (to: string, ns = ACCEPT): string => `<?xml version='1.0'?><stream:stream to='${to}' xmlns='${ns}' xmlns:stream='${ETHERX}'>`
const proof = (id: string, secret = 'geheim'): string => createHash('sha1').update(id + secret).digest('hex')
const cast = { romeo: 'romeo@localhost/orchard' }

/** A connection whose header is answered. */
async function greeted(house: House, to = 'bot.localhost'): Promise<Actor> {
  const a = new Actor(to, to)
  await a.opens(house.componentPort)
  a.says(HEADER(to))
  while (!a.header) await new Promise(ok => setImmediate(ok))
  return a
}
const idOf = (a: Actor): string => String(a.header!.attrs['id'])

describe('a component', () => {
  it('is greeted in its own name, without version and features', scene({}, async (_, house) => {
    const a = await greeted(house)
    assert.equal(a.header!.attrs['from'], 'bot.localhost')
    assert.equal(a.header!.attrs['version'], undefined)
    assert.equal(a.header!.attrs['xmlns'], ACCEPT)
    a.says(`<handshake>${proof(idOf(a))}</handshake>`)
    const answer = await a.next()
    assert.equal(answer.toString(), '<handshake/>')
    a.leaves()
  }, options))

  for (const [what, said] of [
    ['wrong', (id: string) => proof(id, 'geraten')], ['empty', () => ''], ['in capitals', (id: string) => proof(id).toUpperCase()], ['of another stream', () => proof('other')],
  ] as const) {
    it(`SEC-C01 is refused with a handshake that is ${what}`, scene({}, async (_, house) => {
      const a = await greeted(house)
      a.says(`<handshake>${said(idOf(a))}</handshake>`)
      await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><not-authorized xmlns='${STREAMS}'/></stream:error>`
      await a.isCutOff()
      assert.equal(house.router.has('bot.localhost'), false)
    }, options))
  }

  it('SEC-C01 is refused without a handshake, and nothing it says is routed', scene(cast, async ({ romeo }, house) => {
    const a = await greeted(house)
    a.says(`<message from='bot.localhost' to='${romeo}'><body>psst</body></message>`)
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><not-authorized xmlns='${STREAMS}'/></stream:error>`
    await romeo.receivesNothing()
  }, options))

  it('SEC-C01 an address that guesses is barred', scene({}, async (_, house) => {
    for (let i = 0; i < 3; i++) {
      const a = await greeted(house)
      a.says('<handshake>0000</handshake>')
      await a.isCutOff()
    }
    const a = new Actor('a', 'bot.localhost')
    await a.opens(house.componentPort)
    await a.isCutOff()
    assert.equal(a.header, undefined)
  }, { ...options, limits: { authFailures: { ...defaultLimits.authFailures, ban: 2 } } }))

  it('SEC-C02 SEC-C07 is refused for a domain nobody configured, for a host of ours, and for one that is connected', scene({}, async (_, house) => {
    for (const [to, condition] of [['nobody.localhost', 'host-unknown'], ['localhost', 'conflict'], ['me@bot.localhost', 'host-unknown'], ['', 'host-unknown']] as const) {
      const a = await greeted(house, to)
      await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'>${''}</stream:error>`.then(x => assert.ok(x.getChild(condition, STREAMS), `${to}: ${x.toString()}`))
      await a.isCutOff()
    }
    const first = await house.component('bot.localhost', 'geheim')
    const second = await greeted(house)
    second.says(`<handshake>${proof(idOf(second))}</handshake>`)
    await second.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><conflict xmlns='${STREAMS}'/></stream:error>`
    await second.isCutOff()
    first.says("<iq type='get' id='p' from='bot.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    await first.receives`<iq xmlns='${ACCEPT}' type='result' id='p' from='localhost' to='bot.localhost'/>`
  }, options))

  it('is refused in the namespace of clients', scene({}, async (_, house) => {
    const a = new Actor('a', 'bot.localhost')
    await a.opens(house.componentPort)
    a.says(HEADER('bot.localhost', 'jabber:client'))
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><invalid-namespace xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  }, options))

  for (const [what, stanza, condition] of [
    ['of a user of ours', "<message from='juliet@localhost' to='romeo@localhost'/>", 'invalid-from'],
    ['of another component', "<message from='x@other.localhost' to='romeo@localhost'/>", 'invalid-from'],
    ['of nobody', "<message to='romeo@localhost'/>", 'invalid-from'],
    ['of no address', "<message from='@@' to='romeo@localhost'/>", 'invalid-from'],
    ['to nobody', "<message from='bot.localhost'/>", 'improper-addressing'],
  ] as const) {
    it(`SEC-C03 ends with a stanza ${what}, and nothing is routed`, scene(cast, async ({ romeo }, house) => {
      const bot = await house.component('bot.localhost', 'geheim')
      await romeo.comesOnline()
      bot.says(stanza)
      const said = await bot.next()
      assert.ok(said.getChild(condition, STREAMS), said.toString())
      await bot.isCutOff()
      await romeo.receivesNothing()
      assert.equal(house.router.has('bot.localhost'), false)
    }, options))
  }

  it('may speak as anybody at its domain; its stanzas reach clients as clients have them, and theirs reach it', scene(cast, async ({ romeo }, house) => {
    const bot = await house.component('bot.localhost', 'geheim')
    await romeo.comesOnline()
    bot.says("<message from='anna@bot.localhost/shop' to='romeo@localhost' type='chat' id='1'><body>hi</body><x xmlns='urn:x'><body xmlns='jabber:client'>kept</body></x></message>")
    const came = await romeo.receives`<message from='anna@bot.localhost/shop' id='1'><body>hi</body></message>`
    assert.doesNotMatch(came.toString(), /component/)
    romeo.says("<message to='anna@bot.localhost/shop' type='chat' id='2'><body>ho</body></message>")
    await bot.receives`<message xmlns='${ACCEPT}' from='romeo@localhost/orchard' to='anna@bot.localhost/shop' id='2'><body xmlns='${ACCEPT}'>ho</body></message>`
  }, options))

  it('RFC-N7 hears of an address that is none, from its own domain', scene({}, async (_, house) => {
    const bot = await house.component('bot.localhost', 'geheim')
    bot.says("<message from='x@bot.localhost' to='@@@' id='1'><body>hm</body></message>")
    await bot.receives`<message xmlns='${ACCEPT}' type='error' id='1' to='x@bot.localhost'><error xmlns='${ACCEPT}' type='modify'><jid-malformed xmlns='${STANZAS}'/></error></message>`
    bot.says("<iq from='x@bot.localhost' to='nobody@localhost' id='2' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    await bot.receives`<iq xmlns='${ACCEPT}' type='error' id='2' from='nobody@localhost'/>`
  }, options))

  it('its senders are told when it is gone, and it may come again', scene(cast, async ({ romeo }, house) => {
    const bot = await house.component('bot.localhost', 'geheim')
    bot.leaves()
    while (house.router.has('bot.localhost')) await new Promise(ok => setImmediate(ok))
    romeo.says("<message to='bot.localhost' type='chat' id='1'><body>hi</body></message>")
    await romeo.receives`<message type='error' id='1' from='bot.localhost'/>`
    const again = await house.component('bot.localhost', 'geheim')
    romeo.says("<message to='bot.localhost' type='chat' id='2'><body>hi</body></message>")
    await again.receives`<message xmlns='${ACCEPT}' id='2'/>`
  }, options))

  it('SEC-C05 that does not read gives back what it has no room for, and nobody else waits', scene({ ...cast, juliet: 'juliet@localhost/balcony' }, async ({ romeo, juliet }, house) => {
    const bot = await house.component('bot.localhost', 'geheim')
    await juliet.comesOnline()
    bot.stopsReading()
    const big = Stanza.of('message', { type: 'chat', to: Jid.parse('bot.localhost'), from: Jid.parse('romeo@localhost/orchard'), id: 'big' }, [el('body', 'jabber:client', {}, 'x'.repeat(100_000))]) as AnyStanza
    for (let sent = 0; ; sent++) { // until the kernel's buffers and ours are full
      assert.ok(sent < 1000, 'there is a bound')
      await house.router.route(big)
      const came = await romeo.fence()
      if (!came.length) continue
      assert.equal(came[0]!.attrs['id'], 'big')
      assert.ok(came[0]!.getChild('error')!.getChild('remote-server-timeout', STANZAS))
      break
    }
    romeo.says("<message to='juliet@localhost' type='chat'><body>and you?</body></message>")
    await juliet.receives`<message><body>and you?</body></message>`
  }, { ...options, limits: { writeBuffer: { bytes: 1_000_000, stall: 30_000 } } }))
})
