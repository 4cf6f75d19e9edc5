// A component of ours over XEP-0114: as it behaves in the server's own process, and what becomes of a connection that breaks.
import assert from 'node:assert/strict'
import net from 'node:net'
import { dial, type DialOptions } from '../../components/dial.ts'
import { Jid, Stanza, type AnyStanza, type Component, type Iq, type Link } from '../../server/api.ts'
import { defaultLimits, type Limits } from '../../server/ports/limits.ts'
import { silent } from '../../server/ports/log.ts'
import type { Stores } from '../../server/ports/store.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import type { TestClock } from '../../server/ports/clock.ts'
import { MovedClock } from '../harness/clock.ts'
import { freePort } from '../harness/ports.ts'
import { House, type Actor } from '../harness/scene.ts'

let stores: Stores
before(async () => { stores = await openSqlite({ file: ':memory:' }) })
after(() => stores.close())

const DOMAIN = 'echo.localhost'
const SECRET = 'keep it'

/** Says again what it hears; some words make it do other things. */
const echo = (onLink: (link: Link | undefined) => void = () => {}): Component => ({
  name: 'echo',
  start(link) {
    onLink(link)
    const back = (s: AnyStanza): AnyStanza => s.readdress({ to: s.from, from: s.to }) as AnyStanza // of the same kind
    return {
      receive(s) {
        if (s.kind !== 'message' || s.type === 'error') return
        switch (s.child('body')?.text) {
          case 'throw': throw new Error('on purpose')
          case 'reject': return Promise.reject(new Error('on purpose'))
          case 'ask': return link.ask(Stanza.of('iq', { type: 'get', to: s.from, from: s.to, id: '' }, s.payload.slice(1, 2)) as Iq).then(a => link.send(back(s.readdress({ id: `told ${a.type}` }) as AnyStanza)))
          default: link.send(back(s))
        }
      },
      async stop() { onLink(undefined) },
    }
  },
})

const world = (house: House): DialOptions['world'] => ({ clock: house.clock, log: silent, stores: house.stores, limits: house.host.limits })

