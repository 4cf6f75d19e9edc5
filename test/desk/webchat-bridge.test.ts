// The web bridge over real WebSockets and HTTP, before a desk of the tests.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { defaultLimits } from '../../server/ports/limits.ts'
import type { FromBridge, FromBrowser } from '../../schemas/webchat.ts'
import { newId, Page, post } from '../web/page.ts'
import { stage } from '../web/stage.ts'
import { MovedClock } from '../harness/clock.ts'

const lines = (all: readonly FromBridge[]) => all.filter(m => m.type === 'line')

describe('the web bridge', () => {
  describe('who may speak to it', () => {
    it('SEC-W01 a wrong or absent site key is refused with 403', async () => {
      await using s = await stage()
      for (const site of ['other', '']) await assert.rejects(Page.open(s.url, { site }), /status 403/)
      const r = await fetch(`${s.url}/webchat/poll?site=nope`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', origin: s.url } })
      assert.equal(r.status, 403)
    })

    it('SEC-W01 SEC-H02 a page of an origin that is not listed is refused with 403, cookies or not', async () => {
      await using s = await stage({ origins: ['https://shop.example.org'] })
      await assert.rejects(Page.open(s.url, { origin: 'https://evil.example', headers: { cookie: 'a=b' } }), /status 403/)
      await assert.rejects(Page.open(s.url, { origin: '' }), /status 403/)
      assert.equal((await post(s.url, { message: { type: 'hello' } }, { origin: 'https://evil.example' })).status, 403)
      assert.equal((await post(s.url, { message: { type: 'hello' } }, {})).status, 403)
      assert.equal(s.documents.rows.size, 0)
      using _page = await Page.open(s.url, { origin: 'https://shop.example.org' })
    })

    it('SEC-H03 origins that only look like a listed one are refused with 403', async () => {
      await using s = await stage({ origins: ['https://shop.example.org'] })
      for (const origin of ['https://shop.example.org.evil.com', 'null', 'https://shop.example.org`', 'https://shop$.example.org', 'https://shop.example.org:444', 'HTTPS://SHOP.example.org', 'http://shop.example.org', 'https://shop.example.org/']) {
        await assert.rejects(Page.open(s.url, { origin }), /status 403/, origin)
        assert.equal((await post(s.url, { message: { type: 'hello' } }, { origin })).status, 403, origin)
      }
    })

    it('lets a listed site read its answers, and no other', async () => {
      await using s = await stage({ origins: ['https://shop.example.org'] })
      const asks = (origin: string) => fetch(`${s.url}/webchat/poll?site=default`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' } })
      const may = await asks('https://shop.example.org')
      assert.equal(may.headers.get('access-control-allow-origin'), 'https://shop.example.org')
      assert.equal(may.headers.get('access-control-allow-credentials'), null)
      const mayNot = await asks('https://evil.example')
      assert.equal(mayNot.headers.get('access-control-allow-origin'), null)
    })
  })

  describe('who somebody is', () => {
    it('SEC-W02 a visitor can do nothing with the conversation of another, and the other hears nothing', async () => {
      await using s = await stage()
      const { page: alice } = await Page.hello(s.url)
      using _a = alice
      const number = await alice.begin('secret')
      await alice.all()
      const { page: bob } = await Page.hello(s.url)
      using _b = bob
      const tries: FromBrowser[] = [
        { type: 'say', id: newId(), conversation: number, text: 'me, too' },
        { type: 'typing', conversation: number, state: 'composing' },
        { type: 'end', conversation: number },
        { type: 'lines', conversation: number, after: 0 },
      ]
      for (const m of tries) {
        bob.say(m)
        const r = await bob.hears('refused')
        assert.equal(r.reason, 'item-not-found')
        assert.equal(r.of, m.type)
      }
      assert.deepEqual(lines(await bob.all()), [])
      assert.deepEqual(await alice.all(), [])
      assert.equal(s.desk.talk(number).lines.length, 1)
      assert.deepEqual(s.desk.typed, [])

      const { session } = await post(s.url, { message: { type: 'hello', conversation: number, after: 0 } })
      for (const message of tries) assert.equal((await post(s.url, { session, message })).status, 404, message.type)
      const unknown = await post(s.url, { session, message: { ...tries[0]!, id: newId(), conversation: 999 } as FromBrowser })
      const foreign = await post(s.url, { session, message: { ...tries[0]!, id: newId() } as FromBrowser })
      const bare = (m: FromBridge) => ({ ...m, id: '' })
      assert.deepEqual(foreign.messages.map(bare), unknown.messages.map(bare), 'not his and not there look the same')
    })

    it('SEC-W03 guessed tokens find nobody and are slowed down; values of the wrong type are refused', async () => {
      await using s = await stage()
      const guesses = await Promise.all(Array.from({ length: 30 }, () => post(s.url, { message: { type: 'hello', token: randomBytes(32).toString('base64url') } })))
      assert.ok(guesses.some(g => g.status === 429 && g.headers.get('retry-after')))
      for (const g of guesses) for (const m of g.messages) if (m.type === 'welcome') assert.ok(m.token && !m.conversation)
      const { session } = await post(s.url, { message: { type: 'hello' } })
      for (const conversation of ['1', true, [1], 1.5, 0, -1, null, { $ne: null }]) {
        assert.equal((await post(s.url, { session, message: { type: 'say', id: newId(), conversation, text: 'x' } })).status, 422, JSON.stringify(conversation))
      }
      for (const token of [1, true, ['x'], {}, 'short']) assert.equal((await post(s.url, { message: { type: 'hello', token } })).status, 422, JSON.stringify(token))
      assert.deepEqual(s.desk.asked.filter(x => x !== 'sites' && x !== 'site').filter(a => a !== 'availability'), [])
    })

    it('SEC-W06 a token that was planted is not taken over: the browser gets another', async () => {
      await using s = await stage()
      const planted = randomBytes(32).toString('base64url')
      const { page, token } = await Page.hello(s.url, { token: planted })
      using _p = page
      assert.notEqual(token, planted)
      await page.begin()
      const { page: thief, welcome } = await Page.hello(s.url, { token: planted })
      using _t = thief
      assert.equal(welcome.conversation, undefined)
    })

    it('SEC-W07 tokens stand in no log, no address and no store', async () => {
      const logged: unknown[] = []
      const write = (...all: unknown[]): void => { logged.push(...all) }
      await using s = await stage({ log: { debug: write, info: write, warn: write, error: write } })
      const { page, token } = await Page.hello(s.url)
      using _p = page
      await page.begin()
      const everything = JSON.stringify([logged, [...s.documents.rows], s.desk.talks])
      assert.ok(!everything.includes(token))
      assert.ok(!page.ws.url.includes(token))
    })

    it('SEC-P08 tells the visitor only shown names', async () => {
      await using s = await stage()
      const { page } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin()
      s.desk.accept(n, 'Anna')
      s.desk.line(n, 'agent', 'Anna', 'Hi')
      await page.hears('line', l => l.who === 'agent')
      assert.ok(!/@|localhost/.test(JSON.stringify(await page.all())))
    })
  })

  describe('connections', () => {
    it('SEC-H08 a page that pings without end is closed', async () => {
      await using s = await stage()
      const { page } = await Page.hello(s.url)
      for (let i = 0; i < 1000; i++) page.ws.ping()
      assert.equal(await page.closed, 1008)
      const { page: other } = await Page.hello(s.url)
      for (let i = 0; i < 1000; i++) other.say({ type: 'ping' })
      assert.equal(await other.closed, 1008)
    })

    it('SEC-H08 a dead peer is found within a minute, a living one stays', async () => {
      const network = new MovedClock()
      await using s = await stage({ network })
      using dead = await Page.open(s.url, { autoPong: false })
      dead.say({ type: 'hello' })
      await dead.hears('welcome')
      const { page: alive } = await Page.hello(s.url)
      using _a = alive
      const pinged = Promise.all([dead, alive].map(p => new Promise(heard => p.ws.once('ping', heard))))
      await network.advance(30_000)
      await pinged
      await alive.all() // its answer to the ping came before this
      await network.advance(30_000)
      assert.equal(await dead.closed, 1006)
      await alive.all()
    })

    it('a socket that says nothing is closed when its time to say hello is over', async () => {
      const network = new MovedClock()
      await using s = await stage({ network })
      using page = await Page.open(s.url)
      page.ws.send('{}')
      await page.hears('refused')
      await network.advance(30_000)
      assert.equal(await page.closed, 1006)
    })

    it('one address has a bounded number of them', async () => {
      await using s = await stage({ limits: { connections: { ...defaultLimits.connections, perAddress: 3 } } })
      using _1 = await Page.open(s.url)
      using _2 = await Page.open(s.url)
      using _3 = await Page.open(s.url)
      await assert.rejects(Page.open(s.url))
    })
  })

  describe('the pages', () => {
    it('serves the demo page with a strict policy, and what agents need to connect', async () => {
      await using s = await stage()
      const page = await fetch(s.url + '/')
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
      const policy = page.headers.get('content-security-policy')!
      assert.match(policy, /default-src 'none'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.ok(!/unsafe/.test(policy))
      assert.match(await page.text(), /<script src="\/widget.js" data-site="default" defer><\/script>\n<\/body>/)
      assert.deepEqual(await (await fetch(s.url + '/site/about.json')).json(), { hosts: ['localhost'], ports: { c2s: 5222 }, selfSigned: true })
    })

    it('SS-34 serves the script to any site, and not again where it has not changed', async () => {
      await using s = await stage()
      const first = await fetch(s.url + '/widget.js')
      await first.arrayBuffer()
      if (first.status === 503) return // not built here; the tests in the browser look after that
      assert.equal(first.headers.get('content-type'), 'text/javascript; charset=utf-8')
      assert.equal(first.headers.get('cross-origin-resource-policy'), 'cross-origin')
      const again = await fetch(s.url + '/widget.js', { headers: { 'if-none-match': first.headers.get('etag')! } })
      assert.equal(again.status, 304)
    })
  })
})
