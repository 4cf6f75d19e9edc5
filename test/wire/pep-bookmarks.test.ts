import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { items, NS, publish, withCaps } from '../harness/pubsub.ts'
import { scene, type Actor } from '../harness/scene.ts'
import { parseFrame, readStanza, type Presence } from '../../server/api.ts'

const two = { romeo: 'romeo@localhost/orchard', phone: 'romeo@localhost/phone' }
const NODE = 'urn:xmpp:bookmarks:1'
const OLD = 'storage:bookmarks'
const options = { persist_items: 'true', max_items: 'max', send_last_published_item: 'never', access_model: 'whitelist' }
const fields = Object.entries(options).map(([k, v]) => `<field var='pubsub#${k}'><value>${v}</value></field>`).join('')

async function old(a: Actor): Promise<Xml[]> {
  a.sends`<iq type='get' id='old'><query xmlns='jabber:iq:private'><storage xmlns='${OLD}'/></query></iq>`
  return (await a.hears`<iq type='result' id='old'/>`).getChild('query')!.getChild('storage', OLD)!.getChildElements()
}

async function writes(a: Actor, inside: string): Promise<void> {
  a.says(`<iq type='set' id='set'><query xmlns='jabber:iq:private'><storage xmlns='${OLD}'>${inside}</storage></query></iq>`)
  await a.hears`<iq type='result' id='set'/>`
}

async function fresh(a: Actor): Promise<Record<string, Xml>> {
  items(a, NODE)
  const list = (await a.hears`<iq type='result' id='items'/>`).getChild('pubsub', NS)!.getChild('items')!.getChildren('item')
  return Object.fromEntries(list.map(i => [i.attrs['id'] as string, i.getChild('conference', NODE)!]))
}

