import assert from 'node:assert/strict'
import { scene, type Actor } from '../harness/scene.ts'
import { arrives, befriend } from '../harness/friends.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

async function blocks(a: Actor, ...jids: string[]): Promise<void> {
  a.says(`<iq type='set' id='block'><block xmlns='urn:xmpp:blocking'>${jids.map(j => `<item jid='${j}'/>`).join('')}</block></iq>`)
  await a.hears`<iq type='result' id='block'/>`
}
async function unblocks(a: Actor, ...jids: string[]): Promise<void> {
  a.says(`<iq type='set' id='unblock'><unblock xmlns='urn:xmpp:blocking'>${jids.map(j => `<item jid='${j}'/>`).join('')}</unblock></iq>`)
  await a.hears`<iq type='result' id='unblock'/>`
}
const list = async (a: Actor): Promise<string[]> => {
  a.sends`<iq type='get' id='list'><blocklist xmlns='urn:xmpp:blocking'/></iq>`
  return (await a.hears`<iq type='result' id='list'><blocklist xmlns='urn:xmpp:blocking'/></iq>`).getChild('blocklist')!.getChildren('item').map(i => String(i.attrs['jid'])).sort()
}

describe('XEP-0191 Blocking Command', () => {
  it('is announced', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:blocking'/></query></iq>`
  }))

  it('keeps a list, prepared and pushed to the devices that asked for it', scene({ ...cast, phone: 'romeo@localhost/phone', tablet: 'romeo@localhost/tablet' }, async ({ romeo, phone, tablet }) => {
    assert.deepEqual(await list(romeo), [])
    await list(phone)
    romeo.sends`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='IAGO@Shakespeare.LIT'/><item jid='montague.net'/></block></iq>`
    for (const a of [romeo, phone]) await a.receives`<iq type='set'><block xmlns='urn:xmpp:blocking'><item/><item jid='montague.net'/></block></iq>`
    await romeo.receives`<iq type='result' id='b'/>`
    assert.deepEqual(await list(romeo), ['iago@shakespeare.lit', 'montague.net'])
    romeo.sends`<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>`
    for (const a of [romeo, phone]) await a.receives`<iq type='set'><unblock xmlns='urn:xmpp:blocking'/></iq>`
    await romeo.receives`<iq type='result' id='u'/>`
    assert.deepEqual(await list(romeo), [])
    await tablet.receivesNothing()
  }))

  for (const [what, inside, condition] of [['nobody', '', 'bad-request'], ['what is no address', `<item jid='@'/>`, 'jid-malformed'], ['an item without one', '<item/>', 'jid-malformed']] as const) {
    it(`refuses to block ${what}`, scene(cast, async ({ romeo }) => {
      romeo.says(`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'>${inside}</block></iq>`)
      const answer = await romeo.receives`<iq type='error' id='b'/>`
      assert.ok(answer.getChild('error')!.getChild(condition, NS), String(answer))
    }))
  }

  it('SEC-R11 nothing of the blocked one comes in; messages and iqs come back as if nobody were there', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await blocks(juliet, romeo.bare)
    await juliet.fence()
    await romeo.fence()
    for (const to of [juliet.jid, juliet.bare]) {
      romeo.sends`<message to='${to}' type='chat' id='m'><body>hark</body></message>`
      await romeo.receives`<message type='error' id='m' from='${to}'><error type='cancel'><service-unavailable xmlns='${NS}'/></error></message>`
      romeo.sends`<iq to='${to}' type='get' id='q'><query xmlns='urn:example'/></iq>`
      await romeo.receives`<iq type='error' id='q' from='${to}'><error type='cancel'><service-unavailable xmlns='${NS}'/></error></iq>`
    }
    romeo.sends`<presence to='${juliet}'/>`
    romeo.sends`<presence to='${juliet.bare}' type='probe'/>`
    romeo.sends`<presence to='${juliet.bare}' type='subscribe'/>`
    romeo.sends`<message to='${juliet}' type='headline'><body>news</body></message>`
    romeo.sends`<iq to='${juliet}' type='result' id='x'/>`
    await romeo.comesOnline('<presence><show>away</show></presence>')
    await romeo.receivesNothing()
    await juliet.receivesNothing()
  }))

  it('nothing goes out to the blocked one either', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await blocks(juliet, romeo.bare)
    for (const stanza of [`<message to='${romeo}' type='chat' id='o'><body>x</body></message>`, `<iq to='${romeo}' type='get' id='o'><query xmlns='urn:example'/></iq>`, `<presence to='${romeo}' id='o'/>`, `<presence to='${romeo.bare}' type='subscribe' id='o'/>`]) {
      juliet.says(stanza)
      const answer = await juliet.next()
      assert.equal(answer.attrs['type'], 'error', String(answer))
      assert.equal(answer.attrs['id'], 'o')
      assert.equal(answer.getChild('error')!.attrs['type'], 'cancel')
      assert.ok(answer.getChild('error')!.getChild('not-acceptable', NS))
      assert.ok(answer.getChild('error')!.getChild('blocked', 'urn:xmpp:blocking:errors'))
    }
    await romeo.receivesNothing()
  }))

  it('SEC-P05 the blocked one sees the user go, and after that come back', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await blocks(juliet, romeo.bare)
    await romeo.receives`<presence type='unavailable' from='${juliet}'/>`
    await juliet.comesOnline('<presence><show>dnd</show></presence>')
    await romeo.receivesNothing()
    romeo.sends`<presence to='${juliet.bare}' type='probe'/>`
    await romeo.receivesNothing()
    await unblocks(juliet, romeo.bare)
    await romeo.receives`<presence from='${juliet}'><show>dnd</show></presence>`
    await juliet.hears`<presence from='${romeo}'/>`
    romeo.sends`<message to='${juliet}' type='chat'><body>again</body></message>`
    await juliet.hears`<message from='${romeo}'><body>again</body></message>`
  }))

  it('who was no friend learns nothing of it', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await blocks(juliet, romeo.bare)
    await unblocks(juliet)
    await romeo.receivesNothing()
  }))

  it('a device, a domain and a domain\'s resource can be blocked, each only itself', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, juliet, phone }) => {
    await juliet.comesOnline()
    await blocks(juliet, romeo.jid)
    romeo.sends`<message to='${juliet}' type='chat' id='m'><body>x</body></message>`
    await romeo.receives`<message type='error' id='m'/>`
    phone.sends`<message to='${juliet}' type='chat' id='m'><body>y</body></message>`
    await juliet.hears`<message from='${phone}'><body>y</body></message>`
    await unblocks(juliet)
    await blocks(juliet, 'localhost')
    phone.sends`<message to='${juliet}' type='chat' id='m'><body>z</body></message>`
    await phone.receives`<message type='error' id='m'/>`
  }))

  it('one\'s own devices are never blocked', scene({ romeo: cast.romeo, phone: 'romeo@localhost/phone' }, async ({ romeo, phone }) => {
    await blocks(romeo, romeo.bare, 'localhost')
    phone.sends`<message to='${romeo}' type='chat'><body>note</body></message>`
    await romeo.receives`<message from='${phone}'><body>note</body></message>`
  }))

  it('what waited from somebody is not given once he is blocked', scene(cast, async ({ romeo, juliet }, house) => {
    for (const body of ['one', 'two']) romeo.sends`<message to='${juliet.bare}' type='chat'><body>${body}</body></message>`
    await romeo.fence()
    await blocks(juliet, romeo.bare)
    juliet.sends`<presence/>`
    while ((await house.stores.offline.list(juliet.bare)).length) await juliet.fence()
    assert.deepEqual((await juliet.fence()).filter(x => x.name === 'message'), [])
  }))

  it('holds for who is not there, and after a restart', scene(cast, async ({ romeo, juliet }, house) => {
    await blocks(juliet, romeo.bare)
    juliet.leaves()
    await romeo.fence()
    assert.deepEqual((await house.stores.documents.get<string[]>('blocklist', juliet.bare, ''))?.value, [romeo.bare])
    romeo.sends`<message to='${juliet.bare}' type='chat' id='m'><body>x</body></message>`
    await romeo.receives`<message type='error' id='m'><error><service-unavailable xmlns='${NS}'/></error></message>`
    assert.deepEqual(await house.stores.offline.list(juliet.bare), [])
  }))
})