describe('a component', () => {
  const ways: Record<string, (house: House) => Promise<AsyncDisposable>> = {
    mounted: house => house.mount(DOMAIN, echo()),
    dialled: house => dial(echo(), { domain: DOMAIN, secret: SECRET, host: '127.0.0.1', port: house.componentPort, world: world(house) }),
  }
  for (const [way, begin] of Object.entries(ways)) {
    it(`${way}: hears, answers, asks, and breaks alike`, async () => {
      await using house = await House.open({ externals: { [DOMAIN]: SECRET } })
      const romeo: Actor = await house.actor('romeo', 'romeo@localhost/orchard')
      await romeo.comesOnline()
      const component = await begin(house)
      const say = (id: string, body: string): void => romeo.says(`<message type='chat' id='${id}' to='x@${DOMAIN}'><body>${body}</body><n xmlns='urn:example:n' a='1'>é &amp; 😀</n></message>`)
      say('1', 'hello')
      await romeo.receives`<message type='chat' id='1' from='x@${DOMAIN}' to='${romeo}'><body>hello</body><n xmlns='urn:example:n' a='1'>é &amp; 😀</n></message>`
      for (const body of ['throw', 'reject']) {
        say(body, body)
        await romeo.receives`<message type='error' id='${body}' from='x@${DOMAIN}'><error><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
      }
      romeo.says(`<presence to='x@${DOMAIN}'/>`) // only whom he shows himself to may ask his device
      say('q', 'ask')
      const asked = await romeo.receives`<iq type='get' from='x@${DOMAIN}'><n xmlns='urn:example:n'/></iq>`
      say('meanwhile', 'still there')
      await romeo.receives`<message id='meanwhile'/>`
      romeo.says(`<iq type='result' id='${String(asked.attrs['id'])}' to='x@${DOMAIN}'/>`)
      await romeo.receives`<message id='told result'/>`
      await component[Symbol.asyncDispose]()
      say('late', 'late')
      await romeo.receives`<message type='error' id='late'><error><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    })
  }

  it('is told in the server\'s words why it may not come', async () => {
    await using house = await House.open({ externals: { [DOMAIN]: SECRET } })
    const to = { domain: DOMAIN, secret: SECRET, host: '127.0.0.1', port: house.componentPort, world: world(house) }
    await assert.rejects(dial(echo(), { ...to, secret: 'wrong', reconnect: true }), /echo\.localhost: 127\.0\.0\.1:\d+: not-authorized/)
    await assert.rejects(dial(echo(), { ...to, domain: 'other.localhost' }), /other\.localhost: .*host-unknown: No such component is configured/)
    await using _first = await dial(echo(), to)
    await assert.rejects(dial(echo(), to), /conflict: This component is connected already/)
    await assert.rejects(dial(echo(), { ...to, port: await freePort() }), /ECONNREFUSED/)
    await assert.rejects(dial({ name: 'broken', start() { throw new Error('no desk') } }, { ...to, domain: DOMAIN }), /conflict|no desk/)
  })
})

describe('a component whose server goes away', () => {
  it('is stopped, and started anew when the server is back, each try waiting twice as long', async () => {
    const lives: string[] = []
    await using server = await FakeServer.open()
    const clock = new MovedClock()
    const ends: (() => void)[] = []
    const restarted = Promise.withResolvers<void>()
    await using _component = await dial(echo(link => { if (lives.push(link ? 'start' : 'stop') === 3) restarted.resolve() }), { ...server.options({ clock }), reconnect: true, onEnd: () => ends.shift()?.() })
    assert.deepEqual(lives, ['start'])
    const lost = new Promise<void>(ok => ends.push(ok))
    await server.close()
    await lost
    assert.deepEqual(lives, ['start', 'stop'])
    for (const wait of [1_000, 2_000]) {
      const failed = new Promise<void>(ok => ends.push(ok))
      await clock.advance(wait)
      await failed
    }
    await server.listen()
    const back = server.next()
    await clock.advance(4_000)
    await back
    await restarted.promise
    assert.deepEqual(lives, ['start', 'stop', 'start'])
  })

  it('is waited for from the beginning', async () => {
    await using server = await FakeServer.open()
    await server.close()
    const clock = new MovedClock()
    let started = (): void => {}
    const running = new Promise<void>(ok => { started = ok })
    await using _component = await dial(echo(link => { if (link) started() }), { ...server.options({ clock }), reconnect: true })
    await server.listen()
    await clock.advance(1_000)
    await running
  })

  it('is let go where it never answers', async () => {
    await using server = await FakeServer.open({ mute: true })
    const clock = new MovedClock()
    const dialling = dial(echo(), server.options({ clock }))
    await server.next()
    await Promise.all([assert.rejects(dialling, /it does not answer/), clock.advance(30_000)])
  })
})

describe('a component with more to do than it can', () => {
  it('reads no more than a thousand stanzas that it has not committed, and loses none', async () => {
    await using server = await FakeServer.open()
    const done = Promise.withResolvers<void>()
    let open = 0, most = 0, heard = 0
    let release = (): void => {}
    let gate = new Promise<void>(ok => { release = ok })
    const busy: Component = {
      name: 'busy',
      start: () => ({
        async receive() {
          most = Math.max(most, ++open)
          if (++heard === 1_000) setImmediate(release)
          await gate
          open--
          if (heard === 2_500) done.resolve()
        },
      }),
    }
    await using _component = await dial(busy, server.options())
    server.says(Array.from({ length: 2_500 }, (_, i) => `<message from='a@b.example' to='x@${DOMAIN}' id='${i}'><body>${'x'.repeat(100)}</body></message>`).join(''))
    await done.promise
    gate = Promise.resolve()
    assert.equal(most, 1_000)
    assert.equal(heard, 2_500)
  })

  it('lets a server go that takes nothing for half a minute', async () => {
    await using server = await FakeServer.open()
    const clock = new MovedClock()
    let link: Link | undefined
    const lost = Promise.withResolvers<string>()
    await using _component = await dial(echo(l => { link ??= l }), { ...server.options({ clock, limits: { ...defaultLimits, writeBuffer: { bytes: 65_536, stall: 30_000 } } }), onEnd: lost.resolve })
    server.stopsReading()
    const big = 'x'.repeat(200_000)
    for (let i = 0; i < 100; i++) link!.send(Stanza.of('message', { type: 'chat', to: Jid.parse('a@b.example'), from: Jid.parse(`x@${DOMAIN}`), id: big }) as AnyStanza)
    await new Promise(ok => setImmediate(ok))
    await clock.advance(30_000)
    assert.match(await lost.promise, /does not take what it is sent/)
  })

  it('lets a server go that sends what a limit forbids', async () => {
    await using server = await FakeServer.open()
    const lost = Promise.withResolvers<string>()
    await using _component = await dial(echo(), { ...server.options({ limits: { ...defaultLimits, stanza: { ...defaultLimits.stanza, s2s: 10_000 } } }), onEnd: lost.resolve })
    server.says(`<message from='a@b.example' to='x@${DOMAIN}'><body>${'x'.repeat(10_001)}</body></message>`)
    assert.match(await lost.promise, /policy-violation/)
  })
})

/** A server that takes any component, until it is closed. */
class FakeServer implements AsyncDisposable {
  #server = net.createServer()
  #port = 0
  #socket: net.Socket | undefined
  #heard = ''
  #wake: (() => void) | undefined
  readonly #mute: boolean
  constructor(mute: boolean) { this.#mute = mute }

  static async open({ mute = false } = {}): Promise<FakeServer> {
    const server = new FakeServer(mute)
    server.#port = await freePort() // the same after it was away
    await server.listen()
    return server
  }

  async listen(): Promise<void> {
    this.#server = net.createServer(s => {
      this.#socket = s
      this.#heard = ''
      let stage = 0
      s.on('error', () => {})
      s.on('data', d => {
        this.#heard += String(d)
        this.#wake?.()
        if (this.#mute) return
        if (stage === 0 && this.#heard.includes('<stream:stream')) { stage = 1; s.write(`<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='${DOMAIN}' id='7'>`) }
        if (stage === 1 && this.#heard.includes('</handshake>')) { stage = 2; s.write('<handshake/>') }
      })
    })
    await new Promise<void>(ok => { this.#server.listen(this.#port, '127.0.0.1', ok) })
  }

  options(more: { clock?: TestClock; limits?: Limits } = {}): DialOptions {
    return {
      domain: DOMAIN, secret: SECRET, host: '127.0.0.1', port: this.#port,
      world: { clock: more.clock ?? new MovedClock(), log: silent, stores, limits: more.limits ?? defaultLimits },
    }
  }

  says(text: string): void { this.#socket!.write(text) }
  stopsReading(): void { this.#socket!.pause() }

  /** Resolves when the component has said `text`. */
  async next(text = '<stream:stream'): Promise<void> {
    while (!this.#heard.includes(text)) await new Promise<void>(ok => { this.#wake = ok })
  }

  async close(): Promise<void> {
    this.#socket?.destroy()
    this.#heard = ''
    if (this.#server.listening) await new Promise(ok => this.#server.close(ok))
  }
  [Symbol.asyncDispose](): Promise<void> { return this.close() }
}
