// Personal nodes (XEP-0163): who hears of what is published, and when.
import assert from 'node:assert/strict'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { befriend } from '../harness/friends.ts'
import { Actor, scene } from '../harness/scene.ts'
import { isAskedFor, items, NS, OWNER, publish, withCaps } from '../harness/pubsub.ts'
import { cast, config, ERRORS, hearsTune, MOOD, STANZAS, TUNE, tune, two } from './pep-scene.ts'

describe('XEP-0163 personal nodes', () => {
  it('who sees the presence is told which device published, who subscribed without seeing it is not', scene({ ...cast, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, nurse }) => {
    for (const a of [romeo, juliet, nurse]) await withCaps(a, TUNE)
    await befriend(romeo, juliet)
    romeo.says(`<iq type='set' id='pub'><pubsub xmlns='${NS}'><publish node='${TUNE}'><item id='0'>${tune('Zero')}</item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${NS}#publish-options</value></field>${config({ access_model: 'open' })}</x></publish-options></pubsub></iq>`)
    await romeo.hears`<iq type='result' id='pub'/>`
    nurse.says(`<iq type='set' id='sub' to='${romeo.bare}'><pubsub xmlns='${NS}'><subscribe node='${TUNE}' jid='${nurse.bare}'/></pubsub></iq>`)
    await nurse.hears`<iq type='result' id='sub'/>`
    for (const a of [juliet, nurse]) await a.fence()
    publish(romeo, TUNE, '1', tune('One'))
    await juliet.hears`<message from='${romeo.bare}'><addresses xmlns='http://jabber.org/protocol/address'><address type='replyto' jid='${romeo}'/></addresses></message>`
    await romeo.hears`<message from='${romeo.bare}'><addresses xmlns='http://jabber.org/protocol/address'><address type='replyto' jid='${romeo}'/></addresses></message>`
    const told = await nurse.hears`<message from='${romeo.bare}'><event xmlns='${NS}#event'/></message>`
    assert.equal(told.getChild('addresses', 'http://jabber.org/protocol/address'), undefined)
  }))

  it('all devices that are interested hear of it, the publishing one too; others do not', scene(two, async ({ romeo, phone }) => {
    await withCaps(romeo, TUNE)
    await withCaps(phone, MOOD)
    await romeo.fence()
    publish(romeo, TUNE, 'one', tune('Alone'))
    await hearsTune(romeo, romeo, 'Alone')
    await romeo.hears`<iq type='result' id='pub'/>`
    await phone.receivesNothing()
  }))

  it('a friend who is interested hears of it, a stranger does not', scene({ ...cast, paris: 'paris@localhost/x' }, async ({ romeo, juliet, paris }) => {
    for (const a of [juliet, paris]) await withCaps(a, TUNE)
    await romeo.comesOnline()
    await befriend(romeo, juliet)
    paris.sends`<presence to='${romeo.bare}'/>`
    publish(romeo, TUNE, 'one', tune('Alone'))
    await romeo.hears`<iq type='result' id='pub'/>`
    await hearsTune(juliet, romeo, 'Alone')
    assert.deepEqual((await paris.fence()).filter(x => x.name === 'message'), [])
  }))

  it('who sees our presence and hides his own hears nothing', scene(cast, async ({ romeo, juliet }) => {
    await withCaps(juliet, TUNE)
    await romeo.comesOnline()
    juliet.sends`<presence to='${romeo.bare}' type='subscribe'/>`
    await juliet.fence()
    romeo.sends`<presence to='${juliet.bare}' type='subscribed'/>`
    await romeo.fence()
    await juliet.fence()
    publish(romeo, TUNE, 'one', tune('Alone'))
    await romeo.hears`<iq type='result' id='pub'/>`
    assert.deepEqual((await juliet.fence()).filter(x => x.name === 'message'), [])
  }))

  it('whom the owner blocks hears nothing and reads nothing', scene(cast, async ({ romeo, juliet }) => {
    await withCaps(juliet, TUNE)
    await romeo.comesOnline()
    await befriend(romeo, juliet)
    romeo.sends`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='${juliet.bare}'/></block></iq>`
    await romeo.hears`<iq type='result' id='b'/>`
    await juliet.fence()
    publish(romeo, TUNE, 'one', tune('Alone'))
    await romeo.hears`<iq type='result' id='pub'/>`
    await juliet.receivesNothing()
    items(juliet, TUNE, romeo.bare)
    await juliet.receives`<iq type='error' id='items'><error><service-unavailable xmlns='${STANZAS}'/></error></iq>`
  }))

  it('a device that comes online hears the last items: its own account\'s and its friends\', even if they are away', scene(two, async ({ romeo, juliet, phone }) => {
    await romeo.comesOnline()
    await juliet.comesOnline()
    await befriend(romeo, juliet)
    publish(juliet, TUNE, 'j', tune('Ghosts'))
    await juliet.hears`<iq type='result' id='pub'/>`
    publish(romeo, TUNE, 'r', tune('Alone'))
    await romeo.hears`<iq type='result' id='pub'/>`
    juliet.leaves()
    await withCaps(phone, TUNE)
    await hearsTune(phone, romeo, 'Alone')
    const last = await phone.hears`<message type='headline' from='${juliet.bare}'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='j'/></items></event><delay xmlns='urn:xmpp:delay'/></message>`
    assert.match(String(last.getChild('delay')!.attrs['stamp']), /Z$/)
    phone.sends`<presence><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='${withCaps.ver(TUNE)}'/></presence>`
    assert.deepEqual((await phone.fence()).filter(x => x.name === 'message'), [])
  }))

  it('two who become friends hear each other\'s last items at once', scene(cast, async ({ romeo, juliet }) => {
    await withCaps(juliet, TUNE)
    await romeo.comesOnline()
    publish(romeo, TUNE, 'r', tune('Alone'))
    await romeo.hears`<iq type='result' id='pub'/>`
    for (const [one, other] of [[romeo, juliet], [juliet, romeo]] as const) {
      one.sends`<presence to='${other.bare}' type='subscribe'/>`
      await one.fence()
      other.sends`<presence to='${one.bare}' type='subscribed'/>`
      if (one === romeo) await other.fence()
    }
    await hearsTune(juliet, romeo, 'Alone')
  }))

  it('nodes that send no last item, send none', scene(two, async ({ romeo, phone }) => {
    publish(romeo, MOOD, 'm', `<mood xmlns='${MOOD}'/>`, config({ send_last_published_item: 'never' }))
    await romeo.hears`<iq type='result' id='pub'/>`
    publish(romeo, TUNE, 'r', tune('Alone'))
    await romeo.hears`<iq type='result' id='pub'/>`
    await withCaps(phone, MOOD, TUNE)
    const event = await phone.hears`<message/>`
    assert.equal(event.getChild('event')!.getChild('items')!.attrs['node'], TUNE)
    assert.deepEqual((await phone.fence()).filter(x => x.name === 'message'), [])
  }))

  it('SEC-S16 a session that slept over a restart of the server hears on, and what it missed', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const romeo = new Actor('romeo', 'romeo@localhost/orchard')
    await stores.accounts.create({ host: 'localhost', local: 'romeo', created: 1, credentials: await makeCredentials('pw', { iterations: 4096 }) })
    await stores.documents.put('session', 'server', 'slept', {
      jid: romeo.jid, until: Date.now() + 600_000, handled: 3, acknowledged: 0, sent: [], flags: [],
      presence: `<presence from='${romeo.jid}'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='${withCaps.ver(TUNE)}'/></presence>`,
    })
    await scene({ phone: 'romeo@localhost/phone' }, async ({ phone }, house) => {
      publish(phone, TUNE, 'missed', tune('Alone'))
      await phone.hears`<iq type='result' id='pub'/>`
      await romeo.opens(house.port)
      await romeo.logsIn()
      romeo.sends`<resume xmlns='urn:xmpp:sm:3' previd='slept' h='0'/>`
      await romeo.hears`<resumed xmlns='urn:xmpp:sm:3' h='3'/>`
      await isAskedFor(romeo, withCaps.ver(TUNE), TUNE)
      await hearsTune(romeo, phone, 'Alone')
      publish(phone, TUNE, 'new', tune('Ghosts'))
      await hearsTune(romeo, phone, 'Ghosts')
      romeo.leaves()
    }, { stores })()
  })

  it('SEC-P12 a hash that does not fit what the client says counts for nobody else', scene(two, async ({ romeo, phone }) => {
    const ver = withCaps.ver(MOOD)
    romeo.sends`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='${ver}'/></presence>`
    await isAskedFor(romeo, ver, TUNE) // it lies
    phone.sends`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='${ver}'/></presence>`
    await isAskedFor(phone, ver, MOOD) // and so the next is asked, too
    await phone.fence()
    publish(romeo, MOOD, 'm', `<mood xmlns='${MOOD}'/>`)
    await phone.hears`<message><event xmlns='${NS}#event'><items node='${MOOD}'/></event></message>`
    assert.deepEqual((await romeo.fence()).filter(x => x.name === 'message'), [])
  }))

  it('SEC-P12 a hash that fits is asked for once; one without a hash counts for one client', scene({ ...two, tablet: 'romeo@localhost/tablet' }, async ({ romeo, phone, tablet }) => {
    await withCaps(romeo, TUNE)
    phone.sends`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:other' ver='${withCaps.ver(TUNE)}'/></presence>`
    assert.deepEqual((await phone.fence()).filter(x => x.name === 'iq'), [])
    for (const a of [phone, tablet]) {
      a.sends`<presence><c xmlns='http://jabber.org/protocol/caps' node='urn:old' ver='1.0'/></presence>`
      await isAskedFor(a, '1.0', MOOD, 'urn:old')
    }
  }))

  it('a retraction is told, and asked of what is not there it is refused', scene(two, async ({ romeo, phone }) => {
    await withCaps(phone, TUNE)
    publish(romeo, TUNE, 'one', tune('Alone'))
    await hearsTune(phone, romeo, 'Alone')
    await romeo.hears`<iq type='result' id='pub'/>`
    romeo.sends`<iq type='set' id='r'><pubsub xmlns='${NS}'><retract node='${TUNE}' notify='true'><item id='one'/></retract></pubsub></iq>`
    await romeo.hears`<iq type='result' id='r'/>`
    await phone.hears`<message type='headline' from='${romeo.bare}'><event xmlns='${NS}#event'><items node='${TUNE}'><retract id='one'/></items></event></message>`
    romeo.sends`<iq type='set' id='r'><pubsub xmlns='${NS}'><retract node='${TUNE}'><item id='one'/></retract></pubsub></iq>`
    await romeo.hears`<iq type='error' id='r'><error><item-not-found xmlns='${STANZAS}'/></error></iq>`
  }))

  it('a purge and a deletion are told once each', scene(two, async ({ romeo, phone }) => {
    await withCaps(phone, TUNE)
    publish(romeo, TUNE, 'one', tune('Alone'))
    await hearsTune(phone, romeo, 'Alone')
    romeo.sends`<iq type='set' id='p'><pubsub xmlns='${OWNER}'><purge node='${TUNE}'/></pubsub></iq>`
    await phone.hears`<message><event xmlns='${NS}#event'><purge node='${TUNE}'/></event></message>`
    romeo.sends`<iq type='set' id='d'><pubsub xmlns='${OWNER}'><delete node='${TUNE}'/></pubsub></iq>`
    await phone.hears`<message><event xmlns='${NS}#event'><delete node='${TUNE}'/></event></message>`
    await romeo.hears`<iq type='result' id='d'/>`
    items(romeo, TUNE)
    await romeo.hears`<iq type='error' id='items'><error><item-not-found xmlns='${STANZAS}'/></error></iq>`
    publish(romeo, TUNE, undefined, tune('New'))
    await romeo.hears`<iq type='result' id='pub'/>`
  }))

  it('who subscribes to an open node hears of it without capabilities, first of the last item', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    publish(romeo, TUNE, 'one', tune('Alone'), config({ access_model: 'open' }))
    await romeo.receives`<iq type='result' id='pub'/>`
    juliet.sends`<iq type='set' id='s' to='${romeo.bare}'><pubsub xmlns='${NS}'><subscribe node='${TUNE}' jid='${juliet.bare}'/></pubsub></iq>`
    await juliet.hears`<iq type='result' id='s'/>`
    await juliet.hears`<message from='${romeo.bare}' to='${juliet.bare}'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='one'/></items></event><delay xmlns='urn:xmpp:delay'/></message>`
    publish(romeo, TUNE, 'two', tune('Ghosts'))
    await juliet.hears`<message from='${romeo.bare}' to='${juliet.bare}'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='two'/></items></event></message>`
    juliet.sends`<iq type='get' id='l' to='${romeo.bare}'><pubsub xmlns='${NS}'><subscriptions node='${TUNE}'/></pubsub></iq>`
    await juliet.hears`<iq type='result' id='l'><pubsub xmlns='${NS}'><subscriptions node='${TUNE}'><subscription jid='${juliet.bare}' subscription='subscribed'/></subscriptions></pubsub></iq>`
    juliet.sends`<iq type='set' id='u' to='${romeo.bare}'><pubsub xmlns='${NS}'><unsubscribe node='${TUNE}' jid='${juliet.bare}'/></pubsub></iq>`
    await juliet.hears`<iq type='result' id='u'><pubsub xmlns='${NS}'><subscription node='${TUNE}' jid='${juliet.bare}' subscription='none'/></pubsub></iq>` // section 6.2.2
    juliet.sends`<iq type='set' id='u' to='${romeo.bare}'><pubsub xmlns='${NS}'><unsubscribe node='${TUNE}' jid='${juliet.bare}'/></pubsub></iq>`
    await juliet.hears`<iq type='error' id='u'><error type='cancel'><unexpected-request xmlns='${STANZAS}'/><not-subscribed xmlns='${ERRORS}'/></error></iq>`
    publish(romeo, TUNE, 'three', tune('Silence'))
    await romeo.hears`<iq type='result' id='pub'/>`
    await juliet.receivesNothing()
  }))

  it('XEP-0490 the state of reading is known to all devices, and to nobody else', scene(two, async ({ romeo, juliet, phone }) => {
    const node = 'urn:xmpp:mds:displayed:0'
    await withCaps(phone, node)
    publish(romeo, node, juliet.bare, `<displayed xmlns='${node}'><stanza-id xmlns='urn:xmpp:sid:0' by='${romeo.bare}' id='1'/></displayed>`, config({ persist_items: 'true', max_items: 'max', send_last_published_item: 'never', access_model: 'whitelist' }))
    await phone.hears`<message from='${romeo.bare}'><event xmlns='${NS}#event'><items node='${node}'><item id='${juliet.bare}'><displayed xmlns='${node}'><stanza-id xmlns='urn:xmpp:sid:0' id='1'/></displayed></item></items></event></message>`
    items(juliet, node, romeo.bare)
    await juliet.hears`<iq type='error' id='items'><error><not-allowed xmlns='${STANZAS}'/></error></iq>`
  }))

  it('XEP-0490 the server takes it from a message, keeps it for the devices, and shows it to nobody else', scene(two, async ({ romeo, juliet, phone }) => {
    const node = 'urn:xmpp:mds:displayed:0'
    await withCaps(phone, node)
    await juliet.comesOnline()
    romeo.sends`<message to='${juliet.bare}' type='chat' id='d'><displayed xmlns='urn:xmpp:chat-markers:0' id='m'/><displayed xmlns='${node}'><stanza-id xmlns='urn:xmpp:sid:0' by='${romeo.bare}' id='7'/></displayed></message>`
    const got = await juliet.hears`<message id='d'><displayed xmlns='urn:xmpp:chat-markers:0' id='m'/></message>`
    assert.ok(!String(got).includes(node))
    await phone.hears`<message from='${romeo.bare}'><event xmlns='${NS}#event'><items node='${node}'><item id='${juliet.bare}'><displayed xmlns='${node}'><stanza-id xmlns='urn:xmpp:sid:0' id='7'/></displayed></item></items></event></message>`
    for (const a of [romeo, juliet]) {
      a.sends`<iq type='get' id='c' to='${romeo.bare}'><pubsub xmlns='${NS}'><items node='${node}'/></pubsub></iq>`
      await a.hears`<iq type='${a === romeo ? 'result' : 'error'}' id='c'/>`
    }
    romeo.sends`<iq type='get' id='i' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.hears`<iq type='result' id='i'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:mds:server-assist:0'/></query></iq>`
  }))
})
