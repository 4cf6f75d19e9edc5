import assert from 'node:assert/strict'
import { Actor, House, scene } from '../harness/scene.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { silent } from '../../server/ports/log.ts'
import { arrives, befriend } from '../harness/friends.ts'
import { capsHash } from '../../protocols/caps.ts'
import { parseFrame } from '../../server/xml/parser.ts'
import { COMPONENTS } from '../../plugins/disco.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

const asks = (a: Actor, to: string, ns = INFO, node = ''): void => a.says(`<iq type='get' id='d'${to && ` to='${to}'`}><query xmlns='${ns}'${node && ` node='${node}'`}/></iq>`)

describe('XEP-0030 Service Discovery', () => {
  it('tells what the host is and can', scene(cast, async ({ romeo }) => {
    asks(romeo, 'localhost')
    await romeo.receives`<iq type='result' id='d' from='localhost'><query xmlns='${INFO}'><identity category='server' type='im'/><feature var='${INFO}'/><feature var='${ITEMS}'/><feature var='urn:xmpp:ping'/><feature var='jabber:iq:version'/></query></iq>`
  }))

  it('lists the components', scene(cast, async ({ romeo }, house) => {
    house.host.provide(COMPONENTS, ['rooms.localhost', 'help.localhost'])
    asks(romeo, 'localhost', ITEMS)
    await romeo.receives`<iq type='result' id='d'><query xmlns='${ITEMS}'><item jid='rooms.localhost'/><item jid='help.localhost'/></query></iq>`
  }))

  for (const to of ['', 'romeo@localhost']) {
    it(`tells what one's own account is, asked ${to ? 'by address' : 'without one'}`, scene(cast, async ({ romeo }) => {
      asks(romeo, to)
      await romeo.receives`<iq type='result' id='d'><query xmlns='${INFO}'><identity category='account' type='registered'/><feature var='urn:xmpp:mam:2'/></query></iq>`
      asks(romeo, to, ITEMS)
      await romeo.receives`<iq type='result' id='d'><query xmlns='${ITEMS}'/></iq>`
    }))
  }

  it('SEC-P07 a friend may ask about an account, a stranger hears the same as about nobody', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    const answers: string[] = []
    for (const to of [juliet.bare, 'nobody@localhost']) {
      asks(romeo, to)
      answers.push(String(await romeo.receives`<iq type='error' id='d' from='${to}'><error type='cancel'><service-unavailable xmlns='${NS}'/></error></iq>`).replaceAll(to, 'WHO'))
    }
    assert.equal(answers[0], answers[1])
    await befriend(romeo, juliet)
    await romeo.fence()
    asks(romeo, juliet.bare)
    await romeo.receives`<iq type='result' id='d' from='${juliet.bare}'><query xmlns='${INFO}'><identity category='account'/></query></iq>`
  }))

  it('XEP-0030 section 8: to a stranger an account has no items, with a node and without, blocked or not, and neither has nobody', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    for (const blocked of [false, true]) {
      for (const to of [juliet.bare, 'nobody@localhost']) {
        for (const node of [undefined, 'urn:xmpp:bookmarks:1']) {
          asks(romeo, to, ITEMS, node)
          const answer = await romeo.receives`<iq type='result' id='d' from='${to}'><query xmlns='${ITEMS}'/></iq>`
          assert.equal(answer.getChild('query')!.children.length, 0)
          assert.equal(answer.getChild('query')!.attrs['node'], node)
        }
      }
      if (blocked) break
      juliet.says(`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='${romeo.bare}'/></block></iq>`)
      await juliet.hears`<iq type='result' id='b'/>`
    }
    await juliet.fence()
  }))

  for (const ns of [INFO, ITEMS]) {
    it(`knows no node of that name (${ns})`, scene(cast, async ({ romeo }) => {
      for (const to of ['localhost', 'romeo@localhost']) {
        asks(romeo, to, ns, 'nonsense')
        await romeo.receives`<iq type='error' id='d'><error type='cancel'><item-not-found xmlns='${NS}'/></error></iq>`
      }
    }))
  }

  it('XEP-0115 the hash among the stream features is that of the answer', scene(cast, async ({ romeo }, house) => {
    const features = house.host.streamFeatures.after.map(f => f())
    const c = features.find(f => f.ns === 'http://jabber.org/protocol/caps')!
    asks(romeo, 'localhost', INFO, `${c.attrs['node']}#${c.attrs['ver']}`)
    const answer = await romeo.receives`<iq type='result' id='d'><query xmlns='${INFO}'/></iq>`
    assert.equal(capsHash(parseFrame(String(answer.getChild('query')))), c.attrs['ver'])
  }))

  it('XEP-0115 section 8.4: a client says its capabilities once; friends hear them whenever they first hear of it', scene(cast, async ({ romeo, juliet }) => {
    asks(romeo, 'localhost')
    await romeo.receives`<iq type='result' id='d'><query xmlns='${INFO}'><feature var='http://jabber.org/protocol/caps#optimize'/></query></iq>`
    const c = (ver: string): string => `<c xmlns='http://jabber.org/protocol/caps' node='urn:x' ver='${ver}'/>`
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await romeo.comesOnline(`<presence type='unavailable'/>`)
    await juliet.comesOnline(`<presence>${c('one')}</presence>`)
    await juliet.comesOnline('<presence><show>away</show></presence>')
    romeo.says('<presence/>')
    await romeo.hears`<presence from='${juliet}'><show>away</show><c xmlns='http://jabber.org/protocol/caps' ver='one'/></presence>`
    juliet.says(`<presence>${c('two')}</presence>`)
    await romeo.hears`<presence from='${juliet}'><c xmlns='http://jabber.org/protocol/caps' ver='two'/></presence>`
    await juliet.fence()
  }))

  it('XEP-0115 section 8.4 … also one whose session goes on after a restart of the server', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const lasting = { ...stores, close: async () => {} }
    const SM = 'urn:xmpp:sm:3'
    let id = ''
    {
      await using house = await House.open({ stores: lasting })
      const [romeo, juliet] = [await house.actor('romeo', cast.romeo), await house.actor('juliet', cast.juliet)]
      await arrives(romeo, juliet)
      await befriend(romeo, juliet)
      juliet.says(`<enable xmlns='${SM}' resume='true'/>`)
      id = String((await juliet.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
      await juliet.comesOnline(`<presence><c xmlns='http://jabber.org/protocol/caps' node='urn:x' ver='one'/></presence>`)
      await house.devices.shutDown(lasting, silent)
    }
    await using house = await House.open({ stores: lasting })
    const romeo = await house.actor('romeo', cast.romeo)
    await romeo.comesOnline()
    const back = new Actor('back', cast.juliet)
    await back.opens(house.port)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='1'/>`)
    await back.hears`<resumed xmlns='${SM}' previd='${id}'/>`
    back.says('<presence><show>away</show></presence>')
    await romeo.hears`<presence from='${back}'><show>away</show><c xmlns='http://jabber.org/protocol/caps' ver='one'/></presence>`
    back.leaves()
    await stores.close()
  })

  it('XEP-0157 tells whom to write to', scene(cast, async ({ romeo }) => {
    asks(romeo, 'localhost')
    const answer = await romeo.receives`<iq type='result' id='d'><query xmlns='${INFO}'><x xmlns='jabber:x:data' type='result'>
      <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>
      <field var='abuse-addresses' type='list-multi'><value>mailto:abuse@localhost</value><value>xmpp:admin@localhost</value></field></x></query></iq>`
    assert.ok(answer)
  }, { pluginOptions: { disco: { contact: { abuse: ['mailto:abuse@localhost', 'xmpp:admin@localhost'], nonsense: ['x'] } } } }))

  it('XEP-0455 tells where outages are told of, and nothing where the config names no place', scene(cast, async ({ romeo }, house) => {
    asks(romeo, 'localhost')
    await romeo.receives`<iq type='result' id='d'><query xmlns='${INFO}'><x xmlns='jabber:x:data' type='result'>
      <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:sos:0</value></field>
      <field var='external-status-addresses' type='list-multi'><value>https://status.example/xmpp.json</value></field></x></query></iq>`
    const c = house.host.streamFeatures.after.map(f => f()).find(f => f.ns === 'http://jabber.org/protocol/caps')!
    asks(romeo, 'localhost', INFO, `${c.attrs['node']}#${c.attrs['ver']}`)
    await romeo.receives`<iq type='result' id='d'><query xmlns='${INFO}'><x xmlns='jabber:x:data'/></query></iq>`
    await using plain = await House.open()
    const other = await plain.actor('other', cast.romeo)
    asks(other, 'localhost')
    assert.equal((await other.receives`<iq type='result' id='d'/>`).getChild('query')!.getChild('x', 'jabber:x:data'), undefined)
  }, { pluginOptions: { outage: { addresses: ['https://status.example/xmpp.json'] } } }))
})

