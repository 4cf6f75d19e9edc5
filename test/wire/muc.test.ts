// Rooms as clients meet them, over a whole server.
import assert from 'node:assert/strict'
import { muc } from '../../components/muc/muc.ts'
import { House, type Actor } from '../harness/scene.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

const JOIN = `<x xmlns='http://jabber.org/protocol/muc'/>`
const ROOM = 'tea@rooms.localhost'

async function joins(a: Actor, nick: string, room = ROOM): Promise<void> {
  a.says(`<presence to='${room}/${nick}'>${JOIN}</presence>`)
  const here = await a.hears`<presence from='${room}/${nick}'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
  await a.hears`<message type='groupchat'><subject/></message>`
  if (String(here).includes('code="201"')) await configures(a, '', room)
  await a.fence()
}
async function configures(a: Actor, fields: string, room = ROOM): Promise<void> {
  a.says(`<iq type='set' id='conf' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>${fields}</x></query></iq>`)
  await a.hears`<iq type='result' id='conf'/>`
}
const PERSISTENT = `<field var='muc#roomconfig_persistentroom'><value>1</value></field>`

describe('rooms', () => {
  let house: House
  beforeEach(async () => { house = await House.open({ components: { 'rooms.localhost': muc() } }) })
  afterEach(() => house[Symbol.asyncDispose]())
  const actor = (name: string): Promise<Actor> => house.actor(name, `${name}@localhost/home`)

  it('are made by entering them, and two talk there', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    anna.sends`<presence to='tea@rooms.localhost/Anna' id='j'>${''}<x xmlns='http://jabber.org/protocol/muc'/></presence>`
    await anna.receives`<presence from='tea@rooms.localhost/Anna' id='j'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator'/><status code='110'/><status code='201'/></x></presence>`
    await anna.receives`<message type='groupchat' from='tea@rooms.localhost'><subject/></message>`
    ben.sends`<presence to='tea@rooms.localhost/Ben'>${''}<x xmlns='http://jabber.org/protocol/muc'/></presence>`
    await ben.receives`<presence type='error' from='tea@rooms.localhost/Ben'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>` // section 10.1.1: it is not configured yet
    await configures(anna, '')
    await joins(ben, 'Ben')
    await anna.receives`<presence from='tea@rooms.localhost/Ben'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant' jid='ben@localhost/home'/></x></presence>`
    ben.sends`<message type='groupchat' to='tea@rooms.localhost' id='m1'><body>hi</body></message>`
    await anna.receives`<message type='groupchat' from='tea@rooms.localhost/Ben' id='m1'><body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='tea@rooms.localhost'/></message>`
    await ben.receives`<message type='groupchat' from='tea@rooms.localhost/Ben' id='m1'><body>hi</body></message>`
  })

  it('SEC-U16 are not made by users of other servers, nor by anyone but admins where the config says so', async () => {
    await using strict = await House.open({ components: { 'rooms.localhost': muc({ create: 'admins' }) }, externals: { 'far.example': 's' } })
    const ben = await strict.actor('ben', 'ben@localhost/home')
    ben.sends`<presence to='tea@rooms.localhost/Ben'>${''}<x xmlns='http://jabber.org/protocol/muc'/></presence>`
    await ben.receives`<presence type='error' from='tea@rooms.localhost/Ben'><error><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    await strict.account('mia', { role: 'manager' })
    await joins(await strict.actor('mia', 'mia@localhost/home'), 'Mia')
    const far = await strict.component('far.example', 's')
    far.sends`<presence from='eve@far.example/x' to='den@rooms.localhost/Eve'>${''}<x xmlns='http://jabber.org/protocol/muc'/></presence>`
    assert.match(String(await far.next()), /type="error" to="eve@far\.example\/x".*<not-allowed /)
  })

  it('that are not there are item-not-found, and nothing is made by asking', async () => {
    const ben = await actor('ben')
    ben.sends`<iq type='get' id='1' to='no@rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await ben.receives`<iq type='error' id='1'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>There is no such room.</text></error></iq>`
    ben.sends`<message type='groupchat' to='no@rooms.localhost'><body>x</body></message>`
    await ben.receives`<message type='error'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    ben.sends`<iq type='get' id='2' to='rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
    assert.equal((await ben.receives`<iq type='result' id='2'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`).getChild('query')!.children.length, 0)
  })

  it('XEP-0045 section 10.1.1: are nobody else\'s until they are configured, and leave no name behind if that is cancelled', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    anna.says(`<presence to='${ROOM}/Anna'>${JOIN}</presence>`)
    await anna.hears`<message type='groupchat'><subject/></message>`
    ben.sends`<iq type='get' id='l' to='rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
    assert.equal((await ben.receives`<iq type='result' id='l'/>`).getChild('query')!.children.length, 0)
    for (const query of [`<query xmlns='http://jabber.org/protocol/disco#info'/>`, `<vCard xmlns='vcard-temp'/>`]) {
      ben.says(`<iq type='get' id='q' to='${ROOM}'>${query}</iq>`)
      await ben.receives`<iq type='error' id='q'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    }
    anna.says(`<iq type='set' id='c' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='cancel'/></query></iq>`)
    await anna.hears`<presence type='unavailable' from='${ROOM}/Anna'><x xmlns='http://jabber.org/protocol/muc#user'><destroy/></x></presence>`
    await joins(ben, 'Ben')
  })

  it('XEP-0045 section 10.2.1: that pass keep what is said as long as they are there, if an owner wants it', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    const archive = async (a: Actor): Promise<number> => {
      a.says(`<iq type='set' id='a' to='${ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>`)
      for (let n = 0; ; n++) {
        const x = await a.next()
        if (x.name === 'iq') { assert.equal(x.attrs['type'], 'result', String(x)); return n }
      }
    }
    await joins(anna, 'Anna')
    await configures(anna, `<field var='muc#roomconfig_enablelogging'><value>1</value></field>`)
    await anna.hears`<message from='${ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'><status code='170'/></x></message>`
    ben.says(`<presence to='${ROOM}/Ben'>${JOIN}</presence>`)
    await ben.hears`<presence from='${ROOM}/Ben'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/><status code='170'/></x></presence>`
    await ben.fence()
    ben.says(`<message type='groupchat' to='${ROOM}' id='m'><body>for now</body></message>`)
    await anna.hears`<message id='m'/>`
    await anna.fence()
    assert.equal(await archive(anna), 1)
    for (const [who, nick] of [[anna, 'Anna'], [ben, 'Ben']] as const) {
      who.says(`<presence type='unavailable' to='${ROOM}/${nick}'/>`)
      await who.hears`<presence type='unavailable' from='${ROOM}/${nick}'/>`
    }
    await joins(ben, 'Ben')
    await configures(ben, `<field var='muc#roomconfig_enablelogging'><value>1</value></field>`)
    await ben.fence()
    assert.equal(await archive(ben), 0)
  })

  it('ST-91 are listed to those who may see them', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    await joins(anna, 'Anna')
    await joins(anna, 'Anna', 'secret@rooms.localhost')
    await configures(anna, `<field var='muc#roomconfig_publicroom'><value>0</value></field>`, 'secret@rooms.localhost')
    const listed = async (who: Actor): Promise<string[]> => {
      who.sends`<iq type='get' id='i' to='rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
      return (await who.hears`<iq type='result' id='i'/>`).getChild('query')!.getChildren('item').map(i => String(i.attrs['jid']))
    }
    assert.deepEqual(await listed(ben), [ROOM])
    assert.deepEqual(await listed(anna), ['secret@rooms.localhost', ROOM])
  })

  it('SEC-U18 lose an occupant whose connection ends', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    await joins(anna, 'Anna')
    await joins(ben, 'Ben')
    await anna.fence()
    ben.leaves()
    await anna.receives`<presence type='unavailable' from='tea@rooms.localhost/Ben'/>`
  })

  it('are forgotten when the last one leaves, unless they are persistent', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    await joins(anna, 'Anna')
    anna.sends`<presence type='unavailable' to='tea@rooms.localhost/Anna'/>`
    await anna.fence()
    ben.says(`<presence to='${ROOM}/Ben'>${JOIN}</presence>`)
    await ben.receives`<presence from='tea@rooms.localhost/Ben'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner'/><status code='201'/></x></presence>`
  })

  it('outlive a restart with subject, members and what was said, if they are persistent', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const kept: typeof stores = { ...bound(stores), close: async () => {} }
    const first = await House.open({ components: { 'rooms.localhost': muc() }, stores: kept })
    const anna = await first.actor('anna', 'anna@localhost/home')
    await joins(anna, 'Anna')
    await configures(anna, PERSISTENT)
    anna.sends`<message type='groupchat' to='tea@rooms.localhost'><subject>Tea</subject></message>`
    anna.sends`<message type='groupchat' to='tea@rooms.localhost' id='m1'><body>before</body></message>`
    await anna.hears`<message type='groupchat' id='m1'/>`
    await first[Symbol.asyncDispose]()
    await using second = await House.open({ components: { 'rooms.localhost': muc() }, stores: kept })
    const ben = await second.actor('ben', 'ben@localhost/home')
    ben.says(`<presence to='${ROOM}/Ben'>${JOIN}</presence>`)
    await ben.receives`<presence from='tea@rooms.localhost/Ben'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none'/><status code='110'/></x></presence>`
    await ben.receives`<message type='groupchat' from='tea@rooms.localhost/Anna' id='m1'><body>before</body><delay xmlns='urn:xmpp:delay' from='tea@rooms.localhost'/></message>`
    await ben.receives`<message type='groupchat' from='tea@rooms.localhost/Anna'><subject>Tea</subject></message>`
    await stores.close()
  })

  it('SEC-U15 that were destroyed are not made again by a stranger for 31 days', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    await joins(anna, 'Anna')
    anna.says(`<iq type='set' id='d' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy><reason>over</reason></destroy></query></iq>`)
    await anna.hears`<iq type='result' id='d'/>`
    ben.says(`<presence to='${ROOM}/Ben'>${JOIN}</presence>`)
    await ben.receives`<presence type='error'><error><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    await house.clock.advance(31 * 86_400_000 + 1000)
    await joins(ben, 'Ben')
  })

  it('SEC-U17 are full at some point, and nobody is in too many', async () => {
    await using small = await House.open({ components: { 'rooms.localhost': muc() }, limits: { muc: { ...defaultLimits.muc, users: 2, roomsPerUser: 1 } } })
    const [anna, ben, cleo] = [await small.actor('anna', 'anna@localhost/home'), await small.actor('ben', 'ben@localhost/home'), await small.actor('cleo', 'cleo@localhost/home')]
    await joins(anna, 'Anna')
    await joins(ben, 'Ben')
    cleo.says(`<presence to='${ROOM}/Cleo'>${JOIN}</presence>`)
    await cleo.receives`<presence type='error'><error><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    ben.says(`<presence to='den@rooms.localhost/Ben'>${JOIN}</presence>`)
    await ben.hears`<presence type='error'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
  })

  it('SEC-A16 SEC-U17 take nobody where none may be in one, not even who makes it', async () => {
    await using none = await House.open({ components: { 'rooms.localhost': muc() }, limits: { muc: { ...defaultLimits.muc, users: 0 } } })
    const anna = await none.actor('anna', 'anna@localhost/home')
    anna.says(`<presence to='${ROOM}/Anna'>${JOIN}</presence>`)
    await anna.receives`<presence type='error' from='${ROOM}/Anna'><error><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    anna.says(`<iq type='get' id='i' to='rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`)
    const [items] = await anna.fence()
    assert.equal(items?.getChild('query')?.getChildren('item').length, 0)
  })

  it('are ruled by the server’s admins', async () => {
    await house.account('root', { role: 'admin' })
    const [anna, root] = [await actor('anna'), await house.actor('root', 'root@localhost/home')]
    await joins(anna, 'Anna')
    root.says(`<presence to='${ROOM}/Root'>${JOIN}</presence>`)
    await root.hears`<presence from='tea@rooms.localhost/Root'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner'/><status code='110'/></x></presence>`
  })

  it('SEC-M01 SEC-U14 show their archive to those who belong there, and to no others', async () => {
    const [anna, ben, eve] = [await actor('anna'), await actor('ben'), await actor('eve')]
    await joins(anna, 'Anna')
    await configures(anna, PERSISTENT)
    await joins(ben, 'Ben')
    anna.sends`<message type='groupchat' to='tea@rooms.localhost' id='m1'><body>kept</body></message>`
    await ben.hears`<message type='groupchat' id='m1'/>`
    await ben.fence()
    const query = `<iq type='set' id='q' to='${ROOM}'><query xmlns='urn:xmpp:mam:2' queryid='f'/></iq>`
    ben.says(query)
    const told = await ben.receives`<message from='tea@rooms.localhost'><result xmlns='urn:xmpp:mam:2' queryid='f'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='tea@rooms.localhost/Anna' type='groupchat' id='m1'><body>kept</body></message></forwarded></result></message>`
    assert.doesNotMatch(String(told), /anna@localhost/)
    await ben.receives`<iq type='result' id='q'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>`
    eve.says(query)
    await eve.receives`<iq type='error' id='q'><error><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    anna.says(`<iq type='set' id='k' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#admin'><item nick='Ben' role='none'/></query></iq>`)
    await ben.hears`<presence type='unavailable' from='tea@rooms.localhost/Ben'/>`
    await ben.fence()
    ben.says(query)
    await ben.receives`<iq type='error' id='q'><error><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  })

  it('SEC-P11 show no presence that is too big for all, and of a hundred at once only the first', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    await joins(anna, 'Anna')
    await configures(anna, PERSISTENT)
    await joins(ben, 'Ben')
    await anna.fence()
    ben.says(`<presence to='${ROOM}/Ben' id='big'><status>${'s'.repeat(65_536)}</status></presence>`)
    await ben.hears`<presence type='error' id='big'><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    for (let n = 1; n <= 100; n++) ben.says(`<presence to='${ROOM}/Ben' id='p${n}'><status>${n}</status></presence>`)
    await ben.hears`<presence type='error' id='p100'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    const seen = (await anna.fence()).filter(x => x.name === 'presence').length
    assert.ok(seen > 0 && seen <= 25, String(seen))
  })

  it('find what was said in them by its words', async () => {
    const anna = await actor('anna')
    await joins(anna, 'Anna')
    await configures(anna, PERSISTENT)
    for (const text of ['the kettle boils', 'two lumps of sugar', 'more sugar for the kettle?']) anna.sends`<message type='groupchat' to='${ROOM}'><body>${text}</body></message>`
    await anna.hears`<message><body>more sugar for the kettle?</body></message>`
    await anna.fence()
    anna.says(`<iq type='set' id='q' to='${ROOM}'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='{urn:xmpp:fulltext:0}fulltext'><value>Kettle sugar</value></field></x></query></iq>`)
    await anna.receives`<message><result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>more sugar for the kettle?</body></message></forwarded></result></message>`
    await anna.receives`<iq type='result' id='q'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>`
  })

  it('carry questions between occupants, who hear of each other’s address nothing', async () => {
    const [anna, ben] = [await actor('anna'), await actor('ben')]
    await joins(anna, 'Anna')
    await joins(ben, 'Ben')
    await anna.fence()
    ben.sends`<iq type='get' id='v' to='tea@rooms.localhost/Anna'><query xmlns='jabber:iq:version'/></iq>`
    const asked = await anna.receives`<iq type='get' from='tea@rooms.localhost/Ben'><query xmlns='jabber:iq:version'/></iq>`
    anna.sends`<iq type='result' id='${asked.attrs['id']}' to='tea@rooms.localhost/Ben'><query xmlns='jabber:iq:version'><name>Client</name></query></iq>`
    const answer = await ben.receives`<iq type='result' id='v' from='tea@rooms.localhost/Anna'><query xmlns='jabber:iq:version'><name>Client</name></query></iq>`
    assert.doesNotMatch(String(answer) + String(asked), /from="(anna|ben)@/)
  })

  it('say what they are: the service and each room', async () => {
    const anna = await actor('anna')
    await joins(anna, 'Anna')
    anna.sends`<iq type='get' id='1' to='rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await anna.receives`<iq type='result' id='1'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text'/><feature var='http://jabber.org/protocol/muc'/></query></iq>`
    anna.sends`<iq type='get' id='2' to='tea@rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await anna.receives`<iq type='result' id='2'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text' name='tea'/><feature var='muc_public'/><x xmlns='jabber:x:data' type='result'/></query></iq>`
    anna.sends`<iq type='get' id='3' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`
    await anna.receives`<iq type='result' id='3'/>`
  })
})

/** A store whose methods work when it is spread. */
function bound<T extends object>(stores: T): T {
  return Object.fromEntries(Object.entries(stores).map(([k, v]: [string, unknown]) => [k, typeof v === 'function' ? v.bind(stores) as unknown : v])) as T // the same keys
}
