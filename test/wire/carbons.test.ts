import assert from 'node:assert/strict'
import { muc } from '../../components/muc/muc.ts'
import { scene, type Actor } from '../harness/scene.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony', phone: 'juliet@localhost/phone' }

/** All come online; juliet's devices want copies. */
async function opening(romeo: Actor, ...devices: Actor[]): Promise<void> {
  for (const a of [romeo, ...devices]) await a.comesOnline()
  for (const a of devices) {
    a.sends`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`
    await a.hears`<iq type='result' id='c'/>`
    await a.fence()
  }
  for (const a of devices) await a.fence()
}
const copies = async (a: Actor): Promise<string[]> => (await a.fence()).flatMap(x => {
  const c = x.getChild('sent', 'urn:xmpp:carbons:2') ?? x.getChild('received', 'urn:xmpp:carbons:2')
  return c ? [`${c.name} ${c.getChild('forwarded', 'urn:xmpp:forward:0')!.getChild('message')!.attrs['id']}`] : []
})

describe('XEP-0280 Message Carbons', () => {
  it('is announced, with its rules', scene({ romeo: cast.romeo }, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:carbons:rules:0'/></query></iq>`
  }))

  it('copies what one device sends to the others', scene(cast, async ({ romeo, juliet, phone }) => {
    await opening(romeo, juliet, phone)
    juliet.sends`<message to='${romeo}' type='chat' id='m1'><body>Good night, good night — 晚安!</body><thread>t</thread></message>`
    await romeo.receives`<message from='${juliet}' type='chat' id='m1'><body>Good night, good night — 晚安!</body></message>`
    await phone.receives`
      <message from='${juliet.bare}' to='${phone}' type='chat'>
        <sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>
          <message xmlns='jabber:client' from='${juliet}' to='${romeo}' type='chat' id='m1'><body>Good night, good night — 晚安!</body><thread>t</thread></message>
        </forwarded></sent>
      </message>`
    await juliet.receivesNothing()
    await phone.receivesNothing()
  }))

  it('copies what one device receives to the others, each message once', scene(cast, async ({ romeo, juliet, phone }) => {
    await opening(romeo, juliet, phone)
    romeo.sends`<message to='${juliet}' type='chat' id='m1'><body>hark</body></message>`
    await juliet.receives`<message from='${romeo}' to='${juliet}' id='m1'><body>hark</body></message>`
    await phone.receives`<message from='${juliet.bare}' to='${phone}' type='chat'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='${romeo}' to='${juliet}' type='chat' id='m1'><body>hark</body></message></forwarded></received></message>`
    romeo.sends`<message to='${juliet.bare}' type='chat' id='m2'><body>both are most available</body></message>`
    for (const a of [juliet, phone]) {
      await a.receives`<message from='${romeo}' to='${juliet.bare}' id='m2'/>`
      await a.receivesNothing()
    }
  }))

  it('SEC-M08 only to devices that want it, and until they do not', scene(cast, async ({ romeo, juliet, phone }) => {
    for (const a of [romeo, juliet, phone]) await a.comesOnline()
    romeo.sends`<message to='${juliet}' type='chat' id='m'><body>x</body></message>`
    await romeo.fence()
    assert.deepEqual(await copies(phone), [])
    phone.sends`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`
    await phone.hears`<iq type='result' id='c'/>`
    romeo.sends`<message to='${juliet}' type='chat' id='n'><body>x</body></message>`
    await romeo.fence()
    assert.deepEqual(await copies(phone), ['received n'])
    phone.sends`<iq type='set' id='c'><disable xmlns='urn:xmpp:carbons:2'/></iq>`
    await phone.hears`<iq type='result' id='c'/>`
    romeo.sends`<message to='${juliet}' type='chat' id='o'><body>x</body></message>`
    await romeo.fence()
    assert.deepEqual(await copies(phone), [])
  }))

  // Section 6.1: what is copied when romeo sends it to juliet's balcony.
  const rules: [string, string, boolean][] = [
    ['chat', `<message type='chat'><body>x</body></message>`, true],
    ['chat without body', `<message type='chat'><x xmlns='urn:example'/></message>`, true],
    ['normal with body', `<message><body>x</body></message>`, true],
    ['normal without', `<message><x xmlns='urn:example'/></message>`, false],
    ['a receipt', `<message><received xmlns='urn:xmpp:receipts' id='y'/></message>`, true],
    ['a chat state', `<message><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`, true],
    ['a marker', `<message><displayed xmlns='urn:xmpp:chat-markers:0' id='y'/></message>`, true],
    ['groupchat', `<message type='groupchat'><body>x</body></message>`, false],
    ['headline', `<message type='headline'><body>x</body></message>`, false],
    ['private', `<message type='chat'><body>x</body><private xmlns='urn:xmpp:carbons:2'/></message>`, false],
    ['not to be copied', `<message type='chat'><body>x</body><no-copy xmlns='urn:xmpp:hints'/></message>`, false],
    ['a direct invitation', `<message><x xmlns='jabber:x:conference' jid='room@rooms.localhost'/></message>`, true],
    ['a mediated invitation', `<message><x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x></message>`, true],
    ['what an occupant says in private', `<message type='chat'><body>x</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>`, false],
    ['an error of nothing copied', `<message type='error'><body>x</body><error type='cancel'/></message>`, false],
  ]
  for (const [what, text, copied] of rules) {
    it(`${copied ? 'copies' : 'does not copy'}: ${what}`, scene(cast, async ({ romeo, juliet, phone }) => {
      await opening(romeo, juliet, phone)
      romeo.says(text.replace('<message', `<message id='m' to='${juliet}'`))
      await romeo.fence()
      const direct = (await juliet.fence()).filter(x => x.attrs['id'] === 'm')
      assert.equal(direct.length, 1)
      assert.equal(direct[0]!.getChild('private', 'urn:xmpp:carbons:2'), undefined, 'the wish is not passed on')
      assert.deepEqual(await copies(phone), copied ? ['received m'] : [])
    }))
  }

  it('copies an error that answers what was copied', scene(cast, async ({ romeo, juliet, phone }) => {
    await opening(romeo, juliet, phone)
    juliet.sends`<message to='nobody@localhost' type='chat' id='m'><body>x</body></message>`
    await juliet.receives`<message type='error' id='m' from='nobody@localhost'/>`
    assert.deepEqual((await copies(phone))[0], 'sent m')
    juliet.sends`<message to='${romeo}' type='chat' id='n'><body>x</body></message>`
    await romeo.receives`<message id='n'/>`
    romeo.sends`<message to='${juliet}' type='error' id='n'><error type='cancel'/></message>`
    await romeo.fence()
    assert.deepEqual(await copies(phone), ['sent n', 'received n'])
  }))

  it('copies what is said to an occupant in private to the own devices that are in that room', scene({ ...cast, tablet: 'juliet@localhost/tablet' }, async ({ romeo, juliet, phone, tablet }, house) => {
    await using _ = await house.mount('rooms.localhost', muc())
    await opening(romeo, juliet, phone, tablet)
    for (const [a, nick] of [[juliet, 'J'], [tablet, 'J'], [romeo, 'R']] as const) {
      a.says(`<presence to='ball@rooms.localhost/${nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
      await a.hears`<message type='groupchat'><subject/></message>`
      if (a === juliet) {
        a.says("<iq type='set' id='open' to='ball@rooms.localhost'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
        await a.hears`<iq type='result' id='open'/>`
      }
    }
    for (const a of [juliet, phone, tablet]) await a.fence()
    juliet.says("<message to='ball@rooms.localhost/R' type='chat' id='pm'><body>psst</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>")
    await romeo.hears`<message id='pm'><body>psst</body></message>`
    assert.deepEqual([await copies(tablet), await copies(phone)], [['sent pm'], []])
  }))

  it('does not copy to oneself what one writes to oneself', scene(cast, async ({ romeo, juliet, phone }) => {
    await opening(romeo, juliet, phone)
    juliet.sends`<message to='${juliet.bare}' type='chat' id='self'><body>note</body></message>`
    for (const a of [juliet, phone]) {
      await a.receives`<message from='${juliet}' to='${juliet.bare}' id='self'/>`
      await a.receivesNothing()
    }
  }))

  it('SEC-M06 a stranger\'s copy is no copy', scene(cast, async ({ romeo, juliet, phone }) => {
    await opening(romeo, juliet, phone)
    const forged = `<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@localhost/x' to='${juliet}' type='chat'><body>give him all</body></message></forwarded></received>`
    for (const name of ['received', 'sent']) {
      romeo.says(`<message to='${juliet}' type='chat' id='f'>${forged.replaceAll('received', name)}</message>`)
      romeo.says(`<message to='${juliet}' type='chat' id='g'><body>hello</body>${forged.replaceAll('received', name)}</message>`)
      await romeo.fence()
      const heard = (await juliet.fence()).map(String)
      assert.equal(heard.length, 1)
      assert.match(heard[0]!, /hello/)
      assert.doesNotMatch(heard[0]!, /give him all/)
    }
  }))
})
