// XEP-0352 over the wire: what a client that nobody looks at is spared, and that nothing which matters waits.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Element as Xml } from 'ltx'
import { MovedClock } from '../harness/clock.ts'
import { Actor, House, scene } from '../harness/scene.ts'
import { arrives, befriend } from '../harness/friends.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { muc } from '../../components/muc/muc.ts'

const CSI = 'urn:xmpp:csi:0'
const SM = 'urn:xmpp:sm:3'
const STATES = 'http://jabber.org/protocol/chatstates'
const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }

const inactive = (a: Actor): Promise<unknown> => { a.says(`<inactive xmlns='${CSI}'/>`); return a.fence() }
const shows = (a: Actor, ...shows: string[]): Promise<unknown> => { for (const s of shows) a.says(`<presence><show>${s}</show></presence>`); return a.fence() }
const state = (name: string): string => `<message to='juliet@localhost/balcony' type='chat'><${name} xmlns='${STATES}'/></message>`
const said = (came: { name: string; children: unknown[] }[]): string[] => came.map(x => x.name === 'iq' ? 'iq' : `${x.name}${x.children.length ? ` ${String(x.children[0]).replace(/ xmlns="[^"]*"/, '')}` : ''}`)

/** A scene of two friends for each run of a property. */
const scene2 = <T>(play: (actors: { romeo: Actor; juliet: Actor }, given: T) => Promise<void>) => async (given: T): Promise<void> => {
  await scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await play({ romeo, juliet }, given)
  }, { limits: { presence: { rate: Infinity, burst: Infinity } } })()
}

