// What the config may say of other servers, and what is told of what it may not.
import assert from 'node:assert/strict'
import { readConfig } from '../../../config/load.ts'
import { needRestart } from '../../../app/reload.ts'

const host = 'hosts: { a.test: {} }\n'
const on = `${host}listen: { s2s: { port: 5269 } }\n`
const read = (text: string) => { const loaded = readConfig(text, '/etc/x.yaml'); assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.join('\n')); return loaded.config } // the type is Config
const faults = (text: string): readonly string[] => { const loaded = readConfig(text, '/etc/x.yaml'); assert.ok(!loaded.ok, 'there is a fault'); return loaded.faults }

describe('the config of federation', () => {
  it('SEC-C14 says nothing: federation is off', () => assert.deepEqual([read(host).listen.s2s, read(host).listen.s2sTls], [undefined, undefined]))

  it('is strict where it says nothing', () => {
    assert.deepEqual(read(on).s2s, { dialback: false, block: [], targets: new Map(), networks: [] })
  })

  it('is read whole', () => {
    const { s2s } = read(`${on}s2s: { dialback: [old.test], allow: [b.test], block: [spam.test], targets: { b.test: "tls://[2001:db8::7]:5270" }, networks: [10.0.0.0/8] }`)
    assert.deepEqual(s2s, { dialback: ['old.test'], allow: ['b.test'], block: ['spam.test'], targets: new Map([['b.test', 'tls://[2001:db8::7]:5270']]), networks: ['10.0.0.0/8'] })
  })

  for (const [what, text, line] of [
    ['s2s without a listener', `${host}s2s: { dialback: true }`, /^\/etc\/x\.yaml: s2s: counts for nothing while listen has no s2s: add listen: \{ s2s: /],
    ['a target that is no address', `${on}s2s: { targets: { b.test: "a b" } }`, /s2s\.targets\.b\.test: cannot be "a b": give an address such as /],
    ['a network that is none', `${on}s2s: { networks: [10.0.0.0/99] }`, /s2s\.networks: "10\.0\.0\.0\/99" is no network: give one such as /],
    ['a domain both allowed and blocked', `${on}s2s: { allow: [b.test], block: [b.test] }`, /s2s\.block: b\.test is in allow as well: take it out/],
    ['authorities that are not there', `${on}s2s: { ca: gone.pem }`, /s2s\.ca: \/etc\/gone\.pem cannot be read: give a PEM file/],
    ['dialback for who knows whom', `${on}s2s: { dialback: sometimes }`, /s2s\.dialback: cannot be "sometimes": give true, false, or a list of domains/],
    ['two listeners on one port', `${host}listen: { s2s: { port: 5269 }, s2s-tls: { port: 5269 } }`, /listen\.s2s-tls\.port: 5269 is taken by listen\.s2s already/],
  ] as const) it(`refuses ${what}, in words an admin can act on`, () => assert.match(faults(text).join('\n'), line))

  it('changes while the server runs as far as it can', () => {
    const before = read(on)
    assert.deepEqual(needRestart(before, read(`${on}s2s: { block: [spam.test], dialback: true }`)), [])
    assert.deepEqual(needRestart(before, read(`${on}s2s: { networks: [10.0.0.0/8] }`)), ['s2s.networks'])
    assert.deepEqual(needRestart(before, read(host)), ['listen'])
  })
})
