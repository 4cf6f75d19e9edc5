import assert from 'node:assert/strict'
import { items, NS, publish, withCaps } from '../harness/pubsub.ts'
import { scene, type Actor } from '../harness/scene.ts'

// A component on a wire stands for another server: whoever is there is no account of ours.
const cast = { romeo: 'romeo@localhost/orchard' }
const options = { externals: { 'far.localhost': 'verona' } }
const INFO = 'http://jabber.org/protocol/disco#info'
const TUNE = 'http://jabber.org/protocol/tune'
const nurse = 'nurse@far.localhost'
const open = `<field var='pubsub#access_model'><value>open</value></field>`

/** Romeo and somebody elsewhere see each other. */
async function befriends(romeo: Actor, far: Actor): Promise<void> {
  romeo.sends`<presence to='${nurse}' type='subscribe'/>`
  await romeo.fence()
  far.sends`<presence from='${nurse}' to='${romeo.bare}' type='subscribed'/>`
  far.sends`<presence from='${nurse}' to='${romeo.bare}' type='subscribe'/>`
  await romeo.hears`<presence type='subscribe' from='${nurse}'/>`
  romeo.sends`<presence to='${nurse}' type='subscribed'/>`
  await romeo.fence()
}
const shows = (far: Actor, romeo: Actor, ver: string, resource = 'chamber'): void =>
  far.sends`<presence from='${nurse}/${resource}' to='${romeo.bare}'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='${ver}'/></presence>`

async function isAsked(far: Actor, romeo: Actor, ver: string, resource = 'chamber'): Promise<void> {
  const asked = await far.hears`<iq xmlns='jabber:component:accept' type='get' from='${romeo.bare}' to='${nurse}/${resource}'><query xmlns='${INFO}' node='urn:test#${ver}'/></iq>`
  far.sends`<iq type='result' id='${asked.attrs['id']}' from='${nurse}/${resource}' to='${romeo.bare}'><query xmlns='${INFO}'><identity category='client' type='pc' name='test'/><feature var='${INFO}'/><feature var='${TUNE}+notify'/></query></iq>`
}

