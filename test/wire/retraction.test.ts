// XEP-0424 and XEP-0425 over the wire: who may take back what, and what the archives show afterwards.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { muc } from '../../components/muc/muc.ts'
import { ArchiveIds } from '../../protocols/archive.ts'
import type { Stores } from '../../server/ports/store.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { until } from '../harness/patience.ts'
import { House, scene, type Actor } from '../harness/scene.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const RETRACT = 'urn:xmpp:message-retract:1'
const MODERATE = 'urn:xmpp:message-moderate:1'
const MAM = 'urn:xmpp:mam:2'
const SID = 'urn:xmpp:sid:0'
const OCCUPANT = 'urn:xmpp:occupant-id:0'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const SM = 'urn:xmpp:sm:3'
const ROOM = 'tea@rooms.localhost'

/** The messages of an archive. */
async function archive(who: Actor, of?: string): Promise<Xml[]> {
  who.says(`<iq type='set' id='mam'${of ? ` to='${of}'` : ''}><query xmlns='${MAM}'/></iq>`)
  const found: Xml[] = []
  for (;;) {
    const x = await who.next()
    if (x.attrs['id'] === 'mam') return found
    const inner = x.getChild('result', MAM)?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message', 'jabber:client')
    if (inner) found.push(inner)
  }
}
const told = (m: Xml): string => m.getChild('retracted', RETRACT) ? `tombstone by ${m.getChild('retracted', RETRACT)!.attrs['id']}` : m.getChild('retract', RETRACT) ? `retracts ${m.getChild('retract', RETRACT)!.attrs['id']}` : m.getChildText('body') ?? ''

/** Says it, and waits until the server acknowledges it (XEP-0198): then all of it is committed. */
async function commits(who: Actor, text: string): Promise<void> {
  who.says(`<enable xmlns='${SM}'/>${text}<r xmlns='${SM}'/>`)
  await who.hears`<a xmlns='${SM}' h='1'/>`
}

const retract = (to: string, id: string, more = "id='r1' type='chat'"): string =>
  `<message to='${to}' ${more}><retract id='${id}' xmlns='${RETRACT}'/><fallback xmlns='urn:xmpp:fallback:0' for='${RETRACT}'/><body>/me took something back</body><store xmlns='urn:xmpp:hints'/></message>`

