// XEP-0198 Stream Management over the wire: sessions that sleep and are resumed.
import assert from 'node:assert/strict'
import { MovedClock } from '../harness/clock.ts'
import { Actor, House, scene } from '../harness/scene.ts'
import { el, Jid, plugin } from '../../server/api.ts'
import { plugins } from '../../plugins/index.ts'
import { bodies, cast, comesBack, drops, ETHERX, HEADER, manages, SASL, SM, STANZAS, STREAMS } from './sm-scene.ts'

describe('stream management', () => {
  it('waits no longer than the client wishes, tells how long, and where to come back to', scene(cast, async ({ romeo, juliet }, house) => {
    house.devices.location = '[2001:db8::1]:5222'
    romeo.says(`<enable xmlns='${SM}' resume='true' max='30'/>`)
    const { id } = (await romeo.receives`<enabled xmlns='${SM}' resume='true' max='30' location='[2001:db8::1]:5222'/>`).attrs as { id: string }
    juliet.says(`<enable xmlns='${SM}' resume='true' max='100000'/>`)
    await juliet.receives`<enabled xmlns='${SM}' resume='true' max='600'/>`
    await drops(romeo, house)
    await house.clock.advance(31_000)
    const back = await comesBack(house, cast.romeo)
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.receives`<failed xmlns='${SM}'><item-not-found xmlns='${STANZAS}'/></failed>`
    back.leaves()
  }))

  it('resumes where it was: what came meanwhile comes once, in order', scene(cast, async ({ romeo, juliet }, house) => {
    juliet.says(`<enable xmlns='${SM}' resume='true'/>`)
    const { id } = (await juliet.receives`<enabled xmlns='${SM}' resume='true'/>`).attrs as { id: string }
    await juliet.comesOnline()
    romeo.says("<message to='juliet@localhost/balcony' type='chat' id='m1'><body>1</body></message>")
    await juliet.hears`<message id='m1'/>`
    juliet.leaves()
    await juliet.isCutOff()
    romeo.says("<message to='juliet@localhost/balcony' type='chat' id='m2'><body>2</body></message>")
    await romeo.receivesNothing()
    const back = new Actor('back', 'juliet@localhost/balcony')
    await back.opens(house.port)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.receives`<resumed xmlns='${SM}' previd='${id}'/>`
    await back.hears`<message id='m1'/>`
    await back.hears`<message id='m2'/>`
    back.says("<message to='romeo@localhost/orchard' type='chat' id='m3'><body>3</body></message>")
    await romeo.receives`<message id='m3' from='juliet@localhost/balcony'/>`
    back.leaves()
  }))

  it("SEC-S05 does not resume another account's session", scene(cast, async ({ romeo, juliet }, house) => {
    juliet.says(`<enable xmlns='${SM}' resume='true'/>`)
    const { id } = (await juliet.receives`<enabled xmlns='${SM}' resume='true'/>`).attrs as { id: string }
    await house.account('mallory')
    const thief = new Actor('thief', 'mallory@localhost/x')
    await thief.opens(house.port)
    await thief.logsIn()
    thief.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await thief.receives`<failed xmlns='${SM}'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`
    romeo.says("<message to='juliet@localhost/balcony' type='chat' id='m1'><body>1</body></message>")
    await juliet.hears`<message id='m1'/>`
    thief.leaves()
  }))

  it('SEC-S05 takes no resume before login, nor an enable: both fail (XEP-0198 section 3)', scene(cast, async ({ romeo, juliet }, house) => {
    const id = await manages(juliet)
    const thief = new Actor('thief', 'juliet@localhost/x')
    await thief.opens(house.port)
    thief.says(`${HEADER}<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await thief.next()
    await thief.receives`<failed xmlns='${SM}'><unexpected-request xmlns='${STANZAS}'/></failed>`
    thief.says(`<enable xmlns='${SM}'/>`)
    await thief.receives`<failed xmlns='${SM}'><unexpected-request xmlns='${STANZAS}'/></failed>`
    thief.says(`<r xmlns='${SM}'/>`)
    await thief.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><not-authorized xmlns='${STREAMS}'/></stream:error>`
    await thief.isCutOff()
    romeo.says("<message to='juliet@localhost/balcony' id='m1'/>")
    await juliet.hears`<message id='m1'/>`
  }))

  it('SEC-S06 gives ids that nobody guesses', scene(cast, async ({ romeo, juliet }) => {
    const ids = [await manages(romeo), await manages(juliet)]
    assert.notEqual(ids[0], ids[1])
    for (const id of ids) assert.ok(Buffer.from(id, 'base64url').length >= 16)
  }))

  it('SEC-S07 resumes while the old connection is open, which ends with conflict, and the session lives on', scene(cast, async ({ romeo, juliet }, house) => {
    const id = await manages(juliet)
    await juliet.comesOnline()
    const back = await comesBack(house, cast.juliet)
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.receives`<resumed xmlns='${SM}' previd='${id}'/>`
    await juliet.hears`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><conflict xmlns='${STREAMS}'/></stream:error>`
    await juliet.isCutOff()
    await house.clock.advance(3_600_000)
    romeo.says("<message to='juliet@localhost/balcony' type='chat' id='later'/>")
    await back.hears`<message id='later'/>`
    await romeo.receivesNothing()
    back.leaves()
  }))

  it('SEC-S07 of eight that resume at the same time one has the session in the end', scene(cast, async ({ romeo, juliet }, house) => {
    const id = await manages(juliet)
    await juliet.comesOnline()
    const many = await Promise.all(Array.from({ length: 8 }, () => comesBack(house, cast.juliet)))
    for (const a of many) a.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    while (house.devices.streams.size > 2) await new Promise(ok => setImmediate(ok)) // romeo's and the winner's
    const account = house.host.accounts.online(Jid.parse('juliet@localhost'))!
    assert.equal(account.resources.size, 1)
    romeo.says("<message to='juliet@localhost/balcony' type='chat'><body>to whom?</body></message>")
    await romeo.fence()
    const heard = await Promise.all(many.map(async a => { try { await a.hears`<message><body>to whom?</body></message>`; return 1 } catch { return 0 } }))
    assert.equal(heard.filter(Boolean).length, 1)
    for (const a of many) a.leaves()
  }))

  it('SEC-S08 takes login, resume and stanzas in one piece, in their order and once', scene(cast, async ({ romeo, juliet }, house) => {
    const id = await manages(juliet)
    await drops(juliet, house)
    const back = new Actor('back', cast.juliet)
    await back.opens(house.port)
    back.says(`${HEADER}<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa('\0juliet\0pw')}</auth>${HEADER}<resume xmlns='${SM}' previd='${id}' h='0'/>${['1', '2', '3'].map(n => `<message to='${cast.romeo}' type='chat'><body>${n}</body></message>`).join('')}<r xmlns='${SM}'/>`)
    await back.hears`<success xmlns='${SASL}'/>`
    await back.hears`<resumed xmlns='${SM}' h='0'/>`
    await back.hears`<a xmlns='${SM}' h='3'/>`
    assert.deepEqual(bodies(await romeo.fence()), ['1', '2', '3'])
    back.leaves()
  }))

  it('SEC-S09 keeps nothing of resumptions with a wrong count', scene(cast, async ({ juliet }, house) => {
    const id = await manages(juliet)
    await drops(juliet, house)
    for (let i = 0; i < 5; i++) {
      const back = await comesBack(house, cast.juliet)
      back.says(`<resume xmlns='${SM}' previd='${id}' h='${1000 + i}'/>`)
      await back.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><undefined-condition xmlns='${STREAMS}'/><handled-count-too-high xmlns='${SM}' send-count='0'/></stream:error>`
      await back.isCutOff()
    }
    assert.equal(house.devices.resumable, 1)
    await house.clock.advance(601_000)
    assert.equal(house.devices.resumable, 0)
  }))

  it('forgets the ids of sessions that ended, however they did', scene({ ...cast, nurse: 'nurse@localhost/kitchen', friar: 'friar@localhost/cell' }, async ({ romeo, juliet, nurse, friar }, house) => {
    for (const a of [romeo, juliet, nurse, friar]) await manages(a)
    assert.equal(house.devices.resumable, 4)
    romeo.says('</stream:stream>')
    await romeo.isCutOff()
    await house.actor('again', cast.juliet) // replaces her
    await juliet.isCutOff()
    await drops(nurse, house)
    await house.clock.advance(601_000)
    assert.equal(house.devices.resumable, 1)
    house.host.accounts.online(Jid.parse('friar@localhost'))!.resources.get('cell')!.end('reset')
    assert.equal(house.devices.resumable, 0)
  }))

  it('SEC-S12 has each message once and in order, though the connection is cut again and again', scene(cast, async ({ romeo, juliet }, house) => {
    const id = await manages(juliet)
    await juliet.comesOnline()
    let seed = 198
    const random = (n: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n
    const [total, heard] = [60, [] as string[]]
    let [carrier, h, sent] = [juliet as Actor, 0, 0]
    const count = (x: { name: string; attrs: Record<string, unknown>; getChildText(name: string): string | null }): void => {
      if (!['message', 'presence', 'iq'].includes(x.name)) return
      h++
      const body = x.name === 'message' ? x.getChildText('body') : null
      if (body !== null) heard.push(body)
    }
    h = 2 // her own presence and the first answer to a ping
    while (heard.length < total) {
      for (let n = random(16); n > 0 && sent < total; n--, sent++) romeo.sends`<message to='juliet@localhost' type='chat'><body>${sent}</body></message>`
      await romeo.fence()
      for (let n = 2 + random(12); n > 0 && heard.length < sent; n--) count(await carrier.next())
      await drops(carrier, house)
      carrier = await comesBack(house, cast.juliet)
      carrier.says(`<resume xmlns='${SM}' previd='${id}' h='${h}'/>`)
      await carrier.receives`<resumed xmlns='${SM}' previd='${id}'/>`
    }
    assert.deepEqual(heard, Array.from({ length: total }, (_, i) => String(i)))
    carrier.leaves()
  }))

  it('SEC-S13 sleeps where its client owes an answer for a minute, and nobody is told', async () => {
    const network = new MovedClock()
    await using house = await House.open({ network })
    const romeo = await house.actor('romeo', cast.romeo)
    const juliet = await house.actor('juliet', cast.juliet)
    await manages(juliet)
    await juliet.comesOnline()
    await network.advance(1_000)
    await juliet.hears`<r xmlns='${SM}'/>`
    await network.advance(61_000)
    juliet.says("<iq type='get' id='still-here' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    await juliet.hears`<iq id='still-here'/>`
    for (const s of house.devices.streams) s.probe(network.now())
    await juliet.hears`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><connection-timeout xmlns='${STREAMS}'/></stream:error>`
    assert.equal(house.devices.resumable, 1)
    romeo.says("<message to='juliet@localhost/balcony' type='headline' id='there'/>")
    assert.ok((await romeo.fence()).every(x => x.name === 'iq' && x.attrs['type'] === 'get'), 'nothing but the question whether he is there himself')
  })

  it('SEC-S14 lets the one sleep no longer that has slept longest, and sleepers take nobody the place', scene({}, async (_, house) => {
    const ids: string[] = []
    for (let i = 0; i < 4; i++) {
      const a = await house.actor(`r${i}`, `romeo@localhost/r${i}`)
      ids.push(await manages(a))
      await drops(a, house)
    }
    const awake = [await house.actor('a0', 'romeo@localhost/a0'), await house.actor('a1', 'romeo@localhost/a1')]
    await assert.rejects(house.actor('a2', 'romeo@localhost/a2'), /resource-constraint/)
    const back = await comesBack(house, 'romeo@localhost/r0')
    back.says(`<resume xmlns='${SM}' previd='${ids[0]}' h='0'/>`)
    await back.receives`<failed xmlns='${SM}'><item-not-found xmlns='${STANZAS}'/></failed>`
    back.says(`<resume xmlns='${SM}' previd='${ids[1]}' h='0'/>`)
    await back.receives`<resumed xmlns='${SM}'/>`
    await awake[0]!.receivesNothing()
    back.leaves()
  }, { limits: { resources: { perAccount: 2, hibernated: 3 } } }))

  it('SEC-A16 SEC-S14 where none may sleep it promises no resumption, and counts all the same', scene({}, async (_, house) => {
    const a = await house.actor('romeo', 'romeo@localhost/orchard')
    a.says(`<enable xmlns='${SM}' resume='true'/>`)
    const [enabled] = await a.fence()
    assert.deepEqual([enabled?.name, enabled?.attrs['resume'], enabled?.attrs['id']], ['enabled', undefined, undefined])
    a.says(`<r xmlns='${SM}'/>`)
    await a.receives`<a xmlns='${SM}' h='1'/>`
  }, { limits: { resources: { perAccount: 2, hibernated: 0 } } }))

  it('SEC-S15 an answer to what the old session asked is not given to the next of its name', async () => {
    const gate = Promise.withResolvers<void>()
    const slow = plugin('slow', host => host.iq(['host'], 'get', 'urn:slow', 'slow', async () => { await gate.promise; return el('done', 'urn:slow') }))
    await using house = await House.open({ plugins: [...plugins, slow] })
    const old = await house.actor('old', cast.romeo)
    old.says("<iq type='get' id='slow' to='localhost'><slow xmlns='urn:slow'/></iq>")
    await drops(old, house)
    const fresh = await house.actor('fresh', cast.romeo)
    gate.resolve()
    await gate.promise
    await fresh.receivesNothing()
  })

  it('says at a resumption only what is done, and goes on behind what is not', async () => {
    const gate = Promise.withResolvers<void>()
    const slow = plugin('slow', host => host.on('out:admit', async p => { if (p.stanza.head.id === 'slow') await gate.promise }))
    await using house = await House.open({ plugins: [...plugins, slow] })
    const romeo = await house.actor('romeo', cast.romeo)
    const juliet = await house.actor('juliet', cast.juliet)
    const id = await manages(juliet)
    juliet.says(`<message to='${cast.romeo}' id='slow' type='chat'><body>slow</body></message>`)
    await drops(juliet, house)
    const back = await comesBack(house, cast.juliet)
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/><message to='${cast.romeo}' id='quick' type='chat'><body>quick</body></message>`)
    await romeo.receivesNothing()
    gate.resolve()
    await back.receives`<resumed xmlns='${SM}' h='1'/>`
    await romeo.receives`<message id='slow'/>`
    await romeo.receives`<message id='quick'/>`
    back.leaves()
  })
})
