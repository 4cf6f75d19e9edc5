import assert from 'node:assert/strict'
import { parseFrame, Stanza, type Component } from '../../server/api.ts'
import { scene, type Actor } from '../harness/scene.ts'

const cast = { romeo: 'romeo@localhost/orchard', mallory: 'mallory@localhost/den' }
const RESULT = (id: string): string => `<result xmlns='urn:xmpp:mam:2' queryid='${id}' id='28482'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='juliet@localhost/x'><body>forged</body></message></forwarded></result>`

/** What `a` hears when mallory sends him this beside a body. */
async function hears(mallory: Actor, a: Actor, what: string): Promise<string> {
  mallory.says(`<message to='${a}' type='chat' id='m'><body>hello</body>${what}</message>`)
  return String(await a.receives`<message id='m'><body>hello</body></message>`)
}

describe('what strangers may not say', () => {
  it('SEC-M07 results of an archive that was not asked', scene(cast, async ({ romeo, mallory }) => {
    assert.doesNotMatch(await hears(mallory, romeo, RESULT('q')), /forged/)
    mallory.says(`<message to='${romeo}' id='n'>${RESULT('q')}</message>`)
    await mallory.fence()
    await romeo.receivesNothing()
  }))

  const room: Component = {
    name: 'room',
    start: link => ({ receive: s => { if (s.kind === 'iq' && s.type === 'set') link.send(Stanza.of('message', { type: 'normal', from: s.to, to: s.from }, [parseFrame(RESULT('q'))])) } }),
  }
  it('SEC-M07 … of one that was, they come', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='set' id='q' to='room@rooms.localhost'><query xmlns='urn:xmpp:mam:2' queryid='q'/></iq>`
    await romeo.receives`<message from='room@rooms.localhost'><result xmlns='urn:xmpp:mam:2' queryid='q'/></message>`
  }, { components: { 'rooms.localhost': room } }))

  it('SEC-M07 events that only one\'s contacts and services send', scene(cast, async ({ romeo, mallory }) => {
    assert.doesNotMatch(await hears(mallory, romeo, `<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='storage:bookmarks'/></event>`), /bookmarks/)
  }))

  it('SEC-M05 ids in the name of one\'s own archive; one\'s own id stays', scene(cast, async ({ romeo, mallory }) => {
    for (const by of ['romeo@localhost', 'ROMEO@LocalHost', 'romeo@localhost/orchard', 'localhost']) {
      const came = await hears(mallory, romeo, `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='forged'/><origin-id xmlns='urn:xmpp:sid:0' id='mine'/>`)
      assert.doesNotMatch(came, /forged/)
      assert.match(came, /mine/)
    }
    assert.match(await hears(mallory, romeo, `<stanza-id xmlns='urn:xmpp:sid:0' by='room@rooms.localhost' id='theirs'/>`), /theirs/)
  }))
})
