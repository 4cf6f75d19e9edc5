import assert from 'node:assert/strict'
import { scene, type Actor } from '../harness/scene.ts'
import { arrives, befriend, fetches } from '../harness/friends.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { StoreError, type RosterStore, type Stores } from '../../server/ports/store.ts'
import { defaultLimits } from '../../server/ports/limits.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const devices = { romeo: 'romeo@localhost/orchard', phone: 'romeo@localhost/phone' }
const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

describe('the roster', () => {
  it('RFC-R12 an empty one is an empty query, not an error', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
    const answer = await romeo.receives`<iq type='result' id='r'><query xmlns='jabber:iq:roster'/></iq>`
    assert.equal(answer.getChild('query')!.children.length, 0)
  }))

  it('RFC-R1 a set says name and groups, and nothing of subscriptions', scene(cast, async ({ romeo }) => {
    await fetches(romeo)
    romeo.sends`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='Nurse' subscription='both' ask='subscribe' approved='true'><group>Servants</group></item></query></iq>`
    const push = await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='Nurse' subscription='none'><group>Servants</group></item></query></iq>`
    const item = push.getChild('query')!.getChild('item')!
    assert.equal(item.attrs['ask'], undefined)
    assert.equal(item.attrs['approved'], undefined)
    await romeo.receives`<iq type='result' id='s'/>`
  }))

  for (const type of ['get', 'set']) {
    it(`RFC-R2 SEC-P01 a ${type} of somebody else's is forbidden, and he hears nothing`, scene(cast, async ({ romeo, juliet }) => {
      await fetches(juliet)
      romeo.sends`<iq type='${type}' id='x' to='${juliet.bare}'><query xmlns='jabber:iq:roster'>${''}</query></iq>`
      await romeo.receives`<iq type='error' id='x' from='${juliet.bare}'><error type='auth'><forbidden xmlns='${NS}'/></error></iq>`
      await juliet.receivesNothing()
    }))
  }

  const refused: [string, string, string][] = [
    ['two items', `<item jid='a@localhost'/><item jid='b@localhost'/>`, 'bad-request'],
    ['no item', '', 'bad-request'],
    ['an item without jid', `<item name='Nobody'/>`, 'bad-request'],
    ['a jid that is none', `<item jid='@localhost'/>`, 'jid-malformed'],
    ['a group twice', `<item jid='a@localhost'><group>G</group><group>G</group></item>`, 'bad-request'],
    ['a group without name', `<item jid='a@localhost'><group/></item>`, 'not-acceptable'],
    ['a name too long', `<item jid='a@localhost' name='${'n'.repeat(1024)}'/>`, 'not-acceptable'],
    ['a group too long', `<item jid='a@localhost'><group>${'g'.repeat(1024)}</group></item>`, 'not-acceptable'],
  ]
  for (const [what, inside, condition] of refused) {
    it(`RFC-R3 RFC-R13 SEC-P03 ${what} is refused with ${condition}, and changes nothing`, scene(cast, async ({ romeo }) => {
      await fetches(romeo)
      romeo.says(`<iq type='set' id='x'><query xmlns='jabber:iq:roster'>${inside}</query></iq>`)
      await romeo.receives`<iq type='error' id='x'><error><${{ toString: () => condition }} xmlns='${NS}'/></error></iq>`
      assert.deepEqual(await contacts(romeo), [])
    }))
  }

  it('SEC-P03 one contact more than may be is refused', scene(cast, async ({ romeo }) => {
    for (const name of ['a', 'b']) {
      romeo.sends`<iq type='set' id='${name}'><query xmlns='jabber:iq:roster'><item jid='${name}@localhost'/></query></iq>`
      await romeo.receives`<iq type='result' id='${name}'/>`
    }
    romeo.sends`<iq type='set' id='c'><query xmlns='jabber:iq:roster'><item jid='c@localhost'/></query></iq>`
    await romeo.receives`<iq type='error' id='c'><error><resource-constraint xmlns='${NS}'/></error></iq>`
    romeo.sends`<iq type='set' id='d'><query xmlns='jabber:iq:roster'><item jid='a@localhost' name='A'/></query></iq>`
    await romeo.receives`<iq type='result' id='d'/>`
  }, { limits: { account: { ...defaultLimits.account, roster: 2 } } }))

  it('RFC-R13 a jid is prepared before it is stored', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='NURSE@LocalHost'/></query></iq>`
    await romeo.receives`<iq type='result' id='s'/>`
    assert.deepEqual(await contacts(romeo), ['nurse@localhost none'])
  }))

  it('RFC-R13 a get with an item inside is refused', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='x'><query xmlns='jabber:iq:roster'><item jid='a@localhost'/></query></iq>`
    await romeo.receives`<iq type='error' id='x'><error><bad-request xmlns='${NS}'/></error></iq>`
  }))

  it('RFC-R4 RFC-R5 RFC-R11 every device that fetched it is told, available or not, the others are not', scene({ ...devices, tablet: 'romeo@localhost/tablet' }, async ({ romeo, phone, tablet }) => {
    await fetches(romeo, phone)
    await tablet.comesOnline()
    romeo.sends`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>`
    for (const a of [romeo, phone]) {
      const push = await a.receives`<iq type='set' to='${a}'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost' subscription='none'/></query></iq>`
      assert.ok(push.attrs['id'])
      assert.ok(push.attrs['from'] === undefined || push.attrs['from'] === a.bare)
      assert.equal(push.getChild('query')!.getChildren('item').length, 1)
    }
    await romeo.receives`<iq type='result' id='s'/>`
    romeo.sends`<iq type='error' id='whatever'><error type='cancel'/></iq>`
    await phone.receivesNothing()
    await tablet.receivesNothing()
  }))

  it('RFC-R6 what a set leaves out is gone, and an empty name is none', scene(cast, async ({ romeo }) => {
    await fetches(romeo)
    for (const [item, name, groups] of [
      [`<item jid='nurse@localhost' name='Nurse'><group>A</group><group>B</group></item>`, 'Nurse', ['A', 'B']],
      [`<item jid='nurse@localhost' name=''><group>B</group></item>`, undefined, ['B']],
      [`<item jid='nurse@localhost'/>`, undefined, []],
    ] as const) {
      romeo.says(`<iq type='set' id='s'><query xmlns='jabber:iq:roster'>${item}</query></iq>`)
      const pushed = (await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>`).getChild('query')!.getChild('item')!
      assert.equal(pushed.attrs['name'], name)
      assert.deepEqual(pushed.getChildren('group').map(g => g.getText()), groups)
      await romeo.receives`<iq type='result' id='s'/>`
    }
  }))

  it('RFC-R7 removing a contact ends both subscriptions: unavailable first, then unsubscribed', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, juliet, phone }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    await phone.comesOnline()
    for (const a of [romeo, juliet]) await a.fence()
    romeo.sends`<iq type='set' id='rm'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='remove'/></query></iq>`
    await romeo.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='remove'/></query></iq>`
    await romeo.hears`<iq type='result' id='rm'/>`
    await romeo.fence()
    const heard = (await juliet.fence()).map(x => x.name === 'iq' ? `push ${x.getChild('query')!.getChild('item')!.attrs['subscription']}` : `${x.attrs['type']} ${x.attrs['from']}`)
    assert.equal(heard.includes('push none'), true, heard.join())
    const ended = heard.indexOf(`unsubscribed ${romeo.bare}`)
    assert.ok(ended > 0, heard.join())
    for (const a of [romeo, phone]) assert.ok(heard.indexOf(`unavailable ${a}`) >= 0 && heard.indexOf(`unavailable ${a}`) < ended, heard.join())
    assert.ok(heard.includes(`unsubscribe ${romeo.bare}`), heard.join())
    assert.deepEqual(await contacts(romeo), [])
    assert.deepEqual(await contacts(juliet), [`${romeo.bare} none`])
  }))

  it('RFC-R7 removing a contact drops the approval given to it beforehand', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    romeo.sends`<presence to='${juliet.bare}' type='subscribed'/>`
    await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='none' approved='true'/></query></iq>`
    romeo.sends`<iq type='set' id='rm'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='remove'/></query></iq>`
    await romeo.hears`<iq type='result' id='rm'/>`
    await juliet.receivesNothing()
    juliet.sends`<presence to='${romeo.bare}' type='subscribe'/>`
    await romeo.hears`<presence type='subscribe' from='${juliet.bare}'/>`
  }))

  it('RFC-R8 removing whom one does not know is item-not-found', scene(cast, async ({ romeo, juliet }) => {
    juliet.sends`<presence to='${romeo.bare}' type='subscribe'/>`
    await juliet.fence()
    for (const jid of ['nobody@localhost', juliet.bare]) { // a request makes no contact
      romeo.sends`<iq type='set' id='rm'><query xmlns='jabber:iq:roster'><item jid='${jid}' subscription='remove'/></query></iq>`
      await romeo.receives`<iq type='error' id='rm'><error type='cancel'><item-not-found xmlns='${NS}'/></error></iq>`
    }
  }))

  it('RFC-R10 a request shows no contact, unless he was there before', scene({ ...cast, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, nurse }) => {
    await arrives(romeo)
    romeo.sends`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='${nurse.bare}'/></query></iq>`
    await romeo.hears`<iq type='result' id='s'/>`
    await romeo.fence()
    for (const a of [juliet, nurse]) {
      a.sends`<presence to='${romeo.bare}' type='subscribe'/>`
      await romeo.receives`<presence type='subscribe' from='${a.bare}'/>`
    }
    await romeo.receivesNothing()
    assert.deepEqual(await contacts(romeo), [`${nurse.bare} none`])
  }))

  it('RFC-R14 a set and a request go together in either order', scene({ ...cast, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, nurse }) => {
    await fetches(romeo)
    romeo.sends`<presence to='${juliet.bare}' type='subscribe'/>`
    romeo.sends`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' name='J'><group>G</group></item></query></iq>`
    romeo.sends`<iq type='set' id='t'><query xmlns='jabber:iq:roster'><item jid='${nurse.bare}' name='N'><group>H</group></item></query></iq>`
    romeo.sends`<presence to='${nurse.bare}' type='subscribe'/>`
    await romeo.hears`<iq type='result' id='t'/>`
    romeo.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
    await romeo.hears`<iq type='result' id='r'><query xmlns='jabber:iq:roster'>
      <item jid='${juliet.bare}' name='J' subscription='none' ask='subscribe'><group>G</group></item>
      <item jid='${nurse.bare}' name='N' subscription='none' ask='subscribe'><group>H</group></item></query></iq>`
  }))

  it('SEC-P02 a stranger cannot push into it', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    juliet.sends`<iq type='set' id='p' to='${romeo}'><query xmlns='jabber:iq:roster'><item jid='evil@localhost' subscription='both'/></query></iq>`
    await juliet.receives`<iq type='error' id='p' from='${romeo}'><error><service-unavailable xmlns='${NS}'/></error></iq>`
    await romeo.receivesNothing()
  }))

  it('answers an error and changes nothing when the store cannot write', async () => {
    let broken = false
    const real = await openSqlite({ file: ':memory:' })
    const rosters: RosterStore = {
      load: o => real.rosters.load(o), forget: (o, j) => real.rosters.forget(o, j),
      put: (o, v, i) => broken ? Promise.reject(new StoreError('disk full')) : real.rosters.put(o, v, i),
    }
    const stores: Stores = Object.assign(Object.create(real) as Stores, { rosters }) // the rest is the real one's
    await scene(cast, async ({ romeo, juliet }) => {
      await arrives(romeo, juliet)
      broken = true
      romeo.sends`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>`
      await romeo.receives`<iq type='error' id='s'><error><internal-server-error xmlns='${NS}'/></error></iq>`
      romeo.sends`<presence type='subscribe' to='${juliet.bare}' id='sub'/>`
      await romeo.receives`<presence type='error' id='sub'><error><internal-server-error xmlns='${NS}'/></error></presence>`
      assert.deepEqual(await contacts(romeo), [])
      await juliet.receivesNothing()
      broken = false
      romeo.sends`<iq type='set' id='t'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>`
      await romeo.hears`<iq type='result' id='t'/>`
      assert.deepEqual(await contacts(romeo), ['nurse@localhost none'])
    }, { stores })()
  })
})

