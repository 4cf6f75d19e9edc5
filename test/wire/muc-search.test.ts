// XEP-0433 over the wire: rooms are found by words, and hidden ones are not.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { muc } from '../../components/muc/muc.ts'
import { House, type Actor } from '../harness/scene.ts'

const SERVICE = 'rooms.localhost'
const BASE = 'urn:xmpp:channel-search:0'
const SEARCH = `${BASE}:search`
const ERROR = `${BASE}:error`
const RSM = 'http://jabber.org/protocol/rsm'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

describe('a search for rooms', () => {
  let house: House
  let anna: Actor
  let ben: Actor
  before(async () => {
    house = await House.open({ components: { [SERVICE]: muc() } })
    anna = await house.actor('anna', 'anna@localhost/home')
    ben = await house.actor('ben', 'ben@localhost/home')
    await make('garden', 'Garten & Blumen', 'roses, tulips')
    await make('tea', 'Tea time', 'Darjeeling and Möhren', { lang: 'de', membersonly: '1' })
    await make('secret', 'Hidden roses', '', { publicroom: '0' })
    ben.says(`<presence to='garden@${SERVICE}/ben'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    await ben.hears`<message type='groupchat'><subject/></message>`
    await ben.fence()
  })
  after(() => house[Symbol.asyncDispose]())

  async function make(local: string, name: string, description: string, more: Record<string, string> = {}): Promise<void> {
    anna.says(`<presence to='${local}@${SERVICE}/anna'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    await anna.hears`<message type='groupchat'><subject/></message>`
    const field = (k: string, v: string): string => `<field var='muc#roomconfig_${k}'><value>${v.replaceAll('&', '&amp;')}</value></field>`
    anna.says(`<iq type='set' id='c' to='${local}@${SERVICE}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>${field('roomname', name)}${field('roomdesc', description)}${Object.entries(more).map(([k, v]) => field(k, v)).join('')}</x></query></iq>`)
    await anna.hears`<iq type='result' id='c'/>`
  }
  async function ask(fields: Record<string, string | string[]>, set = ''): Promise<Xml> {
    const field = (k: string, v: string): string => `<field var='${k}'>${[v].flat().map(w => `<value>${w}</value>`).join('')}</field>`
    ben.says(`<iq type='get' id='s' to='${SERVICE}'><search xmlns='${SEARCH}'>${set && `<set xmlns='${RSM}'>${set}</set>`}<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${BASE}:search-params</value></field>${Object.entries(fields).map(([k, v]) => field(k, v as string)).join('')}</x></search></iq>`)
    return ben.hears`<iq id='s' from='${SERVICE}'/>`
  }
  const found = (x: Xml): string[] => x.getChild('result', SEARCH)!.getChildren('item').map(i => String(i.attrs['address']).split('@')[0]!)
  const refused = (x: Xml, type: string, condition: string, detail?: string): void => {
    const error = x.getChild('error')!
    assert.equal(error?.attrs['type'], type, String(x))
    assert.ok(error.getChild(condition, STANZAS), String(x))
    if (detail) assert.ok(error.getChild(detail, ERROR), String(x))
  }

  it('is offered by the service, with a form', async () => {
    ben.sends`<iq type='get' id='d' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await ben.hears`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${SEARCH}'/></query></iq>`
    ben.sends`<iq type='get' id='f' to='${SERVICE}'><search xmlns='${SEARCH}'/></iq>`
    await ben.hears`<iq type='result' id='f'><search xmlns='${SEARCH}'><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>${BASE}:search-params</value></field><field var='q' type='text-single'/><field var='key' type='list-single'/></x></search></iq>`
  })

  it('finds words in names, descriptions and addresses, and nothing hidden', async () => {
    assert.deepEqual(found(await ask({ q: 'ROSES' })), ['garden'])
    assert.deepEqual(found(await ask({ q: 'blumen tulips' })), ['garden'])
    assert.deepEqual(found(await ask({ q: 'mohren' })), ['tea'])
    assert.deepEqual(found(await ask({ q: 'rooms.localhost' })), ['garden', 'tea'])
    assert.deepEqual(found(await ask({ q: 'roses', sindescription: '0' })), [])
    assert.deepEqual(found(await ask({ q: 'tea', sinname: 'false', sinaddress: '0' })), [])
    assert.deepEqual(found(await ask({ q: 'nothing of the kind' })), [])
    const [item] = (await ask({ q: 'garten' })).getChild('result', SEARCH)!.getChildren('item')
    assert.deepEqual(item!.getChildElements().map(e => [e.name, e.getText()]), [['name', 'Garten & Blumen'], ['description', 'roses, tulips'], ['nusers', '2'], ['service-type', 'xep-0045'], ['is-open', 'true'], ['anonymity-mode', 'muc_semianonymous']])
  })

  it('gives all, in pages, in the order that is asked for', async () => {
    assert.deepEqual(found(await ask({ all: '1' })), ['garden', 'tea'])
    assert.deepEqual(found(await ask({ all: '1', min_users: '2' })), ['garden'])
    assert.deepEqual(found(await ask({ all: '1', types: ['xep-0369'] })), [])
    for (const key of ['address', 'nusers']) {
      const first = await ask({ all: 'true', key: `{${BASE}:order}${key}` }, '<max>1</max>')
      const set = first.getChild('result', SEARCH)!.getChild('set', RSM)!
      assert.deepEqual([found(first), set.getChildText('count')], [['garden'], '2'])
      assert.deepEqual(found(await ask({ all: 'true', key: `{${BASE}:order}${key}` }, `<max>1</max><after>${set.getChildText('last')}</after>`)), ['tea'])
    }
  })

  it('says what is wrong with it', async () => {
    refused(await ask({}), 'modify', 'bad-request', 'no-search-conditions')
    refused(await ask({ q: ' ' }), 'modify', 'bad-request', 'invalid-search-terms')
    refused(await ask({ q: 'x', all: '1' }), 'modify', 'bad-request', 'conflicting-fields')
    refused(await ask({ q: 'x', key: 'size' }), 'modify', 'feature-not-implemented', 'invalid-sort-key')
  })

  it('is refused for a while to who asks too often', async () => {
    const eager = await house.actor('eager', 'eager@localhost/x')
    const one = `<iq type='get' id='s' to='${SERVICE}'><search xmlns='${SEARCH}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${BASE}:search-params</value></field><field var='q'><value>tea</value></field></x></search></iq>`
    eager.says(one.repeat(40))
    await eager.hears`<iq type='error' id='s'><error type='wait'><resource-constraint xmlns='${STANZAS}'/><rate-limit xmlns='${ERROR}' retry-after='1'/></error></iq>`
    await eager.fence()
    await house.clock.advance(2_000)
    eager.says(one)
    await eager.hears`<iq type='result' id='s'><result xmlns='${SEARCH}'><item address='tea@${SERVICE}'/></result></iq>`
  })
})
