// A stock client, @xmpp/client, that speaks SASL2, Bind 2, FAST and resumption inline, over TLS.
import assert from 'node:assert/strict'
import tls from 'node:tls'
import { client } from '@xmpp/client'
import { Element as Xml } from 'ltx'
import { identity, tlsDoor } from '../harness/doors.ts'
import { PATIENCE } from '../harness/patience.ts'
import { inHouse, PHONE } from './sasl2-client.ts'

/** What is used of it beside the types that the tests have for it. */
interface Stock {
  start(): Promise<{ toString(): string }>
  stop(): Promise<unknown>
  once(event: 'disconnect', listener: () => void): void
  on(event: 'send' | 'error', listener: (what: { toString(): string }) => void): void
  readonly jid: { toString(): string }
  readonly reconnect: { stop(): void; reconnect(): Promise<unknown> }
  readonly streamManagement: { once(event: 'resumed', listener: () => void): void }
}

describe('@xmpp/client', () => {
  const authorities = tls.getCACertificates('default')
  before(async () => tls.setDefaultCACertificates([String((await identity()).current().certificate)])) // the library takes no certificates itself
  after(() => tls.setDefaultCACertificates(authorities))

  for (const kind of ['direct', 'starttls'] as const) {
    it(`logs in with a password, then with the token it was given, and goes on with its session (${kind})`, inHouse(async house => {
      const port = await tlsDoor(house, kind)
      const said: string[] = []
      const stock = client({
        service: `${kind === 'direct' ? 'xmpps' : 'xmpp'}://localhost:${port}`, domain: 'localhost', username: 'romeo', password: 'pw', resource: 'phone', timeout: PATIENCE,
        ...{ userAgent: new Xml('user-agent', { id: PHONE }) },
      }) as unknown as Stock
      stock.reconnect.stop()
      stock.on('error', () => {})
      stock.on('send', e => { said.push(e.toString()) })
      const first = (await stock.start()).toString()
      assert.match(first, /^romeo@localhost\/phone\/./)
      await stock.stop()
      assert.equal((await stock.start()).toString(), first)
      const mechanisms = said.flatMap(s => /^<authenticate .*?mechanism="([^"]+)"/.exec(s)?.[1] ?? [])
      assert.deepEqual(mechanisms, ['SCRAM-SHA-1', 'HT-SHA-256-NONE'])
      const resumed = new Promise<void>(ok => { stock.streamManagement.once('resumed', ok) })
      const gone = new Promise<void>(ok => { stock.once('disconnect', ok) })
      for (const stream of house.devices.streams) stream.fail('connection-timeout') // the session goes on without it
      await gone
      await stock.reconnect.reconnect()
      await resumed
      assert.equal(stock.jid.toString(), first)
      await stock.stop()
    }))
  }
})
