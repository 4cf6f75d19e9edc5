import assert from 'node:assert/strict'
import { defaultLimits } from '../../server/ports/limits.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { befriend } from '../harness/friends.ts'
import { Actor, scene } from '../harness/scene.ts'
import { create, isAskedFor, items, NS, OWNER, publish, withCaps } from '../harness/pubsub.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const two = { ...cast, phone: 'romeo@localhost/phone' }
const TUNE = 'http://jabber.org/protocol/tune'
const MOOD = 'http://jabber.org/protocol/mood'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const ERRORS = `${NS}#errors`
const limits = (pubsub: Partial<typeof defaultLimits.pubsub>) => ({ limits: { pubsub: { ...defaultLimits.pubsub, ...pubsub } } })

const tune = (title: string): string => `<tune xmlns='${TUNE}'><title>${title}</title></tune>`
const config = (fields: Record<string, string>): string => Object.entries(fields).map(([k, v]) => `<field var='pubsub#${k}'><value>${v}</value></field>`).join('')

/** What is sent to those who listen. */
const hearsTune = (a: Actor, from: Actor, title: string) =>
  a.hears`<message type='headline' from='${from.bare}' to='${a}'><event xmlns='${NS}#event'><items node='${TUNE}'><item><tune xmlns='${TUNE}'><title>${title}</title></tune></item></items></event></message>`

