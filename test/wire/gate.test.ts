// The black and the white list of a whole host (XEP-0133 sections 4.11 and 4.12), over the wire.
import assert from 'node:assert/strict'
import { arrives, befriend } from '../harness/friends.ts'
import { House, type Actor } from '../harness/scene.ts'
import { muc } from '../../components/muc/muc.ts'
import { CONTENT, el, Stanza, type Component } from '../../server/api.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

const NS = 'http://jabber.org/protocol/admin'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const far = { 'far.example': 's', 'friend.example': 's' }

/** An admin edits a list; gives what it held before and the note of the answer. */
async function edits(admin: Actor, list: 'black' | 'white', ...jids: string[]): Promise<{ before: string[]; note: string }> {
  const command = (inside: string, session = ''): void => admin.says(`<iq type='set' id='c' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='${NS}#edit-${list}list'${session && ` sessionid='${session}'`}>${inside}</command></iq>`)
  command('')
  const asked = (await admin.hears`<iq type='result' id='c'/>`).getChild('command')!
  const before = asked.getChild('x')!.getChildren('field').find(f => f.attrs['var'] === `${list}listjids`)!.getChildren('value').map(v => v.getText())
  command(`<x xmlns='jabber:x:data' type='submit'><field var='${list}listjids'>${jids.map(j => `<value>${j}</value>`).join('')}</field></x>`, String(asked.attrs['sessionid']))
  return { before, note: (await admin.hears`<iq type='result' id='c'/>`).getChild('command')!.getChildText('note') ?? '' }
}

/** Waits for something that fits, on a component's stream. */
async function hears(a: Actor, what: RegExp): Promise<void> { while (!what.test(String(await a.next(() => `${String(what)} should come`)))) { /* not yet */ } }

async function cast(house: House): Promise<{ admin: Actor; romeo: Actor }> {
  await house.account('root', { role: 'admin' })
  return { admin: await house.actor('admin', 'root@localhost/pc'), romeo: await house.actor('romeo', 'romeo@localhost/orchard') }
}

