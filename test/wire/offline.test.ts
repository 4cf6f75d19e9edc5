import assert from 'node:assert/strict'
import { scene, type Actor, type House } from '../harness/scene.ts'
import { defaultLimits } from '../../server/ports/limits.ts'

const cast = { romeo: 'romeo@localhost/orchard' }
const juliet = 'juliet@localhost'
const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

/** Juliet logs in and comes online; gives what messages she hears at once. */
async function wakes(house: House, presence = '<presence/>', resource = 'balcony'): Promise<{ a: Actor; messages: string[]; raw: string[] }> {
  const a = await house.actor(resource, `${juliet}/${resource}`)
  a.says(presence)
  const messages: string[] = [], raw: string[] = []
  await until(house, async () => {
    for (const x of await a.fence()) if (x.name === 'message') { messages.push(x.getChildText('body') ?? ''); raw.push(String(x)) }
    return (await house.stores.offline.list(juliet)).length === 0 || presence.includes('-1')
  })
  for (const x of await a.fence()) if (x.name === 'message') { messages.push(x.getChildText('body') ?? ''); raw.push(String(x)) }
  return { a, messages, raw }
}
/** Tries again at each turn of the event loop; the test's own deadline ends it. */
async function until(_: House, done: () => Promise<boolean>): Promise<void> { while (!await done()) await new Promise(ok => setImmediate(ok)) }

describe('XEP-0160 offline messages', () => {
  it('is announced', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='msgoffline'/></query></iq>`
  }))

  it('come with the next login, whole, in order, once and with their time', scene(cast, async ({ romeo }, house) => {
    await house.account('juliet')
    for (const n of [1, 2, 3]) romeo.sends`<message to='${juliet}' type='chat' id='m${n}'><body>line ${n}</body><x xmlns='urn:example' a='1'/></message>`
    romeo.sends`<message to='${juliet}/gone' type='chat'><body>line 4</body></message>`
    romeo.sends`<message to='${juliet}'><subject>s</subject><body>line 5</body></message>`
    await romeo.receivesNothing()
    const { a, messages, raw } = await wakes(house)
    assert.deepEqual(messages, ['line 1', 'line 2', 'line 3', 'line 4', 'line 5'])
    assert.match(raw[0]!, /<delay[^>]*from="localhost"/)
    assert.match(raw[0]!, /stamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"/)
    assert.match(raw[0]!, /from="romeo@localhost\/orchard"/)
    assert.match(raw[0]!, /<x xmlns="urn:example" a="1"\/>/)
    a.leaves()
    assert.deepEqual((await wakes(house, '<presence/>', 'phone')).messages, [])
  }))

  it('wait for a device that takes messages', scene(cast, async ({ romeo }, house) => {
    await house.account('juliet')
    romeo.sends`<message to='${juliet}' type='chat'><body>hello</body></message>`
    await romeo.fence()
    const { a, messages } = await wakes(house, '<presence><priority>-1</priority></presence>')
    assert.deepEqual(messages, [])
    a.says('<presence><priority>0</priority></presence>')
    await a.hears`<message><body>hello</body></message>`
  }))

  it('not for one device when another took it', scene({ ...cast, awake: `${juliet}/balcony` }, async ({ romeo, awake }, house) => {
    await awake.comesOnline()
    romeo.sends`<message to='${juliet}' type='chat'><body>hello</body></message>`
    await awake.receives`<message><body>hello</body></message>`
    assert.deepEqual(await house.stores.offline.list(juliet), [])
  }))

  const kept: [string, string, boolean][] = [
    ['chat', `<message type='chat'><body>x</body></message>`, true],
    ['normal', `<message><body>x</body></message>`, true],
    ['normal without body', `<message><x xmlns='urn:example'/></message>`, true],
    ['an invitation', `<message><x xmlns='jabber:x:conference' jid='room@rooms.localhost'/></message>`, true],
    ['a chat state alone', `<message type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread></message>`, false],
    ['headline', `<message type='headline'><body>x</body></message>`, false],
    ['what its sender calls fleeting', `<message type='chat'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>`, false],
    ['an invitation called fleeting', `<message><x xmlns='jabber:x:conference' jid='room@rooms.localhost'/><no-store xmlns='urn:xmpp:hints'/></message>`, false],
    ['what is not for archives', `<message type='chat'><body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>`, true],
  ]
  for (const [what, text, stays] of kept) {
    it(`${stays ? 'keeps' : 'does not keep'} ${what}`, scene(cast, async ({ romeo }, house) => {
      await house.account('juliet')
      romeo.says(text.replace('<message', `<message to='${juliet}' id='m'`))
      await romeo.fence()
      assert.equal((await house.stores.offline.list(juliet)).length, stays ? 1 : 0)
    }))
  }

  it('SEC-E09 one more than may wait comes back', scene(cast, async ({ romeo }, house) => {
    await house.account('juliet')
    for (const n of [1, 2, 3]) romeo.sends`<message to='${juliet}' type='chat' id='m${n}'><body>${n}</body></message>`
    await romeo.receives`<message type='error' id='m3' from='${juliet}'><error type='wait'><resource-constraint xmlns='${NS}'/></error></message>`
    assert.deepEqual((await wakes(house)).messages, ['1', '2'])
  }, { limits: { account: { ...defaultLimits.account, offline: 2 } } }))

  it('of two devices that come at once one gets them', scene({ ...cast, a: `${juliet}/a`, b: `${juliet}/b` }, async ({ romeo, a, b }, house) => {
    for (const n of [1, 2, 3]) romeo.sends`<message to='${juliet}' type='chat'><body>${n}</body></message>`
    await romeo.fence()
    a.says('<presence/>')
    b.says('<presence/>')
    await until(house, async () => (await house.stores.offline.list(juliet)).length === 0)
    const heard: string[] = []
    for (const x of [...await a.fence(), ...await b.fence()]) if (x.name === 'message') heard.push(x.getChildText('body') ?? '')
    assert.deepEqual(heard, ['1', '2', '3'])
  }))

  it('SEC-R10 a delay that a stranger writes in our name is taken out', scene({ ...cast, awake: `${juliet}/balcony` }, async ({ romeo, awake }) => {
    await awake.comesOnline()
    for (const by of ['localhost', 'LOCALHOST', juliet]) {
      romeo.sends`<message to='${juliet}' type='chat'><body>x</body><delay xmlns='urn:xmpp:delay' from='${by}' stamp='2002-09-10T23:08:25Z'/></message>`
      const came = await awake.receives`<message><body>x</body></message>`
      assert.equal(came.getChild('delay', 'urn:xmpp:delay'), undefined)
    }
    romeo.sends`<message to='${juliet}' type='chat'><body>y</body><delay xmlns='urn:xmpp:delay' from='room@rooms.localhost' stamp='2002-09-10T23:08:25Z'/></message>`
    await awake.receives`<message><body>y</body><delay xmlns='urn:xmpp:delay' from='room@rooms.localhost'/></message>`
  }))
})
