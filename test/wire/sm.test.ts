// XEP-0198 Stream Management over the wire: turned on, counted, asked for.
import assert from 'node:assert/strict'
import { MovedClock } from '../harness/clock.ts'
import { House, scene } from '../harness/scene.ts'
import { el, plugin } from '../../server/api.ts'
import { plugins } from '../../plugins/index.ts'
import { cast, comesBack, ETHERX, manages, SM, STANZAS, STREAMS } from './sm-scene.ts'

describe('stream management', () => {
  it('SEC-S01 cannot be enabled twice', scene(cast, async ({ romeo }) => {
    romeo.says(`<enable xmlns='${SM}'/>`)
    await romeo.receives`<enabled xmlns='${SM}'/>`
    romeo.says(`<enable xmlns='${SM}'/>`)
    await romeo.receives`<failed xmlns='${SM}'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`
  }))

  it('counts what it took, and SEC-S02 ends at a count too high', scene(cast, async ({ romeo }) => {
    romeo.says(`<enable xmlns='${SM}'/><message to='juliet@localhost'><body>1</body></message><presence/><r xmlns='${SM}'/>`)
    await romeo.receives`<enabled xmlns='${SM}'/>`
    await romeo.hears`<a xmlns='${SM}' h='2'/>`
    romeo.says(`<a xmlns='${SM}' h='77'/>`)
    await romeo.hears`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><undefined-condition xmlns='${STREAMS}'/><handled-count-too-high xmlns='${SM}' h='77'/></stream:error>`
  }))

  it('SEC-S01 cannot be enabled before bind, and one may bind then', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = await comesBack(house, 'romeo@localhost/orchard')
    a.says(`<enable xmlns='${SM}' resume='true'/>`)
    await a.receives`<failed xmlns='${SM}'><unexpected-request xmlns='${STANZAS}'/></failed>`
    await a.binds()
    a.leaves()
  })

  it('SEC-S02 ends at a count below one said before, and tells how many were sent', scene(cast, async ({ romeo, juliet }) => {
    await manages(juliet)
    for (const id of ['a', 'b']) { romeo.sends`<message to='juliet@localhost/balcony' id='${id}'/>`; await juliet.hears`<message id='${id}'/>` }
    juliet.says(`<a xmlns='${SM}' h='2'/><a xmlns='${SM}' h='1'/>`)
    await juliet.hears`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><undefined-condition xmlns='${STREAMS}'/><handled-count-too-high xmlns='${SM}' h='1' send-count='2'/></stream:error>`
    await juliet.isCutOff()
  }))

  for (const [what, attr] of [['none', ''], ['a word', "h='abc'"], ['a negative number', "h='-1'"], ['2^32', "h='4294967296'"]] as const) {
    it(`SEC-S03 ends at a count that is ${what}`, scene({ juliet: cast.juliet }, async ({ juliet }) => {
      await manages(juliet)
      juliet.says(`<a xmlns='${SM}' ${attr}/>`)
      await juliet.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><policy-violation xmlns='${STREAMS}'/></stream:error>`
      await juliet.isCutOff()
    }))
  }

  it('RFC-S14 asks a silent peer, and ends a stream that does not answer', async () => {
    const network = new MovedClock()
    await using house = await House.open({ network })
    const look = (): void => { for (const s of house.devices.streams) s.probe(network.now()) }
    const juliet = await house.actor('juliet', cast.juliet)
    await network.advance(59_000); look()
    await juliet.receivesNothing()
    await network.advance(61_000); look()
    const { attrs } = await juliet.receives`<iq type='get' from='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`
    juliet.sends`<iq type='result' id='${attrs['id']}' to='localhost'/>`
    await juliet.fence()
    await network.advance(61_000); look()
    await juliet.receives`<iq type='get' from='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`
    await network.advance(61_000); look()
    await juliet.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><connection-timeout xmlns='${STREAMS}'/></stream:error>`
    await juliet.isCutOff()
  })

  it('goes on asking while much is on its way', scene(cast, async ({ romeo, juliet }) => {
    await manages(juliet)
    await juliet.comesOnline()
    const seen = await juliet.fence()
    const before = 3 + seen.filter(x => x.name !== 'r').length // her presence and two answers to a ping
    romeo.says(Array.from({ length: 12 }, () => "<message to='juliet@localhost' type='chat'><body>x</body></message>").join(''))
    await romeo.fence()
    await juliet.hears`<r xmlns='${SM}'/>`
    await juliet.fence()
    juliet.says(`<a xmlns='${SM}' h='${before}'/>`)
    assert.equal((await juliet.next()).name, 'r')
  }))

  it('counts the answer to what could not be read', scene({ romeo: cast.romeo }, async ({ romeo }) => {
    await manages(romeo)
    romeo.says("<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    await romeo.receives`<iq type='error'/>`
    romeo.says(`<a xmlns='${SM}' h='1'/><r xmlns='${SM}'/>`)
    await romeo.receives`<a xmlns='${SM}' h='1'/>`
  }))

  it('answers a request behind what was asked before it, however long that takes', async () => {
    const gate = Promise.withResolvers<void>()
    const slow = plugin('slow', host => host.iq(['host'], 'get', 'urn:slow', 'slow', async () => { await gate.promise; return el('done', 'urn:slow') }))
    await using house = await House.open({ plugins: [...plugins, slow] })
    const romeo = await house.actor('romeo', cast.romeo)
    await manages(romeo)
    romeo.says(`<iq type='get' id='slow' to='localhost'><slow xmlns='urn:slow'/></iq><iq type='get' id='quick' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq><r xmlns='${SM}'/>`)
    gate.resolve()
    await romeo.receives`<iq id='slow' type='result'/>`
    await romeo.receives`<iq id='quick' type='result'/>`
    await romeo.receives`<a xmlns='${SM}' h='2'/>`
  })
})