describe('versions of the roster', () => {
  const set = async (a: Actor, item: string): Promise<void> => {
    a.says(`<iq type='set' id='set'><query xmlns='jabber:iq:roster'>${item}</query></iq>`)
    await a.hears`<iq type='result' id='set'/>`
  }

  it('RFC-R9 the feature is offered, and a first get brings the whole with its version', scene(devices, async ({ romeo }) => {
    await set(romeo, `<item jid='a@localhost'/>`)
    romeo.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver=''/></iq>`
    const answer = await romeo.receives`<iq type='result' id='r'><query xmlns='jabber:iq:roster'><item jid='a@localhost'/></query></iq>`
    assert.ok(answer.getChild('query')!.attrs['ver'])
  }))

  it('RFC-R9 who has the newest version gets an empty result and no pushes', scene(devices, async ({ romeo }) => {
    const ver = await version(romeo)
    romeo.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='${ver}'/></iq>`
    const answer = await romeo.receives`<iq type='result' id='r'/>`
    assert.equal(answer.children.length, 0)
    await romeo.receivesNothing()
  }))

  it('RFC-R9 who has an older one gets each changed item once, removals too, in the order of the changes, each with its own version', scene(devices, async ({ romeo, phone }) => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await set(romeo, `<item jid='${name}@localhost'/>`)
    const ver = await version(romeo)
    await set(romeo, `<item jid='c@localhost' name='first'/>`)
    await set(romeo, `<item jid='a@localhost' subscription='remove'/>`)
    await set(romeo, `<item jid='b@localhost' name='B'/>`)
    await set(romeo, `<item jid='c@localhost' name='last'/>`)
    phone.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='${ver}'/></iq>`
    assert.equal((await phone.receives`<iq type='result' id='r'/>`).children.length, 0)
    const versions: string[] = []
    for (const [jid, more] of [['a', `subscription='remove'`], ['b', `name='B'`], ['c', `name='last'`]]) {
      const push = await phone.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${jid}@localhost' ${{ toString: () => '' }}/></query></iq>`
      assert.match(String(push), new RegExp(more!.replaceAll("'", '["\']')))
      versions.push(String(push.getChild('query')!.attrs['ver']))
    }
    assert.equal(new Set(versions).size, 3)
    await phone.receivesNothing()
    assert.equal(versions.at(-1), await version(romeo))
  }))

  it('RFC-R9 a version that is not ours brings the whole', scene(devices, async ({ romeo }) => {
    await set(romeo, `<item jid='a@localhost'/>`)
    for (const ver of ['ver14', '999999', '0', '-1', await version(romeo) + '9']) {
      romeo.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='${ver}'/></iq>`
      await romeo.receives`<iq type='result' id='r'><query xmlns='jabber:iq:roster'><item jid='a@localhost'/></query></iq>`
    }
  }))

  it('RFC-R9 a push bears the version also where the client never asked for one', scene(devices, async ({ romeo }) => {
    await fetches(romeo)
    romeo.sends`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='a@localhost'/></query></iq>`
    const push = await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'/></iq>`
    assert.equal(push.getChild('query')!.attrs['ver'], await version(romeo))
  }))

  it('RFC-R9 what no client sees makes no new version', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo)
    const ver = await version(romeo)
    juliet.sends`<presence to='${romeo.bare}' type='subscribe'/>`
    await romeo.hears`<presence type='subscribe'/>`
    assert.equal(await version(romeo), ver)
  }))
})

