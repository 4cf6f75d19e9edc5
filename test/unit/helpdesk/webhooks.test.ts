// Webhooks: signed, once in order, tried again, bounded, and never to a place they must not reach.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { Fetcher, isPublic, type Fetched, type FetcherOptions } from '../../../components/helpdesk/webhooks/fetcher.ts'
import { signature } from '../../../components/helpdesk/webhooks/signature.ts'
import { isSigned } from '../../../examples/webhook/signature.js'
import { Webhooks, type Happening, type Hook } from '../../../components/helpdesk/webhooks/webhooks.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import type { TestClock } from '../../../server/ports/clock.ts'
import { silent } from '../../../server/ports/log.ts'
import type { Stores } from '../../../server/ports/store.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { HookSink, status } from './hook-sink.ts'
import { MovedClock } from '../../harness/clock.ts'

const happening = (n: number, conversation = 12, type = 'conversation.opened'): Happening => ({ id: `e${conversation}-${n}`, type, at: 1_700_000_000_000 + n, conversation, data: { n } })

describe('webhooks', () => {
  let stores: Stores
  let sink: HookSink
  let port: number
  let clock: TestClock
  let desks = 0
  let hooks: Hook[]
  const open: Webhooks[] = []
  const fetcher = (more: Partial<FetcherOptions> = {}): Fetcher => new Fetcher({ clock, allow: ['127.0.0.0/8'], ...more })
  const start = async (desk = `hooks${++desks}.x`): Promise<Webhooks> => {
    const jobs = await openJobs({ documents: stores.documents, owner: desk, clock, log: silent })
    const w = await Webhooks.open({ documents: stores.documents, desk, clock, jobs, log: silent, fetcher: fetcher(), hooks: () => hooks })
    await jobs.start()
    const close = w.close.bind(w)
    w.close = async () => { await close(); await jobs.close() }
    open.push(w)
    return w
  }
  const told = (): string[] => sink.heard.map(h => (JSON.parse(h.body) as { id: string }).id)
  before(async () => { stores = await openSqlite({ file: ':memory:' }) })
  after(() => stores.close())
  beforeEach(async () => {
    sink = new HookSink()
    port = await sink.listen()
    clock = new MovedClock()
    hooks = [{ id: 'crm', url: `http://127.0.0.1:${port}/in`, secrets: ['sesame'], types: ['*'] }]
  })
  afterEach(async () => { await Promise.all(open.splice(0).map(w => w.close())); await sink.close() })

  it('SEC-A08 what is told is signed with HMAC-SHA256 over timestamp and body, as any receiver can check', async () => {
    const w = await start()
    assert.equal(await w.tell(happening(1)), 'ok')
    await w.idle()
    const [h] = sink.heard
    assert.deepEqual(JSON.parse(h?.body ?? ''), { id: 'e12-1', type: 'conversation.opened', at: '2023-11-14T22:13:20.001Z', conversation: 12, data: { n: 1 } })
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(h?.headers['deskbell-signature'])) ?? []
    assert.equal(v1, createHmac('sha256', 'sesame').update(`${t}.${h?.body}`).digest('hex'))
    assert.ok(isSigned(String(h?.headers['deskbell-signature']), ['sesame'], clock.now(), h?.body ?? ''))
    assert.equal(h?.headers['deskbell-delivery'], 'crm.e12-1')
    assert.equal(w.size, 0)
  })

  it('SEC-A08 a failing receiver hears it again later under the same ids with a fresh signature, until it takes it', async () => {
    const w = await start()
    sink.answers.push(status(500), status(503), r => r.destroy())
    await w.tell(happening(1))
    await w.idle()
    for (const pause of [5, 30, 120]) { assert.equal(w.size, 1); await clock.advance(pause * 1000) }
    assert.equal(w.size, 0)
    assert.equal(sink.heard.length, 4)
    assert.equal(new Set(sink.heard.map(h => `${h.headers['deskbell-delivery']} ${h.body}`)).size, 1)
    assert.deepEqual(sink.heard.map(h => h.headers['deskbell-attempt']), ['1', '2', '3', '4'])
    assert.equal(new Set(sink.heard.map(h => h.headers['deskbell-signature'])).size, 4)
  })

  it('SEC-A08 a receiver that never takes it is given up after a day, and hears what came after', async () => {
    const w = await start()
    sink.always = (h, r) => { if (!h.body.includes('e12-1')) return false; status(500)(r); return true }
    await w.tell(happening(1))
    await w.tell(happening(2))
    await w.idle()
    await clock.advance(25 * 3_600_000)
    assert.equal(w.size, 0)
    assert.equal(told().filter(i => i === 'e12-1').length, 11)
    assert.equal(told().at(-1), 'e12-2')
  })

  it('SEC-A08 within a conversation the order holds over failures; other conversations do not wait', async () => {
    const w = await start()
    let fail = true
    sink.always = (h, r) => { if (!fail || !h.body.includes('"e12-1"')) return false; status(500)(r); return true }
    await Promise.all([1, 2, 3].flatMap(n => [w.tell(happening(n, 12)), w.tell(happening(n, 13))]))
    await w.idle()
    assert.deepEqual(told().filter(i => i.startsWith('e13')), ['e13-1', 'e13-2', 'e13-3'])
    assert.deepEqual(told().filter(i => i.startsWith('e12')), ['e12-1'])
    fail = false
    await clock.advance(5000)
    assert.deepEqual(told().filter(i => i.startsWith('e12')), ['e12-1', 'e12-1', 'e12-2', 'e12-3'])
  })

  it('SEC-A08 what waits outlives a restart, in its order', async () => {
    const w = await start('again.x')
    sink.answers.push(status(500))
    for (const n of [1, 2, 3]) await w.tell(happening(n))
    await w.idle()
    await w.close()
    const again = await start('again.x')
    assert.equal(again.size, 3)
    await again.tell(happening(4))
    await clock.advance(5000)
    assert.deepEqual(told(), ['e12-1', 'e12-1', 'e12-2', 'e12-3', 'e12-4'])
  })

  it('SEC-A08 a slow receiver is cut off after ten seconds, and never more than four errands are under way to it', async () => {
    const w = await start()
    let now = 0
    let most = 0
    sink.always = (_, r) => { most = Math.max(most, ++now); r.on('close', () => { now-- }); return true } // never answers
    await Promise.all(Array.from({ length: 12 }, (_, i) => w.tell(happening(1, i))))
    while (sink.heard.length < 4) await new Promise(done => { setImmediate(done) })
    await clock.advance(10_000)
    await clock.advance(0)
    assert.equal(w.size, 12, 'none is lost')
    assert.ok(most <= 4, `${most}`)
    sink.always = undefined
    await clock.advance(60_000)
    while (w.size > 0) { await w.idle(); await clock.advance(60_000) }
    assert.equal(new Set(told()).size, 12)
  })

  it('SEC-A08 the queue is bounded: what is too much is not told, and the teller hears so', async () => {
    const w = await start()
    hooks = [{ ...hooks[0]!, url: 'http://127.0.0.1:1/' }] // there is one
    const results = await Promise.all(Array.from({ length: 10_050 }, (_, i) => w.tell(happening(i, 1))))
    assert.deepEqual([results.filter(r => r === 'ok').length, results.filter(r => r === 'full').length], [10_000, 50])
  }).timeout(300_000)

  it('SEC-A08 a redirect is not followed', async () => {
    const other = new HookSink()
    const otherPort = await other.listen()
    const w = await start()
    sink.answers.push(status(302, { Location: `http://127.0.0.1:${otherPort}/` }), status(307, { Location: `http://127.0.0.1:${otherPort}/` }))
    await w.tell(happening(1))
    await w.idle()
    await clock.advance(5000)
    await clock.advance(30_000)
    assert.deepEqual([sink.heard.length, other.connections, w.size], [3, 0, 0])
    await other.close()
  })

  it('SEC-A08 a hook hears of the types that it wants, and nothing when it is switched off or gone', async () => {
    hooks = [{ ...hooks[0]!, id: 'a', types: ['conversation.closed'] }, { ...hooks[0]!, id: 'b', disabled: true }]
    const w = await start()
    await w.tell(happening(1))
    await w.tell(happening(2, 12, 'conversation.closed'))
    await w.idle()
    assert.deepEqual(sink.heard.map(h => h.headers['deskbell-delivery']), ['a.e12-2'])
    sink.answers.push(status(500))
    await w.tell(happening(3, 12, 'conversation.closed'))
    await w.idle()
    hooks = []
    await clock.advance(5000)
    assert.deepEqual([sink.heard.length, w.size], [2, 0])
  })

  it('SEC-W27 what waits to be told of a conversation is forgotten with it', async () => {
    hooks = [{ ...hooks[0]!, url: 'http://127.0.0.1:1/' }]
    const desk = 'forget.x'
    const w = await start(desk)
    for (const c of [1, 2]) for (const n of [1, 2]) await w.tell(happening(n, c))
    await w.idle()
    assert.equal(await w.forget(1), 2)
    assert.deepEqual((await stores.documents.range<{ happening: Happening }>('desk-webhooks', desk, { limit: 9 })).map(d => d.value.happening.conversation), [2, 2])
  })

  it('SEC-A09 a signature holds for its body, its secret and five minutes', () => {
    const at = 1_700_000_000_000
    const header = signature(['new', 'old'], at, 'body')
    assert.deepEqual([['new'], ['old'], ['other'], []].map(s => isSigned(header, s, at, 'body')), [true, true, false, false])
    assert.deepEqual([isSigned(header, ['new'], at, 'body '), isSigned(header, ['new'], at + 300_000, 'body'), isSigned(header, ['new'], at + 301_000, 'body'), isSigned(header, ['new'], at - 301_000, 'body')], [false, true, false, false])
    for (const bad of ['', 't=1', 'v1=00', `t=x,v1=${'0'.repeat(64)}`, `t=1700000000,v1=${'é'.repeat(64)}`, header.replace('t=17', 't=18'), 't=NaN', ','.repeat(100_000)]) assert.equal(isSigned(bad, ['new'], at, 'body'), false, bad.slice(0, 40))
  })

  describe('where they may go', () => {
    it('SEC-W19 no private, local or odd address is reached, however it is written', async () => {
      const f = new Fetcher({ clock })
      const hosts = ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '017700000001', '0', '0.0.0.0', '10.1.2.3', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255',
        '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[fe80::1]', '[fc00::1]', '[fd12::1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[2001:db8::1]', '[ff02::1]', '①②⑦.0.0.1', '127。0。0。1']
      for (const host of hosts) assert.equal((await f.fetch({ method: 'POST', url: `http://${host}:${port}/`, body: '' })).is, 'refused', host)
      for (const url of ['file:///etc/passwd', 'gopher://x/', 'ftp://example.org/', 'javascript:1', '', '//example.org', 'http://user:pw@example.org/', `http://a@93.184.216.34/`, 'http://93.184.216.34:22/', 'https://93.184.216.34:25/']) assert.ok(f.wrong(url) !== undefined, url)
      assert.equal(f.wrong('https://hooks.example.org/a?b'), undefined)
      assert.equal(sink.connections, 0)
    })

    it('SEC-W19 a name is refused if any of its addresses is not public, and what was looked at is what is dialled', async () => {
      const asked: string[] = []
      const answers = [['93.184.216.34', '127.0.0.1'], ['10.0.0.1'], ['::ffff:10.0.0.1']]
      const f = new Fetcher({ clock, resolve: host => { asked.push(host); return Promise.resolve(answers.shift() ?? []) } })
      for (let i = 0; i < 3; i++) assert.equal((await f.fetch({ method: 'GET', url: `http://evil.example:${port}/` })).is, 'refused')
      assert.equal((await f.fetch({ method: 'GET', url: `http://evil.example:${port}/` })).is, 'failed')
      assert.equal(asked.length, 4)
      // Rebinding: the first look-up says an allowed address, and there is no second.
      let look = 0
      const rebinding = fetcher({ resolve: () => { look++; return Promise.resolve(['127.0.0.1']) } })
      assert.deepEqual(await rebinding.fetch({ method: 'GET', url: `http://rebind.example:${port}/x` }), { is: 'answer', status: 204, body: '' })
      assert.deepEqual([look, sink.heard[0]?.headers.host], [1, `rebind.example:${port}`])
    })

    it('SEC-W19 private networks are reached where the admin allows them, and only those', async () => {
      const url = `http://127.0.0.1:${port}/`
      assert.equal((await fetcher().fetch({ method: 'GET', url })).is, 'answer')
      assert.equal((await fetcher({ allow: ['10.0.0.0/8'] }).fetch({ method: 'GET', url })).is, 'refused')
    })

    it('SEC-W20 an answer that is too long or never ends is given up', async () => {
      sink.answers.push(r => { r.writeHead(200); r.end('x'.repeat(100_000)) }, r => { r.writeHead(200); r.write('x') })
      assert.deepEqual(await fetcher().fetch({ method: 'GET', url: `http://127.0.0.1:${port}/` }), { is: 'failed', why: 'its answer is too long' })
      const slow: Promise<Fetched> = fetcher().fetch({ method: 'GET', url: `http://127.0.0.1:${port}/` })
      while (sink.heard.length < 2) await new Promise(done => { setImmediate(done) })
      await clock.advance(10_000)
      assert.deepEqual(await slow, { is: 'failed', why: 'it took too long' })
    })

    it('SEC-W19 knows the public from the private', () => {
      for (const a of ['93.184.216.34', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1', '::ffff:1.1.1.1']) assert.ok(isPublic(a), a)
      for (const a of ['', 'example.org', '1', '::ffff:a00:1', '2001::1', 'fe80::1%eth0']) assert.ok(!isPublic(a), a)
    })
  })
})
