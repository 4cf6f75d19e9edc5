import assert from 'node:assert/strict'
import { MovedClock } from '../harness/clock.ts'
import { Actor, House, scene } from '../harness/scene.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { silent } from '../../server/ports/log.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { arrives, befriend, fetches } from '../harness/friends.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const three = { ...cast, phone: 'romeo@localhost/phone' }
const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

const told = async (a: Actor): Promise<string[]> => (await a.fence()).map(x => `${x.name === 'presence' ? '' : x.name + ' '}${x.attrs['type'] ?? 'available'} ${x.attrs['from']}`)

/** A component that notes the presence it hears. */
const listener = () => {
  const seen: string[] = []
  return { seen, component: { name: 'listener', start: () => ({ receive: (s: { kind: string; type: string; from?: unknown; to?: unknown }) => { seen.push(`${s.type} ${String(s.from)} ${String(s.to)}`) } }) } }
}

describe('presence', () => {
  it('RFC-E1 the first goes to those who may see it and to one\'s own devices, itself included; then one sees the others', scene(three, async ({ romeo, juliet, phone }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    phone.sends`<presence id='p1'><show>dnd</show><status>hush</status><priority>3</priority></presence>`
    for (const a of [phone, romeo]) await a.hears`<presence from='${phone}' to='${romeo.bare}' id='p1'><show>dnd</show><status>hush</status><priority>3</priority></presence>`
    await juliet.hears`<presence from='${phone}' to='${juliet.bare}' id='p1'><show>dnd</show><status>hush</status><priority>3</priority></presence>`
    await phone.hears`<presence from='${juliet}' to='${romeo.bare}'/>`
  }))

  it('RFC-E1 later ones go to the same, and nobody is asked again', async () => {
    const { seen, component } = listener()
    await scene(cast, async ({ romeo }, house) => {
      await house.privileges('x.localhost').inject(romeo.bare, [{ jid: 'friend@x.localhost', groups: [], subscription: 'both' }])
      await romeo.comesOnline()
      assert.deepEqual(seen, [`available ${romeo} friend@x.localhost`, `probe ${romeo.bare} friend@x.localhost`])
      seen.length = 0
      await romeo.comesOnline('<presence><show>away</show></presence>')
      assert.deepEqual(seen, [`available ${romeo} friend@x.localhost`])
    }, { components: { 'x.localhost': component } })()
  })

  it('RFC-E2 a probe of a stranger is answered with unsubscribed, and ends no approval given beforehand', scene(cast, async ({ juliet }, house) => {
    const stranger = await house.component('far.localhost', 'verona')
    await arrives(juliet)
    juliet.sends`<presence to='romeo@far.localhost' type='subscribed'/>`
    await juliet.fence()
    stranger.sends`<presence from='romeo@far.localhost' to='${juliet.bare}' type='probe' id='p'/>`
    await stranger.receives`<presence xmlns='jabber:component:accept' type='unsubscribed' from='${juliet.bare}' to='romeo@far.localhost' id='p'/>`
    stranger.sends`<presence from='romeo@far.localhost' to='${juliet.bare}' type='subscribe'/>`
    await stranger.receives`<presence xmlns='jabber:component:accept' type='subscribed' from='${juliet.bare}'/>`
  }, { externals: { 'far.localhost': 'verona' } }))

  it('RFC-E2 … and who was wrongly thought a friend is one no more', scene(cast, async ({ romeo, juliet }, house) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    house.host.rosters.of(house.host.accounts.online(Jid.parse(juliet.bare))!).items.delete(romeo.bare)
    romeo.sends`<presence to='${juliet.bare}' type='probe' id='p'/>`
    await romeo.hears`<presence type='unsubscribed' from='${juliet.bare}' id='p'/>`
    await romeo.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='from'/></query></iq>`
  }))

  it('RFC-E2 RFC-E12 a friend\'s is answered with each device\'s last presence, whole and with its own id', scene(three, async ({ romeo, juliet, phone }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await romeo.comesOnline(`<presence id='a'><show>xa</show></presence>`)
    await phone.comesOnline(`<presence id='b'><status>here</status><x xmlns='urn:example'/></presence>`)
    romeo.sends`<presence to='${juliet.bare}'><show>chat</show></presence>`
    await romeo.fence()
    await juliet.fence()
    juliet.sends`<presence to='${romeo.bare}' type='probe' id='p'/>`
    await juliet.receives`<presence from='${romeo}' id='a'><show>xa</show></presence>`
    await juliet.receives`<presence from='${phone}' id='b'><status>here</status><x xmlns='urn:example'/></presence>`
    await juliet.receivesNothing()
  }))

  it('RFC-E2 RFC-E12 of one who is away: unavailable from the account, with the probe\'s id and the time', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    romeo.sends`<presence type='unavailable'><status>secret errand</status></presence>`
    await romeo.fence()
    await juliet.fence()
    juliet.sends`<presence to='${romeo.bare}' type='probe' id='p'/>`
    const answer = await juliet.receives`<presence type='unavailable' from='${romeo.bare}' id='p'><delay xmlns='urn:xmpp:delay'/></presence>`
    assert.match(String(answer.getChild('delay')!.attrs['stamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  }))

  it('RFC-E3 a probe is no reason for an error, also of one who does not exist', scene(cast, async ({ romeo }) => {
    romeo.sends`<presence to='nobody@localhost' type='probe' id='p'/>`
    for (const x of await romeo.fence()) assert.notEqual(x.attrs['type'], 'error')
    romeo.sends`<presence type='probe'/>`
    await romeo.receivesNothing()
  }))

  it('SEC-P04 a stranger learns no more of who exists than of who does not', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    const answers: string[] = []
    for (const who of [juliet.bare, 'nobody@localhost']) {
      romeo.sends`<presence to='${who}' type='probe' id='p'/>`
      answers.push((await romeo.fence()).map(String).join('').replaceAll(who, 'WHO'))
    }
    assert.equal(answers[0], answers[1])
  }))

  it('RFC-E11 a probe to one device: a friend hears that it is there, and no more', scene(three, async ({ romeo, juliet, phone }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await phone.comesOnline(`<presence><show>dnd</show><status>hush</status></presence>`)
    await juliet.fence()
    juliet.sends`<presence to='${phone}' type='probe' id='p'/>`
    const answer = await juliet.receives`<presence from='${phone}'/>`
    assert.equal(answer.children.length, 0)
    juliet.sends`<presence to='${romeo.bare}/nowhere' type='probe' id='q'/>`
    assert.equal((await told(juliet)).some(t => t.startsWith('available')), false)
  }))
  it('RFC-E11 … who got directed presence hears of that device only, a stranger nothing', scene({ ...three, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, phone, nurse }) => {
    for (const a of [romeo, phone, juliet, nurse]) await a.comesOnline()
    romeo.sends`<presence to='${juliet}'><show>dnd</show></presence>`
    await romeo.fence()
    await juliet.fence()
    juliet.sends`<presence to='${romeo}' type='probe' id='p'/>`
    const answer = await juliet.receives`<presence from='${romeo}'/>`
    assert.equal(answer.children.length, 0)
    juliet.sends`<presence to='${phone}' type='probe' id='q'/>`
    assert.deepEqual(await told(juliet), [])
    nurse.sends`<presence to='${romeo}' type='probe' id='q'/>`
    assert.deepEqual(await told(nurse), [])
  }))

  it('RFC-E4 leaving with a word: everybody hears that word, the leaver too', scene(three, async ({ romeo, juliet, phone }) => {
    await arrives(romeo, juliet, phone)
    await befriend(romeo, juliet)
    for (const a of [romeo, juliet, phone]) await a.fence()
    romeo.sends`<presence type='unavailable' id='bye'><status>gone fishing</status></presence>`
    for (const a of [romeo, phone, juliet]) await a.receives`<presence type='unavailable' from='${romeo}' to='${a.bare}' id='bye'><status>gone fishing</status></presence>`
  }))
  it('RFC-E4 SEC-P06 leaving without one: friends, own devices and those told by name hear it once', scene({ ...three, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, phone, nurse }) => {
    await arrives(romeo, juliet, phone, nurse)
    await befriend(romeo, juliet)
    for (const to of [nurse, juliet]) romeo.sends`<presence to='${to}'/>`
    for (const a of [romeo, juliet, phone, nurse]) await a.fence()
    romeo.leaves()
    for (const a of [juliet, phone, nurse]) {
      await a.receives`<presence type='unavailable' from='${romeo}'/>`
      await a.receivesNothing()
    }
  }))
  it('RFC-E4 … closing the stream is such an end', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    romeo.says('</stream:stream>')
    await juliet.hears`<presence type='unavailable' from='${romeo}'/>`
  }))

  it('RFC-E5 directed presence: no later ones follow, the end does', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    romeo.sends`<presence to='${juliet}'><status>for you</status></presence>`
    await juliet.receives`<presence from='${romeo}' to='${juliet}'><status>for you</status></presence>`
    await romeo.comesOnline('<presence><show>away</show></presence>')
    await juliet.receivesNothing()
    romeo.sends`<presence type='unavailable'><status>bye</status></presence>`
    await juliet.receives`<presence type='unavailable' from='${romeo}' to='${juliet}'><status>bye</status></presence>`
    romeo.leaves()
    await juliet.receivesNothing()
  }))
  it('RFC-E5 … also of a device that never was available, and of one that no longer is', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    romeo.sends`<presence to='${juliet}'/>`
    await juliet.receives`<presence from='${romeo}'/>`
    romeo.sends`<presence type='unavailable'/>`
    await juliet.receives`<presence type='unavailable' from='${romeo}'/>`
    romeo.sends`<presence to='${juliet}'/>`
    await juliet.receives`<presence from='${romeo}'/>`
    romeo.leaves()
    await juliet.receives`<presence type='unavailable' from='${romeo}'/>`
  }))
  it('RFC-E5 … taken back by name it is not said again', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    romeo.sends`<presence to='${juliet}'/>`
    romeo.sends`<presence to='${juliet}' type='unavailable'/>`
    assert.deepEqual(await romeo.fence(), [])
    assert.deepEqual(await told(juliet), [`available ${romeo}`, `unavailable ${romeo}`])
    romeo.leaves()
    await juliet.receivesNothing()
  }))
  it('RFC-E5 … nor to who has said that he is gone', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    romeo.sends`<presence to='${juliet}'/>`
    await romeo.fence()
    await juliet.fence()
    juliet.sends`<presence to='${romeo}' type='unavailable'/>`
    await romeo.hears`<presence type='unavailable' from='${juliet}'/>`
    romeo.sends`<presence type='unavailable'/>`
    await romeo.fence()
    await juliet.receivesNothing()
  }))
  it('RFC-E5 … a component hears the end of who entered by name', async () => {
    const { seen, component } = listener()
    await scene(cast, async ({ romeo, juliet }) => {
      romeo.sends`<presence to='room@rooms.localhost/Romeo'/>`
      await romeo.fence()
      romeo.leaves()
      while (seen.length < 2) await juliet.fence()
      assert.deepEqual(seen, [`available ${romeo} room@rooms.localhost/Romeo`, `unavailable ${romeo} room@rooms.localhost/Romeo`])
    }, { components: { 'rooms.localhost': component } })()
  })

  it('RFC-E6 who said unavailable still is reached by the full address, and comes back as one who is new', scene({ ...three }, async ({ romeo, juliet, phone }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await phone.comesOnline()
    romeo.sends`<presence type='unavailable'/>`
    await romeo.fence()
    for (const a of [juliet, phone]) await a.fence()
    juliet.sends`<message to='${romeo}' type='chat'><body>full</body></message>`
    juliet.sends`<message to='${romeo.bare}' type='chat'><body>bare</body></message>`
    await romeo.receives`<message><body>full</body></message>`
    await phone.receives`<message><body>bare</body></message>`
    await romeo.receivesNothing()
    romeo.sends`<presence/>`
    await romeo.hears`<presence from='${juliet}'/>`
  }))

  for (const [what, inside] of [
    ['beyond 127', '<priority>128</priority>'], ['below -128', '<priority>-129</priority>'], ['no number', '<priority>high</priority>'],
    ['a fraction', '<priority>1.5</priority>'], ['said twice', '<priority>1</priority><priority>2</priority>'],
  ] as const) {
    it(`RFC-E7 a priority ${what} is refused and shown to nobody`, scene(three, async ({ romeo, phone }) => {
      await phone.comesOnline()
      romeo.says(`<presence id='p'>${inside}</presence>`)
      await romeo.receives`<presence type='error' id='p'><error type='modify'><bad-request xmlns='${NS}'/></error></presence>`
      await phone.receivesNothing()
    }))
  }
  it('RFC-E7 a negative one gets no message to the account', scene(three, async ({ romeo, juliet, phone }) => {
    await romeo.comesOnline('<presence><priority>-1</priority></presence>')
    await phone.comesOnline('<presence><priority>-128</priority></presence>')
    juliet.sends`<message to='${romeo.bare}' type='chat' id='m'><body>hello?</body></message>`
    await juliet.fence()
    for (const a of [romeo, phone]) assert.deepEqual((await a.fence()).filter(x => x.name === 'message'), [])
  }))

  it('RFC-E8 a type that is none is refused', scene(cast, async ({ romeo, juliet }) => {
    romeo.sends`<presence to='${juliet}' type='invisible' id='p'/>`
    await romeo.receives`<presence type='error' id='p'><error type='modify'><bad-request xmlns='${NS}'/></error></presence>`
    await juliet.receivesNothing()
  }))

  it('RFC-E14 an error of a contact stops nothing', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    juliet.sends`<presence to='${romeo}' type='error'><error type='cancel'><gone xmlns='${NS}'/></error></presence>`
    await romeo.hears`<presence type='error' from='${juliet}'/>`
    await romeo.comesOnline('<presence><show>away</show></presence>')
    await juliet.hears`<presence from='${romeo}'><show>away</show></presence>`
    romeo.sends`<presence type='unavailable'/>`
    await juliet.hears`<presence type='unavailable' from='${romeo}'/>`
  }))

  it('SEC-P11 a presence that is too big for everybody is refused', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    romeo.says(`<presence id='big'><status>${'s'.repeat(65_536)}</status></presence>`)
    await romeo.receives`<presence type='error' id='big'><error><not-acceptable xmlns='${NS}'/></error></presence>`
    await juliet.receivesNothing()
  }))

  it('SEC-P11 presence a hundred times at once is told to friends a few times, the latest for certain and once, and no message overtakes it', async () => {
    const network = new MovedClock()
    await scene({ ...cast, phone: 'benvolio@localhost/phone' }, async ({ romeo, juliet, phone }) => {
      await arrives(romeo, juliet, phone)
      await befriend(romeo, juliet)
      await befriend(romeo, phone)
      for (let n = 1; n <= 100; n++) romeo.says(`<presence><status>${n}</status></presence>`)
      romeo.sends`<message to='${juliet}' type='chat' id='m'><body>there?</body></message>`
      const told: string[] = []
      for (let x = await juliet.next(); x.attrs['id'] !== 'm'; x = await juliet.next()) told.push(x.getChildText('status') ?? x.name)
      assert.equal(told.at(-1), '100')
      assert.ok(told.length <= 6, told.join())
      await network.advance(1_000)
      await juliet.receivesNothing() // she has it
      assert.equal((await phone.fence()).at(-1)?.getChildText('status'), '100')
      await romeo.fence()
      juliet.sends`<presence to='${romeo.bare}' type='probe'/>`
      await juliet.receives`<presence from='${romeo}'><status>100</status></presence>`
    }, { network })()
  })

  it('SEC-P11 who floods friends and then goes for one of them is gone for that one', async () => {
    const network = new MovedClock()
    await scene(cast, async ({ romeo, juliet }) => {
      await arrives(romeo, juliet)
      await befriend(romeo, juliet)
      for (let n = 1; n <= 20; n++) romeo.says(`<presence><status>${n}</status></presence>`)
      romeo.sends`<presence to='${juliet}' type='unavailable'/>`
      await romeo.fence()
      await network.advance(1_000)
      const told = (await juliet.fence()).map(x => x.attrs['type'] ?? x.getChildText('status'))
      assert.deepEqual(told.slice(-2), ['20', 'unavailable'])
    }, { network })()
  })

  it('SEC-P11 who goes in a flood and comes again under the same address is there in the end', async () => {
    const network = new MovedClock()
    await scene(cast, async ({ romeo, juliet }, house) => {
      await arrives(romeo, juliet)
      await befriend(romeo, juliet)
      for (let n = 1; n <= 20; n++) romeo.says(`<presence><status>${n}</status></presence>`)
      romeo.says("<presence type='unavailable'/></stream:stream>")
      await romeo.isCutOff()
      const again = await house.actor('again', romeo.jid)
      again.says('<presence><status>again</status></presence>')
      await again.fence()
      await network.advance(1_000)
      const told = (await juliet.fence()).map(x => x.attrs['type'] ?? x.getChildText('status'))
      assert.deepEqual(told.slice(-2), ['unavailable', 'again'])
    }, { network })()
  })

  it('SEC-P11 what a flood left waiting is told before the server ends, where sessions outlive that', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const lasting = { ...stores, close: async () => {} }
    const SM = 'urn:xmpp:sm:3'
    let id = ''
    {
      await using house = await House.open({ stores: lasting, network: new MovedClock() })
      const [romeo, juliet] = [await house.actor('romeo', cast.romeo), await house.actor('juliet', cast.juliet)]
      await arrives(romeo, juliet)
      await befriend(romeo, juliet)
      for (const a of [romeo, juliet]) a.says(`<enable xmlns='${SM}' resume='true'/>`)
      id = String((await juliet.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
      await romeo.hears`<enabled xmlns='${SM}' resume='true'/>`
      for (let n = 1; n <= 20; n++) romeo.says(`<presence><status>${n}</status></presence>`)
      await romeo.fence()
      await house.devices.shutDown(lasting, silent)
    }
    await using house = await House.open({ stores: lasting })
    const back = new Actor('back', cast.juliet)
    await back.opens(house.port)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.hears`<resumed xmlns='${SM}' previd='${id}'/>`
    assert.equal((await back.fence()).filter(x => x.name === 'presence').at(-1)?.getChildText('status'), '20')
    back.leaves()
    await stores.close()
  })

  it('SEC-P11 whoever comes and goes fifty times and then breaks off is told a few times, and is gone in the end', async () => {
    const network = new MovedClock()
    await scene(cast, async ({ romeo, juliet }, house) => {
      await arrives(romeo, juliet)
      await befriend(romeo, juliet)
      for (let n = 1; n <= 50; n++) romeo.says("<presence/><presence type='unavailable'/>")
      await romeo.fence()
      const streams = house.devices.streams.size
      romeo.leaves()
      while (house.devices.streams.size === streams) await new Promise(ok => setImmediate(ok))
      await network.advance(1_000)
      const types = (await juliet.fence()).map(x => x.attrs['type'])
      assert.ok(types.length <= 6, types.join())
      assert.equal(types.at(-1), 'unavailable')
    }, { network })()
  })

  it('goes to five hundred friends, each once', scene(cast, async ({ romeo }, house) => {
    const heard = new Map<string, number>()
    const crowd = { name: 'crowd', start: () => ({ receive: (s: { type: string; to?: unknown }) => { if (s.type === 'available') heard.set(String(s.to), (heard.get(String(s.to)) ?? 0) + 1) } }) }
    await using _ = await house.mount('crowd.localhost', crowd)
    await fetches(romeo)
    await house.privileges('crowd.localhost').inject(romeo.bare, Array.from({ length: 500 }, (_, i) => ({ jid: `f${i}@crowd.localhost`, groups: [], subscription: 'both' as const })))
    await romeo.comesOnline()
    assert.equal(heard.size, 500)
    assert.ok([...heard.values()].every(n => n === 1))
  }))
})
