// Relays and their credentials, as a client that wants to call asks for them (XEP-0215).
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { scene } from '../harness/scene.ts'

const NS = 'urn:xmpp:extdisco:2'
const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const services = [
  { type: 'stun', host: 'stun.example', port: 3478, transport: 'udp' },
  { type: 'turn', host: 'turn.example', port: 3478, transport: 'udp', secret: 'north' },
  { type: 'turns', host: 'turn.example', port: 5349, transport: 'tcp', secret: 'north' },
  { type: 'ftp', host: 'files.example', username: 'guest', password: 'guest', name: 'Old files' },
]
const pluginOptions = { extdisco: { services, life: 3_600_000 } }

describe('external services', () => {
  it('names them all, and disco says so (section 3.1)', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${NS}'/></query></iq>`
    romeo.sends`<iq type='get' id='s' to='localhost'><services xmlns='${NS}'/></iq>`
    await romeo.receives`<iq type='result' id='s'><services xmlns='${NS}'>
      <service type='stun' host='stun.example' port='3478' transport='udp'/><service type='turn' host='turn.example'/><service type='turns' port='5349'/>
      <service type='ftp' host='files.example' name='Old files' username='guest' password='guest' restricted='true'/>
    </services></iq>`
  }, { pluginOptions }))

  it('gives each user credentials that the relay believes, and that end (section 3.3)', scene(cast, async ({ romeo, juliet }, house) => {
    const names: string[] = []
    for (const who of [romeo, juliet]) {
      who.sends`<iq type='get' id='s' to='localhost'><services xmlns='${NS}' type='turn'/></iq>`
      const answer = await who.receives`<iq type='result' id='s'><services xmlns='${NS}' type='turn'/></iq>`
      const all = answer.getChild('services', NS)!.getChildren('service')
      assert.equal(all.length, 1)
      const { username, password, expires } = all[0]!.attrs
      assert.equal(password, createHmac('sha1', 'north').update(username).digest('base64'))
      const ends = Number(username.split(':')[0]) * 1000
      assert.ok(Math.abs(ends - house.clock.now() - 3_600_000) < 10_000)
      assert.equal(Date.parse(expires), ends)
      assert.doesNotMatch(username, /romeo|juliet|localhost/)
      names.push(username)
    }
    assert.notEqual(names[0], names[1])
  }, { pluginOptions }))

  it('gives credentials for one that is known already (section 3.4)', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='c' to='localhost'><credentials xmlns='${NS}'><service host='turn.example' type='turns'/></credentials></iq>`
    const answer = await romeo.receives`<iq type='result' id='c'><credentials xmlns='${NS}'><service host='turn.example' type='turns' port='5349'/></credentials></iq>`
    assert.ok(answer.getChild('credentials', NS)!.getChild('service')!.attrs['password'])
    romeo.sends`<iq type='get' id='n' to='localhost'><credentials xmlns='${NS}'><service host='stun.example' type='stun'/></credentials></iq>`
    await romeo.receives`<iq type='error' id='n'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    romeo.sends`<iq type='get' id='b' to='localhost'><credentials xmlns='${NS}'/></iq>`
    await romeo.receives`<iq type='error' id='b'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }, { pluginOptions }))

  it('SEC-C18 gives nothing to strangers', scene({}, async (_, house) => {
    const bot = await house.component('bot.localhost', 's')
    bot.says(`<iq type='get' id='s' from='mallory@bot.localhost/x' to='localhost'><services xmlns='${NS}'/></iq>`)
    const answer = await bot.next()
    assert.ok(answer.getChild('error')?.getChild('forbidden'))
    assert.doesNotMatch(String(answer), /password/)
  }, { pluginOptions, externals: { 'bot.localhost': 's' } }))

  it('is not there where nothing is configured', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='s' to='localhost'><services xmlns='${NS}'/></iq>`
    await romeo.receives`<iq type='error' id='s'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }))
})