describe('client state indication', () => {
  it('the latest presence of a friend is told when the client is looked at again', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await inactive(juliet)
    romeo.says('<presence type="unavailable"/>')
    await shows(romeo, 'away')
    juliet.says(`<active xmlns='${CSI}'/>`)
    await juliet.receives`<presence from='${romeo}'><show>away</show></presence>`
    await juliet.receivesNothing()
  }))

  it('what waits comes before a message, in order', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await inactive(juliet)
    await shows(romeo, 'away')
    romeo.says(state('composing') + state('paused') + "<message to='juliet@localhost/balcony' type='chat' id='m'><body>hi</body></message>")
    await juliet.receives`<presence from='${romeo}'><show>away</show></presence>`
    await juliet.receives`<message><paused xmlns='${STATES}'/></message>`
    await juliet.receives`<message id='m'><body>hi</body></message>`
    await shows(romeo, 'dnd')
    juliet.sends`<iq type='get' id='v' to='localhost'><query xmlns='jabber:iq:version'/></iq>`
    await juliet.receives`<presence from='${romeo}'><show>dnd</show></presence>`
    await juliet.receives`<iq type='result' id='v'/>`
  }))

  it('is active again before the next stanza of the client is looked at', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await inactive(juliet)
    await shows(romeo, 'away')
    juliet.says(`<active xmlns='${CSI}'/><iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await juliet.receives`<presence from='${romeo}'/>`
    await juliet.receives`<iq type='result' id='p'/>`
    romeo.says(state('composing') + state('paused'))
    await juliet.receives`<message><composing xmlns='${STATES}'/></message>`
    await juliet.receives`<message><paused xmlns='${STATES}'/></message>`
  }))

  it("friends' events wait, the latest of an item; one's own come at once", scene({ ...cast, tablet: 'juliet@localhost/tablet' }, async ({ romeo, juliet, tablet }) => {
    await arrives(romeo, juliet, tablet)
    await befriend(romeo, juliet)
    const tune = (title: string): string => `<iq type='set' id='t'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='http://jabber.org/protocol/tune'><item id='current'><tune xmlns='http://jabber.org/protocol/tune'><title>${title}</title></tune></item></publish></pubsub></iq>`
    const node = 'http://jabber.org/protocol/tune'
    juliet.sends`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='x' ver='y'/></presence>`
    const asked = await juliet.hears`<iq type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    juliet.says(`<iq type='result' id='${asked.attrs['id']}' to='${asked.attrs['from']}'><query xmlns='http://jabber.org/protocol/disco#info' node='x#y'><identity category='client' type='phone'/><feature var='${node}+notify'/></query></iq>`)
    await juliet.fence()
    await inactive(juliet)
    romeo.says(tune('one') + tune('two'))
    for (const _ of [1, 2]) await romeo.hears`<iq type='result' id='t'/>`
    tablet.says(tune('mine'))
    await tablet.hears`<iq type='result' id='t'/>`
    const came = await juliet.fence()
    const titles = came.filter(x => x.name === 'message').map(x => x.getChild('event', 'http://jabber.org/protocol/pubsub#event')?.getChild('items')?.getChild('item')?.getChild('tune')?.getChildText('title'))
    assert.deepEqual(titles, ['two', 'mine'])
  }))

  it('requests to be a friend, errors and the own coming into a room do not wait', scene(cast, async ({ romeo, juliet }, house) => {
    await using _ = await house.mount('rooms.localhost', muc())
    await arrives(romeo, juliet)
    await inactive(juliet)
    romeo.sends`<presence to='${juliet.bare}' type='subscribe'/>`
    await juliet.receives`<presence type='subscribe' from='${romeo.bare}'/>`
    juliet.sends`<presence to='hall@rooms.localhost/J'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
    await juliet.receives`<presence from='hall@rooms.localhost/J'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
    await juliet.receives`<message type='groupchat'><subject/></message>`
    juliet.sends`<presence to='nobody@nowhere.example'/>`
    await juliet.receives`<presence type='error' from='nobody@nowhere.example'/>`
  }))

  it('keeps no more than it may: then all of it comes', scene(cast, async ({ romeo, juliet }, house) => {
    await arrives(romeo, juliet)
    await inactive(juliet)
    for (let n = 0; n < 4; n++) romeo.says(state('composing'))
    await romeo.fence()
    const others = await Promise.all(['a', 'b', 'c'].map(r => house.actor(r, `romeo@localhost/${r}`)))
    for (const o of others) { o.says(state('composing')); await o.fence() }
    for (const r of ['orchard', 'a', 'b', 'c']) await juliet.receives`<message from='romeo@localhost/${r}'><composing xmlns='${STATES}'/></message>`
  }, { pluginOptions: { csi: { hold: 3 } } }))

  it('holds nothing back where the config says so', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await inactive(juliet)
    romeo.says(state('composing') + state('paused'))
    await juliet.receives`<message><composing xmlns='${STATES}'/></message>`
    await juliet.receives`<message><paused xmlns='${STATES}'/></message>`
  }, { pluginOptions: { csi: { hold: 0 } } }))

  it('what waited when the connection broke comes after the resumption, which is active', scene(cast, async ({ romeo, juliet }, house) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    juliet.says(`<enable xmlns='${SM}' resume='true'/>`)
    const { id } = (await juliet.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs as { id: string }
    await inactive(juliet)
    await shows(romeo, 'away')
    const before = house.devices.streams.size
    juliet.leaves()
    while (house.devices.streams.size >= before) await new Promise(ok => setImmediate(ok))
    await shows(romeo, 'xa')
    const back = new Actor('back', 'juliet@localhost/balcony')
    await back.opens(house.port)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='1'/>`)
    await back.hears`<resumed xmlns='${SM}' previd='${id}'/>`
    assert.deepEqual(said((await back.fence()).filter(x => x.name === 'presence')), ['presence <show>xa</show>'])
    romeo.says(state('composing') + state('paused'))
    await back.hears`<message><composing xmlns='${STATES}'/></message>`
    await back.hears`<message><paused xmlns='${STATES}'/></message>`
    back.leaves()
  }))

  it('whatever happens in whatever order: no message is lost or overtakes what its sender did before, and the end is as it was left', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom('away', 'xa', 'dnd', 'composing', 'paused', 'message', 'active', 'inactive', 'ping'), { minLength: 1, maxLength: 60 }), scene2(async ({ romeo, juliet }, steps) => {
      const left = { presence: '', state: '' } // as Romeo left it
      const seen = { presence: '', state: '' } // as Juliet was told
      const expected: { readonly id: string; readonly presence: string; readonly state: string }[] = []
      const told: typeof expected = []
      for (const [n, step] of steps.entries()) {
        if (step === 'active' || step === 'inactive') { juliet.says(`<${step} xmlns='${CSI}'/>`); continue }
        if (step === 'ping') { juliet.says(`<iq type='get' id='p${n}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`); continue }
        if (step === 'message') { romeo.says(`<message to='juliet@localhost/balcony' type='chat' id='${n}'><body>x</body></message>`); expected.push({ id: String(n), ...left }) }
        else if (step === 'composing' || step === 'paused') { romeo.says(state(step)); left.state = step }
        else { romeo.says(`<presence><show>${step}</show></presence>`); left.presence = step }
      }
      await romeo.fence()
      juliet.says(`<active xmlns='${CSI}'/>`)
      for (const x of await juliet.fence()) {
        if (x.name === 'presence' && x.attrs['from'] === romeo.jid) seen.presence = x.getChildText('show') ?? ''
        else if (x.name === 'message' && x.getChild('body')) told.push({ id: String(x.attrs['id']), ...seen })
        else if (x.name === 'message') seen.state = x.getChildElements()[0]!.name
      }
      assert.deepEqual(told, expected)
      assert.deepEqual(seen, left)
    })), { numRuns: 12 })
  })

  it('also where presence is paced, connections break and are resumed, and another device gets copies: all messages once, in order', async () => {
    const step = fc.constantFrom('away', 'xa', 'dnd', 'composing', 'message', 'message', 'bye', 'active', 'inactive', 'ping', 'break', 'tick')
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 50 }), async steps => {
      const network = new MovedClock()
      await scene({ ...cast, tablet: 'juliet@localhost/tablet' }, async ({ romeo, juliet: first, tablet }, house) => {
        await arrives(romeo, first, tablet)
        await befriend(romeo, first)
        await tablet.fence()
        tablet.says("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        await tablet.hears`<iq type='result' id='c'/>`
        let juliet = first
        juliet.says(`<enable xmlns='${SM}' resume='true'/>`)
        const { id } = (await juliet.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs as { id: string }
        let left = '' // as Romeo left it
        let seen = '' // as Juliet was told
        let h = 0
        const expected: string[] = []
        const told: string[] = []
        const take = (all: readonly Xml[]): void => {
          for (const x of all) {
            if (!['message', 'presence', 'iq'].includes(x.name)) continue
            h++
            if (x.name === 'presence' && x.attrs['from'] === romeo.jid) seen = x.attrs['type'] ?? x.getChildText('show') ?? ''
            if (x.getChild('body')) told.push(`${x.attrs['id']} ${seen}`)
          }
        }
        for (const [n, step] of steps.entries()) {
          if (step === 'active' || step === 'inactive') juliet.says(`<${step} xmlns='${CSI}'/>`)
          else if (step === 'ping') juliet.says(`<iq type='get' id='p${n}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
          else if (step === 'message') { romeo.says(`<message to='juliet@localhost/balcony' type='chat' id='${n}'><body>x</body></message>`); expected.push(`${n} ${left}`) }
          else if (step === 'composing') romeo.says(state(step))
          else if (step === 'bye') { romeo.says("<presence to='juliet@localhost' type='unavailable'/>"); left = 'unavailable' }
          else if (step === 'tick') { await romeo.fence(); await network.advance(700) }
          else if (step === 'break') {
            const before = house.devices.streams.size
            juliet.leaves()
            while (house.devices.streams.size >= before) await new Promise(ok => setImmediate(ok))
            take(await juliet.rest())
            juliet = new Actor('back', 'juliet@localhost/balcony')
            await juliet.opens(house.port)
            await juliet.logsIn()
            juliet.says(`<resume xmlns='${SM}' previd='${id}' h='${h}'/>`)
            await juliet.hears`<resumed xmlns='${SM}' previd='${id}'/>`
          } else { romeo.says(`<presence><show>${step}</show></presence>`); left = step }
        }
        await romeo.fence()
        await network.advance(10_000)
        juliet.says(`<active xmlns='${CSI}'/>`)
        take(await juliet.fence())
        assert.deepEqual(told, expected)
        assert.equal(seen, left)
        const copies = (await tablet.fence()).flatMap(x => x.getChild('received', 'urn:xmpp:carbons:2')?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChildElements() ?? []).filter(x => x.getChild('body'))
        assert.deepEqual(copies.map(x => x.attrs['id']), expected.map(e => e.split(' ')[0]))
        juliet.leaves()
      }, { network })()
    }), { numRuns: 12 })
  })

  it('what waited outlives a restart of the server', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const lasting = { ...stores, close: async () => {} }
    let id = ''
    {
      await using house = await House.open({ stores: lasting })
      const romeo = await house.actor('romeo', cast.romeo)
      const juliet = await house.actor('juliet', cast.juliet)
      await arrives(romeo, juliet)
      juliet.says(`<enable xmlns='${SM}' resume='true'/>`)
      id = String((await juliet.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
      await inactive(juliet)
      romeo.says(state('composing'))
      await romeo.fence()
      const { silent } = await import('../../server/ports/log.ts')
      await house.devices.shutDown(lasting, silent)
    }
    await using house = await House.open({ stores: lasting })
    const back = new Actor('back', cast.juliet)
    await back.opens(house.port)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='1'/>`)
    await back.hears`<resumed xmlns='${SM}' previd='${id}'/>`
    await back.hears`<message><composing xmlns='${STATES}'/></message>`
    back.leaves()
    await stores.close()
  })
})
