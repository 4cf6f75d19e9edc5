// Phones that are asleep, and the service that wakes them, played by the test (XEP-0357).
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { House, scene, type Actor, type SceneOptions } from '../harness/scene.ts'

const NS = 'urn:xmpp:push:0'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const SM = 'urn:xmpp:sm:3'
const cast = { romeo: 'romeo@localhost/phone', juliet: 'juliet@localhost/balcony' }
const options: SceneOptions = { externals: { 'push.localhost': 's' } }

const withService = (play: (actors: { romeo: Actor; juliet: Actor }, service: Actor, house: House) => Promise<void>, more: SceneOptions = {}) =>
  scene(cast, async (actors, house) => play(actors, await house.component('push.localhost', 's'), house), { ...options, ...more })

async function enables(who: Actor, node = 'n1', inside = ''): Promise<void> {
  who.says(`<iq type='set' id='en'><enable xmlns='${NS}' jid='push.localhost' node='${node}'>${inside}</enable></iq>`)
  await who.hears`<iq type='result' id='en'/>`
}

async function sleeps(who: Actor, house: House): Promise<void> {
  const [bare, resource] = who.jid.split('/') as [string, string] // a full JID
  who.leaves()
  const account = house.host.accounts.online(house.host.jid) ?? [...house.host.accounts.all].find(a => a.jid.bare === bare)!
  while (account.resources.get(resource)?.attached) await new Promise(ok => setImmediate(ok))
}

/** The next publication: its node and the fields of its summary. */
async function woken(service: Actor): Promise<{ iq: Xml; node: string; fields: Record<string, string> }> {
  const iq = await service.next()
  const publish = iq.getChild('pubsub', PUBSUB)?.getChild('publish')
  assert.ok(publish, String(iq))
  const summary = publish.getChild('item')!.getChild('notification', NS)!.getChild('x', 'jabber:x:data')!
  const fields = Object.fromEntries(summary.getChildren('field').map(f => [f.attrs['var'], f.getChildText('value') ?? '']))
  return { iq, node: publish.attrs['node'], fields }
}

const answers = (service: Actor, { iq }: { iq: Xml }): void => service.says(`<iq type='result' id='${iq.attrs['id']}' from='push.localhost' to='${iq.attrs['from']}'/>`)

/** Proves that the service was told nothing: what a user sends it comes after. */
async function toldNothing(service: Actor, juliet: Actor): Promise<void> {
  juliet.sends`<message to='push.localhost' id='fence'/>`
  const came = await service.next()
  assert.equal(came.attrs['id'], 'fence', String(came))
}

