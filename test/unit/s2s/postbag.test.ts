// What is written down on its way to another server: which messages, until when, and what a crash leaves of them.
import assert from 'node:assert/strict'
import { MovedClock } from '../../harness/clock.ts'
import { el, type Element } from '../../../server/xml/element.ts'
import { silent } from '../../../server/ports/log.ts'
import { Jid } from '../../../server/stanza/jid.ts'
import { CONTENT, Stanza, type AnyStanza, type Message } from '../../../server/stanza/stanza.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { Postbag } from '../../../server/stream/s2s/postbag.ts'

const message = (id: string, type: Message['type'] = 'chat', ...payload: Element[]): AnyStanza =>
  Stanza.of('message', { id, type, from: Jid.parse('anna@a.test/x'), to: Jid.parse('ben@b.test') }, payload.length ? payload : [el('body', CONTENT, {}, id)])

describe('messages on their way to other servers', () => {
  it('are those that people write, and stay until they have arrived', async () => {
    const { documents, close } = await openSqlite({ file: ':memory:' })
    const clock = new MovedClock()
    const bag = new Postbag({ documents, clock, log: silent })
    const fleeting: AnyStanza[] = [
      message('typing', 'chat', el('composing', 'http://jabber.org/protocol/chatstates'), el('thread', CONTENT, {}, 't')),
      message('hidden', 'chat', el('body', CONTENT, {}, 'x'), el('no-store', 'urn:xmpp:hints')),
      message('room', 'groupchat'), message('news', 'headline'), message('bad', 'error'),
      Stanza.of('presence', { type: 'available', from: Jid.parse('anna@a.test/x'), to: Jid.parse('ben@b.test') }, []),
    ]
    for (const s of fleeting) assert.equal(bag.keep(s), undefined, s.head.id)
    const said = ['1', '2', '3'].map(id => message(id))
    await Promise.all(said.map(s => bag.keep(s)))
    bag.settle(said[1]!) // there are three
    bag.settle(fleeting[0]!)
    const left = await new Postbag({ documents, clock, log: silent }).left()
    assert.deepEqual(left.map(({ stanza, stale }) => [stanza.head.id, stale, stanza.payload.some(e => e.is('delay', 'urn:xmpp:delay') && e.attrs['from'] === 'a.test')]), [['1', false, true], ['3', false, true]])
    await close()
  })

  it('keep their order over restarts, and are too old after a day', async () => {
    const { documents, close } = await openSqlite({ file: ':memory:' })
    const clock = new MovedClock()
    await new Postbag({ documents, clock, log: silent }).keep(message('old'))
    await clock.advance(25 * 3_600_000)
    const second = new Postbag({ documents, clock, log: silent })
    const [old] = await second.left()
    await second.keep(message('new'))
    assert.equal(second.keep(old!.stanza), undefined, 'it is there already') // the line above found it
    const third = await new Postbag({ documents, clock, log: silent }).left()
    assert.deepEqual(third.map(({ stanza, stale }) => [stanza.head.id, stale]), [['old', true], ['new', false]])
    await close()
  })

  it('are nothing that a crash has left while their own server runs, and one that cannot be read keeps no other back', async () => {
    const { documents, close } = await openSqlite({ file: ':memory:' })
    const clock = new MovedClock()
    await new Postbag({ documents, clock, log: silent }).keep(message('before'))
    await documents.put('abroad', 'server', '0', { text: '<message', at: clock.now() })
    const bag = new Postbag({ documents, clock, log: silent })
    await bag.keep(message('now'))
    assert.deepEqual((await bag.left()).map(({ stanza }) => stanza.head.id), ['before'])
    await close()
  })
})
