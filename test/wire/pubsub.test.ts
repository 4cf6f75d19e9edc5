import assert from 'node:assert/strict'
import { pubsub } from '../../components/pubsub/pubsub.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { create, items, NS, OWNER, publish } from '../harness/pubsub.ts'
import { befriend } from '../harness/friends.ts'
import { scene, type Actor, type SceneOptions } from '../harness/scene.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const AT = 'pubsub.localhost'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const ERRORS = `${NS}#errors`
const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const there = (more: SceneOptions = {}): SceneOptions => ({ components: { [AT]: pubsub() }, ...more })
const field = (name: string, value: string): string => `<field var='pubsub#${name}'><value>${value}</value></field>`
const entry = (text: string): string => `<entry xmlns='http://www.w3.org/2005/Atom'><title>${text}</title></entry>`

async function publishes(a: Actor, node: string, id: string, text: string): Promise<void> {
  publish(a, node, id, entry(text), undefined, AT)
  await a.hears`<iq type='result' id='pub' from='${AT}'/>`
}
async function makes(a: Actor, node: string, fields?: string): Promise<void> {
  create(a, node, fields, AT)
  await a.hears`<iq type='result' id='create'><pubsub xmlns='${NS}'><create node='${node}'/></pubsub></iq>`
}
async function subscribes(a: Actor, node: string, jid = a.bare): Promise<void> {
  a.sends`<iq type='set' id='sub' to='${AT}'><pubsub xmlns='${NS}'><subscribe node='${node}' jid='${jid}'/></pubsub></iq>`
  await a.hears`<iq type='result' id='sub'><pubsub xmlns='${NS}'><subscription node='${node}' jid='${jid}' subscription='subscribed'/></pubsub></iq>`
}