describe('what a component puts into a roster', () => {
  const seen: string[] = []
  const help = { name: 'help', start: () => ({ receive: (s: { kind: string; type: string; from?: unknown; to?: unknown }) => { if (s.kind === 'presence') seen.push(`${s.type} ${String(s.from)} ${String(s.to)}`) } }) }
  const options = { components: { 'help.localhost': help } }
  const desk = { jid: 'desk@help.localhost', name: 'Helpdesk', groups: ['Helpdesk'], subscription: 'both' as const }
  beforeEach(() => { seen.length = 0 })

  it('is shown, pushed and stays; presence goes there, and a probe', scene(devices, async ({ romeo, phone }, house) => {
    await arrives(romeo)
    const privileges = house.privileges('help.localhost')
    await privileges.inject(romeo.bare, [desk])
    await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='desk@help.localhost' name='Helpdesk' subscription='both'><group>Helpdesk</group></item></query></iq>`
    assert.deepEqual(seen, [`available ${romeo} desk@help.localhost`, `probe ${romeo.bare} desk@help.localhost`])
    await privileges.inject(romeo.bare, [desk])
    await romeo.receivesNothing()
    assert.deepEqual((await privileges.injected(romeo.bare)).map(i => i.jid), ['desk@help.localhost'])
    seen.length = 0
    await arrives(phone)
    assert.deepEqual(seen, [`available ${phone} desk@help.localhost`, `probe ${phone.bare} desk@help.localhost`])
  }, options))

  it('is not the client\'s to change or remove: it is shown again as it is', scene(devices, async ({ romeo, phone }, house) => {
    await fetches(romeo, phone)
    await house.privileges('help.localhost').inject(romeo.bare, [desk])
    for (const a of [romeo, phone]) await a.hears`<iq type='set'><query xmlns='jabber:iq:roster'/></iq>`
    for (const change of [`name='Mine'`, `subscription='remove'`]) {
      romeo.says(`<iq type='set' id='x'><query xmlns='jabber:iq:roster'><item jid='desk@help.localhost' ${change}/></query></iq>`)
      await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='desk@help.localhost' name='Helpdesk' subscription='both'><group>Helpdesk</group></item></query></iq>`
      await romeo.receives`<iq type='error' id='x'><error><not-allowed xmlns='${NS}'/></error></iq>`
    }
    romeo.sends`<presence to='desk@help.localhost' type='unsubscribe'/>`
    await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='desk@help.localhost' subscription='both'/></query></iq>`
    await phone.receivesNothing()
  }, options))

  it('goes when the component takes it back, and only its own', scene(devices, async ({ romeo }, house) => {
    await arrives(romeo)
    const privileges = house.privileges('help.localhost')
    romeo.sends`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='c1@help.localhost'/></query></iq>`
    await romeo.hears`<iq type='result' id='s'/>`
    await privileges.inject(romeo.bare, [desk])
    await romeo.fence()
    seen.length = 0
    await privileges.withdraw(romeo.bare, ['desk@help.localhost', 'c1@help.localhost', 'nobody@help.localhost'])
    await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='desk@help.localhost' subscription='remove'/></query></iq>`
    await romeo.receivesNothing()
    assert.deepEqual(seen, [`unavailable ${romeo} desk@help.localhost`])
    assert.deepEqual(await contacts(romeo), ['c1@help.localhost none'])
  }, options))

  it('reaches who is not there', scene(devices, async ({ romeo }, house) => {
    await house.account('nurse')
    const privileges = house.privileges('help.localhost')
    await privileges.inject('nurse@localhost', [desk])
    await privileges.inject('nobody@localhost', [desk])
    assert.equal((await privileges.injected('nurse@localhost')).length, 1)
    assert.deepEqual(seen, [])
    await romeo.receivesNothing()
  }, options))
})

async function version(a: Actor): Promise<string> {
  a.sends`<iq type='get' id='ver'><query xmlns='jabber:iq:roster'/></iq>`
  const answer = await a.hears`<iq type='result' id='ver'/>`
  return String(answer.getChild('query')!.attrs['ver'])
}

/** The roster as `jid subscription`, sorted. */
export async function contacts(a: Actor): Promise<string[]> {
  a.sends`<iq type='get' id='contacts'><query xmlns='jabber:iq:roster'/></iq>`
  const answer = await a.hears`<iq type='result' id='contacts'/>`
  return answer.getChild('query')!.getChildren('item').map(i => `${i.attrs['jid']} ${i.attrs['subscription']}${i.attrs['ask'] ? ' ask' : ''}${i.attrs['approved'] ? ' approved' : ''}`).sort()
}