describe('who may talk with a host', () => {
  it('nobody on the black list: not in, not out, and he sees everybody go', async () => {
    await using house = await House.open({ externals: far })
    const { admin, romeo } = await cast(house)
    const eve = await house.component('far.example', 's')
    await romeo.comesOnline()
    eve.says("<presence from='eve@far.example' to='romeo@localhost' type='subscribe'/>")
    await romeo.hears`<presence type='subscribe'/>`
    romeo.says("<presence to='eve@far.example' type='subscribed'/>")
    await hears(eve, /<presence (?=.*from="romeo@localhost\/orchard")(?!.*type=)/)
    assert.deepEqual(await edits(admin, 'black', 'eve@far.example', 'spam.example'), { before: [], note: 'Done.' })
    await hears(eve, /<presence (?=.*from="romeo@localhost\/orchard")(?=.*type="unavailable")/)
    eve.says("<message from='eve@far.example/x' to='romeo@localhost' type='chat' id='m'><body>hi</body></message>")
    await hears(eve, /<message (?=.*type="error")(?=.*id="m").*<forbidden/)
    romeo.says("<message to='eve@far.example' type='chat' id='n'><body>hi</body></message>")
    await romeo.hears`<message type='error' id='n'><error><not-allowed xmlns='${STANZAS}'/></error></message>`
    eve.says("<message from='adam@far.example/x' to='romeo@localhost' type='chat' id='o'><body>hi</body></message>")
    await romeo.hears`<message id='o'><body>hi</body></message>`
    assert.deepEqual((await edits(admin, 'black')).before, ['eve@far.example', 'spam.example'])
    await hears(eve, /<presence (?=.*from="romeo@localhost\/orchard")(?!.*type=)/)
    eve.says("<message from='eve@far.example/x' to='romeo@localhost' type='chat' id='p'><body>hi</body></message>")
    await romeo.hears`<message id='p'><body>hi</body></message>`
  })

  it('nobody on the black list enters rooms, or writes to services of the host; who is in a room when he gets there is out with the next word', async () => {
    const heard: string[] = []
    const desk: Component = { name: 'desk', start: link => ({ receive: s => { if (s.kind === 'message') { heard.push(s.head.id ?? ''); link.send(Stanza.of('message', { type: 'chat', from: s.to!, to: s.from!, id: `re-${s.head.id}` }, [el('body', CONTENT, {}, 'yes?')])) } } }) } // what comes in has both addresses
    await using house = await House.open({ externals: far, components: { 'rooms.localhost': muc(), 'help.localhost': desk } })
    const { admin, romeo } = await cast(house)
    const eve = await house.component('far.example', 's')
    const room = 'tea@rooms.localhost', join = "<x xmlns='http://jabber.org/protocol/muc'/>"
    const enters = (who: string, nick: string): string => `<presence from='${who}' to='${room}/${nick}'>${join}</presence>`
    romeo.says(`<presence to='${room}/Romeo'>${join}</presence><iq type='set' id='c' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`)
    await romeo.hears`<iq type='result' id='c'/>`
    eve.says(enters('eve@far.example/x', 'Eve'))
    await romeo.hears`<presence from='${room}/Eve'/>`
    eve.says("<message from='eve@far.example/x' to='support@help.localhost' type='chat' id='before'><body>hi</body></message>")
    await hears(eve, /id="re-before"/)
    await edits(admin, 'black', 'eve@far.example')
    romeo.says(`<message type='groupchat' to='${room}'><body>is she there?</body></message>`)
    await romeo.hears`<presence type='unavailable' from='${room}/Eve'/>`
    eve.says("<message from='eve@far.example/x' to='support@help.localhost' type='chat' id='m'><body>hi</body></message>")
    await hears(eve, /<message (?=.*type="error")(?=.*id="m").*<forbidden/)
    eve.says(`<iq from='eve@far.example/x' to='${room}' type='get' id='q'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>${enters('eve@far.example/x', 'Eve')}`)
    await hears(eve, /<iq (?=.*type="error")(?=.*id="q").*<forbidden/)
    eve.says(enters('adam@far.example/x', 'Adam'))
    await romeo.hears`<presence from='${room}/Adam'/>`
    assert.ok(!(await romeo.fence()).some(x => x.attrs['from'] === `${room}/Eve`))
    await edits(admin, 'black')
    eve.says("<message from='eve@far.example/x' to='support@help.localhost' type='chat' id='after'><body>hi</body></message>")
    await hears(eve, /id="re-after"/)
    assert.deepEqual(heard, ['before', 'after'])
  })

  it('SEC-P04 who is on the black list does not learn who is there', async () => {
    await using house = await House.open({ externals: far })
    const { admin, romeo } = await cast(house)
    const eve = await house.component('far.example', 's')
    await romeo.comesOnline()
    await edits(admin, 'black', 'far.example')
    const answers = async (to: string): Promise<string[]> => {
      const from = 'eve@far.example/x'
      for (const type of ['chat', 'normal', 'headline', 'groupchat']) eve.says(`<message from='${from}' to='${to}' type='${type}' id='${type}'><body>hi</body></message>`)
      for (const ns of ['info', 'items']) eve.says(`<iq from='${from}' to='${to}' type='get' id='${ns}'><query xmlns='http://jabber.org/protocol/disco#${ns}'/></iq>`)
      for (const type of ['probe', 'subscribe']) eve.says(`<presence from='${from}' to='${to}' type='${type}' id='p'/>`)
      eve.says(`<iq from='${from}' to='localhost' type='get' id='end'><ping xmlns='urn:xmpp:ping'/></iq>`)
      const heard: string[] = []
      for (let x = await eve.next(); x.attrs['id'] !== 'end'; x = await eve.next()) heard.push(String(x).replaceAll(to, 'TO'))
      return heard
    }
    const there = await answers('romeo@localhost')
    assert.equal(there.length, 6, there.join('\n')) // all but presence is refused
    assert.deepEqual(there, await answers('nobody@localhost'))
    await romeo.receivesNothing()
  })

  it('where there is a white list, no other server but those on it; one’s own users and services as ever; also after a restart', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const lasting = { ...stores, close: async () => {} }
    {
      await using house = await House.open({ stores: lasting })
      const { admin } = await cast(house)
      await edits(admin, 'white', 'friend.example')
    }
    await using house = await House.open({ stores: lasting })
    const { admin, romeo } = await cast(house)
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    juliet.says("<message to='romeo@localhost' type='chat' id='a'><body>hi</body></message>")
    await romeo.hears`<message id='a'/>`
    romeo.says("<message to='someone@other.example' type='chat' id='b'><body>hi</body></message>")
    await romeo.hears`<message type='error' id='b'><error><not-allowed xmlns='${STANZAS}'/></error></message>`
    romeo.says("<message to='someone@friend.example' type='chat' id='c'><body>hi</body></message>")
    await romeo.hears`<message type='error' id='c'><error><remote-server-not-found xmlns='${STANZAS}'/></error></message>`
    assert.deepEqual((await edits(admin, 'white')).before, ['friend.example'])
    await stores.close()
  })

  it('is for admins to say, in addresses, and never without the host itself', async () => {
    await using house = await House.open()
    const { admin, romeo } = await cast(house)
    romeo.says(`<iq type='set' id='c' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='${NS}#edit-blacklist'/></iq>`)
    await romeo.hears`<iq type='error' id='c'><error><forbidden xmlns='${STANZAS}'/></error></iq>`
    assert.match((await edits(admin, 'black', 'localhost')).note, /^Not this server/)
    assert.match((await edits(admin, 'black', '@@')).note, /is no address/)
    assert.deepEqual((await edits(admin, 'black')).before, [])
  })
})
