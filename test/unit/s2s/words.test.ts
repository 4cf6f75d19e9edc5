// The keys of dialback (XEP-0185) and its elements.
import assert from 'node:assert/strict'
import { dialback, dialbackKey, domainOf } from '../../../server/stream/s2s/words.ts'

describe('dialback', () => {
  const secret = Buffer.from('s3cr3tf0rd14lb4ck')

  it('XEP-0185 makes the key of its example', () => {
    assert.equal(dialbackKey(secret, 'xmpp.example.com', 'example.org', 'D60000229F'), '37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643')
  })

  it('SEC-C10 makes another key where a boundary shifts, and for each id', () => {
    const keys = new Set([
      dialbackKey(secret, 'example.in', 'form.example.org', 'x'), dialbackKey(secret, 'example.inf', 'orm.example.org', 'x'), dialbackKey(secret, 'form.example.org', 'example.in', 'x'),
      dialbackKey(secret, 'a.test', 'b.test', 'c d'), dialbackKey(secret, 'a.test', 'b.testc', 'd'),
    ])
    assert.equal(keys.size, 5)
    const ids = new Set(Array.from({ length: 1000 }, (_, i) => dialbackKey(secret, 'a.test', 'b.test', `${i}`)))
    assert.equal(ids.size, 1000)
  })

  it('XEP-0220 writes its elements with the prefix that all understand', () => {
    assert.equal(dialback('result', { from: 'a.test', to: 'b.test', key: 'abc' }), `<db:result from='a.test' to='b.test'>abc</db:result>`)
    assert.equal(dialback('verify', { from: 'a.test', to: 'b.test', id: `'<`, type: 'valid' }), `<db:verify from='a.test' to='b.test' id='&apos;&lt;' type='valid'/>`)
    assert.equal(dialback('result', { from: 'a.test', to: 'b.test', type: 'error', error: 'item-not-found' }),
      `<db:result from='a.test' to='b.test' type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>`)
  })

  it('takes domains, and nothing else, for domains', () => {
    assert.equal(domainOf('B.test'), 'b.test')
    for (const bad of [undefined, '', 'ben@b.test', 'b.test/x', ' b.test', 'b test']) assert.equal(domainOf(bad), undefined)
  })
})
