// What waits for other servers, how much is dialled at once, and what a dead DNS costs: without a wire.
import assert from 'node:assert/strict'
import type { Names } from '../../../server/net/dns.ts'
import type { PeerIdentity } from '../../../server/net/trust.ts'
import type { TestClock } from '../../../server/ports/clock.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { silent } from '../../../server/ports/log.ts'
import { Router } from '../../../server/route/router.ts'
import { Jid } from '../../../server/stanza/jid.ts'
import { Stanza, type AnyStanza } from '../../../server/stanza/stanza.ts'
import { el } from '../../../server/xml/element.ts'
import { Federation } from '../../../server/stream/s2s.ts'
import { Strangers } from '../../../server/stream/strangers.ts'
import { MovedClock } from '../../harness/clock.ts'

/** A federation of a.test with this DNS; what comes back to a.test is kept. */
function stage(names: Names, s2s: Partial<typeof defaultLimits.s2s> = {}): { federation: Federation; clock: TestClock; back: AnyStanza[]; send(to: string, id: string, body?: string): void } {
  const router = new Router()
  const back: AnyStanza[] = []
  router.add('a.test', { deliver: s => { back.push(s) } })
  const clock = new MovedClock()
  const federation = new Federation(
    { domains: new Set(['a.test']), dialback: false, block: ['Blocked.TEST', 'xn--bcher-kva.test'], targets: new Map(), networks: [], names },
    { router, limits: { ...defaultLimits, s2s: { ...defaultLimits.s2s, ...s2s } }, network: clock, log: silent, strangers: new Strangers(), secret: Buffer.alloc(32), identity: {} as PeerIdentity }, // nobody gets as far as TLS
  )
  router.abroad = federation
  const send = (to: string, id: string, body = 'x'): void => void router.route(Stanza.of('message', { type: 'chat', from: Jid.parse('anna@a.test/x'), to: Jid.parse(to), id }, [el('body', 'jabber:client', {}, body)]))
  return { federation, clock, back, send }
}
const told = (s: AnyStanza): string => `${s.head.id} ${s.child('error')?.elements[0]?.name}`
const turn = (): Promise<void> => new Promise(ok => setImmediate(ok))

describe('federation', () => {
  it('SEC-C16 dials no more than so many at once, and gives everything back in time and in order', async () => {
    let open = 0, most = 0, asked = 0
    const names: Names = { services: () => { asked++; most = Math.max(most, ++open / 2); return new Promise(() => {}) }, addresses: async () => [] } // two questions a domain, never answered
    const { federation, clock, back, send } = stage(names, { dials: 5, timeout: 60_000 })
    await using _ = federation
    for (let i = 0; i < 1000; i++) { send(`x@d${i}.test`, `${i}`); send(`x@d${i}.test`, `${i}b`) }
    await turn()
    assert.equal(most, 5)
    assert.equal(asked, 10)
    assert.equal(back.length, 0)
    await clock.advance(60_000)
    assert.deepEqual(back.map(told), Array.from({ length: 1000 }, (_, i) => [`${i} remote-server-timeout`, `${i}b remote-server-timeout`]).flat())
  })

  it('SEC-C16 keeps no more than so many bytes for a domain', async () => {
    const { federation, back, send } = stage({ services: () => new Promise(() => {}), addresses: async () => [] })
    await using _ = federation
    for (let i = 0; i < 6; i++) send('x@b.test', `${i}`, 'x'.repeat(50 * 1024))
    assert.deepEqual(back.map(told), ['5 resource-constraint'])
  })

  it('SEC-K28 RFC-N8 a dead DNS is told to the sender at once, and asked again after a while that grows', async () => {
    let asked = 0
    const { federation, clock, back, send } = stage({ services: () => { asked++; return Promise.reject(new Error('timeout')) }, addresses: () => Promise.reject(new Error('timeout')) })
    await using _ = federation
    const settled = async (n: number): Promise<void> => { while (back.length < n) await turn() }
    send('x@b.test', '1')
    await settled(1)
    send('x@b.test', '2')
    assert.deepEqual([back.map(told), asked], [['1 remote-server-not-found', '2 remote-server-not-found'], 2], 'what is known is not asked again')
    await clock.advance(1_000)
    send('x@b.test', '3')
    await settled(3)
    assert.equal(asked, 4)
    await clock.advance(1_000)
    send('x@b.test', '4')
    assert.equal(asked, 4)
    assert.equal(federation.pairs[0]?.error, 'DNS knows no addresses of b.test')
  })

  it('SEC-C14 knows a blocked domain however it is written', async () => {
    const { federation, back, send } = stage({ services: () => new Promise(() => {}), addresses: async () => [] })
    await using _ = federation
    for (const domain of ['blocked.test', 'BLOCKED.test', 'a.blocked.test', 'bücher.test', 'xn--bcher-kva.test']) send(`x@${domain}`, domain)
    send('x@unblocked.test', 'other')
    assert.deepEqual(back.map(told), ['blocked.test', 'BLOCKED.test', 'a.blocked.test', 'bücher.test', 'xn--bcher-kva.test'].map(d => `${d} remote-server-not-found`))
  })

  it('RFC-N5 RFC-N14 sends nothing abroad that is not ours, and answers no error', async () => {
    let asked = 0
    const { federation, back } = stage({ services: async () => { asked++; return [] }, addresses: async () => [] })
    await using _ = federation
    const from = (who: string, type: 'chat' | 'error'): AnyStanza => Stanza.of('message', { type, from: Jid.parse(who), to: Jid.parse('x@b.test'), id: '1' })
    void federation.deliver(from('eve@evil.test', 'chat')) // we relay for nobody
    assert.equal(asked, 0)
    void federation.deliver(from('anna@a.test', 'error'))
    while (federation.pairs[0]?.state !== 'closed') await turn()
    assert.equal(back.length, 0)
  })
})