describe('small answers', () => {
  it('XEP-0199 a ping to the host, the own account and without address', scene(cast, async ({ romeo }) => {
    for (const to of ['localhost', romeo.bare]) {
      romeo.sends`<iq type='get' id='p' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`
      await romeo.receives`<iq type='result' id='p' from='${to}'/>`
    }
    romeo.sends`<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`
    await romeo.receives`<iq type='result' id='p'/>`
  }))
  it('XEP-0092 which server this is', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='v' to='localhost'><query xmlns='jabber:iq:version'/></iq>`
    await romeo.receives`<iq type='result' id='v'><query xmlns='jabber:iq:version'><name>deskbell</name><version>1.2.3</version></query></iq>`
  }, { pluginOptions: { version: { number: '1.2.3' } } }))
  it('XEP-0202 what time it is there', scene(cast, async ({ romeo }, house) => {
    await house.clock.advance(3_600_000)
    romeo.sends`<iq type='get' id='t' to='localhost'><time xmlns='urn:xmpp:time'/></iq>`
    const time = (await romeo.receives`<iq type='result' id='t'><time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc/></time></iq>`).getChild('time')!
    assert.match(time.getChildText('utc')!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.ok(Math.abs(Date.parse(time.getChildText('utc')!) - house.clock.now()) < 60_000)
  }))
  it('SEC-P07 they are the host\'s to give, not an account\'s to strangers', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    for (const query of [`<query xmlns='jabber:iq:version'/>`, `<time xmlns='urn:xmpp:time'/>`, `<ping xmlns='urn:xmpp:ping'/>`]) {
      for (const to of [juliet.bare, 'nobody@localhost']) {
        romeo.says(`<iq type='get' id='x' to='${to}'>${query}</iq>`)
        await romeo.receives`<iq type='error' id='x' from='${to}'><error type='cancel'><service-unavailable xmlns='${NS}'/></error></iq>`
      }
    }
  }))
  it('XEP-0352 a client may say that nobody looks', scene(cast, async ({ romeo }, house) => {
    assert.ok(house.host.streamFeatures.after.some(f => f().ns === 'urn:xmpp:csi:0'))
    for (const name of ['inactive', 'active']) romeo.says(`<${name} xmlns='urn:xmpp:csi:0'/>`)
    await romeo.receivesNothing()
  }))
})
