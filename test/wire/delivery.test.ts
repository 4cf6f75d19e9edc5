import assert from 'node:assert/strict'
import { scene, type Actor } from '../harness/scene.ts'
import { arrives, befriend } from '../harness/friends.ts'
import { ping } from '../../plugins/ping.ts'

// Table 1 of RFC 6121 section 8.5.4, cell by cell: what a stanza of the local user juliet leads to.

const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
type What = 'normal' | 'chat' | 'groupchat' | 'headline' | 'error' | 'available' | 'unavailable' | 'iq-get' | 'iq-result'
/** Who gets it, in the order of the devices; `error`: the sender gets service-unavailable; `kept`: it waits for the next login. */
type Outcome = readonly string[] | 'error' | 'nothing' | 'kept'

interface Case {
  readonly name: string
  /** Device → its presence; '' stands for none. */
  readonly devices: Readonly<Record<string, string>>
  readonly to: string
  readonly cells: Readonly<Record<What, Outcome>>
}
const prio = (n: number): string => `<presence><priority>${n}</priority></presence>`
const bare = 'romeo@localhost'

const cases: readonly Case[] = [
  {
    name: 'no such user, bare', devices: {}, to: 'nobody@localhost',
    cells: { normal: 'error', chat: 'error', groupchat: 'error', headline: 'nothing', error: 'nothing', available: 'nothing', unavailable: 'nothing', 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'no such user, full', devices: {}, to: 'nobody@localhost/x',
    cells: { normal: 'error', chat: 'error', groupchat: 'error', headline: 'nothing', error: 'nothing', available: 'nothing', unavailable: 'nothing', 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'bare, one device that takes messages', devices: { a: prio(0) }, to: bare,
    cells: { normal: ['a'], chat: ['a'], groupchat: 'error', headline: ['a'], error: 'nothing', available: ['a'], unavailable: ['a'], 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'bare, several: the most available', devices: { a: prio(1), b: prio(5), c: prio(-1), d: '' }, to: bare,
    cells: { normal: ['b'], chat: ['b'], groupchat: 'error', headline: ['a', 'b'], error: 'nothing', available: ['a', 'b', 'c'], unavailable: ['a', 'b', 'c'], 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'bare, several of the same priority', devices: { a: prio(5), b: prio(5) }, to: bare,
    cells: { normal: ['a', 'b'], chat: ['a', 'b'], groupchat: 'error', headline: ['a', 'b'], error: 'nothing', available: ['a', 'b'], unavailable: ['a', 'b'], 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'bare, only negative ones', devices: { a: prio(-1) }, to: bare,
    cells: { normal: 'kept', chat: 'kept', groupchat: 'error', headline: 'nothing', error: 'nothing', available: ['a'], unavailable: ['a'], 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'bare, none available', devices: { a: '' }, to: bare,
    cells: { normal: 'kept', chat: 'kept', groupchat: 'error', headline: 'nothing', error: 'nothing', available: 'nothing', unavailable: 'nothing', 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'full, that device, never available', devices: { a: '', b: prio(5) }, to: `${bare}/a`,
    cells: { normal: ['a'], chat: ['a'], groupchat: ['a'], headline: ['a'], error: ['a'], available: ['a'], unavailable: ['a'], 'iq-get': 'error', 'iq-result': ['a'] },
  },
  {
    name: 'full, that device, negative', devices: { a: prio(-5), b: prio(5) }, to: `${bare}/a`,
    cells: { normal: ['a'], chat: ['a'], groupchat: ['a'], headline: ['a'], error: ['a'], available: ['a'], unavailable: ['a'], 'iq-get': 'error', 'iq-result': ['a'] },
  },
  {
    name: 'full, no such device, another is there', devices: { a: prio(0) }, to: `${bare}/gone`,
    cells: { normal: 'nothing', chat: ['a'], groupchat: 'error', headline: 'nothing', error: 'nothing', available: 'nothing', unavailable: 'nothing', 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'full, no such device, only negative ones', devices: { a: prio(-1) }, to: `${bare}/gone`,
    cells: { normal: 'nothing', chat: 'kept', groupchat: 'error', headline: 'nothing', error: 'nothing', available: 'nothing', unavailable: 'nothing', 'iq-get': 'error', 'iq-result': 'nothing' },
  },
  {
    name: 'full, no such device, nobody there', devices: {}, to: `${bare}/gone`,
    cells: { normal: 'nothing', chat: 'kept', groupchat: 'error', headline: 'nothing', error: 'nothing', available: 'nothing', unavailable: 'nothing', 'iq-get': 'error', 'iq-result': 'nothing' },
  },
]

function stanza(what: What, to: string, id: string): string {
  switch (what) {
    case 'available': return `<presence to='${to}' id='${id}'/>`
    case 'unavailable': return `<presence to='${to}' id='${id}' type='unavailable'/>`
    case 'iq-get': return `<iq to='${to}' id='${id}' type='get'><query xmlns='urn:example:unknown'/></iq>`
    case 'iq-result': return `<iq to='${to}' id='${id}' type='result'/>`
    case 'error': return `<message to='${to}' id='${id}' type='error'><body>x</body><error type='cancel'><gone xmlns='${NS}'/></error></message>`
    default: return `<message to='${to}' id='${id}' type='${what}'><body>x</body></message>`
  }
}

describe('RFC 6121 section 8.5.4', () => {
  for (const { name, devices, to, cells } of cases) {
    it(`RFC-E10 RFC-E13 ${name}: every kind of stanza`, scene({ juliet: 'juliet@localhost/balcony' }, async ({ juliet }, house) => {
      await house.account('romeo')
      const romeo: Record<string, Actor> = {}
      for (const [resource, presence] of Object.entries(devices)) {
        const a = romeo[resource] = await house.actor(resource, `${bare}/${resource}`)
        if (presence) await a.comesOnline(presence)
      }
      for (const a of Object.values(romeo)) await a.fence()
      const waiting: string[] = []
      for (const [what, outcome] of Object.entries(cells) as [What, Outcome][]) {
        const id = `m-${what}`
        juliet.says(stanza(what, to, id))
        const back = (await juliet.fence()).filter(x => x.attrs['id'] === id)
        const got: string[] = []
        for (const [resource, a] of Object.entries(romeo)) {
          for (const x of await a.fence()) {
            if (x.attrs['id'] !== id) continue
            got.push(resource)
            assert.equal(x.attrs['to'], to, `${what}: the address stays`)
            assert.equal(x.attrs['from'], juliet.jid)
          }
        }
        assert.deepEqual(got, Array.isArray(outcome) ? outcome : [], `${what} to ${to}`)
        if (outcome === 'error') {
          assert.equal(back.length, 1, `${what} to ${to} is given back`)
          assert.equal(back[0]!.attrs['type'], 'error')
          assert.equal(back[0]!.attrs['from'], to)
          assert.ok(back[0]!.getChild('error')!.getChild('service-unavailable', NS), String(back[0]))
        } else assert.deepEqual(back.map(String), [], `${what} to ${to}: silence`)
        if (outcome === 'kept') waiting.push(id)
      }
      const later = await house.actor('later', `${bare}/later`)
      later.says('<presence/>')
      const given: string[] = []
      while (given.length < waiting.length) given.push(...(await later.fence()).filter(x => x.name === 'message').map(x => String(x.attrs['id'])))
      assert.deepEqual(given, waiting)
    }))
  }

  it('RFC-E13 a device that is not there: who may see presence is told, a stranger is not, a room is', scene({ juliet: 'juliet@localhost/balcony', romeo: 'romeo@localhost/orchard', tybalt: 'tybalt@localhost/street' }, async ({ juliet, romeo, tybalt }, house) => {
    const far = await house.component('far.localhost', 'verona')
    await arrives(romeo, tybalt, juliet)
    await befriend(romeo, juliet)
    const said: readonly What[] = ['normal', 'headline', 'groupchat', 'error']
    const answers = async (who: Actor): Promise<string[]> => {
      for (const what of said) who.says(stanza(what, `${bare}/gone`, `m-${what}`))
      return (await who.fence()).map(x => {
        assert.deepEqual([x.attrs['type'], x.attrs['from']], ['error', `${bare}/gone`])
        assert.ok(x.getChild('error')!.getChild('service-unavailable', NS), String(x))
        return String(x.attrs['id'])
      })
    }
    assert.deepEqual(await answers(juliet), ['m-normal', 'm-headline', 'm-groupchat']) // section 8.1
    assert.deepEqual(await answers(tybalt), ['m-groupchat'])
    romeo.sends`<presence to='${tybalt.bare}'/>`
    await tybalt.hears`<presence from='${romeo.jid}'/>`
    assert.deepEqual(await answers(tybalt), ['m-normal', 'm-headline', 'm-groupchat'])
    for (const what of said) far.says(stanza(what, `${bare}/gone`, `f-${what}`).replace('<message', "<message from='x@far.localhost'"))
    await far.receives`<message xmlns='jabber:component:accept' type='error' id='f-groupchat' from='${bare}/gone'/>`
    far.sends`<iq from='x@far.localhost' to='localhost' type='get' id='end'><ping xmlns='urn:xmpp:ping'/></iq>`
    await far.receives`<iq xmlns='jabber:component:accept' type='result' id='end'/>`
    await romeo.receivesNothing()
  }, { externals: { 'far.localhost': 'verona' } }))

  for (const what of ['normal', 'chat'] as const) {
    it(`${what} to nobody who is there comes back where nothing keeps it`, scene({ juliet: 'juliet@localhost/balcony' }, async ({ juliet }, house) => {
      await house.account('romeo')
      juliet.says(stanza(what, bare, 'm'))
      await juliet.receives`<message type='error' id='m' from='${bare}'><error type='cancel'><service-unavailable xmlns='${NS}'/></error></message>`
    }, { plugins: [ping] }))
  }

  it('RFC-N5 an error is never answered with one', scene({ juliet: 'juliet@localhost/balcony' }, async ({ juliet }, house) => {
    await house.account('romeo')
    for (const to of [bare, `${bare}/x`, 'nobody@localhost', 'localhost', 'nowhere.example']) {
      juliet.says(stanza('error', to, 'e'))
      juliet.says(`<iq type='error' id='e' to='${to}'><error type='cancel'><gone xmlns='${NS}'/></error></iq>`)
      juliet.says(`<presence type='error' id='e' to='${to}'><error type='cancel'><gone xmlns='${NS}'/></error></presence>`)
    }
    await juliet.receivesNothing()
  }))

  it('SEC-R06 from elsewhere nobody learns whether somebody exists', scene({ juliet: 'juliet@localhost/balcony' }, async (_, house) => {
    const far = await house.component('far.localhost', 'verona')
    await house.account('romeo')
    for (const to of ['nobody@localhost', bare]) far.sends`<message from='x@far.localhost' to='${to}' type='chat' id='m'><body>there?</body></message>`
    far.sends`<iq from='x@far.localhost' to='localhost' type='get' id='end'><ping xmlns='urn:xmpp:ping'/></iq>`
    await far.receives`<iq xmlns='jabber:component:accept' type='result' id='end'/>`
  }, { externals: { 'far.localhost': 'verona' } }))
})

describe('iqs between users', () => {
  const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
  const asks = (a: Actor, to: unknown): void => a.sends`<iq type='get' id='q' to='${to}'><query xmlns='urn:example'/></iq>`

  it('RFC-E9 SEC-R05 a stranger\'s is refused, the same for one who is there, is not, or does not exist', scene(cast, async ({ romeo, juliet }) => {
    await romeo.comesOnline()
    const answers = new Set<string>()
    for (const to of [romeo.jid, `${romeo.bare}/nowhere`, 'nobody@localhost/x']) {
      asks(juliet, to)
      const answer = await juliet.receives`<iq type='error' id='q' from='${to}'><error type='cancel'><service-unavailable xmlns='${NS}'/></error></iq>`
      answers.add(String(answer).replaceAll(to, 'WHO'))
    }
    assert.equal(answers.size, 1)
    await romeo.receivesNothing()
  }))

  it('SEC-R05 SEC-P01 SEC-R13 what only the owner may ask or change is forbidden to a stranger, whether there is such an account or not', scene(cast, async ({ juliet }) => {
    const PUBSUB = 'http://jabber.org/protocol/pubsub'
    const queries = [
      `<query xmlns='jabber:iq:roster'/>`, `<query xmlns='jabber:iq:roster'><item jid='a@b.example'/></query>`, `<query xmlns='jabber:iq:private'><x xmlns='urn:example'/></query>`,
      `<vCard xmlns='vcard-temp'><FN>Nobody</FN></vCard>`, `<query xmlns='urn:xmpp:mam:2'/>`, `<prefs xmlns='urn:xmpp:mam:2'/>`, `<metadata xmlns='urn:xmpp:mam:2'/>`,
      `<pubsub xmlns='${PUBSUB}'><publish node='n'><item id='1'><x xmlns='urn:example'/></item></publish></pubsub>`, `<pubsub xmlns='${PUBSUB}'><items node='n'/></pubsub>`, `<pubsub xmlns='${PUBSUB}'/>`,
      `<pubsub xmlns='${PUBSUB}'><subscribe node='n' jid='${juliet.bare}'/></pubsub>`, `<pubsub xmlns='${PUBSUB}#owner'><delete node='n'/></pubsub>`, `<pubsub xmlns='${PUBSUB}#owner'><configure node='n'/></pubsub>`,
    ]
    for (const query of queries) for (const type of ['get', 'set']) {
      const answers: string[] = []
      for (const to of ['romeo@localhost', 'nobody@localhost']) {
        juliet.says(`<iq type='${type}' id='q' to='${to}'>${query}</iq>`)
        answers.push(String(await juliet.receives`<iq type='error' id='q' from='${to}'/>`).replaceAll(to, 'WHO'))
      }
      assert.equal(answers[0], answers[1], `${type} ${query}`)
    }
  }))

  it('RFC-E9 a friend\'s is delivered, and so is its answer', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    asks(juliet, romeo)
    await romeo.receives`<iq type='get' id='q' from='${juliet}' to='${romeo}'><query xmlns='urn:example'/></iq>`
    romeo.sends`<iq type='result' id='q' to='${juliet}'/>`
    await juliet.receives`<iq type='result' id='q' from='${romeo}' to='${juliet}'/>`
  }))

  it('RFC-E9 directed presence opens that device, and closes it again', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, juliet, phone }) => {
    await phone.comesOnline()
    romeo.sends`<presence to='${juliet}'/>`
    await juliet.receives`<presence from='${romeo}'/>`
    asks(juliet, romeo)
    await romeo.receives`<iq type='get' id='q'/>`
    asks(juliet, phone)
    await juliet.receives`<iq type='error' id='q' from='${phone}'/>`
    romeo.sends`<presence to='${juliet}' type='unavailable'/>`
    await juliet.receives`<presence from='${romeo}' type='unavailable'/>`
    asks(juliet, romeo)
    await juliet.receives`<iq type='error' id='q' from='${romeo}'/>`
  }))

  it('one\'s own devices may always ask', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, phone }) => {
    asks(phone, romeo)
    await romeo.receives`<iq type='get' id='q' from='${phone}'/>`
  }))
})
