// What the program itself answers over HTTP: health, metrics, host-meta; and which options the config knows for plugins.
import assert from 'node:assert/strict'
import { schema } from '../../../config/faults.ts'
import { serveHealth } from '../../../app/health.ts'
import { serveHostMeta } from '../../../app/host-meta.ts'
import { serveLanding } from '../../../app/landing.ts'
import { adoptLimits, needRestart } from '../../../app/reload.ts'
import { readConfig, type Config } from '../../../config/load.ts'
import { plugins } from '../../../plugins/index.ts'
import { HttpRouter, listenHttp, type HttpListening } from '../../../server/net/http.ts'
import { wallClock } from '../../../server/ports/clock.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { silent } from '../../../server/ports/log.ts'

describe('app: HTTP of its own', () => {
  let server: HttpListening
  let health: Disposable
  let ready = true
  before(async () => {
    const router = new HttpRouter()
    health = serveHealth(router, {
      ready: () => ready, watchers: [], sessions: () => ({ tcp: 3, tls: 0, websocket: 0, bosh: 0, hibernated: 1, login: 0 }),
      store: () => ({ waiting: { writes: 2, reads: 0 }, writes: 7, reads: 8, commits: 5, failures: 1, journal: 4096 }), certificateEnds: () => 1_800_000_000_000,
      stanzas: () => [['a.example', { in: { message: 4, presence: 0, iq: 0 }, out: { message: 5, presence: 0, iq: 0 } }]],
      pairs: () => ['open', 'open', 'waiting'].map((state, i) => ({ local: 'a.example', remote: 'b.example', direction: 'out', state: state as 'open', since: Date.now() - 1000 * i, queued: i })),
      desks: () => [['help.a.example', { happened: { opened: 9, closed: 1, offered: 6, accepted: 3, declined: 1, lapsed: 2, revoked: 0, lines: 40 }, queues: [{ queue: 'support', waiting: 3, offered: 1, active: 2, ended: 0, longest: 61_000, receiving: 2 }] }]],
    })
    serveHostMeta(router, { websocket: '/xmpp-websocket', bosh: '/http-bind' })
    serveLanding(router)
    // The peer of these tests is this machine: as a proxy it can say that others ask.
    server = await listenHttp({ port: 0, address: '127.0.0.1', proxies: ['127.0.0.1'], router, limits: defaultLimits, clock: wallClock, log: silent })
  })
  after(async () => {
    health[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${path}`, { headers })

  it('says that it is alive, and whether it is ready', async () => {
    assert.equal(await (await get('/healthz')).text(), 'ok')
    assert.equal((await get('/readyz')).status, 200)
    ready = false
    assert.equal((await get('/readyz')).status, 503)
    ready = true
  })

  it('SEC-H24 shows its metrics to this machine and not to others', async () => {
    const own = await get('/metrics')
    assert.equal(own.status, 200)
    const text = await own.text()
    for (const line of ['sessions{kind="tcp"} 3', 'sessions{kind="hibernated"} 1', 'store_failures_total 1', 'store_journal_bytes 4096', 'store_waiting{kind="write"} 2', 'certificate_expiry_seconds 1800000000', 'stanzas_total{host="a.example",direction="out",kind="message"} 5',
      's2s_pairs{direction="out",state="open"} 2', 's2s_pair_seconds{local="a.example",remote="b.example",direction="out",state="open"} 1', 'desk_conversations{desk="help.a.example",queue="support",state="waiting"} 3', 'desk_offers_total{desk="help.a.example",outcome="lapsed"} 2',
      'desk_longest_wait_seconds{desk="help.a.example",queue="support"} 61']) assert.ok(text.split('\n').includes(`deskbell_${line}`), line)
    assert.match(text, /^deskbell_event_loop_lag_seconds [\d.e-]+$/m)
    assert.equal((await get('/metrics', { 'x-forwarded-for': '203.0.113.9' })).status, 404)
  })

  it('tells browser clients where WebSocket and BOSH are, under the name by which they came', async () => {
    const { links } = await (await get('/.well-known/host-meta.json', { 'x-forwarded-proto': 'https' })).json() as { links: unknown }
    assert.deepEqual(links, [
      { rel: 'urn:xmpp:alt-connections:websocket', href: `wss://127.0.0.1:${server.port}/xmpp-websocket` },
      { rel: 'urn:xmpp:alt-connections:xbosh', href: `https://127.0.0.1:${server.port}/http-bind` },
    ])
    const xrd = await get('/.well-known/host-meta', { origin: 'https://client.example' })
    for (const answer of [xrd, await get('/.well-known/host-meta'), await get('/.well-known/host-meta.json')]) {
      assert.equal(answer.headers.get('access-control-allow-origin'), '*') // XEP-0156 section 5
      assert.equal(answer.headers.get('access-control-allow-credentials'), null)
    }
    assert.match(await xrd.text(), /<Link rel='urn:xmpp:alt-connections:websocket' href='ws:\/\/127\.0\.0\.1:\d+\/xmpp-websocket'\/>/)
  })

  it('explains an invitation in a browser, with scripts of its own alone', async () => {
    const page = await get('/invite/')
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self'/)
    assert.match(await page.text(), /src="\/invite\/invite\.js"/)
    assert.deepEqual([(await get('/invite/invite.js')).status, (await get('/invite/invite.css')).status, (await get('/invite/x')).status], [200, 200, 404])
  })

  it('a config that is read again changes limits at once and says what has to wait', () => {
    const read = (text: string): Config => {
      const loaded = readConfig(text, '/etc/deskbell.yaml')
      assert.ok(loaded.ok)
      return loaded.config
    }
    const running = read('hosts: { a.example: {} }')
    const { limits: held } = running
    const again = read('hosts: { a.example: {}, b.example: {} }\nrequire-tls: false\nlimits: { stanza: { c2s: 1000 } }')
    assert.deepEqual(needRestart(running, again), ['require-tls', 'hosts'])
    adoptLimits(held, again.limits)
    assert.equal(held.stanza.c2s, 1000)
  })

  it('the config knows every plugin by its name, and no other', () => {
    const known = schema.properties?.['hosts']?.additionalProperties
    const options = typeof known === 'object' ? known.properties?.['plugins']?.properties ?? {} : {}
    assert.deepEqual(Object.keys(options).sort(), plugins.map(({ name }) => name).sort())
  })
})