describe('XEP-0060 a publish-subscribe service', () => {
  it('says what it is and which nodes it has', scene(cast, async ({ romeo }) => {
    await makes(romeo, 'news', field('title', 'News'))
    romeo.sends`<iq type='get' id='i' to='${AT}'><query xmlns='${INFO}'/></iq>`
    await romeo.receives`<iq type='result' id='i'><query xmlns='${INFO}'><identity category='pubsub' type='service'/><feature var='${NS}'/><feature var='${NS}#publish'/></query></iq>`
    romeo.sends`<iq type='get' id='l' to='${AT}'><query xmlns='${ITEMS}'/></iq>`
    await romeo.receives`<iq type='result' id='l'><query xmlns='${ITEMS}'><item jid='${AT}' node='news' name='News'/></query></iq>`
    romeo.sends`<iq type='get' id='n' to='${AT}'><query xmlns='${INFO}' node='news'/></iq>`
    await romeo.receives`<iq type='result' id='n'><query xmlns='${INFO}' node='news'><identity category='pubsub' type='leaf' name='News'/><x xmlns='jabber:x:data'><field var='pubsub#owner'><value>${romeo.bare}</value></field></x></query></iq>`
    romeo.sends`<iq type='get' id='p' to='${AT}'><ping xmlns='urn:xmpp:ping'/></iq>`
    await romeo.receives`<iq type='result' id='p'/>`
  }, there()))

  it('XEP-0248 collections hold nodes, in a tree that disco shows; whoever subscribes to one hears what comes and goes', scene(cast, async ({ romeo, juliet }) => {
    const config = async (a: Actor, node: string, fields: string): Promise<string | undefined> => {
      a.says(`<iq type='set' id='c' to='${AT}'><pubsub xmlns='${OWNER}'><configure node='${node}'><x xmlns='jabber:x:data' type='submit'>${fields}</x></configure></pubsub></iq>`)
      return (await a.hears`<iq id='c'/>`).getChild('error')?.getChildElements().map(e => e.getName()).join(' ')
    }
    const listed = async (a: Actor, node?: string): Promise<string[]> => {
      a.says(`<iq type='get' id='l' to='${AT}'><query xmlns='${ITEMS}'${node === undefined ? '' : ` node='${node}'`}/></iq>`)
      return (await a.hears`<iq type='result' id='l'/>`).getChild('query')!.getChildren('item').map(i => i.attrs['node'])
    }
    romeo.sends`<iq type='get' id='i' to='${AT}'><query xmlns='${INFO}'/></iq>`
    await romeo.receives`<iq type='result' id='i'><query xmlns='${INFO}'><feature var='${NS}#collections'/></query></iq>`
    await juliet.comesOnline()
    const COLLECTION = field('node_type', 'collection')
    await makes(romeo, 'arts', COLLECTION)
    await makes(romeo, 'music', COLLECTION + field('collection', 'arts'))
    await subscribes(juliet, 'music')
    await makes(romeo, 'lute', field('collection', 'music'))
    await juliet.hears`<message from='${AT}'><event xmlns='${NS}#event'><collection node='music'><associate node='lute'/></collection></event></message>`
    assert.deepEqual([await listed(romeo), await listed(romeo, 'arts'), await listed(romeo, 'music')], [['arts'], ['music'], ['lute']])
    for (const [node, type] of [['music', 'collection'], ['lute', 'leaf']]) {
      romeo.says(`<iq type='get' id='n' to='${AT}'><query xmlns='${INFO}' node='${node}'/></iq>`)
      await romeo.receives`<iq type='result' id='n'><query xmlns='${INFO}'><identity category='pubsub' type='${type}'/></query></iq>`
    }
    publish(romeo, 'music', 'a', entry('x'), undefined, AT)
    await romeo.hears`<iq type='error' id='pub'><error><feature-not-implemented xmlns='${STANZAS}'/><unsupported xmlns='${ERRORS}' feature='publish'/></error></iq>`
    items(romeo, 'music', AT)
    await romeo.hears`<iq type='error' id='items'><error><feature-not-implemented xmlns='${STANZAS}'/></error></iq>`
    assert.equal(await config(romeo, 'arts', field('collection', 'music')), 'not-allowed text invalid-options')
    assert.equal(await config(romeo, 'arts', field('collection', 'lute')), 'not-allowed text invalid-options')
    assert.equal(await config(romeo, 'arts', field('collection', 'none')), 'item-not-found')
    assert.equal(await config(romeo, 'arts', field('node_type', 'leaf')), 'not-allowed text invalid-options')
    await makes(juliet, 'hers')
    assert.equal(await config(juliet, 'hers', field('collection', 'arts')), 'forbidden')
    assert.equal(await config(romeo, 'lute', field('collection', '')), undefined)
    await juliet.hears`<message from='${AT}'><event xmlns='${NS}#event'><collection node='music'><dissociate node='lute'/></collection></event></message>`
    assert.equal(await config(romeo, 'lute', field('collection', 'music')), undefined)
    romeo.sends`<iq type='set' id='d' to='${AT}'><pubsub xmlns='${OWNER}'><delete node='music'/></pubsub></iq>`
    await romeo.hears`<iq type='result' id='d'/>`
    assert.deepEqual([await listed(romeo), await listed(romeo, 'arts')], [['arts', 'hers', 'lute'], []])
    await juliet.fence()
  }, there()))

  it('subscribers hear of what is published, removed, purged and deleted; the last item first', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await publishes(romeo, 'news', 'a', 'Old')
    await subscribes(juliet, 'news')
    await juliet.hears`<message type='headline' from='${AT}' to='${juliet.bare}'><event xmlns='${NS}#event'><items node='news'><item id='a'/></items></event><delay xmlns='urn:xmpp:delay'/></message>`
    await publishes(romeo, 'news', 'b', 'New')
    const event = await juliet.hears`<message type='headline' from='${AT}' to='${juliet.bare}'><event xmlns='${NS}#event'><items node='news'><item id='b'><entry xmlns='http://www.w3.org/2005/Atom'><title>New</title></entry></item></items></event></message>`
    assert.ok(event.attrs['id'])
    romeo.sends`<iq type='set' id='r' to='${AT}'><pubsub xmlns='${NS}'><retract node='news' notify='1'><item id='b'/></retract></pubsub></iq>`
    await juliet.hears`<message><event xmlns='${NS}#event'><items node='news'><retract id='b'/></items></event></message>`
    romeo.sends`<iq type='set' id='p' to='${AT}'><pubsub xmlns='${OWNER}'><purge node='news'/></pubsub></iq>`
    await juliet.hears`<message><event xmlns='${NS}#event'><purge node='news'/></event></message>`
    romeo.sends`<iq type='set' id='d' to='${AT}'><pubsub xmlns='${OWNER}'><delete node='news'/></pubsub></iq>`
    await juliet.hears`<message><event xmlns='${NS}#event'><delete node='news'/></event></message>`
    items(juliet, 'news', AT)
    await juliet.hears`<iq type='error' id='items'><error type='cancel'><item-not-found xmlns='${STANZAS}'/></error></iq>`
  }, there()))

  it('an instant node gets a name', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='set' id='c' to='${AT}'><pubsub xmlns='${NS}'><create/></pubsub></iq>`
    const made = await romeo.receives`<iq type='result' id='c'/>`
    const node = made.getChild('pubsub')!.getChild('create')!.attrs['node'] as string
    items(romeo, node, AT)
    await romeo.receives`<iq type='result' id='items'/>`
  }, there()))

  it('a node without payloads tells only that there is something; one without items only that', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await makes(romeo, 'quiet', field('deliver_payloads', '0'))
    await subscribes(juliet, 'quiet')
    await publishes(romeo, 'quiet', 'a', 'Secret')
    const event = await juliet.hears`<message><event xmlns='${NS}#event'><items node='quiet'><item id='a'/></items></event></message>`
    assert.ok(!String(event).includes('Secret'))
    await makes(romeo, 'bell', field('deliver_payloads', '0') + field('persist_items', '0'))
    await subscribes(juliet, 'bell')
    publish(romeo, 'bell', 'a', entry('x'), undefined, AT)
    await romeo.hears`<iq type='error' id='pub'><error><bad-request xmlns='${STANZAS}'/><item-forbidden xmlns='${ERRORS}'/></error></iq>`
    romeo.sends`<iq type='set' id='pub' to='${AT}'><pubsub xmlns='${NS}'><publish node='bell'/></pubsub></iq>`
    await romeo.hears`<iq type='result' id='pub'/>`
    await juliet.hears`<message><event xmlns='${NS}#event'><items node='bell'/></event></message>`
  }, there()))

  for (const [what, inside, detail] of [
    ['no item', '', 'item-required'],
    ['an item without a payload', `<item id='a'/>`, 'payload-required'],
    ['an item with two payloads', `<item id='a'><a xmlns='urn:a'/><b xmlns='urn:b'/></item>`, 'invalid-payload'],
  ] as const) {
    it(`refuses ${what}`, scene(cast, async ({ romeo }) => {
      await makes(romeo, 'news')
      romeo.says(`<iq type='set' id='p' to='${AT}'><pubsub xmlns='${NS}'><publish node='news'>${inside}</publish></pubsub></iq>`)
      await romeo.receives`<iq type='error' id='p'><error type='modify'><bad-request xmlns='${STANZAS}'/><${detail} xmlns='${ERRORS}'/></error></iq>`
    }, there()))
  }

  it('SEC-B03 SEC-B04 a closed node and a node of others', scene(cast, async ({ romeo, juliet }) => {
    await makes(romeo, 'closed', field('access_model', 'whitelist'))
    juliet.sends`<iq type='set' id='s' to='${AT}'><pubsub xmlns='${NS}'><subscribe node='closed' jid='${juliet.bare}'/></pubsub></iq>`
    await juliet.receives`<iq type='error' id='s'><error type='cancel'><not-allowed xmlns='${STANZAS}'/><closed-node xmlns='${ERRORS}'/></error></iq>`
    publish(juliet, 'closed', 'a', entry('x'), undefined, AT)
    await juliet.receives`<iq type='error' id='pub'><error type='auth'><forbidden xmlns='${STANZAS}'/></error></iq>`
    romeo.sends`<iq type='set' id='a' to='${AT}'><pubsub xmlns='${OWNER}'><affiliations node='closed'><affiliation jid='${juliet.bare}' affiliation='publisher'/></affiliations></pubsub></iq>`
    await romeo.receives`<iq type='result' id='a'/>`
    await publishes(juliet, 'closed', 'a', 'x')
    juliet.sends`<iq type='get' id='m' to='${AT}'><pubsub xmlns='${NS}'><affiliations/></pubsub></iq>`
    await juliet.receives`<iq type='result' id='m'><pubsub xmlns='${NS}'><affiliations><affiliation node='closed' affiliation='publisher'/></affiliations></pubsub></iq>`
  }, there()))

  const allows = (a: Actor, node: string, jid: string, allow: string): void =>
    a.sends`<message id='ok' to='${AT}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${NS}#subscribe_authorization</value></field><field var='pubsub#node'><value>${node}</value></field><field var='pubsub#subscriber_jid'><value>${jid}</value></field><field var='pubsub#allow'><value>${allow}</value></field></x></message>`

  it('a subscription that must be allowed waits, reads nothing, and is allowed or not', scene({ ...cast, paris: 'paris@localhost/x' }, async ({ romeo, juliet, paris }) => {
    for (const a of [romeo, juliet, paris]) await a.comesOnline()
    await makes(romeo, 'club', field('access_model', 'authorize'))
    for (const a of [juliet, paris]) {
      a.sends`<iq type='set' id='s' to='${AT}'><pubsub xmlns='${NS}'><subscribe node='club' jid='${a.bare}'/></pubsub></iq>`
      await a.hears`<iq type='result' id='s'><pubsub xmlns='${NS}'><subscription node='club' jid='${a.bare}' subscription='pending'/></pubsub></iq>`
      await romeo.hears`<message from='${AT}'><body/><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'><value>${NS}#subscribe_authorization</value></field><field var='pubsub#node'><value>club</value></field><field var='pubsub#subscriber_jid'><value>${a.bare}</value></field><field var='pubsub#allow'><value>0</value></field></x></message>`
    }
    juliet.sends`<iq type='set' id='s' to='${AT}'><pubsub xmlns='${NS}'><subscribe node='club' jid='${juliet.bare}'/></pubsub></iq>`
    await juliet.hears`<iq type='error' id='s'><error type='auth'><not-authorized xmlns='${STANZAS}'/><pending-subscription xmlns='${ERRORS}'/></error></iq>`
    await publishes(romeo, 'club', 'a', 'x')
    items(juliet, 'club', AT)
    await juliet.hears`<iq type='error' id='items'><error type='auth'><not-authorized xmlns='${STANZAS}'/><not-subscribed xmlns='${ERRORS}'/></error></iq>`
    allows(juliet, 'club', juliet.bare, 'true')
    await juliet.hears`<message type='error' id='ok'><error type='auth'><forbidden xmlns='${STANZAS}'/></error></message>`
    allows(romeo, 'club', juliet.bare, 'true')
    await juliet.hears`<message><event xmlns='${NS}#event'><subscription node='club' jid='${juliet.bare}' subscription='subscribed'/></event></message>`
    await juliet.hears`<message><event xmlns='${NS}#event'><items node='club'><item id='a'/></items></event></message>`
    allows(romeo, 'club', paris.bare, '0')
    await paris.hears`<message><event xmlns='${NS}#event'><subscription node='club' jid='${paris.bare}' subscription='none'/></event></message>`
    items(juliet, 'club', AT)
    await juliet.hears`<iq type='result' id='items'/>`
    await publishes(romeo, 'club', 'b', 'y')
    await juliet.hears`<message><event xmlns='${NS}#event'><items node='club'><item id='b'/></items></event></message>`
    await paris.receivesNothing()
  }, there()))

  it('SEC-B03 nodes for those who see the owner, and for a group of his roster', scene(cast, async ({ romeo, juliet }) => {
    await romeo.comesOnline()
    await juliet.comesOnline()
    await makes(romeo, 'seen', field('access_model', 'presence'))
    await makes(romeo, 'kin', field('access_model', 'roster') + field('roster_groups_allowed', 'Kin'))
    const asks = (node: string): void => juliet.sends`<iq type='set' id='s' to='${AT}'><pubsub xmlns='${NS}'><subscribe node='${node}' jid='${juliet.bare}'/></pubsub></iq>`
    asks('seen')
    await juliet.hears`<iq type='error' id='s'><error type='auth'><not-authorized xmlns='${STANZAS}'/><presence-subscription-required xmlns='${ERRORS}'/></error></iq>`
    asks('kin')
    await juliet.hears`<iq type='error' id='s'><error type='auth'><not-authorized xmlns='${STANZAS}'/><not-in-roster-group xmlns='${ERRORS}'/></error></iq>`
    await befriend(romeo, juliet)
    await subscribes(juliet, 'seen')
    asks('kin')
    await juliet.hears`<iq type='error' id='s'/>`
    romeo.sends`<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}'><group>Kin</group></item></query></iq>`
    await romeo.hears`<iq type='result' id='r'/>`
    await subscribes(juliet, 'kin')
    await publishes(romeo, 'kin', 'a', 'x')
    await juliet.hears`<message><event xmlns='${NS}#event'><items node='kin'><item id='a'/></items></event></message>`
    romeo.sends`<presence to='${juliet.bare}' type='unsubscribed'/>`
    await romeo.fence()
    await publishes(romeo, 'seen', 'a', 'x')
    await publishes(romeo, 'kin', 'b', 'x')
    await romeo.fence()
    assert.deepEqual((await juliet.fence()).filter(x => x.name === 'message'), [])
  }, there()))

  it('SEC-B03 who is shut out hears no more', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await makes(romeo, 'news')
    await subscribes(juliet, 'news')
    romeo.sends`<iq type='set' id='c' to='${AT}'><pubsub xmlns='${OWNER}'><configure node='news'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${NS}#node_config</value></field>${''}<field var='pubsub#access_model'><value>whitelist</value></field></x></configure></pubsub></iq>`
    await romeo.hears`<iq type='result' id='c'/>`
    await publishes(romeo, 'news', 'a', 'x')
    await juliet.receivesNothing()
  }, there()))

  it('SEC-B02 one account makes no more nodes than it may', scene(cast, async ({ romeo, juliet }) => {
    await makes(romeo, 'one')
    create(romeo, 'two', undefined, AT)
    await romeo.receives`<iq type='error' id='create'><error><conflict xmlns='${STANZAS}'/><max-nodes-exceeded xmlns='${ERRORS}'/></error></iq>`
    await makes(juliet, 'two')
  }, there({ limits: { pubsub: { ...defaultLimits.pubsub, nodes: 1 } } })))

  it('who is of another server makes none', scene(cast, async (_, house) => {
    const far = await house.component('far.example', 'verona')
    far.sends`<iq type='set' id='c' from='nurse@far.example/x' to='${AT}'><pubsub xmlns='${NS}'><create node='news'/></pubsub></iq>`
    await far.receives`<iq xmlns='jabber:component:accept' type='error' id='c'><error type='auth'><forbidden xmlns='${STANZAS}'/></error></iq>`
  }, there({ externals: { 'far.example': 'verona' } })))

  it('an address that is there no more is subscribed to nothing', scene(cast, async ({ romeo }, house) => {
    const far = await house.component('far.example', 'verona')
    await makes(romeo, 'news')
    far.sends`<iq type='set' id='s' from='nurse@far.example/x' to='${AT}'><pubsub xmlns='${NS}'><subscribe node='news' jid='nurse@far.example'/></pubsub></iq>`
    await far.hears`<iq xmlns='jabber:component:accept' type='result' id='s'/>`
    await publishes(romeo, 'news', 'a', 'x')
    const event = await far.hears`<message xmlns='jabber:component:accept' to='nurse@far.example'/>`
    far.sends`<message type='error' id='${event.attrs['id']}' from='nurse@far.example' to='${AT}'><error type='cancel'><item-not-found xmlns='${STANZAS}'/></error></message>`
    far.sends`<iq type='set' id='u' from='nurse@far.example/x' to='${AT}'><pubsub xmlns='${NS}'><unsubscribe node='news' jid='nurse@far.example'/></pubsub></iq>`
    await far.hears`<iq xmlns='jabber:component:accept' type='error' id='u'><error><not-subscribed xmlns='${ERRORS}'/></error></iq>`
  }, there({ externals: { 'far.example': 'verona' } })))

  it('an owner sees who is subscribed, and ends it', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await makes(romeo, 'news')
    await subscribes(juliet, 'news')
    romeo.sends`<iq type='get' id='l' to='${AT}'><pubsub xmlns='${OWNER}'><subscriptions node='news'/></pubsub></iq>`
    await romeo.receives`<iq type='result' id='l'><pubsub xmlns='${OWNER}'><subscriptions node='news'><subscription jid='${juliet.bare}' subscription='subscribed'/></subscriptions></pubsub></iq>`
    romeo.sends`<iq type='set' id='e' to='${AT}'><pubsub xmlns='${OWNER}'><subscriptions node='news'><subscription jid='${juliet.bare}' subscription='none'/></subscriptions></pubsub></iq>`
    await romeo.receives`<iq type='result' id='e'/>`
    await juliet.hears`<message><event xmlns='${NS}#event'><subscription node='news' jid='${juliet.bare}' subscription='none'/></event></message>`
    await publishes(romeo, 'news', 'a', 'x')
    await juliet.receivesNothing()
  }, there()))

  it('nodes outlive the service', scene(cast, async ({ romeo, juliet }, house) => {
    const first = await house.mount(AT, pubsub())
    await publishes(romeo, 'news', 'a', 'x')
    await subscribes(juliet, 'news')
    await first[Symbol.asyncDispose]()
    await using _ = await house.mount(AT, pubsub())
    items(juliet, 'news', AT)
    await juliet.hears`<iq type='result' id='items'><pubsub xmlns='${NS}'><items node='news'><item id='a'/></items></pubsub></iq>`
    juliet.sends`<iq type='get' id='l' to='${AT}'><pubsub xmlns='${NS}'><subscriptions node='news'/></pubsub></iq>`
    await juliet.hears`<iq type='result' id='l'><pubsub xmlns='${NS}'><subscriptions node='news'><subscription jid='${juliet.bare}'/></subscriptions></pubsub></iq>`
  }))

  it('SEC-B06 five thousand subscribers hear of one publication, each once', scene(cast, async ({ romeo }, house) => {
    const far = await house.component('far.example', 'verona')
    const first = await house.mount(AT, pubsub())
    await makes(romeo, 'news')
    await first[Symbol.asyncDispose]()
    const subscriptions = Array.from({ length: 5000 }, (_, i) => `u${i}@far.example`)
    const { value } = (await house.stores.documents.get<object>('pubsub-node', AT, 'news'))!
    await house.stores.documents.put('pubsub-node', AT, 'news', { ...value, subscriptions })
    await using _ = await house.mount(AT, pubsub())
    await publishes(romeo, 'news', 'a', 'x')
    const heard = new Set<unknown>()
    for (let i = 0; i < subscriptions.length; i++) heard.add((await far.next()).attrs['to'])
    assert.equal(heard.size, subscriptions.length)
  }, { externals: { 'far.example': 'verona' } }))
})
