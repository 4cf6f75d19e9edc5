// Personal nodes (XEP-0163): who may publish, read, subscribe and configure.
import assert from 'node:assert/strict'
import { befriend } from '../harness/friends.ts'
import { scene } from '../harness/scene.ts'
import { create, items, NS, OWNER, publish } from '../harness/pubsub.ts'
import { cast, config, ERRORS, limits, STANZAS, TUNE, tune } from './pep-scene.ts'

describe('XEP-0163 personal nodes', () => {
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
})