describe('push', () => {
  it('is said by disco of the account (section 4.1)', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='d' to='romeo@localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${NS}'/></query></iq>`
  }))

  it('wakes a phone that is gone, and tells the service nothing of who and what', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo)
    await sleeps(romeo, house)
    juliet.sends`<message to='romeo@localhost' type='chat'><body>wherefore art thou</body></message>`
    const told = await woken(service)
    assert.equal(told.iq.attrs['from'], 'localhost')
    assert.deepEqual([told.node, told.fields['FORM_TYPE'], told.fields['message-count'], told.fields['last-message-body']], ['n1', 'urn:xmpp:push:summary', '1', 'New message'])
    assert.doesNotMatch(String(told.iq), /wherefore|juliet/)
    answers(service, told)
    juliet.sends`<message to='romeo@localhost' type='chat'><body>romeo</body></message>`
    assert.equal((await woken(service)).fields['message-count'], '2')
  }))

  it('tells who and what where the config says so', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo)
    await sleeps(romeo, house)
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    const { fields } = await woken(service)
    assert.deepEqual([fields['last-message-sender'], fields['last-message-body']], ['juliet@localhost', 'hi'])
  }, { pluginOptions: { push: { sender: true, body: true } } }))

  it('tells how many want to see when the user is there, and not who', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo)
    await sleeps(romeo, house)
    juliet.sends`<presence type='subscribe' to='romeo@localhost'/>`
    juliet.sends`<message to='romeo@localhost' type='chat'><body>let me in</body></message>`
    const told = await woken(service)
    assert.equal(told.fields['pending-subscription-count'], '1')
    assert.doesNotMatch(String(told.iq), /juliet/)
  }))

  it('leaves a phone alone that is connected', withService(async ({ romeo, juliet }, service) => {
    await enables(romeo)
    await romeo.comesOnline()
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    await romeo.receives`<message><body>hi</body></message>`
    await toldNothing(service, juliet)
  }))

  it('wakes the phone though a desktop is connected', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo)
    await sleeps(romeo, house)
    const desktop = await house.actor('desktop', 'romeo@localhost/desktop')
    await desktop.comesOnline()
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    await desktop.receives`<message><body>hi</body></message>`
    assert.equal((await woken(service)).node, 'n1')
  }))

  it('wakes a session that lost its connection, for what it has not acknowledged and for what comes then', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo)
    romeo.sends`<enable xmlns='${SM}' resume='true'/>`
    await romeo.receives`<enabled xmlns='${SM}'/>`
    await romeo.comesOnline()
    juliet.sends`<message to='romeo@localhost' type='chat'><body>one</body></message>`
    await romeo.hears`<message><body>one</body></message>` // not acknowledged
    await sleeps(romeo, house)
    const first = await woken(service)
    assert.equal(first.fields['message-count'], '1')
    answers(service, first)
    juliet.sends`<message to='romeo@localhost' type='chat'><body>two</body></message>`
    assert.equal((await woken(service)).fields['message-count'], '2')
  }))

  it('wakes for nothing that is no news: chat states, receipts, headlines, what nobody shall keep', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo)
    await sleeps(romeo, house)
    juliet.sends`<message to='romeo@localhost' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
    juliet.sends`<message to='romeo@localhost' type='chat'><received xmlns='urn:xmpp:receipts' id='x'/></message>`
    juliet.sends`<message to='romeo@localhost' type='headline'><body>news</body></message>`
    juliet.sends`<message to='romeo@localhost' type='chat'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>`
    await toldNothing(service, juliet)
    juliet.sends`<message to='romeo@localhost' type='chat'><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>`
    await woken(service)
  }))

  it('sends one after the other, and the last says how many there are', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo)
    await sleeps(romeo, house)
    for (let i = 0; i < 5; i++) juliet.sends`<message to='romeo@localhost' type='chat'><body>${i}</body></message>`
    const first = await woken(service)
    await toldNothing(service, juliet)
    answers(service, first)
    assert.equal((await woken(service)).fields['message-count'], '5')
    await toldNothing(service, juliet)
  }))

  it('gives the service its own options back (section 5)', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo, 'n1', "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='secret'><value>eruio</value></field></x>")
    await sleeps(romeo, house)
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    const { iq } = await woken(service)
    const given = iq.getChild('pubsub', PUBSUB)!.getChild('publish-options')!.getChild('x', 'jabber:x:data')!
    assert.match(String(given), /secret.*eruio/)
  }))

  it('is over when the client disables it: one node, or all of a service (section 6)', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo, 'n1'); await enables(romeo, 'n2'); await enables(romeo, 'n3')
    romeo.sends`<iq type='set' id='o'><disable xmlns='${NS}' jid='push.localhost' node='n2'/></iq>`
    await romeo.receives`<iq type='result' id='o'/>`
    await sleeps(romeo, house)
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    assert.deepEqual([(await woken(service)).node, (await woken(service)).node], ['n1', 'n3'])
    const again = await house.actor('again', 'romeo@localhost/desktop')
    again.sends`<iq type='set' id='a'><disable xmlns='${NS}' jid='push.localhost'/></iq>`
    await again.receives`<iq type='result' id='a'/>`
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    await toldNothing(service, juliet)
  }))

  it('is over when the service says that the node is no more (section 7.1), or takes its leave (section 9)', withService(async ({ romeo, juliet }, service, house) => {
    await enables(romeo, 'n1'); await enables(romeo, 'n2')
    await sleeps(romeo, house)
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    const [first, second] = [await woken(service), await woken(service)]
    service.says(`<iq type='error' id='${first.iq.attrs['id']}' from='push.localhost' to='localhost'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
    answers(service, second)
    service.says(`<message from='push.localhost' to='romeo@localhost'><pubsub xmlns='${PUBSUB}' node='n2'><affiliation jid='romeo@localhost' affiliation='none'/></pubsub></message>`)
    service.says("<iq type='get' id='p' from='push.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert.equal((await service.next()).attrs['id'], 'p')
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    await toldNothing(service, juliet)
  }))

  it('survives a restart', async () => {
    await using house = await House.open(options)
    const service = await house.component('push.localhost', 's')
    const romeo = await house.actor('romeo', 'romeo@localhost/phone')
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    await enables(romeo)
    await sleeps(romeo, house)
    house.host.accounts.refresh([...house.host.accounts.all].find(a => a.jid.local === 'romeo')!.jid, undefined) // forgotten, as after a restart
    juliet.sends`<message to='romeo@localhost' type='chat'><body>hi</body></message>`
    assert.equal((await woken(service)).node, 'n1')
  })

  it('takes no registration without a service, from others, or for others', withService(async ({ romeo, juliet }) => {
    romeo.sends`<iq type='set' id='a'><enable xmlns='${NS}' node='n'/></iq>`
    await romeo.receives`<iq type='error' id='a'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    juliet.sends`<iq type='set' id='b' to='romeo@localhost'><enable xmlns='${NS}' jid='push.localhost' node='n'/></iq>`
    await juliet.receives`<iq type='error' id='b'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }))
})