describe('XEP-0163 personal nodes and people elsewhere', () => {
  it('a friend\'s client is asked by the account, hears the last item, and what comes then', scene(cast, async ({ romeo }, house) => {
    const far = await house.component('far.localhost', 'verona')
    await romeo.comesOnline()
    await befriends(romeo, far)
    publish(romeo, TUNE, 'one', `<tune xmlns='${TUNE}'/>`)
    await romeo.hears`<iq type='result' id='pub'/>`
    const ver = withCaps.ver(TUNE)
    shows(far, romeo, ver)
    await isAsked(far, romeo, ver)
    await far.hears`<message xmlns='jabber:component:accept' type='headline' from='${romeo.bare}' to='${nurse}/chamber'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='one'/></items></event><delay xmlns='urn:xmpp:delay'/></message>`
    publish(romeo, TUNE, 'two', `<tune xmlns='${TUNE}'/>`)
    await far.hears`<message xmlns='jabber:component:accept' from='${romeo.bare}' to='${nurse}/chamber'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='two'/></items></event></message>`
    shows(far, romeo, ver, 'garden') // the same client, known by now
    await far.hears`<message xmlns='jabber:component:accept' to='${nurse}/garden'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='two'/></items></event></message>`
    far.sends`<presence from='${nurse}/chamber' to='${romeo.bare}' type='unavailable'/>`
    await romeo.hears`<presence from='${nurse}/chamber' type='unavailable'/>`
    publish(romeo, TUNE, 'three', `<tune xmlns='${TUNE}'/>`)
    const event = await far.hears`<message xmlns='jabber:component:accept'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='three'/></items></event></message>`
    assert.equal(event.attrs['to'], `${nurse}/garden`)
  }, options))

  it('a stranger\'s client is not asked: it would tell that the account is there', scene(cast, async ({ romeo }, house) => {
    const far = await house.component('far.localhost', 'verona')
    await romeo.comesOnline()
    shows(far, romeo, withCaps.ver(TUNE))
    far.sends`<iq type='get' id='f' from='${nurse}/chamber' to='${romeo.bare}'><pubsub xmlns='${NS}'><items node='${TUNE}'/></pubsub></iq>` // its answer comes after whatever was asked
    const first = await far.next()
    assert.equal(first.attrs['type'], 'error', String(first))
  }, options))

  it('… of a kind that is known, it hears what is open to everybody, and nothing else', scene(cast, async ({ romeo }, house) => {
    const far = await house.component('far.localhost', 'verona')
    await withCaps(romeo, TUNE, 'urn:closed')
    shows(far, romeo, withCaps.ver(TUNE, 'urn:closed'))
    publish(romeo, 'urn:closed', 'c', `<x xmlns='urn:x'/>`)
    await romeo.hears`<iq type='result' id='pub'/>`
    publish(romeo, TUNE, 'one', `<tune xmlns='${TUNE}'/>`, open)
    await romeo.hears`<iq type='result' id='pub'/>`
    const first = await far.hears`<message xmlns='jabber:component:accept'/>`
    assert.equal(first.getChild('event')!.getChild('items')!.attrs['node'], TUNE)
  }, options))

  it('SEC-M07 an answer that nobody waited for changes nothing', scene(cast, async ({ romeo }, house) => {
    const far = await house.component('far.localhost', 'verona')
    await romeo.comesOnline()
    far.sends`<iq type='result' id='made-up' from='${nurse}/chamber' to='${romeo.bare}'><query xmlns='${INFO}'><feature var='${TUNE}+notify'/></query></iq>`
    far.sends`<iq type='get' id='f' from='${nurse}/chamber' to='${romeo.bare}'><query xmlns='${INFO}'/></iq>`
    await far.hears`<iq xmlns='jabber:component:accept' type='error' id='f'/>`
    await romeo.receivesNothing()
  }, options))

  it('who elsewhere subscribes to an open node hears of it, and reads it', scene(cast, async ({ romeo }, house) => {
    const far = await house.component('far.localhost', 'verona')
    publish(romeo, TUNE, 'one', `<tune xmlns='${TUNE}'/>`, open)
    await romeo.hears`<iq type='result' id='pub'/>`
    far.sends`<iq type='set' id='s' from='${nurse}/chamber' to='${romeo.bare}'><pubsub xmlns='${NS}'><subscribe node='${TUNE}' jid='${nurse}/chamber'/></pubsub></iq>`
    await far.hears`<iq xmlns='jabber:component:accept' type='result' id='s'/>`
    publish(romeo, TUNE, 'two', `<tune xmlns='${TUNE}'/>`)
    await far.hears`<message xmlns='jabber:component:accept' to='${nurse}/chamber'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='two'/></items></event></message>`
  }, options))

  it('a node for the session only is emptied when the last device goes', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, phone }) => {
    await romeo.comesOnline()
    await phone.comesOnline()
    publish(romeo, TUNE, 'one', `<tune xmlns='${TUNE}'/>`, `<field var='pubsub#purge_offline'><value>1</value></field>`)
    await romeo.hears`<iq type='result' id='pub'/>`
    const kept = async (): Promise<number> => {
      items(romeo, TUNE)
      return (await romeo.hears`<iq type='result' id='items'/>`).getChild('pubsub')!.getChild('items')!.getChildren('item').length
    }
    romeo.sends`<presence type='unavailable'/>`
    assert.equal(await kept(), 1)
    phone.sends`<presence type='unavailable'/>`
    await phone.fence()
    publish(romeo, 'urn:x', 'a', `<x xmlns='urn:x'/>`) // a change after the purge
    await romeo.hears`<iq type='result' id='pub'/>`
    assert.equal(await kept(), 0)
  }))
})
