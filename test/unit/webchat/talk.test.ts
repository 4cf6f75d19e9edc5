// What the widget knows and says next, without a browser.
import assert from 'node:assert/strict'
import { Talk } from '../../../web/widget/talk.ts'
import { pieces } from '../../../web/widget/links.ts'
import { statusOf } from '../../../web/widget/texts.ts'
import type { ConversationView, FromBridge } from '../../../schemas/webchat.ts'

const view = (more: Partial<ConversationView> = {}): ConversationView => ({ number: 1, state: 'active', seq: 0, can: ['say', 'end'], ...more })
const line = (seq: number, more: Partial<Extract<FromBridge, { type: 'line' }>> = {}): FromBridge => ({ type: 'line', conversation: 1, seq, at: '2026-11-20T10:00:00Z', who: 'agent', name: 'Anna', text: `line ${seq}`, ...more })
const limits = { text: 4000, name: 80 }
const inTalk = (): Talk => { const t = new Talk(); t.hear({ type: 'welcome', open: true, conversation: view(), limits }); return t }

describe('the widget’s talk', () => {
  it('says one thing at a time, in order, and each again after a cut until it is kept', () => {
    const t = inTalk()
    t.say('id-1', 'one')
    t.say('id-2', 'two')
    assert.equal(t.next()?.id, 'id-1')
    assert.equal(t.next(), undefined)
    t.lost()
    assert.equal(t.next()?.id, 'id-1', 'nobody knows whether it arrived')
    t.hear({ type: 'said', id: 'id-1', conversation: 1, seq: 1 })
    assert.equal(t.next()?.id, 'id-2')
  })

  it('a line is shown once, whether its answer or the line itself comes first', () => {
    for (const order of [[0, 1], [1, 0]]) {
      const t = inTalk()
      t.say('id-1', 'one')
      t.next()
      const both: FromBridge[] = [{ type: 'said', id: 'id-1', conversation: 1, seq: 1 }, line(1, { who: 'customer', id: 'id-1', text: 'one' })]
      t.hear(both[order[0]!]!)
      assert.equal(t.lines.length + t.outbox.length, 1)
      t.hear(both[order[1]!]!)
      assert.deepEqual([t.lines.length, t.outbox.length], [1, 0])
    }
  })

  it('drops what it has and asks once for what it lacks', () => {
    const t = inTalk()
    t.hear(line(1))
    t.hear(line(1))
    assert.deepEqual(t.hear(line(3)), { type: 'lines', conversation: 1, after: 1 })
    assert.equal(t.hear(line(4)), undefined)
    for (const n of [2, 3, 4]) t.hear(line(n))
    assert.deepEqual(t.lines.map(l => l.seq), [1, 2, 3, 4])
    assert.deepEqual(t.hello(), { type: 'hello', conversation: 1, after: 4 })
  })

  it('what will pass stays and is sent again; what is refused is shown with its reason and may be tried again', () => {
    const t = inTalk()
    t.say('id-1', 'one')
    t.next()
    t.hear({ type: 'refused', id: 'id-1', reason: 'resource-constraint', text: 'Not so fast.', retry: 500 })
    assert.equal(t.next()?.id, 'id-1')
    t.hear({ type: 'refused', id: 'id-1', reason: 'not-acceptable', text: 'Too long.' })
    assert.equal(t.outbox[0]?.failed, 'Too long.')
    assert.equal(t.next(), undefined)
    t.again('id-1')
    assert.equal(t.next()?.id, 'id-1')
  })

  it('a refused beginning gives the text back', () => {
    const t = new Talk()
    t.begin('id-1', 'Help!', { name: 'Alice' })
    assert.deepEqual(t.next(), { type: 'open', id: 'id-1', name: 'Alice', text: 'Help!' })
    t.hear({ type: 'refused', id: 'id-1', reason: 'service-unavailable', text: 'Nobody is available right now.' })
    assert.deepEqual([t.returned, t.outbox.length, statusOf(t, 'on')], ['Help!', 0, 'Nobody is available right now.'])
  })

  it('what was to be said to a conversation that is no more goes back to the writer', () => {
    const t = inTalk()
    t.say('id-1', 'one')
    t.say('id-2', 'two')
    t.next()
    t.lost()
    t.hear({ type: 'welcome', open: true, limits })
    assert.deepEqual([t.returned, t.outbox.length, t.conversation, t.beginning], ['one\ntwo', 0, undefined, true])
  })

  it('lines said before the beginning is answered wait for its number', () => {
    const t = new Talk()
    t.begin('id-1', 'Help!', { name: 'Alice' })
    t.say('id-2', 'Please.')
    t.next()
    t.hear({ type: 'said', id: 'id-1', conversation: 9, seq: 1 })
    assert.deepEqual(t.next(), { type: 'say', id: 'id-2', conversation: 9, text: 'Please.' })
  })

  it('a newer conversation takes the place of the old one, late news of the old one do not', () => {
    const t = inTalk()
    t.hear(line(1))
    t.hear({ type: 'conversation', conversation: view({ number: 2, state: 'waiting', position: 0 }) })
    assert.equal(t.lines.length, 0)
    t.hear({ type: 'conversation', conversation: view({ number: 1, state: 'closed' }) })
    assert.equal(t.conversation?.number, 2)
  })

  it('ST-74 tells how things stand', () => {
    const t = new Talk()
    t.hear({ type: 'welcome', open: false, limits })
    assert.match(statusOf(t, 'on'), /nobody is available right now/)
    const says = (c: Partial<ConversationView>) => { t.hear({ type: 'conversation', conversation: view(c) }); return statusOf(t, 'on') }
    assert.equal(says({ state: 'waiting', position: 2 }), 'People ahead of you: 2')
    assert.equal(says({ state: 'offered', position: 0 }), 'People ahead of you: 0')
    assert.equal(says({ state: 'active', agent: 'Anna' }), 'Anna joined')
    assert.equal(statusOf(t, 'lost'), 'Connection lost, trying again…')
    assert.match(says({ state: 'ended' }), /ended/)
    assert.match(says({ state: 'closed' }), /closed/)
  })

  it('SEC-W10 only http and https become links, and the text stays the text', () => {
    const text = 'see https://a.org/x?y=1#z, (http://b.org) or javascript:alert(1) data:text/html,x xmpp:a@b?join vbscript:x HTTPS://C.org/ü. //d.org'
    assert.equal(pieces(text).map(p => p.text).join(''), text)
    assert.deepEqual(pieces(text).flatMap(p => p.href ?? []), ['https://a.org/x?y=1#z', 'http://b.org/', 'https://c.org/%C3%BC'])
    for (const evil of ['https://', 'http://<script>', 'xhttps://a.org', 'https://a.org\u202ecod.exe']) assert.equal(pieces(evil).map(p => p.text).join(''), evil)
    assert.deepEqual(pieces('https://en.org/wiki/A_(b)').map(p => p.href), ['https://en.org/wiki/A_(b)'])
  })
})
