// XEP-0198 Stream Management over the wire: what becomes of messages that were never acknowledged, and of sessions over a restart.
import assert from 'node:assert/strict'
import { House, scene } from '../harness/scene.ts'
import { el, Jid, Stanza, type Component } from '../../server/api.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { bodies, cast, comesBack, drops, ETHERX, limits, manages, SM, STANZAS, STREAMS } from './sm-scene.ts'

describe('stream management', () => {
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
