// XEP-0198 Stream Management over the wire: counting, resuming, and what becomes of messages that were never acknowledged.
import assert from 'node:assert/strict'
import { MovedClock } from '../harness/clock.ts'
import { Actor, House, scene, type SceneOptions } from '../harness/scene.ts'
import { el, Jid, plugin, Stanza, type Component } from '../../server/api.ts'
import { silent } from '../../server/ports/log.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { plugins } from '../../plugins/index.ts'

const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const ETHERX = 'http://etherx.jabber.org/streams'
const SM = 'urn:xmpp:sm:3'
const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='${ETHERX}' version='1.0'>`
const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }

/** Turns stream management on and gives the id to resume with. */
async function manages(a: Actor): Promise<string> {
  a.says(`<enable xmlns='${SM}' resume='true'/>`)
  return String((await a.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
}

/** Drops the connection, and waits until the server has seen it. */
async function drops(a: Actor, house: House): Promise<void> {
  const before = house.devices.streams.size
  a.leaves()
  while (house.devices.streams.size >= before) await new Promise(ok => setImmediate(ok))
}

/** A new connection, logged in as the account of `jid` and not bound. */
async function comesBack(house: House, jid: string): Promise<Actor> {
  const back = new Actor('back', jid)
  await back.opens(house.port)
  await back.logsIn()
  return back
}

const bodies = (came: { name: string; getChildText(name: string): string | null }[]): (string | null)[] => came.filter(x => x.name === 'message').map(x => x.getChildText('body'))
const limits = (more: object): SceneOptions => ({ limits: { streamManagement: { ...defaultLimits.streamManagement, ...more } } })

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

  it('SEC-S10 gives what was never acknowledged to the next session when the old one expires', scene(cast, async ({ romeo, juliet }, house) => {
    juliet.says(`<enable xmlns='${SM}' resume='true'/>`)
    await juliet.receives`<enabled xmlns='${SM}' resume='true'/>`
    await juliet.comesOnline()
    juliet.leaves()
    await juliet.isCutOff()
    romeo.says("<message to='juliet@localhost' type='chat' id='lost'><body>not lost</body></message>")
    await romeo.receivesNothing()
    await house.clock.advance(601_000)
    const later = await house.actor('later', 'juliet@localhost/phone')
    later.says('<presence/>')
    await later.hears`<message id='lost'><body>not lost</body></message>`
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

  it('SEC-S10 tells how far an expired session had come, to its own account only', scene(cast, async ({ romeo, juliet }, house) => {
    const id = await manages(juliet)
    juliet.says(`<message to='${cast.romeo}' type='chat' id='1'/><message to='${cast.romeo}' type='chat' id='2'/>`)
    await romeo.hears`<message id='2'/>`
    await drops(juliet, house)
    await house.clock.advance(601_000)
    const back = await comesBack(house, cast.juliet)
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.receives`<failed xmlns='${SM}' h='2'><item-not-found xmlns='${STANZAS}'/></failed>`
    await back.binds()
    await house.account('mallory')
    const thief = await comesBack(house, 'mallory@localhost/x')
    thief.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    assert.equal((await thief.receives`<failed xmlns='${SM}'><item-not-found xmlns='${STANZAS}'/></failed>`).attrs['h'], undefined)
    back.leaves(); thief.leaves()
  }))

  it('SEC-S10 gives it once, with the time at which it was sent', scene(cast, async ({ romeo, juliet }, house) => {
    await manages(juliet)
    await juliet.comesOnline()
    await drops(juliet, house)
    romeo.says("<message to='juliet@localhost' type='chat'><body>psst</body></message>")
    await romeo.fence()
    const sent = house.clock.now()
    await house.clock.advance(601_000)
    const later = await house.actor('later', 'juliet@localhost/phone')
    await later.comesOnline()
    const [message, ...more] = [...await later.fence(), ...await later.fence()]
    const all = message ? [message, ...more] : []
    const came = all.length ? all : [await later.next()]
    const delay = came[0]!.getChild('delay', 'urn:xmpp:delay')!
    assert.equal(came[0]!.getChildren('delay').length, 1)
    assert.ok(Math.abs(Date.parse(String(delay.attrs['stamp'])) - sent) < 60_000)
    await later.receivesNothing()
  }))

  it('SEC-S10 does not show a message again to a device that has it', scene({ ...cast, phone: 'juliet@localhost/phone' }, async ({ romeo, juliet, phone }, house) => {
    await manages(juliet)
    await juliet.comesOnline(); await phone.comesOnline()
    await juliet.fence()
    await drops(juliet, house)
    romeo.says("<message to='juliet@localhost' type='chat' id='both'><body>for both</body></message>")
    await phone.hears`<message id='both'/>`
    romeo.says("<message to='juliet@localhost/balcony' type='chat' id='one'><body>for one</body></message>")
    await romeo.fence()
    await phone.receivesNothing()
    await house.clock.advance(601_000)
    const came = bodies(await phone.fence())
    assert.deepEqual(came, ['for one'])
  }))

  it('SEC-S10 does not show a message again to a device that had its carbon', scene({ ...cast, phone: 'juliet@localhost/phone' }, async ({ romeo, juliet, phone }, house) => {
    await manages(juliet)
    await juliet.comesOnline(); await phone.comesOnline()
    phone.says("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    await phone.hears`<iq id='c' type='result'/>`
    await drops(juliet, house)
    romeo.says("<message to='juliet@localhost/balcony' type='chat'><body>for one</body></message>")
    await phone.hears`<message from='juliet@localhost'><received xmlns='urn:xmpp:carbons:2'/></message>`
    await house.clock.advance(601_000)
    assert.deepEqual(bodies(await phone.fence()), [])
  }))

  it('keeps nothing for an account that was removed', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    await using house = await House.open({ stores })
    const romeo = await house.actor('romeo', cast.romeo)
    const juliet = await house.actor('juliet', cast.juliet)
    await manages(juliet)
    await juliet.comesOnline()
    await drops(juliet, house)
    romeo.says("<message to='juliet@localhost' type='chat'><body>too late</body></message>")
    await romeo.fence()
    const account = house.host.accounts.online(Jid.parse('juliet@localhost'))!
    await stores.accounts.remove('localhost', 'juliet')
    house.host.accounts.refresh(account.jid, undefined)
    for (const r of [...account.resources.values()]) r.end('not-authorized')
    await romeo.fence()
    assert.deepEqual(await stores.offline.list('juliet@localhost'), [])
  })

  it('loses nothing at a shutdown: what a session that cannot be resumed did not acknowledge waits', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    await using house = await House.open({ stores })
    const juliet = await house.actor('juliet', cast.juliet)
    const romeo = await house.actor('romeo', cast.romeo)
    juliet.says(`<enable xmlns='${SM}'/>`)
    await juliet.receives`<enabled xmlns='${SM}'/>`
    await juliet.comesOnline()
    romeo.says("<message to='juliet@localhost' type='chat'><body>keep me</body></message>")
    await juliet.hears`<message><body>keep me</body></message>`
    await house.devices.shutDown(stores, silent)
    for (const a of [romeo, juliet]) await a.hears`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><system-shutdown xmlns='${STREAMS}'/></stream:error>`
    assert.match((await stores.offline.list('juliet@localhost')).map(row => row.stanza).join(), /keep me/)
  })

  describe('SEC-S16 over a restart', () => {
    /** Two houses, one after the other, on one store. */
    const restart = (before: (house: House) => Promise<void>, after: (house: House) => Promise<void>) => async () => {
      const stores = await openSqlite({ file: ':memory:' })
      {
        await using house = await House.open({ stores: Object.create(stores, { close: { value: async () => {} } }) as typeof stores })
        await before(house)
        await house.devices.shutDown(stores, silent)
      }
      await using house = await House.open({ stores })
      await after(house)
    }

    it('a client is waited for no longer than it wished before', async () => {
      let id = ''
      await restart(async house => {
        const juliet = await house.actor('juliet', cast.juliet)
        juliet.says(`<enable xmlns='${SM}' resume='true' max='30'/>`)
        id = (await juliet.receives`<enabled xmlns='${SM}' resume='true' max='30'/>`).attrs['id'] as string
      }, async house => {
        const resume = `<resume xmlns='${SM}' previd='${id}' h='0'/>`
        const back = await comesBack(house, cast.juliet)
        back.says(resume)
        await back.receives`<resumed xmlns='${SM}' previd='${id}'/>`
        await drops(back, house)
        await house.clock.advance(31_000)
        const late = await comesBack(house, cast.juliet)
        late.says(resume)
        await late.receives`<failed xmlns='${SM}'><item-not-found xmlns='${STANZAS}'/></failed>`
        late.leaves()
      })()
    })

    it('a session goes on where it was: presence, roster, carbons, counters, messages', async () => {
      let id = ''
      await restart(async house => {
        const juliet = await house.actor('juliet', cast.juliet)
        const romeo = await house.actor('romeo', cast.romeo)
        juliet.says("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq><iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
        await juliet.hears`<iq id='r'/>`
        id = await manages(juliet)
        juliet.says(`<presence><show>away</show></presence><message to='${cast.romeo}' type='chat'><body>mine</body></message>`)
        await romeo.hears`<message><body>mine</body></message>`
        romeo.says("<message to='juliet@localhost' type='chat' xml:lang='cs'><body>one</body></message>")
        await juliet.hears`<message><body>one</body></message>`
        await drops(juliet, house)
        romeo.says("<message to='juliet@localhost' type='chat'><body>two &amp; 🦄</body></message>")
        await romeo.fence()
      }, async house => {
        const romeo = await house.actor('romeo', cast.romeo)
        romeo.says("<message to='juliet@localhost' type='chat'><body>three</body></message>")
        await romeo.receivesNothing()
        const back = await comesBack(house, cast.juliet)
        back.says(`<resume xmlns='${SM}' previd='${id}' h='1'/>`) // her own presence
        await back.receives`<resumed xmlns='${SM}' previd='${id}' h='2'/>`
        await back.receives`<message xml:lang='cs' from='${cast.romeo}'><body>one</body></message>`
        await back.receives`<message><body>two &amp; 🦄</body></message>`
        await back.receives`<message><body>three</body></message>`
        back.says("<iq type='set' id='n'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>")
        await back.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>`
        const phone = await house.actor('phone', 'juliet@localhost/phone')
        await phone.comesOnline('<presence><priority>5</priority></presence>')
        romeo.says("<message to='juliet@localhost' type='chat'><body>four</body></message>")
        await back.hears`<message><received xmlns='urn:xmpp:carbons:2'/></message>`
        assert.equal(house.devices.resumable, 1)
        back.leaves()
      })()
    })

    it('a service that asks who is there hears which sessions only sleep', async () => {
      const ITEM = { jid: 'desk.localhost', groups: ['Desk'], subscription: 'both' } as const
      const idle: Component = { name: 'idle', start: () => ({ receive() {} }) }
      const heard: string[] = []
      const asking: Component = {
        name: 'asking',
        start(link) {
          link.privileges!.onAttachment((device, attached) => heard.push(`${device} ${attached ? 'is back' : 'sleeps'}`))
          return { receive(s) { if (s.kind === 'presence') heard.push(`${s.from?.full} ${s.type}`) } }
        },
      }
      await restart(async house => {
        await house.mount('desk.localhost', idle)
        const juliet = await house.actor('juliet', cast.juliet)
        await house.privileges('desk.localhost').inject('juliet@localhost', [ITEM])
        await manages(juliet)
        await juliet.comesOnline()
        await drops(juliet, house)
      }, async house => {
        await house.mount('desk.localhost', asking)
        house.host.send(Stanza.of('presence', { type: 'probe', from: Jid.parse('desk.localhost'), to: Jid.parse('juliet@localhost') }))
        assert.deepEqual(heard, [`${cast.juliet} available`, `${cast.juliet} sleeps`])
      })()
    })

    it('a service that asks while it starts is answered, and no session that sleeps hears that it was not there yet', async () => {
      const ITEM = { jid: 'desk.localhost', groups: ['Desk'], subscription: 'both' } as const
      const idle: Component = { name: 'idle', start: () => ({ receive() {} }) }
      let answer = ''
      const asking: Component = {
        name: 'asking',
        async start(link) {
          link.send(Stanza.of('presence', { type: 'probe', from: Jid.parse('desk.localhost'), to: Jid.parse('juliet@localhost') }))
          answer = (await link.ask(Stanza.of('iq', { type: 'get', id: '', from: Jid.parse('desk.localhost'), to: Jid.parse('localhost') }, [el('ping', 'urn:xmpp:ping')]))).type
          return { receive() {} }
        },
      }
      let id = ''
      await restart(async house => {
        await house.mount('desk.localhost', idle)
        const juliet = await house.actor('juliet', cast.juliet)
        await house.privileges('desk.localhost').inject('juliet@localhost', [ITEM])
        id = await manages(juliet)
        await juliet.comesOnline()
        await drops(juliet, house)
      }, async house => {
        await house.mount('desk.localhost', asking)
        assert.equal(answer, 'result')
        const back = await comesBack(house, cast.juliet)
        back.says(`<resume xmlns='${SM}' previd='${id}' h='2'/>`)
        await back.receives`<resumed xmlns='${SM}' previd='${id}'/>`
        back.says("<iq type='get' id='end'><ping xmlns='urn:xmpp:ping'/></iq>")
        await back.receives`<iq type='result' id='end'/>`
      })()
    })

    it('a session whose time is over gives its messages on', restart(async house => {
      const juliet = await house.actor('juliet', cast.juliet)
      const romeo = await house.actor('romeo', cast.romeo)
      await manages(juliet)
      await juliet.comesOnline()
      await drops(juliet, house)
      romeo.says("<message to='juliet@localhost' type='chat'><body>late</body></message>")
      await romeo.fence()
    }, async house => {
      await house.clock.advance(601_000)
      assert.equal(house.devices.resumable, 0)
      const later = await house.actor('later', 'juliet@localhost/phone')
      later.says('<presence/>')
      await later.hears`<message><body>late</body></message>`
    }))
  })

  it('SEC-S11 ends where too much waits, and the messages wait for the next session', scene(cast, async ({ romeo, juliet }, house) => {
    await manages(juliet)
    await juliet.comesOnline()
    await juliet.fence()
    juliet.says(`<a xmlns='${SM}' h='2'/>`)
    for (let i = 0; i < 8; i++) romeo.sends`<message to='juliet@localhost' type='chat' id='m${i}'><body>${i}</body></message>`
    await romeo.fence()
    await juliet.hears`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><resource-constraint xmlns='${STREAMS}'/></stream:error>`
    await juliet.isCutOff()
    const later = await house.actor('later', 'juliet@localhost/phone')
    later.says('<presence/>')
    const came: (string | null)[] = []
    while (came.length < 8) came.push(...bodies([await later.next()]))
    assert.deepEqual(came, ['0', '1', '2', '3', '4', '5', '6', '7'])
    await later.receivesNothing()
  }, limits({ stanzas: 5 })))

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

  for (const managed of [false, true]) {
    it(`SEC-K04 ${managed ? 'does not acknowledge' : 'tells the sender of'} what could not be stored`, async () => {
      const stores = await openSqlite({ file: ':memory:' })
      const full = Object.create(stores, { archive: { value: Object.create(stores.archive, { append: { value: () => Promise.reject(new Error('no space')) } }) } }) as typeof stores
      await using house = await House.open({ stores: full })
      const romeo = await house.actor('romeo', cast.romeo)
      await house.actor('juliet', cast.juliet)
      if (managed) await manages(romeo)
      romeo.says(`<message to='juliet@localhost' type='chat' id='m'><body>hm</body></message>${managed ? `<r xmlns='${SM}'/>` : ''}`)
      await romeo.receives`<message type='error' id='m'><error type='wait'><internal-server-error xmlns='${STANZAS}'/></error></message>`
      if (managed) await romeo.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><internal-server-error xmlns='${STREAMS}'/></stream:error>`
      else await romeo.receivesNothing()
    })
  }
})