describe('messages that are taken back', () => {
  it('are tombstones in both archives, with the retraction beside them', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    for (const [id, text] of [['m1', 'keep'], ['m2', 'wrong person'], ['m3', 'keep, too']]) romeo.sends`<message type='chat' to='${juliet.bare}' id='${id}'><body>${text}</body><x xmlns='urn:example:more'>secret</x></message>`
    await commits(romeo, retract(juliet.bare, 'm2'))
    await juliet.hears`<message id='r1' from='${romeo}'><retract id='m2' xmlns='${RETRACT}'/></message>`
    for (const who of [romeo, juliet]) {
      const all = await archive(who)
      assert.deepEqual(all.map(told), ['keep', 'tombstone by r1', 'keep, too', 'retracts m2'])
      const tomb = all[1]!
      assert.deepEqual([tomb.attrs['id'], tomb.attrs['from'], tomb.attrs['to'], tomb.attrs['type']], ['m2', romeo.jid, juliet.bare, 'chat'])
      assert.match(String(tomb.getChild('retracted', RETRACT)!.attrs['stamp']), /^\d{4}-\d\d-\d\dT.*Z$/)
      assert.ok(!String(tomb).includes('secret') && !String(tomb).includes('wrong'), String(tomb))
    }
  }))

  it('are those of who takes them back: nobody unsays what another said', scene({ ...cast, eve: 'eve@localhost/shade' }, async ({ romeo, juliet, eve }) => {
    await juliet.comesOnline()
    romeo.sends`<message type='chat' to='${juliet.bare}' id='m1'><body>mine</body></message>`
    await juliet.hears`<message id='m1'/>`
    await commits(juliet, retract(romeo.bare, 'm1'))
    await commits(eve, retract(juliet.bare, 'm1'))
    for (const who of [romeo, juliet]) assert.equal(told((await archive(who))[0]!), 'mine')
  }))

  it('are found under ids of any kind, from another device of the same account, and once', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, juliet, phone }) => {
    await juliet.comesOnline()
    romeo.sends`<message type='chat' to='${juliet.bare}' id='&lt;"a" &amp; b&gt;'><body>odd</body></message>`
    await romeo.fence()
    await commits(phone, retract(juliet.bare, '&lt;"a" &amp; b&gt;'))
    await commits(juliet, retract(romeo.bare, 'r1', "id='r2' type='chat'"))
    assert.deepEqual((await archive(juliet)).map(told), ['tombstone by r1', 'retracts <"a" & b>', 'retracts r1'])
  }))

  it('are found however much was said since', scene(cast, async ({ romeo, juliet }, house) => {
    await juliet.comesOnline()
    romeo.sends`<message type='chat' to='${juliet.bare}' id='m1'><body>long ago</body></message>`
    await romeo.fence()
    await house.clock.advance(1000)
    const ids = new ArchiveIds(() => '0'.repeat(12))
    const at = house.clock.now()
    for (const [owner, other] of [[romeo, juliet], [juliet, romeo]] as const) {
      await Promise.all(Array.from({ length: 3000 }, (_, n) => house.stores.archive.append({ owner: owner.bare, id: ids.next(at).id, at, with: other.jid, stanza: `<message type='chat' from='${juliet}' to='${romeo}' id='f${n}'><body>m1</body></message>` })))
    }
    await house.clock.advance(1000)
    await commits(romeo, retract(juliet.bare, 'm1'))
    for (const who of [romeo, juliet]) assert.equal(told((await archive(who))[0]!), 'tombstone by r1')
  }))

  it('are looked for in bounds: who takes back faster than they are found is told to wait, and may go on then', async () => {
    const real = await openSqlite({ file: ':memory:' })
    const found = Promise.withResolvers<void>()
    let asked = 0
    const stores: Stores = { ...real, archive: { ...real.archive, async query(q) { if (q.holds !== undefined) { asked++; await found.promise } return real.archive.query(q) } } }
    await using house = await House.open({ stores })
    const romeo = await house.actor('romeo', cast.romeo)
    await house.account('juliet')
    romeo.sends`<message type='chat' to='juliet@localhost' id='m1'><body>wrong person</body></message>`
    for (let i = 0; i < 300; i++) romeo.says(retract('juliet@localhost', 'unknown', `id='r${i}' type='chat'`))
    await romeo.hears`<message type='error'><error type='wait'><resource-constraint xmlns='${STANZAS}'/></error></message>`
    await romeo.hears`<message type='error' id='r299'/>`
    assert.ok(asked <= 200, `${asked} looks at once`)
    found.resolve()
    await until(async () => {
      romeo.says(retract('juliet@localhost', 'm1', "id='last' type='chat'"))
      await romeo.fence()
      return told((await archive(romeo))[0]!) === 'tombstone by last'
    }, 'what is taken back afterwards is gone')
  })

  it('are announced by the host and by accounts', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${RETRACT}'/></query></iq>`
    romeo.sends`<iq type='get' id='e' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='e'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${RETRACT}'/><feature var='${RETRACT}#tombstone'/></query></iq>`
  }))
})

