// Where other servers are: SRV and its order, what comes without it, and where nobody's DNS leads us.
import assert from 'node:assert/strict'
import { inOrder, isPublic, Places, readPlace, type Names, type Service } from '../../../server/net/dns.ts'

const srv = (name: string, port = 5269, priority = 0, weight = 0): Omit<Service, 'direct'> => ({ name, port, priority, weight })

/** A DNS with these answers; what is not there has none. */
function dns(services: Readonly<Record<string, readonly Omit<Service, 'direct'>[]>>, addresses: Readonly<Record<string, readonly string[]>>): Names {
  return {
    services: async name => services[name] ?? [],
    addresses: async (name, family) => (addresses[name] ?? []).filter(a => a.includes(':') === (family === 6)),
  }
}
const places = (names: Names, more: { fixed?: Record<string, string>; networks?: string[] } = {}): Places =>
  new Places({ fixed: new Map(Object.entries(more.fixed ?? {})), networks: more.networks ?? [], names, dice: () => 0 })
const found = async (p: Places, domain: string): Promise<string[] | string> => {
  const f = await p.find(domain)
  return 'reason' in f ? f.reason : f.targets.map(t => `${t.direct ? 'tls://' : ''}${t.host}:${t.port} ${t.addresses.join(' ')}`)
}

describe('where another server is', () => {
  it('RFC-X3 by priority, all addresses of one target before the next, IPv6 and IPv4 in turn', async () => {
    const p = places(dns({ '_xmpp-server._tcp.b.test': [srv('two.b.test', 5270, 20), srv('one.b.test', 5269, 10)] },
      { 'one.b.test': ['9.9.9.1', '9.9.9.2', '2a00::1'], 'two.b.test': ['9.9.9.3'], 'b.test': ['9.9.9.9'] }))
    assert.deepEqual(await found(p, 'b.test'), ['one.b.test:5269 2a00::1 9.9.9.1 9.9.9.2', 'two.b.test:5270 9.9.9.3'])
  })

  it('XEP-0368 TLS from the first byte and STARTTLS are one list', async () => {
    const p = places(dns({ '_xmpp-server._tcp.b.test': [srv('b.test', 5269, 10)], '_xmpps-server._tcp.b.test': [srv('b.test', 443, 5)] }, { 'b.test': ['9.9.9.9'] }))
    assert.deepEqual(await found(p, 'b.test'), ['tls://b.test:443 9.9.9.9', 'b.test:5269 9.9.9.9'])
  })

  it('RFC-X3 by the weights within one priority, and those without weight seldom', () => {
    const records = [{ ...srv('a', 1, 0, 0), direct: false }, { ...srv('b', 1, 0, 10), direct: false }, { ...srv('c', 1, 0, 30), direct: false }]
    const first = new Map<string, number>()
    for (let i = 0; i < 4000; i++) { const [one] = inOrder(records, () => i / 4000); first.set(one!.name, (first.get(one!.name) ?? 0) + 1) } // three were given
    assert.deepEqual([first.get('a') ?? 0, first.get('b'), first.get('c')], [0, 1000, 3000])
    assert.equal(inOrder(records, () => 0.999).length, 3)
  })

  it('RFC-X3 at its own address and port 5269 where SRV has no answer, and only then', async () => {
    assert.deepEqual(await found(places(dns({}, { 'b.test': ['9.9.9.9'] })), 'b.test'), ['b.test:5269 9.9.9.9'])
    assert.match(String(await found(places(dns({ '_xmpp-server._tcp.b.test': [srv('gone.test')] }, { 'b.test': ['9.9.9.9'] })), 'b.test')), /no addresses of gone\.test/)
  })

  it('RFC-X3 nowhere where the only target is the root', async () => {
    for (const root of ['.', '']) assert.match(String(await found(places(dns({ '_xmpp-server._tcp.b.test': [srv(root)] }, { 'b.test': ['9.9.9.9'] })), 'b.test')), /has no XMPP server/)
  })

  it('SEC-K28 nowhere where DNS is dead', async () => {
    const dead: Names = { services: () => Promise.reject(new Error('timeout')), addresses: () => Promise.reject(new Error('timeout')) }
    assert.match(String(await found(places(dead), 'b.test')), /no addresses/)
  })

  it('in another script by its ASCII name', async () => {
    assert.deepEqual(await found(places(dns({}, { 'xn--bcher-kva.test': ['9.9.9.9'] })), 'bücher.test'), ['xn--bcher-kva.test:5269 9.9.9.9'])
  })

  const inside = ['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1', 'fc00::1', 'ff02::1', '::ffff:10.0.0.1', '::ffff:127.0.0.1', '64:ff9b::a00:1', '2002:7f00:1::']
  it('SEC-C15 not at an address that is none of the open internet\'s', async () => {
    for (const address of inside) {
      assert.ok(!isPublic(address), address)
      assert.match(String(await found(places(dns({}, { 'b.test': [address] })), 'b.test')), /private/, address)
    }
    for (const address of ['9.9.9.9', '172.32.0.1', '2a00:1450::1', '2620:fe::fe']) assert.ok(isPublic(address), address)
  })

  it('SEC-C15 nor at a port that is for something else', async () => {
    assert.match(String(await found(places(dns({ '_xmpp-server._tcp.b.test': [srv('b.test', 22)] }, { 'b.test': ['9.9.9.9'] })), 'b.test')), /port 22, which is private/)
  })

  it('SEC-C15 one public address among private ones is the one that is tried', async () => {
    assert.deepEqual(await found(places(dns({}, { 'b.test': ['127.0.0.1', '9.9.9.9', '::1'] })), 'b.test'), ['b.test:5269 9.9.9.9'])
  })

  it('in a private network that the admin has named, and where the admin says', async () => {
    const names = dns({}, { 'b.test': ['10.0.0.1'], 'host.test': ['10.9.9.9'] })
    assert.deepEqual(await found(places(names, { networks: ['10.0.0.0/24'] }), 'b.test'), ['b.test:5269 10.0.0.1'])
    assert.deepEqual(await found(places(names, { fixed: { 'b.test': '127.0.0.2:5555' } }), 'b.test'), ['127.0.0.2:5555 127.0.0.2'])
    assert.deepEqual(await found(places(names, { fixed: { 'b.test': 'tls://host.test' } }), 'b.test'), ['tls://host.test:5269 10.9.9.9'])
  })

  it('RFC-S16 as a redirection writes it', () => {
    assert.deepEqual(readPlace('[2001:db8::1]:9222'), { host: '2001:db8::1', port: 9222 })
    assert.deepEqual(readPlace('[2001:db8::1]'), { host: '2001:db8::1', port: 5269 })
    assert.deepEqual(readPlace('other.test:1'), { host: 'other.test', port: 1 })
    assert.deepEqual(readPlace(' other.test '), { host: 'other.test', port: 5269 })
    for (const bad of ['', '2001:db8::1', 'a b', 'x:0', 'x:65536', 'x:1:2', '[x]', 'u@h', 'h/p', 'h?p', 'h#p', 'h\\p']) assert.equal(readPlace(bad), undefined, bad)
  })
})
