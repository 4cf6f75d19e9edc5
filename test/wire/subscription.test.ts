import assert from 'node:assert/strict'
import { scene, type Actor } from '../harness/scene.ts'
import { arrives, befriend, fetches } from '../harness/friends.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { defaultLimits } from '../../server/ports/limits.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

/** What somebody heard, one word each. */
const told = async (a: Actor): Promise<string[]> => (await a.fence()).map(x => {
  const item = x.getChild('query')?.getChild('item')
  return item ? `push ${item.attrs['jid']} ${item.attrs['subscription']}${item.attrs['ask'] ? ' ask' : ''}${item.attrs['approved'] ? ' approved' : ''}` : `${x.attrs['type'] ?? 'available'} ${x.attrs['from']}`
})

describe('subscriptions', () => {
  it('RFC-P5 RFC-P6 RFC-P8 a request that is approved: who is told what, in which order', scene(cast, async ({ romeo, juliet }) => {
    for (const a of [romeo, juliet]) {
      await fetches(a)
      a.sends`<presence id='here'/>`
      await a.receives`<presence from='${a}' to='${a.bare}' id='here'/>`
    }
    romeo.sends`<presence to='${juliet.bare}' type='subscribe' id='s1'><status>It is I</status></presence>`
    await juliet.receives`<presence type='subscribe' from='${romeo.bare}' to='${juliet.bare}' id='s1'><status>It is I</status></presence>`
    await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='none' ask='subscribe'/></query></iq>`
    juliet.sends`<presence to='${romeo.bare}' type='subscribed' id='s2'/>`
    await juliet.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${romeo.bare}' subscription='from'/></query></iq>`
    await romeo.receives`<presence type='subscribed' from='${juliet.bare}' to='${romeo.bare}' id='s2'/>`
    const push = await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='to'/></query></iq>`
    assert.equal(push.getChild('query')!.getChild('item')!.attrs['ask'], undefined)
    await romeo.receives`<presence from='${juliet}' to='${romeo.bare}' id='here'/>`
    await romeo.receivesNothing()
    await juliet.receivesNothing()
  }))

  it('RFC-P1 a request to a device is one to the account, and leaves with the account\'s address', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    romeo.sends`<presence to='${juliet}' type='subscribe' id='s1'/>`
    await juliet.receives`<presence type='subscribe' from='${romeo.bare}' to='${juliet.bare}' id='s1'/>`
    juliet.sends`<presence to='${romeo}' type='subscribed'/>`
    await romeo.hears`<presence type='subscribed' from='${juliet.bare}' to='${romeo.bare}'/>`
  }))

  it('RFC-P3 a request waits, whole and once, for each login until it is answered', scene(cast, async ({ romeo, juliet }, house) => {
    await arrives(romeo)
    romeo.sends`<presence to='${juliet.bare}' type='subscribe' id='first'><status>Please</status><nick xmlns='http://jabber.org/protocol/nick'>Romeo</nick></presence>`
    romeo.sends`<presence to='${juliet.bare}' type='subscribe' id='second'/>`
    await romeo.fence()
    await juliet.receivesNothing()
    const whole = (a: Actor): Promise<unknown> => a.hears`<presence type='subscribe' id='first' from='${romeo.bare}' to='${juliet.bare}'><status>Please</status><nick xmlns='http://jabber.org/protocol/nick'>Romeo</nick></presence>`
    for (let login = 0; login < 2; login++) {
      juliet.sends`<presence/>`
      await whole(juliet)
      assert.deepEqual((await told(juliet)).filter(t => t.startsWith('subscribe ')), [])
      juliet.sends`<presence type='unavailable'/>`
      await juliet.fence()
    }
    const phone = await house.actor('phone', 'juliet@localhost/phone')
    phone.sends`<presence/>`
    await whole(phone)
    phone.sends`<presence to='${romeo.bare}' type='unsubscribed'/>`
    await romeo.hears`<presence type='unsubscribed' from='${juliet.bare}'/>`
    juliet.sends`<presence/>`
    assert.deepEqual((await told(juliet)).filter(t => t.startsWith('subscribe ')), [])
  }))

  it('RFC-P3 a request outlives the account\'s stay in memory', scene(cast, async ({ romeo, juliet }, house) => {
    await romeo.comesOnline()
    romeo.sends`<presence to='${juliet.bare}' type='subscribe' id='s'/>`
    await romeo.fence()
    const { items } = await house.stores.rosters.load(juliet.bare)
    assert.deepEqual(items.map(i => [i.jid, i.listed]), [[romeo.bare, false]])
    assert.match(items[0]!.request ?? '', /type='subscribe'/)
  }))

  it('RFC-P4 a request goes to all available devices, pushes to those that fetched the roster', scene({ ...cast, phone: 'juliet@localhost/phone', tablet: 'juliet@localhost/tablet' }, async ({ romeo, juliet, phone, tablet }) => {
    await romeo.comesOnline()
    await juliet.comesOnline()
    await tablet.comesOnline(`<presence><priority>-1</priority></presence>`)
    await fetches(phone)
    await juliet.fence()
    romeo.sends`<presence to='${juliet.bare}' type='subscribe'/>`
    await romeo.fence()
    for (const a of [juliet, tablet]) assert.deepEqual(await told(a), [`subscribe ${romeo.bare}`])
    assert.deepEqual(await told(phone), [])
    juliet.sends`<presence to='${romeo.bare}' type='subscribed'/>`
    await juliet.fence()
    assert.deepEqual(await told(phone), [`push ${romeo.bare} from`])
    assert.deepEqual(await told(tablet), [])
  }))

  it('RFC-P5 taking a subscription back: unavailable of every device, unsubscribed, push', scene({ ...cast, phone: 'juliet@localhost/phone' }, async ({ romeo, juliet, phone }) => {
    await arrives(romeo, juliet, phone)
    await befriend(romeo, juliet)
    for (const a of [romeo, juliet, phone]) await a.fence()
    juliet.sends`<presence to='${romeo.bare}' type='unsubscribed'/>`
    await juliet.fence()
    assert.deepEqual(await told(romeo), [`unavailable ${juliet}`, `unavailable ${phone}`, `unsubscribed ${juliet.bare}`, `push ${juliet.bare} from`])
    assert.deepEqual(await told(phone), [`push ${romeo.bare} to`])
    juliet.sends`<presence><show>away</show></presence>`
    await juliet.fence()
    assert.deepEqual(await told(romeo), [])
    romeo.sends`<presence><show>away</show></presence>`
    assert.deepEqual((await told(romeo)).length, 1)
    assert.equal((await told(juliet)).includes(`available ${romeo}`), true)
  }))

  it('RFC-P5 ending one\'s own: the contact is told, its devices\' unavailable comes', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    romeo.sends`<presence to='${juliet.bare}' type='unsubscribe' id='u'/>`
    await romeo.fence()
    assert.deepEqual(await told(juliet), [`unsubscribe ${romeo.bare}`, `push ${romeo.bare} to`])
    romeo.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
    await romeo.hears`<iq type='result' id='r'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='from'/></query></iq>`
  }))
  it('RFC-P5 … in this order for who ends it', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    romeo.sends`<presence to='${juliet.bare}' type='unsubscribe' id='u'/>`
    await romeo.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='from'/></query></iq>`
    await romeo.hears`<presence type='unavailable' from='${juliet}'/>`
  }))

  it('RFC-P2 to somebody who does not exist: no answer in his name', scene(cast, async ({ romeo }) => {
    await arrives(romeo)
    for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']) romeo.says(`<presence to='nobody@localhost' type='${type}'/>`)
    assert.deepEqual((await told(romeo)).filter(t => !t.startsWith('push') && !t.startsWith('error')), [])
  }))

  it('RFC-P7 an approval beforehand is kept and pushed, not sent; the request is answered and not shown', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, juliet, phone }) => {
    await arrives(romeo, juliet)
    await fetches(phone)
    romeo.sends`<presence to='${juliet.bare}' type='subscribed'/>`
    for (const a of [romeo, phone]) await a.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='none' approved='true'/></query></iq>`
    await juliet.receivesNothing()
    juliet.sends`<presence to='${romeo.bare}' type='subscribe' id='s'/>`
    await juliet.fence()
    assert.deepEqual(await told(romeo), [`push ${juliet.bare} from approved`])
  }))
  it('RFC-P7 who was approved beforehand hears that it is so, and sees presence', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    romeo.sends`<presence to='${juliet.bare}' type='subscribed'/>`
    await romeo.fence()
    juliet.sends`<presence to='${romeo.bare}' type='subscribe' id='s'/>`
    await juliet.hears`<presence type='subscribed' from='${romeo.bare}' to='${juliet.bare}'/>`
    await juliet.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${romeo.bare}' subscription='to'/></query></iq>`
    await juliet.hears`<presence from='${romeo}'/>`
  }))
  it('RFC-P7 it can be taken back, and nobody hears of that', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    romeo.sends`<presence to='${juliet.bare}' type='subscribed'/>`
    romeo.sends`<presence to='${juliet.bare}' type='unsubscribed'/>`
    await romeo.fence()
    assert.deepEqual(await told(juliet), [])
    juliet.sends`<presence to='${romeo.bare}' type='subscribe'/>`
    await romeo.hears`<presence type='subscribe' from='${juliet.bare}'/>`
  }))

  it('RFC-P8 an answer goes only to devices that fetched the roster', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, juliet, phone }) => {
    await fetches(romeo) // never available
    await phone.comesOnline() // never fetched
    await juliet.comesOnline()
    romeo.sends`<presence to='${juliet.bare}' type='subscribe'/>`
    await romeo.fence()
    juliet.sends`<presence to='${romeo.bare}' type='subscribed'/>`
    await juliet.fence()
    assert.deepEqual(await told(romeo), [`subscribed ${juliet.bare}`, `push ${juliet.bare} to`])
    assert.deepEqual(await told(phone), [`available ${juliet}`])
  }))

  it('RFC-P9 a subscription counts more than directed presence', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    romeo.sends`<presence to='${juliet.bare}'><show>chat</show></presence>`
    romeo.sends`<presence to='${juliet.bare}' type='unsubscribed'/>`
    await romeo.fence()
    assert.deepEqual((await told(juliet)).slice(-3), [`unavailable ${romeo}`, `unsubscribed ${romeo.bare}`, `push ${romeo.bare} from`])
    romeo.sends`<presence type='unavailable'/>`
    await romeo.fence()
    assert.deepEqual(await told(juliet), [], 'he was told already')
  }))

  it('RFC-P10 a request that cannot be routed comes back as an error with its id', scene(cast, async ({ romeo }) => {
    await fetches(romeo)
    romeo.sends`<presence to='mercutio@nowhere.example' type='subscribe' id='far'/>`
    await romeo.hears`<presence type='error' id='far' from='mercutio@nowhere.example'><error><remote-server-not-found xmlns='${NS}'/></error></presence>`
  }))

  it('RFC-P11 an unsubscribe takes a waiting request back', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo)
    romeo.sends`<presence to='${juliet.bare}' type='subscribe'/>`
    romeo.sends`<presence to='${juliet.bare}' type='unsubscribe'/>`
    await romeo.fence()
    juliet.sends`<presence/>`
    assert.deepEqual(await told(juliet), [`available ${juliet}`])
  }))

  it('RFC-P12 nobody is approved who was not', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    romeo.sends`<presence to='${juliet.bare}' type='subscribe'/>`
    assert.deepEqual((await told(romeo)), [`push ${juliet.bare} none ask`])
  }))

  it('ignores approvals that were not asked for', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    juliet.sends`<presence to='${romeo.bare}' type='subscribe'/>`
    await romeo.hears`<presence type='subscribe'/>`
    romeo.sends`<presence to='${juliet.bare}' type='unsubscribed'/>`
    await juliet.hears`<presence type='unsubscribed'/>`
    await juliet.fence()
    romeo.sends`<presence to='${juliet.bare}' type='unsubscribe'/>`
    assert.deepEqual(await told(juliet), [])
  }))

  it('a subscription that the other side still has is confirmed without asking', scene(cast, async ({ romeo, juliet }, house) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await house.stores.rosters.forget(romeo.bare, juliet.bare) // as another server might lose it
    house.host.rosters.of(house.host.accounts.online(Jid.parse(romeo.bare))!).items.delete(juliet.bare)
    romeo.sends`<presence to='${juliet.bare}' type='subscribe' id='again'/>`
    await romeo.hears`<presence type='subscribed' from='${juliet.bare}' id='again'/>`
    await romeo.hears`<presence from='${juliet}'/>`
    assert.deepEqual(await told(juliet), [])
  }))

  it('SEC-P10 a hundred strangers may ask, and no more', scene({ ...cast, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, nurse }) => {
    for (const a of [romeo, nurse]) await a.comesOnline()
    romeo.sends`<presence to='${juliet.bare}' type='subscribe'/>`
    await romeo.fence()
    nurse.sends`<presence to='${juliet.bare}' type='subscribe' id='s'/>`
    await nurse.hears`<presence type='error' id='s'><error><resource-constraint xmlns='${NS}'/></error></presence>`
  }, { limits: { account: { ...defaultLimits.account, pendingSubscriptions: 1 } } }))
})