describe('lines of a room that are taken back', () => {
  let house: House
  beforeEach(async () => { house = await House.open({ components: { 'rooms.localhost': muc() } }) })
  afterEach(() => house[Symbol.asyncDispose]())

  async function enters(name: string): Promise<Actor> {
    const a = await house.actor(name, `${name}@localhost/home`)
    a.says(`<presence to='${ROOM}/${name}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    await a.hears`<message type='groupchat'><subject/></message>`
    return a
  }
  /** Anna owns the room, which lasts; Ben is in it. */
  async function both(persistent = true): Promise<{ anna: Actor; ben: Actor }> {
    const anna = await enters('anna')
    anna.says(`<iq type='set' id='conf' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_persistentroom'><value>${persistent ? 1 : 0}</value></field></x></query></iq>`)
    await anna.hears`<iq type='result' id='conf'/>`
    const ben = await enters('ben')
    for (const a of [anna, ben]) await a.fence()
    return { anna, ben }
  }
  /** Says a line; gives its id in the archive. */
  async function says(who: Actor, text: string, others: readonly Actor[]): Promise<string> {
    who.sends`<message type='groupchat' to='${ROOM}' id='${text}'><body>${text}</body></message>`
    for (const a of others) await a.hears`<message type='groupchat' id='${text}'/>`
    return String((await who.hears`<message type='groupchat' id='${text}'/>`).getChild('stanza-id', SID)!.attrs['id'])
  }
  const moderates = (who: Actor, id: string, reason = 'not here'): void => who.says(`<iq type='set' to='${ROOM}' id='mod'><moderate id='${id}' xmlns='${MODERATE}'><retract xmlns='${RETRACT}'/><reason>${reason}</reason></moderate></iq>`)

  it('by who said them are gone from history and a tombstone in the archive', async () => {
    const { anna, ben } = await both()
    await says(anna, 'one', [ben])
    const id = await says(ben, 'two', [anna])
    await commits(ben, retract(ROOM, id, "id='r1' type='groupchat'"))
    await anna.hears`<message type='groupchat' id='r1' from='${ROOM}/ben'><retract id='${id}' xmlns='${RETRACT}'/></message>`
    const all = await archive(anna, ROOM)
    assert.deepEqual(all.map(told), ['one', 'tombstone by r1', `retracts ${id}`])
    assert.ok(all[1]!.getChild('occupant-id', OCCUPANT))
    const carl = await house.actor('carl', 'carl@localhost/home')
    carl.says(`<presence to='${ROOM}/carl'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    const shown: string[] = []
    for (let x = await carl.next(); !x.getChild('subject'); x = await carl.next()) if (x.name === 'message') shown.push(told(x))
    assert.deepEqual(shown, ['one', `retracts ${id}`])
  })

  it('are not to be taken back by others', async () => {
    const { anna, ben } = await both()
    const id = await says(anna, 'one', [ben])
    ben.says(retract(ROOM, id, "id='r1' type='groupchat'"))
    await ben.hears`<message type='error' id='r1'><error><forbidden xmlns='${STANZAS}'/></error></message>`
    await anna.receivesNothing()
    moderates(ben, id)
    await ben.hears`<iq type='error' id='mod'><error><forbidden xmlns='${STANZAS}'/></error></iq>`
    assert.deepEqual((await archive(anna, ROOM)).map(told), ['one'])
  })

  it('by a moderator are announced by the room, with who and why', async () => {
    const { anna, ben } = await both()
    const id = await says(ben, 'rude', [anna])
    moderates(anna, id)
    for (const a of [ben, anna]) {
      const x = await a.hears`<message type='groupchat' from='${ROOM}'><retract id='${id}' xmlns='${RETRACT}'><moderated by='${ROOM}/anna' xmlns='${MODERATE}'><occupant-id xmlns='${OCCUPANT}'/></moderated><reason>not here</reason></retract></message>`
      assert.ok(x.attrs['id'])
    }
    await anna.hears`<iq type='result' id='mod' from='${ROOM}'/>`
    const [tomb, notice] = await archive(anna, ROOM)
    assert.equal(tomb!.attrs['from'], `${ROOM}/ben`)
    const mark = tomb!.getChild('retracted', RETRACT)!
    assert.deepEqual([mark.attrs['id'], mark.getChild('moderated', MODERATE)!.attrs['by'], mark.getChildText('reason')], [notice!.attrs['id'], `${ROOM}/anna`, 'not here'])
    assert.equal(tomb!.getChildText('body'), null)
    assert.equal(told(notice!), `retracts ${id}`)
    moderates(anna, id)
    await anna.hears`<iq type='error' id='mod'><error><item-not-found xmlns='${STANZAS}'/></error></iq>`
  })

  it('COMPAT Gajim 1: are taken back by a moderator whose client knows the older document, and shown to such clients', async () => {
    const { anna, ben } = await both()
    const id = await says(ben, 'rude', [anna])
    anna.says(`<iq type='set' to='${ROOM}' id='mod'><apply-to id='${id}' xmlns='urn:xmpp:fasten:0'><moderate xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/><reason>not here</reason></moderate></apply-to></iq>`)
    await ben.hears`<message type='groupchat' from='${ROOM}'><retract id='${id}' xmlns='${RETRACT}'/><apply-to id='${id}' xmlns='urn:xmpp:fasten:0'><moderated by='${ROOM}/anna' xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/><reason>not here</reason></moderated></apply-to></message>`
    await anna.hears`<iq type='result' id='mod'/>`
    assert.ok(told((await archive(ben, ROOM))[0]!).startsWith('tombstone'))
  })

  it('that are older than what the room remembers are found in its archive, and those of a passing room in its memory', async () => {
    const { anna, ben } = await both(false)
    const id = await says(ben, 'rude', [anna])
    moderates(anna, id)
    await ben.hears`<message type='groupchat' from='${ROOM}'><retract id='${id}' xmlns='${RETRACT}'/></message>`
    await anna.hears`<iq type='result' id='mod'/>`
    anna.says(`<iq type='set' id='conf' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_persistentroom'><value>1</value></field><field var='muc#maxhistoryfetch'><value>1</value></field></x></query></iq>`)
    await anna.hears`<iq type='result' id='conf'/>`
    const old = await says(ben, 'old', [anna])
    await says(ben, 'new', [anna])
    moderates(anna, old)
    await anna.hears`<iq type='result' id='mod'/>`
    assert.equal(told((await archive(anna, ROOM))[0]!).startsWith('tombstone'), true)
    for (const wrong of ['none', '']) {
      moderates(anna, wrong)
      await anna.hears`<iq type='error' id='mod'/>`
    }
    anna.sends`<iq type='get' id='d' to='${ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await anna.hears`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${MODERATE}'/><feature var='${RETRACT}'/><feature var='${RETRACT}#tombstone'/></query></iq>`
  })
})