describe('XEP-0163 personal nodes', () => {
  it('an account says that it has them, and so does the host', scene(cast, async ({ romeo }) => {
    for (const to of [romeo.bare, 'localhost']) {
      romeo.sends`<iq type='get' id='i' to='${to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
      await romeo.receives`<iq type='result' id='i'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='pubsub' type='pep'/><feature var='${NS}#publish-options'/></query></iq>`
    }
    romeo.sends`<iq type='get' id='i' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    const told = String(await romeo.next())
    for (const f of ['access-presence', 'auto-create', 'auto-subscribe', 'filtered-notifications', 'persistent-items', 'config-node-max', 'last-published']) assert.ok(told.includes(`${NS}#${f}"`), f)
  }))

  it('what is published is kept, and read by the owner, with or without an address', scene(cast, async ({ romeo }) => {
    publish(romeo, TUNE, 'one', tune('Alone'))
    await romeo.receives`<iq type='result' id='pub'><pubsub xmlns='${NS}'><publish node='${TUNE}'><item id='one'/></publish></pubsub></iq>`
    items(romeo, TUNE, romeo.bare)
    await romeo.receives`<iq type='result' id='items' from='${romeo.bare}'><pubsub xmlns='${NS}'><items node='${TUNE}'><item id='one'><tune xmlns='${TUNE}'><title>Alone</title></tune></item></items></pubsub></iq>`
  }))

  it('an item without an id gets one', scene(cast, async ({ romeo }) => {
    publish(romeo, TUNE, undefined, tune('Alone'))
    const id = (await romeo.next()).getChild('pubsub')!.getChild('publish')!.getChild('item')!.attrs['id']
    assert.ok(id)
    items(romeo, TUNE)
    await romeo.receives`<iq type='result' id='items'><pubsub xmlns='${NS}'><items node='${TUNE}'><item id='${id}'/></items></pubsub></iq>`
  }))

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

  it('COMPAT Dino: a node that is not there, and its configuration, are not found', scene(cast, async ({ romeo }) => {
    items(romeo, 'eu.siacs.conversations.axolotl.devicelist')
    await romeo.receives`<iq type='error' id='items'><error type='cancel'><item-not-found xmlns='${STANZAS}'/></error></iq>`
    romeo.sends`<iq type='get' id='c'><pubsub xmlns='${OWNER}'><configure node='eu.siacs.conversations.axolotl.devicelist'/></pubsub></iq>`
    await romeo.receives`<iq type='error' id='c'><error type='cancel'><item-not-found xmlns='${STANZAS}'/></error></iq>`
  }))

  it('COMPAT Dino: … and the OMEMO nodes are opened to everybody by their configuration form', scene(cast, async ({ romeo, juliet }) => {
    const node = 'eu.siacs.conversations.axolotl.devicelist'
    publish(romeo, node, 'current', `<list xmlns='eu.siacs.conversations.axolotl'><device id='7'/></list>`)
    await romeo.receives`<iq type='result' id='pub'/>`
    romeo.sends`<iq type='get' id='c'><pubsub xmlns='${OWNER}'><configure node='${node}'/></pubsub></iq>`
    const form = (await romeo.receives`<iq type='result' id='c'><pubsub xmlns='${OWNER}'><configure node='${node}'><x xmlns='jabber:x:data' type='form'><field var='pubsub#access_model'><value>presence</value></field></x></configure></pubsub></iq>`)
      .getChild('pubsub')!.getChild('configure')!.getChild('x')!
    const back = String(form).replace(/<option.*?<\/option>/g, '').replace('<value>presence</value>', '<value>open</value>').replace('type="form"', 'type="submit"')
    romeo.says(`<iq type='set' id='s'><pubsub xmlns='${OWNER}'><configure node='${node}'>${back}</configure></pubsub></iq>`)
    await romeo.receives`<iq type='result' id='s'/>`
    items(juliet, node, romeo.bare)
    await juliet.receives`<iq type='result' id='items' from='${romeo.bare}'><pubsub xmlns='${NS}'><items node='${node}'><item id='current'><list xmlns='eu.siacs.conversations.axolotl'><device id='7'/></list></item></items></pubsub></iq>`
  }))

  it('nodes and items outlive the memory of the server, in their order', scene(cast, async ({ romeo, juliet }, house) => {
    for (const id of ['c', 'a', 'b', 'a']) {
      publish(romeo, TUNE, id, tune(id), config({ access_model: 'open', max_items: '5' }))
      await romeo.receives`<iq type='result' id='pub'/>`
    }
    house.host.accounts.refresh(Jid.parse(romeo.bare), undefined) // as if nobody had been there for long
    items(juliet, TUNE, romeo.bare)
    const kept = (await juliet.receives`<iq type='result' id='items'/>`).getChild('pubsub')!.getChild('items')!.getChildren('item').map(i => i.attrs['id'])
    assert.deepEqual(kept, ['c', 'b', 'a'])
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

  it('SEC-P09 publish-options make a node so, and are a condition where it is there', scene(cast, async ({ romeo, juliet }) => {
    await romeo.comesOnline()
    await juliet.comesOnline()
    await befriend(romeo, juliet)
    const hidden = config({ access_model: 'whitelist', persist_items: 'true', max_items: 'max', send_last_published_item: 'never' })
    publish(romeo, 'urn:xmpp:bookmarks:1', 'den@muc.localhost', `<conference xmlns='urn:xmpp:bookmarks:1'/>`, hidden)
    await romeo.hears`<iq type='result' id='pub'/>`
    items(juliet, 'urn:xmpp:bookmarks:1', romeo.bare)
    await juliet.hears`<iq type='error' id='items'><error type='cancel'><not-allowed xmlns='${STANZAS}'/><closed-node xmlns='${ERRORS}'/></error></iq>`
    publish(romeo, 'storage:bookmarks', 'current', `<storage xmlns='storage:bookmarks'/>`)
    await romeo.hears`<iq type='result' id='pub'/>`
    publish(romeo, 'storage:bookmarks', 'current', `<storage xmlns='storage:bookmarks'/>`, hidden)
    await romeo.hears`<iq type='error' id='pub'><error type='cancel'><conflict xmlns='${STANZAS}'/><precondition-not-met xmlns='${ERRORS}'/></error></iq>`
    publish(romeo, 'urn:x', 'current', `<x xmlns='urn:x'/>`, config({ made_up: '1' }))
    await romeo.hears`<iq type='error' id='pub'><error type='cancel'><conflict xmlns='${STANZAS}'/></error></iq>`
    items(romeo, 'urn:x')
    await romeo.hears`<iq type='error' id='items'><error><item-not-found xmlns='${STANZAS}'/></error></iq>`
  }))

  it('SEC-B01 a publish without a node, and one of a thousand items', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='set' id='p'><pubsub xmlns='${NS}'><publish><item><x xmlns='urn:x'/></item></publish></pubsub></iq>`
    await romeo.receives`<iq type='error' id='p'><error type='modify'><bad-request xmlns='${STANZAS}'/><nodeid-required xmlns='${ERRORS}'/></error></iq>`
    romeo.says(`<iq type='set' id='p'><pubsub xmlns='${NS}'><publish node='n'>${'<item/>'.repeat(1000)}</publish></pubsub></iq>`)
    await romeo.receives`<iq type='error' id='p'><error type='modify'><bad-request xmlns='${STANZAS}'/></error></iq>`
  }))

  it('SEC-B02 an item that is too big', scene(cast, async ({ romeo }) => {
    const big = (n: number): string => `<x xmlns='urn:x'>${'x'.repeat(n - `<x xmlns='urn:x'></x>`.length)}</x>`
    publish(romeo, 'urn:x', 'a', big(64 * 1024))
    await romeo.receives`<iq type='result' id='pub'/>`
    publish(romeo, 'urn:x', 'b', big(64 * 1024 + 1))
    await romeo.receives`<iq type='error' id='pub'><error type='modify'><not-acceptable xmlns='${STANZAS}'/><payload-too-big xmlns='${ERRORS}'/></error></iq>`
  }))

  it('SEC-B02 one item too many puts the oldest out; one node too many is refused', scene(cast, async ({ romeo }) => {
    for (const id of ['a', 'b', 'c']) {
      publish(romeo, 'urn:x', id, `<x xmlns='urn:x'/>`, config({ max_items: 'max' }))
      await romeo.receives`<iq type='result' id='pub'/>`
    }
    items(romeo, 'urn:x')
    const kept = (await romeo.next()).getChild('pubsub')!.getChild('items')!.getChildren('item').map(i => i.attrs['id'])
    assert.deepEqual(kept, ['b', 'c'])
    publish(romeo, 'urn:y', 'a', `<x xmlns='urn:y'/>`)
    await romeo.receives`<iq type='result' id='pub'/>`
    publish(romeo, 'urn:z', 'a', `<x xmlns='urn:z'/>`)
    await romeo.receives`<iq type='error' id='pub'><error><conflict xmlns='${STANZAS}'/><max-nodes-exceeded xmlns='${ERRORS}'/></error></iq>`
  }, limits({ items: 2, nodes: 2 })))

  it('SEC-B03 who may not, neither subscribes nor reads', scene(cast, async ({ romeo, juliet }) => {
    publish(romeo, TUNE, 'one', tune('Alone'))
    await romeo.receives`<iq type='result' id='pub'/>`
    create(romeo, 'urn:closed', config({ access_model: 'whitelist' }))
    await romeo.receives`<iq type='result' id='create'/>`
    create(romeo, 'urn:group', config({ access_model: 'roster', roster_groups_allowed: 'Friends' }))
    await romeo.receives`<iq type='result' id='create'/>`
    const answers = { [TUNE]: ['auth', 'not-authorized', 'presence-subscription-required'], 'urn:closed': ['cancel', 'not-allowed', 'closed-node'], 'urn:group': ['auth', 'not-authorized', 'not-in-roster-group'] } as const
    for (const [node, [type, condition, detail]] of Object.entries(answers)) {
      for (const asked of [`<iq type='set' id='q' to='${romeo.bare}'><pubsub xmlns='${NS}'><subscribe node='${node}' jid='${juliet.bare}'/></pubsub></iq>`, `<iq type='get' id='q' to='${romeo.bare}'><pubsub xmlns='${NS}'><items node='${node}'/></pubsub></iq>`]) {
        juliet.says(asked)
        const answer = await juliet.receives`<iq type='error' id='q' from='${romeo.bare}'><error type='${type}'/></iq>`
        assert.ok(answer.getChild('error')!.getChild(condition, STANZAS) && answer.getChild('error')!.getChild(detail, ERRORS), String(answer))
      }
    }
  }))

  it('a node for some groups of the roster is read by those', scene(cast, async ({ romeo, juliet }) => {
    await romeo.comesOnline()
    await juliet.comesOnline()
    await befriend(romeo, juliet)
    publish(romeo, TUNE, 'one', tune('Alone'), config({ access_model: 'roster', roster_groups_allowed: 'Capulets' }))
    await romeo.hears`<iq type='result' id='pub'/>`
    items(juliet, TUNE, romeo.bare)
    await juliet.hears`<iq type='error' id='items'/>`
    romeo.sends`<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}'><group>Capulets</group></item></query></iq>`
    await romeo.hears`<iq type='result' id='r'/>`
    items(juliet, TUNE, romeo.bare)
    await juliet.hears`<iq type='result' id='items'/>`
  }))

  it('SEC-B04 SEC-R13 nobody else publishes, removes, configures or deletes', scene(cast, async ({ romeo, juliet }) => {
    publish(romeo, TUNE, 'one', tune('Alone'), config({ access_model: 'open' }))
    await romeo.receives`<iq type='result' id='pub'/>`
    const tries = [
      `<pubsub xmlns='${NS}'><publish node='${TUNE}'><item id='one'>${tune('Mine')}</item></publish></pubsub>`,
      `<pubsub xmlns='${NS}'><publish node='urn:new'><item id='one'><x xmlns='urn:x'/></item></publish></pubsub>`,
      `<pubsub xmlns='${NS}'><create node='urn:new'/></pubsub>`,
      `<pubsub xmlns='${NS}'><retract node='${TUNE}' notify='true'><item id='one'/></retract></pubsub>`,
      `<pubsub xmlns='${OWNER}'><configure node='${TUNE}'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#title'><value>Mine</value></field></x></configure></pubsub>`,
      `<pubsub xmlns='${OWNER}'><purge node='${TUNE}'/></pubsub>`,
      `<pubsub xmlns='${OWNER}'><delete node='${TUNE}'/></pubsub>`,
      `<pubsub xmlns='${OWNER}'><affiliations node='${TUNE}'><affiliation jid='${juliet.bare}' affiliation='owner'/></affiliations></pubsub>`,
    ]
    for (const t of tries) {
      juliet.says(`<iq type='set' id='t' to='${romeo.bare}'>${t}</iq>`)
      await juliet.receives`<iq type='error' id='t' from='${romeo.bare}'><error type='auth'><forbidden xmlns='${STANZAS}'/></error></iq>`
    }
    for (const what of ['configure', 'affiliations', 'subscriptions']) {
      juliet.sends`<iq type='get' id='t' to='${romeo.bare}'><pubsub xmlns='${OWNER}'><${what} node='${TUNE}'/></pubsub></iq>`
      await juliet.receives`<iq type='error' id='t'><error type='auth'><forbidden xmlns='${STANZAS}'/></error></iq>`
    }
    items(romeo, TUNE)
    await romeo.receives`<iq type='result' id='items'><pubsub xmlns='${NS}'><items node='${TUNE}'><item id='one'><tune xmlns='${TUNE}'><title>Alone</title></tune></item></items></pubsub></iq>`
  }))

  it('SEC-B04 a publisher does not name himself', scene(cast, async ({ romeo, juliet }) => {
    create(romeo, 'urn:wall', config({ access_model: 'open', publish_model: 'open', itemreply: 'publisher', max_items: '9' }))
    await romeo.receives`<iq type='result' id='create'/>`
    juliet.sends`<iq type='set' id='p' to='${romeo.bare}'><pubsub xmlns='${NS}'><publish node='urn:wall'><item id='a' publisher='${romeo.bare}'><x xmlns='urn:x'/></item></publish></pubsub></iq>`
    await juliet.receives`<iq type='result' id='p'/>`
    items(romeo, 'urn:wall')
    await romeo.receives`<iq type='result' id='items'><pubsub xmlns='${NS}'><items node='urn:wall'><item id='a' publisher='${juliet.bare}'/></items></pubsub></iq>`
  }))

  it('SEC-B05 one subscription too many', scene({ ...cast, paris: 'paris@localhost/x' }, async ({ romeo, juliet, paris }) => {
    create(romeo, 'urn:x', config({ access_model: 'open' }))
    await romeo.receives`<iq type='result' id='create'/>`
    for (const a of [juliet, paris]) a.sends`<iq type='set' id='s' to='${romeo.bare}'><pubsub xmlns='${NS}'><subscribe node='urn:x' jid='${a.bare}'/></pubsub></iq>`
    await juliet.receives`<iq type='result' id='s'><pubsub xmlns='${NS}'><subscription node='urn:x' jid='${juliet.bare}' subscription='subscribed'/></pubsub></iq>`
    await paris.receives`<iq type='error' id='s'><error type='wait'><policy-violation xmlns='${STANZAS}'/><too-many-subscriptions xmlns='${ERRORS}'/></error></iq>`
  }, limits({ subscriptions: 1 })))

  it('SEC-B07 an id out of a page is looked for, and nothing else happens', scene(cast, async ({ romeo }) => {
    for (const id of ['a', `'; DROP TABLE documents; --`, 'c']) {
      publish(romeo, 'urn:x', id.replace(/'/g, '&apos;'), `<x xmlns='urn:x'/>`, config({ max_items: 'max' }))
      await romeo.receives`<iq type='result' id='pub'/>`
    }
    for (const after of [`' OR '1'='1`, '{"$gt":""}', 'a\' UNION SELECT 1 --', '%']) {
      romeo.sends`<iq type='get' id='i'><pubsub xmlns='${NS}'><items node='urn:x'/><set xmlns='http://jabber.org/protocol/rsm'><max>9</max><after>${after}</after></set></pubsub></iq>`
      await romeo.receives`<iq type='error' id='i'><error><item-not-found xmlns='${STANZAS}'/></error></iq>`
      romeo.sends`<iq type='get' id='d' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>9</max><after>${after}</after></set></query></iq>`
      await romeo.receives`<iq type='error' id='d'><error><item-not-found xmlns='${STANZAS}'/></error></iq>`
    }
    romeo.sends`<iq type='get' id='i'><pubsub xmlns='${NS}'><items node='urn:x'/><set xmlns='http://jabber.org/protocol/rsm'><max>1</max><after>${`'; DROP TABLE documents; --`}</after></set></pubsub></iq>`
    await romeo.receives`<iq type='result' id='i'><pubsub xmlns='${NS}'><items node='urn:x'><item id='c'/></items><set xmlns='http://jabber.org/protocol/rsm'><first index='2'>c</first><last>c</last><count>3</count></set></pubsub></iq>`
  }))

  it('items by id, the newest ones, and none', scene(cast, async ({ romeo }) => {
    for (const id of ['a', 'b', 'c']) {
      publish(romeo, 'urn:x', id, `<x xmlns='urn:x'/>`, config({ max_items: '10' }))
      await romeo.receives`<iq type='result' id='pub'/>`
    }
    const asked = async (inside: string, attrs = ''): Promise<(string | undefined)[]> => {
      romeo.says(`<iq type='get' id='i'><pubsub xmlns='${NS}'><items node='urn:x'${attrs}>${inside}</items></pubsub></iq>`)
      return (await romeo.receives`<iq type='result' id='i'/>`).getChild('pubsub')!.getChild('items')!.getChildren('item').map(i => i.attrs['id'])
    }
    assert.deepEqual(await asked(`<item id='c'/><item id='a'/>`), ['a', 'c'])
    assert.deepEqual(await asked(`<item id='nope'/>`), [])
    assert.deepEqual(await asked('', ` max_items='2'`), ['b', 'c'])
    assert.deepEqual(await asked(''), ['a', 'b', 'c'])
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

  it('where the owner must allow it, he is asked, and answers from any device', scene(cast, async ({ romeo, juliet }) => {
    await romeo.comesOnline()
    await juliet.comesOnline()
    publish(romeo, TUNE, 'one', tune('Alone'), config({ access_model: 'authorize' }))
    await romeo.hears`<iq type='result' id='pub'/>`
    juliet.sends`<iq type='set' id='s' to='${romeo.bare}'><pubsub xmlns='${NS}'><subscribe node='${TUNE}' jid='${juliet.bare}'/></pubsub></iq>`
    await juliet.hears`<iq type='result' id='s'><pubsub xmlns='${NS}'><subscription subscription='pending'/></pubsub></iq>`
    await romeo.hears`<message from='${romeo.bare}'><x xmlns='jabber:x:data' type='form'><field var='pubsub#subscriber_jid'><value>${juliet.bare}</value></field></x></message>`
    romeo.sends`<message to='${romeo.bare}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${NS}#subscribe_authorization</value></field><field var='pubsub#node'><value>${TUNE}</value></field><field var='pubsub#subscriber_jid'><value>${juliet.bare}</value></field><field var='pubsub#allow'><value>true</value></field></x></message>`
    await juliet.hears`<message from='${romeo.bare}'><event xmlns='${NS}#event'><subscription node='${TUNE}' jid='${juliet.bare}' subscription='subscribed'/></event></message>`
    await juliet.hears`<message from='${romeo.bare}'><event xmlns='${NS}#event'><items node='${TUNE}'><item id='one'/></items></event></message>`
    assert.deepEqual((await romeo.fence()).filter(x => x.name === 'message'), [])
  }))

  it('nobody subscribes somebody else', scene(cast, async ({ romeo, juliet }) => {
    create(romeo, 'urn:x', config({ access_model: 'open' }))
    await romeo.receives`<iq type='result' id='create'/>`
    juliet.sends`<iq type='set' id='s' to='${romeo.bare}'><pubsub xmlns='${NS}'><subscribe node='urn:x' jid='paris@localhost'/></pubsub></iq>`
    await juliet.receives`<iq type='error' id='s'><error type='modify'><bad-request xmlns='${STANZAS}'/><invalid-jid xmlns='${ERRORS}'/></error></iq>`
  }))

  it('a whitelist lets in whom the owner names, and an outcast stays out', scene(cast, async ({ romeo, juliet }) => {
    publish(romeo, 'urn:x', 'one', `<x xmlns='urn:x'/>`, config({ access_model: 'whitelist' }))
    await romeo.receives`<iq type='result' id='pub'/>`
    const names = async (affiliation: string): Promise<void> => {
      romeo.sends`<iq type='set' id='a'><pubsub xmlns='${OWNER}'><affiliations node='urn:x'><affiliation jid='${juliet.bare}' affiliation='${affiliation}'/></affiliations></pubsub></iq>`
      await romeo.receives`<iq type='result' id='a'/>`
    }
    await names('member')
    items(juliet, 'urn:x', romeo.bare)
    await juliet.receives`<iq type='result' id='items'/>`
    romeo.sends`<iq type='get' id='g'><pubsub xmlns='${OWNER}'><affiliations node='urn:x'/></pubsub></iq>`
    await romeo.receives`<iq type='result' id='g'><pubsub xmlns='${OWNER}'><affiliations node='urn:x'><affiliation jid='${romeo.bare}' affiliation='owner'/><affiliation jid='${juliet.bare}' affiliation='member'/></affiliations></pubsub></iq>`
    await names('outcast')
    items(juliet, 'urn:x', romeo.bare)
    await juliet.receives`<iq type='error' id='items'><error type='auth'><forbidden xmlns='${STANZAS}'/></error></iq>`
    romeo.sends`<iq type='set' id='a'><pubsub xmlns='${OWNER}'><affiliations node='urn:x'><affiliation jid='${romeo.bare}' affiliation='none'/></affiliations></pubsub></iq>`
    await romeo.receives`<iq type='error' id='a'><error><not-acceptable xmlns='${STANZAS}'/></error></iq>`
  }))

  it('disco tells of the nodes that one may see, and of their items', scene(cast, async ({ romeo, juliet }) => {
    await romeo.comesOnline()
    await juliet.comesOnline()
    await befriend(romeo, juliet)
    publish(romeo, TUNE, 'one', tune('Alone'))
    await romeo.hears`<iq type='result' id='pub'/>`
    publish(romeo, 'urn:closed', 'one', `<x xmlns='urn:x'/>`, config({ access_model: 'whitelist' }))
    await romeo.hears`<iq type='result' id='pub'/>`
    juliet.sends`<iq type='get' id='d' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
    const told = await juliet.hears`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='${romeo.bare}' node='${TUNE}'/></query></iq>`
    assert.ok(!String(told).includes('urn:closed'))
    juliet.sends`<iq type='get' id='i' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#items' node='${TUNE}'/></iq>`
    await juliet.hears`<iq type='result' id='i'><query xmlns='http://jabber.org/protocol/disco#items' node='${TUNE}'><item jid='${romeo.bare}' name='one'/></query></iq>`
    juliet.sends`<iq type='get' id='n' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#info' node='${TUNE}'/></iq>`
    await juliet.hears`<iq type='result' id='n'><query xmlns='http://jabber.org/protocol/disco#info' node='${TUNE}'><identity category='pubsub' type='leaf'/><x xmlns='jabber:x:data'><field var='pubsub#access_model'><value>presence</value></field></x></query></iq>`
  }))

  it('a stranger learns no more of who exists than of who does not', scene(cast, async ({ romeo, juliet }) => {
    const answers: string[] = []
    for (const who of [juliet.bare, 'nobody@localhost']) {
      items(romeo, TUNE, who)
      answers.push(String(await romeo.next()).replaceAll(who, 'WHO'))
    }
    assert.equal(answers[0], answers[1])
  }))

  it('what a model does not allow is refused when the node is made', scene(cast, async ({ romeo }) => {
    create(romeo, 'urn:x', config({ access_model: 'nonsense' }))
    await romeo.receives`<iq type='error' id='create'><error type='modify'><not-acceptable xmlns='${STANZAS}'/><unsupported-access-model xmlns='${ERRORS}'/></error></iq>`
    create(romeo, 'urn:x', config({ max_items: '257' }))
    await romeo.receives`<iq type='error' id='create'><error type='modify'><not-acceptable xmlns='${STANZAS}'/></error></iq>`
    create(romeo, 'urn:x')
    await romeo.receives`<iq type='result' id='create'/>`
    create(romeo, 'urn:x')
    await romeo.receives`<iq type='error' id='create'><error type='cancel'><conflict xmlns='${STANZAS}'/></error></iq>`
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

  it('SEC-X28 hostile names and ids come back as they are', scene(cast, async ({ romeo }) => {
    const id = `'/><presence to='v@x'/>`
    romeo.sends`<iq type='set' id='pub'><pubsub xmlns='${NS}'><publish node='${id}'><item id='${id}'><x xmlns='urn:x'/></item></publish></pubsub></iq>`
    await romeo.receives`<iq type='result' id='pub'><pubsub xmlns='${NS}'><publish node='${id}'><item id='${id}'/></publish></pubsub></iq>`
    romeo.sends`<iq type='get' id='i'><pubsub xmlns='${NS}'><items node='${id}'/></pubsub></iq>`
    await romeo.receives`<iq type='result' id='i'><pubsub xmlns='${NS}'><items node='${id}'><item id='${id}'/></items></pubsub></iq>`
    await romeo.receivesNothing()
  }))
})
