// Spam and abuse, reported with the block that ends it (XEP-0377).
import assert from 'node:assert/strict'
import { House, type Actor } from '../harness/scene.ts'

const NS = 'urn:xmpp:reporting:1'
const BLOCKING = 'urn:xmpp:blocking'
const COMMANDS = 'http://jabber.org/protocol/commands'

const village = (play: (c: { romeo: Actor; admin: Actor; house: House }) => Promise<void>) => async (): Promise<void> => {
  await using house = await House.open()
  await house.account('prince', { role: 'admin' })
  const admin = await house.actor('admin', 'prince@localhost/court')
  const romeo = await house.actor('romeo', 'romeo@localhost/orchard')
  await admin.comesOnline()
  await play({ romeo, admin, house })
}

const block = async (who: Actor, item: string): Promise<void> => {
  who.says(`<iq type='set' id='b'><block xmlns='${BLOCKING}'>${item}</block></iq>`)
  await who.hears`<iq type='result' id='b'/>`
}
const report = (reason: string, inside = ''): string => `<item jid='tybalt@localhost'><report xmlns='${NS}' reason='${reason}'>${inside}</report></item>`

describe('reports', () => {
  it('are announced by disco', village(async ({ romeo }) => {
    romeo.sends`<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${NS}'/></query></iq>`
  }))

  it('reach the admins, with their reason, words and messages; and the block stands', village(async ({ romeo, admin, house }) => {
    await block(romeo, report('urn:xmpp:reporting:abuse', "<stanza-id xmlns='urn:xmpp:sid:0' by='romeo@localhost' id='m-1'/><text xml:lang='en'>He bit his thumb.</text>"))
    const told = await admin.hears`<message from='localhost'><subject>A report</subject></message>`
    assert.match(told.getChildText('body')!, /romeo@localhost reports tybalt@localhost: abuse: He bit his thumb\. \(messages m-1\)/)
    romeo.sends`<iq type='get' id='l'><blocklist xmlns='${BLOCKING}'/></iq>`
    await romeo.hears`<iq id='l'><blocklist xmlns='${BLOCKING}'><item jid='tybalt@localhost'/></blocklist></iq>`
    const tybalt = await house.actor('tybalt', 'tybalt@localhost/square')
    assert.deepEqual((await tybalt.fence()).map(String), []) // he is told nothing
  }))

  it('wait for an admin who comes later, in a list that nobody else sees', village(async ({ romeo, admin }) => {
    await block(romeo, report('urn:xmpp:reporting:spam'))
    await admin.hears`<message from='localhost'/>`
    for (const [who, sees] of [[admin, true], [romeo, false]] as const) {
      who.sends`<iq type='set' id='c' to='localhost'><command xmlns='${COMMANDS}' node='urn:deskbell:admin#reports'/></iq>`
      assert.equal(/reports tybalt@localhost: spam/.test(String(await who.hears`<iq id='c'/>`)), sees)
    }
  }))

  it('do not go to one\'s other devices', village(async ({ romeo, house }) => {
    const phone = await house.actor('phone', 'romeo@localhost/phone')
    phone.sends`<iq type='get' id='l'><blocklist xmlns='${BLOCKING}'/></iq>`
    await phone.hears`<iq id='l'/>`
    await block(romeo, report('urn:xmpp:reporting:abuse', '<text>private</text>'))
    const pushed = await phone.hears`<iq type='set'><block xmlns='${BLOCKING}'><item jid='tybalt@localhost'/></block></iq>`
    assert.doesNotMatch(String(pushed), /private|reporting/)
  }))

  it('without a reason are no reports, and many at once are not told one by one', village(async ({ romeo, admin }) => {
    await block(romeo, `<item jid='tybalt@localhost'><report xmlns='${NS}'/></item>`)
    assert.deepEqual((await admin.fence()).filter(x => x.getName() === 'message'), [])
    await block(romeo, Array.from({ length: 30 }, (_, i) => `<item jid='spam${i}@localhost'><report xmlns='${NS}' reason='urn:xmpp:reporting:spam'/></item>`).join(''))
    for (let i = 0; i < 10; i++) await admin.hears`<message from='localhost'/>`
    assert.deepEqual((await admin.fence()).filter(x => x.getName() === 'message'), [])
  }))
})