describe('XEP-0402 bookmarks, in both forms', () => {
  it('the account says that it is safe to use the new ones alone', scene(two, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='i' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='i'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${NODE}#compat'/><feature var='${NODE}#compat-pep'/><feature var='urn:xmpp:bookmarks-conversion:0'/></query></iq>`
  }))

  it('XEP-0060 section 7.1.5: who reads the list before there is one still says how it shall be, and who comes after him is held to that', scene(two, async ({ romeo, phone }) => {
    assert.deepEqual(await fresh(romeo), {})
    const few = fields.replace('>max<', '>255<')
    publish(romeo, NODE, 'play@muc.localhost', `<conference xmlns='${NODE}'/>`, few)
    await romeo.hears`<iq type='result' id='pub'/>`
    publish(phone, NODE, 'den@muc.localhost', `<conference xmlns='${NODE}'/>`, fields.replace('>whitelist<', '>open<'))
    await phone.hears`<iq type='error' id='pub'><error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    publish(phone, NODE, 'den@muc.localhost', `<conference xmlns='${NODE}'/>`, few)
    await phone.hears`<iq type='result' id='pub'/>`
    assert.deepEqual(Object.keys(await fresh(romeo)).sort(), ['den@muc.localhost', 'play@muc.localhost'])
  }))

  it('XEP-0411 section 3: a client that waits for the older node hears what another writes into private storage, though there was no such node', scene(two, async ({ romeo, phone }) => {
    await withCaps(phone, OLD)
    await writes(romeo, `<conference jid='play@muc.localhost' name='The Play' autojoin='true'/>`)
    await phone.hears`<message from='${romeo.bare}'><event xmlns='${NS}#event'><items node='${OLD}'><item><storage xmlns='${OLD}'><conference jid='play@muc.localhost' name='The Play'/></storage></item></items></event></message>`
  }))

  it('a new bookmark is in the old list; COMPAT Psi+: always with a nick', scene(two, async ({ romeo, phone }) => {
    publish(romeo, NODE, 'play@muc.localhost', `<conference xmlns='${NODE}' name='The Play' autojoin='1'><nick>JC</nick><password>pw</password></conference>`, fields)
    await romeo.hears`<iq type='result' id='pub'/>`
    publish(romeo, NODE, 'den@muc.localhost', `<conference xmlns='${NODE}'/>`, fields)
    await romeo.hears`<iq type='result' id='pub'/>`
    const [play, den] = await old(phone)
    assert.deepEqual({ ...play!.attrs }, { jid: 'play@muc.localhost', name: 'The Play', autojoin: 'true' })
    assert.equal(play!.getChildText('nick'), 'JC')
    assert.equal(play!.getChildText('password'), 'pw')
    assert.equal(den!.attrs['autojoin'], 'false')
    assert.equal(den!.getChildText('nick'), 'romeo')
  }))

  it('… but what an older client wrote without one comes back without', scene(two, async ({ romeo, phone }) => {
    await writes(romeo, `<conference jid='play@muc.localhost' name='The Play' autojoin='false'/>`)
    assert.equal((await old(phone))[0]!.getChild('nick'), undefined)
    await writes(romeo, `<conference jid='play@muc.localhost' name='The Play' autojoin='false'><nick>JC</nick></conference>`)
    assert.equal((await old(phone))[0]!.getChildText('nick'), 'JC')
  }))

  it('the node of XEP-0048 has the same list, whoever changes it, and answers no change that is none', scene({ ...two, tablet: 'romeo@localhost/tablet' }, async ({ romeo, phone, tablet }) => {
    await withCaps(phone, OLD)
    await withCaps(tablet, NODE)
    publish(romeo, NODE, 'play@muc.localhost', `<conference xmlns='${NODE}' name='The Play' autojoin='true'><nick>JC</nick></conference>`, fields)
    await romeo.hears`<iq type='result' id='pub'/>`
    items(romeo, OLD)
    await romeo.hears`<iq type='result' id='items'><pubsub xmlns='${NS}'><items node='${OLD}'><item id='current'><storage xmlns='${OLD}'><conference jid='play@muc.localhost' name='The Play' autojoin='true'><nick>JC</nick></conference></storage></item></items></pubsub></iq>`
    await tablet.hears`<message><event xmlns='${NS}#event'><items node='${NODE}'><item id='play@muc.localhost'/></items></event></message>`
    const list = `<storage xmlns='${OLD}'><url name='Site' url='https://x.example'/><conference jid='den@muc.localhost' name='Den' autojoin='0'><nick>R</nick></conference><conference autojoin='1' name='The Play' jid='play@muc.localhost'><nick>JC</nick></conference></storage>`
    publish(phone, OLD, 'current', list, fields.replace("<value>max</value>", '<value>1</value>'))
    await phone.hears`<iq type='result' id='pub'/>`
    await tablet.hears`<message><event xmlns='${NS}#event'><items node='${NODE}'><item id='den@muc.localhost'><conference xmlns='${NODE}' name='Den'><nick>R</nick></conference></item></items></event></message>`
    await phone.fence()
    assert.deepEqual(Object.keys(await fresh(romeo)).sort(), ['den@muc.localhost', 'play@muc.localhost'])
    assert.deepEqual((await old(romeo)).map(e => e.name).sort(), ['conference', 'conference', 'url'])
    romeo.says(`<iq type='set' id='r'><pubsub xmlns='${NS}'><retract node='${NODE}'><item id='play@muc.localhost'/></retract></pubsub></iq>`)
    await romeo.hears`<iq type='result' id='r'/>`
    const told = await phone.hears`<message><event xmlns='${NS}#event'><items node='${OLD}'><item id='current'><storage xmlns='${OLD}'><conference jid='den@muc.localhost'/><url name='Site'/></storage></item></items></event></message>`
    assert.ok(!String(told).includes('play@'))
    const again = (await phone.fence()).concat(await tablet.fence()).filter(x => x.name === 'message').map(String).filter(x => !x.includes('play@'))
    assert.deepEqual(again, [])
  }))

  it('… but not where others may read it', scene(two, async ({ romeo, phone }) => {
    publish(phone, OLD, 'current', `<storage xmlns='${OLD}'/>`, fields.replace('<value>whitelist</value>', '<value>open</value>').replace('<value>max</value>', '<value>1</value>'))
    await phone.hears`<iq type='result' id='pub'/>`
    publish(romeo, NODE, 'play@muc.localhost', `<conference xmlns='${NODE}' name='Secret'/>`, fields)
    await romeo.hears`<iq type='result' id='pub'/>`
    await romeo.fence()
    items(romeo, OLD)
    assert.ok(!String(await romeo.hears`<iq type='result' id='items'/>`).includes('Secret'))
  }))

  it('a list that an older client writes becomes items; newer clients hear of what changed, and of no more', scene(two, async ({ romeo, phone }) => {
    publish(phone, NODE, 'play@muc.localhost', `<conference xmlns='${NODE}' name='The Play'><extensions><state xmlns='urn:x' minimized='true'/></extensions></conference>`, fields)
    await phone.hears`<iq type='result' id='pub'/>`
    publish(phone, NODE, 'gone@muc.localhost', `<conference xmlns='${NODE}'/>`, fields)
    await phone.hears`<iq type='result' id='pub'/>`
    publish(phone, NODE, 'den@muc.localhost', `<conference xmlns='${NODE}' name='Den'/>`, fields)
    await phone.hears`<iq type='result' id='pub'/>`
    await withCaps(phone, NODE)
    await writes(romeo, `<conference jid='Play@MUC.localhost' name='The Play' autojoin='true'><nick>JC</nick></conference><conference jid='den@muc.localhost' name='Den' autojoin='false'><nick>romeo</nick></conference><url name='Site' url='https://example.org/'/>`)
    const events = (await phone.fence()).filter(x => x.name === 'message').map(x => x.getChild('event')!.getChild('items')!)
    assert.deepEqual(events.map(e => e.getChildElements().map(c => `${c.name} ${c.attrs['id']}`).join()), ['item play@muc.localhost', 'retract gone@muc.localhost'])
    const now = await fresh(phone)
    assert.deepEqual(Object.keys(now).sort(), ['den@muc.localhost', 'play@muc.localhost'])
    const play = now['play@muc.localhost']!
    assert.equal(play.attrs['autojoin'], 'true')
    assert.equal(play.getChildText('nick'), 'JC')
    assert.ok(play.getChild('extensions')!.getChild('state', 'urn:x'), 'what the older client does not know is kept')
    assert.equal(now['den@muc.localhost']!.getChild('nick'), undefined, 'a nick that was made up for older clients is none')
    assert.deepEqual((await old(romeo)).map(e => e.name), ['conference', 'conference', 'url'])
  }))

  it('an empty list takes all away', scene(two, async ({ romeo }) => {
    publish(romeo, NODE, 'play@muc.localhost', `<conference xmlns='${NODE}'/>`, fields)
    await romeo.hears`<iq type='result' id='pub'/>`
    await writes(romeo, '')
    assert.deepEqual(await fresh(romeo), {})
    assert.deepEqual(await old(romeo), [])
  }))

  it('what lay in private storage before becomes items when somebody asks for them', scene(two, async ({ romeo, phone }, house) => {
    await house.stores.documents.put('private', romeo.bare, `{${OLD}}storage`, `<storage xmlns='${OLD}'><conference jid='play@muc.localhost' autojoin='1'><nick>JC</nick></conference><url name='Site' url='https://example.org/'/></storage>`)
    const now = await fresh(phone)
    assert.equal(now['play@muc.localhost']!.getChildText('nick'), 'JC')
    assert.deepEqual((await old(romeo)).map(e => e.name), ['conference', 'url'])
  }))

  it('the node that an older client makes is as private as a newer one wants it', scene({ ...two, juliet: 'juliet@localhost/balcony' }, async ({ romeo, juliet }) => {
    await writes(romeo, `<conference jid='play@muc.localhost'/>`)
    publish(romeo, NODE, 'den@muc.localhost', `<conference xmlns='${NODE}'/>`, fields)
    await romeo.hears`<iq type='result' id='pub'/>`
    items(juliet, NODE, romeo.bare)
    await juliet.hears`<iq type='error' id='items'><error><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }))

  it('COMPAT Dino: the list of who has none is empty, and not missing', scene(two, async ({ romeo }) => {
    assert.deepEqual(await fresh(romeo), {})
  }))

  it('COMPAT Psi+: a room that is destroyed is no bookmark any more, one that is closed to the user is not entered by itself', scene(two, async ({ romeo, phone }, house) => {
    await writes(romeo, ['play', 'den', 'gone', 'kept'].map(r => `<conference jid='${r}@muc.localhost' autojoin='true'><nick>r</nick></conference>`).join(''))
    const tell = (room: string, inside: string, type = 'unavailable'): void =>
      void house.router.route(readStanza(parseFrame(`<presence xmlns='jabber:client' from='${room}@muc.localhost/r' to='${romeo.jid}' type='${type}'>${inside}</presence>`)) as Presence)
    const x = (inside: string): string => `<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/>${inside}</x>`
    tell('play', x(`<destroy/><status code='110'/>`))
    tell('den', x(`<status code='321'/><status code='110'/>`))
    tell('gone', `<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`, 'error')
    tell('kept', x(`<status code='321'/>`))
    await romeo.fence()
    for (;;) {
      const now = Object.fromEntries(Object.entries(await fresh(phone)).map(([room, e]) => [room.split('@')[0], e.attrs['autojoin'] ?? 'false']))
      if ('play' in now || now['den'] === 'true' || now['gone'] === 'true') continue
      assert.deepEqual(now, { den: 'false', gone: 'false', kept: 'true' })
      break
    }
  }))

  it('there are no more of them than a node holds items', scene(two, async ({ romeo }) => {
    romeo.says(`<iq type='set' id='set'><query xmlns='jabber:iq:private'><storage xmlns='${OLD}'>${Array.from({ length: 257 }, (_, i) => `<conference jid='r${i}@muc.localhost'/>`).join('')}</storage></query></iq>`)
    await romeo.hears`<iq type='error' id='set'><error><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    assert.deepEqual(await old(romeo), [])
  }))
})
