// JSON ↔ stanza, as values.
import assert from 'node:assert/strict'
import { el, errorReply, Jid, refuse, resultOf, Stanza, type Iq } from '../../../server/api.ts'
import * as translate from '../../../components/webchat/translate.ts'

const NS = translate.NS_DESK
const ends = { from: Jid.parse('v1@web.localhost'), to: Jid.parse('help.localhost') }
const asked = translate.askConversation(ends)
const told = (e: ReturnType<typeof el>, from = 'c12@help.localhost/desk') => Stanza.of('message', { type: 'chat', from: Jid.parse(from), to: ends.from }, [e])

describe('the web bridge’s translation', () => {
  it('says an opening as the namespace has it, the page only where there is one', () => {
    const m = { type: 'open', id: 'client-id-1', name: 'Alice', text: 'a < b\n& c' } as const
    const bare = translate.open(ends, { queue: 'support' }, { address: '192.0.2.7' }, m)
    assert.equal(bare.write(), "<iq type='set' to='help.localhost' from='v1@web.localhost' id=''><open xmlns='urn:deskbell:desk:0' queue='support' id='client-id-1' name='Alice' address='192.0.2.7'><body>a &lt; b\n&amp; c</body></open></iq>")
    assert.equal(translate.open(ends, { queue: 'support' }, { address: '192.0.2.7' }, { ...m, page: 'https://x.org/a' }).child('open', NS)?.child('page')?.text, 'https://x.org/a')
  })

  it('says a line with its number and id, and the page it is typed on', () => {
    const m = { type: 'say', id: 'client-id-2', conversation: 12, text: 'Hi' } as const
    assert.equal(translate.say(ends, {}, { address: '192.0.2.7' }, m).write(),
      "<iq type='set' to='help.localhost' from='v1@web.localhost' id=''><say xmlns='urn:deskbell:desk:0' conversation='12' id='client-id-2' address='192.0.2.7'>Hi</say></iq>")
    assert.equal(translate.say(ends, { site: 'shop', link: 'footer', page: 'https://x.org/a' }, { address: '192.0.2.7', lang: 'de' }, m).child('say', NS)?.write(NS),
      "<say conversation='12' id='client-id-2' site='shop' link='footer' address='192.0.2.7' lang='de'>Hi<page>https://x.org/a</page></say>")
  })

  it('typing is for the moment only', () => {
    const m = translate.typing(ends, 'composing')
    assert.ok(m.child('composing', 'http://jabber.org/protocol/chatstates'))
    assert.ok(m.child('no-store', 'urn:xmpp:hints'))
  })

  it('reads a conversation, and nothing from what is none', () => {
    const read = (attrs: Record<string, string>) => translate.readConversation(resultOf(asked, el('conversation', NS, attrs)))
    assert.deepEqual(read({ number: '12', state: 'waiting', position: '0', seq: '1', can: 'say end' }), { number: 12, state: 'waiting', position: 0, seq: 1, can: ['say', 'end'] })
    assert.deepEqual(read({ number: '12', state: 'active', agent: 'Anna', can: 'say fly' }), { number: 12, state: 'active', agent: 'Anna', seq: 0, can: ['say'] })
    for (const attrs of [{ number: '12' }, { number: 'x', state: 'active' }, { number: '-1', state: 'active' }, { number: '1e3', state: 'active' }, { number: '12', state: 'flying' }]) assert.equal(read(attrs as Record<string, string>), undefined)
  })

  it('reads lines, and leaves out what is none', () => {
    const line = (attrs: Record<string, string>, text: string) => el('line', NS, attrs, text)
    const good = { conversation: '12', seq: '7', at: '2026-11-20T10:00:00Z', who: 'agent', name: 'Anna' }
    const answer = resultOf(asked, el('lines', NS, { conversation: '12', complete: 'false' }, line(good, 'a\nb'), line({ ...good, seq: '' }, 'x'), line({ ...good, who: 'boss' }, 'x')))
    assert.deepEqual(translate.readLines(answer), { complete: false, lines: [{ conversation: 12, seq: 7, at: '2026-11-20T10:00:00Z', who: 'agent', name: 'Anna', text: 'a\nb' }] })
  })

  it('reads what a conversation tells, and of which it is', () => {
    assert.equal(translate.readTold(told(el('line', NS, { conversation: '12', seq: '1', at: 't', who: 'desk' }, 'Hi')))?.type, 'line')
    assert.equal(translate.readTold(told(el('conversation', NS, { number: '12', state: 'closed' })))?.type, 'conversation')
    assert.deepEqual(translate.readTold(told(el('composing', 'http://jabber.org/protocol/chatstates'))), { type: 'typing', conversation: 12, state: 'composing' })
    assert.equal(translate.readTold(told(el('composing', 'http://jabber.org/protocol/chatstates'), 'anna@localhost/x')), undefined)
    assert.equal(translate.readTold(told(el('body', 'jabber:client', {}, 'plain'))), undefined)
  })

  it('turns an error into words; only what will pass is worth trying again', () => {
    const of = (condition: Parameters<typeof refuse>[0], text?: string) => translate.readRefusal(errorReply(asked, refuse(condition, text)) as Iq, 'say', 'client-id-3')
    assert.deepEqual(of('not-acceptable', 'Too long.'), { type: 'refused', reason: 'not-acceptable', text: 'Too long.', of: 'say', id: 'client-id-3' })
    assert.equal(of('service-unavailable').text, 'Nobody is available right now.')
    assert.equal(of('service-unavailable').retry, undefined)
    assert.ok(of('remote-server-timeout').retry! > 0)
    assert.ok(of('internal-server-error').retry! > 0)
  })

  it('SEC-X11 takes out what XML does not allow, and keeps the rest', () => {
    assert.equal(translate.cleanText('a\u0000b\u0007\tc\r\nd\re\u200d👩‍👧'), 'ab\tc\nd\ne\u200d👩‍👧')
    assert.ok(translate.cleanText('x\ud800').isWellFormed())
  })

  it('SEC-W34 a name has one line, and nothing that hides or turns', () => {
    assert.equal(translate.cleanName('  Al\u200bice\u202e \n Smith\u0000 '), 'Alice Smith')
    assert.equal(translate.cleanName('{{7*7}} <b>'), '{{7*7}} <b>')
  })
})
