import assert from 'node:assert/strict'
import { begin, offered } from '../../../server/stream/sasl/offer.ts'
import { setting } from './client.ts'

const SCRAM = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1']

describe('the offer of mechanisms', () => {
  it('RFC-A10 begins with what binds the channel, then the strongest, and ends with PLAIN', () => {
    assert.deepEqual(offered({ tls: true, bindings: ['tls-exporter'], allowPlain: true }), [...SCRAM.map(name => `${name}-PLUS`), ...SCRAM, 'PLAIN'])
  })

  it('RFC-A10 has no -PLUS where there is nothing to bind to', () => {
    assert.deepEqual(offered({ tls: true, bindings: [], allowPlain: true }), [...SCRAM, 'PLAIN'])
    assert.deepEqual(offered({ tls: false, bindings: ['tls-exporter'], allowPlain: false }), SCRAM)
  })

  it('SEC-T13 RFC-A10 has PLAIN only inside TLS, unless loopback was told otherwise', () => {
    assert.deepEqual(offered({ tls: false, bindings: [], allowPlain: true }), SCRAM)
    assert.deepEqual(offered({ tls: true, bindings: [], allowPlain: false }), SCRAM)
    assert.deepEqual(offered({ tls: false, bindings: [], allowPlain: false, plainInClear: true }), SCRAM)
    assert.deepEqual(offered({ tls: false, bindings: [], allowPlain: true, plainInClear: true }), [...SCRAM, 'PLAIN'])
  })

  it('RFC-A15 begins with EXTERNAL where a certificate speaks for somebody, and has nothing but ANONYMOUS for guests', () => {
    assert.equal(offered({ tls: true, bindings: [], allowPlain: true, certified: true })[0], 'EXTERNAL')
    assert.deepEqual(offered({ tls: true, bindings: ['tls-exporter'], allowPlain: true, certified: true, guests: true }), ['ANONYMOUS'])
  })

  it('RFC-A5 only what was offered can be begun', async () => {
    const names = offered({ tls: true, bindings: ['tls-exporter'], allowPlain: true })
    for (const name of names) assert.equal(begin(name, await setting({ offered: names }))?.name, name)
    for (const name of ['', 'plain', 'SCRAM-SHA-1 ', 'DIGEST-MD5', 'EXTERNAL', 'SCRAM-SHA-224']) assert.equal(begin(name, await setting({ offered: names })), undefined)
    for (const name of names) assert.equal(begin(name, await setting({ offered: [] })), undefined)
  })
})
