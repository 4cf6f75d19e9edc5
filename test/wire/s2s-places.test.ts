// From a name to a stream: which of a server's places are tried, and what time does to a stream that stands.
import assert from 'node:assert/strict'
import net from 'node:net'
import type { Names, Service } from '../../server/net/dns.ts'
import { listenTcp } from '../../server/net/tcp.ts'
import { ServerIdentity } from '../../server/net/tls.ts'
import { PeerIdentity } from '../../server/net/trust.ts'
import type { TestClock } from '../../server/ports/clock.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { silent } from '../../server/ports/log.ts'
import { Router } from '../../server/route/router.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { Stanza, type AnyStanza } from '../../server/stanza/stanza.ts'
import { Federation } from '../../server/stream/s2s.ts'
import { Strangers } from '../../server/stream/strangers.ts'
import { Papers, type Paper } from './s2s-houses.ts'
import { header, logsIn, Stranger, Talk } from './s2s-stranger.ts'
import { MovedClock } from '../harness/clock.ts'

describe('from a name to a stream', () => {
  const papers = new Papers()
  const ours = papers.make('a.test'), theirs = papers.make('b.test', ['b.test'])
  after(() => papers[Symbol.dispose]())

  interface Stage { readonly federation: Federation; readonly clock: TestClock; readonly back: AnyStanza[]; readonly port: number; send(id: string): void }
  async function stage(play: (s: Stage) => Promise<void>, names: Partial<Names> = {}, targets: Record<string, string> = {}, trusted: Paper = theirs): Promise<void> {
    const router = new Router()
    const back: AnyStanza[] = []
    router.add('a.test', { deliver: s => { back.push(s) } })
    const clock = new MovedClock()
    const identity = new PeerIdentity(await ServerIdentity.load(ours), [trusted.pem])
    await using federation = new Federation(
      { domains: new Set(['a.test']), dialback: false, block: [], targets: new Map(Object.entries(targets)), networks: ['127.0.0.0/8', '::1/128'], names: { services: async () => [], addresses: async () => [], ...names } },
      { router, limits: defaultLimits, network: clock, log: silent, strangers: new Strangers(), secret: Buffer.alloc(32), identity },
    )
    router.abroad = federation
    await using listening = await listenTcp({ port: 0, address: '127.0.0.1', tls: 'starttls', identity, mutual: true, limits: defaultLimits, rate: defaultLimits.readRate.s2s, clock, log: silent, serve: t => federation.serve(t) })
    const send = (id: string): void => void router.route(Stanza.of('message', { type: 'chat', from: Jid.parse('anna@a.test/x'), to: Jid.parse('ben@b.test'), id }))
    await play({ federation, clock, back, port: listening.port, send })
  }
  /** Moves time on when the sockets have done what they had to: else what was written a moment ago would seem to wait for minutes. */
  async function passes(clock: TestClock, ms: number): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise(ok => setImmediate(ok))
    await clock.advance(ms)
  }
  const srv = (...ports: number[]): Names['services'] => async name => name === '_xmpp-server._tcp.b.test' ? ports.map((port, i): Omit<Service, 'direct'> => ({ name: `h${i}.test`, port, priority: i, weight: 0 })) : []
  const v4: Names['addresses'] = async (_, family) => family === 4 ? ['127.0.0.1'] : []

  it('RFC-X3 goes on to the next place where nobody listens, and where the connection is closed without a word', async () => {
    await using b = await Stranger.listens('b.test', theirs)
    let met = 0
    const rude = net.createServer(socket => { met++; socket.on('error', () => {}); socket.destroy() })
    await new Promise<void>(ok => { rude.listen(0, '127.0.0.1', ok) })
    const { port } = rude.address() as net.AddressInfo // it listens on a port
    await stage(async ({ send }) => {
      send('1')
      await (await b.accepts()).reads(/<message [^>]*id='1'/)
      assert.equal(met, 1)
    }, { services: srv(1, port, b.port), addresses: v4 })
    await new Promise(ok => rude.close(ok))
  })

  it('RFC-X3 does not go on where a server has answered and is not the one', async () => {
    await using b = await Stranger.listens('b.test', papers.make('unknown', ['b.test']))
    await using other = await Stranger.listens('b.test', theirs)
    await stage(async ({ send, federation }) => {
      send('1')
      await (await b.secured()).reads(/<stream:error><not-authorized/)
      while (federation.pairs[0]?.error === undefined) await new Promise(ok => setImmediate(ok))
      assert.match(federation.pairs[0].error, /^h0\.test:\d+: it is not trusted: its certificate is not valid: it is self-signed$/)
      assert.equal(other.connections, 0)
    }, { services: srv(b.port, other.port), addresses: v4 })
  })

  it('RFC-X3 tries the other addresses of a place when the first does not answer', async () => {
    await using b = await Stranger.listens('b.test', theirs)
    await stage(async ({ send }) => {
      send('1')
      await (await b.accepts()).reads(/<message [^>]*id='1'/)
    }, { services: srv(b.port), addresses: async (_, family) => family === 4 ? ['127.0.0.77', '127.0.0.1'] : ['::1'] }) // there it listens on the last alone
  })

  it('RFC-S14 closes a stream that carries nothing for ten minutes, and opens another when there is something', async () => {
    await using b = await Stranger.listens('b.test', theirs)
    await stage(async ({ send, clock, federation }) => {
      send('1')
      const talk = await b.accepts()
      await talk.reads(/id='1'/)
      await passes(clock, 9 * 60_000)
      assert.equal(federation.pairs[0]?.state, 'open')
      await passes(clock, 2 * 60_000)
      await talk.reads(/<\/stream:stream>/)
      send('2')
      await (await b.accepts()).reads(/id='2'/)
    }, {}, { 'b.test': `127.0.0.1:${b.port}` })
  })

  it('SEC-C21 gives up a peer that acknowledges nothing', async () => {
    await using b = await Stranger.listens('b.test', theirs)
    await stage(async ({ send, clock, back }) => {
      send('1')
      const talk = await b.accepts(`<sm xmlns='urn:xmpp:sm:3'/>`)
      await talk.reads(/<message [^>]*id='1'[^>]*\/><r xmlns='urn:xmpp:sm:3'\/>/)
      await passes(clock, 60_000)
      assert.equal(back.length, 0, 'it reads for many, and may take its time')
      await passes(clock, 300_000)
      await talk.reads(/<stream:error><connection-timeout/)
      assert.deepEqual(back.map(s => `${s.head.id} ${s.child('error')?.elements[0]?.name}`), ['1 remote-server-timeout'])
    }, {}, { 'b.test': `127.0.0.1:${b.port}` })
  })

  it('SEC-C13 ends a stream whose certificate expires meanwhile', async () => {
    const short = papers.make('short', ['b.test'], Date.now() - 1000, Date.now() + 120_000)
    await stage(async ({ clock, port }) => {
      const talk = await logsIn(port, 'b.test', 'a.test', short)
      await passes(clock, 100_000)
      assert.equal(talk.rest, '')
      await passes(clock, 60_000)
      await talk.reads(/<stream:error><reset/)
    }, {}, {}, short)
  })

  it('ends a stream that proves nothing in its time', async () => {
    await stage(async ({ clock, port }) => {
      const talk = await Talk.to(port)
      talk.says(header('b.test', 'a.test'))
      await talk.reads(/<\/stream:features>/)
      await passes(clock, 31_000)
      await talk.reads(/<stream:error><connection-timeout/)
    })
  })
})
