// Personal nodes (XEP-0163): what is published, kept and read.
import assert from 'node:assert/strict'
import { Jid } from '../../server/stanza/jid.ts'
import { scene } from '../harness/scene.ts'
import { items, NS, OWNER, publish } from '../harness/pubsub.ts'
import { cast, config, ERRORS, limits, STANZAS, TUNE, tune } from './pep-scene.ts'

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

  it('SEC-X28 hostile names and ids come back as they are', scene(cast, async ({ romeo }) => {
    const id = `'/><presence to='v@x'/>`
    romeo.sends`<iq type='set' id='pub'><pubsub xmlns='${NS}'><publish node='${id}'><item id='${id}'><x xmlns='urn:x'/></item></publish></pubsub></iq>`
    await romeo.receives`<iq type='result' id='pub'><pubsub xmlns='${NS}'><publish node='${id}'><item id='${id}'/></publish></pubsub></iq>`
    romeo.sends`<iq type='get' id='i'><pubsub xmlns='${NS}'><items node='${id}'/></pubsub></iq>`
    await romeo.receives`<iq type='result' id='i'><pubsub xmlns='${NS}'><items node='${id}'><item id='${id}'/></items></pubsub></iq>`
    await romeo.receivesNothing()
  }))
})
