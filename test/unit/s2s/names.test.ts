// The questions that really go to a DNS, and what its answers are taken for.
import assert from 'node:assert/strict'
import { Places, SystemNames } from '../../../server/net/dns.ts'
import { a, srv, Zone } from '../../harness/zone.ts'

/** The places as that DNS knows them. */
const placesOf = (dns: Zone): Places => new Places({ fixed: new Map(), networks: [], names: new SystemNames([`127.0.0.1:${dns.port}`]), dice: () => 0 })

describe('DNS, asked over the wire', () => {
  it('RFC-X3 XEP-0368 gives the services and their addresses', async () => {
    await using z = await Zone.serve({
      '_xmpp-server._tcp.b.test SRV': [srv(20, 0, 5269, 'two.b.test'), srv(10, 0, 5269, 'one.b.test')], '_xmpps-server._tcp.b.test SRV': [srv(5, 0, 443, 'one.b.test')],
      'one.b.test A': [a('9.9.9.1')], 'one.b.test AAAA': [Buffer.from('2a000000000000000000000000000001', 'hex')], 'two.b.test A': [a('9.9.9.2'), a('10.0.0.1')],
    })
    const found = await placesOf(z).find('b.test')
    assert.ok('targets' in found)
    assert.deepEqual(found.targets.map(t => [t.direct, t.host, t.port, [...t.addresses].sort()]), [
      [true, 'one.b.test', 443, ['2a00::1', '9.9.9.1']], [false, 'one.b.test', 5269, ['2a00::1', '9.9.9.1']], [false, 'two.b.test', 5269, ['9.9.9.2']],
    ])
  })

  it('RFC-X3 falls back to the domain itself where there are no services, and to nothing where they are refused', async () => {
    await using z = await Zone.serve({ 'b.test A': [a('9.9.9.9')], '_xmpp-server._tcp.c.test SRV': [srv(0, 0, 0, '')], 'c.test A': [a('9.9.9.9')] })
    assert.deepEqual(await placesOf(z).find('b.test'), { targets: [{ host: 'b.test', port: 5269, direct: false, addresses: ['9.9.9.9'] }] })
    assert.deepEqual(await placesOf(z).find('c.test'), { reason: 'c.test says in DNS that it has no XMPP server' })
    assert.ok(!z.asked.includes('c.test A'), 'it is not asked where not to go')
  })

  it('RFC-N8 says so where there is no such domain', async () => {
    await using z = await Zone.serve({})
    assert.deepEqual(await placesOf(z).find('nowhere.test'), { reason: 'DNS knows no addresses of nowhere.test' })
    assert.deepEqual(z.asked.sort(), ['_xmpp-server._tcp.nowhere.test SRV', '_xmpps-server._tcp.nowhere.test SRV', 'nowhere.test A', 'nowhere.test AAAA'])
  })
})
