// The questions that really go to a DNS, and what its answers are taken for.
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { Places, SystemNames } from '../../../server/net/dns.ts'

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const
const name = (text: string): Buffer => Buffer.concat([...text.split('.').filter(l => l).map(l => Buffer.from([l.length, ...Buffer.from(l)])), Buffer.of(0)])
const number = (...values: number[]): Buffer => Buffer.concat(values.map(v => Buffer.of(v >> 8, v & 255)))

/** A DNS server with these records, by `name TYPE`; a name that has none does not exist. */
async function zone(records: Readonly<Record<string, readonly Buffer[]>>): Promise<{ places: Places; asked: string[] } & AsyncDisposable> {
  const socket = dgram.createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query, from) => {
    const labels: string[] = []
    let p = 12
    for (; query[p]; p += query[p]! + 1) labels.push(query.toString('latin1', p + 1, p + 1 + query[p]!)) // the loop asks whether it is there
    const type = query.readUInt16BE(p + 1)
    const host = labels.join('.').toLowerCase()
    const kind = Object.entries(TYPES).find(([, n]) => n === type)?.[0] ?? '?'
    asked.push(`${host} ${kind}`)
    const found = records[`${host} ${kind}`] ?? []
    const exists = Object.keys(records).some(key => key.split(' ')[0] === host)
    const answers = found.map(data => Buffer.concat([number(0xc00c, type, 1, 0, 60, data.length), data]))
    socket.send(Buffer.concat([query.subarray(0, 2), number(exists ? 0x8180 : 0x8183, 1, found.length, 0, 0), query.subarray(12, p + 5), ...answers]), from.port, from.address)
  })
  await new Promise<void>(ok => { socket.bind(0, '127.0.0.1', ok) })
  const places = new Places({ fixed: new Map(), networks: [], names: new SystemNames([`127.0.0.1:${socket.address().port}`]), dice: () => 0 })
  return { places, asked, async [Symbol.asyncDispose]() { await new Promise<void>(ok => { socket.close(ok) }) } }
}
const srv = (priority: number, weight: number, port: number, target: string): Buffer => Buffer.concat([number(priority, weight, port), name(target)])
const a = (address: string): Buffer => Buffer.from(address.split('.').map(Number))

describe('DNS, asked over the wire', () => {
  it('RFC-X3 XEP-0368 gives the services and their addresses', async () => {
    await using z = await zone({
      '_xmpp-server._tcp.b.test SRV': [srv(20, 0, 5269, 'two.b.test'), srv(10, 0, 5269, 'one.b.test')], '_xmpps-server._tcp.b.test SRV': [srv(5, 0, 443, 'one.b.test')],
      'one.b.test A': [a('9.9.9.1')], 'one.b.test AAAA': [Buffer.from('2a000000000000000000000000000001', 'hex')], 'two.b.test A': [a('9.9.9.2'), a('10.0.0.1')],
    })
    const found = await z.places.find('b.test')
    assert.ok('targets' in found)
    assert.deepEqual(found.targets.map(t => [t.direct, t.host, t.port, [...t.addresses].sort()]), [
      [true, 'one.b.test', 443, ['2a00::1', '9.9.9.1']], [false, 'one.b.test', 5269, ['2a00::1', '9.9.9.1']], [false, 'two.b.test', 5269, ['9.9.9.2']],
    ])
  })

  it('RFC-X3 falls back to the domain itself where there are no services, and to nothing where they are refused', async () => {
    await using z = await zone({ 'b.test A': [a('9.9.9.9')], '_xmpp-server._tcp.c.test SRV': [srv(0, 0, 0, '')], 'c.test A': [a('9.9.9.9')] })
    assert.deepEqual(await z.places.find('b.test'), { targets: [{ host: 'b.test', port: 5269, direct: false, addresses: ['9.9.9.9'] }] })
    assert.deepEqual(await z.places.find('c.test'), { reason: 'c.test says in DNS that it has no XMPP server' })
    assert.ok(!z.asked.includes('c.test A'), 'it is not asked where not to go')
  })

  it('RFC-N8 says so where there is no such domain', async () => {
    await using z = await zone({})
    assert.deepEqual(await z.places.find('nowhere.test'), { reason: 'DNS knows no addresses of nowhere.test' })
    assert.deepEqual(z.asked.sort(), ['_xmpp-server._tcp.nowhere.test SRV', '_xmpps-server._tcp.nowhere.test SRV', 'nowhere.test A', 'nowhere.test AAAA'])
  })
})
