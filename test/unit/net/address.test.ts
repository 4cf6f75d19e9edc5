import assert from 'node:assert/strict'
import { neighbourhood, plainAddress } from '../../../server/net/address.ts'

describe('addresses of peers', () => {
  it('IPv4 in the clothes of IPv6 is IPv4', () => {
    assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1')
    assert.equal(plainAddress('2001:db8::1'), '2001:db8::1')
  })

  it('of IPv6 the /64 is one neighbour, however it is written', () => {
    const one = ['2001:db8::1', '2001:db8:0:0:ffff::', '2001:0DB8:0:0:1:2:3:4', '2001:db8::1:2:3:4'].map(neighbourhood)
    assert.deepEqual(new Set(one), new Set(['2001:db8:0:0::/64']))
    assert.notEqual(neighbourhood('2001:db8:0:1::1'), one[0])
    assert.equal(neighbourhood('fe80::1%eth0'), neighbourhood('fe80::2'))
    assert.equal(neighbourhood('::1'), '0:0:0:0::/64')
    assert.equal(neighbourhood('192.0.2.1'), '192.0.2.1')
  })
})
